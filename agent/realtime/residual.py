"""An agent on top of a controller.

Seen from the agent, whatever stands between its action and the machine is a part of the machine: the controller that
its correction is added to, the scale of that correction, the ramp, the limits. So the action that it learns from is
always the one that it drew itself, of which it knows the probability, and its credit is for nothing else. Were it told
the sum, or the sum after it was clipped, the gradient would be that of an action it had not drawn. What this costs: on
a bound of the actuator, or early on the ramp, a draw makes little difference or none, and its gradient is noise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..agent import Agent
from ..errors import ConfigError, one_line
from .backup import Controller
from .ramp import Ramp, checked_seconds, one_box


class Residual:
    """An agent that corrects what a controller asks for, within bounds that widen from nothing.

    ::

        Loop(Residual(my_pid, agent, authority=0.2, ramp_seconds=60), plant, rate=1000)

        applied = clip(controller + share limit (own - middle) / half, low, high)

    `own` is the agent's action, `middle` and `half` those of the range of its action space, low to high; `share` grows
    from 0 to 1. An agent's first actions are about the middle, so the first corrections are about 0, with a std of
    ``Config.initial_std`` times the limit. Then come the limits of the watchdog, as for any action. The controller is
    also the guard's fallback. After a rollback the share begins at 0 again, as after each start of the program.

    Parameters
    ----------
    controller : callable
        Is given the observation (arrays as copies) in every step, and returns an action. If it has a method
        ``was_sent(action)``, it is told before that what was sent last less the agent's part: its own action after all
        limits, as if it were alone, or what somebody else sent. That is what an integral has to be wound back by. Told
        the sum, it would follow the corrections, and carry the machine beyond any authority. So what is sent is never
        farther than `limit` from what the controller alone would have sent for the same observations.
    agent : Agent
        Its action space is that of the machine: one Box of fractions, bounded on both sides.
    authority : float or (n,) array
        The largest correction, up or down: a share of the range, above 0 up to 1, or one number a dimension in the
        units of the action.
    ramp_seconds : float
        Seconds from the first step in which the agent acts; 0: all at once.

    Attributes
    ----------
    limit : array
        The largest correction, in the shape and units of the action.

    Raises
    ------
    ConfigError
        If one of them is impossible.
    """

    asks, follows = True, False

    def __init__(self, controller: Controller, agent: Agent, authority: Any = 0.2, ramp_seconds: float = 60.0) -> None:
        if not callable(controller):
            raise ConfigError(f"controller is {one_line(controller)}; allowed: a function of an observation")
        if not isinstance(agent, Agent):
            raise ConfigError(f"agent is {one_line(agent)}; allowed: an Agent")
        self.controller, self.agent = controller, agent
        self._ramp = Ramp(checked_seconds("ramp_seconds", ramp_seconds))
        root = one_box(agent)
        low, high = (np.array(found, np.float64) for found in (agent.action.low, agent.action.high))
        if root is None or np.dtype(root.dtype).kind != "f" or not np.isfinite([low, high]).all():
            raise ConfigError(
                "a residual needs an action space that is one Box of fractions, bounded on both sides: what the "
                "actuator can do, such as Box(-1.0, 1.0, (1,))"
            )
        shape = root.shape
        self._low, self._high = low.reshape(shape), high.reshape(shape)
        self._middle, self._dtype = (self._low + self._high) / 2.0, np.dtype(root.dtype)
        half = (self._high - self._low) / 2.0
        self.limit = self._limit(authority, root.size).reshape(shape)
        self._most = float(np.divide(self.limit, 2.0 * half, out=np.zeros(shape), where=half > 0.0).max())
        self._gain = np.divide(self.limit, half, out=np.zeros(shape), where=half > 0.0)

    def _limit(self, authority: Any, size: int) -> NDArray[np.float64]:
        if isinstance(authority, int | float | np.number) and not isinstance(authority, bool):
            if not 0.0 < authority <= 1.0:
                raise ConfigError(
                    f"authority is {authority!r}; allowed: above 0 up to 1, a share of the action's range"
                )
            return float(authority) * (self._high - self._low).ravel()
        try:
            limit = np.asarray(authority, np.float64).ravel()
            if limit.size != size or not (np.isfinite(limit) & (limit >= 0.0)).all():
                raise ValueError
        except (TypeError, ValueError):
            raise ConfigError(
                f"authority is {one_line(authority)}; allowed: a share of the range, or {size} numbers of 0 or more in "
                "units of the action"
            ) from None
        return limit

    @property
    def authority(self) -> float:
        """Largest correction that is possible now, up or down, in shares of the action's range: the ramp ends at it."""
        return self._ramp.share * self._most

    def pass_time(self, now: int) -> str:
        """Let the ramp follow the time, in nanoseconds; return what is new, an empty text."""
        self._ramp.at(now)
        return ""

    def restart(self) -> None:
        """Take the authority back, and let it grow from 0 again."""
        self._ramp.restart()

    def mixed(self, own: Any, asked: Any) -> Any:
        """Return what the agent's own action and what the controller asks for come to."""
        return self._within(asked + self._ramp.share * self._gain * (own - self._middle))

    def alone(self, asked: Any) -> Any:
        """Return what it would be without the agent."""
        return self._within(asked)

    def _within(self, action: Any) -> Any:
        return np.minimum(np.maximum(action, self._low), self._high).astype(self._dtype)

    def compare(self, asked: Any) -> None:
        """Do nothing: a correction is not to be what the controller does."""
