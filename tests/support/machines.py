"""What the tests of control loops share: a clock that only the test moves, a guard on a random stream, and a tank."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from synaptick import Agent, Config
from synaptick.realtime import Guard, Loop, Watchdog

from .common import SIZE, SMALL_STEPS, make_agent

MS = 1_000_000
VALVE = spaces.Box(-1.0, 1.0, (2,), np.float64)
NAN = np.full(SIZE, np.nan)
LEVELS = spaces.Box(-2.0, 2.0, (2,), np.float64)


class Unreadable:
    """What a bus that fails may hand over: nothing can be done with it."""

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("bus error")

    def __float__(self) -> float:
        raise RuntimeError("bus error")

    def __repr__(self) -> str:
        raise RuntimeError("bus error")


class FakeClock:
    """Time in nanoseconds, which passes by `look` whenever it is looked at and by what is slept.

    `late` is added to each sleep; `at` holds jumps: by so much when the clock is looked at after that time.
    """

    def __init__(self, look: int = 0, late: int = 0) -> None:
        self.time, self.look, self.late = 5_000, look, late
        self.slept: list[int] = []
        self.jumps: dict[int, int] = {}

    def now(self) -> int:
        self.time += self.look
        for moment in [moment for moment in self.jumps if self.time >= moment]:
            self.time += self.jumps.pop(moment)
        return self.time

    def sleep(self, nanoseconds: int) -> None:
        self.slept.append(nanoseconds)
        self.time += nanoseconds + self.late


class Tank:
    """A level that a valve lowers (0), keeps (1) or raises (2); the level wanted changes every 50 steps.

    Observed are the error and the level; the reward is 1 less the size of the error. `sensed` and `acted` may change
    what comes in and goes out: both are given the number of the step.
    """

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.level, self.goal, self.steps = 0.0, 0.5, 0
        self.rewards: list[float] = []  # as they truly are
        self.actions: list[Any] = []
        self.sensed: Callable[[int, Any, Any], tuple[Any, ...]] = lambda step, reward, seen: (reward, seen)
        self.acted: Callable[[int, Any], Any] = lambda step, action: action

    def sense(self) -> tuple[Any, ...]:
        self.steps += 1
        if self.steps % 50 == 0:
            self.goal = self.rng.uniform(-1.0, 1.0)
        reward = 1.0 - abs(self.goal - self.level)
        self.rewards.append(reward)
        return self.sensed(self.steps, reward, np.array([self.goal - self.level, self.level]))

    def act(self, action: Any) -> None:
        self.actions.append(action)
        valve = self.acted(self.steps, action)
        self.level = float(np.clip(self.level + 0.1 * (valve - 1) + 0.01 * self.rng.normal(), -1.5, 1.5))


def by_hand(observation: NDArray[np.float64]) -> int:
    """Return what a simple controller does with the tank."""
    return 1 if abs(observation[0]) < 0.06 else 2 * int(observation[0] > 0)


def tank_agent(seed: int = 0, **changes: Any) -> Agent:
    """Return a small agent for a tank, which it learns to control in 8000 steps."""
    return Agent(
        Config(**({"layers": (16,), "memory": 0} | SMALL_STEPS | changes)), LEVELS, spaces.Discrete(3), seed=seed
    )


def tank_loop(tank: Tank, watchdog: Watchdog | None = None, seed: int = 0, **options: Any) -> Loop:
    """Return a loop at 1 kHz around a tank, whose clock waits for nobody."""
    options = {"clock": FakeClock(), "spin": 0.0} | options  # a clock that stands still must not be waited for
    return Loop(tank_agent(seed), tank, 1000, watchdog=watchdog, **options)


def said(guard: Guard, kind: str) -> list[str]:
    """Return the texts of the events of a kind that a guard has kept."""
    return [event.what for event in guard.log.events() if event.kind == kind]


def stream(number: int, seed: int = 0) -> list[tuple[float, Any]]:
    """Return rewards and observations of no meaning."""
    rng = np.random.default_rng(seed)
    return [(float(rng.normal()), rng.normal(size=SIZE)) for _ in range(number)]


def guarded(watchdog: Watchdog | None = None, action: Any = None, **options: Any) -> Guard:
    """Return a guard of a small agent, whose clock stands still."""
    return Guard(make_agent(action=action), watchdog, clock=FakeClock(), **options)


def lead(guard: Guard, number: int, seed: int = 0) -> list[Any]:
    """Lead a guard through a stream and return its actions."""
    return [guard.step(reward, observation) for reward, observation in stream(number, seed)]
