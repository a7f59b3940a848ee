"""The influence of each synapse on each neuron above it, carried as it is: Millidge 2025, arXiv 2512.24506, eqs. 9-10.

::

    V^1_p,ij <- alpha_p V^1_p,ij + slope_{l+1} B_pi e_ij                      p: of layer l + 1
    V^q_p,ij <- alpha_p V^q_p,ij + slope_{l+q} sum_r B_pr psi_r V^{q-1}_r,ij  p: of l + q, r: of l + q - 1
    credit   <- decay credit + S_0 e + sum_q sum_p (S_0 psi)_p V^q_p,ij

V is the derivative of a membrane with respect to a weight, each neuron with its own leak and its own weights (B, which
are the weights unless there is other feedback). It leaves out what the other filters leave out: recurrent weights, and
reset, adaptation and statistics of the current in layers above. For the rest the sum is the gradient, from numbers that
are as many as synapses times the neurons above: `depth.py` has what larger networks can afford.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base.arrays import row, span
from .base.jit import SATURATION, TINY, kernel
from .base.vectors import add_scaled, clip, scale
from .layout import own, places_of, sizes_of
from .neuron import add_suppression
from .views import Layer, is_memory, layer_view, net_view


@kernel
def _fade(upper: Layer, size: int, influence: NDArray) -> None:
    """``V_p <- alpha_p V_p`` for all neurons p of a layer; influence (n size,) by rows, in place."""
    for p in range(upper.n):
        trace = row(influence, p, size)
        scale(trace, upper.alphas[p % upper.groups], trace)


@kernel
def _add_eligibility(settings: Any, layer: Layer, upper: Layer, slope: float, e: NDArray, influence: NDArray) -> None:
    """``V_p,ij += slope B_pi e_ij`` for the layer above, before this tick's e moves epsa and epsr on; in place.

    e : (m,) work row.
    """
    m, n = layer.m, layer.n
    for i in range(n):
        psi = layer.psi[i]
        if psi == 0.0:
            continue
        scale(row(layer.eps, i % layer.groups, m), psi, e)
        add_suppression(settings, layer, i, psi, e)
        for p in range(upper.n):
            push = slope * upper.feedback[p * upper.m + i]
            if push != 0.0:
                add_scaled(row(influence, p * n + i, m), push, e)


@kernel
def _add_influence(lower: Layer, upper: Layer, slope: float, size: int, below: NDArray, influence: NDArray) -> None:
    """``V_p += slope sum_r B_pr psi_r V_r`` for two layers, one on the other; rows of `size`, `influence` in place."""
    for p in range(upper.n):
        for r in range(lower.n):
            push = slope * upper.feedback[p * upper.m + r] * lower.psi[r]
            if push != 0.0:
                add_scaled(row(influence, p, size), push, row(below, r, size))


@kernel
def _bring_into_range(x: NDArray) -> None:
    """Cut off at +-SATURATION and flush, in place."""
    real = x.dtype.type
    most, tiny, zero = real(SATURATION), real(TINY), real(0.0)
    for k in range(x.shape[0]):
        cut = clip(x[k], -most, most)
        x[k] = cut if np.abs(cut) > tiny else zero


@kernel
def advance_tensors(settings: Any, ints: NDArray, floats: NDArray, net: int) -> None:
    """Take this tick's spikes into V of all layers that learn, in place; to be called before their weights change."""
    sizes, slope = sizes_of(ints), net_view(ints, floats, net).slope
    for index in range(sizes.frozen_layers, sizes.n_layers - 1):
        layer = layer_view(ints, floats, net, index)
        if layer.n_above == 0 or is_memory(layer):
            continue
        e, size = own(floats, places_of(ints).scratch_e, net, layer.m), layer.n * layer.m
        first = 0
        for above in range(index + 1, sizes.n_layers):
            upper = layer_view(ints, floats, net, above)
            influence = span(layer.tensor, first * size, upper.n * size)
            _fade(upper, size, influence)
            if above == index + 1:
                _add_eligibility(settings, layer, upper, slope[above], e, influence)
            else:
                lower = layer_view(ints, floats, net, above - 1)
                below = span(layer.tensor, (first - lower.n) * size, lower.n * size)
                _add_influence(lower, upper, slope[above], size, below, influence)
            _bring_into_range(influence)
            first += upper.n


@kernel
def weigh_tensor(ints: NDArray, floats: NDArray, net: int, index: int, factors: NDArray) -> None:
    """Write ``(S_0 psi)_p`` of all neurons p above layer `index`, nearest layer first; factors (n_above,), in place."""
    at = 0
    for above in range(index + 1, sizes_of(ints).n_layers):
        upper = layer_view(ints, floats, net, above)
        for p in range(upper.n):
            factors[at + p] = upper.signals[p] * upper.psi[p]
        at += upper.n


@kernel
def add_tensor(layer: Layer, i: int, factors: NDArray, total: NDArray) -> None:
    """``total_j += sum_p factors_p V_p,ij`` for neuron i; total (m,), in place."""
    for p in range(layer.n_above):
        if factors[p] != 0.0:
            add_scaled(total, factors[p], row(layer.tensor, p * layer.n + i, layer.m))
