"""Training of the tagger of places, and places of its own training posts as a stranger would find them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from incidentml.gold import GoldPost
from incidentml.places import PlaceExtractor
from incidentml.places.features import PlaceFeatures
from incidentml.places.tagger import PlaceTagger, ReadText, examples, fit_weights, read_text
from incidentml.types import Place

__all__ = ["train_tagger", "train_tagger_and_places"]


def train_tagger(items: Sequence[GoldPost]) -> PlaceTagger:
    """Train the tagger on posts whose mentions of places are marked."""
    return _fit(items, _read(items))


def _read(items: Sequence[GoldPost]) -> list[ReadText]:
    features = PlaceFeatures.default()
    return [read_text(item.text, item.region, features) for item in items]


def _fit(items: Sequence[GoldPost], read: Sequence[ReadText]) -> PlaceTagger:
    evidence, gold = examples(
        read,
        [item.gold.mentions for item in items],
        [item.region for item in items],
        [item.gold.street for item in items],
    )
    return PlaceTagger(fit_weights(evidence, gold))


def train_tagger_and_places(
    items: Sequence[GoldPost], *, folds: int = 3
) -> tuple[PlaceTagger, list[tuple[Place, ...]]]:
    """Train the tagger and return honest places of the same posts beside it.

    Parameters
    ----------
    items : sequence of GoldPost
    folds : int
        Territories are dealt into so many parts; the places of each are found by a tagger of the others. Models
        that learn from places must learn from these: on its own posts the tagger is better than anywhere else.

    Returns
    -------
    PlaceTagger
        Trained on all posts.
    list of tuple of Place
        In the order of `items`.
    """
    names = sorted({item.territory for item in items})
    part = np.array([names.index(item.territory) % folds for item in items])
    read = _read(items)
    places: list[tuple[Place, ...]] = [()] * len(items)
    for number in sorted(set(part.tolist())):
        others = np.flatnonzero(part != number).tolist() or range(len(items))
        tagger = _fit([items[row] for row in others], [read[row] for row in others])
        extractor = PlaceExtractor(tagger=tagger)
        for row in np.flatnonzero(part == number).tolist():
            places[row] = extractor.extract(items[row].text, region=items[row].region)
    return _fit(items, read), places
