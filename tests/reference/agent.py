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
CARRIED = ("epsa", "epsr", "credit", "peak", "eps")


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
            # LIF rows are carried along: strength 0 takes them out of e. So is the reset: 0 unless its path is in. What
            # a reservoir would have if it learned is carried along too.
            groups = len(self.arrays[f"{path}/alphas"])
            for name, rows in ((f"{path}/{k}", groups if k == "eps" else None) for k in CARRIED):
                missing = (rows or len(self.arrays[f"{path}/w"])) - len(self.arrays[name])
                self.arrays[name] = np.pad(self.arrays[name], ((0, missing), (0, 0)))
        self.scalars: dict[str, float] = defaultdict(float, scalars)
        c = config
        self.tensor = c.depth_filter == "tensor" and c.spatial_signal
        self.hop = c.recurrent_hop and c.recurrent and c.spatial_signal and c.temporal_trace and not self.tensor
        self.fall = neuron.fall(c) * (c.reset_path and c.temporal_trace)
        by_levels = c.spatial_signal and not self.tensor
        self.levels = [by_levels * (len(c.stack) - 1 - index) + self.hop for index in self.indices]

    def start(self, observation: Any, learn: bool = True) -> Array:
        """An episode begins: forget the last one, then act; no reward is due."""
        clearing.clear_episode(self)
        return tick.tick(self, None, observation, learn, self.config.discount)

    def step(self, reward: float, observation: Any, learn: bool = True) -> Array:
        """Learn from the reward of the action before, then act."""
        return tick.tick(self, reward, observation, learn, self.config.discount)

    def end(self, reward: float, observation: Any = None, learn: bool = True) -> None:
        """Terminated (no bootstrap), or, given an observation, truncated (bootstraps)."""
        discount = 0.0 if observation is None else self.config.discount
        tick.tick(self, reward, observation, learn, discount, last=True)

    def blocks(self, net: str) -> list[str]:
        """What the names of the arrays of each layer and, last, of the readout begin with."""
        return [*(f"{net}/{index}/" for index in self.indices), f"{net}/"]

    def sees(self, index: int) -> bool:
        """Whether a layer sees the observation; a reservoir does not stand between it and the layer above."""
        return bool(index <= (self.config.reservoir > 0) or self.config.observation_skip)

    def slopes(self, net: str) -> Array:
        """Of the normalized currents of all layers."""
        return np.array([self.arrays[f"{net}/{k}/slope"] for k in self.indices])
