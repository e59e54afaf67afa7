"""Normal forms of places as people write them: «улица гагарина 12» becomes «улица Гагарина, 12»."""

from __future__ import annotations

from incidentml.places.words import LANDMARKS
from incidentml.types import Place

__all__ = ["proper_name", "words_of"]

#: Kinds of street, settlement and landmark, and the small words inside names, stay in lower case.
_LOWER = frozenset(
    (
        "улица проспект переулок бульвар шоссе тракт набережная проезд тупик аллея просека линия квартал "
        "микрорайон мкр снт днт километр км город село деревня поселок хутор станица аул станция район "
        "на в под над у при за лет имени им " + " ".join(LANDMARKS.values())
    ).split()
)


def proper_name(normal: str) -> str:
    """Return a normal form with capitals where they belong.

    Examples
    --------
    >>> proper_name("улица 40 лет победы"), proper_name("ростов-на-дону"), proper_name("нижний новгород")
    ('улица 40 лет Победы', 'Ростов-на-Дону', 'Нижний Новгород')
    """
    return " ".join("-".join(_capital(part) for part in word.split("-")) for word in normal.split())


def _capital(word: str) -> str:
    if word in _LOWER:
        return word
    return word[:1].upper() + word[1:]


def words_of(place: Place) -> str:
    """Return a place as one reads it aloud: settlement, street and house, landmark.

    Examples
    --------
    >>> words_of(Place(settlement="самара", street="улица победы", house="12к2"))
    'Самара, улица Победы, 12к2'
    """
    parts = [
        proper_name(place.settlement) if place.settlement else "",
        proper_name(place.street) if place.street else "",
        place.house or "",
        proper_name(place.landmark) if place.landmark else "",
    ]
    return ", ".join(part for part in parts if part)
