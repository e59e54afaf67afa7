from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentml.errors import ModelFormatError
from incidentml.lexical import ROW_UNIT, LexicalWeights, lexical_counts
from incidentml.word_scores import WordScores

TEXTS = ["нет воды третий день", "яма на дороге", "спасибо за воду", "во дворе яма", "нет дороги"]
WEIGHTS = LexicalWeights(min_count=1).fit(lexical_counts(TEXTS))
COEF = np.random.default_rng(0).normal(size=(len(WEIGHTS.kept_), 3)) * [1.0, 0.0, 50.0]
SCORES = WordScores.from_weights(WEIGHTS, COEF)


@given(st.lists(st.sampled_from([*TEXTS, "", "неведомое"]), min_size=1, max_size=6))
def test_a_text_scores_the_same_bits_in_any_batch(texts: list[str]) -> None:
    together = SCORES.score_texts(texts)
    assert np.array_equal(together, np.vstack([SCORES.score_texts([text]) for text in texts]))
    assert np.array_equal(together, SCORES.scores(lexical_counts(texts)))


def test_rounding_moves_a_score_by_less_than_a_step_for_every_bucket() -> None:
    rows = WEIGHTS.transform(lexical_counts(TEXTS))
    error = np.abs(SCORES.of_rows(rows) - rows @ COEF / ROW_UNIT)
    steps = np.asarray(rows.sum(axis=1)) * SCORES.scale / 2
    assert (error <= steps + 1e-12).all()
    assert (SCORES.of_rows(rows)[:, 1] == 0).all()


def test_a_state_gives_the_same_scores() -> None:
    loaded = WordScores.from_state(SCORES.to_state())
    assert np.array_equal(loaded.score_texts(TEXTS), SCORES.score_texts(TEXTS))


def test_weights_of_another_shape_are_refused() -> None:
    with pytest.raises(ModelFormatError, match="buckets and 3 scales"):
        WordScores(WEIGHTS, SCORES.whole[:-1], SCORES.scale)
