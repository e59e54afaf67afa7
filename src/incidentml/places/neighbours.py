"""What stands beside a word: the pieces around it, and an ordinal's ending between a figure and its thing."""

from __future__ import annotations

from collections.abc import Sequence

from incidentml.places.evidence import Word
from incidentml.places.words import ORDINAL_ENDS

__all__ = ["after_ordinal", "before_ordinal", "text_at"]

_BETWEEN = ORDINAL_ENDS | {"-"}


def text_at(words: Sequence[Word], index: int, beyond: str = "^") -> str:
    """Return a piece of the text, `beyond` outside its ends."""
    return words[index].text if 0 <= index < len(words) else beyond


def after_ordinal(words: Sequence[Word], index: int) -> int:
    """Return the piece after a figure and its ending: after «7», «7-й» or «7й»."""
    after = index + 1
    while after < min(index + 3, len(words)) and words[after].text in _BETWEEN:
        after += 1
    return after


def before_ordinal(words: Sequence[Word], index: int) -> int:
    """Return the piece of the figure before a thing, over its ending: «3-й микрорайон»; -1 before the text."""
    before = index - 1
    while before >= max(0, index - 3) and words[before].text in _BETWEEN:
        before -= 1
    return before
