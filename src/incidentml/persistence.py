"""Model folders: arrays and JSON only, written atomically, read back and checked.

A folder holds ``manifest.json`` (format, kind, settings, nested parts, sha256 of every other file),
``arrays.safetensors`` and, if given, ``CARD.md`` and further text files. Nothing in it can be executed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from incidentml.errors import DataError, ModelFormatError
from incidentml.fitted_state import FittedState, hash_state, pack_json, unpack_json
from incidentml.folders import fresh_folder, replace_folder

__all__ = [
    "FORMAT",
    "FittedState",
    "Persistent",
    "hash_state",
    "load_state",
    "pack_json",
    "replace_folder",
    "save_state",
    "unpack_json",
]

#: Version of the folder format. To change it: raise the number, keep a reader of the old one in `_READERS`, and
#: add a golden folder of the old format to ``tests/golden``.
FORMAT = 1

MANIFEST = "manifest.json"
ARRAYS = "arrays.safetensors"
_MAX_MANIFEST_BYTES = 64 * 2**20
#: Parts within parts; a pipeline has three.
_MAX_DEPTH = 20
_DTYPES = frozenset(
    ["bool", "float16", "float32", "float64"]
    + [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
)


class Persistent:
    """Gives `save` and `load` to a class that implements `to_state` and `from_state`."""

    KIND: ClassVar[str]

    def to_state(self) -> FittedState:
        """Return the fitted state; raise `NotFittedError` before `fit`."""
        raise NotImplementedError

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Build a fitted object from a state."""
        raise NotImplementedError

    def save(self, path: str | os.PathLike[str], *, texts: Mapping[str, str] | None = None) -> Path:
        """Save into a model folder.

        Parameters
        ----------
        path : path-like
            The folder; replaced as a whole, in one step.
        texts : mapping of str to str, optional
            Extra files, file name to content, such as ``CARD.md``.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        ModelFormatError, DataError
            As in `save_state`.
        """
        return save_state(self.to_state(), path, texts=texts)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Load a folder that `save` wrote.

        Parameters
        ----------
        path : path-like

        Returns
        -------
        An object of this class, which gives the same answers as the one that was saved.

        Raises
        ------
        ModelFormatError
            If the folder is of another kind, damaged, incomplete or newer than this library.
        """
        state = load_state(path).require(cls.KIND)
        try:
            return cls.from_state(state)
        except ModelFormatError:
            raise
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            # whoever wrote the manifest decides what its settings are: a list may be a number
            raise ModelFormatError(
                f"{path}: settings of {cls.KIND!r} do not fit this version: {type(error).__name__}: {error}"
            ) from error


def _flatten(state: FittedState, prefix: str = "") -> Iterator[tuple[str, NDArray[Any]]]:
    for name, value in state.arrays.items():
        yield prefix + name, value
    for name, part in state.parts.items():
        yield from _flatten(part, f"{prefix}{name}/")


def _tree(state: FittedState) -> dict[str, Any]:
    return {
        "kind": state.kind,
        "meta": dict(state.meta),
        "arrays": sorted(state.arrays),
        "parts": {name: _tree(part) for name, part in sorted(state.parts.items())},
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check_finite(arrays: Mapping[str, NDArray[Any]], where: str) -> None:
    for name, value in arrays.items():
        if value.dtype.name not in _DTYPES:
            raise ModelFormatError(f"{where}: array {name!r} has dtype {value.dtype}; allowed: {sorted(_DTYPES)}")
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise ModelFormatError(f"{where}: array {name!r} holds NaN or infinity; a fitted model never does")


def save_state(
    state: FittedState, path: str | os.PathLike[str], *, texts: Mapping[str, str] | None = None
) -> Path:
    """Write a model folder, read it back, compare, then put it in place.

    Parameters
    ----------
    state : FittedState
    path : path-like
        The folder; replaced as a whole.
    texts : mapping of str to str, optional
        Further files, file name to content (a model card).

    Returns
    -------
    Path

    Raises
    ------
    ModelFormatError
        If an array holds NaN or the copy on disk differs from the one in memory.
    DataError
        If the path is a file or a folder that holds something else than a model.
    """
    from safetensors.numpy import save_file

    target = Path(path).resolve()  # what a link leads to is replaced, not the link
    _check_replaceable(target)
    # safetensors writes the buffer as it lies: an array that is not C-contiguous would come back scrambled.
    # (`ascontiguousarray` would turn a scalar into a row.) Bytes are put in this machine's order too.
    arrays = {
        name: np.asarray(value, dtype=value.dtype.newbyteorder("="), order="C")
        for name, value in sorted(_flatten(state))
    }
    _check_finite(arrays, state.kind)
    with fresh_folder(target) as fresh:
        save_file(arrays, fresh / ARRAYS)
        (fresh / ARRAYS).chmod(0o644)  # safetensors makes it private; a model is for whoever may read its folder
        for name, content in (texts or {}).items():
            if Path(name).name != name or name in (MANIFEST, ARRAYS):
                raise ModelFormatError(f"{name!r} is not allowed as the name of an extra file")
            (fresh / name).write_text(content, encoding="utf-8", newline="\n")
        manifest = {
            "format": FORMAT,
            "files": {file.name: _sha256(file) for file in sorted(fresh.iterdir())},
            "model": _tree(state),
        }
        (fresh / MANIFEST).write_text(
            json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n",
            encoding="utf-8",
            newline="\n",
        )
        _compare(arrays, load_state(fresh))
        replace_folder(fresh, target)
    return Path(path)


def _check_replaceable(target: Path) -> None:
    """Refuse to replace what is no model folder: whatever lies in it would be lost."""
    if target.exists() and not target.is_dir():
        raise DataError(f"{target}: this is a file; name a folder of its own for the model")
    entries = list(target.iterdir()) if target.exists() else []
    folders = sorted(entry.name for entry in entries if entry.is_dir())
    if entries and (folders or not (target / MANIFEST).is_file()):
        found = f"the folders {folders[:5]}" if folders else f"files and no {MANIFEST}"
        raise DataError(f"{target}: holds {found}, which would be lost; name a folder of its own for the model")


def _compare(arrays: Mapping[str, NDArray[Any]], saved: FittedState) -> None:
    back = dict(_flatten(saved))
    for name, value in arrays.items():
        if back[name].dtype != value.dtype or not np.array_equal(back[name], value):
            raise ModelFormatError(f"array {name!r} came back different from disk; nothing was replaced")


def load_state(path: str | os.PathLike[str]) -> FittedState:
    """Read and check a model folder: every file, its hash, every array.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    FittedState

    Raises
    ------
    ModelFormatError
        Names the file, what was found and what was expected.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    folder = Path(path)
    manifest = _read_manifest(folder)
    files = manifest["files"]
    present = {entry.name for entry in folder.iterdir()}
    if missing := sorted(set(files) - present):
        raise ModelFormatError(f"{folder}: missing {missing}, which {MANIFEST} lists")
    if extra := sorted(present - set(files) - {MANIFEST}):
        raise ModelFormatError(f"{folder}: {extra} is not listed in {MANIFEST}; remove it or save the model again")
    for name, expected in files.items():
        entry = folder / name
        if entry.is_symlink() or not entry.is_file():
            raise ModelFormatError(f"{entry}: expected a plain file")
        if (found := _sha256(entry)) != expected:
            raise ModelFormatError(f"{entry}: sha256 is {found}, {MANIFEST} says {expected}: the file was changed")
    try:
        arrays = load_file(folder / ARRAYS)
    except (SafetensorError, ValueError) as error:
        raise ModelFormatError(f"{folder / ARRAYS}: not a safetensors file: {error}") from error
    _check_finite(arrays, str(folder))
    state = _state(manifest["model"], arrays, "", folder)
    if unused := sorted(set(arrays) - {name for name, _ in _flatten(state)}):
        raise ModelFormatError(f"{folder}: arrays {unused} are not named in {MANIFEST}")
    return state


def _read_manifest(folder: Path) -> dict[str, Any]:
    file = folder / MANIFEST
    if not folder.is_dir():
        raise ModelFormatError(f"{folder}: no such model folder")
    if not file.is_file():
        raise ModelFormatError(f"{folder}: no {MANIFEST}; this is not a model folder")
    if (size := file.stat().st_size) > _MAX_MANIFEST_BYTES:
        raise ModelFormatError(f"{file}: {size} bytes, the limit is {_MAX_MANIFEST_BYTES}")
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelFormatError(f"{file}: not valid JSON: {error}") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("format"), int):
        raise ModelFormatError(f"{file}: no integer 'format'")
    if manifest["format"] > FORMAT:
        raise ModelFormatError(
            f"{file}: format {manifest['format']} is newer than {FORMAT}, the newest that this version reads; "
            "upgrade incidentml"
        )
    if manifest["format"] < 1:
        raise ModelFormatError(f"{file}: format {manifest['format']}, expected 1 to {FORMAT}")
    files = manifest.get("files")
    if not isinstance(files, dict) or not all(
        isinstance(name, str) and Path(name).name == name and isinstance(sha, str) for name, sha in files.items()
    ):
        raise ModelFormatError(f"{file}: 'files' must map plain file names to sha256")
    if ARRAYS not in files:
        raise ModelFormatError(f"{file}: 'files' does not list {ARRAYS}")
    return manifest


def _state(tree: Any, arrays: Mapping[str, NDArray[Any]], prefix: str, folder: Path) -> FittedState:
    where = f"{folder / MANIFEST}, model{'/' + prefix.rstrip('/') if prefix else ''}"
    shape = {"kind": str, "meta": dict, "arrays": list, "parts": dict}
    if prefix.count("/") > _MAX_DEPTH:
        raise ModelFormatError(f"{folder / MANIFEST}: parts lie deeper than {_MAX_DEPTH} levels")
    if not isinstance(tree, dict) or set(tree) != set(shape):
        raise ModelFormatError(f"{where}: expected the keys {sorted(shape)}")
    for name, expected in shape.items():
        if not isinstance(tree[name], expected):
            raise ModelFormatError(f"{where}: {name!r} must be {expected.__name__}")
    if absent := [name for name in tree["arrays"] if prefix + str(name) not in arrays]:
        raise ModelFormatError(f"{where}: arrays {absent} are named but not stored")
    return FittedState(
        kind=tree["kind"],
        meta=tree["meta"],
        arrays={name: arrays[prefix + name] for name in tree["arrays"]},
        parts={name: _state(part, arrays, f"{prefix}{name}/", folder) for name, part in tree["parts"].items()},
    )
