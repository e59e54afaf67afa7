"""Names and versions of models."""

from __future__ import annotations

from pathlib import Path

import pytest

from incidentml.errors import ModelFormatError
from incidentml.persistence import FittedState, save_state
from incidentml.registry import DEFAULT_MODEL, find, models, user_root


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of a user's models with two versions of one."""
    for version in ("1.9.0", "1.10.0"):
        save_state(FittedState("toy"), tmp_path / "mine" / version)
    monkeypatch.setenv("INCIDENTML_MODELS", str(tmp_path))
    return tmp_path


def test_the_default_model_ships() -> None:
    assert find().name == DEFAULT_MODEL
    assert len(find().sha256) == 64


def test_the_newest_version_is_taken_by_number_not_by_letter(shelf: Path) -> None:
    assert find("mine").version == "1.10.0"


def test_a_version_can_be_named(shelf: Path) -> None:
    assert find("mine@1.9.0").path == shelf / "mine" / "1.9.0"


def test_a_folder_can_be_named(shelf: Path) -> None:
    assert find(shelf / "mine" / "1.9.0").version == "1.9.0"


def test_own_models_are_listed_beside_the_shipped_ones(shelf: Path) -> None:
    assert {info.name for info in models()} >= {"mine", DEFAULT_MODEL}


@pytest.mark.parametrize("name", ["nobody", "mine@9.9.9", "../mine", "", "mine@latest"])
def test_an_unknown_name_lists_what_is_installed(shelf: Path, name: str) -> None:
    with pytest.raises(ModelFormatError, match=r"mine@1\.10\.0"):
        find(name)


@pytest.mark.parametrize(
    ("platform", "variable", "expected"),
    [
        ("linux", "XDG_DATA_HOME", "here/incidentml/models"),
        ("linux", None, "~/.local/share/incidentml/models"),
        ("darwin", None, "~/Library/Application Support/incidentml/models"),
        ("win32", "LOCALAPPDATA", "here/incidentml/models"),
        ("win32", None, "~/AppData/Local/incidentml/models"),
    ],
)
def test_own_models_lie_where_the_system_keeps_data(
    monkeypatch: pytest.MonkeyPatch, platform: str, variable: str | None, expected: str
) -> None:
    for name in ("INCIDENTML_MODELS", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, "here")
    monkeypatch.setattr("sys.platform", platform)
    assert user_root() == Path(expected).expanduser()
