"""Whether rewards and observations can be believed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..agent import Agent
from ..errors import ConfigError, InputError, one_line
from .watchdog import Watchdog

# Observations before stds are trusted, and steps between two looks at them.
TRUSTED, LOOK = 1000, 100
# So many rewards beyond all before, within so many steps, are refused; another one is believed.
REFUSED, WITHIN = 3, 1000


class RewardCheck:
    """Says what is wrong with a reward; a few operations on numbers."""

    def __init__(self, watchdog: Watchdog) -> None:
        self._low = -math.inf if watchdog.reward_low is None else float(watchdog.reward_low)
        self._high = math.inf if watchdog.reward_high is None else float(watchdog.reward_high)
        if self._low > self._high:
            raise ConfigError(f"watchdog: reward_low {self._low:g} is above reward_high {self._high:g}; exchange them")
        self._jump = watchdog.reward_jump
        self._most = math.inf
        self._greatest = 0.0
        self._refused = self._since = 0

    def problem(self, reward: Any, step: int) -> str:
        """Return what is wrong with a reward, or an empty text: then `float` makes a finite number of it."""
        try:
            if type(reward) is not float and isinstance(reward, str | bytes):
                raise TypeError
            number = float(reward)
        except Exception:  # whatever it is
            return f"the reward is {one_line(reward, 40)}, not a number"
        size = abs(number)
        if size <= self._most and self._low <= number <= self._high and size < math.inf:
            if size > self._greatest:
                self._accept(size)
            return ""
        if not size < math.inf:
            return f"the reward is {number}, not finite"
        if not self._low <= number <= self._high:
            return f"the reward is {number:g}, outside {self._low:g} to {self._high:g}"
        self._refused = 1 if step - self._since > WITHIN else self._refused + 1
        self._since = step
        if self._refused > REFUSED:
            self._refused = 0
            self._accept(size)
            return ""
        return f"the reward is {number:g}, the largest before was {self._greatest:g}"

    def _accept(self, size: float) -> None:
        self._greatest = size
        if self._jump is not None:
            self._most = self._jump * self._greatest


class ObservationCheck:
    """Says what is wrong with an observation: its form, its numbers, its limits, a jump, an entry that does not move.

    Attributes
    ----------
    active : bool
        Whether there is more to look for than what the agent itself refuses: form, and numbers that are not finite.
    dead : list of int
        Continuous entries that have varied before, and have not for a whole window.
    """

    def __init__(self, agent: Agent, watchdog: Watchdog) -> None:
        self._spec = agent.observation
        size = self._spec.size
        self._x = np.zeros(size)
        self._flags = np.zeros(size, np.bool_)
        self._continuous = self._spec.standardized
        self._running, self._views = agent.arena.running, agent.arena.views
        self._fixed_low = bounds("observation_low", watchdog.observation_low, size, -math.inf)
        self._fixed_high = bounds("observation_high", watchdog.observation_high, size, math.inf)
        if (self._fixed_low > self._fixed_high).any():
            raise ConfigError("watchdog: observation_low is above observation_high in some entry; exchange them")
        self._low, self._high = self._fixed_low.copy(), self._fixed_high.copy()
        self._jump, self._accept_after = watchdog.observation_jump, watchdog.accept_after
        self._limited = bool(np.isfinite(self._low).any() or np.isfinite(self._high).any() or self._jump is not None)
        self._in_a_row = self._calls = 0
        self._window = watchdog.sensor_steps
        self._least, self._greatest = np.full(size, math.inf), np.full(size, -math.inf)
        self._moved, self._still = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
        self._filled = 0
        self.dead: list[int] = []
        self.active = self._limited or self._window is not None

    def problem(self, observation: Any) -> str:
        """Return what is wrong with an observation, or an empty text; renew `dead`."""
        try:
            self._spec.encode(observation, self._x)
        except InputError as error:
            return str(error)
        except Exception as error:  # an object of somebody's own
            return f"the observation cannot be read: {one_line(error)}"
        if not np.isfinite(self._x, out=self._flags).all():
            k = int(np.flatnonzero(~np.isfinite(self._x))[0])
            return f"observation entry {k} is {self._x[k]}, not finite"
        if self._limited:
            why = self._beyond()
            if why:
                return why
        if self._window is not None:
            self._watch_movement()
        return ""

    def _beyond(self) -> str:
        x, flags = self._x, self._flags
        if self._jump is not None:
            if self._calls % LOOK == 0:
                self._follow(self._jump)
            self._calls += 1
        if not (np.less(x, self._low, out=flags).any() or np.greater(x, self._high, out=flags).any()):
            self._in_a_row = 0
            return ""
        fixed = (x < self._fixed_low) | (x > self._fixed_high)
        if fixed.any():
            k = int(np.flatnonzero(fixed)[0])
            return f"observation entry {k} is {x[k]:g}, outside {self._fixed_low[k]:g} to {self._fixed_high[k]:g}"
        self._in_a_row += 1
        if self._in_a_row > self._accept_after:
            return ""  # until it is back within bounds, or these have followed it
        k = int(np.flatnonzero((x < self._low) | (x > self._high))[0])
        return f"observation entry {k} jumps to {x[k]:g}, usual are {self._low[k]:.3g} to {self._high[k]:.3g}"

    def _follow(self, jump: float) -> None:
        """Renew the bounds that follow from the agent's statistics; they move by little in so few steps."""
        count = float(self._running.observation_count)
        if count < TRUSTED:
            return
        mean, m2 = self._views["observation_mean"], self._views["observation_m2"]
        reach = jump * np.sqrt(m2 / (count - 1.0))
        # What has never moved has no std that says how far it may.
        reach[(reach <= 0.0) | ~self._continuous] = math.inf
        np.maximum(mean - reach, self._fixed_low, out=self._low)
        np.minimum(mean + reach, self._fixed_high, out=self._high)

    def _watch_movement(self) -> None:
        """Keep least and greatest of a window; whatever has both alike at its end has not moved in it."""
        np.minimum(self._least, self._x, out=self._least)
        np.maximum(self._greatest, self._x, out=self._greatest)
        if self.dead:  # thousands, if a camera has gone black
            np.not_equal(self._least, self._greatest, out=self._flags)
            if np.logical_and(self._flags, self._still, out=self._flags).any():
                self._still &= ~self._flags
                self.dead = np.flatnonzero(self._still).tolist()
        self._filled += 1
        if self._filled == self._window:
            still = (self._least == self._greatest) & self._continuous
            np.logical_and(still, self._moved, out=self._still)
            self.dead = np.flatnonzero(self._still).tolist()
            self._moved |= ~still
            # The last sample begins the next window too, so that a change between two windows is seen.
            self._least[:] = self._x
            self._greatest[:] = self._x
            self._filled = 1


def bounds(name: str, value: ArrayLike | None, size: int, default: float) -> NDArray[np.float64]:
    """Return bounds as a vector of `size`; raise `ConfigError` if they do not fit."""
    try:
        found = np.broadcast_to(np.asarray(default if value is None else value, np.float64).reshape(-1), (size,))
    except (TypeError, ValueError):
        raise ConfigError(f"watchdog: {name} is {value!r}; allowed: one number, or {size} of them") from None
    if np.isnan(found).any():
        raise ConfigError(f"watchdog: {name} holds a NaN; allowed: one number, or {size} of them")
    return found.copy()
