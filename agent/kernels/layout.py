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

# ---- int64 section: header
(
    PHASE,  # 0 between episodes, 1 inside one
    TICK,  # environment steps seen, learned or not
    EPISODE,  # episodes begun
    STALE,  # 1 if acting-only ticks have passed since the credit was last brought up to date
    N_INPUT,  # size of the encoded observation
    N_ACTION,
    N_LAYERS,
    STEP_RULE,  # step_size.BOUNDED or step_size.COORDINATE
    FROZEN_LAYERS,  # the bottom so many layers do not learn
    NORMALIZE_OBSERVATIONS,
    NORMALIZE_REWARDS,
    KEEP_STATE,  # 1: neurons and traces survive the end of an episode
    TRACES_FIRST,  # float32 offset of credit and eligibility, which the end of an episode clears
    NEURONS_FIRST,  # float32 offset of the neuron states, which follow and are cleared too
    NEURONS_LAST,
    SCRATCH_E,  # float32 offset of a row buffer
    SCRATCH_TOTAL,  # float32 offset of a second row buffer
    INPUT,  # float32 offset of the normalised observation
    STAGING,  # float64 offset of the observation as the caller gave it
    OBSERVATION_MEAN,  # float64 offsets
    OBSERVATION_M2,
    PROBABILITIES,
    SPIKE_RATES,  # float64 offset, (2, n_layers)
    CREDIT_NORMS,  # float64 offset, (2, n_layers + 1): L1 norm of the credit of each layer, then of the readout
    STEP_SIZES,  # float64 offset, (2, n_layers + 1): the last step sizes, likewise
    N_INTS,  # sizes of the three sections
    N_REALS,
    N_FLOATS,
) = range(28)
RANDOM = 28  # 4 words
NET_TABLE = 32

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
) = range(11)

# ---- int64 section: one row a layer, networks one after the other
LAYER_TABLE = NET_TABLE + N_NETS * NET_STRIDE
LAYER_STRIDE = 32
(
    LAYER_N,  # neurons
    LAYER_M,  # inputs of a neuron, padded
    LAYER_BELOW,  # leading inputs that are spikes of the layer below
    LAYER_OBSERVED,  # column of the observation, -1 if the layer does not see it
    LAYER_RECURRENT,  # column of the layer's own spikes, -1 without recurrence
    LAYER_BIAS,  # column of the constant 1
    LAYER_GROUPS,  # leak groups; neuron i belongs to group i mod groups
    LAYER_ADAPTIVE,  # the first so many neurons have an eligibility of the adaptation
    LAYER_LEVELS,  # layers above that send this one their signal
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
) = range(28)

# ---- float64 section: header
(
    DISCOUNT,
    TRACE_LAMBDA,
    LR_POLICY,
    LR_VALUE,
    KAPPA_POLICY,
    KAPPA_VALUE,
    READOUT_SHARE,
    PEAK_DECAY,
    ENTROPY_BONUS,
    V_TH,
    RESET_STRENGTH,
    DAMPENING,
    GAIN,
    OBSERVATION_CLIP,
    VALUE_TM1,  # value of the last observation, from the weights before the change it led to
    LOG_PROBABILITY_TM1,
    DELTA,  # last TD error
    OBSERVATION_COUNT,
    REWARD_COUNT,
    REWARD_MEAN,
    REWARD_M2,
    REWARD_SUM,  # discounted sum whose spread scales the reward
) = range(22)
REAL_HEADER = 32


class Layer(NamedTuple):
    """Views of one layer; n neurons, m inputs (padded with zeros), G leak groups, k layers above.

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
    w: NDArray  # (n, m)
    peak: NDArray  # (n, m), or (0, m) with the bounded step
    credit: NDArray  # (n, m)
    epsa: NDArray  # (n adaptive, m)
    cascade: NDArray  # (k, n, m)
    eps: NDArray  # (G, m)
    inputs: NDArray  # (m,)
    v: NDArray  # (n,)
    a: NDArray  # (n,)
    z: NDArray  # (n,)
    psi: NDArray  # (n,)
    psi_mean: NDArray  # (n,)
    current: NDArray  # (n,)
    signals: NDArray  # (k + 1, n)
    alpha: NDArray  # (n,)
    rho: NDArray  # (n,)
    strength: NDArray  # (n,)
    alphas: NDArray  # (G,)


class Net(NamedTuple):
    """Views of one network's readout; K outputs, F features (padded with zeros), L layers."""

    bias: int
    w: NDArray  # (K, F)
    peak: NDArray  # (K, F), or (0, F) with the bounded step
    credit: NDArray  # (K, F)
    features: NDArray  # (F,)
    output: NDArray  # (K,)
    gradient: NDArray  # (K,)
    leak: NDArray  # (L,)
    slope: NDArray  # (L,)


@kernel
def _span(floats: NDArray, offset: int, size: int) -> NDArray:
    return floats[offset : offset + size]


@kernel
def layer_view(ints: NDArray, floats: NDArray, net: int, layer: int) -> Layer:
    """Return the views of layer `layer` (from 0, bottom first) of network `net` (ACTOR or CRITIC)."""
    at = LAYER_TABLE + (net * ints[N_LAYERS] + layer) * LAYER_STRIDE
    n, m, groups = ints[at + LAYER_N], ints[at + LAYER_M], ints[at + LAYER_GROUPS]
    levels = ints[at + LAYER_LEVELS]
    peaks = n if ints[STEP_RULE] != 0 else 0
    return Layer(
        m,
        ints[at + LAYER_BELOW],
        ints[at + LAYER_OBSERVED],
        ints[at + LAYER_RECURRENT],
        ints[at + LAYER_BIAS],
        ints[at + LAYER_FIRST],
        ints[at + LAYER_ADAPTIVE],
        levels,
        _span(floats, ints[at + LAYER_W], n * m),
        _span(floats, ints[at + LAYER_PEAK], peaks * m),
        _span(floats, ints[at + LAYER_CREDIT], n * m),
        _span(floats, ints[at + LAYER_EPSA], ints[at + LAYER_ADAPTIVE] * m),
        _span(floats, ints[at + LAYER_CASCADE], levels * n * m),
        _span(floats, ints[at + LAYER_EPS], groups * m),
        _span(floats, ints[at + LAYER_INPUTS], m),
        _span(floats, ints[at + LAYER_V], n),
        _span(floats, ints[at + LAYER_A], n),
        _span(floats, ints[at + LAYER_Z], n),
        _span(floats, ints[at + LAYER_PSI], n),
        _span(floats, ints[at + LAYER_PSI_MEAN], n),
        _span(floats, ints[at + LAYER_CURRENT], n),
        _span(floats, ints[at + LAYER_SIGNALS], (levels + 1) * n),
        _span(floats, ints[at + LAYER_ALPHA], n),
        _span(floats, ints[at + LAYER_RHO], n),
        _span(floats, ints[at + LAYER_STRENGTH], n),
        _span(floats, ints[at + LAYER_ALPHAS], groups),
    )


@kernel
def net_view(ints: NDArray, floats: NDArray, net: int) -> Net:
    """Return the readout views of network `net` (ACTOR or CRITIC)."""
    at = NET_TABLE + net * NET_STRIDE
    outputs, features, layers = ints[at + NET_OUT], ints[at + NET_FEATURES], ints[N_LAYERS]
    peaks = outputs if ints[STEP_RULE] != 0 else 0
    return Net(
        ints[at + NET_BIAS],
        _span(floats, ints[at + NET_W], outputs * features),
        _span(floats, ints[at + NET_PEAK], peaks * features),
        _span(floats, ints[at + NET_CREDIT], outputs * features),
        _span(floats, ints[at + NET_FEATURE], features),
        _span(floats, ints[at + NET_OUTPUT], outputs),
        _span(floats, ints[at + NET_GRADIENT], outputs),
        _span(floats, ints[at + NET_LEAK], layers),
        _span(floats, ints[at + NET_SLOPE], layers),
    )
