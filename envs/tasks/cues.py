"""What tasks with a delayed judgment share: frames drawn at reset, actions judged at the end, checked arguments."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from ..arguments import check_action, checked_real, checked_whole, refuse_rendering

# Bound on a noise entry, standard deviations; a Gaussian draw is beyond it once in 10^23.
NOISE_LIMIT = 10.0
OVER = "the episode is over: call reset() before step()"


class CuedChoice(gymnasium.Env[np.ndarray, np.int64]):
    """Actions judged at the end of an episode only, where each observation asks for one answer; the last ends it.

    A subclass passes its observation space and the number of actions to the constructor and draws episodes in `draw`.
    Each right answer is rewarded with 1 / n and each wrong one with -1 / n, n the number of answers.
    """

    def __init__(self, observation_space: spaces.Box, actions: int = 2, render_mode: str | None = None) -> None:
        refuse_rendering(render_mode)
        self.observation_space: spaces.Box = observation_space
        self.action_space = spaces.Discrete(actions)
        self._actions = range(actions)
        self._frames: np.ndarray = np.zeros((0, *observation_space.shape), np.float32)
        self._answers: Sequence[int] = ()
        self._gain = 0.0
        self._tick = self._first = 0
        self._last = -1

    @abstractmethod
    def draw(self) -> tuple[np.ndarray, Sequence[int]]:
        """Return the observations of a new episode, shape (ticks + 1, size), and the right actions.

        The last row is what is seen after the end; those before it ask for the right actions, one row each.
        """

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode; there are no options."""
        super().reset(seed=seed)
        self._frames, self._answers = self.draw()
        self._gain = 1.0 / len(self._answers)
        self._tick, self._last = 0, len(self._frames) - 1
        self._first = self._last - len(self._answers)
        return self._frames[0].copy(), {}  # a view would keep the whole episode in memory

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Show the next observation, and judge the action if the last one asked for it."""
        check_action(action, self._actions)
        shown = self._tick
        if shown >= self._last:
            raise ResetNeeded(OVER)
        self._tick = shown + 1
        frame = self._frames[shown + 1].copy()
        if shown < self._first:
            return frame, 0.0, False, False, {}
        gain = self._gain if action == self._answers[shown - self._first] else -self._gain
        return frame, gain, shown + 1 == self._last, False, {}


class NoisyCues(CuedChoice):
    """`CuedChoice` whose observations end in entries that only carry noise.

    Parameters
    ----------
    low : sequence of float
        Least value of each other entry; the largest is 1.
    noise_channels : int
    noise : float
        Standard deviation of the noise.
    """

    def __init__(self, low: Sequence[float], noise_channels: int, noise: float, render_mode: str | None = None) -> None:
        self.noise_channels = checked_whole("noise_channels", noise_channels, 0, 10_000)
        self.noise = checked_real("noise", noise, 0.0, 1000.0)
        super().__init__(noisy_box(low, self.noise_channels, self.noise), render_mode=render_mode)

    def blank(self, ticks: int) -> np.ndarray:
        """Return frames of zeros, shape (ticks, size)."""
        return np.zeros((ticks, len(self.observation_space.low)), np.float32)

    def add_noise(self, frames: np.ndarray) -> None:
        """Fill the noise channels of every frame, in place."""
        add_noise(frames, self.np_random, self.noise_channels, self.noise)


def gaussian(rng: np.random.Generator, ticks: int, channels: int) -> np.ndarray:
    """Return independent standard normal numbers, shape (ticks, channels), within +-`NOISE_LIMIT`."""
    noise = rng.standard_normal((ticks, channels), np.float32)
    return np.clip(noise, -NOISE_LIMIT, NOISE_LIMIT, out=noise)


def noisy_box(low: Sequence[float], channels: int, std: float) -> spaces.Box:
    """Return the space of entries from `low` to 1 each, and after them channels for `add_noise`."""
    high = np.full(len(low) + channels, NOISE_LIMIT * std, np.float32)
    high[: len(low)] = 1.0
    least = -high
    least[: len(low)] = low
    return spaces.Box(least, high, dtype=np.float32)


def add_noise(frames: np.ndarray, rng: np.random.Generator, channels: int, std: float) -> None:
    """Fill the last channels of every frame with independent Gaussian noise; without any, nothing is drawn."""
    if channels:
        frames[:, -channels:] = std * gaussian(rng, len(frames), channels)
