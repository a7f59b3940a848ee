"""Probe environments: so small that the right values and the right policy are known exactly.

Each isolates one thing that can break: the value of a constant, its dependence on the observation, discounting,
bootstrapping at truncation, the dependence of the policy on the observation, memory, and actions of other kinds.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from ..arguments import refuse_rendering


class _Probe(gymnasium.Env[np.ndarray, Any]):
    """Two actions, unless said otherwise; one number observed."""

    def __init__(self, render_mode: str | None = None) -> None:
        refuse_rendering(render_mode)
        self.observation_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
        self.action_space: spaces.Space[Any] = spaces.Discrete(2)
        self._cue = 0.0
        self._time = 0

    def _show(self, value: float) -> np.ndarray:
        return np.array([value], np.float32)

    def _draw_cue(self) -> float:
        return float(self.np_random.integers(2) * 2 - 1)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._cue = self._draw_cue()
        self._time = 0
        return self._show(self._first()), {}

    def _first(self) -> float:
        return self._cue


class ConstantReward(_Probe):
    """One step, reward 1, always the same observation. Value: 1."""

    def _first(self) -> float:
        return 0.0

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        return self._show(0.0), 1.0, True, False, {}


class ObservedReward(_Probe):
    """One step, the reward is the observation, -1 or 1. Value: the observation."""

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        return self._show(0.0), self._cue, True, False, {}


class DelayedReward(_Probe):
    """Two steps, observing 0 then 1, reward 1 after the second. Values: discount, 1."""

    def _first(self) -> float:
        return 0.0

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self._time += 1
        done = self._time == 2
        return self._show(1.0), float(done), done, False, {}


class EndlessReward(_Probe):
    """Reward 1 every step, always the same observation, cut off (truncated) after 10. Value: 1 / (1 - discount)."""

    def _first(self) -> float:
        return 0.0

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self._time += 1
        return self._show(0.0), 1.0, False, self._time == 10, {}


class MatchObservation(_Probe):
    """One step, the observation is -1 or 1; reward 1 for action 0 at -1 and action 1 at 1, else -1. Best return: 1."""

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        right = int(action) == int(self._cue > 0)
        return self._show(0.0), 1.0 if right else -1.0, True, False, {}


class MatchMemory(_Probe):
    """As `MatchObservation`, but the cue is shown on the first of three steps and counts on the last. Best return: 1.

    Without memory the expected return is 0.
    """

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self._time += 1
        if self._time < 3:
            return self._show(0.0), 0.0, False, False, {}
        right = int(action) == int(self._cue > 0)
        return self._show(0.0), 1.0 if right else -1.0, True, False, {}


class AimAtObservation(_Probe):
    """One step, the observation is -1 or 1, the action a number from -1 to 1; reward -(action - .4 observation)^2.

    Best return 0. The best action that does not depend on the observation is 0, with a return of -.16.
    """

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__(render_mode)
        self.action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        error = float(action[0]) - 0.4 * self._cue
        return self._show(0.0), -(error**2), True, False, {}


class AimAtBound(_Probe):
    """One step, always the same observation, the action two numbers from -1 to 1; reward: the first minus the second.

    Best return 2, at bounds that the policy has to come to rest on.
    """

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__(render_mode)
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

    def _first(self) -> float:
        return 0.0

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        return self._show(0.0), float(action[0]) - float(action[1]), True, False, {}


class MatchEach(_Probe):
    """One step, the observation is -1 or 1, the action two choices among 2 and 3; reward 1, or -1, as both are right.

    Right are 0 and 2 at -1, 1 and 0 at 1; one that is right alone brings 0. Best return: 1.
    """

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__(render_mode)
        self.action_space = spaces.MultiDiscrete([2, 3])

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        right = (1, 0) if self._cue > 0 else (0, 2)
        hits = sum(int(chosen) == wanted for chosen, wanted in zip(action, right, strict=True))
        return self._show(0.0), float(hits - 1), True, False, {}


PROBES: tuple[type[_Probe], ...] = (
    ConstantReward,
    ObservedReward,
    DelayedReward,
    EndlessReward,
    MatchObservation,
    MatchMemory,
    AimAtObservation,
    AimAtBound,
    MatchEach,
)
