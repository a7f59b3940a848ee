"""Where everything lies in the arena: index constants and the views that kernels build from them.

The arena has three sections. Integers (int64) hold clock, options, random state and the offset tables; reals (float64)
hold hyperparameters, running statistics and scalars; floats (float32) hold weights, traces and neurons. Because sizes
and offsets are data, one compiled signature serves every network. `agent.state` writes the tables, this module reads
them.
"""

from __future__ import annotations

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
    SWEEP,  # float64 offset, (plasticity.SWEEP_SIZE,): what is known of the layer whose neurons are being looked at
    DUE,  # float64 offset, (2, n_layers): replacements of neurons that are due
    REPLACED,  # float64 offset, (2, n_layers): replacements so far
    ANCHORED,  # 1: initial weights are kept
    N_INTS,  # sizes of the three sections
    N_REALS,
    N_FLOATS,
) = range(51)
RANDOM = 51  # 4 words
NET_TABLE = 55

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
    NET_INITIAL,
) = range(14)

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
    LAYER_AGE,
    LAYER_ACTIVITY,
    LAYER_INITIAL,
) = range(42)

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
    REPLACEMENT_RATE,
    MATURITY,
    LEAST_UTILITY,
    INITIAL_PULL,
    CONNECTIVITY,  # these two as in a new network, for new neurons
    RECURRENT_SCALE,
    VALUE_TM1,  # value of the last observation, from the weights before the change it led to
    LOG_PROBABILITY_TM1,
    DELTA,  # last TD error
    OBSERVATION_COUNT,  # samples of the observation, or the sum of their weights
    SCRATCH_PAIR,  # room for two numbers
) = range(36)
REAL_HEADER = 36
