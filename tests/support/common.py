"""What the tests of the interface share: small agents, a scripted stream and the state of an agent in bytes."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from numpy.typing import NDArray
from synaptick import Agent, Config, InputError, run
from synaptick.arena import plan

from .harness import call, number, observed, script

ROOT = Path(__file__).parents[2]
SIZE, ACTIONS = 3, 3
BOX = spaces.Box(-np.inf, np.inf, (SIZE,))
SYMBOLS = spaces.Discrete(5)
# Two controls, bounded and half bounded; three choices, two of them beside a control.
CONTROLS = spaces.Box(np.float32([-1, -2]), np.float32([3, np.inf]))
PARTS = spaces.Dict(turn=spaces.Box(-1, 1, (), np.float64), switch=spaces.MultiBinary(2), gear=spaces.Discrete(3))
# Binary spikes and several leaks, and steps that are smaller than the default's: what some tests were measured with.
BINARY: dict[str, Any] = {"spikes": "binary", "leak_groups": 4, "tau_max": 10.0}
SMALL_STEPS: dict[str, Any] = {"kappa_policy": 2.0, "kappa_value": 1.5}
# Sections made anew in every tick, of traces and weights. A weight that was 0 may be as small as a step along a faint
# trace, so that products with it are denormal in some ticks; they are flushed when they enter a trace.
WORK = ("scratch_e", "scratch_total", "scratch_factors", "signals")


def tiers(names: Iterable[str], usual: Collection[str]) -> list[Any]:
    """Return parameters of a test: all the names, those that are not among the usual ones marked slow."""
    found = [pytest.param(name, marks=[] if name in usual else pytest.mark.slow) for name in names]
    assert sum(not parameter.marks for parameter in found) == len(usual)
    return found


def make_agent(seed: int = 0, observation: Any = BOX, action: Any = None, buffer: Any = None, **changes: Any) -> Agent:
    """Return a small agent."""
    config = Config(**({"layers": (8,), "memory": 0} | changes))
    action = spaces.Discrete(ACTIONS) if action is None else action  # the truth of a space is its length
    return Agent(config, observation, action, seed=seed, buffer=buffer)


def drive(agent: Agent, ticks: int, seed: int = 0, act_only: bool = True) -> list[float]:
    """Lead the agent through scripted episodes, leave it inside one, and return its actions, a number each."""
    actions, action = [], 0.0
    for event in script(ticks, agent.observation, seed, act_only=act_only):
        action = call(agent, event, action)
        actions.append(action)
    if not agent.running:
        spec = agent.observation
        actions.append(number(agent.start(observed(spec.root, np.zeros(spec.size), np.random.default_rng(seed)))))
    return actions


def state(agent: Agent) -> bytes:
    """Return every byte of the agent."""
    return agent.arena.block.tobytes()


def learned(agent: Agent, also: Iterable[str] = ()) -> dict[str, NDArray[Any]]:
    """Return copies of the views that acting alone must not change, except those whose names end in one of `also`."""
    d = agent.arena.dimensions
    rows = [*plan.agent_rows(d), *plan.net_rows(d, 0), *plan.layer_rows(d, 0)]
    moving = {row.name for row in rows if row.lasts is plan.STATE} - {"gradient", "scratch_pair", *WORK} | {*also}
    return {name: view.copy() for name, view in agent.arena.views.items() if name.split("/")[-1] not in moving}


def assert_finite(agent: Agent) -> None:
    """Every number of the agent but the bounds of its controls is finite, and its probabilities are distributions."""
    bounds = ("control_low", "control_high")
    assert np.isfinite(list(agent.arena.running.to_dict().values())).all()
    views = {name: view for name, view in agent.arena.views.items() if name not in bounds}
    wrong = [name for name, view in views.items() if not np.isfinite(view).all()]
    assert not wrong, wrong
    assert (agent.probabilities >= 0).all()
    np.testing.assert_allclose(agent.probabilities.sum(), len(agent.action.choices), rtol=1e-12)


def assert_refused(agent: Agent, act: Callable[[], Any], error: type[Exception] = InputError) -> None:
    """`act` raises exactly `error`, with a message of one line, and leaves every byte of the agent as it was."""
    before = state(agent)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a user has not made NumPy's warnings errors
        with pytest.raises(error) as caught:
            act()
    assert caught.type is error
    assert len(str(caught.value).splitlines()) == 1
    assert state(agent) == before


def train(env: Any, steps: int, seed: int, **changes: Any) -> Agent:
    """Return an agent that has learned in `env`."""
    agent = Agent(
        Config(**({"layers": (16, 16), "memory": 0} | changes)), env.observation_space, env.action_space, seed=seed
    )
    run(agent, env, steps, seed=seed)
    return agent


def values(agent: Agent, env: Any, episodes: int = 20) -> dict[float, list[float]]:
    """Return the values met at each observation, without learning."""
    found = defaultdict(list)
    for _ in range(episodes):
        observation, _ = env.reset()
        action = agent.start(observation, learn=False)
        done = False
        while not done:
            found[float(observation[0])].append(agent.value)
            observation, reward, terminated, truncated, _ = env.step(action)
            done = terminated or truncated
            if not done:
                action = agent.step(reward, observation, learn=False)
    return found
