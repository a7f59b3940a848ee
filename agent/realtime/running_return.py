"""The running return, and whether it has collapsed."""

from __future__ import annotations

import math

from ..kernels.base.jit import HUGE
from .watchdog import Watchdog

# A gain counts once it is so many stds of a running mean: the best of 10^6 steps of noise is five above the mean,
# the first ones may have been two or three below.
SURE = 8.0


class RunningReturn:
    """A running mean of returns that serves episodes and endless streams alike, in a few operations a step.

    ::

        G    <- discount G + r                       0 at the begin of an episode
        mean <- mean + (G - mean) / min(n, steps)
        var  <- var + ((G - mean)^2 - var) / min(n, steps)

    A mean of rewards would not tell a pole that stands from one that falls again and again where each step pays 1; G
    does, since it is cut off with the episode.

    Attributes
    ----------
    mean : float
        Running return, units of the reward.
    best : float
        The greatest there was since `steps` steps; -inf before.
    line : float
        What the running return must not fall below; -inf if nothing is known yet, or nothing asked for.
    bad_for : int
        Steps in a row for which it has been bad.
    """

    def __init__(self, watchdog: Watchdog, discount: float) -> None:
        self._discount, self._steps = discount, watchdog.return_steps
        self._below, self._share = watchdog.collapse_below, watchdog.collapse_share
        self._patience = watchdog.collapse_steps
        # Returns of one stretch of 1 / (1 - discount) steps have most of their rewards in common.
        self._independent = max(1.0, self._steps * (1.0 - discount))
        self.active = self._below is not None or self._share is not None
        self._sum = self.mean = self._variance = 0.0
        self._number = 0
        self.first, self.best, self.line = math.nan, -math.inf, -math.inf
        self.bad_for = 0

    def open(self) -> None:
        """Begin an episode."""
        self._sum = 0.0

    def add(self, reward: float) -> None:
        """Add the reward of a step."""
        # Bounded as the agent bounds it, so that no sum or square overflows.
        self._sum = self._discount * self._sum + min(max(reward, -HUGE), HUGE)
        self._number += 1
        rate = 1.0 / min(self._number, self._steps)
        apart = self._sum - self.mean
        self.mean += apart * rate
        self._variance += (apart * apart - self._variance) * rate
        if self._number < self._steps:
            return
        if self._number == self._steps:
            self.first = self.mean
        if self.mean > self.best:
            self.best = self.mean
            self._draw_line()
        if self.active:
            self.bad_for = self.bad_for + 1 if self.mean < self.line else 0

    def _draw_line(self) -> None:
        """Renew `line` for a new best; the noise is that of this good time, since a fall is all variance."""
        # What has never been up there cannot fall.
        self.line = -math.inf if self._below is None or self.best < self._below else float(self._below)
        noise = math.sqrt(self._variance / self._independent)
        if self._share is not None and self.best - self.first > SURE * noise:
            self.line = max(self.line, self.first + self._share * (self.best - self.first))

    @property
    def collapsed(self) -> bool:
        """Whether it has been bad for long enough."""
        return self.active and self.bad_for >= self._patience

    @property
    def level(self) -> float:
        """The running return once it is one of `steps` steps, -inf before."""
        return self.mean if self._number >= self._steps else -math.inf

    def go_back(self, level: float) -> None:
        """Go on from the level of a snapshot; if it is not known, begin anew."""
        if level == -math.inf:
            self.begin_anew()
        else:
            self.mean, self.bad_for, self._sum = level, 0, 0.0

    def begin_anew(self) -> None:
        """Take what there is now for the first running return, and forget the best."""
        self._number = self.bad_for = 0
        self.first, self.best, self.line = math.nan, -math.inf, -math.inf
