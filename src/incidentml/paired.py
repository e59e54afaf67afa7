"""Two models on the same posts: is the difference more than chance, what was mended and what broken, who moved.

Both models judge the same posts, so their errors go together and two separate intervals say little. Here the
difference is drawn: each draw of the bootstrap takes the same posts for both.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from incidentml.intervals import Interval, bootstrap_many
from incidentml.partitions import Labels, partition_codes

__all__ = ["OUTCOMES", "Difference", "MovedPairs", "moved_pairs", "outcomes", "paired", "regrouped"]

#: What may come of a post, as `outcomes` says.
OUTCOMES = ("both right", "mended", "broken", "both wrong")

Statistics = Callable[[NDArray[np.float64]], Sequence[float]]


class Difference(NamedTuple):
    """A figure of model A and of model B, and B − A, each with its interval."""

    a: Interval
    b: Interval
    difference: Interval

    @property
    def significant(self) -> bool:
        """Whether the interval of the difference leaves out zero."""
        return self.difference.low > 0 or self.difference.high < 0


def paired(
    a: Statistics, b: Statistics, groups: Sequence[Any] | NDArray[Any], *, n_boot: int = 1000, seed: int = 0
) -> list[Difference]:
    """Compare the figures of two models by a paired bootstrap over whole groups.

    Parameters
    ----------
    a, b : callable
        Weights of rows to figures, the same ones in the same order for both models.
    groups : sequence
        What is drawn together, such as the incident or author of each row; None is a group of one row.
    n_boot : int
        Draws.
    seed : int

    Returns
    -------
    list of Difference
        One for each figure.

    Examples
    --------
    >>> one, other = np.array([1.0, 0.0, 0.0, 1.0]), np.ones(4)
    >>> (found,) = paired(lambda w: [w @ one / w.sum()], lambda w: [w @ other / w.sum()], "abcd", n_boot=200)
    >>> found.a.value, found.b.value, found.difference.value
    (0.5, 1.0, 0.5)
    """

    def both(weights: NDArray[np.float64]) -> list[float]:
        left, right = a(weights), b(weights)
        return [*left, *right, *(after - before for before, after in zip(left, right, strict=True))]

    found = bootstrap_many(both, groups, n_boot=n_boot, seed=seed)
    size = len(found) // 3
    return [Difference(*found[at::size]) for at in range(size)]


def outcomes(right_a: ArrayLike, right_b: ArrayLike) -> NDArray[np.str_]:
    """Tell for each post whether both models are right, B mended it, B broke it, or both are wrong.

    Examples
    --------
    >>> outcomes([True, False, True, False], [True, True, False, False]).tolist()
    ['both right', 'mended', 'broken', 'both wrong']
    """
    a, b = np.asarray(right_a, dtype=bool), np.asarray(right_b, dtype=bool)
    chosen: NDArray[np.str_] = np.array(OUTCOMES)[2 * ~b + ~a]
    return chosen


class MovedPairs(NamedTuple):
    """Pairs of posts that one model keeps together and the other apart."""

    joined_right: int
    joined_wrong: int
    parted_right: int
    parted_wrong: int


def moved_pairs(gold: Labels, a: Labels, b: Labels) -> MovedPairs:
    """Count the pairs that B joined or parted, by whether gold agrees; None is a post alone.

    Examples
    --------
    >>> moved_pairs(["i", "i", "j"], ["x", None, "x"], ["x", "x", None])
    MovedPairs(joined_right=1, joined_wrong=0, parted_right=1, parted_wrong=0)
    """
    g, before, after = (partition_codes(labels).tolist() for labels in (gold, a, b))
    kept, kept_right = _pairs(before, after), _pairs(g, before, after)
    joined, joined_right = _pairs(after) - kept, _pairs(g, after) - kept_right
    parted, parted_wrong = _pairs(before) - kept, _pairs(g, before) - kept_right
    return MovedPairs(joined_right, joined - joined_right, parted - parted_wrong, parted_wrong)


def _pairs(*labels: list[int]) -> int:
    """Count the pairs that are together in every one of some partitions."""
    return sum(size * (size - 1) // 2 for size in Counter(zip(*labels, strict=True)).values())


def regrouped(a: Labels, b: Labels) -> list[list[list[int]]]:
    """Return the groups of B that hold posts of several groups of A: rows, by group of A, most rows first.

    Called the other way round it gives what was split.

    Examples
    --------
    >>> regrouped(["x", "x", None, "y"], ["p", "p", "p", "q"])
    [[[0, 1], [2]]]
    """
    parts: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row, (before, after) in enumerate(
        zip(partition_codes(a).tolist(), partition_codes(b).tolist(), strict=True)
    ):
        parts[after][before].append(row)
    several = [list(group.values()) for group in parts.values() if len(group) > 1]
    return sorted(several, key=lambda group: (-sum(map(len, group)), group))
