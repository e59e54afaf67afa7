"""From links to incidents inside one piece of the graph, always in canonical order.

Three steps, each of which may be skipped where it has nothing to do:

1. a component beyond `Grouping.most_nodes` is cut into pieces that fit (see `pieces`);
2. in a piece of at least `Grouping.density_from` nodes HDBSCAN finds dense cores: leaves of its tree over
   pooled distances, in which two posts are near if they are linked *and* linked to the same others;
3. cores and single posts join by average linkage down to one floor, so that no chain of single links can tie two
   problems together, and no pair that people told apart can meet. Posts that name a place weigh more than those
   that do not; a pair that is hardly linked and names two towns, streets or houses of a street counts against the
   join, so that such groups stay apart though vaguer posts would tie them; and of joins that are about as good the
   one with the larger group comes first: a vague post is rather about what many speak of.

HDBSCAN alone takes every pair of posts for a cluster and cannot leave a fragment joined to its whole; alone it is
well below average linkage (``benchmarks/results/incidents.json``). As a first step it takes the work that is
quadratic in Python off large components.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from incidentml.incidents.pieces import bars, by_piece, components, pieces
from incidentml.numeric import on_grid

__all__ = ["Grouping", "Naming", "average_link", "cluster_component", "cluster_links", "density_cores"]

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
        What a pair of posts that name different places takes off the mean, times ``1 - P``.
    crowd : float
        What a group of e times the weight is worth, in probability, when it is chosen which groups join first.
    """

    join_floor: float
    backend: str = "hdbscan"
    density_from: int = 8
    core_floor: float = 0.7
    most_nodes: int = 500
    contradiction: float = 0.3
    crowd: float = 0.3


class Naming(NamedTuple):
    """The one town, street and house that each post names, 0 if it names none or several, and its weight."""

    town: NDArray[np.uint64]
    street: NDArray[np.uint64]
    house: NDArray[np.uint64]
    weight: NDArray[np.float64]

    def take(self, rows: NDArray[np.intp]) -> Naming:
        """Return the given rows."""
        return Naming(self.town[rows], self.street[rows], self.house[rows], self.weight[rows])

    def differ(self) -> NDArray[np.bool_]:
        """Tell which pairs name different towns, streets, or houses of one street."""

        def told_apart(code: NDArray[np.int16]) -> NDArray[np.bool_]:
            told = code > 0
            return np.asarray(told[:, None] & told & (code[:, None] != code))

        town, street, house = (_short(column) for column in (self.town, self.street, self.house))
        one_street = street[:, None] == street
        return np.asarray(told_apart(town) | told_apart(street) | (told_apart(house) & one_street))


def _short(column: NDArray[np.uint64]) -> NDArray[np.int16]:
    """Return numbers for the values of a column, which compare in less time; 0 stays 0."""
    values, code = np.unique(column, return_inverse=True)
    return np.asarray(code + (values[0] > 0), dtype=np.int16)


def cluster_component(
    n: int,
    links: Links,
    how: Grouping,
    naming: Naming | None = None,
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
    naming : Naming, optional
        The places that the nodes name; without it all nodes weigh the same.
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
    if n >= how.density_from:
        start = _cores(n, (left, right, probability), how, apart)
    for node, others in sorted(tied.items()):
        for other in sorted(others):
            start[start == max(start[node], start[other])] = min(start[node], start[other])
    weighed = (left, right, probability)
    if naming is None:
        return average_link(start, weighed, how.join_floor, apart, crowd=how.crowd)
    if how.contradiction > 0:
        weighed = _contradicted(n, weighed, naming, how.contradiction)
    return average_link(start, weighed, how.join_floor, apart, naming.weight, how.crowd)


def cluster_links(n: int, links: Links, how: Grouping, naming: Naming | None = None) -> NDArray[np.intp]:
    """Cluster every component of a graph whose nodes are numbered in canonical order; parameters as for one."""
    left, right, probability = links
    parts = components(np.zeros((len(bars(how.join_floor)), 0), np.int32), n, *links, how.join_floor)
    piece = pieces(parts, np.ones(n, dtype=bool), how.most_nodes)
    labels, local = np.arange(n), np.empty(n, dtype=np.intp)
    for rows, here in by_piece(piece, left, right):
        local[rows] = np.arange(len(rows))
        inside = local[left[here]], local[right[here]], probability[here]
        labels[rows] = rows[cluster_component(len(rows), inside, how, naming and naming.take(rows))]
    return labels


def _contradicted(n: int, links: Links, naming: Naming, toll: float) -> Links:
    """Take the toll off pairs that name different places, unless they are likely one incident all the same."""
    matrix = np.zeros((n, n))
    matrix[links[0], links[1]] = links[2]
    counted = np.triu(naming.differ() & (matrix < _LIKELY), 1)
    np.subtract(matrix, toll * (1.0 - matrix), out=matrix, where=counted)
    left, right = np.nonzero(matrix)
    return left, right, matrix[left, right]


def average_link(
    start: NDArray[np.intp],
    links: Links,
    floor: float,
    apart: Mapping[int, frozenset[int]] | None = None,
    weight: NDArray[np.float64] | None = None,
    crowd: float = 0.0,
) -> NDArray[np.intp]:
    """Merge groups with a mean probability of at least `floor` until there are none, the best first.

    Best is the highest mean plus `crowd` times the logarithm of the larger group's weight.

    Parameters
    ----------
    start : ndarray of int
        For each node the first node of the group that it starts in.
    links : tuple of left, right, probability
    floor : float
    apart : mapping of int to frozenset of int, optional
        Nodes that may never meet.
    weight : ndarray of float, optional
        How much each node counts in a mean; 1 if not given.
    crowd : float

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
    weight = np.ones(len(start)) if weight is None else weight
    n, size = len(first), np.bincount(group, weights=weight)
    i, j = group[links[0]], group[links[1]]
    pairs = np.minimum(i, j) * n + np.maximum(i, j)
    weighed = links[2] * weight[links[0]] * weight[links[1]]
    total = np.triu(np.bincount(pairs, weighed, minlength=n * n).reshape(n, n), 1)
    total += total.T
    # A group meets neither itself nor what people told apart, however much it grows.
    np.fill_diagonal(total, -np.inf)
    for node, others in (apart or {}).items():
        total[group[node], group[list(others)]] = total[group[list(others)], group[node]] = -np.inf

    def worth(mean: NDArray[np.float64], larger: NDArray[np.float64]) -> list[float]:
        value: list[float] = np.negative(mean + crowd * np.log(larger)).tolist()
        return value

    # The best join first; of equals that of the earliest groups. A group that has changed since is passed over.
    mean = total / (size[:, None] * size)
    i, j = np.nonzero(np.triu(mean >= floor))
    queue = [
        (value, a, b, 0, 0)
        for value, a, b in zip(
            worth(mean[i, j], np.maximum(size[i], size[j])), i.tolist(), j.tolist(), strict=True
        )
    ]
    heapify(queue)
    changed = [0] * n
    alive = np.ones(n, dtype=bool)
    owner = list(range(n))
    while queue:
        _, a, b, *seen = heappop(queue)
        if seen != [changed[a], changed[b]]:
            continue
        owner[b] = a
        alive[b] = False
        total[a] += total[b]
        total[:, a] = total[a]
        size[a] += size[b]
        changed[a] += 1
        changed[b] = -1  # it is no more
        mean = total[a] / (size[a] * size)
        near = np.flatnonzero((mean >= floor) & alive)
        for value, other in zip(worth(mean[near], np.maximum(size[a], size[near])), near.tolist(), strict=True):
            c, d = (a, other) if a < other else (other, a)
            heappush(queue, (value, c, d, changed[c], changed[d]))
    for b, a in enumerate(owner):
        owner[b] = owner[a]  # owners come first
    return np.asarray(first[np.array(owner, dtype=np.intp)[group]], dtype=np.intp)


def density_cores(probability: NDArray[np.float64], backend: str = "hdbscan") -> NDArray[np.intp]:
    """Return HDBSCAN's leaf clusters over pooled distances, -1 for nodes in none.

    Parameters
    ----------
    probability : ndarray of shape (n, n)
        Symmetric, ones on the diagonal.
    backend : {"hdbscan", "sklearn"}
    """
    from scipy.sparse import csr_array

    # The shared part of two neighbourhoods, against the smaller of them. On a grid the product is exact, so that
    # distances do not hang on threads or processor.
    probability = np.asarray(on_grid(probability, 20), dtype=np.float64)
    strength = probability.sum(axis=1)
    share = csr_array(probability) @ probability / np.minimum.outer(strength, strength)
    distance = np.round(1.0 - 0.5 * (probability + np.minimum(share, 1.0)), 9)
    np.fill_diagonal(distance, 0.0)
    distance = np.maximum(distance, 0.0)
    if backend == "hdbscan":
        from hdbscan import hdbscan

        labels, *_ = hdbscan(
            distance, metric="precomputed", min_cluster_size=2, min_samples=1, cluster_selection_method="leaf"
        )
    elif backend == "sklearn":
        from sklearn.cluster import HDBSCAN

        # scikit-learn counts the point itself among its neighbours.
        model = HDBSCAN(
            metric="precomputed", min_cluster_size=2, min_samples=2, cluster_selection_method="leaf", copy=True
        )
        labels = model.fit(distance).labels_
    else:
        raise ValueError(f"IncidentClusterer: backend is {backend!r}, expected 'hdbscan' or 'sklearn'")
    return np.asarray(labels, dtype=np.intp)


def _cores(n: int, links: Links, how: Grouping, apart: Mapping[int, frozenset[int]]) -> NDArray[np.intp]:
    """Return for each node the first of its core, if that holds together and nobody told its posts apart."""
    left, right, probability = links
    matrix = np.eye(n)
    matrix[left, right] = matrix[right, left] = probability
    labels = density_cores(matrix, how.backend)
    out = np.arange(n)
    rows = np.flatnonzero(labels >= 0)
    if not len(rows):
        return out
    names, first, size = np.unique(labels[rows], return_index=True, return_counts=True)
    inside = (labels[left] == labels[right]) & (labels[left] >= 0)
    total = np.bincount(labels[left[inside]], probability[inside], minlength=len(names))
    good = total / (size * (size - 1) / 2) >= how.core_floor
    good[[label for node in apart if apart[node] and (label := int(labels[node])) >= 0]] = False
    kept = rows[good[labels[rows]]]
    out[kept] = rows[first[labels[kept]]]
    return out
