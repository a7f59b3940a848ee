"""Forward pass of a layer of leaky (LIF) and adaptive (ALIF) integrate-and-fire neurons, current normalised."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .base.arrays import row
from .base.jit import TINY, kernel

SETTINGS = ("gain", "v_th", "reset_strength", "dampening")

VARIANCE_FLOOR = 1e-5


@kernel
def weighted_sum(weights: NDArray, inputs: NDArray, out: NDArray) -> None:
    """Write ``out_i = sum_j weights_ij inputs_j``; (n m,) by rows, (m,), (n,), float32; `out` in place."""
    zero = out.dtype.type(0.0)
    m = inputs.shape[0]
    for i in range(out.shape[0]):
        w = row(weights, i, m)
        total = zero
        for j in range(m):
            total += w[j] * inputs[j]
        out[i] = total


@kernel
def normalize_current(current: NDArray, gain: float) -> float:
    """Normalise the current of a layer over its neurons, in place, and return the factor applied.

    ::

        s = 1 / sqrt(var(I) + 1e-5);   I_i <- gain s (I_i - mean(I))

    Parameters
    ----------
    current : (n,) float32 array, modified in place
    gain : float
        Standard deviation of the normalised current, in units of v_th = 1.

    Returns
    -------
    float
        ``gain * s``, the slope dI_i(out)/dI_i(in) used by the traces (the statistics are treated as constants there).
    """
    n = current.shape[0]
    mean = 0.0
    for i in range(n):
        mean += current[i]
    mean /= n
    var = 0.0
    for i in range(n):
        var += (current[i] - mean) * (current[i] - mean)
    slope = gain / math.sqrt(var / n + VARIANCE_FLOOR)
    real = current.dtype.type
    factor, center = real(slope), real(mean)
    for i in range(n):
        current[i] = factor * (current[i] - center)
    return slope


@kernel
def fire(
    current: NDArray,
    alpha: NDArray,
    rho: NDArray,
    strength: NDArray,
    v_th: float,
    reset_strength: float,
    dampening: float,
    v: NDArray,
    a: NDArray,
    z: NDArray,
    psi: NDArray,
) -> float:
    """Advance membrane and adaptation by one tick, emit spikes, and return their number.

    ::

        v_i <- alpha_i v_i + I_i - reset_strength v_th z_i(t-1)
        a_i <- rho_i a_i + z_i(t-1);   A_i = v_th + strength_i a_i
        z_i  = 1[v_i > A_i];           psi_i = dampening / v_th max(0, 1 - |v_i - A_i| / v_th)

    Bellec et al. 2020, eqs. 6-10 and 20 (soft reset; strength 0 is a LIF neuron).

    Parameters
    ----------
    current, alpha, rho, strength : (n,) float32 arrays
    v_th, reset_strength, dampening : float
    v, a, z, psi : (n,) float32 arrays, modified in place
        On entry `z` holds the spikes of the tick before, on return those of this one.
    """
    spikes = 0.0
    real = v.dtype.type
    tiny = real(TINY)
    threshold, height, inverse = real(v_th), real(dampening / v_th), real(1.0 / v_th)
    fall = real(reset_strength * v_th)
    zero, one = real(0.0), real(1.0)
    for i in range(current.shape[0]):
        membrane = alpha[i] * v[i] + current[i] - fall * z[i]
        adaptation = rho[i] * a[i] + z[i]
        excess = membrane - (threshold + strength[i] * adaptation)
        spike = one if excess > zero else zero
        v[i] = membrane if np.abs(membrane) > tiny else zero
        a[i] = adaptation if adaptation > tiny else zero
        z[i] = spike
        psi[i] = height * max(zero, one - np.abs(excess) * inverse)
        spikes += spike
    return spikes


@kernel
def running_mean(rate: float, sample: NDArray, mean: NDArray, floor: float) -> None:
    """``mean <- mean + rate (sample - mean)``, elementwise, float32, in place; 0 up to `floor` in magnitude."""
    real = mean.dtype.type
    step, tiny, zero = real(rate), real(floor), real(0.0)
    for i in range(sample.shape[0]):
        moved = mean[i] + step * (sample[i] - mean[i])
        mean[i] = moved if np.abs(moved) > tiny else zero
