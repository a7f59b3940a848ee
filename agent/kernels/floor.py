"""The least a learning step could cost: reading and writing every weight and every credit once."""

from __future__ import annotations

from numpy.typing import NDArray

from .jit import entry


@entry
def sweep(weights: NDArray, credit: NDArray, scale: float, decay: float, push: float) -> None:
    """``W <- W + scale credit; credit <- decay credit + push`` in one loop; flat float32 arrays, in place."""
    real = weights.dtype.type
    factor, keep, constant = real(scale), real(decay), real(push)
    for k in range(weights.shape[0]):
        old = credit[k]
        weights[k] += factor * old
        credit[k] = keep * old + constant
