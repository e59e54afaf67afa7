"""One multinomial logistic regression, with a column for every class of the whole fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["solve"]


def solve(
    rows: Any,
    codes: NDArray[np.int64],
    weight: NDArray[np.float64],
    classes: NDArray[Any],
    C: float,
    class_weight: Mapping[Any, float] | str | None,
    max_iter: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Fit scores of classes.

    Parameters
    ----------
    rows : array or sparse matrix of shape (n, d)
    codes : array of shape (n,)
        Places of the labels in `classes`; some classes may be absent.
    weight : array of shape (n,)
    classes, C, class_weight, max_iter
        As in `ComplaintClassifier`.

    Returns
    -------
    weights of shape (d, n_classes), intercepts, steps taken
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    present = np.unique(codes)
    if isinstance(class_weight, Mapping):
        class_weight = {code: class_weight.get(classes[code], 1.0) for code in present}
    model = LogisticRegression(C=C, class_weight=class_weight, max_iter=max_iter)
    with threadpool_limits(limits=1, user_api="blas"):  # more threads only wait for one another
        model.fit(rows, codes, sample_weight=weight)
    coef, intercept = model.coef_.T, model.intercept_
    if len(present) == 2:  # one row for the second class: shared out, so that softmax gives the same
        coef, intercept = np.hstack([-coef / 2, coef / 2]), np.r_[-intercept / 2, intercept / 2]
    full = np.zeros((rows.shape[1], len(classes)))
    bias = np.full(len(classes), intercept.min() - 10.0)
    full[:, present], bias[present] = coef, intercept
    return full, bias, int(model.n_iter_.max())
