"""Towns known for certain, and where a page's readers live by its name: «Подслушано Ржев» speaks of Rzhev."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from incidentml.places.evidence import Part, Word
from incidentml.places.gazetteer import Gazetteer
from incidentml.places.neighbours import text_at
from incidentml.places.words import SETTLEMENT_TYPES
from incidentml.text import words

__all__ = ["at_home", "is_town", "town_of_page"]

#: People from which a settlement is known to everyone around, and has pages of its own.
_TOWN = 5000
_SHORTEST = 4
_AWAY = frozenset("из до через от с к".split())
_INSIDE = frozenset(["в", "на"])
#: How verbs begin that take somebody elsewhere: «везите в Кумертау» has one form for both cases.
_MOVES = ("вез", "увез", "повез", "отвез", "возим", "возил", "возят", "ехать", "едем", "ездим", "поехал", "направ")
_OPENS = frozenset("^.!?#…)»")
_CLOSES = frozenset("$.!?#…,|")


@lru_cache(maxsize=2**14)
def town_of_page(source: str, region: str | None = None) -> str | None:
    """Return the town among the words of a page's name, the longest name first.

    Parameters
    ----------
    source : str
        Name of the page or channel.
    region : str, optional
        Region of its posts: only towns of it are meant then.

    Returns
    -------
    str or None
        Normal form, as in `Place.settlement`.

    Examples
    --------
    >>> town_of_page("Мамы Твери", "Тверская область"), town_of_page("Северный чат соседей", "Воронежская область")
    ('тверь', None)
    """
    said = words(source)
    for length in (3, 2, 1):
        for start in range(len(said) - length + 1):
            name = said[start : start + length]
            if len(" ".join(name)) >= _SHORTEST and (town := next(_towns(name, region), None)):
                return town
    return None


@lru_cache(maxsize=2**14)
def is_town(name: str, region: str | None = None) -> bool:
    """Tell whether a settlement's normal form is that of a town (of the region, if given), and no part of one.

    Examples
    --------
    >>> is_town("березники", "Пермский край"), is_town("уралмаш", "Свердловская область")
    (True, False)
    """
    return name in _towns(name.split(), region)


def _towns(name: Sequence[str], region: str | None) -> Iterator[str]:
    for entry in Gazetteer.default().find(name, region):
        if entry.population > _TOWN and not entry.area and region in (None, entry.region):
            yield entry.name


def at_home(settlements: Sequence[Part], words: Sequence[Word]) -> list[Part]:
    """Put in place of a first settlement that somebody goes to or comes from the one where it happens.

    «Везите в Белорецк. Исянгулово, мы вообще люди?» is written in Исянгулово. Every other order stays.
    """
    found = list(settlements)
    if len(found) < 2 or not (text_at(words, found[0].first - 1) in _AWAY or _goes_to(found[0], words)):
        return found
    inside = text_at(words, found[0].first - 1) in _INSIDE
    for settlement in found[1:]:
        before, after = text_at(words, settlement.first - 1), text_at(words, settlement.last + 1, "$")
        alone = (before in _OPENS and after in _CLOSES) or (before == "," and after in "$.!?")
        if alone or (inside and before in _INSIDE and not _goes_to(settlement, words)):
            found[0] = settlement
            break
    return found


def _goes_to(settlement: Part, words: Sequence[Word]) -> bool:
    """Tell whether the accusative follows «в»: «в Иркутск», «в Анапу»; names in -о and -и have one form."""
    name, said = settlement.normal.rpartition(" ")[2], words[settlement.last].text
    moved = (said == name and name[-1] not in "оиуэ") or (name[-1] in "ая" and said[-1] in "ую")
    typed = words[settlement.first].text in SETTLEMENT_TYPES  # «в селе Отрадное»
    taken = any(word.text.startswith(_MOVES) for word in words[max(0, settlement.first - 4) : settlement.first])
    return (moved or taken) and not typed and text_at(words, settlement.first - 1) in _INSIDE
