"""The sizes that fix an arena, and how a configuration and its spaces give them."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import Config
from ..errors import ConfigError
from ..kernels.rest import SLOTS
from ..spaces import ActionSpec, ObservationSpec

ALIGNMENT = 64
_FLOATS_PER_LINE = ALIGNMENT // 4
# Most numbers, of actor and critic together, that `depth_filter: tensor` may carry: 64 MiB, each of them visited once a
# tick and once more for each neuron of the layer above it.
TENSOR_LIMIT = 2**24


def padded(count: int) -> int:
    """Return the least multiple of a cache line's floats that is not below `count`."""
    return -(-count // _FLOATS_PER_LINE) * _FLOATS_PER_LINE


@dataclass(frozen=True)
class Dimensions:
    """The sizes that fix an arena.

    Attributes
    ----------
    n_input : int
        Size of the encoded observation.
    choices : tuple of int
        Categories of each discrete factor of an action.
    controls : int
        Continuous dimensions of an action.
    free_std : bool
        Whether the stds of controls depend on nothing.
    layers : tuple of int
        Neurons of each layer, bottom first; the same for actor and critic.
    memory : int
        How many of the bottom layers are of memory neurons; the layer above them sees the observation too.
    delays : int
        Longest delay of the observation that these see, ticks; 0: they see the present one alone.
    carried : bool
        Whether a memory layer carries its influence on each neuron of a memory layer above, instead of a cascade.
    groups : int
        Leak groups of a layer.
    adaptive : tuple of int
        Neurons of each layer that have an eligibility of the adaptation.
    spatial_signal, recurrent_hop : bool
        Whether learning signals come down through the layers, and around through recurrent weights, so that there are
        traces for them.
    cascade, tensor : bool
        Whether these are matrices, or a matrix for each neuron above; else vectors.
    reset_path : bool
        Whether the reset of a membrane has an eligibility.
    rates : bool
        Whether neurons are pulled towards a rate.
    own_feedback, mirrored : bool
        Whether feedback has weights of its own, and whether these learn.
    recurrent, observation_skip, readout_all : bool
        Whether layers see their own spikes; whether layers above the first see the observation; whether every layer is
        read out (else the top one only).
    frozen : int
        The bottom so many layers do not learn.
    """

    n_input: int
    choices: tuple[int, ...]
    controls: int
    free_std: bool
    layers: tuple[int, ...]
    memory: int
    delays: int
    carried: bool
    groups: int
    adaptive: tuple[int, ...]
    spatial_signal: bool
    recurrent_hop: bool
    cascade: bool
    tensor: bool
    reset_path: bool
    rates: bool
    own_feedback: bool
    mirrored: bool
    recurrent: bool
    observation_skip: bool
    readout_all: bool
    frozen: int

    @property
    def outputs(self) -> tuple[int, int]:
        """Number of outputs of the actor (a preference a category, a mean and a std a control) and the critic."""
        return sum(self.choices) + 2 * self.controls, 1

    @property
    def parts(self) -> int:
        """Parts of an action that a policy can choose, at least 1: controls, and factors of more than one category."""
        return max(1, sum(size > 1 for size in self.choices) + self.controls)

    @property
    def free_outputs(self) -> tuple[int, int]:
        """How many of the last outputs of actor and critic learn nothing but their bias: the stds, if free."""
        return self.controls if self.free_std else 0, 0

    def is_memory(self, layer: int) -> bool:
        """Return whether a layer is of memory neurons."""
        return layer < self.memory

    @property
    def centered(self) -> int:
        """Neurons whose output is their spikes less their mean: those of memory."""
        return sum(self.layers[: self.memory])

    def columns(self, layer: int) -> dict[str, int]:
        """Return where each part of a layer's input vector starts (-1: absent) and its padded length."""
        below = self.layers[layer - 1] if layer else 0
        sees_observation = layer <= self.memory or self.observation_skip
        looped = self.recurrent and not self.is_memory(layer)
        observed = below if sees_observation else -1
        recurrent = below + (self.n_input if sees_observation else 0)
        delayed = self.is_memory(layer) and self.delays > 0
        bias = recurrent + (self.layers[layer] if looped else 0) + (self.n_input if delayed else 0)
        return {
            "below": below,
            "observed": observed,
            "recurrent": recurrent if looped else -1,
            "delayed": recurrent if delayed else -1,
            "bias": bias,
            "threshold": bias + 1 if self.is_memory(layer) else -1,
            "m": bias + 2 if self.is_memory(layer) else padded(bias + 1),
        }

    def levels(self, layer: int) -> int:
        """Return how many hops a signal to a layer may have taken: one a layer above, and one more; 0 with a tensor."""
        if self.is_memory(layer):
            if not self.spatial_signal or (self.carried and self.is_memory(layer + 1)):
                return 0
            return 1 if self.tensor else len(self.layers) - 1 - layer + self.recurrent_hop
        if self.tensor:
            return 0
        return (len(self.layers) - 1 - layer if self.spatial_signal else 0) + self.recurrent_hop

    def split(self, layer: int) -> int:
        """Return into how many leak groups a signal of one hop to this layer is split."""
        return 0 if self.levels(layer) == 0 else 1 if self.cascade or self.is_memory(layer) else self.groups

    def vectors(self, layer: int) -> int:
        """Return how many filtered eligibility vectors a leak group of this layer has."""
        levels = self.levels(layer)
        return 0 if self.cascade or self.is_memory(layer) else self.split(layer) + (levels if levels > 1 else 0)

    def n_above(self, layer: int) -> int:
        """Return of how many neurons, those of all layers above, the tensor of a layer has the influence on."""
        if self.is_memory(layer):
            above = self.spatial_signal and self.carried and self.is_memory(layer + 1) and layer >= self.frozen
            return self.layers[layer + 1] if above else 0
        return sum(self.layers[layer + 1 :]) if self.tensor and self.spatial_signal and layer >= self.frozen else 0

    def rests(self, layer: int) -> bool:
        """Return whether rows of a layer rest while psi is 0: nothing but `kernels.rest` may read their traces then."""
        read = self.reset_path or self.rates or self.vectors(layer) or self.n_above(layer)
        return not read and not self.is_memory(layer) and self.levels(layer) < len(SLOTS)

    @property
    def rare(self) -> bool:
        """Whether the rule has a part that few configurations use, which `kernels.tick.common_tick` leaves out."""
        layers = range(len(self.layers))
        resting = all(self.rests(layer) for layer in layers if not self.is_memory(layer))
        carried = any(self.n_above(layer) for layer in layers)
        return not resting or carried or self.mirrored or self.recurrent_hop

    def readout_columns(self) -> tuple[list[int], int, int]:
        """Return the first readout column of each layer (-1: not read out), the bias column and the padded length."""
        first, column = [], 0
        for index, n in enumerate(self.layers):
            if self.readout_all or index == len(self.layers) - 1:
                first.append(column)
                column += n
            else:
                first.append(-1)
        return first, column, padded(column + 1)

    def sizes(self) -> dict[str, int]:
        """Return the numbers of `kernels.layout.Sizes` but for those of the sections."""
        return {
            "n_input": self.n_input,
            "n_preferences": sum(self.choices),
            "n_choices": len(self.choices),
            "n_controls": self.controls,
            "n_parts": self.parts,
            "n_layers": len(self.layers),
            "n_memory": self.memory,
            "frozen_layers": self.frozen,
            "cascade": self.cascade,
            "reset_path": self.reset_path,
            "rare": self.rare,
            "recurrent_hop": self.recurrent_hop,
        }

    def net_sizes(self, net: int) -> dict[str, int]:
        """Return the numbers of `kernels.views.Net`."""
        _, bias, features = self.readout_columns()
        outputs, free = self.outputs[net], self.free_outputs[net]
        return {"n_outputs": outputs, "n_features": features, "bias": bias, "n_free": free}

    def layer_sizes(self, layer: int) -> dict[str, int]:
        """Return the numbers of `kernels.views.Layer`."""
        columns = self.columns(layer)
        return {
            "n": self.layers[layer],
            "rows": self.layers[layer] * (1 + self.is_memory(layer)),
            "m": columns["m"],
            "n_below": columns["below"],
            "observed": columns["observed"],
            "recurrent": columns["recurrent"],
            "bias": columns["bias"],
            "threshold": columns["threshold"],
            "delays": max(self.delays, 1) if self.is_memory(layer) else 0,
            "delayed": columns["delayed"],
            "holders": sum(memory_kinds(self.layers[layer])[:2]) if self.is_memory(layer) else 0,
            "groups": self.groups,
            "n_adaptive": self.adaptive[layer],
            "vectors": self.vectors(layer),
            "n_above": self.n_above(layer),
            "levels": self.levels(layer),
            "split": self.split(layer),
            "rests": self.rests(layer),
            "first": self.readout_columns()[0][layer],
        }


def dimensions(config: Config, observation: ObservationSpec, action: ActionSpec) -> Dimensions:
    """Return the sizes of the arena that this configuration needs for these spaces.

    Raises
    ------
    ConfigError
        If it asks for a tensor of more than `TENSOR_LIMIT` numbers.
    """
    found = _dimensions(config, observation.size, action.choices, action.controls)
    layers = range(len(found.layers))
    synapses = (found.layers[k] * (1 + found.is_memory(k)) * found.columns(k)["m"] for k in layers)
    carried = 2 * sum(found.n_above(k) * size for k, size in zip(layers, synapses, strict=True))
    if carried > TENSOR_LIMIT:
        raise ConfigError(
            f"depth_filter {config.depth_filter}: for layers {list(config.layers)} and {observation.size} inputs it "
            f"would carry {carried:,} numbers, one for each synapse and neuron above it; allowed: up to "
            f"{TENSOR_LIMIT:,}; take fewer or smaller layers, or depth_filter cascade or factored"
        )
    return found


def is_rare(config: Config) -> bool:
    """Return whether agents of this configuration need the step with all parts of the rule, in whatever spaces."""
    return _dimensions(config, 1, (2,), 0).rare


def _dimensions(config: Config, n_input: int, choices: tuple[int, ...], controls: int) -> Dimensions:
    return Dimensions(
        n_input=n_input,
        choices=choices,
        controls=controls,
        free_std=config.std == "free",
        layers=config.stack,
        memory=config.n_memory,
        delays=config.memory_delay,
        carried=config.depth_filter in ("tensor", "none"),
        groups=config.leak_groups,
        # Without a trace in time the adaptation of a threshold has no eligibility: its rows are those of LIF neurons.
        adaptive=tuple(
            adaptive_neurons(config, n) if config.temporal_trace and index >= config.n_memory else 0
            for index, n in enumerate(config.stack)
        ),
        spatial_signal=config.spatial_signal,
        # The hop meets the trace of one tick ago.
        recurrent_hop=(
            config.recurrent_hop
            and config.recurrent
            and config.spatial_signal
            and config.temporal_trace
            and config.depth_filter != "tensor"
        ),
        cascade=config.depth_filter == "cascade",
        tensor=config.depth_filter == "tensor",
        reset_path=config.reset_path and config.temporal_trace and config.reset_strength > 0,
        rates=config.rate_regularization > 0,
        own_feedback=config.feedback != "symmetric",
        mirrored=config.feedback == "adaptive",
        recurrent=config.recurrent,
        observation_skip=config.observation_skip,
        readout_all=config.readout == "all",
        frozen=config.fixed,
    )


def adaptive_neurons(config: Config, n: int) -> int:
    """Return how many of n neurons are ALIF: the first ones."""
    return round(config.adaptive_fraction * n)


def memory_kinds(n: int) -> tuple[int, int, int]:
    """Return how many of n memory neurons begin as taps, holders and integrators, in this order: half are holders."""
    quarter = n // 4
    return quarter, n - 2 * quarter, quarter
