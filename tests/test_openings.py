from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentml.openings import Openings

PATTERNS = {
    "fault": [r"ям[аы]", r"не\s(?:\w{1,5}\s)?работа\w{0,2}", r"темно\b", r"подня\w{1,3}\sтариф"],
    "who": [r"я\b", r"мы\b", r"мо[йя]\b", r"дет(?:и|ей)", "сын\\w{0,2}"],
    "when": [
        r"\d{1,2}[:.]\d{2}\b",
        r"с\s?утра\b",
        r"(?:\d{1,3}|\w{3,12})(?:-?й)?\s(?:день|час\w{0,2})",
        "марта?\\b",
    ],
}
RARE = r"\s(?:день|час)|\d[:.]\d"
PIECES = (
    "яма ямы не работает работающий темно подняли тариф я мы мой моя дети сын с утра сутра марта"
    " день часов 5.30 12:05 5-й"
)
texts = st.lists(st.sampled_from([*PIECES.split(), "ё", "é", "_", "-", "\n", "", ",", "𝐚", "\u0301"]), max_size=14)


def plain(folded: str, most: int | None) -> dict[str, list[tuple[int, int]]]:
    return {
        name: [match.span() for match in re.finditer(rf"(?<!\w)(?:{'|'.join(listed)})", folded)][:most]
        for name, listed in PATTERNS.items()
    }


@given(texts, st.sampled_from(["", " "]), st.sampled_from([None, 1, 3]))
def test_openings_find_what_one_expression_finds(pieces: list[str], between: str, most: int | None) -> None:
    folded = between.join(pieces)
    assert Openings(PATTERNS, rare=RARE).find(folded, most) == plain(folded, most)


@pytest.mark.parametrize("rare", ["", "никогда"])
def test_what_begins_in_any_way_waits_for_its_mark(rare: str) -> None:
    found = Openings({"when": [r"\w{3,12}\sдень"]}, rare=rare).find("пятый день")["when"]
    assert found == ([] if rare else [(0, 10)])


def test_words_with_letters_of_other_alphabets_are_read_again_and_again() -> None:
    openings = Openings({"who": ["мы\\b"]})
    for code in range(0x4E00, 0x4E00 + 300):
        assert openings.find(f"{chr(code)} мы")["who"] == [(2, 4)]
