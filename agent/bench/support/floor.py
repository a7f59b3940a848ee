"""The least a learning step could cost: reading and writing every weight and every credit once."""

from __future__ import annotations

from ...kernels.base.arrays import floats_at
from ...kernels.base.jit import kernel


@kernel
def sweep(weights_at: int, credit_at: int, size: int, scale: float, decay: float, push: float) -> None:
    """``W <- W + scale credit; credit <- decay credit + push`` in one loop over `size` float32, in place.

    Addresses are passed as the step passes them, so that both pay the same for the call.
    """
    weights, credit = floats_at(weights_at, size), floats_at(credit_at, size)
    real = weights.dtype.type
    factor, keep, constant = real(scale), real(decay), real(push)
    for k in range(weights.shape[0]):
        old = credit[k]
        weights[k] += factor * old
        credit[k] = keep * old + constant
