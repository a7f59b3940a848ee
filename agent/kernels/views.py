"""Views of the arrays in the arena, as kernels take them."""

from __future__ import annotations

from typing import NamedTuple

from numpy.typing import NDArray

from .base.arrays import span
from .base.jit import kernel
from .layout import (
    ANCHORED,
    CASCADE,
    DEPTH_FILTER,
    LAYER_A,
    LAYER_ACTIVITY,
    LAYER_ADAPTIVE,
    LAYER_AGE,
    LAYER_ALPHA,
    LAYER_ALPHAS,
    LAYER_BELOW,
    LAYER_BIAS,
    LAYER_CASCADE,
    LAYER_CREDIT,
    LAYER_CURRENT,
    LAYER_EPS,
    LAYER_EPSA,
    LAYER_EPSR,
    LAYER_FEEDBACK,
    LAYER_FILTER_LEAK,
    LAYER_FILTERED,
    LAYER_FIRST,
    LAYER_GROUPS,
    LAYER_INITIAL,
    LAYER_INPUTS,
    LAYER_LEARNS,
    LAYER_LEVELS,
    LAYER_M,
    LAYER_MASS,
    LAYER_N,
    LAYER_OBSERVED,
    LAYER_OUTPUT,
    LAYER_PEAK,
    LAYER_PSI,
    LAYER_PSI_MEAN,
    LAYER_PSI_PAST,
    LAYER_RATE,
    LAYER_RECURRENT,
    LAYER_RHO,
    LAYER_SIGNALS,
    LAYER_SPLIT,
    LAYER_STRENGTH,
    LAYER_STRIDE,
    LAYER_TABLE,
    LAYER_V,
    LAYER_VECTORS,
    LAYER_W,
    LAYER_Z,
    N_LAYERS,
    NET_BIAS,
    NET_CREDIT,
    NET_FEATURE,
    NET_FEATURES,
    NET_FEEDBACK,
    NET_FREE,
    NET_GRADIENT,
    NET_INITIAL,
    NET_LEAK,
    NET_OUT,
    NET_OUTPUT,
    NET_PEAK,
    NET_SLOPE,
    NET_STRIDE,
    NET_TABLE,
    NET_W,
    RESET_PATH,
    STEP_RULE,
)


class Layer(NamedTuple):
    """Views of one layer; n neurons, m inputs (padded with zeros), G leak groups, k levels, s splits.

    All views are one-dimensional: a matrix is its rows one after the other (a reshape in compiled code costs 25 ns).
    """

    m: int
    n_below: int
    observed: int
    recurrent: int
    bias: int
    first: int
    n_adaptive: int
    levels: int
    split: int
    w: NDArray  # (n, m)
    credit: NDArray  # (n, m), or (0,) if the layer never learns
    epsa: NDArray  # (n adaptive, m)
    cascade: NDArray  # (k, n, m), or (0,) with the factored filter
    eps: NDArray  # (G, m), likewise
    inputs: NDArray  # (m,)
    v: NDArray  # (n,)
    a: NDArray  # (n,)
    z: NDArray  # (n,)
    psi: NDArray  # (n,)
    psi_mean: NDArray  # (n,)
    current: NDArray  # (n,)
    signals: NDArray  # (1 + 2 s + k, n), see `signal.py`
    alpha: NDArray  # (n,)
    rho: NDArray  # (n,)
    strength: NDArray  # (n,)
    alphas: NDArray  # (G,)
    feedback: NDArray  # (n, m), the same memory as `w` if feedback is symmetric
    filtered: NDArray  # (G, vectors, m)
    psi_past: NDArray  # (s + 1, n), or (0,) with the cascade
    mass: NDArray  # (vectors,)
    filter_leak: NDArray  # (s,)
    rate: NDArray  # (n,)
    epsr: NDArray  # (n, m), or (0,) if the reset has no eligibility
    output: NDArray  # (n,), what the layer above and the readout see: `z`, of a reservoir z less its mean
    age: NDArray  # (n,), ticks, or (0,) if the layer never learns, as is activity
    activity: NDArray  # (n,)


class Net(NamedTuple):
    """Views of one network's readout; K outputs, F features (padded with zeros), L layers."""

    bias: int
    free: int
    w: NDArray  # (K, F)
    credit: NDArray  # (K, F)
    features: NDArray  # (F,)
    output: NDArray  # (K,)
    gradient: NDArray  # (K,)
    leak: NDArray  # (L,)
    slope: NDArray  # (L,)
    feedback: NDArray  # (K, F), the same memory as `w` if feedback is symmetric


class Synapses(NamedTuple):
    """Views of the weights of one layer or of the readout, with all that changes them."""

    w: NDArray
    peak: NDArray
    credit: NDArray
    feedback: NDArray
    initial: NDArray  # (0,) unless initial weights are kept


@kernel
def learns(ints: NDArray, net: int, layer: int) -> int:
    """Return 1 if a layer has credit and traces, else 0."""
    return int(ints[LAYER_TABLE + (net * ints[N_LAYERS] + layer) * LAYER_STRIDE + LAYER_LEARNS])


@kernel
def rows_of(ints: NDArray, net: int, block: int) -> int:
    """Return the neurons of a layer or, of the last block, the outputs of the network."""
    n_layers = ints[N_LAYERS]
    if block < n_layers:
        return int(ints[LAYER_TABLE + (net * n_layers + block) * LAYER_STRIDE + LAYER_N])
    return int(ints[NET_TABLE + net * NET_STRIDE + NET_OUT])


@kernel
def layer_view(ints: NDArray, floats: NDArray, net: int, layer: int) -> Layer:
    """Return the views of layer `layer` (from 0, bottom first) of network `net` (ACTOR or CRITIC)."""
    at = LAYER_TABLE + (net * ints[N_LAYERS] + layer) * LAYER_STRIDE
    n, m, groups, able = ints[at + LAYER_N], ints[at + LAYER_M], ints[at + LAYER_GROUPS], ints[at + LAYER_LEARNS]
    levels, split, vectors = ints[at + LAYER_LEVELS], ints[at + LAYER_SPLIT], ints[at + LAYER_VECTORS]
    resets = n * able if ints[RESET_PATH] != 0 else 0
    cascades = levels if ints[DEPTH_FILTER] == CASCADE else 0
    pasts = split + 1 if vectors > 0 else 0
    return Layer(
        m,
        ints[at + LAYER_BELOW],
        ints[at + LAYER_OBSERVED],
        ints[at + LAYER_RECURRENT],
        ints[at + LAYER_BIAS],
        ints[at + LAYER_FIRST],
        ints[at + LAYER_ADAPTIVE],
        levels,
        split,
        span(floats, ints[at + LAYER_W], n * m),
        span(floats, ints[at + LAYER_CREDIT], n * m * able),
        span(floats, ints[at + LAYER_EPSA], ints[at + LAYER_ADAPTIVE] * m),
        span(floats, ints[at + LAYER_CASCADE], cascades * n * m),
        span(floats, ints[at + LAYER_EPS], groups * m * able),
        span(floats, ints[at + LAYER_INPUTS], m),
        span(floats, ints[at + LAYER_V], n),
        span(floats, ints[at + LAYER_A], n),
        span(floats, ints[at + LAYER_Z], n),
        span(floats, ints[at + LAYER_PSI], n),
        span(floats, ints[at + LAYER_PSI_MEAN], n),
        span(floats, ints[at + LAYER_CURRENT], n),
        span(floats, ints[at + LAYER_SIGNALS], (1 + 2 * split + levels) * n),
        span(floats, ints[at + LAYER_ALPHA], n),
        span(floats, ints[at + LAYER_RHO], n),
        span(floats, ints[at + LAYER_STRENGTH], n),
        span(floats, ints[at + LAYER_ALPHAS], groups),
        span(floats, ints[at + LAYER_FEEDBACK], n * m),
        span(floats, ints[at + LAYER_FILTERED], groups * vectors * m),
        span(floats, ints[at + LAYER_PSI_PAST], pasts * n),
        span(floats, ints[at + LAYER_MASS], vectors),
        span(floats, ints[at + LAYER_FILTER_LEAK], split),
        span(floats, ints[at + LAYER_RATE], n),
        span(floats, ints[at + LAYER_EPSR], resets * m),
        span(floats, ints[at + LAYER_OUTPUT], n),
        span(floats, ints[at + LAYER_AGE], n * able),
        span(floats, ints[at + LAYER_ACTIVITY], n * able),
    )


@kernel
def net_view(ints: NDArray, floats: NDArray, net: int) -> Net:
    """Return the readout views of network `net` (ACTOR or CRITIC)."""
    at = NET_TABLE + net * NET_STRIDE
    outputs, features, layers = ints[at + NET_OUT], ints[at + NET_FEATURES], ints[N_LAYERS]
    return Net(
        ints[at + NET_BIAS],
        ints[at + NET_FREE],
        span(floats, ints[at + NET_W], outputs * features),
        span(floats, ints[at + NET_CREDIT], outputs * features),
        span(floats, ints[at + NET_FEATURE], features),
        span(floats, ints[at + NET_OUTPUT], outputs),
        span(floats, ints[at + NET_GRADIENT], outputs),
        span(floats, ints[at + NET_LEAK], layers),
        span(floats, ints[at + NET_SLOPE], layers),
        span(floats, ints[at + NET_FEEDBACK], outputs * features),
    )


@kernel
def synapses_view(ints: NDArray, floats: NDArray, net: int, block: int) -> Synapses:
    """Return the views of block `block` of network `net`: a layer, bottom first, or, last, the readout."""
    n_layers = ints[N_LAYERS]
    if block < n_layers:
        at = LAYER_TABLE + (net * n_layers + block) * LAYER_STRIDE
        size = ints[at + LAYER_N] * ints[at + LAYER_M]
        w, peak, credit, feedback = at + LAYER_W, at + LAYER_PEAK, at + LAYER_CREDIT, at + LAYER_FEEDBACK
        initial = at + LAYER_INITIAL
    else:
        at = NET_TABLE + net * NET_STRIDE
        size = ints[at + NET_OUT] * ints[at + NET_FEATURES]
        w, peak, credit, feedback = at + NET_W, at + NET_PEAK, at + NET_CREDIT, at + NET_FEEDBACK
        initial = at + NET_INITIAL
    peaks = size if ints[STEP_RULE] != 0 else 0
    kept = size if ints[ANCHORED] != 0 else 0
    return Synapses(
        span(floats, ints[w], size),
        span(floats, ints[peak], peaks),
        span(floats, ints[credit], size),
        span(floats, ints[feedback], size),
        span(floats, ints[initial], kept),
    )
