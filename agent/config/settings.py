"""Every setting of an experiment: default, range, unit and meaning stand at its field, and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, fields
from typing import Any

from ..errors import ConfigError, one_line
from .kinds import (
    Choice,
    Group,
    PlainList,
    PlainMapping,
    Real,
    Seeds,
    Sizes,
    Switch,
    Text,
    Whole,
    documented,
    kind_of,
    refusing_unknown_keys,
    unknown_key,
)

RENAMED: dict[str, str] = {
    "deviation": "std",
    "deviation_rate": "std_lr_scale",
    "error_bound": "td_error_scale",
    "initial_deviation": "initial_std",
    "least_probability": "min_probability_ratio",
    "noise_share": "correlated_noise_fraction",
    "statistics_memory": "statistics_horizon",
}
"""Old names of settings, with the present ones."""

_NOTHING = "nothing takes its place: leave it out (docs/decisions/0018-optional-mechanisms.md says why)"
_MEMORY = "memory neurons took its place: leave it out (docs/decisions/0021-memory-neurons.md says why)"
REMOVED: dict[str, str] = {
    **dict.fromkeys(("initial_pull", "least_utility", "maturity", "replacement_rate"), _NOTHING),
    **dict.fromkeys(("step_rule", "peak_decay"), _NOTHING),
    **dict.fromkeys(("reservoir", "reservoir_scale", "latch_fraction", "delay_fraction", "delay_length"), _MEMORY),
}
"""Settings that are no longer there, with what took their place."""

EXPERIMENT = Group("Experiment")
NETWORK = Group("Network")
NEURONS = Group("Neurons")
CONNECTIONS = Group("Connections")
CREDIT = Group("Credit")
LEARNING = Group("Learning")
ACTIONS = Group("Actions")
STATISTICS = Group("Statistics")
FILES = Group("Files")


def check_key(key: str) -> None:
    """Raise `ConfigError`, with the name that was probably meant or what became of it, unless `key` is a setting."""
    if key in REMOVED:
        raise ConfigError(f"{key}: this setting was removed, and {REMOVED[key]}")
    if key not in [spec.name for spec in fields(Config)]:
        raise unknown_key(key, fields(Config), RENAMED)


@documented
@refusing_unknown_keys(check_key)
@dataclass(frozen=True)
class Config:
    """Settings of one experiment; the keys of a YAML file are these fields.

    Time is counted in ticks: one tick is one environment step. Membranes and currents are in units of the normalized
    current, in which `v_th` = 1 is the threshold of a neuron at rest.

    Raises
    ------
    ConfigError
        If there is no setting of a name that is given, or if a value has the wrong type or lies outside its range.
    """

    env: str = EXPERIMENT.field(
        "CartPole-v1",
        Text(),
        'Gymnasium environment id, `"module:id"` to import a module first.',
        elsewhere="env_id env_name environment gym_id",
    )
    env_kwargs: Mapping[str, Any] = EXPERIMENT.field({}, PlainMapping(), "Keyword arguments for the environment.")
    wrappers: tuple[Any, ...] = EXPERIMENT.field(
        (),
        PlainList(),
        'Gymnasium wrappers, innermost first: each `"module:Class"` or `{"module:Class": {argument: value}}`.',
    )
    steps: int = EXPERIMENT.field(
        100_000,
        Whole(1, 10**12, "ticks"),
        "Environment steps of a run.",
        elsewhere="max_steps n_steps num_timesteps total_steps total_timesteps",
    )
    seed: int = EXPERIMENT.field(
        0,
        Whole(0, 2**63 - 1),
        "Seed of initial weights, actions and the environment.",
        elsewhere="random_seed random_state",
    )
    tuning_seeds: str = EXPERIMENT.field(
        "",
        Seeds(),
        """Seeds that these settings were chosen on, such as `100-104`; written by `synaptick tune`. Runs on one of
        them are refused, since their returns would look better than those of new seeds.""",
    )

    layers: tuple[int, ...] = NETWORK.field(
        (64,),
        Sizes(4, 65536, 256, "neurons"),
        """Neurons of each layer, bottom first; actor and critic each get a network of this shape, on `memory` of its
        own.""",
        elsewhere="hidden_dim hidden_layers hidden_size hidden_sizes net_arch",
    )
    memory: int = NETWORK.field(
        96,
        Whole(4, 65536, "neurons", or_zero=True),
        """Neurons of a memory layer beneath `layers`, whose leak is set by what they see, so that they learn what to
        keep and for how long. 0 for none. Weights from them to the lowest of `layers` and to the readout begin at 0. A
        quarter begins as taps, which keep nothing, half as holders and a quarter as integrators.""",
    )
    memory_layers: int = NETWORK.field(
        1,
        Whole(1, 16, "layers"),
        "Layers of `memory` neurons each, one on the other; all of them see the observation.",
    )
    memory_horizon: float = NETWORK.field(
        1000.0,
        Real(1, 10**6, "ticks"),
        "Longest time constant of memory neurons at the start; those of a layer are spread from 1 tick to this.",
    )
    memory_delay: int = NETWORK.field(
        8,
        Whole(0, 1000, "ticks"),
        """Memory neurons see the observation of this tick and an earlier one: the first that of one tick ago, the next
        that of two, and so on up to so many, then from one again. 0: that of this tick alone.""",
    )

    leak_groups: int = NEURONS.field(
        1, Whole(1, 64), "Membrane time constants in a layer; neuron i has number i mod `leak_groups`."
    )
    tau_min: float = NEURONS.field(
        0.25,
        Real(0.01, 1e9, "ticks"),
        """Smallest membrane time constant; at most `tau_max`. Those of a layer are spaced evenly in their logarithm;
        alpha = exp(-1/tau), so that 0.01 means no memory.""",
        elsewhere="tau_mem",
    )
    tau_max: float = NEURONS.field(
        2.0,
        Real(0.01, 1e9, "ticks"),
        "Largest membrane time constant; that of all neurons if there is one group.",
        elsewhere="tau_mem",
    )
    adaptive_fraction: float = NEURONS.field(
        0.5, Real(0, 1), "Share of neurons with an adaptive threshold (ALIF); the rest are LIF."
    )
    tau_adapt: float = NEURONS.field(
        20.0, Real(0.01, 1e9, "ticks"), "Time constant of the threshold adaptation; rho = exp(-1/tau_adapt)."
    )
    adapt_strength: float = NEURONS.field(
        0.5, Real(0, 100, "units of the membrane"), "Rise of the threshold a spike causes (beta in Bellec et al.)."
    )
    v_th: float = NEURONS.field(
        1.0, Real(1e-3, 1e3, "units of the membrane"), "Threshold at rest.", elsewhere="v_threshold"
    )
    reset_strength: float = NEURONS.field(
        1.0,
        Real(0, 10, "times `v_th`"),
        "Fall of the membrane after a spike. With 0 a spike does not change the membrane.",
    )
    spikes: str = NEURONS.field(
        "graded",
        Choice("binary", "graded"),
        "What a neuron above its threshold sends: 1, or a payload that rises from 0 to 1 with how far it is above.",
    )
    payload_cap: float = NEURONS.field(
        1.0, Real(1e-3, 1e3, "times `v_th`"), "How far above its threshold a neuron sends the largest graded spike."
    )
    memory_payload_cap: float = NEURONS.field(
        0.15,
        Real(1e-3, 1e3, "times `v_th`"),
        "The same of memory neurons, whose cells, means of what they see, stay smaller than membranes.",
    )
    dampening: float = NEURONS.field(
        0.3, Real(1e-3, 10), "Height of the pseudo-derivative of a binary spike (gamma in Bellec et al.)."
    )
    gain: float = NEURONS.field(
        2.0,
        Real(1e-3, 1e3, "units of the membrane"),
        "Standard deviation of the normalized current over a layer.",
    )

    connectivity: float = CONNECTIONS.field(
        0.1,
        Real(0, 1),
        """Share of a neuron's inputs, but for those from memory, that have a nonzero weight at the
        start, never fewer than one input; all weights can grow later.""",
    )
    recurrent: bool = CONNECTIONS.field(True, Switch(), "Whether a layer sees its own spikes of the tick before.")
    recurrent_scale: float = CONNECTIONS.field(
        0.0, Real(0, 100), "Initial recurrent weights are uniform in +- this / sqrt(fan-in)."
    )
    observation_skip: bool = CONNECTIONS.field(
        True,
        Switch(),
        "Whether layers above the lowest of `layers`, which always does, see the observation too.",
    )
    readout: str = CONNECTIONS.field("all", Choice("all", "top"), "Layers whose spikes the outputs are linear in.")

    depth_filter: str = CREDIT.field(
        "cascade",
        Choice("cascade", "factored", "none", "tensor"),
        """How the trace behind a signal from above is filtered by the membranes it came through. `cascade`: a matrix
        for each layer above, with its mean leak; exact one layer up with one leak group. `factored`: a vector for each
        pair of leaks: less memory, somewhat slower, and closer one layer up with several leaks. `none` is an ablation:
        the signal meets the synapse's own trace of the tick. `tensor`: the literal recursion of Millidge (2025), the
        influence of each synapse on each neuron above; exact for any leaks and depth, recurrent weights apart, for
        small networks: refused where actor and critic would carry more than 2^24 numbers together.""",
    )
    recurrent_hop: bool = CREDIT.field(
        False,
        Switch(),
        """Whether signals may take one hop more than there are layers above, and hops through a layer's own recurrent
        weights, which e-prop leaves out. Off without `recurrent`, `spatial_signal` or `temporal_trace`, and
        with `depth_filter: tensor`.""",
    )
    reset_path: bool = CREDIT.field(
        False,
        Switch(),
        "Whether eligibility follows the reset of the membrane, which e-prop leaves out; costs a float a synapse.",
    )
    spatial_signal: bool = CREDIT.field(
        True,
        Switch(),
        """Whether a learning signal comes down through the layers above. False is an ablation: a layer learns from its
        own connection to the readout alone, and one that is not read out does not learn.""",
    )
    feedback: str = CREDIT.field(
        "symmetric",
        Choice("symmetric", "random", "adaptive"),
        """Weights that learning signals come down through: the forward ones, fixed random ones of the same shape, or
        ones that start at random and change as the forward ones learn while both decay; `preference_decay`
        moves the forward ones alone. Random recurrent ones are scaled by `recurrent_scale`, as the weights are.""",
    )
    feedback_decay: float = CREDIT.field(
        1e-5, Real(0, 1, "per tick"), "Decay of forward and feedback weights with `feedback: adaptive`."
    )
    rate_regularization: float = CREDIT.field(
        0.0,
        Real(0, 10, "per tick"),
        """Strength of the pull of each neuron's mean rate towards `target_rate`. It evens rates out; the mean rate of a
        layer is mostly set by `gain`, since the current has mean 0 whatever the weights.""",
    )
    target_rate: float = CREDIT.field(0.2, Real(0, 1, "spikes per tick"), "Mean rate that a neuron is pulled to.")
    temporal_trace: bool = CREDIT.field(
        True,
        Switch(),
        """Whether a synapse remembers earlier inputs. False is an ablation: every eligibility and filter decays at
        once, so that only inputs of the very tick get credit (which still decays as ever).""",
    )
    frozen_layers: int = CREDIT.field(
        0,
        Whole(0, 64),
        """The bottom so many layers, those of memory neurons first (all, if there are fewer), keep their initial
        weights; an ablation. With none left that learns, what is below reaches the output through the
        readout alone, so not at all with `readout: top`.""",
    )

    discount: float = LEARNING.field(0.99, Real(0, 1, "per tick"), "Discount of future reward.", elsewhere="gamma")
    lambda_policy: float = LEARNING.field(
        0.8,
        Real(0, 1, "per tick"),
        "Decay of the actor's credit beyond `discount`.",
        elsewhere="gae_lambda lam lambd lambda lambda_ trace_lambda",
    )
    lambda_value: float = LEARNING.field(
        0.95,
        Real(0, 1, "per tick"),
        "Decay of the critic's credit beyond `discount`; with 0, values are learned by TD(0).",
        elsewhere="gae_lambda lam lambd lambda lambda_ trace_lambda",
    )
    keep_state: bool = LEARNING.field(
        False,
        Switch(),
        "Whether neurons, eligibility and credit survive the end of an episode, for streams without real episodes.",
    )
    lr_policy: float = LEARNING.field(
        1.0,
        Real(0, 1e3),
        "Largest step size of the actor; 0 freezes it.",
        elsewhere="learning_rate lr step_size actor_lr policy_lr",
    )
    lr_value: float = LEARNING.field(
        1.0,
        Real(0, 1e3),
        "Largest step size of the critic; 0 freezes it.",
        elsewhere="learning_rate lr step_size critic_lr value_lr",
    )
    kappa_policy: float = LEARNING.field(
        1.0, Real(0.01, 1e6), "Safety factor of the bounded step of the actor; larger means smaller steps."
    )
    kappa_value: float = LEARNING.field(
        1.0, Real(0.01, 1e6), "Safety factor of the bounded step of the critic; larger means smaller steps."
    )
    td_error_scale: float = LEARNING.field(
        1.0,
        Real(0.01, 1e6, "units of the normalized reward"),
        """Size of a TD error from which on the bounded step grows no further with it; 1 as published. Where rewards are
        rare and large, a small scale makes values too low.""",
    )
    readout_share: float = LEARNING.field(
        0.5,
        Real(0, 0.99),
        """Share of the bound on a change that the bounded step gives to the readout; the layers that learn divide the
        rest evenly. 0 puts all weights of a network under one bound (Elsayed et al. 2024).""",
    )

    min_probability_ratio: float = ACTIONS.field(
        0.003,
        Real(0, 1),
        """Probability, relative to the most likely category's, towards which a category of a discrete action that has
        fallen below is pulled back, a tenth of the way in preference a tick, so that what is not wanted now can still
        be tried where it is. A pull after learning, no floor: probabilities below it occur.""",
    )
    preference_decay: float = ACTIONS.field(
        0.0,
        Real(0, 1, "per tick"),
        """Share of its distance from the mean of its factor that each preference of a discrete action is taken back for
        the present observation, so that what no longer pays is tried again.""",
    )
    entropy_bonus: float = ACTIONS.field(
        0.0,
        Real(0, 10, "units of the normalized reward per nat"),
        "Reward for each nat of surprise -log pi(action).",
        elsewhere="ent_coef entropy_coef entropy_coeff",
    )
    std: str = ACTIONS.field(
        "state",
        Choice("state", "free"),
        """Whether the standard deviation of a continuous action is linear in the spikes, in its logarithm, or one
        number of its own.""",
    )
    initial_std: float = ACTIONS.field(
        1.0,
        Real(1e-3, 100, "times half the range of the action"),
        """Standard deviation of a continuous action at the start; where the action is not bounded, half its range
        counts as 1. It stays between 0.018 and 2.7 times this.""",
        elsewhere="log_std_init",
    )
    std_lr_scale: float = ACTIONS.field(
        0.02,
        Real(0, 10),
        "Step of the std's logarithm relative to that of the mean; with 0 it is not learned.",
    )
    noise_correlation: float = ACTIONS.field(
        0.95,
        Real(0, 0.999),
        "Correlation from tick to tick of the lasting part of the noise in continuous actions.",
    )
    correlated_noise_fraction: float = ACTIONS.field(
        0.5, Real(0, 1), "Share of the variance of the noise that is lasting; the rest is drawn anew each tick."
    )

    normalize_observations: bool = STATISTICS.field(
        True, Switch(), "Whether continuous entries of an observation are standardized online.", elsewhere="norm_obs"
    )
    observation_clip: float = STATISTICS.field(
        8.0, Real(0.1, 1e3, "standard deviations"), "Bound on a standardized observation.", elsewhere="clip_obs"
    )
    normalize_rewards: bool = STATISTICS.field(
        True, Switch(), "Whether rewards are divided by the standard deviation of returns.", elsewhere="norm_reward"
    )
    statistics_horizon: int = STATISTICS.field(
        1_000_000,
        Whole(2, 10**15, "samples"),
        """Samples that the statistics of observations and returns remember: they are those of all samples until there
        are so many, then the weight of a sample decays with this time constant.""",
    )

    checkpoint_every: int = FILES.field(
        50_000,
        Whole(1, 10**12, "ticks"),
        "Steps between checkpoints of a run; one is always written at the end.",
        elsewhere="checkpoint_freq save_freq",
    )

    log_every: int = FILES.field(
        1000,
        Whole(1, 10**12, "ticks"),
        """Steps from one row of metrics.csv to the next; beyond 4,096 rows those of long ago become sparser.""",
        elsewhere="log_interval log_freq",
    )

    def __post_init__(self) -> None:
        for spec in fields(self):
            object.__setattr__(self, spec.name, kind_of(spec).checked(spec.name, getattr(self, spec.name)))
        if self.tau_min > self.tau_max:
            raise ConfigError(
                f"tau_min: got {self.tau_min}, which is above tau_max = {self.tau_max}; "
                "give tau_min a value of at most tau_max"
            )

    @property
    def stack(self) -> tuple[int, ...]:
        """Neurons of every layer there is, bottom first: of memory layers, if any, then `layers`."""
        return (*(self.memory,) * self.n_memory, *self.layers)

    @property
    def n_memory(self) -> int:
        """How many layers of memory neurons there are, the lowest ones of `stack`."""
        return self.memory_layers if self.memory else 0

    @property
    def log_min_probability_ratio(self) -> float:
        """How far below the greatest preference of a factor one may be: log `min_probability_ratio`, -10^18 for 0."""
        return math.log(self.min_probability_ratio) if self.min_probability_ratio else -1e18

    @property
    def fixed(self) -> int:
        """How many of the bottom layers of `stack` do not learn."""
        return min(self.frozen_layers, len(self.stack))

    def __hash__(self) -> int:
        """Hash what can be hashed: everything but the arguments of the environment and of its wrappers."""
        return hash(tuple(getattr(self, spec.name) for spec in fields(self) if kind_of(spec).hashable))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain lists, numbers and strings, in the order of definition."""
        # Not `asdict`: it makes each tuple anew through an iterator, and of those Python keeps up to 2000 once they are
        # free. A run that writes a checkpoint now and then would grow by 64 bytes each time.
        values = {spec.name: deepcopy(getattr(self, spec.name)) for spec in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Config:
        """Build a configuration from a mapping; unknown keys and bad values raise `ConfigError`."""
        if not isinstance(values, Mapping):
            raise ConfigError(f"a configuration is a mapping from settings to values; got {one_line(values)}")
        return cls(**{key if isinstance(key, str) else one_line(key): value for key, value in values.items()})

    def with_changes(self, changes: Mapping[str, Any]) -> Config:
        """Return a copy with some fields replaced; unknown keys and bad values raise `ConfigError`."""
        return self.from_dict({**vars(self), **changes})
