"""Ridge regression in its dual form, with exact answers for groups of rows left out."""

from __future__ import annotations

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

__all__ = ["Ridge"]

_ROWS = 512


class Ridge:
    """A regression on dense and sparse features in which every row counts alike, whatever its length.

    Parameters
    ----------
    dense : ndarray, shape (rows, a)
    sparse : csr matrix, shape (rows, b)
    penalty : float
        Added to the diagonal of the matrix of products of rows, which all have length one.
    """

    def __init__(self, dense: NDArray[np.float64], sparse: sp.csr_matrix, penalty: float) -> None:
        squares = np.square(dense).sum(axis=1) + np.asarray(sparse.multiply(sparse).sum(axis=1)).ravel()
        scale = 1.0 / np.sqrt(np.maximum(squares, 1e-9))
        self._dense = (dense * scale[:, None]).astype(np.float32)
        self._sparse = (sp.diags(scale) @ sparse).astype(np.float32).tocsr()
        gram = self._dense @ self._dense.T
        across = self._sparse.T.tocsr()
        for start in range(0, len(gram), _ROWS):  # the products of all rows at once would fill memory twice over
            gram[start : start + _ROWS] += (self._sparse[start : start + _ROWS] @ across).toarray()
        gram[np.diag_indices_from(gram)] += np.float32(penalty)
        self._factor = scipy.linalg.cholesky(gram, lower=True, overwrite_a=True, check_finite=False)

    def coefficients(self, target: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return those of the dense and of the sparse features."""
        solved = self._solve(target)
        return (
            (self._dense.T @ solved).astype(np.float64),
            np.asarray(self._sparse.T @ solved, dtype=np.float64),
        )

    def left_out(self, target: NDArray[np.float64], groups: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return for every row the answer of a regression that has not seen the group of the row.

        One inverse serves all groups: with H the penalised products of rows, the answer for a group g is
        ``target_g - inv(inv(H)_gg) @ (inv(H) @ target)_g``.
        """
        (potri,) = scipy.linalg.get_lapack_funcs(("potri",), (self._factor,))
        inverse, _ = potri(self._factor, lower=True)  # fills the lower triangle alone
        solved = self._solve(target).astype(np.float64)
        out = np.zeros(target.shape)
        for group in np.unique(groups):
            held = np.flatnonzero(groups == group)
            block = np.tril(inverse[np.ix_(held, held)]).astype(np.float64)
            block += np.tril(block, -1).T
            out[held] = target[held] - scipy.linalg.solve(block, solved[held], assume_a="pos")
        return out

    def _solve(self, target: NDArray[np.float64]) -> NDArray[np.float32]:
        solved: NDArray[np.float32] = scipy.linalg.cho_solve(
            (self._factor, True), target.astype(np.float32), check_finite=False
        )
        return solved
