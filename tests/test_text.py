"""Russian social text: cases as lines of data, and what holds for any text."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidentml.text import clean, fingerprint, fold, tokens, words

CASES = [
    line.split(" → ", 2)
    for line in (Path(__file__).parent / "data" / "text_cases.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
FUNCTIONS = {
    "clean": clean,
    "fold": fold,
    "words": lambda text: "|".join(words(text)),
    "tokens": lambda text: "|".join(token.text for token in tokens(text)),
}
ESCAPE = re.compile(r"\\(?:n|t|u([0-9a-f]{4}))")
#: What people type, and what breaks programs.
russian = st.text(
    st.sampled_from("абвеёий АБЁ acepoxyABC 0129 .,!?-’'\n\t#@_[]|/:\u200b\ufeff\u00ad\u0301İſ😡\x00")
)
anything = st.one_of(russian, st.text())


def unescape(text: str) -> str:
    return ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else {"\\n": "\n", "\\t": "\t"}[m[0]], text)


@pytest.mark.parametrize(
    ("name", "given_text", "expected"), CASES, ids=[f"{c[0]}-{n}" for n, c in enumerate(CASES)]
)
def test_case(name: str, given_text: str, expected: str) -> None:
    assert FUNCTIONS[name](unescape(given_text)) == unescape(expected)


@given(anything)
@settings(max_examples=200, deadline=None)
def test_clean_text_has_nothing_invisible_and_single_spaces(text: str) -> None:
    cleaned = clean(text)
    assert cleaned == cleaned.strip()
    assert "  " not in cleaned
    assert "\n\n" not in cleaned
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\ufeff\ud800-\udfff]", cleaned)
    cleaned.encode("utf-8")


@given(anything)
@settings(max_examples=200, deadline=None)
def test_fold_keeps_length_so_that_spans_hold(text: str) -> None:
    folded = fold(text)
    assert len(folded) == len(text)
    assert "ё" not in folded
    assert fold(folded) == folded


@given(anything)
@settings(max_examples=200, deadline=None)
def test_tokens_point_into_the_original_text_in_order(text: str) -> None:
    end = 0
    for token in tokens(text):
        assert text[token.start : token.end] == token.text
        assert token.start >= end
        assert not token.text.isspace()
        end = token.end


@given(anything)
@settings(max_examples=200, deadline=None)
def test_fingerprint_does_not_see_case_marks_and_spaces(text: str) -> None:
    found = fingerprint(text)
    assert re.fullmatch("[0-9a-f]{16}", found)
    plain = re.sub(r"[^а-яё0-9 ]", "", text.lower())
    assert fingerprint(plain) == fingerprint("  " + plain.upper().replace(" ", "   ") + " 😡!! ") or not words(
        plain
    )


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("Нет воды на Мира, 5", "нет воды на мира 5!!! 😡", True),
        ("Ёлка упала", "елка УПАЛА", True),
        ("Нет воды https://vk.com/wall1", "Нет воды", True),
        ("#НетВоды", "нетводы", True),
        ("Нет воды на Мира, 5", "Нет воды на Мира, 7", False),
        ("Нет воды", "воды нет", False),
        ("😡", "👍", False),
    ],
)
def test_fingerprints_of_copies(left: str, right: str, same: bool) -> None:
    assert (fingerprint(left) == fingerprint(right)) is same


#: Whatever is repeated must not cost more than its length.
SLOW = [
    "а",
    "aа",
    " ",
    "\n ",
    "<br",
    "[id1|",
    "а-",
    "’",
    "Ё",
    "\u200b",
    "https://",
    "1а",
    "aа-",
    "\u0301",
    "[[|]]",
    "@",
]


@pytest.mark.parametrize("piece", SLOW, ids=[ascii(piece) for piece in SLOW])
def test_time_grows_with_length_only(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    began = time.process_time()
    fingerprint(text)
    tokens(text)
    assert time.process_time() - began < 3.0
