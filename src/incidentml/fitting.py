"""How linear heads are learnt, and judged on rows that they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incidentml.heads import LinearHeads

__all__ = ["checked_features", "checked_labels", "checked_ranks", "held_out_scores", "one_against_rest"]


def checked_features(X: Any, owner: str) -> Any:
    """Return features as a finite array or CSR matrix of two axes; raises `ValueError` for anything else."""
    from sklearn.utils.validation import check_array

    return check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32], estimator=owner)


def checked_labels(values: Iterable[Any] | None, rows: int, owner: str, name: str) -> list[Any]:
    """Return one label a row, None where a table holds nothing (NaN).

    Raises
    ------
    ValueError
        If there are more or fewer labels than rows.
    """
    if values is None:
        return [None] * rows
    labels = [None if isinstance(value, float) and np.isnan(value) else value for value in values]
    if len(labels) != rows:
        raise ValueError(f"{owner}: {rows} rows of features and {len(labels)} {name}; give one for each")
    return labels


def checked_ranks(
    values: Iterable[Any], rows: int, owner: str, name: str, allowed: Sequence[Any]
) -> NDArray[np.intp]:
    """Return the position of each label among those allowed, -1 where there is none; otherwise `ValueError`."""
    labels = checked_labels(values, rows, owner, f"labels of {name}")
    if wrong := [label for label in labels if label is not None and label not in allowed]:
        raise ValueError(f"{owner}: {name} {wrong[0]!r}, expected one of {list(allowed)}, or None if unknown")
    return np.array([-1 if label is None else allowed.index(label) for label in labels], dtype=np.intp)


def one_against_rest(
    design: Any, labels: NDArray[Any], names: NDArray[Any], C: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return weights (names × features) and bias of linear SVMs; a name without examples scores -1."""
    from sklearn.svm import LinearSVC

    weights = np.zeros((len(names), design.shape[1]))
    bias = np.full(len(names), -1.0)
    present = sorted(set(labels.tolist()))
    rows = [names.tolist().index(name) for name in present]
    if len(present) == 1:
        bias[rows] = 1.0
        return weights, bias
    model = LinearSVC(C=C, tol=1e-2, random_state=0).fit(design, labels.astype(str))
    if len(present) == 2:
        weights[rows] = np.vstack([-model.coef_[0], model.coef_[0]])
        bias[rows] = [-model.intercept_[0], model.intercept_[0]]
    else:
        weights[rows], bias[rows] = model.coef_, model.intercept_
    return weights, bias


def held_out_scores(
    fit: Callable[[NDArray[np.intp]], LinearHeads], X: Any, folds: int, groups: Sequence[str] | None
) -> NDArray[np.float64]:
    """Return the scores of every row from heads that saw neither it nor its group.

    Parameters
    ----------
    fit : callable
        Takes the numbers of the rows to learn from.
    X : array or CSR matrix
    folds : int
    groups : sequence of str, optional
        What stays together; by default every row on its own.
    """
    from sklearn.model_selection import GroupKFold, KFold

    size = X.shape[0]
    if groups is None:
        splits = list(KFold(min(folds, size), shuffle=True, random_state=0).split(np.zeros(size)))
    else:
        names = np.asarray(groups, dtype=object)
        if len(set(groups)) < 2:
            raise ValueError(f"groups holds {groups[0]!r} alone: name two groups at least, or none")
        splits = list(GroupKFold(min(folds, len(set(groups)))).split(np.zeros(size), groups=names))
    parts = []
    for train, test in splits:
        parts.append((test, fit(train).scores(X[test])))
    held = np.zeros((size, parts[0][1].shape[1]))
    for test, scores in parts:
        held[test] = scores
    return held
