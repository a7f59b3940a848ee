"""One step of an agent in a machine's loop: whatever comes in and whatever breaks, an action comes out."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

import numpy as np

from ..agent import Agent
from ..compilation import step_of
from ..errors import ConfigError, InputError
from ..kernels import tick as kernel
from ..metrics.histogram import Histogram
from .backup import Controller
from .clock import SECOND, Clock, MonotonicClock
from .events import EventLog
from .residual import Residual
from .shadow import Shadow
from .snapshots import Snapshots
from .supervisor import Choice
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
    * An agent whose episode was running, as one that was loaded, begins a new one: what has happened since is unknown.
    * A limited action does teach: seen from the agent, a limiter is a part of the machine, and as lasting. So is a
      controller that the agent corrects (`Residual`).

    Parameters
    ----------
    agent : Agent or Residual
    watchdog : Watchdog, optional
    fallback : callable, optional
        Controller that takes over where the watchdog says so: is given the last good observation (an array as a copy)
        and returns an action. A `Residual` brings its own.
    safe_action : object, optional
        Sent when there is no action to hold: before the first, and after `Watchdog.hold_steps` held ones. The first
        action keeps the rate from here.
    snapshots : Snapshots, optional
        By default ``Snapshots(agent)``, in memory only.
    learn : bool
        False: the agent only acts.
    shadow : bool
        True: `fallback` acts, and the agent looks on: its critic learns what is to be had by that, its actor to do the
        same. It acts when `shadow` is set to False, which any thread may do.
    hand_over_seconds : float
        Seconds in which the agent's action then takes the place of the controller's.
    go_on : bool
        True: an episode that runs is gone on with, since no step was missed. Otherwise the first step begins another.
    clock : Clock, optional
    events : int
        Events kept.
    cpu_time : bool
        Measure the time of the processor too, which costs a call of the system, .5 us or so.

    Attributes
    ----------
    action : object
        What `start` or `step` returned last; None before.
    sharing : Residual or Shadow
        How agent and controller share the action.
    steps : int
        Calls of `start`, `step` and `end`.
    log : EventLog
    step_time, cpu_time : Histogram
        Nanoseconds that `start` and `step` took, by the clock and by the processor.
    recovery : Recovery
        Rollbacks and the running return.
    snapshots : Snapshots
    spells : Spells
        Troubles that last.
    substitute : Substitute
        Who acts in the agent's place.

    Raises
    ------
    ConfigError
        If the watchdog does not fit the agent, or it or `shadow` needs a fallback that is not there; if `safe_action`
        is not finite or outside the limits; if the snapshots are another agent's.
    """

    def __init__(
        self,
        agent: Agent | Residual,
        watchdog: Watchdog | None = None,
        *,
        fallback: Controller | None = None,
        safe_action: Any = None,
        snapshots: Snapshots | None = None,
        learn: bool = True,
        shadow: bool = False,
        hand_over_seconds: float = 1.0,
        go_on: bool = False,
        clock: Clock | None = None,
        events: int = 256,
        cpu_time: bool = False,
    ) -> None:
        self.sharing: Residual | Shadow
        if isinstance(agent, Residual):
            if fallback is not None:
                raise ConfigError("a residual's controller is the fallback too; leave fallback out")
            self.sharing, fallback, agent = agent, agent.controller, agent.agent
        else:
            self.sharing = Shadow(agent, bool(shadow), hand_over_seconds)
        self.agent, self.watchdog = agent, watchdog or Watchdog()
        self._has_controller = fallback is not None
        if shadow:
            self.shadow = True  # or it is refused
        if snapshots is not None and snapshots.agent is not agent:
            raise ConfigError("the snapshots are those of another agent; make them with Snapshots(agent)")
        self.learn = learn
        self._now = (clock or MonotonicClock()).now
        self._measure_cpu = cpu_time
        self._begun = self._now()
        self.log = EventLog(events)
        self.step_time, self.cpu_time = Histogram(), Histogram()
        self.snapshots = snapshots or Snapshots(agent)
        corrects, limited = isinstance(self.sharing, Residual), self.watchdog.limits_actions
        self.snapshots.around = (*["a controller that it corrects"] * corrects, *["limits of its actions"] * limited)
        self.action: Any = None
        self.steps = 0
        self._settled = True
        self._choice = choice = Choice(
            agent, self.watchdog, fallback, safe_action, self.snapshots, self.sharing, self._note, self._now
        )
        self.spells, self.recovery, self.substitute = choice.spells, choice.recovery, choice.substitute
        self.recovery.anew = agent.running and not go_on

    # ---- what a loop calls

    def start(self, observation: Any) -> Any:
        """Begin an episode and return the first action, as `Agent.start`; `step` does so by itself if none runs.

        Raises
        ------
        InputError
            If the observation is no good, and there is neither a fallback nor a safe action nor one to hold.
        """
        self._choice.close_episode()
        return self.step(0.0, observation)

    def step(self, reward: float, observation: Any, applied: Any = None, settle: bool = True) -> Any:
        """Return the next action; the agent learns from the outcome of the last one if all is well.

        Parameters
        ----------
        reward : float
            Reward that the last action brought; of no account in the first step of an episode.
        observation : object
            Observation it led to. None: there is none.
        applied : object, optional
            What the actuator reports to have done of the last action, for `Watchdog.actuator_tolerance`.
        settle : bool
            False: leave to `settle`, which is to be called when the action has been sent, what can wait until then.

        Raises
        ------
        InputError
            Only if nothing can be sent: see `start`.
        """
        used = time.thread_time_ns() if self._measure_cpu else 0
        begun = self._now()
        self.settle()
        self.steps += 1
        self.action = self._choice.action(self.steps, reward, observation, applied, self.learn)
        self.substitute.sent(self.action)
        self._settled = False
        if settle:
            self.settle()
        self.step_time.add(self._now() - begun)
        if self._measure_cpu:
            self.cpu_time.add(time.thread_time_ns() - used)
        return self.action

    def settle(self) -> None:
        """Take a snapshot if one is due, and see to what has passed; harmless when repeated."""
        if not self._settled:
            self._settled = True
            self.recovery.after_step(self.steps, not self.substitute.gap)
            self.spells.end_others(self.steps)

    def end(self, reward: float, observation: Any = None) -> None:
        """End the episode as `Agent.end` does: truncated if an observation is given, else terminated.

        If the reward or the observation is no good, or someone else acted, nothing is learned from the end.
        """
        self.settle()
        self.steps += 1
        self._choice.end(self.steps, reward, observation, self.learn)

    def was_late(self, periods: float) -> None:
        """Say that so many periods have passed without a step.

        A few are a part of a loop's life: an action lasted longer than usual, which a TD error survives. More than
        `Watchdog.late_periods` are a gap as any other.
        """
        if periods > self.watchdog.late_periods:
            self.substitute.gap += int(periods)

    def was_not_sent(self, instead: Any = None) -> None:
        """Say that the last action was not sent, so that nothing may be learned from what comes next.

        Parameters
        ----------
        instead : object, optional
            What was sent in its place; None: the machine still has the action before, which the limit to the rate and
            the actuator's report are measured by.
        """
        self.substitute.not_sent(instead)

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

    def refuse_other_form(self, observation: Any) -> None:
        """Raise `InputError` if an observation has another form than the agent's space, whatever its numbers are.

        For the first one of a loop: it is the program that is wrong then, and so it would go on for ever.
        """
        try:
            self.agent.observation.encode(observation, np.zeros(self.agent.observation.size))
        except InputError as error:
            if error.__cause__ is None:  # else it cannot be read, as of a bus that fails
                raise InputError(f"{error}; this is the first observation: give what the agent was made for") from None

    def warm_up(self, ticks: int = 50) -> None:
        """Compile, and run some ticks on zeros, after which the agent is as before, bit for bit.

        The first ticks of a process bring code and memory in, and take a hundred times as long as later ones.
        """
        agent = self.agent
        agent.compile(agent.config)
        before = agent.snapshot()
        staging, address, step = agent.arena.views["staging"], agent.arena.address, step_of(agent.rare)
        try:
            for k in range(ticks):
                staging[:] = 0.0
                step(address, 0.0, kernel.STEP if k else kernel.START, True)
                agent.action.decode(agent.arena.views["action"])
        except (ValueError, OverflowError):  # it is broken already; `step` finds that
            pass
        finally:
            agent.arena.block[:] = before  # its own bytes, sound or not: that is for the watchdog to say

    @property
    def shadow(self) -> bool:
        """Whether the agent only looks on, or is to from the next step on; may be set by any thread.

        Raises
        ------
        ConfigError
            If it is set and there is no controller, or a `Residual`.
        """
        return isinstance(self.sharing, Shadow) and self.sharing.wanted

    @shadow.setter
    def shadow(self, on: bool) -> None:
        """Say who acts from the next step on."""
        if isinstance(self.sharing, Residual):
            if on:
                raise ConfigError("a residual has no shadow: give it more ramp_seconds, or an Agent with fallback=")
            return
        if on and not self._has_controller:
            raise ConfigError("shadow: nobody is there to act; give a controller with fallback=")
        self.sharing.wanted = bool(on)

    @property
    def reward(self) -> float | None:
        """The last good reward; None before the first."""
        return self._choice.reward

    @property
    def frozen(self) -> int:
        """Steps that the agent acted in without learning because of trouble."""
        return self._choice.frozen

    @property
    def restarted(self) -> int:
        """Episodes begun after a long gap."""
        return self._choice.restarted

    def report(self) -> dict[str, Any]:
        """Return all that was counted and measured, as plain data that JSON can hold."""
        recovery, substitute, snapshots = self.recovery, self.substitute, self.snapshots
        returns = recovery.returns
        return {
            "steps": self.steps,
            "step_us": self.step_time.to_dict(),
            **({"step_cpu_us": self.cpu_time.to_dict()} if self.cpu_time.count else {}),
            "agent": {
                "ticks": self.agent.ticks,
                "episodes": self.agent.episodes,
                "held": substitute.held,
                "handed_over": substitute.handed_over,
                "frozen": self.frozen,
                "restarted": self.restarted,
                "rolled_back": recovery.count,
                "in_service": not recovery.gave_up,
                "running_return": returns.mean,
                "authority": self.sharing.authority,
                "shadow": self.shadow,
                "state_bytes": self.agent.nbytes,
            },
            "snapshots": {
                "taken": snapshots.taken,
                "written": snapshots.written,
                "failed": snapshots.failed,
                "last_written": snapshots.last_written,
                "bytes": snapshots.nbytes,
                "copy_us": recovery.copy_time.to_dict(),
            },
            "scan_steps": recovery.scan.steps,
            "trouble_steps": dict(self.spells.steps),
            "events": self.log.to_dict(),
        }

    def close(self) -> None:
        """Write a last snapshot if there is a folder, and end the thread that writes; harmless when repeated."""
        self.recovery.close(self.steps)

    def __enter__(self) -> Guard:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _note(self, kind: str, what: str) -> None:
        self.log.add(self.steps, (self._now() - self._begun) / SECOND, kind, what)
