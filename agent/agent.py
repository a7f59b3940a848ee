"""The agent as its user sees it: start, step, end."""

from __future__ import annotations

from typing import Any

from .build import build
from .config import Config
from .errors import InputError, PhaseError
from .kernels import layout as at
from .kernels import tick as kernel
from .spaces import ActionSpec, ObservationSpec
from .state import Arena


class Agent:
    def __init__(self, config: Config, observation_space: Any, action_space: Any, seed: int = 0, buffer: Any = None):
        self.config = config
        self.observation = ObservationSpec.from_space(observation_space)
        self.action = ActionSpec.from_space(action_space)
        self._attach(build(config, self.observation, self.action, seed, buffer))

    def _attach(self, arena: Arena) -> None:
        self.arena = arena
        self._staging = arena.views["staging"]
        self._start = self.action.start

    def start(self, observation: Any, learn: bool = True) -> int:
        return self._advance(0.0, observation, kernel.START, learn)

    def step(self, reward: float, observation: Any, learn: bool = True) -> int:
        return self._advance(reward, observation, kernel.STEP, learn)

    def end(self, reward: float, observation: Any = None, learn: bool = True) -> None:
        if observation is None:
            self._call(reward, kernel.TERMINATE, learn)
        else:
            self._advance(reward, observation, kernel.TRUNCATE, learn)

    def _advance(self, reward, observation, mode, learn):
        self.observation.encode(observation, self._staging)
        return self._call(reward, mode, learn) + self._start

    def _call(self, reward, mode, learn):
        arena = self.arena
        result = kernel.tick(arena.ints, arena.reals, arena.floats, float(reward), mode, learn)
        if result < 0:
            raise RuntimeError(result)
        return result
