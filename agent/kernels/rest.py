"""Rows at rest: synapses of a neuron whose pseudo-derivative is 0 cost one sweep that writes weights alone.

While psi_i is 0 so is e_i, and all that happens to credit and traces of the row is linear, with the same factors for
all of its synapses. They are left as they are, and the factors kept, a few numbers a row::

    epsa = a epsa'                              what is stored is marked by '
    R_1 = r R_1',   R_2 = q R_1' + s R_2'
    credit = c credit' + b R_1' + g R_2'

    W <- W + step credit;   a <- rho a;   r, q, s <- those of R_q <- R_q + share_q (R_{q-1} - R_q), R_0 = 0
    c, b, g <- those of decay credit + U R_1 + D R_1(t-1) + T_2 R_2

In the first tick in which psi_i is not 0 the factors meet those of the sweep that is due then (`awake_row`), after
which what is stored is what there is. Weights are up to date at all times. That is the plain rule of `credit.py`,
`depth.py` and `neuron.py`, but for rounding; where a row may rest there are at most two levels, and nothing but this
file reads its traces (`Dimensions.rests`). In most networks 70 to 90 % of all rows are at rest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .base.arrays import row
from .base.jit import TINY, disjoint, kernel
from .base.vectors import add_scaled, flushed, scale
from .credit_row import credit_row
from .neuron import adaptive_credit_row, adaptive_row
from .views import Layer

# Rows of ``layer.rest``, (n,) each: a, c, the L1 norm of credit (without levels, of credit'); with one level also b and
# r; with two g, q and s.
HELD_EPSA, HELD_CREDIT, NORM, OF_FIRST, FIRST, OF_SECOND, FIRST_IN_SECOND, SECOND = range(8)
SLOTS = (3, 5, 8)
# Factors below this are 0: a trace of which so little is left counts for nothing beside what it was.
FORGOTTEN = 1e-12


@kernel
def may_rest(layer: Layer) -> bool:
    """Return whether rows of a layer are left alone while their neurons' psi is 0."""
    return layer.rests != 0


@kernel
@disjoint
def _add_flushed(w: NDArray, x: float, credit: NDArray) -> None:
    """``W_j += x credit_j``, flushed: what is left of credit would make denormal numbers of weights that are 0."""
    real = w.dtype.type
    tiny, zero = real(TINY), real(0.0)
    for j in range(w.shape[0]):
        change = x * credit[j]
        w[j] += change if np.abs(change) > tiny else zero


@kernel
@disjoint
def _one_trace(w: NDArray, credit: NDArray, first: NDArray, x: float, y: float, c: float, b: float) -> float:
    """``W_j += x credit_j + y R_j``; return ``sum_j |c credit_j + b R_j|``; (m,), w in place."""
    real = w.dtype.type
    tiny, zero = real(TINY), real(0.0)
    norm = zero
    for j in range(w.shape[0]):
        change = x * credit[j] + y * first[j]
        w[j] += change if np.abs(change) > tiny else zero
        norm += np.abs(c * credit[j] + b * first[j])
    return norm


@kernel
@disjoint
def _two_traces(
    w: NDArray,
    credit: NDArray,
    first: NDArray,
    second: NDArray,
    x: float,
    y: float,
    z: float,
    c: float,
    b: float,
    g: float,
) -> float:
    """`_one_trace` with two levels."""
    real = w.dtype.type
    tiny, zero = real(TINY), real(0.0)
    norm = zero
    for j in range(w.shape[0]):
        change = x * credit[j] + y * first[j] + z * second[j]
        w[j] += change if np.abs(change) > tiny else zero
        norm += np.abs(c * credit[j] + b * first[j] + g * second[j])
    return norm


@kernel
def resting_row(layer: Layer, i: int, step: float, decay: float) -> float:
    """Change the weights of neuron i, whose psi is 0, by its credit, and its factors, in place.

    Returns
    -------
    float
        L1 norm of the credit.
    """
    n, m, rest = layer.n, layer.m, layer.rest
    real = rest.dtype.type
    one, zero = real(1.0), real(0.0)
    w, credit = row(layer.w, i, m), row(layer.credit, i, m)
    rest[HELD_EPSA * n + i] = real(flushed(layer.rho[i] * rest[HELD_EPSA * n + i], real(FORGOTTEN)))
    held = rest[HELD_CREDIT * n + i]
    c = real(flushed(decay * held, real(FORGOTTEN)))
    rest[HELD_CREDIT * n + i] = c
    if layer.levels == 0:
        if step * held != 0.0:
            _add_flushed(w, step * held, credit)
        return c * rest[NORM * n + i]
    up, around = layer.signals[n + i], layer.signals[2 * n + i]
    of_first, was = rest[OF_FIRST * n + i], rest[FIRST * n + i]
    r = real(flushed((one - layer.share[0]) * was, real(FORGOTTEN)))
    b = real(flushed(decay * of_first + (up * r + around * was), real(TINY)))
    rest[FIRST * n + i] = r
    first = row(layer.cascade, i, m)
    if layer.levels == 1:
        rest[OF_FIRST * n + i] = b
        norm = zero
        if step * held != 0.0 or step * of_first != 0.0 or c != 0.0 or b != 0.0:
            norm = _one_trace(w, credit, first, step * held, step * of_first, c, b)
        rest[NORM * n + i] = norm
        return norm
    deep, share, of_second = layer.signals[4 * n + i], layer.share[1], rest[OF_SECOND * n + i]
    q = real(flushed((one - share) * rest[FIRST_IN_SECOND * n + i] + share * r, real(FORGOTTEN)))
    s = real(flushed((one - share) * rest[SECOND * n + i], real(FORGOTTEN)))
    b = real(flushed(b + deep * q, real(TINY)))
    g = real(flushed(decay * of_second + deep * s, real(TINY)))
    rest[OF_FIRST * n + i], rest[OF_SECOND * n + i] = b, g
    rest[FIRST_IN_SECOND * n + i], rest[SECOND * n + i] = q, s
    x, y, z = step * held, step * of_first, step * of_second
    norm = zero
    if x != 0.0 or y != 0.0 or z != 0.0 or c != 0.0 or b != 0.0 or g != 0.0:
        norm = _two_traces(w, credit, first, row(layer.cascade, n + i, m), x, y, z, c, b, g)
    rest[NORM * n + i] = norm
    return norm


@kernel
@disjoint
def _one_hop_row(
    w: NDArray,
    credit: NDArray,
    first: NDArray,
    e: NDArray,
    x: float,
    y: float,
    c: float,
    b: float,
    left: float,
    share: float,
    direct: float,
    up: float,
) -> float:
    """``W += x credit + y R;  R <- left R + share e;  credit <- c credit + b R(t-1) + direct e + up R``; the norm."""
    real = w.dtype.type
    tiny, zero = real(TINY), real(0.0)
    norm = zero
    for j in range(w.shape[0]):
        was, old = credit[j], first[j]
        once = left * old + share * e[j]
        once = once if np.abs(once) > tiny else zero
        first[j] = once
        w[j] += x * was + y * old
        new = c * was + b * old + (direct * e[j] + up * once)
        new = new if np.abs(new) > tiny else zero
        credit[j] = new
        norm += np.abs(new)
    return norm


@kernel
@disjoint
def _two_hops_row(
    w: NDArray,
    credit: NDArray,
    first: NDArray,
    second: NDArray,
    e: NDArray,
    x: float,
    y: float,
    z: float,
    c: float,
    b: float,
    g: float,
    left: float,
    share: float,
    mixed: float,
    kept: float,
    other_share: float,
    direct: float,
    up: float,
    deep: float,
) -> float:
    """`_one_hop_row` with two levels: ``Q <- mixed R(t-1) + kept Q + other_share R;  credit += deep Q``."""
    real = w.dtype.type
    tiny, zero = real(TINY), real(0.0)
    norm = zero
    for j in range(w.shape[0]):
        was, old, older = credit[j], first[j], second[j]
        once = left * old + share * e[j]
        once = once if np.abs(once) > tiny else zero
        twice = (mixed * old + kept * older) + other_share * once
        twice = twice if np.abs(twice) > tiny else zero
        first[j] = once
        second[j] = twice
        w[j] += x * was + y * old + z * older
        new = (c * was + b * old + g * older) + (direct * e[j] + up * once + deep * twice)
        new = new if np.abs(new) > tiny else zero
        credit[j] = new
        norm += np.abs(new)
    return norm


@kernel
def awake_row(layer: Layer, i: int, eps: NDArray, step: float, decay: float, e: NDArray) -> float:
    """Change the weights of neuron i by its credit, and bring credit and traces up to date, in place.

    ::

        W <- W + step credit;   credit <- decay credit + signals times e and its filters

    Parameters
    ----------
    e : (m,) array
        A work row.

    Returns
    -------
    float
        L1 norm of the credit.
    """
    n, m, rest, psi = layer.n, layer.m, layer.rest, layer.psi[i]
    one = rest.dtype.type(1.0)
    w, credit = row(layer.w, i, m), row(layer.credit, i, m)
    a, held = rest[HELD_EPSA * n + i], rest[HELD_CREDIT * n + i]
    rest[HELD_EPSA * n + i] = rest[HELD_CREDIT * n + i] = one
    x, c, direct = step * held, decay * held, layer.signals[i]
    adaptive = i < layer.n_adaptive
    if layer.levels == 0:
        if adaptive:
            epsa, strength, rho = row(layer.epsa, i, m), layer.strength[i] * a, layer.rho[i] * a
            norm = adaptive_credit_row(w, credit, epsa, eps, psi, strength, rho, x, c, direct)
        else:
            norm = credit_row(w, credit, x, c, direct * psi, eps)
        rest[NORM * n + i] = norm
        return norm
    if adaptive:
        adaptive_row(row(layer.epsa, i, m), eps, psi, layer.strength[i] * a, layer.rho[i] * a, e)
    else:
        scale(eps, psi, e)
    up, around, share = layer.signals[n + i], layer.signals[2 * n + i], layer.share[0]
    of_first, was, first = rest[OF_FIRST * n + i], rest[FIRST * n + i], row(layer.cascade, i, m)
    left, y, b = (one - share) * was, step * of_first, decay * of_first + around * was
    rest[OF_FIRST * n + i], rest[FIRST * n + i] = 0.0, one
    if layer.levels == 1:
        norm = _one_hop_row(w, credit, first, e, x, y, c, b, left, share, direct, up)
        rest[NORM * n + i] = norm
        return norm
    other, deep, of_second = layer.share[1], layer.signals[4 * n + i], rest[OF_SECOND * n + i]
    mixed, kept = (one - other) * rest[FIRST_IN_SECOND * n + i], (one - other) * rest[SECOND * n + i]
    rest[OF_SECOND * n + i], rest[FIRST_IN_SECOND * n + i], rest[SECOND * n + i] = 0.0, 0.0, one
    z, g = step * of_second, decay * of_second
    second = row(layer.cascade, n + i, m)
    norm = _two_hops_row(
        *(w, credit, first, second, e, x, y, z, c, b, g),
        *(left, share, mixed, kept, other, direct, up, deep),
    )
    rest[NORM * n + i] = norm
    return norm


@kernel
def change_rows(layer: Layer, step: float) -> None:
    """``W <- W + step credit`` for all rows, in place."""
    n, m, rest = layer.n, layer.m, layer.rest
    change = rest.dtype.type(step)
    for i in range(n):
        w = row(layer.w, i, m)
        add_scaled(w, change * rest[HELD_CREDIT * n + i], row(layer.credit, i, m))
        if layer.levels > 0:
            add_scaled(w, change * rest[OF_FIRST * n + i], row(layer.cascade, i, m))
        if layer.levels > 1:
            add_scaled(w, change * rest[OF_SECOND * n + i], row(layer.cascade, n + i, m))
