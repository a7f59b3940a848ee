"""How the arena begins: numbers with names, and the places of all arrays.

The arena has three sections. Integers (int64) hold clock, random state, sizes, and the table of places; reals (float64)
hold what the last tick left, settings and running statistics; floats (float32) hold weights, traces and neurons.
Because sizes and places are data, one compiled signature serves every network. `arena.plan` says how large each array
is, `views` how kernels see those of a layer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base.arrays import span
from .base.jit import kernel
from .base.records import PLACE, record, words_of
from .base.rng import STATE_WORDS

# The two networks, which have the same layers.
ACTOR, CRITIC = 0, 1
N_NETS = 2

# Values of `stale`: acting-only ticks have passed since the credit was last brought up to date; the credit is for
# actions that somebody else took.
ACTING, FOLLOWING = 1, 2

Clock = np.dtype(
    [
        ("phase", np.int64),  # 0 between episodes, 1 inside one
        ("tick", np.int64),  # environment steps seen, learned or not
        ("episode", np.int64),  # episodes begun
        ("stale", np.int64),  # whose actions the credit is for: 0 the agent's own, or as below
    ]
)
Sizes = np.dtype(
    [
        ("n_ints", np.int64),  # numbers in each of the three sections
        ("n_reals", np.int64),
        ("n_floats", np.int64),
        ("n_input", np.int64),  # size of the encoded observation
        ("n_preferences", np.int64),  # categories of all discrete factors of an action
        ("n_choices", np.int64),  # discrete factors of an action
        ("n_controls", np.int64),  # continuous dimensions of an action
        ("n_parts", np.int64),  # factors of more than one category, and controls; at least 1
        ("n_layers", np.int64),
        ("n_memory", np.int64),  # the bottom so many layers are of memory neurons
        ("frozen_layers", np.int64),  # the bottom so many layers do not learn
        ("cascade", np.int64),  # 1: traces of signals from above are matrices, 0: vectors
        ("reset_path", np.int64),  # 1: eligibility follows the reset of the membrane
        ("rare", np.int64),  # 1: needs parts of the rule that `common_tick` is compiled without
        ("recurrent_hop", np.int64),  # 1: signals also pass once through a layer's own recurrent weights
    ]
)
Running = np.dtype(
    [
        ("value_tm1", np.float64),  # value of the last observation, from the weights before the change it led to
        ("log_probability_tm1", np.float64),
        ("delta", np.float64),  # last TD error
        ("observation_count", np.float64),  # samples of the observation, or the sum of their weights
        # Sums over the life, whose differences are means over any stretch of it.
        ("reward_sum", np.float64),  # of rewards within +-HUGE
        ("error_sum", np.float64),  # of |delta|
        ("error_squares", np.float64),
        ("error_products", np.float64),  # of delta and the delta before
    ]
)
# Arrays that belong to no network; float64 unless said otherwise.
Places = np.dtype(
    [
        (name, PLACE)
        for name in (
            "traces",  # float32: credit and eligibility of all layers, which the start of an episode clears
            "neurons",  # float32: their states, which it clears too
            "categories",  # int64, (n_choices,): categories of each factor
            "staging",  # (n_input,): the observation as the caller gave it
            "standardized",  # (n_input,): 1 where the observation is standardized, 0 where it is taken as it is
            "observation_mean",  # (n_input,)
            "observation_m2",  # (n_input,)
            "returns",  # (normalize.RETURNS_SIZE,)
            "output_mean",  # (2, memory neurons)
            "probabilities",  # (n_preferences,), factors one after the other
            "control_center",  # (n_controls,): what a drawn 0 stands for, in units of the space
            "control_scale",  # (n_controls,): what a drawn 1 adds to that
            "control_low",  # (n_controls,): bounds of what is drawn, maybe infinite
            "control_high",
            "stds",  # (n_controls,)
            "noise",  # (n_controls,): what was drawn for each control, in stds from the mean
            "slow_noise",  # its part that lasts
            "scratch_pair",  # (2,): room for two numbers
            "action",  # (n_choices + n_controls,): the last action, indices first, then controls
            "spike_rates",  # (2, n_layers)
            "credit_norms",  # (2, n_layers + 1 + n_memory): L1 norm of the credit of layers, readout, gates
            "step_sizes",  # likewise: the last step sizes
            "input",  # float32, (n_input,): the normalized observation
            "scratch_e",  # float32, (2, longest row): row buffers, one for each network, see `own`
            "scratch_total",
            "scratch_factors",
        )
    ]
)

# Where records begin, in 8-byte numbers; networks and layers follow in the integers, settings in the reals.
CLOCK_AT = 0
RANDOM_AT = CLOCK_AT + words_of(Clock)
SIZES_AT = RANDOM_AT + STATE_WORDS
PLACES_AT = SIZES_AT + words_of(Sizes)
NETS_AT = PLACES_AT + words_of(Places)
RUNNING_AT = 0
SETTINGS_AT = RUNNING_AT + words_of(Running)


@kernel
def clock_of(ints: NDArray) -> Any:
    """Return the clock."""
    return record(ints, CLOCK_AT, Clock)


@kernel
def random_words(ints: NDArray) -> NDArray:
    """Return the state of the random numbers, (4,)."""
    return span(ints, RANDOM_AT, STATE_WORDS)


@kernel
def sizes_of(ints: NDArray) -> Any:
    """Return the sizes."""
    return record(ints, SIZES_AT, Sizes)


@kernel
def places_of(ints: NDArray) -> Any:
    """Return the places of the arrays that belong to no network."""
    return record(ints, PLACES_AT, Places)


@kernel
def running_of(reals: NDArray) -> Any:
    """Return what the last tick left."""
    return record(reals, RUNNING_AT, Running)


@kernel
def own(floats: NDArray, place: Any, net: int, size: int) -> NDArray:
    """Return the first `size` numbers of a network's own half of a work row."""
    return span(floats, place.at + net * (place.length // N_NETS), size)
