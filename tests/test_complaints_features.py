from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from complaint_fixtures import dense_of, features_of, slots_of
from incidentml.complaints.features import PAGE, complaint_features, dense_features, feature_names, split_features
from incidentml.complaints.lexicon import CLASSES
from incidentml.complaints.matching import Matcher, WordIndex
from incidentml.complaints.pairs import PAIRS
from incidentml.lexical import LEXICAL_SIZE, lexical_counts
from incidentml.types import Concreteness, Span

_NAMES = feature_names(0)


def _value(text, name, **options):
    row = dense_features([text], np.zeros((1, 0)), [Concreteness(0.0)], **options)[0]
    return row[_NAMES.index(name)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("у нас нет воды", "pair: negation + home"),
        ("Воды опять нет.", "pair: home + negation"),
        ("управляющая молчит", "pair: charge + silence"),
        ("третий день без света", "pair: ordinal + unit"),
        ("пишет подписчица", "word: relay"),
        ("Спасибо за яму во дворе", "pair: thanks + fault"),
        ("продам шкаф", "word: sell"),
        ("как сообщили в мэрии", "word: report"),
        ("net vody tretiy den", "form: no cyrillic"),
        ("Звоните +7 900 000-11-22", "form: phone"),
        ("когда уберут мусор?", "form: question at the end"),
    ],
)
def test_evidence_is_found(text, name):
    assert _value(text, name) > 0


def test_pairs_do_not_cross_sentences_or_posts():
    assert _value("Денег нет. Вода мокрая", "pair: negation + home") == 0
    two = dense_of(["денег нет", "вода мокрая"])
    assert two[:, _NAMES.index("pair: negation + home")].tolist() == [0, 0]


def test_folded_letters_and_case_do_not_matter():
    assert np.array_equal(dense_of(["НЕТ тёплой воды"])[0, :60], dense_of(["нет теплой воды"])[0, :60])


def test_source_tells_what_page_it_is():
    assert _value("текст", "source: talk", sources=["Подслушано Самара"]) > 0
    assert _value("текст", "source: official", sources=["Администрация города"]) > 0
    assert _value("текст", "source: talk", sources=[None]) == 0
    assert [_value("текст", "source: given", sources=[source]) for source in ("x", "", None)] == [1, 0, 0]
    assert _NAMES[PAGE] == "source: given"


def test_filled_slots_are_seen():
    slots = [Concreteness(0.7, {"where": (Span(0, 1),)})]
    row = dense_features(["а"], np.zeros((1, 0)), slots)[0]
    assert row[_NAMES.index("slot: where")] > 0
    assert row[_NAMES.index("slot: what")] == 0


def test_names_match_columns():
    assert dense_features(["а"], np.zeros((1, 7)), [Concreteness(0.0)]).shape == (1, len(feature_names(7)))
    assert dense_features([], np.zeros((0, 7)), []).shape == (0, len(feature_names(7)))


def test_words_stand_behind_the_dense_columns():
    texts = ["нет воды", "воды нет", ""]
    dense, counts = split_features(features_of(texts))
    assert np.array_equal(dense, dense_of(texts))
    assert (counts != lexical_counts(texts)).nnz == 0
    assert split_features(dense)[1] is None
    assert split_features(csr_matrix(dense))[1] is None
    assert features_of([]).shape == (0, len(_NAMES) + LEXICAL_SIZE)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="give one of each"):
        complaint_features(["а", "б"], np.zeros((1, 3)), [Concreteness(0.0)])


def test_pairs_name_known_classes():
    assert {name for a, b, _ in PAIRS for name in (a, b)} <= {*CLASSES, "number"}


def test_matcher_reads_words_beginnings_and_endings():
    matcher = Matcher("яма прорва* *айте")
    assert [matcher(t) for t in ("яма", "ямами", "прорвало", "узнайте", "йте")] == [True, False, True, True, False]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=80), max_size=6))
def test_any_text_gives_finite_rows_of_its_own(texts):
    rows = features_of(texts)
    assert np.isfinite(rows.data).all()
    assert np.abs(dense_of(texts)).max(initial=0) <= 2.0
    for number, text in enumerate(texts):
        assert (features_of([text]) != rows[number]).nnz == 0


def test_time_is_linear_in_length():
    unit = "нет воды!!! ((( https://vk.com/a +7 900 000 11 22 ... ))) «а» "
    short, long = [unit * 100], [unit * 1600]
    slots = slots_of(["а"])
    seconds = []
    for texts in (short, long):
        start = time.perf_counter()
        complaint_features(texts, np.zeros((1, 0)), slots)
        seconds.append(time.perf_counter() - start)
    assert seconds[1] < 64 * max(seconds[0], 0.01)


@given(
    st.sampled_from([entry.strip("*") for words in CLASSES.values() for entry in words.split()]),
    st.text("абвгдеить", max_size=3),
    st.text("абвгдеить", max_size=3),
)
def test_the_index_of_words_finds_what_each_list_finds(word: str, before: str, after: str) -> None:
    token = before + word + after
    expected = tuple(i for i, words in enumerate(CLASSES.values()) if Matcher(words)(token))
    assert WordIndex(CLASSES.values())(token) == expected
