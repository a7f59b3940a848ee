"""Learning signals: the gradient at the readout, carried down through the layers, and around through recurrent weights.

Slots of ``layer.signals``, (n,) each, s the splits and k the levels of the layer::

    0                  S_0 = B_out^T g                                    straight from the readout
    1 .. s             U_h = slope_{l+1} B_{l+1}^T (S_0^{l+1} psi^{l+1} [group h])    one hop, up
    1 + s .. 2 s       D_h = slope_l B_rec^T (S_0 psi [group h])    one hop, around: meets the trace a tick old
    2 s + q, q = 1     T_1 = sum_h U_h + D_h
             q = 2 ..  T_q = slope_{l+1} B_{l+1}^T (T_{q-1}^{l+1} psi_mean^{l+1})
                             + slope_{l+q} B_rec^T (T_{q-1} psi_mean)                 saturated

B are the weights themselves, or feedback weights in their place. A layer has as many levels as layers above it, and one
more with `recurrent_hop`; T_q holds all ways of q hops, up and around. psi of the neuron that is read out stands
outside all filters and is taken as it is; psi of a neuron in between stands inside the filter of the next one, where
its running mean replaces it. Each hop carries the slope of the current that it passes through, l + q meaning the
top layer where there is none: slopes are large where currents are small and weights with them, so that a signal of many
hops stays of the size of a gradient, while a product of slopes alone soon leaves the range of a float. Simplified: a
spike that goes around arrives with the slope of its own tick instead of the next one's, and in T_q it is not delayed
and counts with the slope of the layer that it stands for.
"""

from __future__ import annotations

from numpy.typing import NDArray

from .base.arrays import row, span
from .base.jit import kernel
from .base.rare import RARE
from .base.vectors import add_scaled, fill, scale_saturating
from .layout import sizes_of
from .memory import descend_memory
from .views import is_memory, layer_view, net_view


@kernel
def readout_signal(weights: NDArray, features: int, gradient: NDArray, first: int, out: NDArray) -> None:
    """``S_i += sum_k B_out[k, first + i] g_k``: feedback to the neurons that start at column `first`.

    weights (K features,) by rows, gradient (K,), out (n,), float32; `out` in place.
    """
    for k in range(gradient.shape[0]):
        add_scaled(out, gradient[k], span(weights, k * features + first, out.shape[0]))


@kernel
def descend(
    weights: NDArray, m: int, column: int, signal: NDArray, psi: NDArray, scale: float, split: int, out: NDArray
) -> None:
    """``out_hj += sum_{i in group h} B_{i, column + j} S_i psi_i scale``, group h of i being i mod split.

    weights (n m,) by rows, signal (n,), psi (n,), out (split n_out,), float32; `out` in place.
    """
    factor = out.dtype.type(scale)
    size = out.shape[0] // split
    group = 0
    for i in range(signal.shape[0]):
        push = signal[i] * psi[i] * factor
        if push != 0.0:
            add_scaled(row(out, group, size), push, span(weights, i * m + column, size))
        group = group + 1 if group + 1 < split else 0


@kernel
def send_signals(ints: NDArray, floats: NDArray, net: int) -> None:
    """Fill the signals of every layer of `net` that learns from the readout gradient, top layer first, in place."""
    sizes, head = sizes_of(ints), net_view(ints, floats, net)
    last = sizes.n_layers - 1
    for index in range(last, sizes.frozen_layers - 1, -1):
        layer = layer_view(ints, floats, net, index)
        n, s = layer.n, layer.split
        signals = layer.signals
        fill(signals, 0.0)
        direct = row(signals, 0, n)
        if layer.first >= 0:
            readout_signal(head.feedback, head.n_features, head.gradient, layer.first, direct)
        if layer.levels == 0:
            continue
        upper = layer_view(ints, floats, net, min(index + 1, last))
        n_upper = upper.n
        for q in range(1, layer.levels + 1):
            # One hop: from S_0, by psi of now, split by group. More: from T_{q-1}, by mean psi.
            once, slot = q == 1, 2 * s + q
            groups = s if once else 1
            if index < last:
                source = row(upper.signals, 0 if once else 2 * upper.split + q - 1, n_upper)
                out = span(signals, (1 if once else slot) * n, groups * n)
                psi = upper.psi if once else upper.psi_mean
                if is_memory(upper):
                    descend_memory(upper, source, out)
                else:
                    descend(upper.feedback, upper.m, 0, source, psi, head.slope[index + 1], groups, out)
            if RARE and sizes.recurrent_hop != 0 and layer.recurrent >= 0:
                source = row(signals, 0 if once else slot - 1, n)
                out = span(signals, (1 + s if once else slot) * n, groups * n)
                psi = layer.psi if once else layer.psi_mean
                slope = head.slope[index if once else min(index + q, last)]
                descend(layer.feedback, layer.m, layer.recurrent, source, psi, slope, groups, out)
            total = row(signals, slot, n)
            if once:
                for h in range(2 * s):
                    add_scaled(total, 1.0, row(signals, 1 + h, n))
            scale_saturating(total, 1.0)
