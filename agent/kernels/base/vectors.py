"""Loops over vectors, in place: what kernels of all kinds are made of.

They work on whole vectors or on one row of a matrix: compiled code vectorizes over a slice, but not over ``row + j``,
and only up to about four arrays a loop. A slice assignment would cost several times more in a small kernel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .arrays import row
from .jit import SATURATION, TINY, disjoint, kernel


@kernel
def clip(x: float, low: float, high: float) -> float:
    """Return x brought between two bounds."""
    return min(max(x, low), high)


@kernel
def flushed(x: float, floor: float) -> float:
    """Return x, or 0 if it is not above `floor` in magnitude."""
    return x if abs(x) > floor else 0.0


@kernel
def fill(out: NDArray, value: float) -> None:
    """Set every element of a vector, in place."""
    constant = out.dtype.type(value)
    for k in range(out.shape[0]):
        out[k] = constant


@kernel
@disjoint
def copy(source: NDArray, out: NDArray) -> None:
    """Copy `source` to the first elements of `out`, in place."""
    for k in range(source.shape[0]):
        out[k] = source[k]


@kernel
@disjoint
def add_scaled(out: NDArray, factor: float, source: NDArray) -> None:
    """``out += factor source`` for vectors of one length, in place."""
    scale = out.dtype.type(factor)
    for k in range(out.shape[0]):
        out[k] += scale * source[k]


@kernel
@disjoint
def add_product(a: NDArray, b: NDArray, out: NDArray) -> None:
    """``out += a b``, elementwise, for vectors of one length, in place."""
    for k in range(out.shape[0]):
        out[k] += a[k] * b[k]


@kernel
def scale(source: NDArray, factor: float, out: NDArray) -> None:
    """Write ``factor source`` to `out`, a vector of the same length, in place."""
    for j in range(out.shape[0]):
        out[j] = factor * source[j]


@kernel
def scale_saturating(x: NDArray, factor: float) -> None:
    """``x <- factor x``, worked out in float64 and cut off at +-SATURATION, in place."""
    for k in range(x.shape[0]):
        x[k] = clip(np.float64(x[k]) * factor, -SATURATION, SATURATION)


@kernel
@disjoint
def leaky_filter(trace: NDArray, keep: float, gain: float, source: NDArray) -> None:
    """``trace <- keep trace + gain source``, flushed, in place, for vectors of one length."""
    real = trace.dtype.type
    factor, tiny, zero = real(gain), real(TINY), real(0.0)
    for j in range(source.shape[0]):
        filtered = keep * trace[j] + factor * source[j]
        trace[j] = filtered if np.abs(filtered) > tiny else zero


@kernel
@disjoint
def running_mean(rate: float, sample: NDArray, mean: NDArray, floor: float) -> None:
    """``mean <- mean + rate (sample - mean)``, elementwise, float32, in place; 0 up to `floor` in magnitude."""
    real = mean.dtype.type
    step, tiny, zero = real(rate), real(floor), real(0.0)
    for i in range(sample.shape[0]):
        moved = mean[i] + step * (sample[i] - mean[i])
        mean[i] = moved if np.abs(moved) > tiny else zero


@kernel
@disjoint
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
