"""Pieces that are clustered as a whole: components of the graph of links, cut where they are too large.

With enough posts everything hangs together: some link leads from each post to the next. So components are known
for a ladder of bars, and every post is clustered within the widest component around it that is not too large. A
piece is a matter of the posts around it alone, so an update finds the pieces that it has changed and leaves all
others as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["bars", "by_piece", "components", "pieces"]

_LADDER = (*(0.05 * step for step in range(1, 20)), 0.97, 0.98, 0.99)


def bars(floor: float) -> tuple[float, ...]:
    """Return the ladder of bars, `floor` first."""
    return (floor, *(bar for bar in _LADDER if bar > floor))


def components(
    parts: NDArray[np.int32],
    n: int,
    left: NDArray[np.integer],
    right: NDArray[np.integer],
    probability: NDArray[np.float64],
    floor: float,
) -> NDArray[np.int32]:
    """Return for each bar of the ladder the first row of the component that each of `n` rows is in.

    Parameters
    ----------
    parts : ndarray of shape (bars, rows)
        What this function returned for the first rows, with the links among them.
    n : int
        Number of rows.
    left, right, probability : ndarray
        Links that are not in `parts` yet; a tie counts as a link of probability 1.
    floor : float
        The lowest bar.
    """
    ladder = bars(floor)
    out = np.tile(np.arange(n, dtype=np.int32), (len(ladder), 1))
    out[:, : parts.shape[1]] = parts
    strong = probability >= floor
    left, right, probability = left[strong], right[strong], probability[strong]
    # From the highest bar down: what is together there is together below.
    order = np.argsort(-probability, kind="stable")
    left, right = left[order], right[order]
    stops = np.searchsorted(-probability[order], -np.array(ladder), side="right")
    for level in range(len(ladder) - 1, -1, -1):
        a, b = left[: stops[level]], right[: stops[level]]
        if level + 1 < len(ladder) and not parts.shape[1]:
            out[level] = out[level + 1]
            a, b = left[stops[level + 1] : stops[level]], right[stops[level + 1] : stops[level]]
        out[level] = _joined(out[level], a, b)
    return out


def _joined(label: NDArray[np.int32], left: NDArray[np.integer], right: NDArray[np.integer]) -> NDArray[np.int32]:
    """Return the labels after the components of both ends of each link have become one."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    a, b = label[left], label[right]
    differ = a != b
    if not differ.any():
        return label
    nodes, at = np.unique(np.concatenate([a[differ], b[differ]]), return_inverse=True)
    half = len(at) // 2
    graph = coo_matrix((np.ones(half, dtype=np.int8), (at[:half], at[half:])), shape=(len(nodes), len(nodes)))
    _, group = connected_components(graph, directed=False)
    first = np.full(group.max() + 1, len(label), dtype=np.int32)
    np.minimum.at(first, group, nodes)
    target = np.arange(len(label), dtype=np.int32)
    target[nodes] = first[group]
    return target[label]


def pieces(parts: NDArray[np.int32], stands: NDArray[np.bool_], most: int) -> NDArray[np.int64]:
    """Return the piece of each row that stands for its copies, -1 for the others.

    That is its component at the lowest bar at which that has at most `most` rows; at the highest bar any.
    """
    out = np.full(len(stands), -1, dtype=np.int64)
    rest = np.flatnonzero(stands)
    for level, label in enumerate(parts):
        size = np.bincount(label[rest], minlength=len(label))
        fits = size[label[rest]] <= most
        if level + 1 == len(parts):
            fits[:] = True
        here = rest[fits]
        out[here] = (np.int64(level) << 40) + label[here]
        rest = rest[~fits]
    return out


def by_piece(
    piece: NDArray[np.int64], left: NDArray[np.integer], right: NDArray[np.integer]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield (rows, links among them) of each piece of two rows or more; rows of piece -1 take no part."""
    order = np.argsort(piece, kind="stable")
    order = order[np.searchsorted(piece[order], 0) :]
    starts = np.flatnonzero(np.concatenate([[True], np.diff(piece[order]) > 0])) if len(order) else order
    number = np.full(len(piece), -1, dtype=np.intp)
    stops = np.append(starts[1:], len(order))
    number[order] = np.repeat(np.arange(len(starts)), stops - starts)
    inside = np.flatnonzero((number >= 0)[left])  # most links have no part in an update
    of_link = number[left[inside]]
    within = of_link == number[right[inside]]
    inside, of_link = inside[within], of_link[within]
    order_of_links = np.argsort(of_link, kind="stable")
    inside = inside[order_of_links]
    link_starts = np.searchsorted(of_link[order_of_links], np.arange(len(starts) + 1))
    for k in np.flatnonzero(stops - starts > 1).tolist():
        yield order[starts[k] : stops[k]], inside[link_starts[k] : link_starts[k + 1]]
