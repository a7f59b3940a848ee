"""Where everything lies in the arena: index constants and the views that kernels build from them.

The arena has three sections. Integers (int64) hold clock, options, random state and the offset tables; reals (float64)
hold hyperparameters, running statistics and scalars; floats (float32) hold weights, traces and neurons. Because sizes
and offsets are data, one compiled signature serves every network. `agent.state` writes the tables, this module reads
them.
"""

from __future__ import annotations

from typing import NamedTuple

from numpy.typing import NDArray

from .jit import kernel
from .memory import span

# ---- int64 section: header
(
    PHASE,  # 0 between episodes, 1 inside one
    TICK,  # environment steps seen, learned or not
    EPISODE,  # episodes begun
    STALE,  # 1 if acting-only ticks have passed since the credit was last brought up to date
    N_INPUT,  # size of the encoded observation
    N_PREFERENCES,  # categories of all discrete factors of an action
    N_CHOICES,  # discrete factors of an action
    N_CONTROLS,  # continuous dimensions of an action
    N_PARTS,  # factors of more than one category, and controls; at least 1
    N_LAYERS,
    STEP_RULE,  # step_size.BOUNDED or step_size.COORDINATE
    FROZEN_LAYERS,  # the bottom so many layers do not learn
    DEPTH_FILTER,  # CASCADE or FACTORED
    RESET_PATH,  # 1: eligibility follows the reset of the membrane
    RECURRENT_HOP,  # 1: signals also pass once through a layer's own recurrent weights
    FEEDBACK,  # SYMMETRIC, RANDOM or ADAPTIVE
    NORMALIZE_REWARDS,
    KEEP_STATE,  # 1: neurons and traces survive the end of an episode
    TRACES_FIRST,  # float32 offset of credit and eligibility, which the end of an episode clears
    NEURONS_FIRST,  # float32 offset of the neuron states, which follow and are cleared too
    NEURONS_LAST,
    SCRATCH_E,  # float32 offset of a row buffer
    SCRATCH_TOTAL,  # float32 offset of a second row buffer
    SCRATCH_FACTORS,  # float32 offset of a third one
    INPUT,  # float32 offset of the normalised observation
    STAGING,  # float64 offset of the observation as the caller gave it
    STANDARDISED,  # float64 offset, (n_input,): 1 where the observation is standardised, 0 where it is taken as it is
    OBSERVATION_MEAN,  # float64 offsets, (n_input,)
    OBSERVATION_M2,
    RETURNS,  # float64 offset, (normalize.RETURNS_SIZE,)
    RESERVOIR_MEAN,  # float64 offset, (2, neurons of the reservoir)
    CATEGORIES,  # int64 offset, (n_choices,): categories of each factor
    PROBABILITIES,  # float64 offset, (n_preferences,), factors one after the other
    CONTROL_CENTRE,  # float64 offsets, (n_controls,): what a drawn 0 stands for, and 1 adds, in units of the space
    CONTROL_SCALE,
    CONTROL_LOW,  # bounds of what is drawn, maybe infinite
    CONTROL_HIGH,
    DEVIATIONS,
    NOISE,  # what was drawn for each control, in deviations from the mean
    SLOW_NOISE,  # its part that lasts
    ACTION,  # float64 offset, (n_choices + n_controls,): the last action, indices first, then controls
    SPIKE_RATES,  # float64 offset, (2, n_layers)
    CREDIT_NORMS,  # float64 offset, (2, n_layers + 1): L1 norm of the credit of each layer, then of the readout
    STEP_SIZES,  # float64 offset, (2, n_layers + 1): the last step sizes, likewise
    N_INTS,  # sizes of the three sections
    N_REALS,
    N_FLOATS,
) = range(47)
RANDOM = 47  # 4 words
NET_TABLE = 51

# Values of DEPTH_FILTER and of FEEDBACK
CASCADE, FACTORED = 0, 1
SYMMETRIC, RANDOM_FEEDBACK, ADAPTIVE_FEEDBACK = 0, 1, 2

# ---- int64 section: one row a network
ACTOR, CRITIC = 0, 1
N_NETS = 2
NET_STRIDE = 16
(
    NET_OUT,  # outputs
    NET_FEATURES,  # columns of the readout, padded
    NET_BIAS,  # column of the constant 1
    NET_W,
    NET_PEAK,
    NET_CREDIT,
    NET_FEATURE,  # spikes of all layers that are read out, then 1
    NET_OUTPUT,
    NET_GRADIENT,
    NET_LEAK,  # (n_layers,) mean leak of each layer
    NET_SLOPE,  # (n_layers,) slope of each layer's normalised current
    NET_FEEDBACK,  # the readout itself unless feedback has weights of its own
    NET_FREE,  # the last so many outputs learn nothing but their bias
) = range(13)

# ---- int64 section: one row a layer, networks one after the other
LAYER_TABLE = NET_TABLE + N_NETS * NET_STRIDE
LAYER_STRIDE = 48
(
    LAYER_N,  # neurons
    LAYER_M,  # inputs of a neuron, padded
    LAYER_BELOW,  # leading inputs that are spikes of the layer below
    LAYER_OBSERVED,  # column of the observation, -1 if the layer does not see it
    LAYER_RECURRENT,  # column of the layer's own spikes, -1 without recurrence
    LAYER_BIAS,  # column of the constant 1
    LAYER_GROUPS,  # leak groups; neuron i belongs to group i mod groups
    LAYER_LEARNS,  # 1 if the layer has credit and traces
    LAYER_ADAPTIVE,  # the first so many neurons have an eligibility of the adaptation
    LAYER_VECTORS,  # filtered eligibility vectors a leak group, 0 with the cascade
    LAYER_LEVELS,  # hops, up or around, that a signal to this layer may have taken
    LAYER_SPLIT,  # groups, by the leak of the neuron it comes from, that a signal of one hop is split into
    LAYER_FIRST,  # first readout column of the layer's spikes, -1 if not read out
    LAYER_W,
    LAYER_PEAK,
    LAYER_CREDIT,
    LAYER_EPSA,
    LAYER_CASCADE,
    LAYER_EPS,
    LAYER_INPUTS,
    LAYER_V,
    LAYER_A,
    LAYER_Z,
    LAYER_PSI,
    LAYER_PSI_MEAN,
    LAYER_CURRENT,
    LAYER_SIGNALS,
    LAYER_ALPHA,
    LAYER_RHO,
    LAYER_STRENGTH,
    LAYER_ALPHAS,
    LAYER_FEEDBACK,  # the weights themselves unless feedback has its own
    LAYER_FILTERED,
    LAYER_PSI_PAST,
    LAYER_MASS,
    LAYER_FILTER_LEAK,
    LAYER_RATE,
    LAYER_EPSR,
    LAYER_OUTPUT,  # the spikes themselves but in a reservoir
) = range(39)

# ---- float64 section: header
(
    DISCOUNT,
    TRACE_LAMBDA,
    LR_POLICY,
    LR_VALUE,
    KAPPA_POLICY,
    KAPPA_VALUE,
    ERROR_BOUND,
    READOUT_SHARE,
    PEAK_DECAY,
    PREFERENCE_DECAY,
    LEAST_PREFERENCE,  # logarithm of the least probability, -HUGE for 0
    ENTROPY_BONUS,
    V_TH,
    RESET_STRENGTH,
    DAMPENING,
    GAIN,
    OBSERVATION_CLIP,
    STATISTICS_MEMORY,
    FEEDBACK_DECAY,
    RATE_REGULARIZATION,
    TARGET_RATE,
    NOISE_CORRELATION,
    NOISE_SHARE,
    INITIAL_DEVIATION,
    DEVIATION_RATE,
    VALUE_TM1,  # value of the last observation, from the weights before the change it led to
    LOG_PROBABILITY_TM1,
    DELTA,  # last TD error
    OBSERVATION_COUNT,  # samples of the observation, or the sum of their weights
    SCRATCH_PAIR,  # room for two numbers
) = range(30)
REAL_HEADER = 30


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


@kernel
def learns(ints: NDArray, net: int, layer: int) -> int:
    """Return 1 if a layer has credit and traces, else 0."""
    return int(ints[LAYER_TABLE + (net * ints[N_LAYERS] + layer) * LAYER_STRIDE + LAYER_LEARNS])


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
    else:
        at = NET_TABLE + net * NET_STRIDE
        size = ints[at + NET_OUT] * ints[at + NET_FEATURES]
        w, peak, credit, feedback = at + NET_W, at + NET_PEAK, at + NET_CREDIT, at + NET_FEEDBACK
    peaks = size if ints[STEP_RULE] != 0 else 0
    return Synapses(
        span(floats, ints[w], size),
        span(floats, ints[peak], peaks),
        span(floats, ints[credit], size),
        span(floats, ints[feedback], size),
    )
