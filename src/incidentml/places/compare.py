"""Do two places agree? Part by part: the same, compatible, in conflict or unknown; one by one or by millions.

Parts are read from the normal forms that `Place` holds. What is missing on one side is unknown and never a
conflict;
what is said less exactly (``12`` against ``12к2``, ``хасана`` against ``героев хасана``) is compatible.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from incidentml.places.agreement import (
    COMPATIBLE,
    CONFLICT,
    SAME,
    UNKNOWN,
    PlaceAgreement,
    PlaceCodes,
    compare_codes,
)
from incidentml.places.forms import loose_stem, stem
from incidentml.places.gazetteer import Gazetteer
from incidentml.places.words import AREA_TYPES, LANDMARKS
from incidentml.text import fold
from incidentml.types import Agreement, Place

__all__ = ["PlaceComparison", "PlaceTable", "compare"]

_AGREEMENT = {
    CONFLICT: Agreement.CONFLICT,
    UNKNOWN: Agreement.UNKNOWN,
    COMPATIBLE: Agreement.COMPATIBLE,
    SAME: Agreement.SAME,
}
_PARTS = ("settlement", "street", "house", "landmark")
#: Places of one post that are compared at most; more are lists of addresses, where the first ones stand for all.
_MAX_PLACES = 6

_STREET_KINDS = frozenset(
    [
        "улица",
        "проспект",
        "переулок",
        "бульвар",
        "микрорайон",
        "тракт",
        "шоссе",
        "площадь",
        "набережная",
        "аллея",
        "проезд",
        "тупик",
        "квартал",
        "линия",
        "просека",
        "спуск",
        "съезд",
        "дорога",
        "снт",
        "слобода",
        "кольцо",
        "магистраль",
        "взвоз",
    ]
)
#: Words for the rank of a settlement's surroundings, which do not tell settlements apart.
_UNITS = frozenset("район округ города поселок село деревня станица".split())
#: People from which a settlement has parts with names of their own.
_CITY = 100_000
#: First words of kinds of landmark.
_KINDS = frozenset(kind.split()[0] for kind in (*LANDMARKS.values(), *AREA_TYPES.values(), "место", "километр"))
_QUARTERS = frozenset(map(stem, ("микрорайон", "квартал")))
_NUMBER = re.compile(r"\d{1,5}")
_YEARS = re.compile(r"(\d)[- ]лети[яею]\b")
_ORDINAL = re.compile(r"(\d)-[а-я]{1,2}\b")
_DIGIT = re.compile(r"\d")
_HOUSE = re.compile(r"(\d{1,4})([а-я]?)(?:[/кс](\d{1,4}[а-я]?))?(?:с\d{1,3})?")
_RANGE = re.compile(r"(\d{1,4})-(\d{1,4})")
_TITLES = frozenset(
    [
        "академика",
        "генерала",
        "маршала",
        "героя",
        "имени",
        "адмирала",
        "профессора",
        "лейтенанта",
        "капитана",
        "им",
    ]
)


class PlaceComparison(NamedTuple):
    """How two places relate.

    Attributes
    ----------
    settlement, street, house, landmark : Agreement
    score : float
        From -1 (surely elsewhere) to 1 (surely there).
    reason : str
        In Russian.
    """

    settlement: Agreement
    street: Agreement
    house: Agreement
    landmark: Agreement
    score: float
    reason: str


class _Street(NamedTuple):
    kind: str
    main: str
    modifier: str


@lru_cache(maxsize=65536)
def _street(text: str) -> _Street:
    kind, words = "", []
    for word in _ORDINAL.sub(r"\1", _YEARS.sub(r"\1 лет", fold(text))).replace(".", " ").split():
        if word in _STREET_KINDS and not kind:
            kind = word
        else:
            words.append(word)
    if not words:
        return _Street("", kind, "")
    *before, last = words
    if _NUMBER.fullmatch(last):  # «микрорайон 5»: the number is the name
        return _Street("", kind or "улица", " ".join([*map(stem, before), last]))
    main = "-".join(loose_stem(piece) for piece in last.split("-"))
    modifiers = [stem(word) for word in before if len(word) > 1 and word not in _TITLES]
    return _Street("" if kind == "улица" else kind, main, " ".join(modifiers))


@lru_cache(maxsize=65536)
def _houses(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return first and last number and suffix of each house: ``"12к2"``, ``"14, 16а"``, ``"22-28"``."""
    found = []
    for part in re.split(r"[,;\s]+", fold(text)):
        if match := _RANGE.fullmatch(part):
            found.append((int(match[1]), int(match[2]), ""))
        elif match := _HOUSE.fullmatch(part):
            number, letter, block = match.groups()
            found.append((int(number), int(number), letter or block or ""))
    return tuple(found)


@lru_cache(maxsize=65536)
def _landmark(text: str) -> tuple[str, str, str]:
    """Return kind, number and name of ``"школа 12"`` or ``"остановка рынок"``."""
    kind, *rest = fold(text).split()[:8] or [""]
    if kind and kind not in _KINDS:  # a name alone: «уралмаш»
        kind, rest = "место", [kind, *rest]
    numbers = [word for word in rest if word[0].isdigit()]
    names = [loose_stem(word) for word in rest if not word[0].isdigit()]
    return stem(kind) if kind else "", numbers[0] if numbers else "", names[-1] if names else ""


def _quarter(landmark: str) -> str:
    """Return what stands in place of a street: a numbered part of a town, «85 квартал, 24», or gardens by name."""
    kind, number, name = _landmark(landmark)
    if kind in _QUARTERS and number:
        return f"{kind} {number}"
    return f"{kind} {name} {number}" if kind == "снт" and name else ""


@lru_cache(maxsize=65536)
def _settlement(text: str) -> tuple[str, str, bool, bool]:
    """Name, root that words made from it share, whether it is a city, whether the gazetteer knows it."""
    words = [word for word in fold(text).split() if word not in _UNITS] or fold(text).split()
    name = " ".join(map(stem, words))
    root = (
        " ".join(map(loose_stem, words)) if len(words) > 1 else loose_stem(loose_stem(words[0])) if words else ""
    )
    entries = Gazetteer.default().find(words) if words else []
    return name, root, any(entry.population >= _CITY for entry in entries), bool(entries)


_WORDS = {
    "settlement": ("разные населённые пункты", "", "населённый пункт может быть тем же", "один населённый пункт"),
    "street": ("разные улицы", "", "улица, вероятно, та же", "одна улица"),
    "house": ("разные дома", "", "дом может быть тем же", "один дом"),
    "landmark": ("разные ориентиры", "", "ориентир может быть тем же", "один ориентир"),
}


def compare(a: Place, b: Place) -> PlaceComparison:
    """Compare two places.

    Parameters
    ----------
    a, b : Place
        Their order does not matter.

    Returns
    -------
    PlaceComparison

    Examples
    --------
    >>> compare(Place(street="улица мира", house="5"), Place(street="улица мира", house="7")).reason
    'одна улица; разные дома'
    >>> compare(Place(street="улица мира"), Place(street="улица мира", house="7")).house.value
    'unknown'
    """
    both = PlaceTable.build([(a,), (b,)], [None, None]).compare(np.array([0]), np.array([1]))
    codes = [int(getattr(both, part)[0]) for part in _PARTS]
    said = [_WORDS[part][code + 1] for part, code in zip(_PARTS, codes, strict=True) if code != UNKNOWN]
    settlement, street, house, landmark = (_AGREEMENT[code] for code in codes)
    return PlaceComparison(
        settlement, street, house, landmark, float(both.score[0]), "; ".join(said) or "сравнить нечего"
    )


def _number(field: str, value: str) -> int:
    """Return 31 bits of a string of a field; 0 stands for the empty string."""
    return (crc32(f"{field} {value}".encode("utf-8", "replace")) & 0x7FFFFFFF or 1) if value else 0


def _pad(rows: Sequence[Sequence[tuple[int, ...]]], width: int) -> NDArray[np.int32]:
    """Stack lists of equal-width tuples into (posts, `_MAX_PLACES`, width); missing ones are zeros."""
    table = np.zeros((len(rows), _MAX_PLACES, width), dtype=np.int32)
    for index, row in enumerate(rows):
        if row:
            table[index, : len(row)] = row
    return table


class PlaceTable:
    """The places of many posts, coded as numbers, to compare millions of pairs.

    Build it with `PlaceTable.build`.

    Examples
    --------
    >>> mira = Place(street="улица мира", house="5")
    >>> table = PlaceTable.build([(mira,), (Place(street="мира", house="7"),), ()], [None, None, None])
    >>> agreement = table.compare(np.array([0, 0]), np.array([1, 2]))
    >>> agreement.street.tolist(), agreement.house.tolist()
    ([2, 0], [-1, 0])
    """

    def __init__(self, places: list[tuple[Place, ...]], regions: list[str | None]) -> None:
        self._places = places
        self._regions = regions
        settlements: list[list[tuple[int, ...]]] = []
        addresses: list[list[tuple[int, ...]]] = []
        landmarks: list[list[tuple[int, ...]]] = []
        for row in places:
            for rows, coded in zip((settlements, addresses, landmarks), _code(row), strict=True):
                rows.append(coded)
        parts = (settlements, addresses, landmarks)
        counts = np.array([[len(row) for row in rows] for rows in parts], dtype=np.uint8).reshape(3, -1).T
        self.codes = PlaceCodes(_pad(settlements, 4), _pad(addresses, 7), _pad(landmarks, 3), counts)

    @classmethod
    def build(cls, places: Sequence[tuple[Place, ...]], regions: Sequence[str | None]) -> PlaceTable:
        """Code the places of posts; `regions` are the regions of their feeds.

        Raises
        ------
        ValueError
            If the two differ in length.
        """
        if len(places) != len(regions):
            raise ValueError(f"PlaceTable.build: {len(places)} posts have places, {len(regions)} have regions")
        return cls([tuple(row[:_MAX_PLACES]) for row in places], list(regions))

    def __len__(self) -> int:
        return len(self._places)

    def compare(self, left: NDArray[np.intp], right: NDArray[np.intp]) -> PlaceAgreement:
        """Compare post ``left[i]`` with post ``right[i]``: every part at its best over the places of both."""
        return compare_codes(self.codes, left, right)

    def block_keys(self) -> list[tuple[Hashable, ...]]:
        """Return for each post the keys under which posts about the same place meet.

        ``("street", region, street)``, ``("house", region, street, number)``, ``("landmark", region, kind, number,
        name)`` for landmarks that are more than a kind, and ``("settlement", region, settlement)``.
        """
        keys = []
        for row, region in zip(self._places, self._regions, strict=True):
            found: dict[Hashable, None] = {}
            for place in row:
                if place.street:
                    main = _street(place.street).main
                    found[("street", region, main)] = None
                    for house, _, _ in _houses(place.house or ""):
                        found[("house", region, main, house)] = None
                if place.landmark:
                    kind, count, name = _landmark(place.landmark)
                    if count or name:
                        found[("landmark", region, kind if count else "", count, name)] = None
                if place.settlement:
                    found[("settlement", region, _settlement(place.settlement)[0])] = None
            keys.append(tuple(found))
        return keys


def _code(places: Sequence[Place]) -> tuple[list[tuple[int, ...]], ...]:
    settlements: dict[tuple[int, ...], None] = {}
    addresses: dict[tuple[int, ...], None] = {}
    landmarks: dict[tuple[int, ...], None] = {}
    for place in places:
        if place.settlement:
            name, root, city, known = _settlement(place.settlement)
            row = (_number("settlement", name), _number("root", root), int(city), int(known))
            settlements[row] = None
        street = _street(place.street) if place.street else _Street("", "", "")
        quarter = "" if street.main else _quarter(place.landmark or "")
        coded = (
            -_number("quarter", quarter) or _number("street", street.main),
            _number("modifier", street.modifier),
            _number("kind", street.kind),
            int(bool(_DIGIT.search(street.modifier))),
        )
        houses = _houses(place.house) if place.house else ()
        for house, end, suffix in houses or ((0, 0, ""),):
            if street.main or quarter or house:
                addresses[(*coded, house, end, _number("suffix", suffix))] = None
        if place.landmark:
            kind, count, name = _landmark(place.landmark)
            landmarks[(_number("thing", kind), _number("count", count), _number("name", name))] = None
    # «школа 5» tells where; beside it a mere «дорога» would make any two schools alike.
    landmarks = {row: None for row in landmarks if any(row[1:])} or landmarks
    # A row of zeros is a name of which nothing is left: it tells nothing.
    told = ([row for row in rows if any(row)] for rows in (settlements, addresses, landmarks))
    return tuple(rows[:_MAX_PLACES] for rows in told)
