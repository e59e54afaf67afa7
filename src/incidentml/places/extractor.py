"""The finder of places: words, the tagger, rules, parts, in this order."""

from __future__ import annotations

from bisect import bisect_right
from typing import Self

from incidentml.places.evidence import Part
from incidentml.places.features import PlaceFeatures, Word, split
from incidentml.places.gazetteer import Gazetteer
from incidentml.places.landmarks import landmarks
from incidentml.places.parts import read_parts
from incidentml.places.rules import settle
from incidentml.places.tagger import PlaceTagger
from incidentml.places.towns import at_home
from incidentml.places.words import LANDMARKS, names_resident
from incidentml.text import fold
from incidentml.types import Place, Span

__all__ = ["PlaceExtractor"]

#: A street and a house further apart (in pieces of text) than this do not belong together.
_REACH = 6
_KINDS = frozenset(LANDMARKS.values())


class PlaceExtractor:
    """Finds the places of a text.

    Parameters
    ----------
    gazetteer : Gazetteer, optional
        Known settlements and streets; the one that ships if not given. `Gazetteer.from_csv` adds a user's table.
    tagger : PlaceTagger, optional
        The model that tells names of places from other words; the one that ships if not given.

    Attributes
    ----------
    tagger_ : PlaceTagger
        The one in use.

    Examples
    --------
    >>> text = "дом 14 корп 2 по Мира, вторую неделю без лифта"
    >>> place = PlaceExtractor().extract(text)[0]
    >>> place.street, place.house, text[slice(*place.spans["street"])]
    ('улица мира', '14к2', 'Мира')
    """

    def __init__(self, gazetteer: Gazetteer | None = None, tagger: PlaceTagger | None = None) -> None:
        self.gazetteer = gazetteer
        self.tagger = tagger
        self._gazetteer = gazetteer or Gazetteer.default()
        self._features = PlaceFeatures.default() if gazetteer is None else PlaceFeatures(gazetteer)
        self.tagger_ = tagger or PlaceTagger.default()

    def __reduce__(self) -> tuple[type[Self], tuple[Gazetteer | None, PlaceTagger | None]]:
        """Copy what was given, not the tables built from it: the other process builds its own, and shares them."""
        return type(self), (self.gazetteer, self.tagger)

    def extract(
        self, text: str, *, region: str | None = None, municipality: str | None = None
    ) -> tuple[Place, ...]:
        """Return the places of a text, the main one first.

        Parameters
        ----------
        text : str
            The post as published.
        region, municipality : str, optional
            Where the feed is from: settles which of several settlements of one name is meant.

        Returns
        -------
        tuple of Place
            Spans count characters of `text` as given: ``text[start:end]`` is what was read.
        """
        folded = fold(text)
        if len(folded) != len(text):  # composed letters that fold changes in length do not exist; be safe
            return ()
        words = split(folded)
        found, towns = self._features.candidates(text, words, region)
        labels = settle(text, words, self.tagger_.label(found, len(words)), towns)
        parts = read_parts(text, words, labels, self._gazetteer, region, municipality)
        parts = [part for part in parts if part.kind != "street" or not names_resident(part.normal)]
        parts.extend(landmarks(words, labels, parts, self._gazetteer))
        return _places(parts, words)


def _places(parts: list[Part], words: list[Word]) -> tuple[Place, ...]:
    """Put parts together to places; every step looks at neighbours only, so that long lists stay linear."""
    by_kind: dict[str, list[Part]] = {"settlement": [], "street": [], "house": [], "landmark": []}
    for part in parts:
        by_kind[part.kind].append(part)
    rows = _addresses(by_kind["street"], by_kind["house"], words)
    landmarks_found = {part.normal: part for part in reversed(by_kind["landmark"])}
    for index, landmark in enumerate(sorted(landmarks_found.values(), key=_by_worth)):
        if not index and rows:
            rows[0]["landmark"] = landmark
        else:
            rows.append({"landmark": landmark})
    settlements = at_home(by_kind["settlement"], words)
    positions = [settlement.first for settlement in by_kind["settlement"]]
    used = set()
    for row in rows:
        if settlements:
            # The last settlement named before, or the first one of the text.
            at = bisect_right(positions, min(part.first for part in row.values())) - 1
            row["settlement"] = settlements[max(at, 0)]
            used.add(row["settlement"].normal)
    for settlement in settlements:
        if settlement.normal not in used:
            used.add(settlement.normal)
            rows.append({"settlement": settlement})
    rows.sort(key=lambda row: -(2 * ("street" in row) + ("house" in row)))
    return tuple(_place(row) for row in rows)


def _by_worth(landmark: Part) -> tuple[bool, int]:
    """Order landmarks as the text does, routes and mere kinds last: they say less of where it is."""
    return landmark.normal.startswith("маршрут") or landmark.normal in _KINDS, landmark.first


def _addresses(streets: list[Part], houses: list[Part], words: list[Word]) -> list[dict[str, Part]]:
    """Give every street the nearest house; the same address told twice is one."""
    rows: list[dict[str, Part]] = []
    seen: dict[str, dict[str, Part]] = {}
    pairs: set[tuple[str, str]] = set()
    positions = [house.first for house in houses]
    taken: set[int] = set()
    for street in streets:
        at = bisect_right(positions, street.first)
        near = [
            (max(houses[k].first - street.last, street.first - houses[k].last), k)
            for k in range(max(0, at - 2), min(len(houses), at + 2))
            if k not in taken
        ]
        row = {"street": street}
        if near and min(near)[0] <= _REACH:
            index = min(near)[1]
            taken.add(index)
            row["house"] = houses[index]
        known = seen.get(street.normal)
        if known is None:
            seen[street.normal] = row
            rows.append(row)
        elif "house" in row and "house" not in known:
            known["house"] = row["house"]
        elif "house" in row and (street.normal, row["house"].normal) not in pairs:
            rows.append(row)
        if "house" in row:
            pairs.add((street.normal, row["house"].normal))
    told = [house for house in houses if _is_told(house, words)] if rows and not taken else []
    if told:  # «Октябрьскую прорвало, вода во дворах. Дома 22, 24 сухие»
        at = max(bisect_right([row["street"].first for row in rows], told[0].first) - 1, 0)
        rows[at]["house"] = told[0]
    if not rows:
        first = {house.normal: house for house in reversed(houses)}
        rows.extend({"house": house} for house in sorted(first.values(), key=lambda part: part.first))
    return rows


def _is_told(house: Part, words: list[Word]) -> bool:
    """Tell whether the text says that it is a house: «дома 22», «10-й дом»; other numbers may be times."""
    around = words[house.first : house.first + 1] + words[house.last + 1 : house.last + 4]
    return any(word.text.startswith("дом") and len(word.text) < 7 for word in around)


def _place(row: dict[str, Part]) -> Place:
    order = [kind for kind in ("settlement", "street", "house", "landmark") if kind in row]
    return Place(
        settlement=row["settlement"].normal if "settlement" in row else None,
        street=row["street"].normal if "street" in row else None,
        house=row["house"].normal if "house" in row else None,
        landmark=row["landmark"].normal if "landmark" in row else None,
        spans={kind: Span(row[kind].start, row[kind].end) for kind in order},
        candidates=row["settlement"].candidates if "settlement" in row else (),
    )
