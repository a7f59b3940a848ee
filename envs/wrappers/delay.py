"""Rewards that come later than what earned them, so that credit has to reach further back."""

from __future__ import annotations

from collections import deque
from typing import Any

import gymnasium
from gymnasium.utils import RecordConstructorArgs

from ..arguments import checked_whole


class DelayedReward(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Pay every reward a number of steps late; at the end of an episode all that is still held back is paid at once.

    The sum of rewards of an episode stays what it is, whether the episode terminates or is truncated. A time limit has
    to be inside this wrapper for that, as that of ``gymnasium.make`` is.

    Parameters
    ----------
    env : gymnasium.Env
        Any environment.
    steps : int
        By how many steps rewards are late, 0 to 1000000.

    Raises
    ------
    ValueError
        If `steps` is out of range.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], steps: int = 10) -> None:
        RecordConstructorArgs.__init__(self, steps=steps)
        gymnasium.Wrapper.__init__(self, env)
        self._steps = checked_whole("steps", steps, 0, 1_000_000)
        self._held: deque[float] = deque()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; what was held back of one that was left is forgotten."""
        self._held.clear()
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take a step, and pay the reward of an earlier one."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._held.append(float(reward))
        paid = self._held.popleft() if len(self._held) > self._steps else 0.0
        if terminated or truncated:
            paid += sum(self._held)
            self._held.clear()
        return observation, paid, terminated, truncated, info
