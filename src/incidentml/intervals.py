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

__all__ = ["Interval", "bootstrap", "bootstrap_many"]

Statistic = Callable[[NDArray[np.float64]], float]


class Interval(NamedTuple):
    """A figure and the percentile interval of its bootstrap: `value`, `low`, `high`."""

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
    return bootstrap_many(lambda w: (statistic(w),), groups, n_boot=n_boot, seed=seed, level=level)[0]


def bootstrap_many(
    statistics: Callable[[NDArray[np.float64]], Sequence[float]],
    groups: Sequence[Any] | NDArray[Any],
    *,
    n_boot: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> list[Interval]:
    """Do `bootstrap` for several figures at once, on the same draws.

    Parameters
    ----------
    statistics : callable
        Weights of rows to several numbers.
    groups, n_boot, seed, level
        As in `bootstrap`.

    Returns
    -------
    list of Interval
        One for each number.

    Raises
    ------
    ValueError
        If `level` is not between 0 and 1.

    Examples
    --------
    >>> hit = np.array([1.0, 0.0, 1.0, 1.0])
    >>> [found.value for found in bootstrap_many(lambda w: (w.sum(), w @ hit), "aabc", n_boot=10)]
    [4.0, 3.0]
    """
    if not 0 < level < 1:
        raise ValueError(f"level is {level}, expected a number between 0 and 1")
    codes = partition_codes(groups)
    values = np.asarray(statistics(np.ones(len(codes))), dtype=np.float64)
    if n_boot <= 0 or not len(codes):
        return [Interval(float(value), float("nan"), float("nan")) for value in values]
    n_groups = int(codes.max()) + 1
    rng = np.random.default_rng(seed)
    draws = np.empty((n_boot, len(values)))
    for draw in range(n_boot):
        counts = np.bincount(rng.integers(n_groups, size=n_groups), minlength=n_groups)
        draws[draw] = statistics(counts[codes].astype(np.float64))
    return [_interval(float(value), column, level) for value, column in zip(values, draws.T, strict=True)]


def _interval(value: float, draws: NDArray[np.float64], level: float) -> Interval:
    known = draws[~np.isnan(draws)]
    if not len(known):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))
