"""Learning of one network: signals down through the layers, then one pass over all synapses."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from .base.arrays import row, view
from .base.jit import kernel
from .base.rare import RARE
from .base.vectors import add_scaled
from .credit import learn_layer, learn_readout
from .feedback import ADAPTIVE, begin_mirroring, end_mirroring
from .layout import own, places_of, sizes_of
from .memory import carry_memory, change_memory, learn_memory, weigh_memory
from .rate_regularization import regularize_rates
from .rest import change_rows, may_rest
from .signals import send_signals
from .step_size import choose_steps
from .tensor import advance_tensors, weigh_tensor
from .views import is_memory, layer_view, net_view, synapses_view


@kernel
def _learn_layers(
    settings: Any, ints: NDArray, reals: NDArray, floats: NDArray, net: int, delta: float, decay: float
) -> None:
    sizes, places, head = sizes_of(ints), places_of(ints), net_view(ints, floats, net)
    blocks = sizes.n_layers + 1 + sizes.n_memory
    norms = row(view(reals, places.credit_norms), net, blocks)
    steps = row(view(reals, places.step_sizes), net, blocks)
    last = sizes.n_layers - 1
    for index in range(sizes.frozen_layers, last + 1):
        layer = layer_view(ints, floats, net, index)
        length = layer.n if is_memory(layer) else layer.m
        e = own(floats, places.scratch_e, net, length)
        total = own(floats, places.scratch_total, net, length)
        factors = own(floats, places.scratch_factors, net, layer.vectors + layer.n_above)
        if RARE and settings.rate_regularization > 0.0:
            regularize_rates(settings, layer)
        if RARE and layer.n_above > 0:
            if is_memory(layer):
                weigh_memory(layer_view(ints, floats, net, index + 1), factors)
            else:
                weigh_tensor(ints, floats, net, index, factors)
        first = min(index + 1, last)
        leak, slope, step = head.leak[first:], head.slope[first:], steps[index] * delta
        if is_memory(layer):
            gates = last + 2 + index
            learn_memory(layer, leak, slope, steps, index, gates, delta, decay, e, total, factors, norms)
            continue
        norms[index] = learn_layer(settings, layer, leak, slope, step, decay, e, total, factors)
    norms[last + 1] = learn_readout(head, steps[last + 1] * delta, decay)


@kernel
def learn(
    settings: Any,
    ints: NDArray,
    reals: NDArray,
    floats: NDArray,
    net: int,
    delta: float,
    decay: float,
    traces_follow: bool,
) -> None:
    """Apply `delta` to the credit of the tick before, then form this tick's credit, all in place.

    Signals are computed first, so that they and the spikes belong to the same weights. Without `traces_follow`, at
    the end of an episode, credit and traces stay as they are.
    """
    sizes = sizes_of(ints)
    if traces_follow:
        send_signals(ints, floats, net)
        if RARE:
            advance_tensors(settings, ints, floats, net)
        for index in range(sizes.n_memory - 1):
            layer = layer_view(ints, floats, net, index)
            if RARE and layer.n_above > 0:
                push = own(floats, places_of(ints).scratch_e, net, layer.n)
                carry_memory(settings, layer, layer_view(ints, floats, net, index + 1), push)
    if RARE and settings.feedback == ADAPTIVE:
        begin_mirroring(settings, ints, floats, net)
    choose_steps(settings, ints, reals, net, delta)
    if traces_follow:
        _learn_layers(settings, ints, reals, floats, net, delta, decay)
    else:
        steps = row(view(reals, places_of(ints).step_sizes), net, sizes.n_layers + 1 + sizes.n_memory)
        for block in range(sizes.frozen_layers, sizes.n_layers + 1):
            if block < sizes.n_memory:
                gates = steps[sizes.n_layers + 1 + block]
                change_memory(layer_view(ints, floats, net, block), steps[block] * delta, gates * delta)
            elif block < sizes.n_layers and may_rest(layer_view(ints, floats, net, block)):
                change_rows(layer_view(ints, floats, net, block), steps[block] * delta)
            else:
                synapses = synapses_view(ints, floats, net, block)
                add_scaled(synapses.w, steps[block] * delta, synapses.credit)
    if RARE and settings.feedback == ADAPTIVE:
        end_mirroring(ints, floats, net)
