"""What is sent when the agent is not asked: the last action, a safe one, or what a fallback controller does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .actions import ActionLimits, is_finite
from .spells import Spells
from .watchdog import Watchdog

Controller = Callable[[Any], Any]


class Substitute:
    """Acts in the agent's place.

    Attributes
    ----------
    gap : int
        Steps, since the agent was last asked, in which somebody else acted.
    held, handed_over : int
        Steps that were held, and that the fallback controller acted in.
    """

    def __init__(
        self, watchdog: Watchdog, limits: ActionLimits, spells: Spells, fallback: Controller | None, safe_action: Any
    ) -> None:
        self._watchdog, self._limits, self._spells = watchdog, limits, spells
        self._fallback, self._safe_action = fallback, safe_action
        self._sent: Any = None
        self._seen: Any = None
        self._until = self._in_a_row = 0
        self.gap = self.held = self.handed_over = 0

    @property
    def can_act(self) -> bool:
        """Whether there is anything to send."""
        return (
            self._sent is not None
            or self._safe_action is not None
            or (self._fallback is not None and self._seen is not None)
        )

    @property
    def last(self) -> Any:
        """The action sent last, None before the first; an array in new memory."""
        return self._sent.copy() if type(self._sent) is np.ndarray else self._sent

    def sent(self, action: Any) -> None:
        """Keep an action that is sent, as a copy if it is an array, since the plant may write to what it is given."""
        self._sent = action.copy() if type(action) is np.ndarray else action

    def seen(self, observation: Any) -> None:
        """Keep a good observation for the fallback controller, as a copy if it is an array."""
        if self._fallback is None:
            return
        if type(observation) is not np.ndarray:
            self._seen = observation
        elif type(self._seen) is np.ndarray and self._seen.shape == observation.shape:
            np.copyto(self._seen, observation, casting="unsafe")
        else:
            self._seen = observation.copy()

    def drives(self, step: int) -> bool:
        """Return whether the fallback controller has steps left of those it was given."""
        return step <= self._until

    def agent_acts(self) -> None:
        """Note that the agent is asked again."""
        self._in_a_row = 0

    def act(self, step: int, response: str, anew: bool) -> Any:
        """Return an action that is not the agent's.

        Parameters
        ----------
        step : int
        response : str
            "fallback" if that controller is to act, anything else to hold.
        anew : bool
            Whether the reason is one of this step, so that a fallback has all its steps before it.
        """
        self.gap += 1
        if response == "fallback":
            if anew:
                self._until = step + self._watchdog.fallback_steps
            action = self._of_fallback(step)
            if action is not None:
                self.handed_over += 1
                self._in_a_row = 0
                return action
        self.held += 1
        self._in_a_row += 1
        if self._safe_action is not None and (self._sent is None or self._in_a_row > self._watchdog.hold_steps):
            return self._safe_action
        return self.last

    def _of_fallback(self, step: int) -> Any:
        """Return what the fallback controller does; None if it cannot or fails."""
        if self._fallback is None or self._seen is None:
            return None
        try:
            action = self._fallback(self._seen)
            if self._limits.active and is_finite(action):
                action = self._limits.apply(action, self._sent)[0]
        except Exception as error:  # it is the user's, and the loop goes on
            self._spells.say("fallback", step, f"the fallback controller failed ({error!r:.80}): hold")
            return None
        if not is_finite(action):
            self._spells.say("fallback", step, f"the fallback controller returned {action!r:.80}: hold")
            return None
        return action
