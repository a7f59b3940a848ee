"""The state of the twin, and its calls: those of `Agent`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from . import clearing, neuron, spaces, tick
from .vectors import Array

NETS = ("actor", "critic")
# Of what is cleared, that of which an arena leaves out rows that nothing would ever change.
CARRIED = ("epsa", "epsr")


class ReferenceAgent:
    """Whole ticks, from a copy of the views and random words of an arena; `spaces`: of observations and of actions."""

    def __init__(
        self, config: Any, spaces_: tuple[Any, Any], views: Mapping[str, Any], words: Iterable[int], **scalars: float
    ):
        self.config, self.spaces, self.words = config, spaces_, [int(word) for word in words]
        self.parts, self.is_number = spaces.parts_of(spaces_[1]), spaces.is_number(spaces_[0])
        self.indices = range(len(config.stack))
        self.learning = range(config.fixed, len(config.stack))
        self.read = [index for index in self.indices if config.readout == "all" or index == self.indices[-1]]
        self.bias = sum(config.stack[index] for index in self.read)
        self.arrays: dict[str, Any] = {name: np.array(view, np.float64) for name, view in views.items()}
        for path in (f"{net}/{index}" for net in NETS for index in self.indices):
            # LIF rows are carried along: strength 0 takes them out of e. So is the reset: 0 unless its path is in.
            for name in (f"{path}/{k}" for k in CARRIED):
                missing = len(self.arrays[f"{path}/w"]) - len(self.arrays[name])
                self.arrays[name] = np.pad(self.arrays[name], ((0, missing), (0, 0)))
        self.scalars: dict[str, float] = defaultdict(float, scalars)
        c = config
        self.imitates, self.push = False, 1.0
        self.tensor = c.depth_filter == "tensor" and c.spatial_signal
        self.hop = c.recurrent_hop and c.recurrent and c.spatial_signal and c.temporal_trace and not self.tensor
        self.fall = neuron.fall(c) * (c.reset_path and c.temporal_trace)
        self.levels = [self._levels(index) for index in self.indices]

    def _levels(self, index: int) -> int:
        """How many hops a signal to a layer may have taken; none that is carried literally."""
        above = len(self.config.stack) - 1 - index
        if index not in self.learning or self.carries(index) or not self.config.spatial_signal:
            return 0
        if self.tensor:
            return int(self.is_memory(index))
        return int(above + self.hop)

    def start(self, observation: Any, learn: bool = True, taken: Array | None = None) -> Array:
        """An episode begins: forget the last one, then act; no reward is due."""
        clearing.clear_episode(self)
        return tick.tick(self, None, observation, learn, self.config.discount, given=taken)

    def step(self, reward: float, observation: Any, learn: bool = True, taken: Array | None = None) -> Array:
        """Learn from the reward of the action before, then act, or let somebody else act."""
        return tick.tick(self, reward, observation, learn, self.config.discount, given=taken)

    def end(self, reward: float, observation: Any = None, learn: bool = True) -> None:
        """Terminated (no bootstrap), or, given an observation, truncated (bootstraps)."""
        discount = 0.0 if observation is None else self.config.discount
        tick.tick(self, reward, observation, learn, discount, last=True)

    def blocks(self, net: str) -> list[str]:
        """What the names of the arrays of each layer and, last, of the readout begin with."""
        return [*(f"{net}/{index}/" for index in self.indices), f"{net}/"]

    def sees(self, index: int) -> bool:
        """Whether a layer sees the observation; memory does not stand between it and the layers above."""
        return bool(index <= self.config.n_memory or self.config.observation_skip)

    def is_memory(self, index: int) -> bool:
        """Whether a layer is of memory neurons."""
        return bool(index < self.config.n_memory)

    def carries(self, index: int) -> bool:
        """Whether a memory layer carries its influence on each neuron of a memory layer above."""
        c = self.config
        both = self.is_memory(index) and self.is_memory(index + 1)
        return bool(both and c.spatial_signal and c.depth_filter in ("tensor", "none"))

    def threshold(self, index: int) -> int:
        """The column of the thresholds of a memory layer: after spikes from below, observations and the constant 1."""
        below = self.config.stack[index - 1] if index else 0
        return int(below + self.arrays["input"].size * (1 + (self.config.memory_delay > 0)) + 1)

    def norms(self, net: str) -> Array:
        """L1 norms of the credit: of each layer, of memory neurons without gates, of the readout, then of the gates."""
        found = [np.abs(self.arrays[at + "credit"]).sum(axis=1) for at in self.blocks(net)]
        memory = [index for index in self.indices if self.is_memory(index)]
        gates = [np.split(found[index], 2)[1] for index in memory]
        found = [np.split(rows, 2)[0] if index in memory else rows for index, rows in enumerate(found)]
        return np.array([rows.sum() for rows in [*found, *gates]])

    def leaks(self, net: str) -> Array:
        """Mean leaks of all layers as traces of layers below know them; of memory neurons, those of this tick."""
        remembers = float(self.config.depth_filter != "none" and self.config.temporal_trace)
        means = [self.arrays[f"{net}/{k}/alpha"].mean() * remembers for k in self.indices]
        return np.where([self.is_memory(k) for k in self.indices], self.arrays[f"{net}/leak"], means)

    def slopes(self, net: str) -> Array:
        """Of the normalized currents of all layers."""
        return np.array([self.arrays[f"{net}/{k}/slope"] for k in self.indices])
