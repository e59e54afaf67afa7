"""Posts are read in chunks and by several processes with one outcome."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import incidentml
from incidentml import reading
from incidentml.data import read_posts
from incidentml.errors import IncidentMLError
from incidentml.progress import StageClock
from incidentml.reading import Reader, Reading, read_all

SAMPLE = Path(__file__).parent.parent / "datasets" / "sample" / "posts.jsonl"


@pytest.fixture(scope="module")
def reader() -> Reader:
    pipe = incidentml.load()
    return Reader(pipe.encoder, pipe.places, pipe.complaints, pipe.router, pipe.priority)


@pytest.fixture(scope="module")
def posts() -> list[incidentml.Post]:
    return read_posts(SAMPLE).posts


@pytest.fixture(scope="module")
def alone(reader: Reader, posts: list[incidentml.Post]) -> Reading:
    return read_all(reader, posts, None, clock=StageClock())


def assert_same(left: Reading, right: Reading) -> None:
    assert (left.verdicts, left.places, left.accepted) == (right.verdicts, right.places, right.accepted)
    for name in ("vectors", "routing", "priority"):
        assert np.array_equal(getattr(left, name), getattr(right, name)), name


@pytest.mark.parametrize("size", [1, 50])
def test_chunks_do_not_change_the_outcome(reader, posts, alone, size, monkeypatch) -> None:
    monkeypatch.setattr(reading, "_CHUNK", size)
    assert_same(read_all(reader, posts, None, clock=StageClock()), alone)


def test_two_processes_read_what_one_reads(reader, posts, alone, monkeypatch) -> None:
    monkeypatch.setattr(reading, "_WORTH_STARTING", 1)
    told: list[tuple[str, int, int]] = []
    clock = StageClock(lambda *state: told.append(state))
    shared = read_all(reader, posts, None, clock=clock, workers=2)
    pool = reading._kept
    assert_same(shared, alone)
    assert told[-1] == ("reading", len(posts), len(posts))
    assert set(clock.seconds) == {"encoding", "places", "complaints", "routing"}
    monkeypatch.setattr(reading, "_WORTH_SHARING", 1)
    vectors = reader.encoder.encode([post.text for post in posts])
    assert_same(read_all(reader, posts, vectors, clock=StageClock(), workers=2), alone)
    assert reading._kept is pool, "the processes stay for the next call"
    assert list(reading.spread_over(reader, 2)(abs, range(-20, 0))) == list(range(20, 0, -1))
    reading._close()


def test_few_posts_start_no_process(reader, posts, alone) -> None:
    assert_same(read_all(reader, posts, None, clock=StageClock(), workers=2), alone)
    assert reading._kept is None
    assert reading.spread_over(reader, 2) is map


def test_nothing_to_read_gives_arrays_of_the_right_width(reader, alone) -> None:
    nothing = read_all(reader, [], None, clock=StageClock(), workers=4)
    assert (nothing.verdicts, nothing.accepted) == ([], [])
    assert nothing.routing.shape == (0, alone.routing.shape[1])


class Deadly:
    """Ends the process that it is copied to."""

    dim = 2

    def encode(self, texts: Any) -> Any:
        raise AssertionError("never called")

    def __reduce__(self) -> Any:
        return os._exit, (1,)


def test_a_dead_process_is_told_and_replaced(reader, posts, alone, monkeypatch) -> None:
    monkeypatch.setattr(reading, "_WORTH_STARTING", 1)
    with pytest.raises(IncidentMLError, match="one of 2 reading processes died"):
        read_all(replace(reader, encoder=Deadly()), posts, None, clock=StageClock(), workers=2)
    assert reading._kept is None


READS_IN_A_CHILD = """
import multiprocessing, sys
from incidentml import load, reading

def work(path):
    reading._WORTH_STARTING = 1
    return len(load().process(path, workers=2).incidents)

if __name__ == "__main__":
    child = multiprocessing.get_context("spawn").Process(target=work, args=(sys.argv[1],))
    child.start()
    child.join(120)
    sys.exit(child.exitcode if child.exitcode is not None else "the child waits for its workers")
"""


@pytest.mark.slow
def test_a_process_of_a_users_pool_ends_though_its_workers_stay(tmp_path) -> None:
    script = tmp_path / "reads.py"
    script.write_text(READS_IN_A_CHILD, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script, SAMPLE], capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr
