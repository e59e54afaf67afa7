"""From labelled words to parts of an address with spans and normal forms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from incidentml.places.features import Word
from incidentml.places.forms import is_adjective, nominative
from incidentml.places.gazetteer import Gazetteer
from incidentml.places.words import AREA_TYPES, HOUSE_TYPES, LANDMARKS, NUMERALS, SETTLEMENT_TYPES, STREET_TYPES

__all__ = ["Part", "landmarks", "read_parts"]


class Part(NamedTuple):
    """One part of an address: pieces `first` to `last` (inclusive) of the text."""

    kind: str
    normal: str
    start: int
    end: int
    first: int
    last: int
    candidates: tuple[str, ...] = ()


#: Type words that a dot may follow; after a whole word it ends the sentence.
_ABBREVIATED = frozenset("ул пр просп пер бул наб ш туп пл г гор с дер д пос п ст х мкр".split())
_LETTER = re.compile(r"[а-я]")
_NOT_LETTERS = frozenset("вискоу")  # one-letter words; a house letter among them must be glued to the number
_BLOCKS = {"к": "к", "корп": "к", "корпус": "к", "корпусе": "к", "корпуса": "к", "стр": "с", "строение": "с"}


def read_parts(
    words: Sequence[Word],
    labels: Sequence[str],
    gazetteer: Gazetteer,
    region: str | None,
    municipality: str | None,
) -> list[Part]:
    """Return settlements, streets and houses in the order of the text."""
    parts = []
    index = 0
    while index < len(words):
        label = labels[index]
        if label not in "STH":
            index += 1
            continue
        last = index
        if label == "H":
            part = _houses(words, labels, index)
        else:
            while (after := _continues(words, labels, last, label)) is not None:
                last = after
            part = (
                _street(words, index, last, gazetteer)
                if label == "S"
                else _settlement(words, index, last, gazetteer, region, municipality)
            )
        if label != "H" or part.normal[0].isdigit():
            parts.append(part)
        index = max(part.last, last) + 1
    return parts


def _continues(words: Sequence[Word], labels: Sequence[str], last: int, label: str) -> int | None:
    """Return the next piece of the same name, over the dot of an initial or a hyphen."""
    following = last + 1
    if following < len(words) and labels[following] == label and words[following].start - words[last].end <= 1:
        return following
    if (
        following + 1 < len(words)
        and words[following].text in ".-"
        and labels[following + 1] == label
        and (len(words[last].text) <= 4 or words[following].text == "-")
        and words[following + 1].start - words[last].end <= 2
    ):
        return following + 1
    return None


def _street(words: Sequence[Word], first: int, last: int, gazetteer: Gazetteer) -> Part:
    name = [word.text for word in words[first : last + 1] if word.text not in ".-"]
    kind, start, end = "", first, last
    if first and words[first - 1].text in STREET_TYPES:
        kind, start = STREET_TYPES[words[first - 1].text], first - 1
    elif (
        first > 1 and words[first - 1].text == "." and words[first - 2].text in _ABBREVIATED & STREET_TYPES.keys()
    ):
        kind, start = STREET_TYPES[words[first - 2].text], first - 2
    elif last + 1 < len(words) and words[last + 1].text in STREET_TYPES and is_adjective(name[-1]):
        kind, end = STREET_TYPES[words[last + 1].text], last + 1
    kind = kind or "улица"
    known = gazetteer.street_name(name)
    normal = f"{kind} {known or ' '.join(nominative(w, kind) for w in name if len(w) > 1 or w.isdigit())}"
    return Part("street", normal, words[start].start, words[end].end, start, end)


def _houses(words: Sequence[Word], labels: Sequence[str], first: int) -> Part:
    """Return one house or a list of them: «14, 16 и 18», «22-28»."""
    part = _house(words, first)
    normal = part.normal
    while True:
        at = part.last + 2
        if at >= len(words) or labels[at] != "H" or words[at - 1].text not in (",", "и", "-", "–", "—"):
            break
        following = _house(words, at)
        ranged = words[at - 1].text in "-–—" and normal.isdigit() and following.normal.isdigit()
        normal += ("-" if ranged and int(following.normal) > int(normal) else ",") + following.normal
        part = part._replace(end=following.end, last=following.last)
    return part._replace(normal=normal)


def _house(words: Sequence[Word], first: int) -> Part:
    word = words[first]
    number = word.text
    last = first
    if not number.isdigit():
        value = NUMERALS.get(number, 0)
        following = words[first + 1].text if first + 1 < len(words) else ""
        if value >= 20 and NUMERALS.get(following, value) < min(value, 100 if value >= 100 else 10):
            value += NUMERALS[following]
            last += 1
        number = str(value) if value else number
    suffix = ""
    while last + 1 < len(words):
        here, after = words[last], words[last + 1]
        text = after.text
        second = words[last + 2] if last + 2 < len(words) else None
        glued = after.start == here.end
        blocked = text in _BLOCKS or (text == "с" and glued and bool(suffix))
        if blocked and second and second.text.isdigit() and len(second.text) < 4:
            suffix += _BLOCKS.get(text, text) + second.text
            last += 2
        elif (
            text in _BLOCKS
            and second
            and second.text == "."
            and last + 3 < len(words)
            and words[last + 3].text.isdigit()
        ):
            suffix += _BLOCKS[text] + words[last + 3].text
            last += 3
        elif text == "/" and glued and second and second.text.isdigit() and len(second.text) < 4:
            suffix += "/" + second.text
            last += 2
        elif (
            len(text) == 1
            and _LETTER.match(text)
            and not suffix
            and (glued or (after.start - here.end == 1 and text not in _NOT_LETTERS))
        ):
            suffix += text
            last += 1
        elif (
            text == "-"
            and glued
            and second
            and len(second.text) == 1
            and _LETTER.match(second.text)
            and not suffix
        ):
            suffix += second.text
            last += 2
        else:
            break
    start = first
    if first and words[first - 1].text in HOUSE_TYPES:
        start = first - 1
    elif first > 1 and words[first - 1].text == "." and words[first - 2].text in ("д", "к", "корп", "стр", "лит"):
        start = first - 2
    return Part("house", number + suffix, words[start].start, words[last].end, start, last)


def _settlement(
    words: Sequence[Word],
    first: int,
    last: int,
    gazetteer: Gazetteer,
    region: str | None,
    municipality: str | None,
) -> Part:
    name = [word.text for word in words[first : last + 1] if word.text not in ".-"]
    entries = gazetteer.find(name, region, municipality)
    normal = entries[0].name if entries else " ".join(name)
    start = first
    if first and words[first - 1].text in SETTLEMENT_TYPES:
        start = first - 1
    elif (
        first > 1
        and words[first - 1].text == "."
        and words[first - 2].text in _ABBREVIATED & SETTLEMENT_TYPES.keys()
    ):
        start = first - 2
    readings: tuple[str, ...] = ()
    if len(entries) > 1:
        where = (", ".join(filter(None, (entry.municipality, entry.region))) for entry in entries)
        readings = tuple(f"{entry.name} ({place})" for entry, place in zip(entries, where, strict=True))
    return Part("settlement", normal, words[start].start, words[last].end, start, last, readings)


_OPEN, _CLOSE = frozenset('«"“„'), frozenset('»"”“')
_ORDINAL = frozenset("й я ю е ой ая ую го му ей м".split())
_NEAR = frozenset(
    [
        "у",
        "около",
        "возле",
        "напротив",
        "за",
        "перед",
        "под",
        "над",
        "рядом",
        "с",
        "близ",
        "между",
        "через",
        "на",
        "в",
        "во",
        "к",
        "до",
        "от",
    ]
)


def landmarks(words: Sequence[Word], labels: Sequence[str], parts: Sequence[Part]) -> list[Part]:
    """Return landmarks: a kind with a number or a name, a kind after a preposition of place, or a named area."""
    used = {index for part in parts for index in range(part.first, part.last + 1)}
    found: list[Part] = []
    index = 0
    while index < len(words):
        part = None
        if index not in used:
            word = words[index].text
            if word in LANDMARKS:
                part = _landmark(words, labels, index, used)
            elif word in AREA_TYPES:
                part = _area(words, labels, index)
            elif labels[index] == "L":
                last = _last(words, labels, index)
                name = " ".join(w.text for w in words[index : last + 1] if w.text not in ".-")
                part = Part("landmark", f"место {name}", words[index].start, words[last].end, index, last)
        if part is not None:
            found.append(part)
            index = part.last
        index += 1
    return found


def _last(words: Sequence[Word], labels: Sequence[str], index: int) -> int:
    last = index
    while (after := _continues(words, labels, last, "L")) is not None:
        last = after
    return last


def _area(words: Sequence[Word], labels: Sequence[str], index: int) -> Part | None:
    """Return «мкр Северный», «5 микрорайон», «СНТ Ромашка»."""
    kind = AREA_TYPES[words[index].text]
    at = index + 1 + (index + 1 < len(words) and words[index + 1].text in (".", "«", '"'))
    if at < len(words) and labels[at] == "L":
        last = _last(words, labels, at)
        name = " ".join(w.text for w in words[at : last + 1] if w.text not in ".-")
        return Part("landmark", f"{kind} {name}", words[index].start, words[last].end, index, last)
    if kind in ("микрорайон", "квартал"):
        if at < len(words) and words[at].text.isdigit() and len(words[at].text) < 3:
            return Part("landmark", f"{kind} {words[at].text}", words[index].start, words[at].end, index, at)
        if (before := _number_before(words, index)) is not None:
            normal = f"{kind} {words[before].text}"
            return Part("landmark", normal, words[before].start, words[index].end, before, index)
    return None


def _number_before(words: Sequence[Word], index: int) -> int | None:
    """Return the piece of the number before a kind: «7 школа», «12-я школа», «76-й маршрут»."""
    at = index - 1
    if at >= 2 and words[at].text in _ORDINAL and words[at - 1].text == "-":
        at -= 2
    if at >= 0 and words[at].text.isdigit() and len(words[at].text) < 4:
        return at
    return None


def _landmark(words: Sequence[Word], labels: Sequence[str], index: int, used: set[int]) -> Part | None:
    kind = LANDMARKS[words[index].text]
    first = last = index
    name = ""
    at = index + 1
    if at < len(words) and words[at].text == "№":
        at += 1
    if at < len(words) and at not in used:
        if words[at].text.isdigit() and len(words[at].text) < 4:
            name, last = words[at].text, at
        elif words[at].text in _OPEN:
            close = next((k for k in range(at + 1, min(at + 6, len(words))) if words[k].text in _CLOSE), None)
            if close and close > at + 1:
                name, last = " ".join(w.text for w in words[at + 1 : close]), close
        elif labels[at] == "L":
            last = _last(words, labels, at)
            name = " ".join(w.text for w in words[at : last + 1] if w.text not in ".-")
    if not name and (before := _number_before(words, index)) is not None and before not in used:
        name, first = words[before].text, before
    near = words[first - 1].text if first else ""
    if not name and (near not in _NEAR or kind == "маршрут"):
        return None
    return Part("landmark", f"{kind} {name}".strip(), words[first].start, words[last].end, first, last)
