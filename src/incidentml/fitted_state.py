"""What a fitted object knows, as a value: JSON settings, arrays and the states of its parts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incidentml.errors import ModelFormatError

__all__ = ["FittedState", "hash_state", "pack_json", "unpack_json"]


@dataclass(frozen=True)
class FittedState:
    """Everything a fitted object knows.

    Attributes
    ----------
    kind : str
        Which class it belongs to.
    meta : mapping
        Settings as plain JSON values.
    arrays : mapping of str to ndarray
        Numbers; finite, of a plain dtype.
    parts : mapping of str to FittedState
        States of what it is made of.
    """

    kind: str
    meta: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    parts: Mapping[str, FittedState] = field(default_factory=dict)

    def require(self, kind: str) -> FittedState:
        """Return self if it is of this kind.

        Raises
        ------
        ModelFormatError
            If the state was saved by another kind of object.
        """
        if self.kind != kind:
            raise ModelFormatError(f"the model is of kind {self.kind!r}, expected {kind!r}")
        return self

    def array(self, name: str, ndim: int | None = None) -> NDArray[Any]:
        """Return one array; raises `ModelFormatError` if it is missing or has another number of axes."""
        if name not in self.arrays:
            raise ModelFormatError(f"{self.kind}: array {name!r} is missing; found {sorted(self.arrays)}")
        value = self.arrays[name]
        if ndim is not None and value.ndim != ndim:
            raise ModelFormatError(f"{self.kind}: array {name!r} has {value.ndim} axes, expected {ndim}")
        return value

    def setting(self, name: str) -> Any:
        """Return one JSON setting; raises `ModelFormatError` if it is missing."""
        if name not in self.meta:
            raise ModelFormatError(f"{self.kind}: setting {name!r} is missing; found {sorted(self.meta)}")
        return self.meta[name]

    def part(self, name: str) -> FittedState:
        """Return one nested state; raises `ModelFormatError` if it is missing."""
        if name not in self.parts:
            raise ModelFormatError(f"{self.kind}: part {name!r} is missing; found {sorted(self.parts)}")
        return self.parts[name]


def hash_state(state: FittedState) -> str:
    """Return 64 hex digits that change with anything a fitted object knows."""
    digest = hashlib.sha256()
    _feed(state, digest)
    return digest.hexdigest()


def _feed(state: FittedState, digest: hashlib._Hash) -> None:
    digest.update(json.dumps([state.kind, dict(state.meta)], sort_keys=True).encode())
    for name, value in sorted(state.arrays.items()):
        digest.update(f"{name} {value.dtype} {value.shape}".encode())
        digest.update(np.ascontiguousarray(value).data)
    for name, part in sorted(state.parts.items()):
        digest.update(name.encode())
        _feed(part, digest)


def pack_json(values: Sequence[Any]) -> NDArray[np.uint8]:
    """Return JSON values as one array of UTF-8 bytes, a line each: for lists too long for a manifest.

    Examples
    --------
    >>> unpack_json(pack_json([{"a": 1}, "б"]))
    [{'a': 1}, 'б']
    """
    blob = "\n".join(json.dumps(value, ensure_ascii=True, separators=(",", ":")) for value in values)
    return np.frombuffer(blob.encode("ascii"), dtype=np.uint8)


def unpack_json(array: NDArray[np.uint8]) -> list[Any]:
    """Undo `pack_json`.

    Raises
    ------
    ModelFormatError
        If the bytes are not lines of JSON.
    """
    try:
        return [json.loads(line) for line in array.tobytes().decode("ascii").split("\n") if line]
    except (ValueError, RecursionError) as error:
        raise ModelFormatError(f"packed JSON cannot be read: {error}") from error
