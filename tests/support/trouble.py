"""An environment that does as it is told in the middle of a run, for the tests of the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

ENV_ID = "synaptick_tests/Trouble-v0"
WORDS_ID = "tests/Words-v0"
Step = tuple[Any, Any, bool, bool, dict[str, Any]]


class Trouble(gymnasium.Env[Any, Any]):
    """Episodes of 7 steps, terminated and truncated in turn; `at` and `make` belong to the class, to be set by a test.

    From step `at` on, counted from when the environment was made, `make` may change what a step returns, or raise; at 0
    it is called by the first reset.
    """

    at: int | None = None
    make: Callable[[Step], Step] = staticmethod(lambda step: step)

    def __init__(self) -> None:
        self.observation_space = spaces.Box(-9.0, 9.0, (2,), np.float64)
        self.action_space = spaces.Discrete(2)
        self.time = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        observation = np.zeros(2)
        if self.at == 0:
            observation = type(self).make((observation, 0.0, False, False, {}))[0]
        return observation, {}

    def step(self, action: Any) -> Step:
        self.time += 1
        done = self.time % 7 == 0
        odd = self.time % 14 == 0
        step: Step = (self.np_random.normal(size=2), float(action), done and odd, done and not odd, {})
        return type(self).make(step) if self.at is not None and self.time >= self.at > 0 else step


class Words(gymnasium.Env[Any, int]):
    """Shows a word, which no network of fixed size can read, beside a number."""

    observation_space = spaces.Dict(word=spaces.Text(5), number=spaces.Box(0, 1))
    action_space = spaces.Discrete(2)


def register() -> None:
    """Register the environment; harmless when repeated."""
    if ENV_ID not in gymnasium.registry:
        gymnasium.register(ENV_ID, Trouble, disable_env_checker=True)
        gymnasium.register(WORDS_ID, Words, disable_env_checker=True)


register()


def nan_observation(step: Step) -> Step:
    return (step[0] * float("nan"), *step[1:])


def infinite_reward(step: Step) -> Step:
    return (step[0], float("inf"), *step[2:])


def no_reward(step: Step) -> Step:
    return (step[0], None, *step[2:])


def wrong_shape(step: Step) -> Step:
    return (step[0][:1], *step[1:])


def break_down(_: Step) -> Step:
    raise RuntimeError("the motor\nis on fire")
