"""What is sent when the agent is not asked: the last action, a safe one, or what a controller does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..agent import Agent
from ..errors import ConfigError, InputError, one_line
from .action_limits import ActionLimits, checked, copied, form_of, formed, is_finite
from .faults import Spells
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
        self,
        agent: Agent,
        watchdog: Watchdog,
        limits: ActionLimits,
        spells: Spells,
        fallback: Controller | None,
        safe_action: Any,
    ) -> None:
        self._watchdog, self._limits, self._spells = watchdog, limits, spells
        self._form = form_of(agent)
        if fallback is not None and not callable(fallback):
            raise ConfigError(f"fallback is {one_line(fallback)}; allowed: a function of an observation")
        if watchdog.uses_fallback and fallback is None:
            raise ConfigError("the watchdog answers with a fallback controller, but none is given: Guard(fallback=...)")
        self._fallback, self._tell = fallback, getattr(fallback, "was_sent", None)
        self._action, self._encoded = agent.action, np.zeros_like(agent.arena.views["action"])
        self._safe_action = None if safe_action is None else checked("safe_action", safe_action, agent)
        if self._safe_action is not None and limits.active:
            problem = limits.apply(self._safe_action, None)[1]
            if problem:
                raise ConfigError(f"safe_action: {problem}; give an action that may be sent at any time")
        self._sent: Any = None
        self._assumed = self._safe_action
        # What the controller is told of what was sent: that, or as much of it as is its own. `_part` is of this step.
        self._told: Any = None
        self._told_before: Any = None
        self._part: Any = None
        self._answered: tuple[int, Any] = (-1, None)  # step, and what the controller did in it
        self._before: Any = None  # what the machine has if the last one was not sent
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
    def machine_has(self) -> Any:
        """The action sent last, None before the first; to be read only."""
        return self._sent

    @property
    def rate_from(self) -> Any:
        """What the rate of the next action is measured from: what was sent last, or what a machine at rest has."""
        return self._assumed if self._sent is None else self._sent

    def assume(self, action: Any) -> None:
        """Say what the machine has before anything is sent, as far as the limit to the rate goes."""
        self._assumed = action

    @property
    def last(self) -> Any:
        """The action sent last, None before the first; arrays in new memory."""
        return copied(self._sent)

    def sent(self, action: Any) -> None:
        """Keep an action that is sent, with arrays as copies, since the plant may write to what it is given."""
        self._before, self._sent = self._sent, copied(action)
        self._told_before, self._told = self._told, self._sent if self._part is None else self._part
        self._part = None

    def controllers_part(self, action: Any) -> None:
        """Say what the controller alone would have sent in this step, before limits: of a sum it is told no more.

        The limits are those that it would have met alone, so that no rate carries the agent's part over into its own.
        """
        if self._tell is None or action is None:
            return
        before = self.rate_from if self._told is None else self._told
        self._part = self._limits.apply(action, before)[0] if self._limits.active else action

    def nothing_new(self) -> None:
        """Note that a step chose no action, so that the machine has the last one whether it is sent again or not."""
        self._before, self._told_before = self._sent, self._told

    def not_sent(self, instead: Any = None) -> None:
        """Take back the last action, which was not sent; the machine has the one before, or `instead`."""
        self.gap += 1
        if instead is not None:
            self._sent = self._told = copied(instead)
        elif self._before is not None:
            self._sent, self._told = self._before, self._told_before

    def seen(self, observation: Any) -> None:
        """Keep a good observation for the fallback controller, with arrays as copies."""
        if self._fallback is not None:
            self._seen = copied(observation)

    def drives(self, step: int) -> bool:
        """Return whether the fallback controller has steps left of those it was given."""
        return step <= self._until

    def agent_acts(self) -> None:
        """Note that the agent is asked again."""
        self._in_a_row = 0

    def act(self, step: int, response: str, anew: bool, otherwise: Any = None) -> Any:
        """Return an action that is not the agent's.

        Parameters
        ----------
        step : int
        response : str
            "fallback" if that controller is to act, anything else to hold.
        anew : bool
            Whether the reason is one of this step, so that a fallback has all its steps before it.
        otherwise : object, optional
            Sent if there is nothing else.

        Raises
        ------
        InputError
            If there is nothing to send.
        """
        self.gap += 1
        self._part = None
        if response == "fallback" and anew:
            self._until = step + self._watchdog.fallback_steps
        if response == "fallback" or (self._sent is None and self._safe_action is None):
            action = self._of_fallback(step)
            if action is not None:
                self.handed_over += 1
                self._in_a_row = 0
                return action
        self.held += 1
        self._in_a_row += 1
        if self._safe_action is not None and (self._sent is None or self._in_a_row > self._watchdog.hold_steps):
            return copied(self._safe_action)
        if self._sent is None and otherwise is None:
            raise InputError("there is no action to be held before the first one; give the guard a safe_action")
        if self._sent is None:
            return otherwise
        self._part = self._told
        return self.last

    def _of_fallback(self, step: int) -> Any:
        """Return what the fallback controller does; None if it cannot or fails."""
        if self._fallback is None or self._seen is None:
            return None
        action = self._of_controller(step, self._seen, "fallback")
        return self._limits.apply(action, self.rate_from)[0] if action is not None and self._limits.active else action

    def asked(self, step: int, observation: Any) -> Any:
        """Return what the controller that shares the action with the agent does; None if it cannot or fails."""
        action = self._of_controller(step, observation, "controller")
        if action is None:
            return None
        try:
            self._action.encode(action, self._encoded)
        except InputError as error:
            self._spells.say("controller", step, f"the controller returned what is no {error}: hold")
            return None
        return action

    def _of_controller(self, step: int, observation: Any, role: str) -> Any:
        """Return its action, in the form of the agent's and finite, or None; both are the same controller."""
        assert self._fallback is not None
        at, before = self._answered
        if at == step:  # once a step, whoever asks: a controller may have an integral
            return copied(before)
        name = "fallback controller" if role == "fallback" else role
        try:
            if self._tell is not None and self._sent is not None:
                self._tell(copied(self._told))
            action = formed(self._fallback(copied(observation)), self._form)
        except Exception as error:  # it is the user's, and the loop goes on
            self._spells.say(role, step, f"the {name} failed ({one_line(error)}): hold")
            return None
        if not is_finite(action):
            self._spells.say(role, step, f"the {name} returned {one_line(action)}: hold")
            return None
        self._answered = step, copied(action)
        return action
