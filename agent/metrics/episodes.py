"""Counts of a stream of episodes, in fixed memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

# Episodes that a mean return is of, and how many must have ended before it can count as a target reached.
RECENT, ENOUGH = 100, 20


class Tally:
    """Counts of a stream of episodes, in fixed memory.

    Attributes
    ----------
    steps, episodes : int
        Steps taken and episodes finished.
    last_return, last_length : float, int
        Sum of rewards and steps of the last finished episode.
    """

    def __init__(self, steps: int = 0, episodes: int = 0) -> None:
        self.steps = steps
        self.episodes = episodes
        self.last_return = 0.0
        self.last_length = 0
        self._recent = np.zeros(RECENT)
        self._filled = 0
        self._return = 0.0
        self._length = 0

    def __repr__(self) -> str:
        """Say how many steps and episodes, and what the last ones returned."""
        mean = self.mean_return
        recent = "" if mean is None else f", mean return {mean:.4g} of the last {min(self._filled, RECENT)}"
        return f"<Tally: {self.steps:,} steps, {self.episodes:,} episodes{recent}>"

    def open(self) -> None:
        """Begin an episode: one that was left open is forgotten, but for its steps."""
        self._return, self._length = 0.0, 0

    def add(self, reward: float) -> None:
        """Count one step."""
        self.steps += 1
        self._return += reward
        self._length += 1

    def close(self) -> None:
        """Count the end of an episode."""
        self.record(self._return, self._length)
        self.open()

    def record(self, episode_return: float, length: int) -> None:
        """Count a finished episode whose steps have been counted already."""
        self._recent[self._filled % RECENT] = episode_return
        self._filled += 1
        self.episodes += 1
        self.last_return, self.last_length = episode_return, length

    def to_dict(self) -> dict[str, Any]:
        """Return all counts, of the episode that is running too, as numbers and a list of them."""
        counts = {name.lstrip("_"): value for name, value in vars(self).items()}
        return {**counts, "recent": self._recent.tolist()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Tally:
        """Undo `to_dict`; raise `KeyError` if a count is missing."""
        tally = cls()
        vars(tally).update({name: values[name.lstrip("_")] for name in vars(tally)})
        tally._recent = np.array(values["recent"])
        return tally

    @property
    def mean_return(self) -> float | None:
        """Mean return of the last 100 finished episodes, or of as many as there are; None before the first."""
        count = min(self._filled, RECENT)
        return float(self._recent[:count].mean()) if count else None
