"""Evidence that two posts are about one incident, and the model that turns it into a calibrated probability."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from incidentml.incidents.columns import STEP, Columns
from incidentml.incidents.copies import overlap
from incidentml.incidents.sides import Sides, equal_bytes, found_in, topics_agree
from incidentml.places import compare_codes

__all__ = ["FEATURES", "Products", "pair_features"]

HOUR = 3600.0
_CHUNK = 8192
#: Pairs whose vectors fit a cache.
_FEW = 512

FEATURES: tuple[str, ...] = (
    "text",
    "topic",
    "top_topic",
    "subtopic",
    "top_subtopic",
    "problem",
    "one_topic",
    "sure",
    "words",
    "words_share",
    "what",
    "what_share",
    "where",
    "elsewhere",
    "rarest_word",
    "numbers",
    "numbers_differ",
    "things",
    "things_differ",
    "names",
    "page_words",
    "one_page",
    "one_author",
    "one_network",
    "copied",
    "contained",
    "relay",
    "reply",
    "replies",
    "later_reply",
    "short",
    "long",
    "later_long",
    "most_alone",
    "least_alone",
    "later_alone",
    "hours",
    "place",
    "settlement",
    "street",
    "house",
    "landmark",
    "placed",
    "streets_told",
    "settlements_told",
    "houses_told",
    "landmarks_told",
    "streets",
    "houses",
    "page_town",
    "routes_differ",
    "towns_differ",
)


class Products(NamedTuple):
    """Inner products of the vectors, topic groups and single topics of pairs."""

    text: NDArray[np.float32]
    topic: NDArray[np.float32]
    problem: NDArray[np.float32]

    @classmethod
    def of(cls, columns: Columns, left: NDArray[np.intp], right: NDArray[np.intp]) -> Products:
        """Multiply pair by pair."""
        return cls(*(_cosine(steps, left, right) for steps in (columns.vectors, columns.topics, columns.problem)))

    def take(self, chosen: slice | NDArray[np.intp]) -> Products:
        """Return the chosen pairs."""
        return Products(self.text[chosen], self.topic[chosen], self.problem[chosen])


def pair_features(
    columns: Columns, left: NDArray[np.intp], right: NDArray[np.intp], products: Products | None = None
) -> NDArray[np.float32]:
    """Return one row of evidence a pair, with the columns `FEATURES`.

    Parameters
    ----------
    columns : Columns
    left, right : ndarray of int
        Rows of the pairs, in either order.
    products : Products, optional
        Of the pairs, where they are known already.
    """
    out = np.empty((len(FEATURES), len(left)), dtype=np.float32)
    left, right = _earlier_first(columns, left, right)
    sides, at_left, at_right = Sides.of(columns, left, right)
    codes = columns.place_codes
    for first in range(0, len(left), _CHUNK):
        here = slice(first, first + _CHUNK)
        a, b, at_a, at_b = left[here], right[here], at_left[here], at_right[here]
        known = Products.of(columns, a, b) if products is None else products.take(here)
        places = compare_codes(codes, a, b)
        told_a, told_b = columns.told[a], columns.told[b]
        route_a, route_b = columns.route[a], columns.route[b]
        equal = equal_bytes(sides.sketch.take(at_a, axis=1), sides.sketch.take(at_b, axis=1))
        jaccard, contained = overlap(equal, columns.grams[a], columns.grams[b])
        words_a, words_b = sides.words.take(at_a, axis=1), sides.words.take(at_b, axis=1)
        hit = found_in(words_a, words_b)
        shared_weights = sides.weights.take(at_a, axis=1) * hit
        shared = shared_weights.sum(axis=0)
        what = (sides.what.take(at_a, axis=1) * hit).sum(axis=0)
        where_a, where_b = sides.where.take(at_a, axis=1), sides.where.take(at_b, axis=1)
        found_a = found_in(where_a, where_b, words_b).sum(axis=0)
        found_b = found_in(where_b, where_a, words_a).sum(axis=0)
        where = np.maximum(found_a, found_b)
        lighter = np.minimum(sides.weight[at_a], sides.weight[at_b])
        numbers = found_in(sides.numbers.take(at_a, axis=1), sides.numbers.take(at_b, axis=1)).sum(axis=0)
        names = found_in(sides.names.take(at_a, axis=1), sides.names.take(at_b, axis=1)).sum(axis=0)
        context_a, context_b = sides.context.take(at_a, axis=1), sides.context.take(at_b, axis=1)
        page = found_in(context_a, words_b, context_b).sum(axis=0) + found_in(context_b, words_a).sum(axis=0)
        things = found_in(sides.counted.take(at_a, axis=1), sides.counted.take(at_b, axis=1)).sum(axis=0)
        one_thing = found_in(sides.things.take(at_a, axis=1), sides.things.take(at_b, axis=1)).any(axis=0)
        flags = columns.flags[a] | columns.flags[b]
        reply_a, reply_b = (columns.flags[a] >> 1) & 1, (columns.flags[b] >> 1) & 1
        alone_a, alone_b = columns.solitude[a], columns.solitude[b]
        town_a, town_b = columns.town[a], columns.town[b]
        # Only where a town is known by the page alone: towns that posts name are compared as places.
        by_page = (town_a > 0) & (town_b > 0) & ~((told_a & told_b) >> 2 & 1).astype(bool)
        likeness, one_topic = topics_agree(sides, at_a, at_b)
        values = {
            "text": known.text,
            "topic": known.topic,
            "top_topic": (columns.top[a] == columns.top[b]) if columns.topics.shape[1] else 0.0,
            "subtopic": likeness,
            "top_subtopic": (columns.subtopic[a, 0] == columns.subtopic[b, 0]) & (columns.subtopic[a, 0] > 0),
            "problem": known.problem,
            "one_topic": one_topic,
            "sure": sides.subtopic_p[0, at_a] * sides.subtopic_p[0, at_b],
            "words": shared,
            "words_share": shared / np.maximum(lighter, 0.25),
            "what": what,
            "what_share": what / np.maximum(np.minimum(sides.what_weight[at_a], sides.what_weight[at_b]), 0.25),
            "where": np.minimum(where, 3),
            "elsewhere": (where == 0) & sides.placed[at_a] & sides.placed[at_b],
            "rarest_word": shared_weights.max(axis=0),
            "numbers": np.minimum(numbers, 3),
            "numbers_differ": (numbers == 0) & sides.numbered[at_a] & sides.numbered[at_b],
            "things": np.minimum(things, 2),
            "things_differ": (things == 0) & one_thing,
            "names": np.minimum(names, 4),
            "page_words": np.minimum(page, 4),
            "one_page": (columns.source[a] == columns.source[b]) & (columns.source[a] > 0),
            "one_author": (columns.author[a] == columns.author[b]) & (columns.author[a] > 0),
            "one_network": columns.network[a] == columns.network[b],
            "copied": jaccard,
            "contained": contained,
            "relay": flags & 1,
            "reply": reply_a | reply_b,
            "replies": reply_a + reply_b,
            "later_reply": reply_b,
            "short": np.log1p(np.minimum(columns.grams[a], columns.grams[b])),
            "long": np.log1p(np.maximum(columns.grams[a], columns.grams[b])),
            "later_long": np.log1p(columns.grams[b]),
            "most_alone": np.maximum(alone_a, alone_b),
            "least_alone": np.minimum(alone_a, alone_b),
            "later_alone": alone_b,
            "hours": np.log1p(np.abs(columns.times[a] - columns.times[b]) / HOUR),
            "place": places.score,
            "settlement": places.settlement,
            "street": places.street,
            "house": places.house,
            "landmark": places.landmark,
            "placed": (told_a & 1) + (told_b & 1),
            "streets_told": (told_a >> 1 & 1) + (told_b >> 1 & 1),
            "settlements_told": (told_a >> 2 & 1) + (told_b >> 2 & 1),
            "houses_told": (told_a >> 3 & 1) + (told_b >> 3 & 1),
            "landmarks_told": (told_a >> 4 & 1) + (told_b >> 4 & 1),
            "streets": np.maximum(columns.streets[a], columns.streets[b]),
            "houses": np.maximum(columns.houses[a], columns.houses[b]),
            "page_town": np.where(by_page, np.where(town_a == town_b, 1, -1), 0),
            "routes_differ": (route_a > 0) & (route_b > 0) & (route_a != route_b),
            "towns_differ": ((columns.flags[a] & columns.flags[b]) >> 2).astype(bool) & (town_a != town_b),
        }
        for k, name in enumerate(FEATURES):
            out[k, here] = values[name]
    return out.T


def _earlier_first(
    columns: Columns, left: NDArray[np.intp], right: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Turn pairs so that which post comes first does not hang on the order of rows."""
    gap = columns.times[left] - columns.times[right]
    turned = (gap > 0) | ((gap == 0) & (columns.code[left] > columns.code[right]))
    return np.where(turned, right, left), np.where(turned, left, right)


def _cosine(steps: NDArray[np.int16], a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return row-wise products of unit rows held in steps: whole numbers below 2**23, so exact in float32."""
    parts = [
        np.einsum(
            "ij,ij->i",
            steps[a[first : first + _FEW]].astype(np.float32),
            steps[b[first : first + _FEW]].astype(np.float32),
        )
        for first in range(0, len(a), _FEW)
    ]
    return np.asarray(np.concatenate(parts) * np.float32(STEP * STEP), dtype=np.float32)
