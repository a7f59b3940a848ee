"""Eligibility carried through the layers above, by two ways.

A signal that arrives through m hops has been filtered by the membranes on its way, so the trace is filtered too
(Millidge 2025, arXiv 2512.24506, eqs. 9-10, in a rank-1 form; docs/equations.md). The *cascade* filters the
eligibility of every synapse with the mean leak of each layer above::

    R_0 = e,   R_q <- leak_{l+q} R_q + slope_{l+q} R_{q-1}
    credit <- decay credit + S_0 e + U R_1 + D R_1(t-1) + sum_{q>1} T_q R_q

The *factored* filter keeps one vector for each pair of leaks instead of a matrix: the filtered product psi_i eps_j is
taken for the product of the filtered eps_j and the weighted mean of psi_i, and what happens in this very tick stays
exact::

    F_h <- a_h F_h + slope_1 eps,   D_q <- a D_q + slope_q D_{q-1}, D_0 = eps      as of the tick before
    M_h, N_q   as F_h, D_q with 1 for eps;   a the mean leak of the neurons of layer l + 1, slope_q the slope of l + q
    P_h        mean of the past psi, weighted as slope_1 is in M_h;   P likewise with a and N_1
    credit <- decay credit + (S_0 + slope_1 sum_h U_h + sum_{q>1} slope_1 .. slope_q T_q) e
              + sum_h P_h (a_h U_h + D_h) (F_h - M_h x)
              + P a sum_q (sum_{r>=q, r>1} slope_{q+1} .. slope_r T_r) (D_q - N_q x)
    x = strength epsa + fall epsr, as in this tick's e

Leaks and slopes of levels beyond the top layer are those of the top layer. See `signals.py` for S, U, D and T.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base.arrays import row, span
from .base.jit import TINY, kernel
from .base.vectors import add_scaled, fill, leaky_filter, running_mean
from .neuron import add_suppression
from .views import Layer

# A mean of psi below this is 0: with a short memory it would soon make denormal products with small traces.
PSI_FLOOR = 1e-12


@kernel
def _cascade_row(
    trace: NDArray, source: NDArray, leak: float, slope: float, signal: float, delayed: float, total: NDArray
) -> None:
    """``total += delayed R; R <- leak R + slope source; total += signal R`` for rows (m,), in place.

    `trace` is R of this level. `source` holds R of the level below on entry and, ready for the next level, this R on
    return.
    """
    real = total.dtype.type
    tiny, zero = real(TINY), real(0.0)
    for j in range(total.shape[0]):
        old = trace[j]
        filtered = leak * old + slope * source[j]
        filtered = filtered if np.abs(filtered) > tiny else zero
        trace[j] = filtered
        source[j] = filtered
        total[j] += signal * filtered + delayed * old


@kernel
def add_cascade(layer: Layer, i: int, leak: NDArray, slope: NDArray, e: NDArray, total: NDArray) -> None:
    """Advance R_1 .. R_k of neuron i and add what they make of its signals to `total`; `e` is used up. All in place."""
    m, n = layer.m, layer.n
    top = leak.shape[0] - 1
    for level in range(layer.levels):
        trace = row(layer.cascade, level * n + i, m)
        signal, delayed = layer.signals[(level + 3) * n + i], layer.signals[2 * n + i]
        if level == 0:
            signal = layer.signals[n + i]
        else:
            delayed = layer.w.dtype.type(0.0)
        at = min(level, top)
        _cascade_row(trace, e, leak[at], slope[at], signal, delayed, total)


@kernel
def fold_signals(layer: Layer, leak: NDArray, slope: NDArray) -> None:
    """Turn the signals of a layer into the factors of its vectors, in place.

    Slot 0 becomes that of e, slots 1 .. s those of F_h and slots 2 s + 1 .. 2 s + k those of D_q.
    """
    n, s, signals = layer.n, layer.split, layer.signals
    real = signals.dtype.type
    first, top = slope[0], slope.shape[0] - 1
    for h in range(s):
        keep = layer.filter_leak[h]
        for i in range(n):
            up = signals[(1 + h) * n + i]
            signals[i] += first * up
            signals[(1 + h) * n + i] = layer.psi_past[h * n + i] * (keep * up + signals[(1 + s + h) * n + i])
    if layer.levels < 2:
        return
    for i in range(n):
        # From the last level down: what has passed the slopes of all levels above q.
        rest, past = real(0.0), leak[0] * layer.psi_past[s * n + i]
        for q in range(layer.levels, 0, -1):
            if q > 1:
                rest += signals[(2 * s + q) * n + i]
            signals[(2 * s + q) * n + i] = past * rest
            rest *= slope[min(q - 1, top)]
        signals[i] += rest


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
        weight += factors[v] * layer.mass[v]
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
    """Take this tick's eps and psi into F, D, P, M and N, in place, for the ticks to come."""
    real = layer.w.dtype.type
    m, n, s, count = layer.m, layer.n, layer.split, layer.vectors
    one, mean, top = real(1.0), leak[0], slope.shape[0] - 1
    for group in range(layer.groups):
        block = row(layer.filtered, group, count * m)
        source = row(layer.eps, group, m)
        for h in range(s):
            leaky_filter(row(block, h, m), layer.filter_leak[h], slope[0], source)
        for v in range(s, count):
            deeper = row(block, v, m)
            leaky_filter(deeper, mean, slope[min(v - s, top)], source)
            source = deeper
    drive = one
    for v in range(count):
        push = slope[0] if v < s else slope[min(v - s, top)] * drive
        keep = layer.filter_leak[v] if v < s else mean
        layer.mass[v] = keep * layer.mass[v] + push
        if v >= s:
            drive = layer.mass[v]
        if v <= s:
            running_mean(push / layer.mass[v], layer.psi, row(layer.psi_past, v, n), PSI_FLOOR)
