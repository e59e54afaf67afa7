"""Numbers beside a street that are no houses: times, prices, sizes, ages, counts, routes, items of a list."""

from __future__ import annotations

from collections.abc import Sequence

from incidentml.numerals import CARDINALS
from incidentml.places.evidence import Word
from incidentml.places.gazetteer import word_class
from incidentml.places.neighbours import after_ordinal, text_at
from incidentml.places.words import AREA_TYPES, DATED, HOUSE_TYPES, LANDMARKS, STREET_TYPES

__all__ = ["is_no_house"]

_BESIDE = frozenset("у возле в за под около напротив между".split())
_PLURAL = ("ам", "ям", "ами", "ями", "ов", "ев")
_TYPES = HOUSE_TYPES.keys() | AREA_TYPES.keys() | STREET_TYPES.keys() | DATED
#: «ей 70», «плюс 32 на улице».
_NOT_BEFORE = frozenset("плюс минус мне тебе ему ей маме деду дедушке бабушке внуку внучке".split())
#: What a figure with a hyphen is glued to when it is an age or a size: «42-летний», «9-этажный».
_AGES = ("лет", "дневн", "часов", "градусн", "процентн", "этажн")


def is_no_house(words: Sequence[Word], labels: Sequence[str], index: int) -> bool:
    """Tell whether a number is a time, a price, a size, an age, a count or an item of a list."""
    word, before, after = words[index], text_at(words, index - 1), text_at(words, index + 1)
    if word.text in CARDINALS:
        return after in ("дома", "домов")  # «четыре дома»
    if not word.text.isdigit():
        return before.startswith("кажд")  # «в каждом втором доме»
    if len(word.text) > 3 or before in _NOT_BEFORE or before.startswith("кажд"):
        return True
    if _measures(words, labels, index) or _numbers_a_thing(words, index):
        return True
    if before in "+:" and words[index - 1].end == word.start and index > 0:
        return before == "+" or text_at(words, index - 2).isdigit()
    if before == "№" and text_at(words, index - 2).startswith(("автобус", "маршрут", "трамва", "троллейбус")):
        return True
    if index + 1 == len(words) or words[index + 1].start != word.end:
        return False
    following = text_at(words, index + 2)
    if after == "-":
        return following == "х" or following.startswith(_AGES)  # «60-х»
    if after == ")":
        return (
            not before.isalpha()
            and "H" not in labels[max(0, index - 1) : index]
            and "(" not in _around(words, index)
        )
    return after in "\ufe0f\u20e3" or (after in ":х" and following.isdigit())


def _measures(words: Sequence[Word], labels: Sequence[str], index: int) -> bool:
    """Tell whether a noun is counted, «по 19 объектам», or measured, «ограничение 40», and is no house."""
    before, after = text_at(words, index - 1), text_at(words, index + 1)
    if after.endswith(_PLURAL) and word_class(after)[:1] == "N" and labels[max(0, index - 1)] != "S":
        return after not in HOUSE_TYPES
    if (
        index == 0
        or labels[index - 1] != "O"
        or word_class(before)[:1] != "N"
        or before.startswith(("двор", "дом"))
    ):
        return False
    if before in _TYPES or "S" in labels[max(0, index - 3) : index] or text_at(words, index + 1) in ("на", "по"):
        return False
    return not any(word.text in HOUSE_TYPES for word in words[index + 1 : index + 4])


def _numbers_a_thing(words: Sequence[Word], index: int) -> bool:
    """Tell whether the number is that of a thing or of a day: «возле 11-й школы», «за 3 магазином», «до 15-го»."""
    at = after_ordinal(words, index)
    before, after = text_at(words, index - 1), text_at(words, at)
    if after in HOUSE_TYPES:
        return False
    if after in LANDMARKS or after in AREA_TYPES or after.startswith(("километр", "годовщин")):
        return at > index + 1 or before in _BESIDE
    return before in ("до", "к") and at > index + 1 and words[at - 1].text == "го"


def _around(words: Sequence[Word], index: int) -> list[str]:
    return [word.text for word in words[max(0, index - 6) : index]]
