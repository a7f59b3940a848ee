"""Every setting of an experiment, with its meaning, unit and allowed range."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from numbers import Integral
from typing import Any

from .errors import ConfigError


def _real(default: float, low: float, high: float) -> Any:
    return field(default=default, metadata={"kind": "real", "low": low, "high": high})


def _whole(default: int, low: int, high: int) -> Any:
    return field(default=default, metadata={"kind": "whole", "low": low, "high": high})


def _switch(default: bool) -> Any:
    return field(default=default, metadata={"kind": "switch"})


def _choice(default: str, *allowed: str) -> Any:
    return field(default=default, metadata={"kind": "choice", "allowed": allowed})


_UNHASHABLE = ("env_kwargs", "wrappers")


@dataclass(frozen=True)
class Config:
    """Settings of one experiment; the keys of a YAML file are these fields.

    Time is counted in ticks: one tick is one environment step. Membranes and currents are in units of the normalised
    current, in which `v_th` = 1 is the threshold of a neuron at rest.

    Attributes
    ----------
    env : str
        Gymnasium environment id, ``"module:id"`` to import a module first.
    env_kwargs : dict
        Keyword arguments for the environment.
    wrappers : list
        Gymnasium wrappers, innermost first: each ``"module:Class"`` or ``{"module:Class": {argument: value}}``.
    steps : int
        Environment steps of a run, 1 to 10^12.
    seed : int
        Seed of initial weights, actions and the environment, 0 to 2^63 - 1.
    layers : list of int
        Neurons of each layer that learns, bottom first, 4 to 65536 each; actor and critic each get a network of this
        shape, on a reservoir of its own.
    reservoir : int
        Neurons of a layer beneath `layers` whose weights, recurrent ones included, never change: a memory that learning
        cannot disturb. 0 for none, else 4 to 65536. Weights from it to the lowest of `layers` and to the readout begin
        at 0. It has neurons of three kinds: latches, delay lines, and, the rest, neurons as in `layers` with random
        recurrent weights.
    reservoir_scale : float
        Recurrent weights of the rest are uniform in +- this / sqrt(fan-in), 0 to 100; not used without `recurrent`.
    latch_fraction : float
        Share of the reservoir that latches, 0 to 1: a spike lowers the threshold (an afterdepolarisation), so that a
        neuron, once it has fired, goes on until it is inhibited.
    delay_fraction : float
        Share of the reservoir in delay lines, 0 to 1; as many whole lines as it and what latches leave room for. The
        first neuron of a line fires for one entry of the observation, each other one when the one before it just has.
        Line k is for entry k mod size of the observation, in the second round for the entry's negative, and so on.
        There are none without `recurrent`.
    delay_length : int
        Neurons of a delay line, 1 to 65536.
    leak_groups : int
        Membrane time constants in a layer, 1 to 64; neuron i has number i mod `leak_groups`.
    tau_min, tau_max : float
        Smallest and largest membrane time constant, ticks, 0.01 to 10^9, spaced evenly in their logarithm;
        alpha = exp(-1/tau), so that 0.01 means no memory. One group takes `tau_max`.
    adaptive_fraction : float
        Share of neurons with an adaptive threshold (ALIF), 0 to 1; the rest are LIF.
    tau_adapt : float
        Time constant of the threshold adaptation, ticks, 0.01 to 10^9; rho = exp(-1/tau_adapt).
    adapt_strength : float
        Rise of the threshold a spike causes (beta in Bellec et al.), units of the membrane, 0 to 100.
    v_th : float
        Threshold at rest, units of the membrane, 0.001 to 1000.
    reset_strength : float
        Fall of the membrane after a spike, units of `v_th`, 0 to 10. 0 leaves the membrane alone.
    dampening : float
        Height of the pseudo-derivative (gamma in Bellec et al.), 0.001 to 10.
    gain : float
        Standard deviation of the normalised current over a layer, units of the membrane, 0.001 to 1000.
    connectivity : float
        Share of a neuron's inputs, but for those from a reservoir, that have a nonzero weight at the start, 0 to 1,
        never fewer than one input; all weights can grow later.
    recurrent : bool
        Whether a layer sees its own spikes of the tick before.
    recurrent_scale : float
        Initial recurrent weights of `layers` are uniform in +- this / sqrt(fan-in), 0 to 100.
    observation_skip : bool
        Whether layers above the lowest of `layers`, which always does, see the observation too.
    readout : {"all", "top"}
        Layers whose spikes the outputs are linear in.
    depth_filter : {"cascade", "factored", "none"}
        How the trace behind a signal from above is filtered by the membranes it came through. `cascade`: a matrix for
        each layer above, with its mean leak; exact one layer up with one leak group. `factored`: a vector for each pair
        of leaks: less memory, somewhat slower, and closer one layer up with several leaks. `none` is an ablation: the
        signal meets the synapse's own trace of the tick.
    recurrent_hop : bool
        Whether signals may take one hop more than there are layers above, and hops through a layer's own recurrent
        weights, which e-prop leaves out. Off without `recurrent`, `spatial_signal` or `temporal_trace`.
    reset_path : bool
        Whether eligibility follows the reset of the membrane, which e-prop leaves out; costs a float a synapse.
    spatial_signal : bool
        Whether a learning signal comes down through the layers above. False is an ablation: a layer learns from its own
        connection to the readout alone, and one that is not read out does not learn.
    feedback : {"symmetric", "random", "adaptive"}
        Weights that learning signals come down through: the forward ones, fixed random ones of the same shape, or ones
        that start at random and change as the forward ones learn while both decay; `preference_decay` moves the forward
        ones alone. Random recurrent ones are scaled by `recurrent_scale`, as the weights are.
    feedback_decay : float
        Decay a tick of forward and feedback weights with `feedback: adaptive`, 0 to 1.
    rate_regularization : float
        Strength a tick of the pull of each neuron's mean rate towards `target_rate`, 0 to 10. It evens rates out; the
        mean rate of a layer is mostly set by `gain`, since the current has mean 0 whatever the weights.
    target_rate : float
        Spikes a tick a neuron is pulled to, 0 to 1.
    temporal_trace : bool
        Whether a synapse remembers earlier inputs. False is an ablation: every eligibility and filter decays at once,
        so that only inputs of the very tick get credit (which still decays with `trace_lambda`).
    frozen_layers : int
        The bottom so many of `layers` (all, if there are fewer) keep their initial weights, 0 to 64; an ablation. The
        reservoir then reaches the output through the readout alone, so not at all with `readout: top`.
    discount : float
        Discount of future reward a tick, 0 to 1.
    trace_lambda : float
        Decay of credit a tick beyond `discount`, 0 (TD(0)) to 1.
    step_rule : {"bounded", "coordinate"}
        How a weight change is scaled, see ``agent/kernels/step_size.py``.
    lr_policy, lr_value : float
        Largest step size of actor and critic, 0 to 1000; 0 freezes.
    kappa_policy, kappa_value : float
        Safety factor of the bounded step of actor and critic, 0.01 to 10^6; larger means smaller steps.
    error_bound : float
        Size of a TD error, in units of the normalised reward, from which on the bounded step grows no further with it,
        0.01 to 10^6; 1 as published. Where rewards are rare and large, a small bound makes values too low.
    readout_share : float
        Share of the bound on a change that the bounded step gives to the readout; the layers that learn divide
        the rest evenly. 0 to 0.99; 0 puts all weights of a network under one bound (Elsayed et al. 2024).
    peak_decay : float
        Decay a tick of the running maximum in the coordinate rule, 0 to 1.
    least_probability : float
        Probability, relative to the most likely category's, that a category of a discrete action is kept from falling
        below, so that what is not wanted now can still be tried where it is, 0 to 1.
    preference_decay : float
        Share a tick of its distance from the mean of its factor that each preference of a discrete action is taken back
        for the present observation, 0 to 1, so that what no longer pays is tried again.
    entropy_bonus : float
        Reward, in units of the normalised reward, for each nat of surprise -log pi(action), 0 to 10.
    deviation : {"state", "free"}
        Whether the deviation that a continuous action is drawn with is linear in the spikes, in its logarithm, or one
        number of its own.
    initial_deviation : float
        Deviation of a continuous action at the start, in units of half the range of the action (of 1 where it is not
        bounded), 0.001 to 100. It stays between 0.018 and 2.7 times this.
    deviation_rate : float
        Step of the deviation's logarithm relative to that of the mean, 0 to 10; with 0 it is not learned.
    noise_correlation : float
        Correlation from tick to tick of the lasting part of the noise in continuous actions, 0 to 0.999.
    noise_share : float
        Share of the variance of the noise that is lasting, 0 to 1; the rest is drawn anew each tick.
    normalize_observations : bool
        Whether continuous entries of an observation are standardised online.
    observation_clip : float
        Bound on a standardised observation, standard deviations, 0.1 to 1000.
    normalize_rewards : bool
        Whether rewards are divided by the standard deviation of returns.
    statistics_memory : int
        Samples that the statistics of observations and returns remember: they are those of all samples until there are
        so many, then the weight of a sample decays with this time constant. 2 to 10^15.
    keep_state : bool
        Whether neurons, eligibility and credit survive the end of an episode, for streams without real episodes.
    checkpoint_every : int
        Steps between checkpoints of a run, 1 to 10^12; one is always written at the end.

    Raises
    ------
    ConfigError
        If a value has the wrong type or lies outside its range.
    """

    env: str = field(default="CartPole-v1", metadata={"kind": "text"})
    env_kwargs: Mapping[str, Any] = field(default_factory=dict, metadata={"kind": "mapping"})
    wrappers: tuple[Any, ...] = field(default=(), metadata={"kind": "plain list"})
    steps: int = _whole(100_000, 1, 10**12)
    seed: int = _whole(0, 0, 2**63 - 1)

    layers: tuple[int, ...] = field(default=(64, 64, 64), metadata={"kind": "layers", "low": 4, "high": 65536})
    reservoir: int = _whole(96, 0, 65536)
    reservoir_scale: float = _real(1.0, 0.0, 100.0)
    latch_fraction: float = _real(0.35, 0.0, 1.0)
    delay_fraction: float = _real(0.35, 0.0, 1.0)
    delay_length: int = _whole(5, 1, 65536)
    leak_groups: int = _whole(4, 1, 64)
    tau_min: float = _real(0.25, 0.01, 1e9)
    tau_max: float = _real(10.0, 0.01, 1e9)
    adaptive_fraction: float = _real(0.5, 0.0, 1.0)
    tau_adapt: float = _real(20.0, 0.01, 1e9)
    adapt_strength: float = _real(0.5, 0.0, 100.0)
    v_th: float = _real(1.0, 1e-3, 1e3)
    reset_strength: float = _real(1.0, 0.0, 10.0)
    dampening: float = _real(0.3, 1e-3, 10.0)
    gain: float = _real(2.0, 1e-3, 1e3)
    connectivity: float = _real(0.1, 0.0, 1.0)
    recurrent: bool = _switch(True)
    recurrent_scale: float = _real(0.0, 0.0, 100.0)
    observation_skip: bool = _switch(True)
    readout: str = _choice("all", "all", "top")
    depth_filter: str = _choice("cascade", "cascade", "factored", "none")
    recurrent_hop: bool = _switch(False)
    reset_path: bool = _switch(False)
    spatial_signal: bool = _switch(True)
    feedback: str = _choice("symmetric", "symmetric", "random", "adaptive")
    feedback_decay: float = _real(1e-5, 0.0, 1.0)
    rate_regularization: float = _real(0.0, 0.0, 10.0)
    target_rate: float = _real(0.2, 0.0, 1.0)
    temporal_trace: bool = _switch(True)
    frozen_layers: int = _whole(0, 0, 64)

    discount: float = _real(0.99, 0.0, 1.0)
    trace_lambda: float = _real(0.8, 0.0, 1.0)
    step_rule: str = _choice("bounded", "bounded", "coordinate")
    lr_policy: float = _real(1.0, 0.0, 1e3)
    lr_value: float = _real(1.0, 0.0, 1e3)
    kappa_policy: float = _real(2.0, 0.01, 1e6)
    kappa_value: float = _real(1.5, 0.01, 1e6)
    error_bound: float = _real(1.0, 0.01, 1e6)
    readout_share: float = _real(0.5, 0.0, 0.99)
    peak_decay: float = _real(0.999, 0.0, 1.0)
    least_probability: float = _real(0.003, 0.0, 1.0)
    preference_decay: float = _real(0.0, 0.0, 1.0)
    entropy_bonus: float = _real(0.0, 0.0, 10.0)
    deviation: str = _choice("state", "state", "free")
    initial_deviation: float = _real(1.0, 1e-3, 100.0)
    deviation_rate: float = _real(0.02, 0.0, 10.0)
    noise_correlation: float = _real(0.95, 0.0, 0.999)
    noise_share: float = _real(0.5, 0.0, 1.0)
    normalize_observations: bool = _switch(True)
    observation_clip: float = _real(8.0, 0.1, 1e3)
    normalize_rewards: bool = _switch(True)
    statistics_memory: int = _whole(1_000_000, 2, 10**15)
    keep_state: bool = _switch(False)

    checkpoint_every: int = _whole(50_000, 1, 10**12)

    def __post_init__(self) -> None:
        for spec in fields(self):
            object.__setattr__(self, spec.name, _checked(spec.name, getattr(self, spec.name), spec.metadata))
        if self.tau_min > self.tau_max:
            raise ConfigError(
                f"tau_min: got {self.tau_min}, which is above tau_max = {self.tau_max}; "
                "give tau_min a value of at most tau_max"
            )
        if 0 < self.reservoir < 4:
            raise ConfigError(f"reservoir: got {self.reservoir}; allowed: 0, or a whole number from 4 to 65536")

    @property
    def stack(self) -> tuple[int, ...]:
        """Neurons of every layer there is, bottom first: of the reservoir, if any, and of `layers`."""
        return (self.reservoir, *self.layers) if self.reservoir else self.layers

    @property
    def fixed(self) -> int:
        """How many of the bottom layers of `stack` do not learn."""
        return min(bool(self.reservoir) + self.frozen_layers, len(self.stack))

    def __hash__(self) -> int:
        """Hash what can be hashed: everything but the arguments of the environment and of its wrappers."""
        return hash(tuple(getattr(self, spec.name) for spec in fields(self) if spec.name not in _UNHASHABLE))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain lists, numbers and strings, in the order of definition."""
        # Not `asdict`: it makes each tuple anew through an iterator, and of those Python keeps up to 2000 once they are
        # free. A run that writes a checkpoint now and then would grow by 64 bytes each time.
        values = {spec.name: deepcopy(getattr(self, spec.name)) for spec in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Config:
        """Build a configuration from a mapping; unknown keys and bad values raise `ConfigError`."""
        for key in values:
            check_key(key)
        return cls(**values)

    def with_changes(self, changes: Mapping[str, Any]) -> Config:
        """Return a copy with some fields replaced; unknown keys and bad values raise `ConfigError`."""
        for key in changes:
            check_key(key)
        return replace(self, **changes)


def check_key(key: Any) -> None:
    """Raise `ConfigError` with a suggestion unless `key` is a field of `Config`."""
    names = [spec.name for spec in fields(Config)]
    if key in names:
        return
    close = difflib.get_close_matches(str(key), names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"allowed: {', '.join(names)}"
    raise ConfigError(f"{key}: there is no such key; {hint}")


def _checked(name: str, value: Any, meta: Mapping[str, Any]) -> Any:
    kind = meta["kind"]
    if kind == "real":
        return _checked_number(name, value, meta, float)
    if kind == "whole":
        return _checked_number(name, value, meta, int)
    if kind == "switch":
        if not isinstance(value, bool):
            raise ConfigError(f"{name}: got {value!r}; allowed: true or false")
        return value
    if kind == "choice":
        if value not in meta["allowed"]:
            raise ConfigError(f"{name}: got {value!r}; allowed: {', '.join(meta['allowed'])}")
        return value
    if kind == "text":
        if not isinstance(value, str) or not value:
            raise ConfigError(f"{name}: got {value!r}; allowed: a non-empty string")
        return value
    if kind == "mapping":
        if not isinstance(value, Mapping) or not _is_plain(value):
            raise ConfigError(
                f"{name}: got {value!r}; allowed: a mapping from names to numbers, strings, lists and mappings"
            )
        return dict(value)
    if kind == "plain list":
        if isinstance(value, str | bytes) or not isinstance(value, Sequence) or not _is_plain(list(value)):
            raise ConfigError(f"{name}: got {value!r}; allowed: a list of strings and mappings")
        return tuple(value)
    layers = () if isinstance(value, str | bytes | Mapping) or not hasattr(value, "__iter__") else tuple(value)
    if not layers:
        raise ConfigError(f"{name}: got {value!r}; allowed: a list of at least one whole number, such as [64, 64]")
    return tuple(_checked_number(name, n, meta, int) for n in layers)


def _is_plain(value: Any) -> bool:
    """Return whether a value survives YAML and JSON."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(_is_plain(item) for item in value)
    return value is None or isinstance(value, bool | int | float | str)


def _shown(bound: float) -> str:
    """Return a bound as the documentation writes it."""
    if bound == 2**63 - 1:
        return "2^63 - 1"
    power = math.log10(bound) if bound > 0 else 0.0
    return f"10^{power:.0f}" if power >= 5 and power.is_integer() else f"{bound:g}"


def _checked_number(name: str, value: Any, meta: Mapping[str, Any], kind: type) -> Any:
    """Return `value` as `kind`; a string such as "1e-3", which PyYAML leaves alone, counts as the number it spells."""
    low, high = meta["low"], meta["high"]
    what = "a whole number" if kind is int else "a number"
    problem = ConfigError(f"{name}: got {value!r}; allowed: {what} from {_shown(low)} to {_shown(high)}")
    if isinstance(value, bool):
        raise problem
    try:
        number = int(value) if isinstance(value, Integral) else float(value)
        if not math.isfinite(number) or not low <= number <= high or (kind is int and number != int(number)):
            raise problem
    except (TypeError, ValueError, OverflowError):
        raise problem from None
    return kind(number)
