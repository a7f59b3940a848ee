"""What tasks with a delayed judgement share: frames drawn at reset, one judged action, checked arguments."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded

# Bound on a noise entry, standard deviations; a Gaussian draw is beyond it once in 10^23.
NOISE_LIMIT = 10.0


class CuedChoice(gymnasium.Env[np.ndarray, np.int64]):
    """Two actions; the one taken at the last observation, that of the go signal, is judged and ends the episode.

    A subclass passes its observation space to the constructor and draws episodes in `draw`.
    """

    def __init__(self, observation_space: spaces.Box) -> None:
        self.observation_space = observation_space
        self.action_space = spaces.Discrete(2)
        self._frames: np.ndarray = np.zeros((0, *observation_space.shape), np.float32)
        self._answer = 0
        self._tick = 0
        self._last = -1

    @abstractmethod
    def draw(self) -> tuple[np.ndarray, int]:
        """Return the observations of a new episode, shape (ticks + 1, size), and the right action.

        The last row but one is that of the go signal, the last one is what is seen after the end. The array must be
        new: its rows are handed out without a copy.
        """

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode; there are no options."""
        super().reset(seed=seed)
        self._frames, self._answer = self.draw()
        self._tick, self._last = 0, len(self._frames) - 1
        return self._frames[0], {}

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Show the next observation, or judge the action if the go signal was shown."""
        if action != 0 and action != 1:
            raise ValueError(f"action: got {action!r}; allowed: 0 or 1")
        if self._tick >= self._last:
            raise ResetNeeded("the episode is over: call reset() before step()")
        self._tick += 1
        frame = self._frames[self._tick]
        if self._tick < self._last:
            return frame, 0.0, False, False, {}
        return frame, 1.0 if action == self._answer else -1.0, True, False, {}


def gaussian(rng: np.random.Generator, ticks: int, channels: int) -> np.ndarray:
    """Return independent standard normal numbers, shape (ticks, channels), within +-`NOISE_LIMIT`."""
    noise = rng.standard_normal((ticks, channels), np.float32)
    return np.clip(noise, -NOISE_LIMIT, NOISE_LIMIT, out=noise)


def checked_whole(name: str, value: Any, low: int, high: int) -> int:
    """Return `value` as an int, or raise `ValueError` unless it is a whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ValueError(f"{name}: got {value!r}; allowed: a whole number from {low} to {high}")
    return int(value)


def checked_real(name: str, value: Any, low: float, high: float) -> float:
    """Return `value` as a float, or raise `ValueError` unless it is a finite number from `low` to `high`."""
    number = math.nan if isinstance(value, bool) or not isinstance(value, int | float | np.number) else float(value)
    if not math.isfinite(number) or not low <= number <= high:
        raise ValueError(f"{name}: got {value!r}; allowed: a number from {low:g} to {high:g}")
    return number
