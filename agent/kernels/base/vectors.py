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
def logistic(x: NDArray, bound: float, out: NDArray) -> None:
    """Write ``1 / (1 + exp(-x))``, up to 2e-13 of it, for x cut off at +-bound, at most 40; (n,), `out` in place.

    The exponential is the Taylor polynomial of exp(y), y = -x / 128, seven times squared, in float64: a call of a
    library for each element would cost more than the rest of a memory neuron, and be other bits in another library.
    """
    for i in range(x.shape[0]):
        y = clip(np.float64(x[i]), -bound, bound) * (-1.0 / 128.0)
        p = 1.0 + y * (1.0 / 11.0)
        p = 1.0 + y * (1.0 / 10.0) * p
        p = 1.0 + y * (1.0 / 9.0) * p
        p = 1.0 + y * (1.0 / 8.0) * p
        p = 1.0 + y * (1.0 / 7.0) * p
        p = 1.0 + y * (1.0 / 6.0) * p
        p = 1.0 + y * (1.0 / 5.0) * p
        p = 1.0 + y * (1.0 / 4.0) * p
        p = 1.0 + y * (1.0 / 3.0) * p
        p = 1.0 + y * (1.0 / 2.0) * p
        p = 1.0 + y * p
        p *= p
        p *= p
        p *= p
        p *= p
        p *= p
        p *= p
        p *= p
        out[i] = 1.0 / (1.0 + p)


@kernel
@disjoint
def weighted_sum(weights: NDArray, inputs: NDArray, out: NDArray) -> None:
    """Write ``out_i = sum_j weights_ij inputs_j``; (n m,) by rows, (m,), (n,), float32; `out` in place.

    Four rows at a time, which share what is loaded of the inputs, and whose sums need not wait for each other.
    """
    zero = out.dtype.type(0.0)
    n, m = out.shape[0], inputs.shape[0]
    whole = n - n % 4
    for i in range(0, whole, 4):
        a, b, c, d = row(weights, i, m), row(weights, i + 1, m), row(weights, i + 2, m), row(weights, i + 3, m)
        p, q, r, s = zero, zero, zero, zero
        for j in range(m):
            x = inputs[j]
            p += a[j] * x
            q += b[j] * x
            r += c[j] * x
            s += d[j] * x
        out[i], out[i + 1], out[i + 2], out[i + 3] = p, q, r, s
    for i in range(whole, n):
        w = row(weights, i, m)
        total = zero
        for j in range(m):
            total += w[j] * inputs[j]
        out[i] = total
