"""Learning signals: the gradient at the readout, carried down through the layers of one tick."""

from __future__ import annotations

from numpy.typing import NDArray

from .jit import fill, kernel


@kernel
def readout_signal(weights: NDArray, features: int, gradient: NDArray, first: int, out: NDArray) -> None:
    """``S_i = sum_k W_out[k, first + i] g_k``: symmetric feedback to the neurons that start at column `first`.

    weights (K features,) by rows, gradient (K,), out (n,), float32; `out` in place.
    """
    fill(out, 0.0)
    for k in range(gradient.shape[0]):
        factor = gradient[k]
        row = weights[k * features + first : (k + 1) * features]
        for i in range(out.shape[0]):
            out[i] += factor * row[i]


@kernel
def descend(weights: NDArray, m: int, signal: NDArray, psi: NDArray, out: NDArray) -> None:
    """``S^{l-1}_j = sum_i W_ij S_i psi_i`` over the first columns of `weights`, which hold the spikes from below.

    weights (n m,) by rows, signal (n,), psi (n,), out (n_below,), float32; `out` in place.
    """
    fill(out, 0.0)
    for i in range(signal.shape[0]):
        factor = signal[i] * psi[i]
        if factor != 0.0:
            row = weights[i * m : (i + 1) * m]
            for j in range(out.shape[0]):
                out[j] += factor * row[j]
