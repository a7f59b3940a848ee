"""One tick of a whole network: observation in, spikes up through the layers, outputs out."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from .base.arrays import row, span, view
from .base.jit import FAINT, TINY, kernel
from .base.vectors import copy, flushed, running_mean, weighted_sum
from .layout import places_of, running_of, sizes_of
from .memory import filter_memory, hold, keep_observation, mean_keep, see
from .neuron import filter_inputs, fire
from .views import is_memory, layer_view, net_view

SETTINGS = ("gain",)

# Added to the variance of a current, so that one that is the same everywhere is not blown up.
VARIANCE_FLOOR = 1e-5
# Share of a new sample in the running mean of psi that stands for psi inside the filter of a layer in between.
PSI_MEAN_RATE = 0.05
# Share of a new sample in the running rate of a neuron.
RATE_RATE = 0.01
# Share of a new sample in the reported activity of a layer.
SPIKE_RATE_RATE = 1e-3


@kernel
def gather_inputs(
    below: NDArray, n_below: int, x: NDArray, observed: int, z: NDArray, recurrent: int, bias: int, inputs: NDArray
) -> None:
    """Assemble ``u = [z^{l-1}_t ; x_t ; z^l_{t-1} ; 1]`` in place; a column of -1 leaves that part out."""
    copy(span(below, 0, n_below), inputs)
    if observed >= 0:
        copy(x, span(inputs, observed, x.shape[0]))
    if recurrent >= 0:
        copy(z, span(inputs, recurrent, z.shape[0]))
    inputs[bias] = 1.0


@kernel
def normalize_current(current: NDArray, gain: float) -> float:
    """Normalize the current of a layer over its neurons, in place, and return the factor applied.

    ::

        s = 1 / sqrt(var(I) + 1e-5);   I_i <- gain s (I_i - mean(I))

    Parameters
    ----------
    current : (n,) float32 array, modified in place
    gain : float
        Standard deviation of the normalized current, in units of v_th = 1.

    Returns
    -------
    float
        ``gain * s``, the slope dI_i(out)/dI_i(in) used by the traces (the statistics are treated as constants there).
    """
    n = current.shape[0]
    mean = 0.0
    for i in range(n):
        mean += current[i]
    mean /= n
    var = 0.0
    for i in range(n):
        var += (current[i] - mean) * (current[i] - mean)
    slope = gain / math.sqrt(var / n + VARIANCE_FLOOR)
    real = current.dtype.type
    factor, center = real(slope), real(mean)
    for i in range(n):
        current[i] = factor * (current[i] - center)
    return slope


@kernel
def center(count: float, learn: bool, z: NDArray, mean: NDArray, out: NDArray) -> None:
    """Write ``out_i = z_i - mean_i``, with `learn` after ``mean_i <- mean_i + (z_i - mean_i) / count``, flushed.

    A neuron that fires all the time, as holders do, would be one more bias unit. Many of those make the
    outputs of all observations move together, and quickly: with spikes as they are, MountainCar is not explored.

    Parameters
    ----------
    count : float
        Samples, or sum of their weights, as of the statistics of observations.
    z, out : (n,) float32 arrays
    mean : (n,) float64 array
        Modified in place, as is `out`.
    """
    for i in range(z.shape[0]):
        if learn:
            # At TINY, not FAINT: of a neuron that has fallen silent this is all the layers above see.
            mean[i] = flushed(mean[i] + (z[i] - mean[i]) / count, TINY)
        out[i] = z[i] - mean[i]


@kernel
def forward(settings: Any, ints: NDArray, reals: NDArray, floats: NDArray, net: int, learn: bool) -> None:
    """Advance network `net` by one tick, in place; with `learn` the eligibility vectors follow.

    The readout is linear in the spikes of this very tick: ``output_k = sum_j W_out[k, j] z_j + b_k``. Those of
    memory neurons count less their mean, there and in the layer above.
    """
    sizes, places, head = sizes_of(ints), places_of(ints), net_view(ints, floats, net)
    rates = row(view(reals, places.spike_rates), net, sizes.n_layers)
    x, means = view(floats, places.input), view(reals, places.output_mean)
    below = x
    for index in range(sizes.n_layers):
        layer = layer_view(ints, floats, net, index)
        if is_memory(layer):
            see(layer, below, x)
            spikes = hold(settings, layer)
            if learn:
                filter_memory(settings, layer)
                head.slope[index], head.leak[index] = 1.0, mean_keep(settings, layer)
            keep_observation(layer, x)
            mean = row(means, net * sizes.n_memory + index, layer.n)  # memory layers are the lowest, of one size
            center(running_of(reals).observation_count, learn, layer.z, mean, layer.output)
        else:
            gather_inputs(below, layer.n_below, x, layer.observed, layer.z, layer.recurrent, layer.bias, layer.inputs)
            weighted_sum(layer.w, layer.inputs, layer.current)
            slope = normalize_current(layer.current, settings.gain)
            spikes = fire(settings, layer)
            if learn:
                filter_inputs(layer, slope)
                head.slope[index] = slope
        if learn:
            running_mean(PSI_MEAN_RATE, layer.psi, layer.psi_mean, TINY)
            running_mean(RATE_RATE, layer.z, layer.rate, TINY)
            share = spikes / layer.n
            rates[index] = flushed(rates[index] + SPIKE_RATE_RATE * (share - rates[index]), FAINT)
        if layer.first >= 0:
            copy(layer.output, span(head.features, layer.first, layer.n))
        below = layer.output
    head.features[head.bias] = 1.0
    weighted_sum(head.w, head.features, head.output)
