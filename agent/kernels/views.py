"""What kernels see of a layer, of a readout, and of the synapses of either: views of arrays in the arena.

The classes are also the table: each number of a class is an entry of its row, and of each array its place.
"""

from __future__ import annotations

from typing import Any, NamedTuple, get_type_hints

import numpy as np
from numpy.typing import NDArray

from .base.jit import kernel
from .base.records import PLACE, record, words_of
from .base.tables import views
from .layout import N_NETS, NETS_AT, sizes_of


class Layer(NamedTuple):
    """Views of one layer; n neurons, m inputs (padded with zeros), G leak groups, k levels, s splits.

    All views are one-dimensional: a matrix is its rows one after the other (a reshape in compiled code costs 25 ns).
    Those of memory neurons that are as large as their weights are (2 n, m) column by column.
    """

    n: int
    rows: int  # rows of weights: n, or, of memory neurons, 2 n
    m: int
    n_below: int  # leading inputs that are spikes of the layer below
    observed: int  # column of the observation, -1 if the layer does not see it
    recurrent: int  # column of the layer's own spikes, -1 without recurrence
    bias: int  # column of the constant 1
    threshold: int  # column of the thresholds of memory neurons, -1 in other layers
    delays: int  # memory neuron i sees what was observed 1 + i mod delays ticks ago; 1 if `delayed` is -1
    delayed: int  # column of the observation of some ticks ago, -1 if the layer does not see it
    holders: int  # the first so many memory neurons are holders, the others integrators
    groups: int  # neuron i belongs to leak group i mod groups
    n_adaptive: int  # the first so many neurons have an eligibility of the adaptation
    vectors: int  # filtered eligibility vectors a leak group, only with the factored filter
    n_above: int  # neurons of all layers above, only with the tensor
    levels: int  # hops, up or around, that a signal to this layer may have taken
    split: int  # groups, by the leak of the neuron it comes from, that a signal of one hop is split into
    rests: int  # 1: rows are left alone while psi of their neuron is 0, see `rest.py`
    first: int  # first readout column of the layer's spikes, -1 if not read out
    w: NDArray  # (rows, m)
    feedback: NDArray  # (rows, m), the same memory as `w` if feedback is symmetric
    alpha: NDArray  # (n,)
    rho: NDArray  # (n,)
    strength: NDArray  # (n,)
    alphas: NDArray  # (G,)
    filter_leak: NDArray  # (s,)
    psi_mean: NDArray  # (n,)
    rate: NDArray  # (n,)
    credit: NDArray  # (rows, m)
    eps: NDArray  # (G, m), of memory neurons (rows, m)
    epsa: NDArray  # (n adaptive, m)
    epsr: NDArray  # (n, m), or (0,) if the reset has no eligibility
    cascade: NDArray  # (k, rows, m), or (0,) with another filter; this and the next by their masses
    filtered: NDArray  # (G, vectors, m)
    tensor: NDArray  # (n_above, rows, m), see `tensor.py`
    psi_past: NDArray  # (s + 1, n), or (0,) without the factored filter
    mass: NDArray  # (vectors,), with the cascade (k,): weight of the past in a trace, see `depth.py`
    share: NDArray  # likewise: share of this tick in it
    rest: NDArray  # (slots, n), or (0,) if rows do not rest
    inputs: NDArray  # (m,)
    current: NDArray  # (rows,)
    past: NDArray  # (n_input, n) the earlier observation that each memory neuron sees
    keep: NDArray  # (n,) of memory neurons, what is left of a cell
    push: NDArray  # (rows,) of memory neurons, what their traces take of the inputs
    v: NDArray  # (n,)
    a: NDArray  # (n,)
    z: NDArray  # (n,)
    psi: NDArray  # (n,)
    output: NDArray  # (n,), what is seen of it: `z`, of memory neurons z less its mean
    signals: NDArray  # (1 + 2 s + k, n), see `signals.py`


@kernel
def is_memory(layer: Layer) -> bool:
    """Return whether a layer is of memory neurons."""
    return layer.threshold >= 0


class Net(NamedTuple):
    """Views of one network's readout; K outputs, F features (padded with zeros), L layers."""

    n_outputs: int
    n_features: int
    bias: int  # column of the constant 1
    n_free: int  # the last so many outputs learn nothing but their bias
    w: NDArray  # (K, F)
    feedback: NDArray  # (K, F), the same memory as `w` if feedback is symmetric
    leak: NDArray  # (L,) mean leak of each layer
    credit: NDArray  # (K, F)
    features: NDArray  # (F,) spikes of all layers that are read out, then 1
    output: NDArray  # (K,)
    gradient: NDArray  # (K,)
    slope: NDArray  # (L,) slope of each layer's normalized current


class Synapses(NamedTuple):
    """Views of the weights of one layer or of the readout, with all that changes them."""

    w: NDArray
    credit: NDArray
    feedback: NDArray


def _row(table: type) -> np.dtype[Any]:
    """Return the type of a row of the table: a number where `table` has one, a place where it has an array."""
    return np.dtype([(name, np.int64 if kind is int else PLACE) for name, kind in get_type_hints(table).items()])


NetRow, LayerRow = _row(Net), _row(Layer)
NET_WORDS, LAYER_WORDS = words_of(NetRow), words_of(LayerRow)
# Rows of networks, then rows of layers, those of the actor first.
LAYERS_AT = NETS_AT + N_NETS * NET_WORDS


@kernel
def layer_row(ints: NDArray, net: int, layer: int) -> Any:
    """Return sizes and places of layer `layer` (from 0, bottom first) of network `net` (ACTOR or CRITIC)."""
    return record(ints, LAYERS_AT + (net * sizes_of(ints).n_layers + layer) * LAYER_WORDS, LayerRow)


@kernel
def net_row(ints: NDArray, net: int) -> Any:
    """Return sizes and places of network `net` (ACTOR or CRITIC)."""
    return record(ints, NETS_AT + net * NET_WORDS, NetRow)


@kernel
def layer_view(ints: NDArray, floats: NDArray, net: int, layer: int) -> Layer:
    """Return the views of layer `layer` (from 0, bottom first) of network `net` (ACTOR or CRITIC)."""
    found: Layer = views(Layer, floats, layer_row(ints, net, layer))
    return found


@kernel
def net_view(ints: NDArray, floats: NDArray, net: int) -> Net:
    """Return the readout views of network `net` (ACTOR or CRITIC)."""
    found: Net = views(Net, floats, net_row(ints, net))
    return found


@kernel
def synapses_view(ints: NDArray, floats: NDArray, net: int, block: int) -> Synapses:
    """Return the views of block `block` of network `net`: a layer, bottom first, or, last, the readout."""
    if block < sizes_of(ints).n_layers:
        layer = layer_view(ints, floats, net, block)
        return Synapses(w=layer.w, credit=layer.credit, feedback=layer.feedback)
    head = net_view(ints, floats, net)
    return Synapses(w=head.w, credit=head.credit, feedback=head.feedback)
