"""One step of an agent in a machine's loop: whatever comes in and whatever breaks, an action comes out."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from ..agent import Agent
from ..errors import ConfigError, InputError
from ..kernels import layout as at
from ..kernels import tick as kernel
from .actions import ActionLimits, ActuatorCheck
from .clock import SECOND, Clock, MonotonicClock
from .events import EventLog
from .histogram import Histogram
from .inputs import ObservationCheck, RewardCheck
from .recovery import Recovery
from .report import report_of_guard
from .snapshots import Snapshots
from .spells import Spells
from .substitute import Controller, Substitute
from .watchdog import Watchdog


class Guard:
    """`Agent.step` with protection and statistics, for a loop of your own; `Loop` is one that is made of it.

    ::

        guard = Guard(agent, Watchdog(action_rate=0.1), fallback=my_pid)
        while running:
            action = guard.step(reward, observation)

    What happens in trouble is up to `Watchdog`. Three things are always so:

    * No number that is not finite reaches the agent or comes out of `step`.
    * A step in which someone else acted (an action held, a fallback) teaches the agent nothing: its weights change by
      what its own actions brought. The step after such a gap only acts, so that no TD error spans the gap, and the next
      one begins with empty credit, so that no reward is laid to actions before it. Neurons keep what they remember, for
      `Watchdog.restart_after` steps; after a longer gap an episode begins.
    * A limited action does teach: seen from the agent, a limiter is a part of the machine, and as lasting.

    Parameters
    ----------
    agent : Agent
    watchdog : Watchdog, optional
    fallback : callable, optional
        Controller that takes over where the watchdog says so: is given the last good observation (an array as a copy)
        and returns an action.
    safe_action : object, optional
        Sent when there is no action to hold: before the first, and after `Watchdog.hold_steps` held ones.
    snapshots : Snapshots, optional
        By default ``Snapshots(agent)``, in memory only.
    learn : bool
        False: the agent only acts.
    clock : Clock, optional
    events : int
        Events kept.
    cpu_time : bool
        Measure the time of the processor too, which costs a call of the system, .5 us or so.

    Attributes
    ----------
    action : object
        What `start` or `step` returned last; None before.
    steps : int
        Calls of `start`, `step` and `end`.
    frozen, restarted : int
        Steps that the agent acted in without learning because of trouble; episodes begun after a long gap.
    log : EventLog
    step_time, cpu_time : Histogram
        Nanoseconds that `start` and `step` took, by the clock and by the processor.
    recovery : Recovery
        Snapshots, rollbacks and the running return.
    substitute : Substitute
        Who acts in the agent's place.

    Raises
    ------
    ConfigError
        If the watchdog does not fit the agent, or needs a fallback that is not there.
    """

    def __init__(
        self,
        agent: Agent,
        watchdog: Watchdog | None = None,
        *,
        fallback: Controller | None = None,
        safe_action: Any = None,
        snapshots: Snapshots | None = None,
        learn: bool = True,
        clock: Clock | None = None,
        events: int = 256,
        cpu_time: bool = False,
    ) -> None:
        self.agent, self.watchdog = agent, watchdog or Watchdog()
        if self.watchdog.uses_fallback and fallback is None:
            raise ConfigError("the watchdog answers with a fallback controller, but none is given: Guard(fallback=...)")
        if snapshots is not None and snapshots.agent is not agent:
            raise ConfigError("the snapshots are those of another agent; make them with Snapshots(agent)")
        self.learn = learn
        self._now = (clock or MonotonicClock()).now
        self._measure_cpu = cpu_time
        self._begun = self._now()
        self.log = EventLog(events)
        self.spells = Spells(self._note)
        self.step_time, self.cpu_time = Histogram(), Histogram()
        self._rewards = RewardCheck(self.watchdog)
        self._observations = ObservationCheck(agent, self.watchdog)
        self._limits, self._actuator = ActionLimits(agent, self.watchdog), ActuatorCheck(self.watchdog)
        self.substitute = Substitute(self.watchdog, self._limits, self.spells, fallback, safe_action)
        self.snapshots = snapshots or Snapshots(agent)
        self.recovery = Recovery(agent, self.watchdog, self.snapshots, self.spells, self._note, self._now)
        self._ints = agent.arena.ints.data
        self.action: Any = None
        self.steps = self.frozen = self.restarted = 0

    # ---- what a loop calls

    def start(self, observation: Any) -> Any:
        """Begin an episode and return the first action, as `Agent.start`; `step` does so by itself if none runs.

        Raises
        ------
        InputError
            If the observation is no good, and there is neither a fallback nor a safe action nor one to hold.
        """
        if self._ints[at.PHASE]:
            self._close_episode()
        return self.step(0.0, observation)

    def step(self, reward: float, observation: Any, applied: Any = None) -> Any:
        """Return the next action; the agent learns from the outcome of the last one if all is well.

        Parameters
        ----------
        reward : float
            Reward that the last action brought; of no account in the first step of an episode.
        observation : object
            Observation it led to. None: there is none.
        applied : object, optional
            What the actuator reports to have done of the last action, for `Watchdog.actuator_tolerance`.

        Raises
        ------
        InputError
            Only if nothing can be sent: see `start`.
        """
        used = time.thread_time_ns() if self._measure_cpu else 0
        begun = self._now()
        self.steps += 1
        self.action = self._choose(reward, observation, applied)
        self.substitute.sent(self.action)
        self.recovery.after_step(self.steps, not self.substitute.gap)
        self.spells.end_others(self.steps)
        self.step_time.add(self._now() - begun)
        if self._measure_cpu:
            self.cpu_time.add(time.thread_time_ns() - used)
        return self.action

    def end(self, reward: float, observation: Any = None) -> None:
        """End the episode as `Agent.end` does: truncated if an observation is given, else terminated.

        If the reward or the observation is no good, or someone else acted, nothing is learned from the end.
        """
        self.steps += 1
        if not self._ints[at.PHASE] or self.recovery.anew:
            return
        problem = self._rewards.problem(reward, self.steps)
        if not problem and observation is not None and self._observations.active:
            problem = self._observations.problem(observation)
        if not problem and not self.substitute.gap:
            try:
                self.agent.end(reward, observation, self.learn)
            except InputError as error:
                problem = str(error)
            else:
                self.recovery.returns.add(reward)
                self.recovery.returns.open()
                return
        if problem:
            self._note("input", f"{problem}: nothing is learned from the end of this episode")
        self._close_episode()

    def was_late(self, periods: float) -> None:
        """Say that so many periods have passed without a step.

        A few are a part of a loop's life: an action lasted longer than usual, which a TD error survives. More than
        `Watchdog.late_periods` are a gap as any other.
        """
        if periods > self.watchdog.late_periods:
            self.substitute.gap += int(periods)

    def was_not_sent(self) -> None:
        """Say that the last action was not sent, so that nothing may be learned from what comes next."""
        self.substitute.gap += 1

    def trouble(self, kind: str, what: str) -> None:
        """Put trouble of your own into the log: once when it begins, and once when a step passes without it."""
        self.spells.say(kind, self.steps + 1, what)

    def roll_back(self, exact: bool = False) -> bool:
        """Go back to the newest good snapshot (`Snapshots.restore`); the next step begins an episode.

        Returns
        -------
        bool
            False if there is none; the agent is then as it was.
        """
        return self.recovery.go_back(self.steps, "rollback", "asked for", exact=exact)

    def warm_up(self, ticks: int = 50) -> None:
        """Compile, and run some ticks on zeros, after which the agent is as before, bit for bit.

        The first ticks of a process bring code and memory in, and take a hundred times as long as later ones.
        """
        agent = self.agent
        agent.compile()
        before = agent.snapshot()
        staging, address = agent.arena.views["staging"], agent.arena.address
        for k in range(ticks):
            staging[:] = 0.0
            kernel.tick(address, 0.0, kernel.STEP if k else kernel.START, True)
            agent.action.decode(agent.arena.views["action"])
        agent.restore(before)

    def report(self) -> dict[str, Any]:
        """Return all that was counted and measured, as plain data that JSON can hold."""
        return report_of_guard(self)

    def close(self) -> None:
        """Write a last snapshot if there is a folder, and end the thread that writes; harmless when repeated."""
        self.recovery.close(self.steps)

    def __enter__(self) -> Guard:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- who acts

    def _choose(self, reward: Any, observation: Any, applied: Any) -> Any:
        watchdog, learn = self.watchdog, self.learn
        if self._ints[at.PHASE]:
            problem = self._rewards.problem(reward, self.steps)
            if problem:
                self._say("reward", problem, watchdog.reward)
                if watchdog.reward != "freeze":
                    return self._other(watchdog.reward)
                reward, learn = None, False
        agent_waits = self.recovery.gave_up or self.substitute.drives(self.steps)
        problem = "there is no observation" if observation is None else ""
        # An agent that is not asked does not look at it.
        if not problem and (self._observations.active or agent_waits or applied is not None):
            problem = self._observations.problem(observation)
        if problem:
            return self._on_input(problem)
        response = self._watch_machine(applied)
        if response in ("hold", "fallback"):
            self.substitute.seen(observation)
            return self._other(response)
        if agent_waits:
            self.substitute.seen(observation)
            return self._other("fallback", anew=False)
        return self._ask_agent(reward, observation, learn and response != "freeze")

    def _watch_machine(self, applied: Any) -> str:
        """Look for sensors and actuators that do not move; return the response, the strongest if there are several."""
        watchdog, found = self.watchdog, set()
        if self._observations.dead:
            entries = ", ".join(map(str, self._observations.dead[:5]))
            self._say("sensor", f"observation entries that do not move: {entries}", watchdog.sensor)
            found.add(watchdog.sensor)
        if applied is not None and self._actuator.active and self.action is not None:
            problem = self._actuator.problem(self.substitute.last, applied)
            if problem:
                self._say("actuator", problem, watchdog.actuator)
                found.add(watchdog.actuator)
        return next((response for response in ("fallback", "hold", "freeze") if response in found), "")

    def _ask_agent(self, reward: Any, observation: Any, learn: bool) -> Any:
        """Let the agent act; a reward of None is one that is not known."""
        # Whether the reward is one that the agent's own last action brought.
        earned = reward is not None and self._ints[at.PHASE] and not self.substitute.gap and not self.recovery.anew
        try:
            action = self._tick(0.0 if reward is None else reward, observation, learn)
        except InputError as error:
            return self._on_input(str(error))
        self.substitute.seen(observation)
        if not self.recovery.scan.step():
            if not self.recovery.from_broken(self.steps):
                return self._other("fallback", anew=False)
            return self._after_rollback(self.watchdog.state, observation)
        if self.learn and not learn:
            self.frozen += 1
        if earned:
            self.recovery.returns.add(float(reward))
            if self.recovery.returns.collapsed and self.recovery.from_collapse(self.steps):
                return self._after_rollback(self.watchdog.collapse, observation)
        return self._limited(action)

    def _tick(self, reward: Any, observation: Any, learn: bool) -> Any:
        """Let the agent step or, where no episode can be gone on with, start; raise `InputError` if it refuses."""
        agent, substitute = self.agent, self.substitute
        too_long = substitute.gap > self.watchdog.restart_after
        if (too_long or self.recovery.anew) and self._ints[at.PHASE]:
            self._close_episode()
            self.restarted += too_long
        if self._ints[at.PHASE]:
            action = agent.step(reward, observation, learn and not substitute.gap)
        else:
            self.recovery.returns.open()
            action = agent.start(observation, self.learn)
        substitute.gap, self.recovery.anew = 0, False
        return action

    def _close_episode(self) -> None:
        """End the episode without learning: what its end was worth is not known."""
        self.agent.end(0.0, learn=False)
        self.recovery.returns.open()

    def _after_rollback(self, response: str, observation: Any) -> Any:
        if response != "rollback":
            return self._other(response)
        return self._limited(self._tick(0.0, observation, self.learn))

    def _other(self, response: str, anew: bool = True) -> Any:
        return self.substitute.act(self.steps, response, anew)

    def _on_input(self, problem: str) -> Any:
        if not self.substitute.can_act:
            raise InputError(f"{problem}; this is the first step: give the guard a safe_action to begin with")
        self._say("input", problem, self.watchdog.input)
        return self._other(self.watchdog.input)

    def _limited(self, action: Any) -> Any:
        """Return the agent's action as it may be sent."""
        if self._limits.active:
            action, problem = self._limits.apply(action, self.substitute.last)
            if problem:
                self._say("action", problem, self.watchdog.action)
                if self.watchdog.action != "limit":
                    return self._other(self.watchdog.action)
        self.substitute.agent_acts()
        return action

    def _say(self, kind: str, problem: str, response: str) -> None:
        self.spells.say(kind, self.steps, f"{problem}: {response}")

    def _note(self, kind: str, what: str) -> None:
        self.log.add(self.steps, (self._now() - self._begun) / SECOND, kind, what)
