"""From labelled words to parts of an address with spans and normal forms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from incidentml.gazetteer import Gazetteer
from incidentml.place_features import Word
from incidentml.place_forms import is_adjective, nominative
from incidentml.place_words import HOUSE_TYPES, LANDMARKS, NUMERALS, SETTLEMENT_TYPES, STREET_TYPES

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
            part = _house(words, index)
        else:
            while (after := _continues(words, labels, last, label)) is not None:
                last = after
            part = (
                _street(words, index, last)
                if label == "S"
                else _settlement(words, index, last, gazetteer, region, municipality)
            )
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


def _street(words: Sequence[Word], first: int, last: int) -> Part:
    name = [word.text for word in words[first : last + 1] if word.text not in ".-"]
    kind, start, end = "", first, last
    if first and words[first - 1].text in STREET_TYPES:
        kind, start = STREET_TYPES[words[first - 1].text], first - 1
    elif first > 1 and words[first - 1].text == "." and words[first - 2].text in _ABBREVIATED & STREET_TYPES.keys():
        kind, start = STREET_TYPES[words[first - 2].text], first - 2
    elif last + 1 < len(words) and words[last + 1].text in STREET_TYPES and is_adjective(name[-1]):
        kind, end = STREET_TYPES[words[last + 1].text], last + 1
    kind = kind or "улица"
    normal = " ".join([kind, *(nominative(word, kind) for word in name if len(word) > 1 or word.isdigit())])
    return Part("street", normal, words[start].start, words[end].end, start, end)


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
        here, following = words[last], words[last + 1]
        text = following.text
        second = words[last + 2] if last + 2 < len(words) else None
        glued = following.start == here.end
        if text in _BLOCKS and second and second.text.isdigit() and len(second.text) < 4:
            suffix += _BLOCKS[text] + second.text
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
            and (glued or (following.start - here.end == 1 and text not in _NOT_LETTERS))
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
    entries = gazetteer.find(name, region)
    normal = entries[0].name if entries else " ".join(name)
    start = first
    if first and words[first - 1].text in SETTLEMENT_TYPES:
        start = first - 1
    elif first > 1 and words[first - 1].text == "." and words[first - 2].text in _ABBREVIATED & SETTLEMENT_TYPES.keys():
        start = first - 2
    readings = tuple(f"{entry.name} ({entry.region})" for entry in entries[:8]) if len(entries) > 1 else ()
    return Part("settlement", normal, words[start].start, words[last].end, start, last, readings)


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
    found = []
    index = 0
    while index < len(words):
        word = words[index].text
        if index in used:
            index += 1
        elif word in LANDMARKS:
            part = _landmark(words, labels, index, used)
            if part is not None:
                found.append(part)
                index = part.last
            index += 1
        elif labels[index] == "L":
            last = index
            while (after := _continues(words, labels, last, "L")) is not None:
                last = after
            name = " ".join(w.text for w in words[index : last + 1] if w.text not in ".-")
            found.append(Part("landmark", f"место {name}", words[index].start, words[last].end, index, last))
            index = last + 1
        else:
            index += 1
    return found


def _landmark(words: Sequence[Word], labels: Sequence[str], index: int, used: set[int]) -> Part | None:
    kind = LANDMARKS[words[index].text]
    last, name = index, ""
    at = index + 1
    if at < len(words) and words[at].text == "№":
        at += 1
    if at < len(words) and at not in used:
        if words[at].text.isdigit() and len(words[at].text) < 4:
            name, last = words[at].text, at
        elif words[at].text in '«"“':
            close = next((k for k in range(at + 1, min(at + 6, len(words))) if words[k].text in '»"”'), None)
            if close:
                name, last = " ".join(w.text for w in words[at + 1 : close]), close
        elif labels[at] == "L":
            name, last = words[at].text, at
    before = words[index - 1].text if index else ""
    if not name and before not in _NEAR:
        return None
    start = index
    return Part("landmark", f"{kind} {name}".strip(), words[start].start, words[last].end, start, last)
