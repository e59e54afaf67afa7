"""Places of a run against the places that people marked: words found, and what they were read as."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from incidentml.predictions import Joined
from incidentml.text import fold, words

__all__ = ["core_name", "score_places"]

_PARTS = ("settlement", "street", "house", "landmark")
_NAMED = ("settlement", "street", "house")
#: Words for the type of a place: gold writes some and leaves out others, so they do not decide.
_TYPES = frozenset(
    word
    for line in (
        "город г село с деревня дер д поселок пос п пгт рп станица ст хутор х снт микрорайон мкр район рн",
        "улица ул проспект пр пркт просп переулок пер шоссе ш бульвар бр бул набережная наб площадь пл",
        "проезд тракт аллея тупик линия квартал кв дом",
    )
    for word in line.split()
)


def score_places(joined: Joined) -> dict[str, Any]:
    """Score the places of `posts.jsonl`.

    For each part of an address, over all posts with a prediction:

    - `precision`, `recall`, `f1`: the first predicted span of the part overlaps the words that people marked;
    - `named`: share of marked settlements, streets and houses whose normal form is read as in gold, words for the
      type of place and word order aside.
    """
    return {part: _score_part(joined, part) for part in _PARTS}


def _score_part(joined: Joined, part: str) -> dict[str, Any]:
    marked = found = hits = named = of_named = 0
    for item, post in zip(joined.gold, joined.posts, strict=True):
        if post is None:
            continue
        gold = item.gold.mentions.get(part)
        place = next((place for place in post.get("places", ()) if place.get(part)), None)
        marked += gold is not None
        found += place is not None
        if gold is not None and place is not None:
            hits += _overlaps(item.text, gold, place.get("spans", {}).get(part))
        normal = getattr(item.gold, part, None) if part in _NAMED else None
        if gold is not None and normal is not None:
            of_named += 1
            named += place is not None and core_name(place[part]) == core_name(normal)
    precision = hits / found if found else None
    recall = hits / marked if marked else None
    figures: dict[str, Any] = {
        "marked": marked,
        "found": found,
        "precision": _rounded(precision),
        "recall": _rounded(recall),
        "f1": _rounded(2 * hits / (found + marked) if found + marked else None),
    }
    if part in _NAMED:
        figures |= {"named": _rounded(named / of_named if of_named else None), "named_posts": of_named}
    return figures


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _overlaps(text: str, marked: str, span: Any) -> bool:
    if not isinstance(span, list | tuple) or len(span) != 2:
        return False
    start, end = span
    return any(start < stop and begin < end for begin, stop in _occurrences(fold(text), fold(marked)))


def _occurrences(text: str, marked: str) -> Iterator[tuple[int, int]]:
    pieces = [re.escape(piece) for piece in marked.split()]
    for match in re.finditer(r"\s+".join(pieces), text) if pieces else ():
        yield match.span()


def core_name(name: Any) -> frozenset[str]:
    """Return the words of a normal form without words for its type."""
    kept = [word for word in words(str(name)) if word not in _TYPES]
    return frozenset(kept or words(str(name)))
