"""Houses as people write them: «14 корп 2», «12-го», «двадцать пять», lists and ranges of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from incidentml.numerals import NUMERALS
from incidentml.places.evidence import Part, Word
from incidentml.places.gazetteer import word_class
from incidentml.places.neighbours import text_at
from incidentml.places.other_numbers import is_no_house
from incidentml.places.words import HOUSE_TYPES, LANDMARKS, UNITS

__all__ = ["mark_houses", "read_houses"]

_LETTER = re.compile(r"[а-я]")
_NEVER_LETTERS = frozenset("йяюхмьъы")  # «17й» is the seventeenth, «60х» are years
_NOT_LETTERS = frozenset("вискоу")  # one-letter words; a house letter among them must be glued to the number
_BLOCKS = {"к": "к", "корп": "к", "корпус": "к", "корпусе": "к", "корпуса": "к", "стр": "с", "строение": "с"}


_ONE = frozenset("дом доме дому домом д".split())
_SEVERAL = frozenset("дома домов домам домах домами".split())
_BESIDE = frozenset("у возле около от до напротив из против с около".split())
_ORDINAL_MARKS = frozenset("й го му м ый ого ому ом".split())
_ORDINAL_WORDS = ("ый", "ой", "ий", "его", "ого", "ому", "ему", "ом", "ем")
_ENDS_OF_HOUSES = frozenset("м ом го ого".split())
_PLACED = frozenset("у возле в за под около напротив между".split())
_HERE = frozenset("нас вас живу живем и".split())  # «у нас в 28», «живу в 103»
_SIDE = "сторона"
_ROUTES = frozenset(word for word, kind in LANDMARKS.items() if kind == "маршрут")
_JOINS = frozenset(", и - – —".split())
_RANGES = {"с": "по", "от": "до"}
_SIGNS = _ONE | _SEVERAL | _RANGES.keys() | _PLACED | _ROUTES | {_SIDE}
#: The last day of a month and the last hour of a day: «с 12 по 20» may be days, «с 9 до 18» hours.
_DAYS = 31
_HOURS = 24


def _is_number(words: Sequence[Word], index: int) -> bool:
    if not 0 <= index < len(words):
        return False
    word = words[index].text
    return (word.isdigit() and len(word) < 4) or word in NUMERALS


def mark_houses(words: Sequence[Word], labels: list[str]) -> None:
    """Label the numbers that grammar makes houses.

    «дом двенадцать», «15-го дома», «дома 31 33», «с 12 по 20», «у нас в 37м тоже», «(чётная сторона, 58-66)».
    """
    counted = -1
    for index in [at for at, label in enumerate(labels) if label == "H"]:
        listed = index == counted + 2 and words[index - 1].text in _JOINS
        if listed or is_no_house(words, labels, index):
            labels[index] = "O"
            counted = index
    for index in [at for at, word in enumerate(words) if word[0] in _SIGNS]:
        text = words[index].text
        if text in _ONE or text in _SEVERAL:
            _beside_house(words, labels, index)
        elif text in _RANGES and _is_number(words, index + 1):
            _mark_range(words, labels, index)
        elif text in _PLACED and _is_number(words, index + 1):
            _mark_ordinal(words, labels, index + 1)
        elif text in _ROUTES:
            _unmark_route(words, labels, index)
        elif text == _SIDE and _is_number(words, index + 2) and words[index + 1].text in ",:":
            labels[index + 2] = "H"
            if _is_number(words, index + 4) and words[index + 3].text in _JOINS:
                labels[index + 4] = "H"


def _unmark_route(words: Sequence[Word], labels: list[str], index: int) -> None:
    """Take back the number of a route: «двадцать второй трамвай», «71-й автобус»."""
    at = index - 1
    while at >= 0 and (words[at].text in _ORDINAL_MARKS or words[at].text == "-"):
        at -= 1
    while at >= 0 and _is_number(words, at):
        labels[at] = "O" if labels[at] == "H" else labels[at]
        at -= 1


def _mark_ordinal(words: Sequence[Word], labels: list[str], index: int) -> None:
    """Label «у нас в 37м тоже», «возле 161-го», «у нас в 28»: no noun that is counted follows.

    «в 71м» alone may be a bus, «в девяностом» a year, «у нас в 10» an hour.
    """
    word, last, before = words[index].text, index, words[index - 1].text
    here = text_at(words, index - 2) in _HERE
    if before == "в" and not here:
        return
    if word.isdigit():
        dash = text_at(words, index + 1) == "-"
        ending = words[index + 1 + dash] if index + 1 + dash < len(words) else None
        if ending and ending.text in _ENDS_OF_HOUSES and ending.start <= words[index].end + 1:
            last += 1 + dash
        elif (
            before not in ("в", "у", "возле", "напротив") or int(word) <= _HOURS or dash or _ordinal(words, index)
        ):
            return
    else:
        last += NUMERALS[word] in range(20, 100, 10) and _is_number(words, index + 1)
        if NUMERALS[word] <= 10 or not words[last].text.endswith(_ORDINAL_WORDS):
            return
    after = text_at(words, last + 1)
    if after == "," and text_at(words, last + 2) in _ONE:
        return  # «в 85-м, дом 17» is a quarter
    alike = after.startswith("так")  # «у 30го такая же картина»
    plain = alike or word_class(after)[:1] not in ("N", "A", "g", "s")
    if plain and after not in UNITS and labels[index] == "O":
        labels[index] = "H"


def _counts(words: Sequence[Word], index: int) -> bool:
    """Tell whether the number before this piece counts something."""
    return index < len(words) and words[index].text in UNITS


def _beside_house(words: Sequence[Word], labels: list[str], index: int) -> None:
    house = words[index].text
    at = index + 1
    while at < len(words) and at < index + 3 and words[at].text in (".", "№", "номер"):
        at += 1
    if _is_number(words, at) and (house != "д" or at > index + 1):
        last = at + (words[at].text in NUMERALS and _is_number(words, at + 1))
        if house in _ONE:
            if not _counts(words, last + 1):
                labels[at] = "H"
        elif (end := _list_end(words, at)) > at and not _counts(words, end + 1):
            for number in range(at, end + 1):
                if _is_number(words, number):
                    labels[number] = "H"
    if house == "д":
        return
    marked = index > 1 and words[index - 1].text in _ORDINAL_MARKS
    before = index - 1 - marked
    at = before - (marked and words[before].text == "-")
    if at < 0 or not _is_number(words, at):
        return
    told = words[at].text
    if text_at(words, at - 1).startswith("кажд"):
        return  # «в каждом втором доме»
    ordinal = marked or (told in NUMERALS and told.endswith(_ORDINAL_WORDS))
    beside = at > 0 and words[at - 1].text in _BESIDE
    if ordinal or (told.isdigit() and (house in _ONE or (house == "дома" and beside))):
        tens = ordinal and told in NUMERALS and at > 0 and NUMERALS.get(words[at - 1].text) in range(20, 100, 10)
        labels[at - 1 if tens else at] = "H"
    elif told.isdigit() and labels[at] == "H":
        labels[at] = "O"  # «6 домов»


def _list_end(words: Sequence[Word], first: int) -> int:
    """Return the last number of a list or range that begins here."""
    last = first
    while True:
        if _is_number(words, last + 1) and words[last + 1].start == words[last].end + 1:
            last += 1
        elif _is_number(words, last + 2) and words[last + 1].text in _JOINS:
            last += 2
        else:
            return last


def _mark_range(words: Sequence[Word], labels: list[str], index: int) -> None:
    word = words[index].text
    low = index + 1
    middle = low + 1
    while middle < len(words) and words[middle].text in _ORDINAL_MARKS | {"-"}:
        middle += 1
    high = middle + 1
    if not (_is_number(words, high) and words[middle].text == _RANGES[word]) or _counts(words, high + 1):
        return
    near = range(max(0, index - 4), index)
    if any(words[at].text in _SEVERAL for at in near) or (
        any(labels[at] == "S" for at in near) and (word == "от" or _value(words[high].text) > _DAYS)
    ):
        labels[low] = labels[high] = "H"


def _value(number: str) -> int:
    return int(number) if number.isdecimal() else NUMERALS.get(number, 0)


def read_houses(words: Sequence[Word], labels: Sequence[str], first: int) -> Part:
    """Return one house or a list of them: «14, 16 и 18», «22-28», «31 33 35», «от 91 до 125»."""
    part = _house(words, first)
    normal = part.normal
    opening = words[part.first - 1].text if part.first else ""
    while True:
        at = part.last + 1
        ranged = False
        if not _follows(words, labels, at):
            if (
                at < len(words)
                and words[at].text == "-"
                and at + 1 < len(words)
                and words[at + 1].text in _ORDINAL_MARKS
            ):
                at += 2
            between = words[at].text if at < len(words) else ""
            at += 1
            spoken = _RANGES.get(opening) == between
            if at >= len(words) or labels[at] != "H" or not (between in _JOINS or spoken) or _ordinal(words, at):
                break
            ranged = between in "-–—" or spoken
        following = _house(words, at)
        ranged = ranged and normal.isdecimal() and following.normal.isdecimal()
        normal += ("-" if ranged and int(following.normal) > int(normal) else ",") + following.normal
        part = part._replace(end=following.end, last=following.last)
    return part._replace(normal=normal)


def _follows(words: Sequence[Word], labels: Sequence[str], at: int) -> bool:
    """Tell whether a bare number goes on with a list; «75 2й подъезд» does not."""
    here = at < len(words) and labels[at] == "H" and words[at].start == words[at - 1].end + 1
    return here and not _ordinal(words, at)


def _ordinal(words: Sequence[Word], at: int) -> bool:
    after = words[at + 1] if at + 1 < len(words) else None
    return after is not None and after.start == words[at].end and after.text in _ORDINAL_MARKS


def _block_after(words: Sequence[Word], index: int) -> int:
    """Return the piece of a block's number if its word stands here: «76, корпус 1», «76, корп. 1»; or 0."""
    if words[index].text not in ("корп", "корпус", "стр", "строение"):
        return 0
    at = index + 1 + (text_at(words, index + 1) == ".")
    return at if text_at(words, at).isdigit() and len(words[at].text) < 3 else 0


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
        elif text == "," and second and not suffix and (at := _block_after(words, last + 2)):
            suffix += _BLOCKS[second.text] + words[at].text
            last = at
        elif text == "/" and glued and second and second.text.isdigit() and len(second.text) < 4:
            suffix += "/" + second.text
            last += 2
        elif (
            len(text) == 1
            and _LETTER.match(text)
            and not suffix
            and text not in _NEVER_LETTERS
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
            and second.text not in _NEVER_LETTERS
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
