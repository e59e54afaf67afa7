"""What stands beside a word."""

from __future__ import annotations

import pytest

from incidentml.places.features import split
from incidentml.places.neighbours import after_ordinal, before_ordinal, text_at


@pytest.mark.parametrize("text", ["7 школа", "7-я школа", "7й школа"])
def test_an_ordinals_ending_is_stepped_over_both_ways(text) -> None:
    words = split(text)
    assert text_at(words, after_ordinal(words, 0)) == "школа"
    assert before_ordinal(words, len(words) - 1) == 0


def test_beyond_the_text_stands_a_mark() -> None:
    words = split("школа")
    assert (text_at(words, -1), text_at(words, 1), text_at(words, 1, "$")) == ("^", "^", "$")
    assert (before_ordinal(words, 0), after_ordinal(words, 0)) == (-1, 1)
