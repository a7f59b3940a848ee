"""An agent that looks on until it is told to act."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..agent import Agent
from .ramp import Ramp, checked_seconds, one_box


class Shadow:
    """An agent that looks on while a controller acts, learns to do the same, and takes over when it is told.

    While it is `on`, the controller's action is sent, and the agent's step is given it as the one that was taken
    (`Agent.step`). When it is turned off, the agent's action takes over in `seconds`::

        applied = asked + share (own - asked)        one Box of fractions; of any other space, at once

    When it is turned on again, the controller acts at once.

    Parameters
    ----------
    agent : Agent
    on : bool
    seconds : float

    Attributes
    ----------
    distance : float or None
        How far what the agent would have done is from what the controller did, root mean square over the last
        thousand steps or so and all parts of the action: of a control its mean, in shares of the range (of what has no
        range in the units of the action), of a category 1 - its probability. None before the first step.
    """

    def __init__(self, agent: Agent, on: bool = False, seconds: float = 1.0) -> None:
        self._agent = agent
        self._seconds = checked_seconds("hand_over_seconds", seconds)
        self._ramp = Ramp(self._seconds)
        self.wanted = self.on = on
        self._handing_over = False
        root = one_box(agent)
        self._dtype = None if root is None else np.dtype(root.dtype)
        self._blends = self._dtype is not None and self._dtype.kind == "f"
        scale = agent.arena.views["control_scale"]
        low, high = np.array(agent.action.low), np.array(agent.action.high)
        self._range = np.where(np.isfinite(low) & np.isfinite(high), 2.0 * scale, 1.0)
        self._range[self._range == 0.0] = 1.0
        self._starts = np.cumsum([0, *agent.action.choices])[:-1]
        self._squares, self._number = 0.0, 0

    @property
    def asks(self) -> bool:
        """Whether the controller is to be asked in this step."""
        return self.on or self._handing_over

    @property
    def follows(self) -> bool:
        """Whether the agent learns what the controller does."""
        return self.on

    @property
    def authority(self) -> float:
        """Share of the action that is the agent's, from 0 to 1."""
        return 0.0 if self.on else self._ramp.share if self._handing_over else 1.0

    @property
    def distance(self) -> float | None:
        """See the class."""
        return math.sqrt(self._squares) if self._number else None

    def pass_time(self, now: int) -> str:
        """Do what was wanted since the last step, which another thread may have said; return what is new."""
        new = ""
        if self.wanted != self.on:
            self.on = self.wanted
            self._handing_over = not self.on and self._blends
            self._ramp.restart()
            if self.on:
                new = "the controller acts, the agent looks on"
            else:
                apart = "" if self.distance is None else f"; it would have done {self.distance:.3g} apart of late"
                new = f"the agent takes over in {self._seconds if self._blends else 0:g} s{apart}"
        if self._handing_over and self._ramp.at(now) >= 1.0:
            self._handing_over = False
        return new

    def restart(self) -> None:
        """Take an agent that was put back for as good as any: nothing changes."""

    def mixed(self, own: Any, asked: Any) -> Any:
        """Return what the agent's own action and what the controller asks for come to."""
        if self.on:
            return asked
        if asked is None or not self._handing_over:
            return own
        return (asked + self._ramp.share * (own - asked)).astype(self._dtype)

    def alone(self, asked: Any) -> Any:
        """Return None: who acts next has to know what was sent, whoever chose it."""

    def compare(self, asked: Any) -> None:
        """Add the distance of this step; to be called after the agent's step."""
        agent = self._agent
        taken = agent.arena.views["action"]
        choices = len(self._starts)
        parts = (agent.means - taken[choices:]) / self._range
        squares = float(parts @ parts)
        if choices:
            likely = agent.arena.views["probabilities"][self._starts + taken[:choices].astype(np.int64)]
            squares += float(((1.0 - likely) ** 2).sum())
        self._number = min(self._number + 1, 1000)
        self._squares += (squares / taken.size - self._squares) / self._number
