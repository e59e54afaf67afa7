"""Normal forms of places as people write them: «улица гагарина 12» becomes «улица Гагарина, 12»."""

from __future__ import annotations

from incidentml.places.forms import is_adjective
from incidentml.places.gazetteer import word_class
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

#: Kinds whose name follows them as it is written on the sign.
_NAMED = frozenset(
    "улица остановка маршрут метро тц снт жк микрорайон мкр квартал село город деревня станция".split()
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


def _agreed(landmark: str) -> str:
    """Put the adjective of a landmark before its kind and into the nominative: «липовая гора»."""
    kind, _, name = landmark.partition(" ")
    if kind not in _LOWER or kind in _NAMED or not is_adjective(name) or "s" in word_class(name):
        return landmark
    ending, soft = name[-2:], name.endswith(("ей", "юю", "яя", "ем", "им"))
    if kind[-1] in "ая" or kind in ("площадь", "церковь"):
        told, wanted = "ая яя ой ей ую юю", "яя" if soft else "ая"
    elif kind[-1] in "ое":
        told, wanted = "ое ее ом ем ым им", "ее" if soft else "ое"
    else:
        told, wanted = "ый ий ой ом ем ым им", "ий" if soft or name[-3] in "гкх" else "ый"
        wanted = ending if ending in ("ой", "ий") else wanted
    if ending not in told.split() or " " in name:
        return landmark
    return f"{name[:-2]}{wanted} {kind}"


def words_of(place: Place) -> str:
    """Return a place as one reads it aloud: settlement, street and house, landmark.

    Examples
    --------
    >>> words_of(Place(settlement="самара", street="улица победы", house="12к2"))
    'Самара, улица Победы, 12к2'
    >>> words_of(Place(landmark="поликлиника детской")), words_of(Place(landmark="парк горького"))
    ('Детская поликлиника', 'парк Горького')
    """
    parts = [
        proper_name(place.settlement) if place.settlement else "",
        proper_name(place.street) if place.street else "",
        place.house or "",
        proper_name(_agreed(place.landmark)) if place.landmark else "",
    ]
    return ", ".join(part for part in parts if part)
