"""Evidence that two posts are about one incident, and the model that turns it into a calibrated probability."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from incidentml.incidents.columns import STEP, Columns
from incidentml.incidents.copies import shared_text
from incidentml.incidents.wording import hits
from incidentml.places import compare_codes

__all__ = ["FEATURES", "Products", "pair_features"]

HOUR = 3600.0
_CHUNK = 8192

FEATURES: tuple[str, ...] = (
    "text",
    "topic",
    "top_topic",
    "subtopic",
    "top_subtopic",
    "problem",
    "words",
    "words_share",
    "what",
    "what_share",
    "where",
    "elsewhere",
    "rarest_word",
    "numbers",
    "numbers_differ",
    "names",
    "page_words",
    "one_page",
    "one_author",
    "one_network",
    "copied",
    "contained",
    "relay",
    "reply",
    "short",
    "long",
    "hours",
    "place",
    "settlement",
    "street",
    "house",
    "landmark",
    "placed",
    "streets_told",
    "routes_differ",
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
    out = np.zeros((len(left), len(FEATURES)), dtype=np.float32)
    left, right = _earlier_first(columns, left, right)
    codes = columns.place_codes
    for first in range(0, len(left), _CHUNK):
        a, b = left[first : first + _CHUNK], right[first : first + _CHUNK]
        chunk = Products.of(columns, a, b) if products is None else products.take(slice(first, first + _CHUNK))
        places = compare_codes(codes, a, b)
        told_a, told_b = columns.told[a], columns.told[b]
        route_a, route_b = columns.route[a], columns.route[b]
        jaccard, contained = shared_text(columns.sketch[a], columns.sketch[b], columns.grams[a], columns.grams[b])
        wa, wb = columns.weights[a], columns.weights[b]
        hit = hits(columns.words[a], columns.words[b])
        shared = (wa * hit).sum(axis=1)
        what_a, what_b = wa * ~columns.placing[a], wb * ~columns.placing[b]
        what = (what_a * hit).sum(axis=1)
        where_a, where_b = columns.where[a], columns.where[b]
        found_a = hits(where_a, np.hstack([where_b, columns.words[b]])).sum(axis=1)
        found_b = hits(where_b, np.hstack([where_a, columns.words[a]])).sum(axis=1)
        where = np.maximum(found_a, found_b)
        lighter = np.minimum(wa.sum(axis=1), wb.sum(axis=1))
        numbers = hits(columns.numbers[a], columns.numbers[b]).sum(axis=1)
        both_numbered = (columns.numbers[a, 0] > 0) & (columns.numbers[b, 0] > 0)
        names = hits(columns.names[a], columns.names[b]).sum(axis=1)
        page = hits(columns.context[a], np.hstack([columns.words[b], columns.context[b]])).sum(axis=1)
        page += hits(columns.context[b], columns.words[a]).sum(axis=1)
        flags = columns.flags[a] | columns.flags[b]
        values = {
            "text": chunk.text,
            "topic": chunk.topic,
            "top_topic": (columns.top[a] == columns.top[b]) if columns.topics.shape[1] else 0.0,
            "subtopic": _sparse_cosine(columns, a, b),
            "top_subtopic": (columns.subtopic[a, 0] == columns.subtopic[b, 0]) & (columns.subtopic[a, 0] > 0),
            "problem": chunk.problem,
            "words": shared,
            "words_share": shared / np.maximum(lighter, 0.25),
            "what": what,
            "what_share": what / np.maximum(np.minimum(what_a.sum(axis=1), what_b.sum(axis=1)), 0.25),
            "where": np.minimum(where, 3),
            "elsewhere": (where == 0) & where_a.any(axis=1) & where_b.any(axis=1),
            "rarest_word": (wa * hit).max(axis=1),
            "numbers": np.minimum(numbers, 3),
            "numbers_differ": both_numbered & (numbers == 0),
            "names": np.minimum(names, 4),
            "page_words": np.minimum(page, 4),
            "one_page": (columns.source[a] == columns.source[b]) & (columns.source[a] > 0),
            "one_author": (columns.author[a] == columns.author[b]) & (columns.author[a] > 0),
            "one_network": columns.network[a] == columns.network[b],
            "copied": jaccard,
            "contained": contained,
            "relay": flags & 1,
            "reply": (flags >> 1) & 1,
            "short": np.log1p(np.minimum(columns.grams[a], columns.grams[b])),
            "long": np.log1p(np.maximum(columns.grams[a], columns.grams[b])),
            "hours": np.log1p(np.abs(columns.times[a] - columns.times[b]) / HOUR),
            "place": places.score,
            "settlement": places.settlement,
            "street": places.street,
            "house": places.house,
            "landmark": places.landmark,
            "placed": (told_a & 1) + (told_b & 1),
            "streets_told": (told_a >> 1) + (told_b >> 1),
            "routes_differ": (route_a > 0) & (route_b > 0) & (route_a != route_b),
        }
        for k, name in enumerate(FEATURES):
            out[first : first + _CHUNK, k] = values[name]
    return out


def _earlier_first(
    columns: Columns, left: NDArray[np.intp], right: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Turn pairs so that which post comes first does not hang on the order of rows."""
    gap = columns.times[left] - columns.times[right]
    turned = (gap > 0) | ((gap == 0) & (columns.code[left] > columns.code[right]))
    return np.where(turned, right, left), np.where(turned, left, right)


def _cosine(steps: NDArray[np.int16], a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return row-wise products of unit rows held in steps: whole numbers below 2**23, so exact in float32."""
    product = np.einsum("ij,ij->i", steps[a].astype(np.float32), steps[b].astype(np.float32))
    return np.asarray(product * np.float32(STEP * STEP), dtype=np.float32)


def _sparse_cosine(columns: Columns, a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return how far the likeliest single topics agree (Bhattacharyya); sums on a grid of 2**-10 are exact."""
    which_a, which_b = columns.subtopic[a], columns.subtopic[b]
    p, q = columns.subtopic_p[a].astype(np.float32), columns.subtopic_p[b].astype(np.float32)
    product = np.zeros(len(a), dtype=np.float32)
    for k in range(which_b.shape[1]):
        product += (p * ((which_a == which_b[:, k : k + 1]) & (which_a > 0))).sum(axis=1) * q[:, k]
    norms = np.square(p).sum(axis=1) * np.square(q).sum(axis=1)
    return np.asarray(product / np.sqrt(np.maximum(norms, np.float32(1e-12))), dtype=np.float32)
