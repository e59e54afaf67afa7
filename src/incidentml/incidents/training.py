"""Learning the pair model and the joining floor from posts whose incidents are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from incidentml.errors import DataError
from incidentml.incidents.candidates import Candidates, find_candidates
from incidentml.incidents.clustering import Grouping, cluster_links
from incidentml.incidents.columns import Columns
from incidentml.incidents.company import Company
from incidentml.incidents.links import pair_features
from incidentml.incidents.model import PairModel

__all__ = ["fit_company", "fit_links"]

_FLOORS = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55)
_DEFAULT_FLOOR = 0.35
#: Parts that posts of a single region are cut into.
_PARTS = 5
#: Mean F1 that may be given up for fewer false merges: they hide a problem, false splits show one twice.
_AS_GOOD = 0.01


def fit_company(
    stems: Sequence[Sequence[int]], columns: Columns, labels: Sequence[str | None]
) -> tuple[Company, NDArray[np.float32]]:
    """Return what tells that a post is alone, and the solitude of each post as learnt without its region.

    Posts of a single region are cut in parts, with each incident in one.
    """
    ties = np.unique(np.array([label or f"\x00{i}" for i, label in enumerate(labels)]), return_inverse=True)[1]
    alone = np.bincount(ties)[ties] == 1
    parts = columns.region
    if len(np.unique(parts)) < 2:
        first = np.full(len(labels), np.iinfo(np.uint64).max, dtype=np.uint64)
        np.minimum.at(first, ties, columns.code)
        parts = first[ties] % np.uint64(_PARTS)
    order = np.argsort(columns.code, kind="stable")  # the same sums in whatever order the posts came
    unseen = np.zeros(len(labels), dtype=np.float32)

    def learn(rows: NDArray[np.intp]) -> Company:
        return Company.learn([stems[row] for row in rows.tolist()], columns.take(rows), alone[rows])

    for part in np.unique(parts):
        here = np.flatnonzero(parts == part)
        others = learn(order[parts[order] != part])
        unseen[here] = others.solitude([stems[row] for row in here.tolist()], columns.take(here))
    return learn(order), unseen


def fit_links(
    columns: Columns,
    labels: Sequence[str | None],
    rules: Candidates,
    link_floor: float,
    join_floor: float | None,
) -> tuple[PairModel, float]:
    """Return the pair model, calibrated on left-out regions, and the floor for joining groups.

    The floor, if not given, is the one with the best pairwise F1, in the mean of regions each left out in turn.
    """
    n = len(columns)
    found = [work() for work in find_candidates(columns, np.arange(n), np.ones(n, dtype=bool), rules)]
    # Pairs in an order of their own, whatever pieces they were found in.
    pairs = np.unique(np.concatenate([np.stack([p.left, p.right], axis=1) for p in found]), axis=0)
    left, right = pairs[:, 0], pairs[:, 1]
    features = pair_features(columns, left, right)
    gold = np.unique(np.array([label or f"\x00{i}" for i, label in enumerate(labels)]), return_inverse=True)[1]
    same = gold[left] == gold[right]
    if not same.any() or same.all():
        raise DataError(
            "fit: needs posts of one incident and posts of different ones, close in time in one region"
        )
    model = PairModel.fit(features, same)
    regions = np.unique(columns.region)
    if len(regions) < 2:
        return model, join_floor if join_floor is not None else _DEFAULT_FLOOR
    unseen = np.zeros(len(left))
    told = np.zeros(len(left), dtype=bool)
    for region in regions:
        here = columns.region[left] == region
        if here.any() and same[~here].any():
            unseen[here] = PairModel.fit(features[~here], same[~here]).log_odds(features[here])
            told |= here
    model = model.calibrated(unseen[told], same[told])
    if join_floor is not None:
        return model, join_floor
    probability = model.of_log_odds(unseen, features)
    kept = told & (probability >= link_floor)
    rank = columns.rank()
    order = np.argsort(rank)
    links = rank[left[kept]], rank[right[kept]], probability[kept]
    inside = [columns.region[order] == region for region in regions]
    scores = np.zeros(len(_FLOORS))
    for at, floor in enumerate(_FLOORS):
        joined = cluster_links(n, links, Grouping(floor), columns.naming.take(order))
        scores[at] = np.mean([_pair_f1(joined[rows], gold[order][rows]) for rows in inside])
    # Of floors that are nearly as good, the highest: it merges fewer problems that only look alike.
    return model, max(np.array(_FLOORS)[scores >= scores.max() - _AS_GOOD].tolist())


def _pair_f1(found: NDArray[np.intp], gold: NDArray[np.intp]) -> float:
    def pairs(labels: NDArray[np.intp]) -> int:
        counts = np.unique(labels, return_counts=True)[1].astype(np.int64)
        return int((counts * (counts - 1) // 2).sum())

    both = pairs(found * (gold.max() + 1) + gold)
    return 2 * both / max(pairs(found) + pairs(gold), 1)
