"""Training of the whole pipeline: one command, the same model every time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import incidentml
from incidentml.errors import DataError
from incidentml.gold import GoldPost, load_gold
from incidentml.model_card import empty_fields, model_card
from incidentml.training import train_pipeline

CORPUS = Path(__file__).parent.parent / "datasets" / "ruincidents"


def some_posts() -> list[GoldPost]:
    """Return parts of three territories and of the single texts: enough for every stage, quick to learn."""
    parts = [("perm", 160), ("krasnodar", 160), ("stream_samara", 200), ("topics", 300)]
    return [item for name, count in parts for item in load_gold(CORPUS / f"{name}.jsonl")[:count]]


@pytest.mark.slow
def test_training_twice_gives_the_same_model_and_a_card_without_gaps() -> None:
    encoder = incidentml.load().encoder
    first, second = (train_pipeline(some_posts(), encoder=encoder) for _ in range(2))
    assert first.fingerprint == second.fingerprint
    result = first.process([item.post for item in load_gold(CORPUS / "stream_samara.jsonl")[200:] if item.post])
    assert result.incidents
    card = model_card(first, some_posts())
    assert first.fingerprint in card
    assert empty_fields(card) == []
    assert all(f"| {name} |" in card for name in ("perm", "krasnodar", "stream_samara", "topics"))


def few_posts() -> list[GoldPost]:
    """Return little more than the least that a training takes."""
    return [item for name in ("perm", "krasnodar", "topics") for item in load_gold(CORPUS / f"{name}.jsonl")[:60]]


KILLED = """
import os, signal, sys
from pathlib import Path
import incidentml
from test_training import few_posts
from incidentml.training import train_pipeline

def progress(stage, done, total):
    if stage == sys.argv[2] and not done:
        os.kill(os.getpid(), signal.SIGKILL)

train_pipeline(few_posts(), encoder=incidentml.load().encoder, work=sys.argv[1], progress=progress)
"""


@pytest.mark.filterwarnings("ignore:The number of unique classes")
def test_a_stopped_training_and_one_in_two_processes_give_the_same_model_byte_for_byte(tmp_path: Path) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if stage == "priority":
            raise KeyboardInterrupt

    encoder, work = incidentml.load().encoder, tmp_path / "work"
    with pytest.raises(KeyboardInterrupt):
        train_pipeline(few_posts(), encoder=encoder, work=work, progress=stop)
    (kept,) = work.iterdir()
    stages = {folder.name: folder.stat().st_mtime_ns for folder in kept.iterdir()}
    assert sorted(stages) == ["complaints", "places", "routing"]
    told: list[tuple[str, int]] = []
    resumed = train_pipeline(
        few_posts(), encoder=encoder, work=work, progress=lambda stage, done, total: told.append((stage, done))
    )
    assert {name: (kept / name).stat().st_mtime_ns for name in stages} == stages
    names = ["places", "complaints", "routing", "priority", "incidents"]
    assert told == [(name, done) for name in names for done in (0, 1)]
    at_once = train_pipeline(few_posts(), encoder=encoder, workers=2).save(tmp_path / "at_once")
    for file in resumed.save(tmp_path / "resumed").iterdir():
        assert file.read_bytes() == (at_once / file.name).read_bytes(), file.name


@pytest.mark.slow
def test_killed_processes_leave_whole_stages(tmp_path: Path) -> None:
    package = Path(incidentml.__file__).parents[1]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(package), str(Path(__file__).parent)])}
    for stage, kept in (("complaints", 1), ("incidents", 4)):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, tmp_path / "work", stage], check=False, env=env, capture_output=True
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
        (folder,) = (tmp_path / "work").iterdir()
        assert len(list(folder.iterdir())) == kept
    resumed = train_pipeline(few_posts(), encoder=incidentml.load().encoder, work=tmp_path / "work")
    assert resumed.fingerprint == train_pipeline(few_posts(), encoder=incidentml.load().encoder).fingerprint


def test_posts_without_labels_are_refused_before_anything_is_learnt() -> None:
    with pytest.raises(DataError, match=r"40 posts are too few to train on:\n  gold\.kind: 0 complaints"):
        train_pipeline(load_gold(CORPUS / "topics.jsonl")[:40])
