"""Learning of one network: signals down through the layers, then one pass over all synapses."""

from __future__ import annotations

from numpy.typing import NDArray

from .eligibility import adaptive_credit_row, adaptive_row, cascade_row, credit_row, plain_row
from .jit import fill, kernel
from .layout import (
    ACTOR,
    CREDIT_NORMS,
    FROZEN_LAYERS,
    KAPPA_POLICY,
    KAPPA_VALUE,
    LR_POLICY,
    LR_VALUE,
    N_LAYERS,
    PEAK_DECAY,
    READOUT_SHARE,
    SCRATCH_E,
    SCRATCH_TOTAL,
    STEP_RULE,
    STEP_SIZES,
    Layer,
    Net,
    layer_view,
    net_view,
)
from .signal import descend, readout_signal
from .step_size import BOUNDED, bounded_steps, coordinate_update, scaled_update


@kernel
def send_signals(ints: NDArray, floats: NDArray, net: int) -> None:
    """Fill the signals of every layer of `net` from the readout gradient, top layer first, in place.

    ::

        S_0^l     = W_out_l^T g
        S_1^l     = W_{l+1}^T (S_0^{l+1} psi^{l+1})
        S_{m+1}^l = W_{l+1}^T (S_m^{l+1} mean psi^{l+1})         m >= 1

    psi of the layer that is read out stands outside the filters and is taken as it is; psi of a layer in between stands
    inside the filter of the layer above it, where its running mean replaces it.
    """
    head = net_view(ints, floats, net)
    last = ints[N_LAYERS] - 1
    for index in range(last, -1, -1):
        layer = layer_view(ints, floats, net, index)
        if layer.first >= 0:
            n = layer.z.shape[0]
            readout_signal(head.w, head.features.shape[0], head.gradient, layer.first, layer.signals[:n])
        if layer.levels > 0:
            upper = layer_view(ints, floats, net, index + 1)
            n, n_upper = layer.z.shape[0], upper.z.shape[0]
            for m in range(upper.levels + 1):
                descend(
                    upper.w,
                    upper.m,
                    upper.signals[m * n_upper : (m + 1) * n_upper],
                    upper.psi if m == 0 else upper.psi_mean,
                    layer.signals[(m + 1) * n : (m + 2) * n],
                )


@kernel
def learn_top_layer(layer: Layer, scale: float, decay: float) -> float:
    """`learn_layer` where no layer lies above: e is not stored, each synapse is swept once."""
    real = layer.w.dtype.type
    factor, keep = real(scale), real(decay)
    m, groups = layer.m, layer.alphas.shape[0]
    group = 0
    norm = 0.0
    for i in range(layer.z.shape[0]):
        w, credit = layer.w[i * m : (i + 1) * m], layer.credit[i * m : (i + 1) * m]
        eps = layer.eps[group * m : (group + 1) * m]
        if i < layer.n_adaptive:
            norm += adaptive_credit_row(
                w,
                credit,
                layer.epsa[i * m : (i + 1) * m],
                factor,
                keep,
                layer.signals[i],
                layer.psi[i],
                layer.strength[i],
                layer.rho[i],
                eps,
            )
        else:
            norm += credit_row(w, credit, factor, keep, layer.signals[i] * layer.psi[i], eps)
        group = group + 1 if group + 1 < groups else 0
    return norm


@kernel
def learn_layer(
    layer: Layer, leak: NDArray, slope: NDArray, scale: float, decay: float, e: NDArray, total: NDArray
) -> float:
    """Change the weights of one layer and advance its traces, in place; return the new L1 norm of its credit.

    leak, slope : (levels,) of the layers above, nearest first; e, total : (m,) work rows.
    """
    real = layer.w.dtype.type
    factor, keep, one = real(scale), real(decay), real(1.0)
    m, n, groups = layer.m, layer.z.shape[0], layer.alphas.shape[0]
    group = 0
    norm = 0.0
    for i in range(n):
        eps = layer.eps[group * m : (group + 1) * m]
        if i < layer.n_adaptive:
            epsa = layer.epsa[i * m : (i + 1) * m]
            adaptive_row(epsa, eps, layer.psi[i], layer.strength[i], layer.rho[i], e)
        else:
            plain_row(eps, layer.psi[i], e)
        plain_row(e, layer.signals[i], total)
        for level in range(layer.levels):
            trace = layer.cascade[(level * n + i) * m : (level * n + i + 1) * m]
            cascade_row(trace, e, leak[level], slope[level], layer.signals[(level + 1) * n + i], total)
        w, credit = layer.w[i * m : (i + 1) * m], layer.credit[i * m : (i + 1) * m]
        norm += credit_row(w, credit, factor, keep, one, total)
        group = group + 1 if group + 1 < groups else 0
    return norm


@kernel
def learn_readout(head: Net, scale: float, decay: float) -> float:
    """Change the readout's weights, then add ``g_k z_j`` to its credit, in place; return the L1 norm of the credit."""
    real = head.w.dtype.type
    features = head.features.shape[0]
    norm = 0.0
    for k in range(head.output.shape[0]):
        w, credit = head.w[k * features : (k + 1) * features], head.credit[k * features : (k + 1) * features]
        norm += credit_row(w, credit, real(scale), real(decay), head.gradient[k], head.features)
    return norm


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
        bounded_steps(lr, kappa, reals[READOUT_SHARE], delta, norms, steps)
    else:
        fill(steps, 0.0)


@kernel
def apply_coordinate(ints: NDArray, reals: NDArray, floats: NDArray, net: int, delta: float) -> None:
    """Change all weights of `net` by the coordinate rule, in place; nothing with the bounded rule."""
    if ints[STEP_RULE] == BOUNDED:
        return
    lr = reals[LR_POLICY] if net == ACTOR else reals[LR_VALUE]
    head = net_view(ints, floats, net)
    coordinate_update(head.w, head.credit, head.peak, lr, delta, reals[PEAK_DECAY])
    for index in range(ints[N_LAYERS]):
        layer = layer_view(ints, floats, net, index)
        coordinate_update(layer.w, layer.credit, layer.peak, lr, delta, reals[PEAK_DECAY])


@kernel
def learn(ints: NDArray, reals: NDArray, floats: NDArray, net: int, delta: float, decay: float) -> None:
    """Apply `delta` to the credit of the tick before, then form this tick's credit, all in place.

    Signals are computed first, so that they and the spikes belong to the same weights.
    """
    send_signals(ints, floats, net)
    choose_steps(ints, reals, net, delta)
    apply_coordinate(ints, reals, floats, net, delta)
    norms, steps = _blocks(ints, reals, CREDIT_NORMS, net), _blocks(ints, reals, STEP_SIZES, net)
    head = net_view(ints, floats, net)
    for index in range(ints[FROZEN_LAYERS], ints[N_LAYERS]):
        layer = layer_view(ints, floats, net, index)
        scale = steps[index] * delta
        if layer.levels == 0:
            norms[index] = learn_top_layer(layer, scale, decay)
        else:
            e = floats[ints[SCRATCH_E] : ints[SCRATCH_E] + layer.m]
            total = floats[ints[SCRATCH_TOTAL] : ints[SCRATCH_TOTAL] + layer.m]
            norms[index] = learn_layer(layer, head.leak[index + 1 :], head.slope[index + 1 :], scale, decay, e, total)
    norms[ints[N_LAYERS]] = learn_readout(head, steps[ints[N_LAYERS]] * delta, decay)


@kernel
def settle(ints: NDArray, reals: NDArray, floats: NDArray, net: int, delta: float) -> None:
    """Apply the last TD error of an episode to the credit of the tick before; traces stay as they are."""
    choose_steps(ints, reals, net, delta)
    apply_coordinate(ints, reals, floats, net, delta)
    if ints[STEP_RULE] != BOUNDED:
        return
    steps = _blocks(ints, reals, STEP_SIZES, net)
    head = net_view(ints, floats, net)
    scaled_update(head.w, head.credit, steps[ints[N_LAYERS]] * delta)
    for index in range(ints[N_LAYERS]):
        layer = layer_view(ints, floats, net, index)
        scaled_update(layer.w, layer.credit, steps[index] * delta)
