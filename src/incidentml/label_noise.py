"""Which labels of a set are likely wrong, and how many: confident learning on predictions held out of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LabelNoise", "Suspect", "label_issues"]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A label to look at again.

    Attributes
    ----------
    row : int
        Of `labels`.
    given, likely : object
        The label that is there, and the one that the model is confident of.
    margin : float
        Probability of the given label less that of the likely one, from -1: the lower, the more suspicious.
    """

    row: int
    given: Any
    likely: Any
    margin: float


@dataclass(frozen=True, slots=True)
class LabelNoise:
    """An estimate of wrong labels.

    Attributes
    ----------
    rows : int
        Labels judged.
    noise_rate : float
        Estimated share of wrong ones, 0 to 1.
    suspects : tuple of Suspect
        Most suspicious first. Rows that a careful person should read, not rows to be changed unread: a model that
        is wrong and sure, as on a rare class, puts good labels here too.
    confusions : tuple of (object, object, float)
        Given label, likely label and the estimated number of such rows, most first.
    """

    rows: int
    noise_rate: float
    suspects: tuple[Suspect, ...]
    confusions: tuple[tuple[Any, Any, float], ...]


def label_issues(proba: ArrayLike, labels: Sequence[Any], classes: Sequence[Any] | None = None) -> LabelNoise:
    """Estimate how many labels are wrong and rank those that probably are.

    Parameters
    ----------
    proba : array of shape (n, k)
        Probabilities of `classes` by a model that has not learnt from the row, nor from its territory, incident or
        author (see `incidentml.splits`).
    labels : sequence
        The label given to each row.
    classes : sequence, optional
        Of the columns; by default the sorted labels that occur.

    Returns
    -------
    LabelNoise

    Raises
    ------
    ValueError
        If shapes do not agree, a label is not among `classes`, or a row is not a distribution.

    Notes
    -----
    Northcutt, Jiang and Chuang (2021), Confident learning: estimating uncertainty in dataset labels, JAIR 70. A
    row counts as class j if its probability of j is at least the mean that rows labelled j get (of several such
    j, the likeliest). These counts, scaled so that each given label has as many rows as there are, estimate the
    joint distribution of given and true labels; what is off the diagonal is noise. Ranked by normalised margin.

    Examples
    --------
    >>> proba = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.05, 0.95]]
    >>> noise = label_issues(proba, ["road", "road", "water", "water", "road"])
    >>> [(suspect.row, suspect.given, suspect.likely) for suspect in noise.suspects]
    [(4, 'road', 'water')]
    >>> round(noise.noise_rate, 2)
    0.2
    """
    names = sorted(set(labels)) if classes is None else list(classes)
    rows = _checked(proba, len(labels), len(names))
    place = {name: column for column, name in enumerate(names)}
    if odd := sorted({str(label) for label in labels if label not in place}):
        raise ValueError(f"labels: {odd[:5]} are not among classes {names[:20]}; give every class a column")
    given = np.array([place[label] for label in labels], dtype=np.intp)
    if not len(given):
        return LabelNoise(0, 0.0, (), ())
    likely = _confident(rows, given)
    sure = likely >= 0
    joint = np.zeros((len(names), len(names)))
    np.add.at(joint, (given[sure], likely[sure]), 1.0)
    counts = np.bincount(given, minlength=len(names)).astype(np.float64)
    # A label none of whose rows is sure of anything is taken at its word.
    silent = (joint.sum(axis=1) == 0) & (counts > 0)
    joint[silent, silent] = 1.0
    joint *= (counts / np.maximum(joint.sum(axis=1), 1.0))[:, None]
    wrong = joint - np.diag(np.diag(joint))
    at = np.arange(len(given))
    margin = rows[at, given] - rows[at, likely]
    order = sorted(np.flatnonzero(sure & (likely != given)).tolist(), key=lambda row: (margin[row], row))
    pairs = sorted(zip(*np.nonzero(wrong), strict=True), key=lambda pair: (-wrong[pair], pair))
    return LabelNoise(
        rows=len(given),
        noise_rate=float(wrong.sum() / len(given)),
        suspects=tuple(Suspect(r, names[given[r]], names[likely[r]], round(float(margin[r]), 6)) for r in order),
        confusions=tuple((names[i], names[j], round(float(wrong[i, j]), 2)) for i, j in pairs),
    )


def _checked(proba: ArrayLike, n: int, k: int) -> NDArray[np.float64]:
    rows = np.asarray(proba, dtype=np.float64)
    if rows.shape != (n, k):
        raise ValueError(f"proba has shape {rows.shape}, expected {(n, k)}: one row a label, one column a class")
    if n and (not np.isfinite(rows).all() or rows.min() < 0 or np.abs(rows.sum(axis=1) - 1).max() > 1e-3):
        raise ValueError("proba: every row must hold probabilities that add up to 1; apply a softmax to scores")
    return rows


def _confident(rows: NDArray[np.float64], given: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the class that each row is confident of; -1 where there is none."""
    counts = np.bincount(given, minlength=rows.shape[1])
    sums = np.bincount(given, weights=rows[np.arange(len(given)), given], minlength=rows.shape[1])
    # Nobody has shown what to expect of a class that is never given: nothing is confident of it.
    floor = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    able = np.where(rows >= floor - 1e-12, rows, -1.0)
    return np.where(able.max(axis=1) >= 0, able.argmax(axis=1), -1)
