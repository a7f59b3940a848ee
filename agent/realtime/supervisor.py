"""Who acts in a step: the agent, if all is well, or somebody else in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..agent import Agent
from ..errors import InputError, one_line
from .action_limits import ActionLimits, ActuatorCheck
from .backup import Controller, Substitute
from .faults import Spells
from .input_checks import ObservationCheck, RewardCheck
from .recovery import Recovery
from .residual import Residual
from .shadow import Shadow
from .snapshots import Snapshots
from .watchdog import Watchdog


class Choice:
    """Looks at what comes in, asks the agent or its substitute, and looks at what comes out.

    Parameters
    ----------
    agent : Agent
    watchdog : Watchdog
    fallback, safe_action
        As for `Guard`.
    snapshots : Snapshots
    sharing : Residual or Shadow
        How agent and controller share the action.
    note : callable
        Given kind and text of each event.
    now : callable
        Returns nanoseconds.

    Attributes
    ----------
    reward : float or None
        The last one that was good.
    frozen, restarted : int
        As those of `Guard`.
    spells : Spells
    recovery : Recovery
    substitute : Substitute

    Raises
    ------
    ConfigError
        If the watchdog does not fit the agent, or needs a fallback that is not there.
    """

    def __init__(
        self,
        agent: Agent,
        watchdog: Watchdog,
        fallback: Controller | None,
        safe_action: Any,
        snapshots: Snapshots,
        sharing: Residual | Shadow,
        note: Callable[[str, str], None],
        now: Callable[[], int],
    ) -> None:
        self._agent, self._watchdog, self._note = agent, watchdog, note
        self._clock = agent.arena.clock
        self.spells = Spells(note)
        self._rewards, self._observations = RewardCheck(watchdog), ObservationCheck(agent, watchdog)
        self._limits, self._actuator = ActionLimits(agent, watchdog), ActuatorCheck(agent, watchdog)
        self.substitute = Substitute(agent, watchdog, self._limits, self.spells, fallback, safe_action)
        self.recovery = Recovery(agent, watchdog, snapshots, self.spells, note, now)
        self.sharing, self._now = sharing, now
        self.reward: float | None = None
        self._step = 0
        self._learns = True
        self._machine = ""  # the response to what was wrong with the machine when it was last looked at
        self.frozen = self.restarted = 0

    def action(self, step: int, reward: Any, observation: Any, applied: Any, learn: bool) -> Any:
        """Return the action of a step; see `Guard.step`."""
        self._step, self._learns = step, learn
        watchdog = self._watchdog
        new = self.sharing.pass_time(self._now())
        if new:
            self._note("shadow", new)
        # Without an observation the agent is not asked, and no reward is learned from.
        if self._clock.phase and not self.recovery.anew and observation is not None:
            problem = self._rewards.problem(reward, step)
            if not problem:
                self.reward = reward = float(reward)
            else:
                self._say("reward", problem, watchdog.reward)
                if watchdog.reward != "freeze":
                    return self._other(watchdog.reward)
                reward, learn = None, False
        agent_waits = self.recovery.gave_up or self.substitute.drives(step)
        problem = "there is no observation" if observation is None else ""
        # An agent that is not asked does not look at it.
        if not problem and (self._observations.active or agent_waits or self.sharing.asks or applied is not None):
            problem = self._observations.problem(observation)
        if problem:
            return self._on_input(problem)
        response = self._machine = self._watch_machine(applied)
        if response in ("hold", "fallback"):
            self.substitute.seen(observation)
            return self._other(response)
        if agent_waits:
            self.substitute.seen(observation)
            return self._other("fallback", anew=False)
        return self._ask_agent(reward, observation, learn and response != "freeze")

    def end(self, step: int, reward: Any, observation: Any, learn: bool) -> None:
        """End the episode, if one runs; see `Guard.end`."""
        self.substitute.nothing_new()
        if not self._clock.phase or self.recovery.anew:
            return
        problem = self._rewards.problem(reward, step)
        if not problem and observation is not None:
            problem = self._observations.problem(observation)
        if not problem and not self.substitute.gap:
            self._agent.end(float(reward), observation, learn and self._machine != "freeze")
            self.recovery.returns.add(float(reward))
            self.recovery.returns.open()
            return
        if problem:
            self._note("input", f"{problem}: nothing is learned from the end of this episode")
        self.close_episode()

    def close_episode(self) -> None:
        """End the episode, if one runs, without learning: what its end was worth is not known."""
        if self._clock.phase:
            self._agent.end(0.0, learn=False)
            self.recovery.returns.open()

    # ---- the agent's machine

    def _watch_machine(self, applied: Any) -> str:
        """Look for sensors and actuators that do not move; return the response, the strongest if there are several."""
        watchdog, found = self._watchdog, set()
        if self._observations.dead:
            entries = ", ".join(map(str, self._observations.dead[:5]))
            self._say("sensor", f"observation entries that do not move: {entries}", watchdog.sensor)
            found.add(watchdog.sensor)
        sent = self.substitute.machine_has if applied is not None and self._actuator.active else None
        if sent is not None:
            problem = self._actuator.problem(sent, applied)
            if problem:
                self._say("actuator", problem, watchdog.actuator)
                found.add(watchdog.actuator)
        return next((response for response in ("fallback", "hold", "freeze") if response in found), "")

    # ---- the agent

    def _ask_agent(self, reward: float | None, observation: Any, learn: bool) -> Any:
        """Let the agent act, or look on; a reward of None is one that is not known."""
        recovery, sharing, action = self.recovery, self.sharing, None
        asked = self.substitute.asked(self._step, observation) if sharing.asks else None
        if sharing.asks and asked is None:
            self.substitute.seen(observation)
            return self._other("hold")
        # Whether the reward is one that the agent's own last action brought.
        earned = reward is not None and self._clock.phase and not self.substitute.gap and not recovery.anew
        try:
            action = self._tick(reward or 0.0, observation, learn, asked)
            sound = recovery.scan.step()
        except InputError as error:
            return self._on_input(str(error))
        except Exception as error:
            # An observation that cannot be read; or an output that is not finite, of which no whole number can be made.
            sound = recovery.scan.step()
            if sound:
                return self._on_input(f"the agent refuses the observation: {one_line(error)}")
        self.substitute.seen(observation)
        if not sound:
            back = recovery.from_non_finite(self._step)
            if sharing.follows:  # who acts is well; a new episode begins with the next step
                self.substitute.gap += 1
                return self._limited(asked)
            if not back:
                return self._other("fallback", anew=False)
            return self._after_rollback(self._watchdog.state, observation, learn, asked)
        if self._learns and not learn:
            self.frozen += 1
        if earned:
            recovery.returns.add(reward or 0.0)
            # What a controller brings is known for later; the agent can do nothing about it.
            if recovery.returns.collapsed and not sharing.follows and recovery.from_collapse(self._step):
                return self._after_rollback(self._watchdog.collapse, observation, learn, asked)
        if sharing.follows:
            sharing.compare(asked)
        return self._mixed(action, asked)

    def _tick(self, reward: float, observation: Any, learn: bool, asked: Any) -> Any:
        """Let the agent step or, where no episode can be gone on with, start; raise `InputError` if it refuses."""
        agent, substitute = self._agent, self.substitute
        taken = asked if self.sharing.follows else None
        too_long = substitute.gap > self._watchdog.restart_after
        if (too_long or self.recovery.anew) and self._clock.phase:
            self.close_episode()
            self.restarted += too_long
        if self._clock.phase:
            action = agent.step(reward, observation, learn and not substitute.gap, taken)
        else:
            self.recovery.returns.open()
            action = agent.start(observation, learn, taken)
        substitute.gap, self.recovery.anew = 0, False
        return action

    def _after_rollback(self, response: str, observation: Any, learn: bool, asked: Any) -> Any:
        self.sharing.restart()
        if response != "rollback":
            return self._other(response)
        try:
            action = self._tick(0.0, observation, learn, asked)
            sound = self.recovery.scan.step()
        except Exception:  # as in `_ask_agent`
            sound = False
        # Numbers that are finite may lead to some that are not; the next step finds that and goes back further.
        return self._mixed(action, asked) if sound else self._other("hold")

    def _mixed(self, action: Any, asked: Any) -> Any:
        """Return what the agent's action and the controller's come to, as it may be sent."""
        self.substitute.controllers_part(self.sharing.alone(asked))
        return self._limited(self.sharing.mixed(action, asked))

    def _other(self, response: str, anew: bool = True, otherwise: Any = None) -> Any:
        return self.substitute.act(self._step, response, anew, otherwise)

    def _on_input(self, problem: str) -> Any:
        if not self.substitute.can_act:
            raise InputError(f"{problem}; this is the first step: give the guard a safe_action to begin with")
        self._say("input", problem, self._watchdog.input)
        return self._other(self._watchdog.input)

    def _limited(self, action: Any) -> Any:
        """Return the action of the agent, or of the controller that it looks on to, as it may be sent."""
        if self._limits.active:
            action, problem = self._limits.apply(action, self.substitute.rate_from)
            if problem:
                # A controller that acts is limited, as a fallback is: nobody is there to take its place.
                response = "limit" if self.sharing.follows else self._watchdog.action
                self._say("action", problem, response)
                if response != "limit":
                    return self._other(self._watchdog.action, otherwise=action)
        self.substitute.agent_acts()
        return action

    def _say(self, kind: str, problem: str, response: str) -> None:
        self.spells.say(kind, self._step, f"{problem}: {response}")
