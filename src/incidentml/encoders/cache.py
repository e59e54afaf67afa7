"""Vectors on disk: what was encoded once is never encoded again."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from incidentml.encoders.base import Encoder, check_texts, encoder_hash
from incidentml.errors import DataError

__all__ = ["EmbeddingCache"]

_KEY_BYTES = 16


class EmbeddingCache:
    """An encoder with a memory: a folder of arrays keyed by encoder hash and text hash.

    It is an encoder itself, so it fits wherever one is taken. Each call that meets new texts adds one file, put in
    place whole: a kill leaves no half-written one, and several processes may share the folder.

    Parameters
    ----------
    encoder : Encoder
        Must name itself by a property `hash` or be a model that can be saved.
    folder : path-like
        Created if missing; vectors of different encoders never mix in it.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> class Lengths:
    ...     dim, hash = 1, "lengths"
    ...
    ...     def encode(self, texts):
    ...         print("encoding", len(texts))
    ...         return np.array([[len(text)] for text in texts], dtype=np.float32)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = EmbeddingCache(Lengths(), folder).encode(["а", "бб", "а"])
    ...     again = EmbeddingCache(Lengths(), folder).encode(["бб"])
    encoding 2
    >>> again.tolist()
    [[2.0]]
    """

    def __init__(self, encoder: Encoder, folder: str | os.PathLike[str]) -> None:
        self.encoder = encoder
        self.hash = encoder_hash(encoder)
        self.folder = Path(folder) / self.hash[:16]
        self._rows: dict[bytes, tuple[int, int]] = {}
        self._blocks: list[NDArray[np.float32]] = []
        self._seen: set[str] = set()

    @property
    def dim(self) -> int:
        """Columns of a vector."""
        return self.encoder.dim

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row per text, encoding only what no file holds yet.

        Raises
        ------
        DataError
            If a file of the folder is damaged; names it.
        """
        rows = check_texts(texts)
        keys = [_key(text) for text in rows]
        if any(key not in self._rows for key in keys):
            self._read()
        missing = {key: text for key, text in zip(keys, rows, strict=True) if key not in self._rows}
        if missing:
            vectors = np.ascontiguousarray(self.encoder.encode(list(missing.values())), dtype=np.float32)
            self._write(list(missing), vectors)
        out = np.zeros((len(rows), self.dim), dtype=np.float32)
        for row, key in enumerate(keys):
            block, line = self._rows[key]
            out[row] = self._blocks[block][line]
        return out

    def _read(self) -> None:
        for file in sorted(self.folder.glob("*.npy")) if self.folder.is_dir() else []:
            if file.name in self._seen:
                continue
            try:
                keys = np.load(file.with_suffix(".keys"), allow_pickle=False)
                vectors = np.load(file, mmap_mode="r", allow_pickle=False)
            except (OSError, ValueError, EOFError) as error:
                raise DataError(f"{file}: not a file of this cache ({error}); delete it and its .keys") from error
            if keys.shape != (len(vectors), _KEY_BYTES) or vectors.shape[1:] != (self.dim,):
                raise DataError(
                    f"{file}: {len(keys)} keys for vectors of shape {vectors.shape}, not of {self.dim} columns; "
                    "delete it and its .keys"
                )
            self._add(file.name, [key.tobytes() for key in keys], vectors)

    def _write(self, keys: list[bytes], vectors: NDArray[np.float32]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.blake2b(b"".join(keys), digest_size=16).hexdigest()
        packed = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(-1, _KEY_BYTES)
        # The keys go first: a reader looks for the vectors' name.
        self._place(name + ".keys", lambda path: _save(path, packed))
        self._place(name + ".npy", lambda path: _save(path, vectors))
        self._add(name + ".npy", keys, vectors)

    def _place(self, name: str, write: Callable[[str], None]) -> None:
        handle, fresh = tempfile.mkstemp(dir=self.folder, suffix=".part")
        os.close(handle)
        write(fresh)
        os.replace(fresh, self.folder / name)

    def _add(self, name: str, keys: list[bytes], vectors: NDArray[np.float32]) -> None:
        self._seen.add(name)
        self._rows.update((key, (len(self._blocks), line)) for line, key in enumerate(keys))
        self._blocks.append(vectors)


def _save(path: str, values: NDArray[np.generic]) -> None:
    with Path(path).open("wb") as stream:
        np.save(stream, values, allow_pickle=False)


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES).digest()
