"""Hashed words and n-grams: the row of a text is the same bits in any batch."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from scipy import sparse

from incidentml.lexical import LEXICAL_SIZE, lexical_counts

TEXTS = st.lists(st.text(max_size=40), min_size=1, max_size=8)


@given(TEXTS)
@example(["нет воды", "❗️ На Мира нет света", "", "+ у нас так же", "12"])
@example(["\ud800", "a", "!!!"])
def test_the_row_of_a_text_does_not_depend_on_its_batch(texts: list[str]) -> None:
    alone = sparse.vstack([lexical_counts([text]) for text in texts])
    assert (lexical_counts(texts) != alone).nnz == 0


def test_words_are_the_same_features_at_the_start_and_inside_of_a_text() -> None:
    first, inside = (set(lexical_counts([text]).indices) for text in ("вода", "опять вода"))
    assert first <= inside


def test_an_empty_batch_has_no_rows() -> None:
    assert lexical_counts([]).shape == (0, LEXICAL_SIZE)
