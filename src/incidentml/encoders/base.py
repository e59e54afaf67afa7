"""What every encoder promises, and the checks that all of them share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from incidentml.errors import ModelFormatError
from incidentml.persistence import Persistent, hash_state

__all__ = ["Encoder", "check_russian", "check_texts", "encoder_hash", "unit_rows"]


@runtime_checkable
class Encoder(Protocol):
    """Turns texts into unit vectors.

    Every stage of the library takes any object of this shape. A pipeline also needs a property ``hash``: a string
    that changes when the vectors do.

    Examples
    --------
    >>> class Lengths:
    ...     dim, hash = 2, "lengths 1"
    ...
    ...     def encode(self, texts):
    ...         lengths = np.array([[len(text), 1] for text in texts], dtype=np.float32)
    ...         return lengths / np.linalg.norm(lengths, axis=1, keepdims=True)
    >>> isinstance(Lengths(), Encoder)
    True
    """

    @property
    def dim(self) -> int:
        """Number of columns of what `encode` returns."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row per text: of length one, or zero where there is nothing to encode."""


def check_texts(texts: Sequence[str]) -> list[str]:
    """Return the texts as a list.

    Raises
    ------
    TypeError
        If `texts` is a single string or holds anything but strings; names the position, the type and the value.
    """
    if isinstance(texts, str | bytes):
        raise TypeError(f"texts must be a sequence of strings, found one {type(texts).__name__}: put it in a list")
    rows = list(texts)
    for position, text in enumerate(rows):
        if not isinstance(text, str):
            raise TypeError(
                f"texts[{position}] must be a string, found {type(text).__name__}: {text!r:.80}; "
                "drop or fill missing texts first"
            )
    return rows


def encoder_hash(encoder: Encoder) -> str:
    """Return a name for exactly these vectors: the encoder's own `hash`, or one of its saved state.

    Raises
    ------
    TypeError
        If the encoder has neither.
    """
    own = getattr(encoder, "hash", None)
    if isinstance(own, str) and own:
        return hashlib.sha256(own.encode("utf-8", "replace")).hexdigest()
    if not isinstance(encoder, Persistent):
        raise TypeError(
            f"{type(encoder).__name__} has no property 'hash': give it a string that changes when its vectors do"
        )
    return hash_state(encoder.to_state())


def unit_rows(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale every row to length one; zero rows stay zero."""
    norms = np.sqrt(np.square(vectors).sum(axis=1, keepdims=True))
    return vectors / np.where(norms > 0, norms, 1.0)


#: Two ways to tell one thing, and two things that differ: an encoder without Russian pieces maps all to one point.
_SMOKE = (
    ("Во дворе прорвало трубу, нет холодной воды", "Прорыв трубы: дом без холодной воды"),
    ("Автобус опять не пришёл, стоим на остановке", "На остановке ждём автобус уже час, его нет"),
    ("Мусор не вывозят вторую неделю, баки переполнены", "Переполненные баки, мусор никто не вывозит"),
)


def check_russian(encoder: Encoder) -> None:
    """Refuse an encoder that cannot tell Russian texts apart.

    Raises
    ------
    ModelFormatError
        If rows are not finite unit vectors, or if a retelling is not nearer than another topic.
    """
    vectors = np.asarray(encoder.encode([text for pair in _SMOKE for text in pair]), dtype=np.float64)
    name = type(encoder).__name__
    if vectors.shape != (2 * len(_SMOKE), encoder.dim):
        raise ModelFormatError(f"{name}: encode returned shape {vectors.shape}, expected {(6, encoder.dim)}")
    if not np.isfinite(vectors).all() or np.abs(np.square(vectors).sum(axis=1) - 1.0).max() > 1e-2:
        raise ModelFormatError(f"{name}: encode must return finite rows of length one")
    cosines = vectors @ vectors.T
    same = cosines[np.arange(0, 6, 2), np.arange(1, 6, 2)]
    pair = np.arange(6) // 2
    other = cosines[pair[:, None] != pair[None, :]]
    if same.min() <= other.max():
        raise ModelFormatError(
            f"{name} cannot tell Russian texts apart: a retelling has cosine {same.min():.3f}, another topic "
            f"{other.max():.3f}; use a model trained on Russian"
        )
