"""Numbers that tell things apart, in digits or in words: houses, routes, schools, entrances."""

from __future__ import annotations

import re
from collections.abc import Sequence

from incidentml.incidents.wording import stem_hash
from incidentml.numerals import CARDINALS, ORDINALS

__all__ = ["counted", "in_digits"]

_UNITS = {word: value for word, value in (ORDINALS | CARDINALS).items() if value < 10}
#: What is left of «88-й» and «в 68м» beside the number.
_SUFFIXES = frozenset(["й", "м", "х", "го", "ый", "ой", "ом", "ого", "ая", "му"])
#: Stems of what is measured, dated or counted in passing: such numbers tell nothing apart.
_MEASURE = re.compile(
    "час|день|дн[яеи]|сут|недел|месяц|год|лет|минут|секун|градус|руб|тыс|тонн|метр|км|литр|человек|раз|процент|июн|июл"
    "|авгус|сентяб|октяб|нояб|декаб|январ|феврал|март|апрел|ма[йя]$|утр|вечер|ноч|плюс|минус|около|почти|уже|после"
    "|всего|более|больше|меньше|звон|заяв|этаж|кварти|комнат|телефон|фото|видео|вызов|кошк|собак|ребен|дет|сант"
    "|полос|пункт|балл|смен|через|где|тоже|наш|нас|еще|только|ровно|сразу"
)


def in_digits(tokens: Sequence[str]) -> list[str]:
    """Return the words of a text with number words as digits.

    Small cardinals stay words: «две недели» numbers nothing.

    Examples
    --------
    >>> in_digits("из пятьдесят четвертого дома второй подъезд".split())
    ['из', '54', 'дома', '2', 'подъезд']
    """
    out: list[str] = []
    skip = False
    for k, word in enumerate(tokens):
        if skip:
            skip = False
        elif (tens := CARDINALS.get(word, 0)) > 10:
            unit = _UNITS.get(tokens[k + 1], 0) if k + 1 < len(tokens) and tens >= 20 else 0
            out.append(str(tens + unit))
            skip = unit > 0
        else:
            out.append(str(ORDINALS[word]) if word in ORDINALS else word)
    return out


def counted(tokens: Sequence[str]) -> tuple[list[int], list[int], list[int]]:
    """Return what a text numbers: the numbers, the things beside them, and both together, as hashes.

    Examples
    --------
    >>> numbers, things, both = counted("шишкина 18 мусор не вывозят 2 недели".split())
    >>> len(numbers), len(things), len(both)
    (1, 2, 2)
    """
    said = [word for word in in_digits(tokens) if word not in _SUFFIXES]
    numbers, things, both = set(), set(), set()
    for k, word in enumerate(said):
        if not word.isdecimal() or len(word) > 4:
            continue
        before, after = said[k - 1] if k else "", said[k + 1] if k + 1 < len(said) else ""
        if _MEASURE.match(after):
            continue
        beside = [near for near in (before, after) if _is_thing(near)]
        if beside or len(before) < 3:
            numbers.add(stem_hash(word))
        for near in beside:
            things.add(stem_hash(near))
            both.add((stem_hash(near) * 1000003 + int(word)) % 2**32 or 1)
    return sorted(numbers), sorted(things), sorted(both)


def _is_thing(word: str) -> bool:
    return len(word) > 2 and not word.isdigit() and not _MEASURE.match(word)
