"""Places as numbers, compared by millions of pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["COMPATIBLE", "CONFLICT", "SAME", "UNKNOWN", "PlaceAgreement", "PlaceCodes", "compare_codes"]

CONFLICT, UNKNOWN, COMPATIBLE, SAME = -1, 0, 1, 2
#: What each agreement of each part adds to the score, in the order conflict, unknown, compatible, same.
_WEIGHTS = np.array(
    [[-0.6, 0.0, 0.05, 0.15], [-0.7, 0.0, 0.3, 0.45], [-0.9, 0.0, 0.15, 0.3], [-0.15, 0.0, 0.05, 0.25]],
    dtype=np.float32,
)
_OTHER_TOWN = np.float32(-0.4)


@dataclass(frozen=True)
class PlaceAgreement:
    """Agreements of many pairs: int8 codes (-1 conflict, 0 unknown, 1 compatible, 2 same) and float32 scores."""

    settlement: NDArray[np.int8]
    street: NDArray[np.int8]
    house: NDArray[np.int8]
    landmark: NDArray[np.int8]
    score: NDArray[np.float32]


class PlaceCodes(NamedTuple):
    """The places of posts as numbers; a row is a function of its post alone, so rows may be kept and put together.

    Each of the three tables has room for the same number of places; a row's `counts` tells how many it fills.
    """

    settlements: NDArray[np.int32]
    addresses: NDArray[np.int32]
    landmarks: NDArray[np.int32]
    counts: NDArray[np.uint8]


def compare_codes(codes: PlaceCodes, left: NDArray[np.intp], right: NDArray[np.intp]) -> PlaceAgreement:
    """Compare row ``left[i]`` with row ``right[i]``, as `PlaceTable.compare`."""
    left, right = np.asarray(left, dtype=np.intp), np.asarray(right, dtype=np.intp)
    settlement = _best(codes.settlements, codes.counts[:, 0], left, right, _settlement_codes, 1)[:, 0]
    street, house = _best(codes.addresses, codes.counts[:, 1], left, right, _address_codes, 2).T
    landmark = _best(codes.landmarks, codes.counts[:, 2], left, right, _landmark_codes, 1)[:, 0]
    score = np.zeros(len(left), dtype=np.float32)
    for part, agreed in enumerate((settlement, street, house, landmark)):
        score += _WEIGHTS[part][agreed + 1]
    # One street name and house number in two towns are two places, however much else agrees.
    score = np.where(settlement == CONFLICT, np.minimum(score, _OTHER_TOWN), score)
    return PlaceAgreement(settlement, street, house, landmark, np.clip(score, -1.0, 1.0))


_Codes = Callable[[NDArray[np.int32], NDArray[np.int32]], NDArray[np.int8]]


def _best(
    table: NDArray[np.int32],
    counts: NDArray[np.uint8],
    left: NDArray[np.intp],
    right: NDArray[np.intp],
    codes: _Codes,
    parts: int,
) -> NDArray[np.int8]:
    """Best code of each part over all combinations; where nothing could be compared it is unknown."""
    missing = np.int8(-2)
    best = np.full((len(left), parts), missing, dtype=np.int8)
    left_count, right_count = counts[left], counts[right]
    rows = np.flatnonzero((left_count > 0) & (right_count > 0))
    for i in range(table.shape[1]):
        rows = rows[left_count[rows] > i]
        here = rows
        for j in range(table.shape[1]):
            here = here[right_count[here] > j]
            if not len(here):
                break
            found = codes(table[left[here], i], table[right[here], j])
            best[here] = np.maximum(best[here], found)
    return np.where(best == missing, np.int8(UNKNOWN), best)


def _settlement_codes(a: NDArray[np.int32], b: NDArray[np.int32]) -> NDArray[np.int8]:
    """Names that differ are in conflict, unless one may be a part of the other or made from it.

    A name that no gazetteer knows is, beside a city, perhaps a part of that city.
    """
    (name, root, city, known), (name2, root2, city2, known2) = a.T, b.T
    within = ((city > 0) & (known2 == 0)) | ((city2 > 0) & (known == 0))
    differ = np.where(root == root2, COMPATIBLE, np.where(within, UNKNOWN, CONFLICT))
    return np.where(np.asarray(name == name2), SAME, differ).astype(np.int8).reshape(-1, 1)


def _address_codes(a: NDArray[np.int32], b: NDArray[np.int32]) -> NDArray[np.int8]:
    """Street and house; -2 where one side does not tell.

    Houses are compared on streets that agree; where a street is missing, an equal number is a hint and another one
    says nothing, since it may stand on another street.
    """
    main, modifier, kind, numbered, house, end, suffix = a.T
    main2, modifier2, kind2, numbered2, house2, end2, suffix2 = b.T
    apart = (main != main2) | ((modifier > 0) & (modifier2 > 0) & (modifier != modifier2))
    vague = (numbered != numbered2) | ((kind > 0) & (kind2 > 0) & (kind != kind2))
    both = ((main > 0) & (main2 > 0)) | ((main < 0) & (main2 < 0))  # below zero are numbered quarters
    street = np.where(both, np.where(apart, CONFLICT, np.where(vague, COMPATIBLE, SAME)), -2)
    suffixes = np.where(suffix == suffix2, SAME, np.where((suffix == 0) | (suffix2 == 0), COMPATIBLE, CONFLICT))
    overlap = np.where((house <= end2) & (house2 <= end), COMPATIBLE, CONFLICT)
    known = np.where((house == house2) & (end == end2), suffixes, overlap)
    hint = np.where(known > UNKNOWN, COMPATIBLE, -2)
    told = (house > 0) & (house2 > 0) & ~(both & apart)
    return np.stack([street, np.where(told, np.where(both, known, hint), -2)], axis=1).astype(np.int8)


def _landmark_codes(a: NDArray[np.int32], b: NDArray[np.int32]) -> NDArray[np.int8]:
    """Only numbers set landmarks of one kind apart: a place has many landmarks, and each has many names.

    What can neither agree nor contradict is -2: beside it, other numbers still contradict.
    """
    (kind, count, name), (kind2, count2, name2) = a.T, b.T
    alike = kind == kind2
    counted, named = (count > 0) & (count2 > 0), (name > 0) & (name2 > 0)
    apart = counted & (count != count2)
    equal = (counted & (count == count2)) | (named & (name == name2))
    vague = ~named & ~counted
    within = np.where(apart, CONFLICT, np.where(equal, SAME, np.where(vague, COMPATIBLE, -2)))
    across = np.where(named & (name == name2), COMPATIBLE, -2)
    return np.asarray(np.where(alike, within, across), dtype=np.int8)[:, None]
