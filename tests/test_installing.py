"""A model is installed whole and checked, or not at all."""

from __future__ import annotations

import json
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import incidentml
from incidentml.errors import ModelFormatError
from incidentml.installing import install, pack
from incidentml.persistence import FittedState, load_state, save_state
from incidentml.registry import find, models

SHIPPED = find("ru-base").path


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a user's models; it does not exist yet."""
    monkeypatch.setenv("INCIDENTML_MODELS", str(tmp_path / "root"))
    return tmp_path / "root"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the shipped model that a test may spoil."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "copy"))


def refused(root: Path, source: Path, message: str, **options: Any) -> None:
    with pytest.raises(ModelFormatError, match=message) as caught:
        install(source, **({"name": "mine", "version": "1.0.0"} | options))
    assert "incidentml-" not in str(caught.value).replace("incidentml-1", ""), "a temporary folder tells nobody"
    assert not root.exists()


def test_a_packed_model_is_installed_and_loads_by_name(root: Path, tmp_path: Path) -> None:
    archive = pack("ru-base", tmp_path / "perm-model-2.0.1.zip")
    assert pack(SHIPPED, tmp_path / "again.zip").read_bytes() == archive.read_bytes()
    info = install(archive)
    assert (info.name, info.version, info.path) == ("perm-model", "2.0.1", root / "perm-model" / "2.0.1")
    assert info.sha256 == find("ru-base").sha256
    assert find("perm-model") == info
    assert info in models()
    assert incidentml.load("perm-model@2.0.1").fingerprint == incidentml.load(SHIPPED).fingerprint
    assert [path.name for path in info.path.parent.iterdir()] == ["2.0.1"]


def test_a_version_is_replaced_only_on_demand(root: Path) -> None:
    install(SHIPPED, name="mine", version="1.0.0")
    with pytest.raises(ModelFormatError, match=r"mine@1\.0\.0 is installed already.*--replace"):
        install(SHIPPED, name="mine", version="1.0.0")
    (root / "mine" / "1.0.0" / "CARD.md").unlink()
    install(SHIPPED, name="mine", version="1.0.0", replace=True)
    assert load_state(root / "mine" / "1.0.0").kind == "incident-pipeline"


def test_a_bad_model_replaces_nothing(root: Path, copy: Path) -> None:
    kept = install(SHIPPED, name="mine", version="1.0.0").sha256
    (copy / "CARD.md").write_text("changed")
    with pytest.raises(ModelFormatError, match="the file was changed"):
        install(copy, name="mine", version="1.0.0", replace=True)
    assert find("mine").sha256 == kept


def test_a_tar_of_the_files_is_installed(root: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "mine@3.0.0.tar.gz", "w:gz", compresslevel=1) as archive:
        for file in SHIPPED.iterdir():
            archive.add(file, file.name)
    assert install(tmp_path / "mine@3.0.0.tar.gz").path == root / "mine" / "3.0.0"


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("models", {}, "does not tell a name and a version; give --name and --version"),
        ("models", {"name": "mine"}, "does not tell a version"),
        ("x-1.0.0.zip", {"name": "../evil"}, r"\.\./evil@1\.0\.0 is no name of a model"),
        ("x-1.0.0.zip", {"name": "Mine"}, "is no name of a model"),
        ("x-1.0.0.zip", {"version": "latest"}, "x@latest is no name of a model"),
        ("x-1.0.0.zip", {"version": "1.0.0/../../.."}, "is no name of a model"),
    ],
)
def test_name_and_version_must_be_told_and_plain(
    root: Path, tmp_path: Path, source: str, options: dict[str, str], message: str
) -> None:
    refused(root, tmp_path / source, message, **({"name": None, "version": None} | options))


def test_a_folder_of_the_registry_tells_its_name(root: Path) -> None:
    assert install(SHIPPED).path == root / "ru-base" / SHIPPED.name


def test_wrong_hashes_are_refused(root: Path, copy: Path) -> None:
    with (copy / "arrays.safetensors").open("r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"\x55")
    refused(root, copy, r"copy/arrays\.safetensors: sha256 is .* the file was changed; nothing was installed")


def test_another_kind_and_a_newer_format_are_refused(root: Path, tmp_path: Path) -> None:
    folder = save_state(FittedState("toy", {}, {"a": np.zeros(2)}), tmp_path / "toy")
    refused(root, folder, "of kind 'toy', expected 'incident-pipeline'")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"format": 99}))
    refused(root, folder, "format 99 is newer")


@pytest.mark.parametrize("depth", [100, 200, 400, 900, 100_000])
def test_deep_json_is_refused(root: Path, copy: Path, depth: int) -> None:
    """Deep parts of a manifest that JSON itself can still read, and deeper ones that it cannot."""
    head, tail = '{"kind": "x", "meta": {}, "arrays": [], "parts": {"p": ', "}}"
    files = json.loads((copy / "manifest.json").read_text("utf-8"))["files"]
    text = f'{{"format": 1, "files": {json.dumps(files)}, "model": {head * depth}0{tail * depth}}}'
    (copy / "manifest.json").write_text(text)
    refused(root, copy, "deeper than|not valid JSON")


def test_deep_json_in_the_settings_is_refused(root: Path, copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    manifest["model"]["meta"]["policy"] = "HERE"
    text = json.dumps(manifest).replace('"HERE"', "[" * 400 + "]" * 400)
    (copy / "manifest.json").write_text(text)
    refused(root, copy, "no pipeline comes of them|no policy")


def no_encoder(manifest: dict[str, Any]) -> None:
    manifest["model"]["parts"]["encoder"]["kind"] = "stranger"


def no_settings(manifest: dict[str, Any]) -> None:
    manifest["model"]["parts"]["complaints"]["meta"] = {}


def odd_settings(manifest: dict[str, Any]) -> None:
    meta = manifest["model"]["parts"]["router"]["meta"]
    meta.update({name: [] for name in meta})


@pytest.mark.parametrize("spoil", [no_encoder, no_settings, odd_settings])
def test_whole_files_that_are_no_pipeline_are_refused(
    root: Path, copy: Path, spoil: Callable[[dict[str, Any]], None]
) -> None:
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    spoil(manifest)
    (copy / "manifest.json").write_text(json.dumps(manifest))
    refused(root, copy, "encoder of kind|is missing|no pipeline comes of them|nothing was installed")


def test_arrays_of_another_shape_are_refused(root: Path, tmp_path: Path) -> None:
    state = load_state(SHIPPED)
    part = state.parts["complaints"]
    cut = FittedState(part.kind, part.meta, {name: value[:1] for name, value in part.arrays.items()}, part.parts)
    spoilt = FittedState(state.kind, state.meta, state.arrays, {**state.parts, "complaints": cut})
    refused(root, save_state(spoilt, tmp_path / "spoilt"), "nothing was installed")


def test_a_hostile_archive_leaves_nothing_behind(root: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for file in SHIPPED.iterdir():
            archive.write(file, file.name)
        archive.writestr("../../evil.py", "print('hello')")
    refused(root, tmp_path / "x.zip", r"member '\.\./\.\./evil\.py' holds a character")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.zip"]


def test_the_limit_of_bytes_holds(root: Path) -> None:
    refused(root, SHIPPED, "together more than 1000000", max_bytes=1_000_000)


def test_a_root_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ModelFormatError, match=r"cannot be written.*INCIDENTML_MODELS"):
        install(SHIPPED, name="mine", version="1.0.0", root=tmp_path / "file")


def test_a_damaged_model_is_not_packed(copy: Path, tmp_path: Path) -> None:
    (copy / "CARD.md").write_text("changed")
    with pytest.raises(ModelFormatError, match="the file was changed"):
        pack(copy, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()
