"""Learning of one network: signals down through the layers, then one pass over all synapses."""

from __future__ import annotations

from numpy.typing import NDArray

from .base.arrays import add_scaled, fill, span
from .base.jit import kernel
from .credit import learn_layer, learn_readout
from .feedback import loosen_feedback, tie_feedback
from .layout import (
    ACTOR,
    ADAPTIVE_FEEDBACK,
    CREDIT_NORMS,
    ERROR_BOUND,
    FEEDBACK,
    FROZEN_LAYERS,
    KAPPA_POLICY,
    KAPPA_VALUE,
    LR_POLICY,
    LR_VALUE,
    N_LAYERS,
    N_PARTS,
    PEAK_DECAY,
    RATE_REGULARIZATION,
    READOUT_SHARE,
    RESET_STRENGTH,
    SCRATCH_E,
    SCRATCH_FACTORS,
    SCRATCH_TOTAL,
    STEP_RULE,
    STEP_SIZES,
    V_TH,
)
from .policy import spread
from .rate_regularization import regularize_rates
from .signals import send_signals
from .step_size import BOUNDED, bounded_steps, coordinate_update
from .views import layer_view, net_view, synapses_view


@kernel
def _blocks(ints: NDArray, reals: NDArray, offset: int, net: int) -> NDArray:
    size = ints[N_LAYERS] + 1
    return reals[ints[offset] + net * size : ints[offset] + (net + 1) * size]


@kernel
def choose_steps(ints: NDArray, reals: NDArray, net: int, delta: float) -> None:
    """Fill the step sizes of `net` for this TD error, in place; 0 with the coordinate rule, which sets its own."""
    norms, steps = _blocks(ints, reals, CREDIT_NORMS, net), _blocks(ints, reals, STEP_SIZES, net)
    if ints[STEP_RULE] == BOUNDED:
        lr = reals[LR_POLICY] if net == ACTOR else reals[LR_VALUE]
        kappa = reals[KAPPA_POLICY] if net == ACTOR else reals[KAPPA_VALUE]
        parts = 1
        if net == ACTOR:
            parts = ints[N_PARTS]
            kappa /= spread(ints, reals)  # so that a narrow policy is moved in small steps
        bound, share = reals[ERROR_BOUND], reals[READOUT_SHARE]
        bounded_steps(lr, kappa, bound, share, ints[FROZEN_LAYERS], parts, delta, norms, steps)
    else:
        fill(steps, 0.0)


@kernel
def apply_coordinate(ints: NDArray, reals: NDArray, floats: NDArray, net: int, delta: float) -> None:
    """Change all weights of `net` that learn by the coordinate rule, in place."""
    lr = reals[LR_POLICY] if net == ACTOR else reals[LR_VALUE]
    for block in range(ints[FROZEN_LAYERS], ints[N_LAYERS] + 1):
        synapses = synapses_view(ints, floats, net, block)
        coordinate_update(synapses.w, synapses.credit, synapses.peak, lr, delta, reals[PEAK_DECAY])


@kernel
def _learn_layers(ints: NDArray, reals: NDArray, floats: NDArray, net: int, delta: float, decay: float) -> None:
    norms, steps = _blocks(ints, reals, CREDIT_NORMS, net), _blocks(ints, reals, STEP_SIZES, net)
    head = net_view(ints, floats, net)
    fall = reals[RESET_STRENGTH] * reals[V_TH]
    last = ints[N_LAYERS] - 1
    for index in range(ints[FROZEN_LAYERS], last + 1):
        layer = layer_view(ints, floats, net, index)
        e = span(floats, ints[SCRATCH_E], layer.m)
        total = span(floats, ints[SCRATCH_TOTAL], layer.m)
        factors = span(floats, ints[SCRATCH_FACTORS], layer.mass.shape[0])
        if reals[RATE_REGULARIZATION] > 0.0:
            regularize_rates(layer, reals, fall)
        first = min(index + 1, last)
        leak, slope, scale = head.leak[first:], head.slope[first:], steps[index] * delta
        norms[index] = learn_layer(layer, leak, slope, scale, decay, fall, e, total, factors)
    norms[last + 1] = learn_readout(head, steps[last + 1] * delta, decay)


@kernel
def learn(
    ints: NDArray, reals: NDArray, floats: NDArray, net: int, delta: float, decay: float, traces_follow: bool
) -> None:
    """Apply `delta` to the credit of the tick before, then form this tick's credit, all in place.

    Signals are computed first, so that they and the spikes belong to the same weights. Without `traces_follow`, at
    the end of an episode, credit and traces stay as they are.
    """
    if traces_follow:
        send_signals(ints, floats, net)
    if ints[FEEDBACK] == ADAPTIVE_FEEDBACK:
        loosen_feedback(ints, reals, floats, net)
    choose_steps(ints, reals, net, delta)
    if ints[STEP_RULE] != BOUNDED:
        apply_coordinate(ints, reals, floats, net, delta)
    if traces_follow:
        _learn_layers(ints, reals, floats, net, delta, decay)
    else:
        steps = _blocks(ints, reals, STEP_SIZES, net)
        for block in range(ints[FROZEN_LAYERS], ints[N_LAYERS] + 1):
            synapses = synapses_view(ints, floats, net, block)
            add_scaled(synapses.w, steps[block] * delta, synapses.credit)
    if ints[FEEDBACK] == ADAPTIVE_FEEDBACK:
        tie_feedback(ints, floats, net)
