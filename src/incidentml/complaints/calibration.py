"""Honest probabilities: a temperature and an offset for complaints, fitted on folds that were left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from incidentml.numeric import softmax

__all__ = ["Calibration", "fit_calibration"]

_MAX_GROUPS = 12
_UNSEEN = -30.0


class Calibration(NamedTuple):
    """``softmax(scores / temperature)`` with `offset` added to the scores of one class."""

    temperature: float = 1.0
    offset: float = 0.0
    column: int | None = None

    def probabilities(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated probabilities, rows summing to one."""
        shifted = scores / self.temperature
        if self.column is not None:
            shifted[:, self.column] += self.offset
        return softmax(shifted)


def fit_calibration(
    scores_of: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]],
    codes: NDArray[np.int64],
    weight: NDArray[np.float64],
    groups: NDArray[Any] | None,
    folds: int,
    column: int | None,
    pages: NDArray[np.bool_] | None = None,
) -> tuple[Calibration, float]:
    """Fit a calibration on scores of rows left out.

    Parameters
    ----------
    scores_of : callable
        Takes the rows to train on and the rows to score, returns an ``(n_test, n_classes)`` array.
    codes, weight : arrays of shape (n,)
        Class numbers and weights of the rows.
    groups : array of shape (n,) or None
        Rows of one group leave together; rows whose group is None or empty always train.
    folds : int
        Number of folds where there are no groups; below 2: no calibration.
    column : int or None
        The class that gets an offset of its own.
    pages : array of shape (n,), optional
        Rows from pages and channels: their feeds hold fewer complaints than posts that come alone, and an offset
        of their own says so. Other rows keep the offset of all, since no page may mean that none is known.

    Returns
    -------
    Calibration, and what is added to the offset of rows from pages
    """
    from scipy.optimize import minimize

    if folds < 2:
        return Calibration(), 0.0
    parts, tested = [], []
    for train, test in _splits(codes, groups, folds):
        seen = np.isin(codes[test], np.unique(codes[train]))
        if len(np.unique(codes[train])) < 2 or not seen.any():
            continue
        parts.append(scores_of(train, test[seen]))
        tested.append(test[seen])
    if not parts:
        return Calibration(), 0.0
    scores, rows = np.vstack(parts), np.concatenate(tested)

    def best(told: NDArray[np.bool_], bounds: list[tuple[float, float]]) -> NDArray[np.float64]:
        part, target, share = scores[told], codes[rows[told]], weight[rows[told]]

        def loss(free: NDArray[np.float64]) -> float:
            shifted = part * np.exp(-free[0])
            if column is not None:
                shifted[:, column] += free[1]
            shifted -= shifted.max(axis=1, keepdims=True)
            log_p = shifted[np.arange(len(target)), target] - np.log(np.exp(shifted).sum(axis=1))
            return float(-(share @ log_p) / max(share.sum(), 1e-12) + 1e-3 * np.square(free).sum())

        start = [(low + high) / 2 for low, high in bounds]
        return np.asarray(minimize(loss, start, method="L-BFGS-B", bounds=bounds).x, dtype=np.float64)

    log_temperature, offset = best(np.ones(len(rows), dtype=bool), [(-2.0, 2.0), (-4.0, 4.0)]).tolist()
    page = 0.0
    if column is not None and pages is not None and pages[rows].any():
        page = best(pages[rows], [(log_temperature, log_temperature), (-4.0, 4.0)]).tolist()[1] - offset
    return Calibration(round(float(np.exp(log_temperature)), 6), round(offset, 6), column), page


def _splits(
    codes: NDArray[np.int64], groups: NDArray[Any] | None, folds: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    rows = np.arange(len(codes))
    if groups is not None:
        named = np.array(["" if group is None else str(group) for group in groups])
        names = sorted(set(named) - {""})
        if len(names) > 1:
            part = {name: i % _MAX_GROUPS for i, name in enumerate(names)}
            numbers = np.array([part.get(name, -1) for name in named])
            for number in range(min(len(names), _MAX_GROUPS)):
                yield rows[numbers != number], rows[numbers == number]
            return
    numbers = np.zeros(len(codes), dtype=np.int64)
    for code in np.unique(codes):  # each class is dealt out in turn, so that every fold has some of it
        members = rows[codes == code]
        numbers[members] = np.arange(len(members)) % folds
    for number in range(folds):
        if (numbers == number).any() and (numbers != number).any():
            yield rows[numbers != number], rows[numbers == number]
