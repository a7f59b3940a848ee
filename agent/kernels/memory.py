"""Memory neurons, whose leak is set by what they see, so that they learn what to keep; and their eligibility.

::

    u_i = [z below ; x_t ; x_{t-d} ; 1]     d: 1, 2, .. `memory_delay`, 1, .. by turns
    h_i = C_i u_i;   g_i = sigmoid(G_i u_i)
    c_i <- (1 - g_i) c_i + a_i h_i          a_i = g_i of a holder, max(g_i, 0.1) of an integrator
    z_i, psi_i: what `spike.py` makes of c_i - A_i

No neuron sees itself or its neighbors, nothing is reset and no current is normalized. So dc_i(t)/dc_i(t-1) is the
number 1 - g_i, and the recursion of eligibility is exact real-time recurrent learning, but for psi in the place of the
derivative of the spike::

    eC_ij <- (1 - g_i) eC_ij + a_i u_ij
    eG_ij <- (1 - g_i) eG_ij + b_i u_ij     b_i = g_i (1 - g_i) (h_i - c_i(t-1)), where a_i = 0.1 without h_i
    eA_i   = -1;   e = psi_i times each

A layer of them above another sees its spikes (less their mean) in the same tick. What synapse r of the lower one has to
do with neuron p of the upper one is carried literally, with each neuron's own leak (`carry_memory`)::

    V_p,r <- (1 - g_p) V_p,r + (a_p C_pi + b_p G_pi) psi_i eps_r
    credit_r <- decay credit_r + S_i psi_i eps_r + sum_p T_p psi_p V_p,r       T_p: the whole signal to p

or, with `depth_filter: cascade` and `factored`, with the mean leak of the upper layer, by the recursion of `depth.py`.
The cell is that of a minGRU (Feng et al. 2024, arXiv 2410.01201) that spikes, without its candidate's nonlinearity; the
integrator is a LIF neuron with a gate in the place of its leak.

The weights are (2 n, m), first C, with A in a column of its own, then G. They lie column by column, what depends on
them likewise: rows are short, and there are many.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base.arrays import row, span
from .base.jit import TINY, disjoint, kernel
from .base.rare import RARE
from .base.vectors import add_product, add_scaled, copy, fill, logistic
from .credit_row import credit_row
from .depth import weigh_levels
from .spike import emit
from .views import Layer

SETTINGS = ("depth_filter", "temporal_trace", "memory_payload_cap")
# A value of `depth_filter`.
NONE = 2
# Beyond this a gate is open or shut to the last bit, and its exponential still finite.
GATE_CLIP = 40.0

# Share of what an integrator sees that is added in a tick.
INTEGRATOR_GAIN = 0.1


@kernel
def see(layer: Layer, below: NDArray, x: NDArray) -> None:
    """Assemble what all neurons see, and sum it up with what each sees of earlier observations; in place."""
    n, rows, current = layer.n, layer.rows, layer.current
    inputs = layer.inputs  # where neurons see different things, 0
    copy(span(below, 0, layer.n_below), inputs)
    copy(x, span(inputs, layer.observed, x.shape[0]))
    inputs[layer.bias] = 1.0
    fill(current, 0.0)
    for j in range(layer.bias + 1):
        if inputs[j] != 0.0:
            add_scaled(current, inputs[j], row(layer.w, j, rows))
    for k in range(layer.past.shape[0] // n):
        seen, w = row(layer.past, k, n), row(layer.w, layer.delayed + k, rows)
        for part in range(2):
            add_product(seen, row(w, part, n), row(current, part, n))


@kernel
def keep_observation(layer: Layer, x: NDArray) -> None:
    """Pass what each neuron saw on to its neighbor, which sees it a tick later, or to none; x to the first of them."""
    n = layer.n
    for k in range(layer.past.shape[0] // n):
        seen = row(layer.past, k, n)
        for i in range(n - 1, 0, -1):
            seen[i] = seen[i - 1]
        for i in range(0, n, layer.delays):
            seen[i] = x[k]


@kernel
@disjoint
def _advance_cells(
    h: NDArray, gate: NDArray, threshold: NDArray, holders: int, v: NDArray, psi: NDArray, take: NDArray, move: NDArray
) -> None:
    """Advance cells; written are v, psi, which is how far they are above the threshold, a, b and, for g, 1 - g."""
    real = v.dtype.type
    tiny, zero, one, least = real(TINY), real(0.0), real(1.0), real(INTEGRATOR_GAIN)
    for i in range(v.shape[0]):
        g, old = gate[i], v[i]
        gated = i < holders or g > least
        a = g if gated else least
        slope = g * (one - g)
        cell = (one - g) * old + a * h[i]
        gate[i] = one - g
        take[i] = a
        move[i] = slope * ((h[i] if gated else zero) - old)
        psi[i] = cell - threshold[i]
        v[i] = cell if np.abs(cell) > tiny else zero


@kernel
def hold(settings: Any, layer: Layer) -> float:
    """Advance the memory neurons of a layer by one tick, emit spikes, and return their number; in place.

    ``layer.current`` has h, then G u. Written are v (which is c), z, psi, keep (1 - g) and push: what eC and eG take of
    the inputs, a, then b.
    """
    n, current, push = layer.n, layer.current, layer.push
    logistic(row(current, 1, n), GATE_CLIP, layer.keep)
    threshold = row(row(layer.w, layer.threshold, layer.rows), 0, n)
    _advance_cells(
        *(row(current, 0, n), layer.keep, threshold, layer.holders, layer.v, layer.psi),
        *(row(push, 0, n), row(push, 1, n)),
    )
    return emit(settings, settings.memory_payload_cap, layer.z, layer.psi)


@kernel
@disjoint
def _filter(eps: NDArray, lasts: float, keep: NDArray, push: NDArray, u: float) -> None:
    """``eps_i <- keep_i eps_i + push_i u``, flushed; (n,), in place."""
    real = eps.dtype.type
    tiny, zero = real(TINY), real(0.0)
    for i in range(eps.shape[0]):
        filtered = lasts * keep[i] * eps[i] + push[i] * u
        eps[i] = filtered if np.abs(filtered) > tiny else zero


@kernel
@disjoint
def _filter_seen(eps: NDArray, lasts: float, keep: NDArray, push: NDArray, u: NDArray) -> None:
    """`_filter` where each neuron sees another u_i."""
    real = eps.dtype.type
    tiny, zero = real(TINY), real(0.0)
    for i in range(eps.shape[0]):
        filtered = lasts * keep[i] * eps[i] + push[i] * u[i]
        eps[i] = filtered if np.abs(filtered) > tiny else zero


@kernel
def filter_memory(settings: Any, layer: Layer) -> None:
    """Advance eC and eG of a layer, in place; without `temporal_trace` they forget what was before this tick."""
    n, delayed = layer.n, layer.past.shape[0] // layer.n
    lasts = layer.keep.dtype.type(settings.temporal_trace)
    for j in range(layer.bias + 1):
        for part in range(2):
            eps, push = row(row(layer.eps, j, layer.rows), part, n), row(layer.push, part, n)
            if layer.delayed <= j < layer.delayed + delayed:
                _filter_seen(eps, lasts, layer.keep, push, row(layer.past, j - layer.delayed, n))
            else:
                _filter(eps, lasts, layer.keep, push, layer.inputs[j])
    fill(row(row(layer.eps, layer.threshold, layer.rows), 0, n), -1.0)


@kernel
def mean_keep(settings: Any, layer: Layer) -> float:
    """Return the mean of what is left of the cells, the leak of traces of layers below: 0 without `temporal_trace`."""
    if settings.temporal_trace == 0.0:
        return 0.0
    total = 0.0
    for i in range(layer.n):
        total += layer.keep[i]
    return total / layer.n


@kernel
def descend_memory(upper: Layer, source: NDArray, out: NDArray) -> None:
    """Add what a signal to memory neurons becomes below: ``sum_p S_p psi_p (a_p C_pi + b_p G_pi)``; in place."""
    n = upper.n
    zero = out.dtype.type(0.0)
    for i in range(out.shape[0]):
        weights = row(upper.feedback, i, upper.rows)
        total = zero
        for p in range(n):
            total += source[p] * upper.psi[p] * (upper.push[p] * weights[p] + upper.push[n + p] * weights[n + p])
        out[i] += total


@kernel
@disjoint
def _carry(trace: NDArray, keep: float, push: NDArray, eps: NDArray) -> None:
    """``V_i <- keep V_i + push_i eps_i``, flushed; (n,), in place."""
    real = trace.dtype.type
    tiny, zero = real(TINY), real(0.0)
    for i in range(trace.shape[0]):
        new = keep * trace[i] + push[i] * eps[i]
        trace[i] = new if np.abs(new) > tiny else zero


@kernel
def carry_memory(settings: Any, layer: Layer, upper: Layer, push: NDArray) -> None:
    """``V_p,r <- (1 - g_p) V_p,r + (a_p C_pi + b_p G_pi) psi_i eps_r``, p of the layer above, in place.

    push : (n,) work row.
    """
    n, m, rows = layer.n, layer.m, layer.rows
    filtered = push.dtype.type(0.0 if settings.depth_filter == NONE else settings.temporal_trace)
    for p in range(upper.n):
        for i in range(n):
            weights = row(upper.feedback, i, upper.rows)
            down = upper.push[p] * weights[p] + upper.push[upper.n + p] * weights[upper.n + p]
            push[i] = down * layer.psi[i]
        keep = filtered * upper.keep[p]
        for k in range(2 * m):
            _carry(row(row(layer.tensor, p, m * rows), k, n), keep, push, row(layer.eps, k, n))


@kernel
def weigh_memory(upper: Layer, factors: NDArray) -> None:
    """Write the whole signal to each memory neuron of the layer above times its psi; factors (n_above,), in place."""
    for p in range(upper.n):
        total = upper.signals[p]
        for q in range(1, upper.levels + 1):
            total += upper.signals[(2 * upper.split + q) * upper.n + p]
        factors[p] = total * upper.psi[p]


@kernel
@disjoint
def _weigh(eps: NDArray, psi: NDArray, signal: NDArray, total: NDArray) -> None:
    """Write ``S_i psi_i eps_i``; (n,)."""
    for i in range(total.shape[0]):
        total[i] = signal[i] * (psi[i] * eps[i])


@kernel
@disjoint
def _first_hop(
    trace: NDArray,
    eps: NDArray,
    psi: NDArray,
    share: float,
    direct: NDArray,
    up: NDArray,
    around: NDArray,
    source: NDArray,
    total: NDArray,
) -> None:
    """``total = S_0 e + U R + D R(t-1)``, R advanced and written to `source`; (n,), see `depth.py`."""
    real = total.dtype.type
    tiny, zero = real(TINY), real(0.0)
    for i in range(total.shape[0]):
        e, old = psi[i] * eps[i], trace[i]
        filtered = old + share * (e - old)
        filtered = filtered if np.abs(filtered) > tiny else zero
        trace[i] = filtered
        source[i] = filtered
        total[i] = direct[i] * e + (up[i] * filtered + around[i] * old)


@kernel
@disjoint
def _next_hop(trace: NDArray, source: NDArray, share: float, signal: NDArray, total: NDArray) -> None:
    """``R_q <- R_q + share (R_{q-1} - R_q); total += T_q R_q``; R_q takes the place of R_{q-1} in `source`; (n,)."""
    real = total.dtype.type
    tiny, zero = real(TINY), real(0.0)
    for i in range(total.shape[0]):
        old = trace[i]
        filtered = old + share * (source[i] - old)
        filtered = filtered if np.abs(filtered) > tiny else zero
        trace[i] = filtered
        source[i] = filtered
        total[i] += signal[i] * filtered


@kernel
def _fresh_credit(layer: Layer, k: int, factors: NDArray, source: NDArray, total: NDArray) -> None:
    """Write signals times eligibility of half a column, k = 2 j + part, to `total`, and advance its cascade."""
    n, signals, eps = layer.n, layer.signals, row(layer.eps, k, layer.n)
    direct, matrix = row(signals, 0, n), layer.rows * layer.m
    if layer.levels == 0:
        _weigh(eps, layer.psi, direct, total)
        for p in range(layer.n_above if RARE else 0):
            if RARE and factors[p] != 0.0:
                add_scaled(total, factors[p], row(row(layer.tensor, p, matrix), k, n))
        return
    up, around = row(signals, 1, n), row(signals, 2, n)
    _first_hop(row(layer.cascade, k, n), eps, layer.psi, layer.share[0], direct, up, around, source, total)
    for level in range(1, layer.levels):
        trace = row(row(layer.cascade, level, matrix), k, n)
        _next_hop(trace, source, layer.share[level], row(signals, level + 3, n), total)


@kernel
def learn_memory(
    layer: Layer,
    leak: NDArray,
    slope: NDArray,
    steps: NDArray,
    cells: int,
    gates: int,
    delta: float,
    decay: float,
    source: NDArray,
    total: NDArray,
    factors: NDArray,
    norms: NDArray,
) -> None:
    """Change the weights of a layer by the credit of the tick before, then bring credit up to date; in place.

    Parameters
    ----------
    leak, slope : (layers,) arrays
        Of the layers above, nearest first.
    steps, norms : (blocks,) arrays
        Step sizes, and L1 norms of the credit, which are written; `cells` and `gates` are the blocks of C and G.
    delta, decay : float
        TD error; what is left of credit.
    source, total : (n,) arrays
        Work rows.
    factors : (n_above,) array
        What `weigh_memory` wrote.
    """
    real, n = layer.w.dtype.type, layer.n
    if layer.levels > 0:
        weigh_levels(layer, leak, slope)
    for part in range(2):
        block = cells if part == 0 else gates
        change = real(steps[block] * delta)
        norm = 0.0
        for k in range(part, 2 * layer.m, 2):
            _fresh_credit(layer, k, factors, source, total)
            norm += credit_row(row(layer.w, k, n), row(layer.credit, k, n), change, real(decay), real(1.0), total)
        norms[block] = norm


@kernel
def change_memory(layer: Layer, of_cells: float, of_gates: float) -> None:
    """``W <- W + step credit``, with a step for C and one for G, in place."""
    for k in range(2 * layer.m):
        step = of_cells if k % 2 == 0 else of_gates
        add_scaled(row(layer.w, k, layer.n), step, row(layer.credit, k, layer.n))


@kernel
def regularize_memory(settings: Any, layer: Layer) -> None:
    """`rate_regularization.regularize_rates` for memory neurons, in place."""
    real = layer.w.dtype.type
    for k in range(2 * layer.m):
        w, eps = row(layer.w, k, layer.n), row(layer.eps, k, layer.n)
        for i in range(layer.n):
            push = real(-settings.rate_regularization * (layer.rate[i] - settings.target_rate)) * layer.psi[i]
            w[i] += push * eps[i]
