"""Authority that grows from nothing, so that a hand-over is no jump."""

from __future__ import annotations

import math
from typing import Any

from ..agent import Agent
from ..errors import ConfigError
from ..spaces.tree import Leaf
from .clock import SECOND


class Ramp:
    """A share that grows from 0 to 1 in so many seconds from when it is first asked for, and once more when it is told.

    Attributes
    ----------
    share : float
        As it was when it was last asked for.
    """

    def __init__(self, seconds: float) -> None:
        self._length = seconds * SECOND
        self._begun: int | None = None
        self.share = 0.0

    def at(self, now: int) -> float:
        """Return the share at a time in nanoseconds."""
        if self._begun is None or now < self._begun:  # a clock that was set back gives no authority
            self._begun = now
        passed = now - self._begun
        self.share = 1.0 if passed >= self._length else passed / self._length
        return self.share

    def restart(self) -> None:
        """Begin at 0 again."""
        self._begun, self.share = None, 0.0


def one_box(agent: Agent) -> Leaf | None:
    """Return the action space of an agent if it is one Box."""
    root = agent.action.root
    return root if isinstance(root, Leaf) and root.kind == "box" else None


def checked_seconds(name: str, seconds: Any) -> float:
    """Return a length of time as it is, or raise `ConfigError`."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0.0 <= seconds < math.inf:
        raise ConfigError(f"{name} is {seconds!r}; allowed: seconds, 0 or more")
    return float(seconds)
