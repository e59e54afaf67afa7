"""What the shape of an address tells: numbered lines, houses of quarters, crossings and stretches of streets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from incidentml.numerals import NUMERALS, ORDINALS
from incidentml.places.evidence import Word
from incidentml.places.forms import is_adjective
from incidentml.places.gazetteer import word_class
from incidentml.places.neighbours import before_ordinal, text_at
from incidentml.places.words import (
    AREA_TYPES,
    LANDMARKS,
    NUMBERED_STREETS,
    ORDINAL_ENDS,
    SETTLEMENT_TYPES,
    STREET_TYPES,
    UNITS,
)

__all__ = ["is_house", "mark_addresses"]

_CROSSES = frozenset("/ — – угол".split())
_FROM = frozenset("от между за до".split())
_BETWEEN = frozenset(["между", "угол", "углу"])
#: What only a place can be without.
_SERVICES = frozenset(
    "света воды газа связи тепла отопления электричества интернета горячей холодной фонарей".split()
)
#: Parts of a town whose number takes the place of a street: «85 квартал, 24».
_QUARTERS = frozenset(word for word, kind in AREA_TYPES.items() if kind in ("микрорайон", "квартал"))
_LINES = frozenset(word for word, kind in STREET_TYPES.items() if kind in NUMBERED_STREETS)
_NUMBERED = _QUARTERS | _LINES
_STOPS = frozenset(". , ! ? : ; ) …".split())
#: After these a number before «на Ленина» is that of a house.
_BEFORE_HOUSE = frozenset("^ . , ! ? мимо дворе подвале подъезде нашем".split())


def mark_addresses(
    text: str, words: Sequence[Word], labels: list[str], towns: Mapping[int, tuple[int, str]]
) -> None:
    """Label the numbers and names that the shape of an address makes parts of it.

    «3-я линия», «85 квартал, 24», «Московское/Ташкентская», «Вильямса от Карбышева», «45 на Ленина»,
    «Уинская девять».
    """
    for index in [at for at, word in enumerate(words) if word[0] in _NUMBERED]:
        if words[index].text in _QUARTERS:
            _mark_house_of_quarter(words, labels, index)
        else:
            _mark_line(words, labels, index)
    _mark_opening(text, words, labels)
    for index in [at for at, label in enumerate(labels) if label == "S"]:
        _mark_crossing(text, words, labels, index, towns)
        _mark_spoken_house(words, labels, index)
        _mark_house_before(words, labels, index)


def is_house(words: Sequence[Word], index: int) -> bool:
    """Tell whether a short number stands here that counts nothing and is no time."""
    if index >= len(words) or not words[index].text.isdigit() or len(words[index].text) > 3:
        return False
    if index + 1 == len(words):
        return True
    after = words[index + 1]
    part = after.text in ":-" or (
        after.text == "." and text_at(words, index + 2).isdigit()
    )  # «7.30», but «дом 7.»
    glued = after.start == words[index].end and part
    return not (glued or after.text in UNITS or after.text in "%₽" or after.text in ORDINAL_ENDS)


def _mark_opening(text: str, words: Sequence[Word], labels: list[str]) -> None:
    """Label an unknown name that opens the text as a settlement: «Быньги, Пролетарская», «Кроуновка без связи»."""
    if len(words) < 3 or labels[0] not in "OL" or len(words[0].text) < 4 or not text[words[0].start].isupper():
        return
    if word_class(words[0].text)[:1] not in ("", "g") or is_adjective(words[0].text):
        return
    at = 1 + (words[1].text in ("тоже", "опять", "снова"))
    lacks = text_at(words, at) == "без" and text_at(words, at + 1) in _SERVICES
    if lacks or (words[1].text == "," and labels[2] == "S"):
        labels[0] = "T"


def _number_before(words: Sequence[Word], index: int) -> int:
    """Return the piece of an ordinal before this one: «3-й микрорайон», «5 мкр», «третий микрорайон»; or -1."""
    at = before_ordinal(words, index)
    if at < 0:
        return -1
    number = words[at].text
    return at if (number.isdigit() and len(number) < 4) or number in ORDINALS else -1


def _mark_house_of_quarter(words: Sequence[Word], labels: list[str], index: int) -> None:
    after = index + 1 + (text_at(words, index + 1) == ".")
    if _number_before(words, index) < 0:
        if not text_at(words, after).isdigit():
            return
        after += 1
    at = after + (text_at(words, after) == ",")
    if is_house(words, at) and labels[at] == "O" and word_class(text_at(words, at + 1))[:1] not in ("N", "A"):
        labels[at] = "H"


def _mark_line(words: Sequence[Word], labels: list[str], index: int) -> None:
    """Label the number of «3-я линия» and «пятая просека»; «1 линия» may count."""
    at = _number_before(words, index)
    if at >= 0 and (at < index - 1 or not words[at].text.isdigit()):
        labels[at] = "S"


def _mark_crossing(
    text: str, words: Sequence[Word], labels: list[str], index: int, towns: Mapping[int, tuple[int, str]]
) -> None:
    """Label the other street of a crossing or a stretch: «Московское/Ташкентская», «Вильямса от Карбышева»."""
    others = []
    if text_at(words, index + 1) == "и" and text_at(words, index - 1) in _BETWEEN:
        others.append(index + 2)
    if text_at(words, index - 1) == "и" and text_at(words, index - 3) in _BETWEEN:
        others.append(index - 2)
    if text_at(words, index - 1) in _CROSSES:
        others.append(index - 2)
    if text_at(words, index + 1) in _CROSSES:
        others.append(index + 2)
    if text_at(words, index + 1) in _FROM and word_class(text_at(words, index + 2))[:1] == "s":
        others.append(index + 2)
    if text_at(words, index - 1) in _FROM:
        at = index - 2 - (text_at(words, index - 2) == ",")
        before = text_at(words, at - 1)
        if not (before.isalnum() or before in ",/-"):
            others.append(at)
    for at in others:
        if 0 <= at < len(words) and labels[at] in "OLT" and _could_be_street(text, words, at, towns):
            labels[at] = "S"


def _could_be_street(text: str, words: Sequence[Word], index: int, towns: Mapping[int, tuple[int, str]]) -> bool:
    word = words[index]
    known = index in towns and towns[index][1][:1] == "r"
    thing = word.text in LANDMARKS or word.text in AREA_TYPES or word.text in SETTLEMENT_TYPES
    name = word_class(word.text)[:1] in ("", "g", "n", "s", "A") and len(word.text) > 3
    return name and text[word.start].isupper() and not known and not thing


def _mark_spoken_house(words: Sequence[Word], labels: list[str], index: int) -> None:
    """Label a number in words that ends a phrase: «уинская девять!», «Октябрьская, двадцать четыре»."""
    at = index + 1 + (text_at(words, index + 1) == ",")
    last = at
    while text_at(words, last) in NUMERALS:
        last += 1
    ends = last == len(words) or text_at(words, last) in _STOPS or words[last].start > words[last - 1].end + 1
    if at < last <= at + 3 and ends and labels[at] in "OS":
        labels[at:last] = "H" * (last - at)


def _mark_house_before(words: Sequence[Word], labels: list[str], index: int) -> None:
    """Label «45 на Ленина» and «47 Кировградская» at the start of a phrase."""
    if text_at(words, index - 1) in ("на", "по"):
        at, opens = index - 2, _BEFORE_HOUSE
    else:
        at, opens = index - 1, _STOPS | {"^"}
        if not is_adjective(words[index].text):
            return
    if at >= 0 and is_house(words, at) and labels[at] == "O" and text_at(words, at - 1) in opens:
        labels[at] = "H"
