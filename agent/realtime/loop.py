"""A loop of a fixed rate around an agent and a plant."""

from __future__ import annotations

import math
import sys
from collections.abc import Collection
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Protocol

from numba.core.runtime import _nrt_python, rtsys

from ..agent import Agent
from ..errors import ConfigError
from ..metrics.histogram import Histogram
from .action_limits import checked, copied
from .clock import SECOND, Clock, MonotonicClock, Pacer
from .guard import Guard
from .residual import Residual
from .status import status_of
from .system import Quiet
from .telemetry import Telemetry

OVERRUNS = ("skip", "hold", "stop")
# Of the time between two wake-ups at most so much is waited for by looking at the clock.
MOST_SPIN = 0.5
# Periods after which blocks of the interpreter are counted from: what is made once is made by then.
SETTLED = 100
FINAL_TRIES = 3


class Plant(Protocol):
    """What a loop needs of a machine.

    A plant may also have ``applied()``, which returns what the actuator reports to have done of the last action, for
    `Watchdog.actuator_tolerance`.
    """

    def sense(self) -> tuple[Any, ...]:
        """Return the reward of the last action and the observation it led to.

        A third entry, "terminated" or "truncated", ends the episode here; the next call returns the first observation
        of another (its reward is of no account). None or "" goes on.
        """

    def act(self, action: Any) -> None:
        """Send an action to the machine."""


class Loop:
    """Senses, lets the agent step and acts at a fixed rate, for as long as it is to.

    ::

        report = Loop(agent, plant, rate=1000, watchdog=Watchdog(action_rate=0.1)).run(seconds=60)

    In each period: `Plant.sense`, `Guard.step`, `Plant.act`. Whatever of these raises, the loop goes on: without an
    observation the watchdog's response to bad input is sent; an action that could not be sent teaches nothing.

    Parameters
    ----------
    agent : Agent, Residual or Guard
        Of the first two a guard is made with `options`.
    plant : Plant
    rate : float
        Periods a second.
    overrun : {"skip", "hold", "stop"}
        When a step is not done by the next deadline. ``skip``: its action is sent late, and the periods that have
        passed are dropped. ``hold``: its action, which is of an old observation, is not sent; the machine keeps the one
        before. ``stop``: as skip, and the loop ends.
    spin : float
        Seconds before a deadline that are waited for by looking at the clock, at most half a period. It takes this
        share of a processor, and makes wake-ups precise to microseconds; 0 leaves them to the system.
    jump : float
        Seconds, at least ten periods. Being late by as much is a jump of the clock: nothing is caught up with. A step
        in which that happens is a miss all the same.
    final_action : object, optional
        Sent at the end, whatever ended the loop; tried three times, a period apart. The first action keeps the rate
        from here: so an earlier run has left the machine.
    cpus, priority, awake, collect
        As for `Quiet`: processors to be pinned to, real-time priority, whether processors are kept from sleeping, and
        whether to leave the garbage collector on.
    telemetry : Telemetry, optional
        Rows of metrics, and calls of hooks, while the loop runs.
    clock : Clock, optional
    options
        As for `Guard`: watchdog, fallback, safe_action, snapshots, learn, shadow, hand_over_seconds, go_on, events,
        cpu_time.

    Attributes
    ----------
    guard : Guard
    periods, misses, skipped, jumps : int
        Periods worked in; those not done by the next deadline; deadlines dropped; jumps of the clock.
    sense_failures, act_failures : int
    wake_time, busy_time : Histogram
        Nanoseconds by which wake-ups came after their deadlines, and that the work of a period took.
    final_action : str
        "sent", "failed" or "not yet sent"; "" if there is none.
    running : bool
        Whether `run` is at work.
    stopped : str
        What ended the last run: "steps", "seconds", "stop", "hook", "overrun" or the name of an exception; "" while it
        runs.

    Raises
    ------
    ConfigError
        If a setting is impossible, or the plant cannot sense or act.
    """

    def __init__(
        self,
        agent: Agent | Residual | Guard,
        plant: Plant,
        rate: float,
        *,
        overrun: str = "skip",
        spin: float = 2e-4,
        jump: float = 1.0,
        final_action: Any = None,
        cpus: int | Collection[int] | None = None,
        priority: int | None = None,
        awake: bool = False,
        collect: bool = False,
        telemetry: Telemetry | None = None,
        clock: Clock | None = None,
        **options: Any,
    ) -> None:
        if overrun not in OVERRUNS:
            raise ConfigError(f"overrun is {overrun!r}; allowed: {', '.join(OVERRUNS)}")
        for name, value, least in (("rate", rate, 1e-6), ("spin", spin, 0.0), ("jump", jump, 0.0)):
            if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < math.inf:
                raise ConfigError(f"{name} is {value!r}; allowed: a number of {least:g} or more")
        if isinstance(agent, Guard) and options:
            raise ConfigError(f"{', '.join(options)}: the guard that is given has its own; allowed: with an agent only")
        for name in ("sense", "act"):
            if not callable(getattr(plant, name, None)):
                raise ConfigError(f"the plant {type(plant).__name__} has no method {name}(); see Plant")
        self._clock = clock or MonotonicClock()
        self.guard = agent if isinstance(agent, Guard) else Guard(agent, clock=self._clock, **options)
        self.plant, self.rate, self.overrun = plant, rate, overrun
        self._final_action = None if final_action is None else checked("final_action", final_action, self.guard.agent)
        self.final_action = "" if final_action is None else "not yet sent"
        if final_action is not None:
            self.guard.substitute.assume(self._final_action)
        self._applied = getattr(plant, "applied", None)
        period = SECOND / rate
        late = int(max(jump * SECOND, 10 * period))
        self._pacer = Pacer(rate, int(min(spin * SECOND, MOST_SPIN * period)), late, self._clock)
        self.quiet = Quiet(collect, cpus, priority, awake)
        self.telemetry = telemetry
        self.wake_time, self.busy_time = Histogram(), Histogram()
        self.periods = self.misses = self.skipped = self.jumps = self.sense_failures = self.act_failures = 0
        self.stopped, self._stopping, self.running = "", False, False
        self._reward, self._over, self._heard, self._fits = 0.0, False, False, False
        self._begun = self._ended = self._clock.now()
        self.allocations: dict[str, int | None] | None = None

    def run(self, steps: int | None = None, seconds: float | None = None) -> dict[str, Any]:
        """Run for so many periods or seconds, whichever ends first, or until `stop`; return the `report`.

        May be called again; counts go on.

        Raises
        ------
        ConfigError
            If the number of steps or seconds is not one, or negative.
        InputError
            If the first observation of all does not fit the agent's space, which no time will mend; or if it is no good
            otherwise, and there is nothing to send (`Guard.start`).
        """
        for name, value in (("steps", steps), ("seconds", seconds)):
            if value is not None and not value >= 0:
                raise ConfigError(f"{name} is {value!r}; allowed: a number of 0 or more, or None")
        self._stopping = False
        self.guard.warm_up()
        self.stopped, self.running = "", True
        self.final_action = "" if self._final_action is None else "not yet sent"
        last = math.inf if steps is None else self.periods + steps
        # Telemetry is around all of it: its thread is not pinned as the loop is, and no hook delays the final action.
        with ExitStack() as telling:
            try:
                if self.telemetry is not None:
                    guard = self.guard
                    telling.enter_context(self.telemetry.of(guard.agent, self.busy_time, guard.snapshots, self.stop))
                with self.quiet:
                    self._begun = self._clock.now()
                    if self.periods:  # of an earlier run; the machine was left alone since then
                        self.guard.was_late(abs(self._begun - self._ended) / self._pacer.period)
                    self.stopped = self._work(last, math.inf if seconds is None else seconds * SECOND)
            except BaseException as error:
                self.stopped = type(error).__name__
                raise
            finally:
                self._ended, self.running = self._clock.now(), False
                self._send_final()
        return self.report()

    def _send_final(self) -> None:
        if self._final_action is None:
            return
        for attempt in range(FINAL_TRIES):
            if attempt:
                self._clock.sleep(int(SECOND / self.rate))
            if self._send(copied(self._final_action)):
                self.guard.was_not_sent(instead=self._final_action)
                self.final_action = "sent"
                return
        self.final_action = "failed"

    def stop(self) -> None:
        """End the loop after this period; may be called by another thread, a signal handler or the plant."""
        self._stopping = True

    @property
    def seconds(self) -> float:
        """Duration of the last run, or of this one so far."""
        return ((self._clock.now() if self.running else self._ended) - self._begun) / SECOND

    @property
    def shadow(self) -> bool:
        """Whether the controller acts and the agent looks on (`Guard.shadow`); may be set by any thread."""
        return self.guard.shadow

    @shadow.setter
    def shadow(self, on: bool) -> None:
        """Say who acts from the next period on."""
        self.guard.shadow = on

    def status(self) -> dict[str, Any]:
        """Return how things stand, a few plain numbers; may be called by any thread, and waits for nobody.

        Returns
        -------
        dict
            ``state``: "ready", "running", "stopped", or "faulted" if an exception ended the last run, the final action
            could not be sent, or the agent is out of service; ``trouble``, the kinds that last; ``violations``, in how
            many steps each kind was met; ``periods``; ``ticks`` of the agent, its whole life; ``seconds`` of this run;
            ``late_us``, microseconds by which the last wake-up came late; ``misses``, ``skipped`` deadlines;
            ``reward``, the last good one; ``value``, the discounted sum of rewards that is still expected;
            ``running_return``; ``shadow``; ``shadow_distance`` (`Shadow.distance`); ``authority``, from 0 to
            1, the agent's share of the action, or the share of the action's range that a `Residual` may add or take
            away now; ``rolled_back``; ``checkpoint_age``, seconds since a snapshot was last brought to disk. None is
            what is not known. Each number is whole, but they may be of neighboring periods.
        """
        return status_of(self, self._pacer.late, self._clock.now())

    def report(self) -> dict[str, Any]:
        """Return all that was counted and measured, as plain data that JSON can hold."""
        return {
            "rate": self.rate,
            "overrun": self.overrun,
            "stopped": self.stopped,
            "final_action": self.final_action,
            "seconds": self.seconds,
            "periods": self.periods,
            "misses": self.misses,
            "skipped": self.skipped,
            "jumps": self.jumps,
            "failures": {"sense": self.sense_failures, "act": self.act_failures},
            "wake_up_us": self.wake_time.to_dict(),
            "busy_us": self.busy_time.to_dict(),
            "collections": self.quiet.collections,
            "allocations": self.allocations,
            "telemetry": None if self.telemetry is None else self.telemetry.to_dict(),
            "system": dict(self.quiet.notes),
            **self.guard.report(),
        }

    def close(self) -> None:
        """Close the guard, whose last snapshot hooks are told of."""
        self.guard.close()
        if self.telemetry is not None:
            self.telemetry.closed()

    def __enter__(self) -> Loop:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- one period after the other

    def _work(self, last: float, duration: float) -> str:
        pacer, settled = self._pacer, self.periods + SETTLED
        blocks = compiled = 0
        pacer.begin()
        stopped = self._asked()
        while not stopped:
            pacer.wait()
            if pacer.jumped:
                self._on_jump(pacer.jumped)
            else:
                self.wake_time.add(pacer.late)
            self._period()
            if self.periods == settled:
                blocks, compiled = sys.getallocatedblocks(), _compiled_allocations()
            skipped = pacer.drop()
            if pacer.missed:
                self.misses += 1
                self.skipped += skipped
                self.guard.trouble("overrun", f"a step was not done by the next deadline: {self.overrun}")
                self.guard.was_late(skipped)
            if self._stopping:
                stopped = self._asked()
            elif pacer.missed and self.overrun == "stop":
                stopped = "overrun"
            elif self.periods >= last:
                stopped = "steps"
            elif self._clock.now() - self._begun >= duration:
                stopped = "seconds"
        if self.periods > settled:
            self.allocations = {
                "interpreter_blocks_kept": sys.getallocatedblocks() - blocks,
                "compiled": _compiled_allocations() - compiled if _nrt_python.memsys_stats_enabled() else None,
            }
        return stopped

    def _asked(self) -> str:
        """Return who has asked for an end, "" if nobody has."""
        by_hook = self.telemetry is not None and self.telemetry.stopped
        return "" if not self._stopping else "hook" if by_hook else "stop"

    def _period(self) -> None:
        begun = self._clock.now()
        self.periods += 1
        self._heard = False
        action = self._decide()
        if self.overrun == "hold" and self._clock.now() >= self._pacer.deadline:
            self.guard.was_not_sent()
        elif action is not None:  # there is none yet if the first observation ends an episode
            self._send(action)
        self.guard.settle()
        if self.telemetry is not None and self._heard:
            self.telemetry.passed.add(self._reward, self._over)
        self.busy_time.add(self._clock.now() - begun)

    def _send(self, action: Any) -> bool:
        """Send an action and return whether that was possible."""
        try:
            self.plant.act(action)
            return True
        except Exception as error:  # the machine's, and the loop goes on
            self.act_failures += 1
            self.guard.trouble("act", f"act() failed: {_told(error)}")
            self.guard.was_not_sent()
            return False

    def _decide(self) -> Any:
        """Return the action of this period."""
        guard, over, applied = self.guard, None, None
        try:
            reward, observation, *rest = self.plant.sense()
            over = rest[0] if rest else None
            applied = self._applied() if self._applied is not None else None
            if over and over not in ("terminated", "truncated"):
                raise ValueError(f"an episode ends as 'terminated' or 'truncated', not {over!r}")
        except Exception as error:  # the machine's, and the loop goes on
            self.sense_failures += 1
            guard.trouble("sense", f"sense() failed: {_told(error)}")
            return guard.step(0.0, None, settle=False)
        self._reward, self._over, self._heard = reward, bool(over), True
        if not self._fits and observation is not None:
            guard.refuse_other_form(observation)
            self._fits = True
        if not over:
            return guard.step(reward, observation, applied, settle=False)
        guard.end(reward, observation if over == "truncated" else None)
        return guard.substitute.last  # not `guard.action`, which the plant may have written to

    def _on_jump(self, nanoseconds: int) -> None:
        self.jumps += 1
        if nanoseconds < 0:
            self._begun += nanoseconds
        self.guard.trouble(
            "clock", f"the clock jumped by {nanoseconds / SECOND:.3g} s, or the loop was stopped: deadlines begin anew"
        )
        self.guard.was_late(abs(nanoseconds) / self._pacer.period)


def _compiled_allocations() -> int:
    return int(rtsys.get_allocation_stats().alloc) if _nrt_python.memsys_stats_enabled() else 0


def _told(error: Exception) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:120].replace("\n", " ")
    except Exception:  # of the machine's own exception
        return type(error).__name__
