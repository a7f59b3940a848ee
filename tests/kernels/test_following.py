"""Steps in which somebody else acts: the critic learns what that is worth, the actor to do the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick import Agent, Config, InputError
from synaptick.compiled_loop import GIVEN, STEP
from synaptick.kernels.layout import FOLLOWING

from ..reference import tick as twin_tick
from ..support.common import PARTS, SIZE, make_agent
from ..support.harness import disagreement, script, take_over, twin_of, words
from ..support.mutants import put
from .test_parity import CASES, double_agent, kernel_tail  # noqa: F401

TICKS = 200
SETTINGS = ("mixed, three layers, factored", "memory, rates, adaptive feedback, frozen", "tensor, state kept")


def taken_by(agent: Any, rng: np.random.Generator) -> np.ndarray:
    """Return an action of somebody else, as the vector that it is to the agent."""
    indices = [rng.integers(count) for count in agent.action.choices]
    views = agent.arena.views
    controls = views["control_center"] + views["control_scale"] * rng.normal(size=agent.action.controls)
    return np.concatenate([indices, controls])


def parity(name: str, tolerance: float = 1e-10) -> int:
    """Run agent and twin through spells in which somebody else acts; return the ticks compared."""
    agent = double_agent(*CASES[name])
    twin, rng = twin_of(agent), np.random.default_rng(3)
    followed = 0
    for number, event in enumerate(script(TICKS, agent.observation, seed=3)):
        taken = taken_by(agent, rng) if number // 7 % 2 else None
        for one in (agent, twin):
            if event.kind == "start":
                one.start(event.observation, learn=event.learn, taken=taken)
            elif event.kind == "step":
                one.step(event.noise, event.observation, learn=event.learn, taken=taken)
            else:
                one.end(event.noise, event.observation if event.kind == "truncate" else None, learn=event.learn)
        followed += agent.arena.clock.stale == FOLLOWING
        assert agent.arena.clock.stale == twin.scalars["stale"]
        found = disagreement(agent, twin)
        worst = max(found, key=lambda key: found[key])
        assert found[worst] <= tolerance, f"tick {number} ({event.kind}, {taken}): {worst} by {found[worst]:.1e}"
        assert words(agent.arena) == twin.words
        take_over(twin, agent)
    assert followed > TICKS // 4
    return TICKS


@pytest.mark.double
@pytest.mark.usefixtures("kernel_tail")
@pytest.mark.parametrize("name", [SETTINGS[0], *(pytest.param(name, marks=pytest.mark.slow) for name in SETTINGS[1:])])
def test_parity_while_somebody_else_acts(name: str) -> None:
    assert parity(name) == TICKS


@pytest.mark.double
@pytest.mark.usefixtures("kernel_tail")
@pytest.mark.parametrize(
    ("name", "mutant"),
    [
        ("policy.NARROW", 0.021),
        ("policy.taken_noise", lambda policy, taken: (taken - policy.mean) / 0.02),
        ("tick.FOLLOWING", 1),
    ],
)
def test_a_mutant_breaks_parity(name: str, mutant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert twin_tick.FOLLOWING == FOLLOWING
    put(monkeypatch, name, mutant)
    with pytest.raises(AssertionError):
        parity(SETTINGS[0])


def controlled(agent: Agent, steps: int, follow: bool = True) -> list[float]:
    """Let a controller hold a speed, and return how far the agent's mean was from it in each step."""
    rng = np.random.default_rng(0)
    speed, wanted, reward, apart = 0.0, 0.5, 0.0, []
    for t in range(steps):
        wanted = rng.uniform(-0.5, 0.5) if t % 200 == 0 else wanted
        observation, action = np.array([wanted - speed, speed]), np.array([2.0 * (wanted - speed)])
        taken = action if follow else None
        if agent.running:
            agent.step(reward, observation, taken=taken)
        else:
            agent.start(observation, taken=taken)
        apart.append(float(np.abs(agent.means - action)[0]))
        speed += 0.05 * (float(action[0]) - 0.5 * speed)
        reward = -abs(wanted - speed)
    return apart


def test_the_actor_learns_to_do_the_same_and_the_critic_what_it_is_worth() -> None:
    agent = Agent(Config(layers=(32,), memory=0), spaces.Box(-np.inf, np.inf, (2,)), spaces.Box(-1, 1, (1,)), seed=0)
    apart = np.array(controlled(agent, 6000))
    assert np.sqrt((apart[-1000:] ** 2).mean()) < 0.5 * np.sqrt((apart[:500] ** 2).mean())
    assert agent.expected_return < -0.5


def test_nothing_but_the_controller_moves_the_actor() -> None:
    """Whatever the rewards, the actor learns the same from somebody else's actions, and the critic does not."""
    agents = [make_agent(action=spaces.Box(-1, 1, (2,), np.float64), seed=1) for _ in range(2)]
    rng = np.random.default_rng(0)
    for t in range(50):
        observation, taken = rng.normal(size=SIZE), rng.uniform(-1, 1, 2)
        for agent, reward in zip(agents, (rng.normal(), 5.0 * rng.normal()), strict=True):
            if t:
                agent.step(reward, observation, taken=taken)
            else:
                agent.start(observation, taken=taken)
    one, other = (agent.arena.views for agent in agents)
    assert (one["actor/w"] == other["actor/w"]).all()
    assert (one["critic/w"] != other["critic/w"]).any()
    first = make_agent(action=spaces.Box(-1, 1, (2,), np.float64), seed=1).arena.views["actor/w"]
    assert (one["actor/w"] != first).any()
    # Of two means and two stds only the means are moved.
    assert (one["actor/w"].reshape(4, -1)[2:] == first.reshape(4, -1)[2:]).all()


def test_credit_of_one_kind_of_action_is_never_used_for_the_other() -> None:
    agent = make_agent(seed=2)
    rng = np.random.default_rng(1)
    agent.start(rng.normal(size=SIZE))
    for _ in range(20):
        agent.step(1.0, rng.normal(size=SIZE))
    for taken in (1, None):
        before = agent.arena.views["actor/w"].copy()
        agent.step(3.0, rng.normal(size=SIZE), taken=taken)
        assert (agent.arena.views["actor/w"] == before).all()  # as after steps that only acted
        agent.step(3.0, rng.normal(size=SIZE), taken=taken)
        assert (agent.arena.views["actor/w"] != before).any()


@pytest.mark.parametrize(
    ("action", "given"),
    [
        (spaces.Discrete(3, start=2), 4),
        (spaces.MultiDiscrete([3, 2]), np.array([2, 1])),
        (spaces.MultiBinary(3), np.array([1, 0, 1])),
        (spaces.Box(-2.0, 2.0, (2, 2)), np.full((2, 2), 0.5, np.float32)),
        (spaces.Box(0, 200, (2,), np.uint8), np.array([7, 200], np.uint8)),
        (spaces.Tuple([spaces.Discrete(2), spaces.Box(-1.0, 1.0, (1,))]), (1, np.array([0.25], np.float32))),
        (PARTS, None),
    ],
)
def test_the_action_that_is_taken_is_returned(action: Any, given: Any) -> None:
    agent = make_agent(action=action)
    if given is None:
        action.seed(0)
        given = action.sample()
    before = agent.arena.random.copy()
    found = agent.start(np.zeros(SIZE), taken=given)
    values = np.zeros_like(agent.arena.views["action"])
    agent.action.encode(given, values)
    assert (values == agent.arena.views["action"]).all()
    assert repr(found) == repr(agent.action.decode(values))
    assert action.contains(found)
    assert (agent.arena.random == before).all()  # no random number is drawn


def test_an_action_outside_is_moved_inside() -> None:
    agent = make_agent(action=spaces.Box(-1.0, 1.0, (2,), np.float64))
    assert agent.start(np.zeros(SIZE), taken=[9.0, -0.5]).tolist() == [1.0, -0.5]


@pytest.mark.parametrize(
    ("action", "given", "text"),
    [
        (spaces.Discrete(3), 3, "whole numbers from 0 to 2"),
        (spaces.Discrete(3), 0.5, "whole numbers from 0 to 2"),
        (spaces.Discrete(3), "left", "action is 'left'"),
        (spaces.Box(-1, 1, (2,)), [np.nan, 0.0], "finite"),
        (spaces.Box(-1, 1, (2,)), [0.0], "shape"),
        (spaces.Tuple([spaces.Discrete(2), spaces.Discrete(2)]), (1,), "tuple of 2"),
        (spaces.Dict(a=spaces.Discrete(2), b=spaces.Discrete(2)), {"a": 1, "c": 1}, "no part 'b'"),
    ],
)
def test_what_is_no_action_is_refused_and_changes_nothing(action: Any, given: Any, text: str) -> None:
    agent = make_agent(action=action)
    agent.start(np.zeros(SIZE))
    before = agent.snapshot()
    with pytest.raises(InputError, match=text):
        agent.step(0.0, np.zeros(SIZE), taken=given)
    assert (agent.snapshot() == before).all()
    with pytest.raises(InputError):
        agent.step(0.0, np.full(SIZE, np.nan), taken=given)
    assert (agent.snapshot() == before).all()


def test_a_state_in_the_middle_can_be_restored_and_the_pointer_has_the_mode() -> None:
    agent = make_agent()
    agent.start(np.zeros(SIZE), taken=1)
    agent.step(1.0, np.ones(SIZE), taken=2)
    kept = agent.snapshot()
    agent.step(1.0, np.ones(SIZE), taken=0)
    after = agent.snapshot()
    agent.restore(kept)
    agent.arena.views["staging"][:] = 1.0
    agent.arena.views["action"][0] = 0
    agent._tick(1.0, STEP + GIVEN, True)
    assert (agent.snapshot() == after).all()


def test_two_threads_do_the_same() -> None:
    agents = [make_agent(), make_agent()]

    def follow(agent: Agent) -> None:
        rng = np.random.default_rng(5)
        for t in range(60):
            observation, taken = rng.normal(size=SIZE), int(rng.integers(3)) if t // 10 % 2 else None
            if agent.running:
                agent.step(float(rng.normal()), observation, taken=taken)
            else:
                agent.start(observation, taken=taken)

    follow(agents[0])
    with agents[1].in_two_threads():
        follow(agents[1])
    assert (agents[0].snapshot() == agents[1].snapshot()).all()
