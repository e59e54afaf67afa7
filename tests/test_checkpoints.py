"""Stages that are kept, and the key that says for what."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import incidentml
from incidentml.checkpoints import Checkpoints, training_key
from incidentml.errors import IncidentMLError, ModelFormatError
from incidentml.persistence import FittedState


def numbers(count: int) -> FittedState:
    return FittedState("toy", {"count": count}, {"a": np.arange(count)})


def never() -> FittedState:
    raise AssertionError("this stage was finished before")


def test_a_finished_stage_is_not_made_again(tmp_path: Path) -> None:
    Checkpoints(tmp_path, "key").stage("first", lambda: numbers(3))
    assert Checkpoints(tmp_path, "key").stage("first", never).array("a").tolist() == [0, 1, 2]


def test_another_key_or_stage_starts_anew(tmp_path: Path) -> None:
    Checkpoints(tmp_path, "key").stage("first", lambda: numbers(3))
    assert Checkpoints(tmp_path, "other").stage("first", lambda: numbers(1)).setting("count") == 1
    assert Checkpoints(tmp_path, "key").stage("second", lambda: numbers(2)).setting("count") == 2


def test_a_stage_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        Checkpoints(tmp_path, "key").stage("first", never)
    assert list(tmp_path.iterdir()) == []


def test_a_changed_stage_is_named(tmp_path: Path) -> None:
    Checkpoints(tmp_path, "key").stage("first", lambda: numbers(3))
    (tmp_path / "key" / "first" / "arrays.safetensors").write_bytes(b"x")
    with pytest.raises(ModelFormatError, match=r"first/arrays\.safetensors: sha256 is"):
        Checkpoints(tmp_path, "key").stage("first", never)


def test_without_a_folder_every_stage_is_made(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    steps = Checkpoints(None, progress=lambda *step: told.append(step))
    assert steps.stage("first", lambda: numbers(1)).setting("count") == 1
    assert steps.stage("first", lambda: numbers(2)).setting("count") == 2
    assert told == [("first", 0, 1), ("first", 1, 1)] * 2


def test_stages_side_by_side_give_and_keep_the_same_as_one_after_another(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    with Checkpoints(tmp_path, "key", progress=lambda *step: told.append(step), workers=2) as steps:
        waits = [steps.begin(name, numbers, count) for name, count in (("first", 2), ("second", 3))]
        assert [wait().array("a").tolist() for wait in waits] == [[0, 1], [0, 1, 2]]
    assert told == [("first", 0, 1), ("second", 0, 1), ("first", 1, 1), ("second", 1, 1)]
    with Checkpoints(tmp_path, "key") as alone:
        assert alone.begin("second", never)().setting("count") == 3


def test_a_stage_that_fails_elsewhere_fails_here(tmp_path: Path) -> None:
    with Checkpoints(tmp_path, "key", workers=2) as steps:
        with pytest.raises(AssertionError, match="finished before"):
            steps.begin("first", never)()
        with pytest.raises(IncidentMLError, match=r"stage 'second' died .* workers=1"):
            steps.begin("second", die)()
    assert list(tmp_path.iterdir()) == []


def die() -> FittedState:
    os._exit(9)


def wait_long(file: str) -> FittedState:
    Path(file).write_text(str(os.getpid()))
    time.sleep(60)
    return numbers(1)


PARENT = """
import sys
from pathlib import Path
from incidentml.checkpoints import Checkpoints
from test_checkpoints import wait_long

if __name__ == "__main__":
    with Checkpoints(None, workers=2) as steps:
        steps.begin("first", wait_long, sys.argv[1])()
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for the process in /proc")
def test_stages_end_with_a_killed_training(tmp_path: Path) -> None:
    script, file = tmp_path / "parent.py", tmp_path / "pid"
    script.write_text(PARENT)
    paths = [str(Path(incidentml.__file__).parents[1]), str(Path(__file__).parent)]
    parent = subprocess.Popen(
        [sys.executable, script, file], env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    )
    assert happens(lambda: file.exists() and file.read_text() != "")
    parent.kill()
    parent.wait()
    child = Path("/proc") / file.read_text() / "stat"
    assert happens(lambda: not child.exists() or child.read_text().split()[2] == "Z")


def happens(what: Callable[[], bool]) -> bool:
    end = time.monotonic() + 50
    while not what() and time.monotonic() < end:
        time.sleep(0.05)
    return what()


def test_the_key_follows_data_and_their_order() -> None:
    assert training_key(["a", "b"]) == training_key(["a", "b"])
    assert len({training_key(data) for data in (["a", "b"], ["b", "a"], ["ab"], [])}) == 4


def test_the_key_follows_code_and_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    before = training_key([])
    monkeypatch.setattr("incidentml.checkpoints.version", lambda name: "99")
    assert training_key([]) != before
    monkeypatch.undo()
    honest = Path.read_bytes
    monkeypatch.setattr(
        Path, "read_bytes", lambda file: honest(file) + (b"\n" if file.name == "routing.py" else b"")
    )
    assert training_key([]) != before
