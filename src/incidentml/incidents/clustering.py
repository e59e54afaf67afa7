"""From links to incidents inside one piece of the graph, always in canonical order.

Three steps, each of which may be skipped where it has nothing to do:

1. a component beyond `Grouping.most_nodes` is cut into pieces that fit (see `pieces`);
2. in a piece of at least `Grouping.density_from` nodes HDBSCAN finds dense cores: leaves of its tree over
   pooled distances, in which two posts are near if they are linked *and* linked to the same others;
3. cores and single posts join by average linkage down to one floor, so that no chain of single links can tie two
   problems together, and no pair that people told apart can meet. A pair that is hardly linked and names two
   streets counts against the join, so that groups about different streets stay apart though vaguer posts would
   tie them.

HDBSCAN alone takes every pair of posts for a cluster and cannot leave a fragment joined to its whole; alone it is
well below average linkage (``benchmarks/results/incidents.json``). As a first step it takes the work that is
quadratic in Python off large components.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from incidentml.incidents.pieces import bars, by_piece, components, pieces
from incidentml.numeric import on_grid

__all__ = ["Grouping", "average_link", "cluster_component", "cluster_links", "density_cores"]

_LIKELY = 0.5
Links = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]


@dataclass(frozen=True)
class Grouping:
    """How a component is clustered.

    Parameters
    ----------
    join_floor : float
        Two groups join while the mean probability between them reaches this.
    backend : {"hdbscan", "sklearn"}
        Whose HDBSCAN; they may differ only where distances tie exactly.
    density_from : int
        Least number of nodes for density cores.
    core_floor : float
        Least mean probability inside a core.
    most_nodes : int
        Largest component that is clustered as a whole.
    contradiction : float
        What a pair of posts that name different streets takes off the mean, times ``1 - P``.
    """

    join_floor: float
    backend: str = "hdbscan"
    density_from: int = 8
    core_floor: float = 0.7
    most_nodes: int = 500
    contradiction: float = 0.3


def cluster_component(
    n: int,
    links: Links,
    how: Grouping,
    streets: NDArray[np.uint64] | None = None,
    apart: Mapping[int, frozenset[int]] | None = None,
    tied: Mapping[int, frozenset[int]] | None = None,
) -> NDArray[np.intp]:
    """Return for each node of a component the first node of its group.

    Parameters
    ----------
    n : int
        Number of nodes, numbered in canonical order.
    links : tuple of left, right, probability
        Each pair once; a pair without a link counts 0.
    how : Grouping
    streets : ndarray of uint64, optional
        The one street that each node names, 0 if it names none or several.
    apart, tied : mapping of int to frozenset of int, optional
        Nodes that may never meet, and nodes that are one from the start.
    """
    apart, tied = apart or {}, tied or {}
    left, right, probability = links
    order = np.lexsort((np.maximum(left, right), np.minimum(left, right)))
    left, right = np.minimum(left, right)[order], np.maximum(left, right)[order]
    probability = probability[order]
    if n > how.most_nodes and not apart:
        return np.zeros(n, dtype=np.intp)  # alike beyond the highest bar, and too many for anything quadratic
    start = np.arange(n)
    for node, others in sorted(tied.items()):
        for other in sorted(others):
            start[start == max(start[node], start[other])] = min(start[node], start[other])
    if n >= how.density_from:
        start = _with_cores(start, (left, right, probability), how, apart)
    weighed = (left, right, probability)
    if streets is not None and how.contradiction > 0:
        weighed = _contradicted(n, weighed, streets, how.contradiction)
    return average_link(start, weighed, how.join_floor, apart)


def cluster_links(
    n: int, links: Links, how: Grouping, streets: NDArray[np.uint64] | None = None
) -> NDArray[np.intp]:
    """Cluster every component of a graph whose nodes are numbered in canonical order; parameters as for one."""
    left, right, probability = links
    parts = components(np.zeros((len(bars(how.join_floor)), 0), np.int32), n, *links, how.join_floor)
    piece = pieces(parts, np.ones(n, dtype=bool), how.most_nodes)
    labels, local = np.arange(n), np.empty(n, dtype=np.intp)
    for rows, here in by_piece(piece, left, right):
        local[rows] = np.arange(len(rows))
        inside = local[left[here]], local[right[here]], probability[here]
        labels[rows] = rows[cluster_component(len(rows), inside, how, None if streets is None else streets[rows])]
    return labels


def _contradicted(n: int, links: Links, streets: NDArray[np.uint64], toll: float) -> Links:
    """Take the toll off pairs that name different streets, unless they are likely one incident all the same."""
    matrix = np.zeros((n, n))
    matrix[links[0], links[1]] = links[2]
    told = streets > 0
    differ = told[:, None] & told & (streets[:, None] != streets) & (matrix < _LIKELY)
    matrix = np.where(differ, matrix - toll * (1.0 - matrix), matrix)
    left, right = np.nonzero(np.triu(matrix, 1))
    return left, right, matrix[left, right]


def average_link(
    start: NDArray[np.intp],
    links: Links,
    floor: float,
    apart: Mapping[int, frozenset[int]] | None = None,
) -> NDArray[np.intp]:
    """Merge the two groups with the highest mean probability until none reaches `floor`.

    Parameters
    ----------
    start : ndarray of int
        For each node the first node of the group that it starts in.
    links : tuple of left, right, probability
    floor : float
    apart : mapping of int to frozenset of int, optional
        Nodes that may never meet.

    Returns
    -------
    ndarray of int
        For each node the first node of its group.

    Examples
    --------
    >>> links = np.array([0, 1]), np.array([1, 2]), np.array([0.9, 0.6])
    >>> average_link(np.arange(3), links, 0.4).tolist()
    [0, 0, 2]
    """
    first, group = np.unique(start, return_inverse=True)
    n, size = len(first), np.bincount(group).astype(np.float64)
    total = np.zeros((n, n))
    i, j = group[links[0]], group[links[1]]
    np.add.at(total, (np.minimum(i, j), np.maximum(i, j)), links[2])
    total = np.triu(total, 1)
    total += total.T
    barred = np.eye(n, dtype=bool)
    for node, others in (apart or {}).items():
        barred[group[node], group[list(others)]] = barred[group[list(others)], group[node]] = True
    # Of each pair the earlier group remembers the mean; every group, its best later partner.
    mean = np.triu(np.where(barred, -np.inf, total / np.outer(size, size)))
    mean[np.tril_indices(n)] = -np.inf
    partner = mean.argmax(axis=1)
    best = mean[np.arange(n), partner]
    owner = np.arange(n)
    while True:
        a = int(best.argmax())
        if not best[a] >= floor:
            return np.asarray(first[owner[group]], dtype=np.intp)
        b = int(partner[a])
        owner[owner == b] = a
        total[a] += total[b]
        total[:, a] = total[a]
        size[a] += size[b]
        barred[a] |= barred[b]
        barred[b] = barred[:, b] = True
        barred[:, a] = barred[a]
        mean[b] = mean[:, b] = -np.inf
        now = np.where(barred[a], -np.inf, total[a] / (size[a] * size))
        mean[a, a + 1 :], mean[:a, a] = now[a + 1 :], now[:a]
        better = np.flatnonzero((now[:a] > best[:a]) | ((now[:a] == best[:a]) & (partner[:a] > a)))
        best[better], partner[better] = now[better], a
        stale = np.flatnonzero((partner == b) | (partner == a))
        stale = np.union1d(stale, [a, b])
        partner[stale] = mean[stale].argmax(axis=1)
        best[stale] = mean[stale, partner[stale]]


def density_cores(probability: NDArray[np.float64], backend: str = "hdbscan") -> NDArray[np.intp]:
    """Return HDBSCAN's leaf clusters over pooled distances, -1 for nodes in none.

    Parameters
    ----------
    probability : ndarray of shape (n, n)
        Symmetric, ones on the diagonal.
    backend : {"hdbscan", "sklearn"}
    """
    # The shared part of two neighbourhoods, against the smaller of them. On a grid the product is exact, so that
    # distances do not hang on threads or processor.
    probability = np.asarray(on_grid(probability, 20), dtype=np.float64)
    strength = probability.sum(axis=1)
    shared = probability @ probability / np.minimum.outer(strength, strength)
    distance = np.round(1.0 - 0.5 * (probability + np.minimum(shared, 1.0)), 9)
    np.fill_diagonal(distance, 0.0)
    distance = np.maximum(distance, 0.0)
    if backend == "hdbscan":
        from hdbscan import HDBSCAN

        model = HDBSCAN(metric="precomputed", min_cluster_size=2, min_samples=1, cluster_selection_method="leaf")
    elif backend == "sklearn":
        from sklearn.cluster import HDBSCAN

        # scikit-learn counts the point itself among its neighbours.
        model = HDBSCAN(
            metric="precomputed", min_cluster_size=2, min_samples=2, cluster_selection_method="leaf", copy=True
        )
    else:
        raise ValueError(f"IncidentClusterer: backend is {backend!r}, expected 'hdbscan' or 'sklearn'")
    return np.asarray(model.fit(distance).labels_, dtype=np.intp)


def _with_cores(
    start: NDArray[np.intp], links: Links, how: Grouping, apart: Mapping[int, frozenset[int]]
) -> NDArray[np.intp]:
    """Start from cores that hold together, each of which keeps clear of what people told apart."""
    n = len(start)
    matrix = np.eye(n)
    matrix[links[0], links[1]] = links[2]
    matrix[links[1], links[0]] = links[2]
    labels = density_cores(matrix, how.backend)
    out = start.copy()
    for label in range(int(labels.max(initial=-1)) + 1):
        rows = np.flatnonzero(labels == label)
        inside = matrix[np.ix_(rows, rows)][np.triu_indices(len(rows), 1)]
        if inside.mean() < how.core_floor or any(apart.get(int(row)) for row in rows):
            continue
        for row in rows[1:].tolist():
            out[out == max(out[row], out[rows[0]])] = min(out[row], out[rows[0]])
    return out
