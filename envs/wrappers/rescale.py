"""The same task told in other units, which an agent should not notice."""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs

Array = np.ndarray
Step = tuple[Array, SupportsFloat, bool, bool, dict[str, Any]]


class ChangeUnits(gymnasium.Wrapper[Array, Any, Array, Any], RecordConstructorArgs):
    """Multiply observations and rewards by constants.

    Parameters
    ----------
    env : gymnasium.Env
        Environment with a Box observation; that of the wrapper is float64, since float32 ends at 3.4e38.
    observation, reward : float
        Factors, finite and above 0.

    Raises
    ------
    ValueError
        If the observation is not a Box, or a factor is out of range.
    """

    def __init__(self, env: gymnasium.Env[Array, Any], observation: float = 1.0, reward: float = 1.0) -> None:
        RecordConstructorArgs.__init__(self, observation=observation, reward=reward)
        gymnasium.Wrapper.__init__(self, env)
        space = env.observation_space
        if not isinstance(space, spaces.Box):
            raise ValueError(f"ChangeUnits needs a Box observation; {env} has {space}")
        for name, factor in (("observation", observation), ("reward", reward)):
            if not 0 < factor < np.inf:
                raise ValueError(f"{name}={factor}: allowed: a finite factor above 0")
        self._of_observation, self._of_reward = observation, reward
        low, high = (self._converted(bound) for bound in (space.low, space.high))
        self.observation_space = spaces.Box(low, high, dtype=np.float64)

    def _converted(self, observation: Array) -> Array:
        return np.asarray(observation, dtype=np.float64) * self._of_observation

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Array, dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._converted(observation), info

    def step(self, action: Any) -> Step:
        """Take a step."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self._converted(observation), float(reward) * self._of_reward, terminated, truncated, info
