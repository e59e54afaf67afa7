"""Stages that are kept, and the key that says for what."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from incidentml.checkpoints import Checkpoints, training_key
from incidentml.errors import ModelFormatError
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
