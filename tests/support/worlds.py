"""What the tests of changing worlds share: an environment without physics, and a way through it."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

TWO = {"every": 3, "worlds": 2}


class Plain(gymnasium.Env[Any, Any]):
    """Shows the number of the step in every entry plus ten times its index, pays 1, and notes what it is told to do."""

    strength = 2.0

    def __init__(self, observation: Any = None, action: Any = None, length: int = 10**9) -> None:
        self.observation_space = spaces.Box(-1e6, 1e6, (4,)) if observation is None else observation
        self.action_space = spaces.Discrete(3) if action is None else action
        self.length, self.steps, self.done = length, 0, []  # type: ignore[var-annotated]
        self.rates = np.array([1.0, 4.0])

    def _seen(self) -> Any:
        space = self.observation_space
        return (self.steps + 10 * np.arange(np.prod(space.shape)).reshape(space.shape)).astype(space.dtype)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.steps = 0
        return self._seen(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.steps += 1
        self.done.append(action)
        return self._seen(), 1.0, self.steps == self.length, False, {"kept": self.steps}


def bare(env_id: str) -> Any:
    return gymnasium.make(env_id, disable_env_checker=True).unwrapped


def play(env: Any, steps: int, action: Any = 0) -> list[Any]:
    """Return observations as lists, rewards and infos of steps, with resets where an episode ends."""
    met = []
    for _ in range(steps):
        observation, reward, terminated, truncated, info = env.step(action)
        assert observation in env.observation_space
        met.append((np.asarray(observation).tolist(), reward, info))
        if terminated or truncated:
            env.reset()
    return met
