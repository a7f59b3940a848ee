"""Eligibility carried through the layers above, by two ways.

A signal that arrives through m hops has been filtered by the membranes on its way, so the trace is filtered too
(Millidge 2025, arXiv 2512.24506, eqs. 9-10, in a rank-1 form; docs/equations.md; `tensor.py` has the literal one). The
*cascade* filters the eligibility of every synapse with the mean leak of each layer above::

    R_0 = e,   R_q <- leak_{l+q} R_q + slope_{l+q} R_{q-1}
    credit <- decay credit + S_0 e + U R_1 + D R_1(t-1) + sum_{q>1} T_q R_q      signals without their slopes

The *factored* filter keeps one vector for each pair of leaks instead of a matrix: the filtered product psi_i eps_j is
taken for the product of the filtered eps_j and the weighted mean of psi_i, and what happens in this very tick stays
exact::

    F_h <- a_h F_h + slope_1 eps,   D_q <- a D_q + slope_q D_{q-1}, D_0 = eps      as of the tick before
    P_h        mean of the past psi, weighted as slope_1 is in F_h;   P likewise with D_1
    a          the mean leak of the neurons of layer l + 1, slope_q the slope of l + q
    credit <- decay credit + (S_0 + slope_1 sum_h U_h + sum_{q>1} slope_1 .. slope_q T_q) e
              + sum_h P_h (a_h U_h + D_h) (F_h - M_h x)
              + P a sum_q (sum_{r>=q, r>1} slope_{q+1} .. slope_r T_r) (D_q - N_q x)
    x = strength epsa + fall epsr, as in this tick's e;   M_h, N_q: F_h, D_q if eps were 1

So that a stack may be of any depth, no trace is kept in these units: R_q and D_q grow as the product of q slopes, each
from 2 to 600, and of q filters. What is kept is the weighted mean that each of them is, of past e or eps, and apart
from it the weight of the past, a number a level, as its ratio to that of the level below::

    N_0 = 1,   N_q <- leak N_q + slope_q N_{q-1};   mass_q = N_q / N_{q-1},   share_q = slope_q N_{q-1} / N_q
    R_q / N_q <- R_q / N_q + share_q (R_{q-1} / N_{q-1} - R_q / N_q)               D_q / N_q, F_h / M_h likewise

The signals carry the slopes of their hops (`signals.py`), so that what remains to be multiplied with T_q is N_q less
these, prod_r 1 / share_r. Leaks and slopes of levels beyond the top layer are those of the top layer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base.arrays import row, span
from .base.jit import SATURATION, TINY, disjoint, kernel
from .base.vectors import add_scaled, fill, running_mean, scale_saturating
from .neuron import add_suppression
from .views import Layer

# A mean of psi below this is 0: with a short memory it would soon make denormal products with small traces.
PSI_FLOOR = 1e-12


# Whatever a signal is multiplied with beyond this saturates it, or it was nothing.
WEIGHT_CAP = SATURATION / TINY


@kernel
def advance_mass(layer: Layer, leak: NDArray, slope: NDArray) -> None:
    """Take this tick's slopes into the masses M_h and N_q / N_{q-1}, and write the shares of this tick, in place."""
    real, top = layer.w.dtype.type, slope.shape[0] - 1
    most, kept = real(SATURATION), real(1.0)  # kept: old mass of the level below by its new one
    fans = layer.split if layer.vectors > 0 else 0
    for v in range(layer.mass.shape[0]):
        old, push = layer.mass[v], slope[min(max(v - fans, 0), top)]
        if v < fans:
            new = min(layer.filter_leak[v] * old + push, most)
        else:
            new = min(leak[0 if fans > 0 else min(v, top)] * (old * kept) + push, most)
            kept = min(kept * old / new, most)
        layer.mass[v] = new
        layer.share[v] = push / new


@kernel
def weigh_levels(layer: Layer, leak: NDArray, slope: NDArray) -> None:
    """Advance the masses of the cascade and turn the signals into the factors of its traces, in place."""
    n = layer.n
    # D meets R_1 of the tick before.
    scale_saturating(row(layer.signals, 2, n), np.float64(layer.mass[0]) / np.float64(slope[0]))
    advance_mass(layer, leak, slope)
    held = 1.0
    for level in range(layer.levels):
        held = min(held / np.float64(layer.share[level]), WEIGHT_CAP)
        scale_saturating(row(layer.signals, 1 if level == 0 else level + 3, n), held)


@kernel
@disjoint
def _cascade_row(trace: NDArray, source: NDArray, share: float, signal: float, delayed: float, total: NDArray) -> None:
    """``total += delayed R; R <- R + share (source - R); total += signal R`` for rows (m,), in place.

    `trace` is R of this level by its mass. `source` holds that of the level below on entry and, ready for the next
    level, this one on return.
    """
    real = total.dtype.type
    tiny, zero = real(TINY), real(0.0)
    for j in range(total.shape[0]):
        old = trace[j]
        filtered = old + share * (source[j] - old)
        filtered = filtered if np.abs(filtered) > tiny else zero
        trace[j] = filtered
        source[j] = filtered
        total[j] += signal * filtered + delayed * old


@kernel
def add_cascade(layer: Layer, i: int, e: NDArray, total: NDArray) -> None:
    """Advance R_1 .. R_k of neuron i, and add what they make of its signals to `total`, in place.

    `e` is used up.
    """
    m, n = layer.m, layer.n
    for level in range(layer.levels):
        trace = row(layer.cascade, level * n + i, m)
        signal, delayed = layer.signals[(level + 3) * n + i], layer.signals[2 * n + i]
        if level == 0:
            signal = layer.signals[n + i]
        else:
            delayed = layer.w.dtype.type(0.0)
        _cascade_row(trace, e, layer.share[level], signal, delayed, total)


@kernel
def fold_signals(layer: Layer, leak: NDArray, slope: NDArray) -> None:
    """Turn the signals of a layer into the factors of its vectors, in place.

    Slot 0 becomes that of e, slots 1 .. s those of F_h and slots 2 s + 1 .. 2 s + k those of D_q.
    """
    n, s, k, signals, top = layer.n, layer.split, layer.levels, layer.signals, slope.shape[0] - 1
    for h in range(s):
        keep, weight = layer.filter_leak[h], layer.mass[h] / slope[0]
        for i in range(n):
            up = signals[(1 + h) * n + i]
            signals[i] += up
            past = layer.psi_past[h * n + i] * weight
            signals[(1 + h) * n + i] = past * (keep * up + signals[(1 + s + h) * n + i])
    if k < 2:
        return
    # From the last level down: what passes the filters of all levels up to q. One hop is that of U and D.
    fill(row(signals, 2 * s + 1, n), 0.0)
    for q in range(k - 1, 0, -1):
        add_scaled(row(signals, 2 * s + q, n), 1.0, row(signals, 2 * s + q + 1, n))
    add_scaled(row(signals, 0, n), 1.0, row(signals, 2 * s + 1, n))
    held = 1.0
    for q in range(k):
        held = min(held * np.float64(layer.mass[s + q]) / np.float64(slope[min(q, top)]), WEIGHT_CAP)
        factors = row(signals, 2 * s + q + 1, n)
        scale_saturating(factors, held)
        for i in range(n):
            factors[i] *= leak[0] * layer.psi_past[s * n + i]


@kernel
def weigh_vectors(settings: Any, layer: Layer, i: int, factors: NDArray, total: NDArray) -> None:
    """Write the factors of the filtered vectors of neuron i, and to `total` what epsa and epsr take off, in place.

    To be called before this tick's e moves epsa and epsr on. factors : (vectors,); total : (m,).
    """
    n, s = layer.n, layer.split
    weight = total.dtype.type(0.0)
    for v in range(layer.vectors):
        # The slot of vector v: 1 + v below s, then, past the slots of D_h, 2 s + 1 + (v - s).
        factors[v] = layer.signals[(1 + v if v < s else 1 + v + s) * n + i]
        weight += factors[v]
    fill(total, 0.0)
    add_suppression(settings, layer, i, weight, total)


@kernel
def _add_four_rows(total: NDArray, factors: NDArray, rows: NDArray) -> None:
    """``total_j += sum_k factors_k rows_kj`` for k = 0 .. 3, in place; total (m,), factors (4,), rows (4 m,)."""
    m = total.shape[0]
    a, b, c, d = row(rows, 0, m), row(rows, 1, m), row(rows, 2, m), row(rows, 3, m)
    p, q, r, s = factors[0], factors[1], factors[2], factors[3]
    for j in range(m):
        total[j] += p * a[j] + q * b[j] + r * c[j] + s * d[j]


@kernel
def add_vectors(layer: Layer, group: int, factors: NDArray, total: NDArray) -> None:
    """Add the filtered vectors of a leak group to `total`, (m,), in place; factors (vectors,)."""
    m, count = layer.m, layer.vectors
    block = row(layer.filtered, group, count * m)
    whole = count // 4 * 4
    for v in range(0, whole, 4):
        _add_four_rows(total, span(factors, v, 4), span(block, v * m, 4 * m))
    for v in range(whole, count):
        add_scaled(total, factors[v], row(block, v, m))


@kernel
def advance_filters(layer: Layer, leak: NDArray, slope: NDArray) -> None:
    """Take this tick's eps and psi into F, D, P and the masses, in place, for the ticks to come."""
    m, n, s, count = layer.m, layer.n, layer.split, layer.vectors
    advance_mass(layer, leak, slope)
    for group in range(layer.groups):
        block, eps = row(layer.filtered, group, count * m), row(layer.eps, group, m)
        for v in range(count):
            # F_h, and D_1, are filters of eps, D_q of D_{q-1}.
            running_mean(layer.share[v], eps if v <= s else row(block, v - 1, m), row(block, v, m), TINY)
    for v in range(min(s + 1, count)):
        running_mean(layer.share[v], layer.psi, row(layer.psi_past, v, n), PSI_FLOOR)
