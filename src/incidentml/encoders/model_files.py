"""What the files of a saved transformer may be: settings, words and weights, nothing that runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incidentml.errors import ModelFormatError

__all__ = ["check_files"]

_PLAIN = frozenset([".json", ".txt", ".safetensors", ".model", ".md"])
_MAX_FILES = 1000
#: Settings are a page or two, a list of added tokens in them at the most; words of a hundred languages 40 MB.
_MAX_SETTINGS_BYTES = 4 * 2**20
_MAX_WORDS_BYTES = 128 * 2**20
#: Settings in which sentence-transformers reads a Python name, imports it and calls it.
_CODE_KEYS = frozenset(["type", "types", "activation_function", "tokenizer_class"])
_CODE_HOMES = ("sentence_transformers.", "torch.nn.")


def check_files(files: Mapping[str, NDArray[np.uint8]]) -> None:
    """Refuse what a saved sentence-transformers model does not need.

    Parameters
    ----------
    files : mapping of str to array of uint8
        Path inside the model's folder to its bytes.

    Raises
    ------
    ModelFormatError
        Names the file and the rule: a path outside the folder, another sort of file, too many bytes, settings that
        are no JSON, or settings that name code outside sentence-transformers and ``torch.nn``.
    """
    if len(files) > _MAX_FILES:
        raise ModelFormatError(f"transformer-encoder: {len(files)} files, a model has {_MAX_FILES} at the most")
    for name, content in files.items():
        path = PurePosixPath(name)
        if not _inside(name) or path.suffix not in _PLAIN:
            raise ModelFormatError(
                f"transformer-encoder: file {name!r} is not allowed in a model folder; allowed: {sorted(_PLAIN)}"
            )
        settings = path.name == "modules.json" or (path.suffix == ".json" and "config" in path.name)
        limit = _MAX_SETTINGS_BYTES if settings else _MAX_WORDS_BYTES
        if len(content) > limit and path.suffix != ".safetensors":
            raise ModelFormatError(
                f"transformer-encoder: file {name!r} has {len(content)} bytes, allowed are {limit}"
            )
        if settings:
            _check_settings(name, content.tobytes())


def _check_settings(name: str, content: bytes) -> None:
    try:
        values = json.loads(content)
        code = list(_named_code(values))
    except (ValueError, RecursionError) as error:
        raise ModelFormatError(f"transformer-encoder: file {name!r} is no JSON: {error}") from error
    for key, value in code:
        if not value.startswith(_CODE_HOMES):
            raise ModelFormatError(
                f"transformer-encoder: file {name!r}: {key!r} is {value!r}, which would be imported and run; "
                f"allowed are names that start with {' or '.join(_CODE_HOMES)}"
            )
    if PurePosixPath(name).name != "modules.json":
        return
    if not isinstance(values, list) or not all(isinstance(part, dict) for part in values):
        raise ModelFormatError(f"transformer-encoder: file {name!r} holds no list of modules")
    for part in values:
        where = part.get("path")
        if not isinstance(where, str) or not _inside(where):
            raise ModelFormatError(
                f"transformer-encoder: file {name!r}: 'path' is {where!r}, expected a folder inside the model's"
            )


def _inside(name: str) -> bool:
    """Tell whether a path stays in its folder, on Windows too."""
    path = PurePosixPath(name)
    return not (path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name)


def _named_code(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield (setting, dotted name) of what would be imported."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _named_code(part, key if key in _CODE_KEYS else name)
    elif isinstance(value, list):
        for part in value:
            yield from _named_code(part, key)
    elif isinstance(value, str) and key in _CODE_KEYS and "." in value:
        yield key, value
