"""What is kept of a life, all of it allocated before the first step.

Performance is the return of an episode, or the reward of a step where there are no episodes, as means on a grid of 100
points a stretch. An episode counts where it ends; one in the midst of which the world changed does not count.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from ...metrics.episodes import RECENT, Tally
from .curves import filled
from .tasks import Life

GRID = 100
# Steps that the moving average of the reward remembers.
AVERAGE = 10_000


class Stability:
    """How much of its time a life that has once solved its task spends in episodes that return too little.

    Parameters
    ----------
    solved : float
        Mean return of the last 100 episodes from which on it is solved.
    collapsed : float
        Return below which an episode counts.
    """

    def __init__(self, solved: float, collapsed: float) -> None:
        self.solved, self.collapsed = solved, collapsed
        self.solved_at: int | None = None
        self._tally = Tally()
        self._after = self._below = self._run = self._longest = 0
        self._worst = np.inf

    def add(self, episode_return: float, length: int, steps: int) -> None:
        """Count an episode that ended after so many steps of the life."""
        self._tally.record(episode_return, length)
        mean = self._tally.mean_return
        if mean is None or self._tally.episodes < RECENT:
            return
        if self.solved_at is None:
            self.solved_at = steps if mean >= self.solved else None
            return
        below = episode_return < self.collapsed
        self._after += length
        self._below += length * below
        self._run = (self._run + length) * below
        self._longest = max(self._longest, self._run)
        self._worst = min(self._worst, mean)

    def read(self) -> dict[str, float | None]:
        """Return when it was solved, the share of later time below, the longest run of it, the worst mean of 100."""
        return {
            "solved_at": self.solved_at,
            "share_below": self._below / self._after if self._after else None,
            "longest_below": self._longest if self._after else None,
            "worst_mean": float(self._worst) if self._after else None,
        }


class Record:
    """What is kept of a life.

    Parameters
    ----------
    stretches, every : int
        How many, and steps of each.
    life : Life
    """

    def __init__(self, stretches: int, every: int, life: Life) -> None:
        self.steps = self.age = 0
        self.stretch = -1
        self.stretches: list[dict[str, Any]] = []
        self.stability = None if life.solved is None else Stability(life.solved, life.collapsed)
        self._every, self._episodic = every, life.episodic
        self._sums, self._counts = np.zeros((stretches, GRID)), np.zeros((stretches, GRID), np.int64)
        self._worlds: dict[Hashable, int] = {}
        self._total = self._average = self._return = 0.0
        self._length, self._whole = 0, True

    def enter(self, world: Hashable, changed: bool = False) -> None:
        """Begin a stretch in a world; worlds are numbered as they are met."""
        self.stretch += 1
        self.age = 0
        self._whole = not changed
        number = self._worlds.setdefault(world, len(self._worlds))
        self.stretches.append({"world": number, "changed": changed})

    def add(self, reward: float) -> None:
        """Count a step."""
        self.steps += 1
        self.age += 1
        self._total += reward
        self._average += (reward - self._average) / min(self.steps, AVERAGE)
        self._return += reward
        self._length += 1
        if not self._episodic:
            self._count(reward)

    def end_episode(self) -> None:
        """Count the end of an episode."""
        if self._episodic and self._whole:
            self._count(self._return)
        if self.stability is not None:
            self.stability.add(self._return, self._length, self.steps)
        self._return, self._length, self._whole = 0.0, 0, True

    def _count(self, performance: float) -> None:
        point = min((self.age - 1) * GRID // self._every, GRID - 1)
        self._sums[self.stretch, point] += performance
        self._counts[self.stretch, point] += 1

    def close(self, signs: Mapping[str, float | None]) -> None:
        """End a stretch."""
        self.stretches[-1] |= {
            "curve": filled(self._sums[self.stretch], self._counts[self.stretch]),
            "steps": self.steps,
            "lifetime_reward": self._total / self.steps,
            "reward_average": self._average,
            "signs": dict(signs),
        }
