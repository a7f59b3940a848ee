"""The hook that reads an agent every so many steps, and times one step in a few."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from ..agent import Agent
from ..metrics.episodes import Tally
from ..metrics.histogram import Histogram
from ..metrics.readings import Readings

# One step in so many is timed: two looks at the clock cost as much as a small step may.
TIMED = 32


class MetricsLog:
    """Passes a row of metrics on every `every` steps.

    Parameters
    ----------
    every : int
        Steps from row to row, at least 1.
    receivers : iterable of callables
        Called with each row.
    seconds : float
        What the clock of the rows shows at the start: those of the run so far.
    """

    def __init__(
        self, every: int, receivers: Iterable[Callable[[Mapping[str, float | None]], None]], seconds: float = 0.0
    ) -> None:
        self._every, self._receivers, self._earlier = every, tuple(receivers), seconds
        self._times = Histogram()
        self._began = self._due = self._next = 0
        self._returned = self._length = 0.0
        self._ended = 0

    def on_start(self, agent: Agent, tally: Tally) -> None:
        """Begin to count."""
        self._begun = time.monotonic()
        self._readings, self._read = Readings(agent, self._earlier), tally.steps
        self._schedule(tally.steps)

    def on_step(self, tally: Tally) -> None:
        """Time the step that begins now, if it is its turn, and pass a row on, if it is time."""
        if self._began:
            self._times.add(time.perf_counter_ns() - self._began)
            self._began = 0
        if tally.steps >= self._next:
            if tally.steps >= self._due:
                self._log(tally)
            else:
                self._next = min(tally.steps + TIMED, self._due)
            self._began = time.perf_counter_ns()

    def on_episode(self, tally: Tally) -> None:
        """Count the episode that has ended."""
        self._ended += 1
        self._returned += tally.last_return
        self._length += tally.last_length

    def on_stop(self, tally: Tally) -> None:
        """Pass on what has come since the last row."""
        if tally.steps > self._read:
            self._log(tally)

    def _schedule(self, steps: int) -> None:
        """Have the next row read at a multiple of the steps between two."""
        self._due = (steps // self._every + 1) * self._every
        self._next = min(steps + TIMED, self._due)

    def _log(self, tally: Tally) -> None:
        found = self._ended
        mean_return, mean_length = (total / found if found else None for total in (self._returned, self._length))
        p50, p99 = (self._times.quantile(share) for share in (0.5, 0.99))
        in_us = None if p50 is None else p50 / 1000.0, None if p99 is None else p99 / 1000.0
        seconds = self._earlier + time.monotonic() - self._begun
        row = self._readings.read(seconds, tally.episodes, mean_return, mean_length, in_us)
        self._times.reset()
        self._returned = self._length = 0.0
        self._ended, self._read = 0, tally.steps
        self._schedule(tally.steps)
        for receive in self._receivers:
            receive(row)
