"""The sweep in which credit is used and formed: one row of synapses, or one of memory neurons, at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .base.jit import TINY, disjoint, kernel


@kernel
@disjoint
def credit_row(weights: NDArray, credit: NDArray, step: float, decay: float, factor: float, source: NDArray) -> float:
    """Change a row of weights by the credit of the tick before, then bring that up to date; rows (m,), in place.

    ::

        W_j      <- W_j + step credit_j
        credit_j <- decay credit_j + factor source_j         flushed

    Returns
    -------
    float
        Sum of the absolute credit of the row, for the overshoot bound of the next tick.
    """
    real = weights.dtype.type
    tiny, zero = real(TINY), real(0.0)
    norm = zero
    for j in range(weights.shape[0]):
        old = credit[j]
        weights[j] += step * old
        new = decay * old + factor * source[j]
        new = new if np.abs(new) > tiny else zero
        credit[j] = new
        norm += np.abs(new)
    return norm
