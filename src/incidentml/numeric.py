"""Products whose bits do not depend on batch size, row order, threads or processor.

Floating-point sums differ with the order of their terms, and BLAS picks an order by shape, thread count and
kernel. Where both factors lie on a fixed binary grid and the sums stay inside the mantissa, every order gives the
same, exact result; so rounding the factors first makes the whole product reproducible at BLAS speed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["VECTOR_BITS", "exact_product", "on_grid", "sigmoid", "softmax", "unit_grid"]

#: Unit vectors on multiples of 2**-11: a product needs 22 fraction bits and, since partial sums of unit rows stay
#: below 4, 24 bits in all, the mantissa of float32.
VECTOR_BITS = 11
_LEFT_BITS, _RIGHT_BITS, _SUM_BITS = 16, 18, 18


def on_grid(values: ArrayLike, bits: int, dtype: type = np.float64) -> NDArray[np.floating]:
    """Round `values` to multiples of ``2**-bits``."""
    scale = float(2**bits)
    scaled = np.asarray(np.multiply(values, scale, dtype=np.float64))
    np.rint(scaled, out=scaled)
    scaled /= scale
    return np.asarray(scaled, dtype=dtype)


def unit_grid(vectors: ArrayLike) -> NDArray[np.float32]:
    """Scale rows to unit length and round them, so that ``a @ b.T`` in float32 is exact.

    Zero rows stay zero.
    """
    rows = np.asarray(vectors, dtype=np.float64)
    norms = np.sqrt(np.square(rows).sum(axis=1, keepdims=True))
    return on_grid(rows / np.where(norms > 0, norms, 1.0), VECTOR_BITS, np.float32)


def exact_product(left: ArrayLike, right: ArrayLike) -> NDArray[np.float64]:
    """Return ``left @ right`` in float64, bit-equal however the rows are batched.

    Parameters
    ----------
    left : array of shape (n, d)
        Features; rounded to 2**-16.
    right : array of shape (d, k) or (d,)
        Weights; rounded to 2**-18.

    Returns
    -------
    ndarray of shape (n, k) or (n,)

    Raises
    ------
    ValueError
        If a value is not finite, or a sum could reach 2**18, where 53 bits no longer hold it exactly.

    Examples
    --------
    >>> exact_product([[1.0, 2.0]], [[0.5], [0.25]])
    array([[1.]])
    """
    a = on_grid(left, _LEFT_BITS)
    b = on_grid(right, _RIGHT_BITS)
    if a.size and b.size:
        bound = np.abs(a).sum(axis=1).max() * np.abs(b).max()
        if not np.isfinite(bound):
            raise ValueError("exact_product: the features hold NaN or infinity; fill or drop these rows")
        if not bound < 2**_SUM_BITS:
            raise ValueError(
                f"exact_product: sums may reach {bound:.3g}, the limit is {2**_SUM_BITS}; scale the features"
            )
    return a @ b


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Row-wise softmax, shifted for stability and rounded to ten decimals."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True)) if scores.size else scores
    total = shifted.sum(axis=1, keepdims=True) if scores.size else 1.0
    return np.round(shifted / total, 10)


def sigmoid(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logistic function without overflow, rounded to ten decimals."""
    return np.round(0.5 * (1.0 + np.tanh(0.5 * scores)), 10)
