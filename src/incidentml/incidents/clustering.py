"""From links to incidents inside one connected component, always in canonical order."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["average_link"]


def average_link(
    n: int,
    left: NDArray[np.intp],
    right: NDArray[np.intp],
    probability: NDArray[np.float64],
    floor: float,
    apart: Mapping[int, frozenset[int]] | None = None,
) -> NDArray[np.intp]:
    """Merge the two groups with the highest mean probability until none reaches `floor`.

    Parameters
    ----------
    n : int
        Number of nodes, in canonical order.
    left, right, probability : ndarray
        Links, each once; a pair without a link counts 0.
    floor : float
    apart : mapping of int to frozenset of int, optional
        Nodes that may never meet.

    Returns
    -------
    ndarray of int
        For each node the smallest node of its group.

    Examples
    --------
    >>> average_link(3, np.array([0, 1]), np.array([1, 2]), np.array([0.9, 0.6]), 0.4).tolist()
    [0, 0, 2]
    """
    near: list[dict[int, float]] = [{} for _ in range(n)]
    heap: list[tuple[float, int, int, int, int]] = []
    for a, b, p in zip(left.tolist(), right.tolist(), probability.tolist(), strict=True):
        near[a][b] = near[b][a] = p
        if p >= floor:
            heap.append((-p, min(a, b), max(a, b), 0, 0))
    heapq.heapify(heap)
    size, version, owner = [1] * n, [0] * n, list(range(n))
    barred = [set(apart.get(i, ())) if apart else set() for i in range(n)]
    while heap:
        _, a, b, seen_a, seen_b = heapq.heappop(heap)
        if version[a] != seen_a or version[b] != seen_b or b in barred[a]:
            continue
        for other, total in near[b].items():
            if other != a:
                near[a][other] = near[a].get(other, 0.0) + total
                near[other][a] = near[a][other]
                del near[other][b]
        near[a].pop(b, None)
        near[b] = {}
        for other in barred[b]:
            barred[other].discard(b)
            barred[other].add(a)
        barred[a] |= barred[b]
        size[a] += size[b]
        version[a] += 1
        version[b] = -1
        owner[b] = a
        for other, total in near[a].items():
            mean = total / (size[a] * size[other])
            if mean >= floor:
                first, second = min(a, other), max(a, other)
                heapq.heappush(heap, (-mean, first, second, version[first], version[second]))
    labels = np.empty(n, dtype=np.intp)
    for i in range(n):
        root = i
        while owner[root] != root:
            root = owner[root]
        labels[i] = root
    return labels
