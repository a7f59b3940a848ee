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

Rows 0 .. n-1 of the weights are C, with A in a column of its own, rows n .. 2 n - 1 are G.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base.arrays import row, span
from .base.jit import TINY, kernel
from .base.vectors import add_scaled, clip, copy, leaky_filter, scale, weighted_sum
from .credit import credit_row
from .depth import add_cascade, weigh_levels
from .spike import emit
from .tensor import add_tensor
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
    """Assemble what the neurons see, one row for each delay, sum it up, and keep the observation; in place."""
    m, n_input = layer.m, x.shape[0]
    delayed = layer.delayed >= 0
    for d in range(layer.delays):
        inputs = row(layer.inputs, d, m)
        copy(span(below, 0, layer.n_below), inputs)
        copy(x, span(inputs, layer.observed, n_input))
        if delayed:
            copy(row(layer.past, d, n_input), span(inputs, layer.delayed, n_input))
        inputs[layer.bias] = 1.0
    for r in range(layer.rows):
        d = (r if r < layer.n else r - layer.n) % layer.delays
        weighted_sum(row(layer.w, r, m), row(layer.inputs, d, m), span(layer.current, r, 1))
    if delayed:
        for d in range(layer.delays - 1, 0, -1):
            copy(row(layer.past, d - 1, n_input), row(layer.past, d, n_input))
        copy(x, row(layer.past, 0, n_input))


@kernel
def hold(settings: Any, layer: Layer) -> float:
    """Advance the memory neurons of a layer by one tick, emit spikes, and return their number; in place.

    ``layer.current`` has h, then G u. Written are v (which is c), z, psi, keep (1 - g) and push: what eC and eG take of
    the inputs.
    """
    n, m = layer.n, layer.m
    v, psi, keep, push = layer.v, layer.psi, layer.keep, layer.push
    real = v.dtype.type
    tiny, zero, one = real(TINY), real(0.0), real(1.0)
    for i in range(n):
        h, old = layer.current[i], v[i]
        drive = clip(np.float64(layer.current[n + i]), -GATE_CLIP, GATE_CLIP)
        gate = real(1.0 / (1.0 + math.exp(-drive)))
        slope = gate * (one - gate)
        if i < layer.holders or gate > real(INTEGRATOR_GAIN):
            a, change = gate, slope * (h - old)
        else:
            a, change = real(INTEGRATOR_GAIN), -slope * old
        cell = (one - gate) * old + a * h
        keep[i], push[i], push[n + i] = one - gate, a, change
        psi[i] = cell - layer.w[i * m + layer.threshold]
        v[i] = cell if np.abs(cell) > tiny else zero
    return emit(settings, settings.memory_payload_cap, layer.z, psi)


@kernel
def filter_memory(settings: Any, layer: Layer) -> None:
    """Advance eC and eG of a layer, in place; without `temporal_trace` they forget what was before this tick."""
    n, m = layer.n, layer.m
    lasts = layer.keep.dtype.type(settings.temporal_trace)
    for r in range(layer.rows):
        i = r if r < n else r - n
        inputs = row(layer.inputs, i % layer.delays, m)
        leaky_filter(row(layer.eps, r, m), lasts * layer.keep[i], layer.push[r], inputs)
        if r < n:
            layer.eps[r * m + layer.threshold] = -1.0


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
    n, m = upper.n, upper.m
    for p in range(n):
        push = source[p] * upper.psi[p]
        if push != 0.0:
            add_scaled(out, push * upper.push[p], span(upper.feedback, p * m, out.shape[0]))
            add_scaled(out, push * upper.push[n + p], span(upper.feedback, (n + p) * m, out.shape[0]))


@kernel
def carry_memory(settings: Any, layer: Layer, upper: Layer, e: NDArray) -> None:
    """``V_p,r <- (1 - g_p) V_p,r + (a_p C_pi + b_p G_pi) psi_i eps_r``, p of the layer above, in place."""
    n, m, rows = layer.n, layer.m, layer.rows
    real = e.dtype.type
    tiny, zero = real(TINY), real(0.0)
    filtered = real(0.0 if settings.depth_filter == NONE else settings.temporal_trace)
    for r in range(rows):
        i = r if r < n else r - n
        scale(row(layer.eps, r, m), layer.psi[i], e)
        for p in range(upper.n):
            push = upper.push[p] * upper.feedback[p * upper.m + i]
            push += upper.push[upper.n + p] * upper.feedback[(upper.n + p) * upper.m + i]
            keep = filtered * upper.keep[p]
            trace = row(layer.tensor, p * rows + r, m)
            for j in range(m):
                new = keep * trace[j] + push * e[j]
                trace[j] = new if np.abs(new) > tiny else zero


@kernel
def weigh_memory(upper: Layer, factors: NDArray) -> None:
    """Write the whole signal to each memory neuron of the layer above times its psi; factors (n_above,), in place."""
    for p in range(upper.n):
        total = upper.signals[p]
        for q in range(1, upper.levels + 1):
            total += upper.signals[(2 * upper.split + q) * upper.n + p]
        factors[p] = total * upper.psi[p]


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
    e: NDArray,
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
    e, total : (m,) arrays
        Work rows.
    factors : (n_above,) array
        What `weigh_memory` wrote.
    """
    real, n, m = layer.w.dtype.type, layer.n, layer.m
    keep = real(decay)
    if layer.levels > 0:
        weigh_levels(layer, leak, slope)
    for part in range(2):
        norm = 0.0
        block = cells if part == 0 else gates
        change = real(steps[block] * delta)
        for i in range(n):
            r = part * n + i
            w, credit, eps = row(layer.w, r, m), row(layer.credit, r, m), row(layer.eps, r, m)
            factor = layer.signals[i] * layer.psi[i]
            if layer.levels > 0:
                scale(eps, layer.psi[i], e)
                scale(e, layer.signals[i], total)
                add_cascade(layer, i, r, e, total)
                norm += credit_row(w, credit, change, keep, real(1.0), total)
            elif layer.n_above > 0:
                scale(eps, factor, total)
                add_tensor(layer, r, factors, total)
                norm += credit_row(w, credit, change, keep, real(1.0), total)
            else:
                norm += credit_row(w, credit, change, keep, factor, eps)
        norms[block] = norm
