"""What keeps a network able to learn: one unit of it is looked at each tick, whatever its size.

All learning neurons of actor and critic, and the outputs of both, come up in turn; a *sweep* is once around, and ticks
that only act hold it up. A neuron that contributes next to nothing is replaced by a new one (continual backpropagation,
Dohare et al. 2024, Nature 632:768)::

    p_i  <- p_i + max(sweep / age_i, 0.01) (rate_i - p_i)         activity, over the last 100 sweeps
    u_i   = 2 p_i (1 - p_i) sum_k |w_ki|                          utility; k all that see neuron i

2 p (1 - p) is the mean distance of a spike from its mean: what a neuron that never or always fires is worth is in the
biases already. Deviations from the source: spikes for activations, the mean taken off; a sweep goes by between two
looks at a neuron; one is only replaced if its utility is below a share of the mean of the layer's mature neurons; and
with it go its membrane, its eligibility and its credit, in and out, which the source has none of. (What a layer
remembers of its inputs is one trace for all its neurons, and stays.) The new one has as many connections as in a new
network, as strong as those of its layer have become, and weights of 0 to what sees it. What the old one made up of
their input on average goes into their biases, so that they do not notice; the rest of its layer does a little, as
currents are normalised over it. A tick that replaces one passes once over the weights of the layer.

Weights may also be pulled towards their initial values (Kumar et al. 2023), a row at a time::

    W_j <- W_j + (1 - (1 - initial_pull)^sweep) (W0_j - W_j)
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .base.arrays import copy, fill, flushed, row, span
from .base.jit import TINY, kernel
from .base.rng import uniform
from .layout import (
    CONNECTIVITY,
    CREDIT_NORMS,
    CRITIC,
    DUE,
    FROZEN_LAYERS,
    INITIAL_PULL,
    LEAST_UTILITY,
    LR_POLICY,
    LR_VALUE,
    MATURITY,
    N_LAYERS,
    N_NETS,
    RANDOM,
    RECURRENT_SCALE,
    REPLACED,
    REPLACEMENT_RATE,
    SWEEP,
)
from .views import Layer, layer_view, learns, net_view, rows_of, synapses_view

# Share of a new sample in the activity of a neuron once there have been so many.
ACTIVITY_RATE = 0.01
# Age from which on a neuron gets no older, ticks: float32 counts well beyond it.
OLDEST = 1e7
# What a sweep keeps of the layer that it is in: sum of utilities of mature neurons, their number, the least, and whose;
# and the unit whose turn is next.
UTILITIES, MATURE, LEAST, WORST, NEXT = 0, 1, 2, 3, 4
SWEEP_SIZE = 5


@kernel
def utility(ints: NDArray, floats: NDArray, net: int, index: int, i: int) -> float:
    """Return ``2 p_i (1 - p_i) sum_k |w_ki|`` of neuron i of a layer; k: outputs, the layer above, the layer itself."""
    layer, head = layer_view(ints, floats, net, index), net_view(ints, floats, net)
    total = 0.0
    if layer.first >= 0:
        total += _column_size(head.w, head.features.shape[0], layer.first + i)
    if index + 1 < ints[N_LAYERS]:
        above = layer_view(ints, floats, net, index + 1)
        total += _column_size(above.w, above.m, i)
    if layer.recurrent >= 0:
        total += _column_size(layer.w, layer.m, layer.recurrent + i)
    activity = layer.activity[i]
    return 2.0 * activity * (1.0 - activity) * total


@kernel
def _column_size(matrix: NDArray, m: int, column: int) -> float:
    """Return the sum of absolute values in a column of a matrix with rows of m."""
    total = 0.0
    for k in range(matrix.shape[0] // m):
        total += abs(matrix[k * m + column])
    return total


@kernel
def _clear_column(matrix: NDArray, m: int, column: int) -> None:
    for k in range(matrix.shape[0] // m):
        matrix[k * m + column] = 0.0


@kernel
def _mean_to_bias(w: NDArray, m: int, column: int, bias: int, activity: float) -> None:
    """Move what an input contributes on average to the bias, and cut it off; `w`, rows of m, in place."""
    for k in range(w.shape[0] // m):
        w[k * m + bias] += activity * w[k * m + column]
        w[k * m + column] = 0.0


@kernel
def _lose_input(layer: Layer, peak: NDArray, initial: NDArray, column: int, activity: float) -> float:
    """Cut a layer off from an input and forget every trace of it, in place; return the credit that goes with it."""
    m = layer.m
    lost = _column_size(layer.credit, m, column)
    _mean_to_bias(layer.w, m, column, layer.bias, activity)
    _clear_column(peak, m, column)
    _clear_column(initial, m, column)
    _clear_column(layer.credit, m, column)
    _clear_column(layer.epsa, m, column)
    _clear_column(layer.epsr, m, column)
    _clear_column(layer.cascade, m, column)
    _clear_column(layer.eps, m, column)
    _clear_column(layer.filtered, m, column)
    return lost


@kernel
def _clear_row(matrix: NDArray, m: int, i: int, n: int) -> None:
    """Set row i of each n rows of a matrix to 0, in place; a matrix without row i stays as it is."""
    for k in range(i, matrix.shape[0] // m, n):
        fill(row(matrix, k, m), 0.0)


@kernel
def _draw_inputs(words: NDArray, layer: Layer, first: int, connectivity: float, scale: float, w: NDArray) -> None:
    """Fill a row of weights as those of a new network are (`build`), in place; columns before `first` with 0.

    Of f columns left with c connections still to be made, each gets one with probability c/f: c of f, evenly.
    """
    fill(w, 0.0)
    end = layer.recurrent if layer.recurrent >= 0 else layer.bias
    bound = 1.0 / math.sqrt(layer.bias - first + 1)
    due = max(1.0, np.rint(connectivity * (end - first)))
    for j in range(first, end):
        if uniform(words) * (end - j) < due:
            w[j] = bound * (2.0 * uniform(words) - 1.0)
            due -= 1.0
    for j in range(end, layer.bias):
        w[j] = scale * bound * (2.0 * uniform(words) - 1.0)
    w[layer.bias] = bound * (2.0 * uniform(words) - 1.0)


@kernel
def _mean_current(layer: Layer, below: NDArray, w: NDArray, i: int) -> float:
    """Return ``w_b + sum_j p_j w_j`` for a row of weights; j all inputs that spike but neuron i of the layer itself."""
    current = 0.0  # in float64; `float` of a float32 is one in compiled code
    for j in range(below.shape[0]):
        current += below[j] * w[j]
    if layer.recurrent >= 0:
        for j in range(layer.z.shape[0]):
            if j != i:
                current += layer.activity[j] * w[layer.recurrent + j]
    return current + w[layer.bias]


@kernel
def _fit_in(layer: Layer, below: NDArray, i: int, w: NDArray) -> None:
    """Make new weights as large as those of the others, and their mean current that of the others; `w` in place.

    ::

        w_j <- w_j  max(1, mean_k |w_k| / |w|)                                   k all other neurons, L2 norms
        w_b <- mean_k (w_kb + sum_j p_j w_kj) - sum_j p_j w_j                    b the bias, p_j the activity of input j

    Norms are those of the inputs: what all biases have in common does nothing. Of the inputs of the new neuron its own
    spikes are left out: how active the last one was says nothing of it.

    The current is normalised over the layer: beside weights that have grown, those of a new network would not be heard,
    and the new neuron would never or always fire. A standardised observation and the output of a reservoir have mean 0;
    for any other observation the mean current is off by its part.

    Parameters
    ----------
    below : (n below,) array
        Activity of the layer below, or its rate; (0,) if there is none or it is a reservoir.
    """
    m, n, size = layer.m, layer.z.shape[0], layer.bias
    others, own, current = 0.0, 0.0, 0.0
    for k in range(n):
        if k != i:
            other, square = row(layer.w, k, m), 0.0
            for j in range(size):
                square += other[j] * other[j]
            others += math.sqrt(square)
            current += _mean_current(layer, below, other, i)
    for j in range(size):
        own += w[j] * w[j]
    # With a single connection, the odds of drawing exactly 0 are 1 to 2^32.
    factor = max(others / max(n - 1, 1) / math.sqrt(max(own, TINY)), 1.0)
    for j in range(size):
        w[j] *= factor
    w[size] = 0.0
    w[size] = current / max(n - 1, 1) - _mean_current(layer, below, w, i)


@kernel
def replace(ints: NDArray, reals: NDArray, floats: NDArray, net: int, index: int, i: int) -> None:
    """Put a new neuron in the place of neuron i of a layer, in place.

    Feedback weights that are not the forward ones stay: they are random, or come to mirror the new ones.
    """
    layer, head = layer_view(ints, floats, net, index), net_view(ints, floats, net)
    synapses = synapses_view(ints, floats, net, index)
    m, n, activity, top = layer.m, layer.z.shape[0], layer.activity[i], ints[N_LAYERS]
    norms = span(reals, ints[CREDIT_NORMS] + net * (top + 1), top + 1)
    # Out: the readout, the layer above, the layer itself.
    if layer.first >= 0:
        readout, size, column = synapses_view(ints, floats, net, top), head.features.shape[0], layer.first + i
        norms[top] -= _column_size(readout.credit, size, column)
        _mean_to_bias(head.w, size, column, head.bias, activity)
        _clear_column(readout.credit, size, column)
        _clear_column(readout.peak, size, column)
        _clear_column(readout.initial, size, column)
    if index + 1 < top:
        above, its = layer_view(ints, floats, net, index + 1), synapses_view(ints, floats, net, index + 1)
        norms[index + 1] -= _lose_input(above, its.peak, its.initial, i, activity)
    if layer.recurrent >= 0:
        norms[index] -= _lose_input(layer, synapses.peak, synapses.initial, layer.recurrent + i, activity)
    # In.
    for j in range(m):
        norms[index] -= abs(layer.credit[i * m + j])
    _clear_row(synapses.peak, m, i, n)
    _clear_row(layer.credit, m, i, n)
    _clear_row(layer.epsa, m, i, n)
    _clear_row(layer.epsr, m, i, n)
    _clear_row(layer.cascade, m, i, n)
    for k in range(i, layer.psi_past.shape[0], n):
        layer.psi_past[k] = 0.0
    first = 0
    if index > 0 and learns(ints, net, index - 1) == 0:
        first = layer.n_below
    w = row(layer.w, i, m)
    _draw_inputs(span(ints, RANDOM, 4), layer, first, reals[CONNECTIVITY], reals[RECURRENT_SCALE], w)
    below = span(layer.activity, 0, 0)
    if index > 0 and first == 0:
        source = layer_view(ints, floats, net, index - 1)
        # In frozen layers nobody looks at neurons.
        below = source.rate if index - 1 < ints[FROZEN_LAYERS] else source.activity
    _fit_in(layer, below, i, w)
    if synapses.initial.shape[0] > 0:
        copy(w, row(synapses.initial, i, m))
    # The neuron.
    layer.v[i] = 0.0
    layer.a[i] = 0.0
    layer.z[i] = 0.0
    layer.psi[i] = 0.0
    layer.psi_mean[i] = 0.0
    layer.rate[i] = 0.0
    layer.activity[i] = 0.0
    layer.age[i] = 0.0
    # What rounding leaves must not make a norm negative.
    for block in range(top + 1):
        norms[block] = max(norms[block], 0.0)


@kernel
def _grow_older(layer: Layer, i: int, length: int) -> None:
    layer.age[i] = min(layer.age[i] + length, OLDEST)
    share = max(length / layer.age[i], ACTIVITY_RATE)
    layer.activity[i] = flushed(layer.activity[i] + share * (layer.rate[i] - layer.activity[i]), TINY)


@kernel
def _pull(weights: NDArray, initial: NDArray, share: float) -> None:
    """``W += share (W0 - W)`` for a row of weights, flushed, in place."""
    real = weights.dtype.type
    factor, tiny, zero = real(share), real(TINY), real(0.0)
    for j in range(weights.shape[0]):
        pulled = weights[j] + factor * (initial[j] - weights[j])
        weights[j] = pulled if np.abs(pulled) > tiny else zero


@kernel
def _judge(ints: NDArray, reals: NDArray, floats: NDArray, net: int, index: int, i: int, length: int) -> None:
    """Take neuron i into account; at the last of its layer, replace the least useful one if that is due."""
    layer = layer_view(ints, floats, net, index)
    sweep = span(reals, ints[SWEEP], SWEEP_SIZE)
    if i == 0:
        fill(span(sweep, 0, NEXT), 0.0)
    if layer.age[i] >= reals[MATURITY]:
        here = utility(ints, floats, net, index, i)
        if sweep[MATURE] == 0.0 or here < sweep[LEAST]:
            sweep[LEAST] = here
            sweep[WORST] = i
        sweep[UTILITIES] += here
        sweep[MATURE] += 1.0
    n = layer.z.shape[0]
    if i < n - 1:
        return
    at = net * ints[N_LAYERS] + index
    due = reals[ints[DUE] + at] + reals[REPLACEMENT_RATE] * n * length
    mean = sweep[UTILITIES] / max(sweep[MATURE], 1.0)
    if due >= 1.0 and sweep[MATURE] > 0.0 and sweep[LEAST] <= reals[LEAST_UTILITY] * mean:
        # Within bounds whatever a state that was restored may hold.
        replace(ints, reals, floats, net, index, min(max(int(sweep[WORST]), 0), n - 1))
        reals[ints[REPLACED] + at] += 1.0
        due -= 1.0
    reals[ints[DUE] + at] = min(due, 1.0)


@kernel
def stay_plastic(ints: NDArray, reals: NDArray, floats: NDArray) -> None:
    """Look at the unit whose turn it is: age it, pull its weights, and replace a neuron if that is due; in place.

    A network that does not learn is left out, as are its frozen layers.
    """
    if reals[REPLACEMENT_RATE] <= 0.0 and reals[INITIAL_PULL] <= 0.0:
        return
    low, top = ints[FROZEN_LAYERS], ints[N_LAYERS]
    length = 0
    for net in range(N_NETS):
        for block in range(low, top + 1):
            length += rows_of(ints, net, block)
    sweep = span(reals, ints[SWEEP], SWEEP_SIZE)
    unit = min(max(int(sweep[NEXT]), 0), length - 1)
    sweep[NEXT] = (unit + 1) % length
    for net in range(N_NETS):
        for block in range(low, top + 1):
            rows = rows_of(ints, net, block)
            if 0 <= unit < rows and (reals[LR_VALUE] if net == CRITIC else reals[LR_POLICY]) > 0.0:
                if reals[INITIAL_PULL] > 0.0:
                    share = -np.expm1(length * np.log1p(-reals[INITIAL_PULL]))
                    synapses = synapses_view(ints, floats, net, block)
                    m = synapses.w.shape[0] // rows
                    _pull(row(synapses.w, unit, m), row(synapses.initial, unit, m), share)
                if block < top and reals[REPLACEMENT_RATE] > 0.0:
                    _grow_older(layer_view(ints, floats, net, block), unit, length)
                    _judge(ints, reals, floats, net, block, unit, length)
            unit -= rows
