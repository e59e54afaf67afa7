"""Towns known for certain, and where a page's readers live by its name: «Подслушано Ржев» speaks of Rzhev."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from incidentml.places.gazetteer import Gazetteer
from incidentml.text import words

__all__ = ["is_town", "town_of_page"]

#: People from which a settlement is known to everyone around, and has pages of its own.
_TOWN = 5000
_SHORTEST = 4


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
