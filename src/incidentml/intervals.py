"""Bootstrap intervals for weighted statistics, over whole groups.

Posts of one incident, or of one author, are not independent: rows resampled one by one would give intervals far
too narrow, so groups are drawn instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from incidentml.partitions import partition_codes

__all__ = ["Interval", "bootstrap"]

Statistic = Callable[[NDArray[np.float64]], float]


class Interval(NamedTuple):
    """A figure and the percentile interval of its bootstrap."""

    value: float
    low: float
    high: float


def bootstrap(
    statistic: Statistic,
    groups: Sequence[Any] | NDArray[Any],
    *,
    n_boot: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Percentile interval of a weighted statistic when whole groups are drawn with replacement.

    Parameters
    ----------
    statistic : callable
        Weights of rows to a number; unit weights give the figure itself.
    groups : sequence
        The group of each row; None is a group of one row.
    n_boot : int
        Draws; 0 gives the figure alone, with NaN for the interval.
    seed : int
    level : float
        Share of draws inside the interval.

    Returns
    -------
    Interval

    Notes
    -----
    Efron and Tibshirani (1993), chapter 13; resampling of clusters as in Davison and Hinkley (1997), section 3.8.
    Draws on which the statistic is undefined (NaN) are left out.

    Examples
    --------
    >>> hit = np.array([1.0, 0.0, 1.0, 1.0])
    >>> bootstrap(lambda w: float(w @ hit / w.sum()), ["a", "a", "b", "c"], n_boot=200).value
    0.75
    """
    if not 0 < level < 1:
        raise ValueError(f"level is {level}, expected a number between 0 and 1")
    codes = partition_codes(groups)
    value = float(statistic(np.ones(len(codes))))
    if n_boot <= 0 or not len(codes):
        return Interval(value, float("nan"), float("nan"))
    n_groups = int(codes.max()) + 1
    rng = np.random.default_rng(seed)
    draws = np.empty(n_boot)
    for draw in range(n_boot):
        counts = np.bincount(rng.integers(n_groups, size=n_groups), minlength=n_groups)
        draws[draw] = statistic(counts[codes].astype(np.float64))
    draws = draws[~np.isnan(draws)]
    if not len(draws):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))
