"""Steps and episodes of a loop on their way to another thread, in memory that is allocated once."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from typing import Any, NamedTuple

# Entries that wait for their reader: steps of 4 s at 1 kHz.
CAPACITY = 4096


class Passed(NamedTuple):
    """A step, or the end of an episode.

    Attributes
    ----------
    steps : int
        Steps of the loop up to here.
    episodes : int
        Episodes that have ended, this one among them; 0 of a step in whose midst one goes on.
    episode_return : float
        Sum of its rewards.
    length : int
        Its steps.
    """

    steps: int
    episodes: int = 0
    episode_return: float = 0.0
    length: int = 0


class HandOver:
    """A ring that one thread writes and another reads; neither ever waits for the other.

    What the reader has no time for is not kept: it is counted in `missed`, and the counts go on.

    Parameters
    ----------
    every_step : bool
        Whether each step is handed over, or only ends of episodes.
    capacity : int, optional

    Attributes
    ----------
    steps, episodes : int
        Rewards that were given for an action; episodes that have ended.
    missed : int
        Entries for which there was no room, or no time.
    """

    def __init__(self, every_step: bool, capacity: int = CAPACITY) -> None:
        self._every_step, self._capacity = every_step, capacity
        self._steps, self._episodes, self._lengths = (array("q", bytes(8 * capacity)) for _ in range(3))
        self._returns = array("d", bytes(8 * capacity))
        self._written = self._read = 0  # each is changed by one thread alone
        self.steps = self.episodes = self.missed = 0
        self._return, self._length = 0.0, 0
        self._begun = False

    # ---- by the thread of the loop

    def add(self, reward: Any, over: bool) -> None:
        """Count what was sensed; the first reward of an episode, which no action has brought, is of no account.

        One that is no finite number, which the watchdog sees to, counts as 0.
        """
        if self._begun:
            try:
                value = float(reward)
            except Exception:  # of whatever a machine has sent
                value = 0.0
            self.steps += 1
            self._length += 1
            if math.isfinite(value):
                self._return += value
            if over:
                self.episodes += 1
                self._put(self.episodes)
                self._return, self._length = 0.0, 0
            elif self._every_step:
                self._put(0)
        self._begun = not over

    def _put(self, episodes: int) -> None:
        if self._written - self._read >= self._capacity:
            self.missed += 1
            return
        at = self._written % self._capacity
        self._steps[at], self._episodes[at] = self.steps, episodes
        self._returns[at], self._lengths[at] = self._return, self._length
        self._written += 1  # only now is there something to be read

    # ---- by the thread that reads

    def take(self) -> Iterator[Passed]:
        """Yield what has been handed over and not been read yet, oldest first."""
        while self._read < self._written:
            at = self._read % self._capacity
            passed = Passed(self._steps[at], self._episodes[at], self._returns[at], self._lengths[at])
            self._read += 1
            yield passed

    def leave(self) -> None:
        """Count all that has not been read as missed."""
        self.missed += self._written - self._read
        self._read = self._written
