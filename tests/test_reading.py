"""Posts are read in chunks and by several processes with one outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import incidentml
from incidentml import processes, reading
from incidentml.data import read_posts
from incidentml.incidents.columns import Columns
from incidentml.progress import StageClock
from incidentml.reading import Reader, Reading, read_parts

SAMPLE = Path(__file__).parent.parent / "datasets" / "sample" / "posts.jsonl"


@pytest.fixture(scope="module")
def reader() -> Reader:
    pipe = incidentml.load()
    return Reader(pipe.encoder, pipe.places, pipe.complaints, pipe.router, pipe.priority, pipe.clusterer)


@pytest.fixture(scope="module")
def posts() -> list[incidentml.Post]:
    return read_posts(SAMPLE).posts


def read_all(*arguments: Any, **how: Any) -> tuple[Reading, Columns]:
    parts, columns = zip(*read_parts(*arguments, **how), strict=True)
    return Reading.join(parts), columns[0].join(*columns[1:])


@pytest.fixture(scope="module")
def alone(reader: Reader, posts: list[incidentml.Post]) -> tuple[Reading, Columns]:
    return read_all(reader, posts, None, clock=StageClock())


def assert_same(left: tuple[Reading, Columns], right: tuple[Reading, Columns]) -> None:
    one, other = left[0], right[0]
    assert (one.verdicts, one.places, one.accepted) == (other.verdicts, other.places, other.accepted)
    for name in ("routing", "priority"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    arrays, others = (columns.to_state().arrays for columns in (left[1], right[1]))
    assert all(np.array_equal(arrays[name], others[name]) for name in arrays)


@pytest.mark.parametrize("size", [1, 50])
def test_chunks_do_not_change_the_outcome(reader, posts, alone, size, monkeypatch) -> None:
    monkeypatch.setattr(reading, "_CHUNK", size)
    assert_same(read_all(reader, posts, None, clock=StageClock()), alone)


def test_two_processes_read_what_one_reads(reader, posts, alone, monkeypatch) -> None:
    monkeypatch.setattr(reading, "_WORTH_STARTING", 1)
    told: list[tuple[str, int, int]] = []
    clock = StageClock(lambda *state: told.append(state))
    shared = read_all(reader, posts, None, clock=clock, workers=2)
    pool = processes._kept
    assert_same(shared, alone)
    assert told[-1] == ("reading", len(posts), len(posts))
    assert set(clock.seconds) == {"encoding", "places", "complaints", "routing", "incidents"}
    monkeypatch.setattr(reading, "_WORTH_SHARING", 1)
    vectors = reader.encoder.encode([post.text for post in posts])
    assert_same(read_all(reader, posts, vectors, clock=StageClock(), workers=2), alone)
    assert processes._kept is pool, "the processes stay for the next call"
    processes.close()


def test_few_posts_start_no_process(reader, posts, alone) -> None:
    assert_same(read_all(reader, posts, None, clock=StageClock(), workers=2), alone)
    assert processes._kept is None


def test_nothing_to_read_gives_arrays_of_the_right_width(reader, alone) -> None:
    nothing, columns = read_all(reader, [], None, clock=StageClock(), workers=4)
    assert (nothing.verdicts, nothing.accepted) == ([], [])
    assert nothing.routing.shape == (0, alone[0].routing.shape[1])
    assert columns.vectors.shape == (0, alone[1].vectors.shape[1])


def test_posts_are_read_while_the_caller_works_on_earlier_ones(reader, posts, monkeypatch) -> None:
    monkeypatch.setattr(reading, "_CHUNK", 50)
    told: list[int] = []
    clock = StageClock(lambda stage, done, total: told.append(done))
    parts = read_parts(reader, posts, None, clock=clock)
    next(parts)
    assert told == [], "the first chunk is here before the second is read"
    next(parts)
    assert told == [50]
