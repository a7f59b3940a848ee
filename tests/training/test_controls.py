"""Actions of every kind stay inside their space and keep their type, however wild the network behind them.

Outputs that have gone beyond their range come back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from synaptick import Agent, Config

from ..reference import policy
from ..reference.spaces import parts_of
from ..support.common import (
    BINARY,
    BOX,
    CONTROLS,
    PARTS,
    SIZE,
    SMALL_STEPS,
    assert_finite,
    make_agent,
)
from ..support.harness import DoubleAgent, twin_of
from ..support.mutants import put

SPACES: dict[str, Any] = {
    "bounded": spaces.Box(-1, 1, (3,)),
    "of two sides": CONTROLS,
    "from above": spaces.Box(-np.inf, 0.1, (2, 2)),
    "unbounded": spaces.Box(-np.inf, np.inf, (2,)),
    "scalar": spaces.Box(-0.1, 0.3, (), np.float64),
    "half precision": spaces.Box(-0.1, 0.3, (2,), np.float16),
    "bytes": spaces.Box(0, 255, (2,), np.uint8),
    "whole numbers": spaces.Box(-3, 4, (2,), np.int64),
    "a single value": spaces.Box(np.float32([-1, 0.3]), np.float32([1, 0.3])),
    "huge": spaces.Box(-3e38, 3e38, (2,)),
    "far away": spaces.Box(np.float32(1e6), np.float32(1e6 + 1), (2,)),
    "tiny": spaces.Box(-1e-30, 1e-30, (2,), np.float64),
    "switches": spaces.MultiBinary([2, 2]),
    "choices": spaces.MultiDiscrete([[2, 3], [4, 1]], start=[[0, -2], [5, 0]]),
    "parts": PARTS,
    "tuple": spaces.Tuple([spaces.Discrete(2, start=4), spaces.Tuple([spaces.Box(0, np.inf, (1,)), PARTS])]),
}


def assert_same_type(action: Any, sample: Any) -> None:
    if isinstance(sample, dict):
        assert list(action) == list(sample)
        action, sample = tuple(action.values()), tuple(sample.values())
    if isinstance(sample, tuple):
        assert isinstance(action, tuple)
        for ours, theirs in zip(action, sample, strict=True):
            assert_same_type(ours, theirs)
    elif isinstance(sample, np.ndarray):
        assert (type(action), action.shape, action.dtype) == (np.ndarray, sample.shape, sample.dtype)
    else:
        assert type(action) is type(sample)


def run_wild(agent: Agent, space: Any, ticks: int, seed: int = 0) -> list[Any]:
    """Return the actions of an agent that learns from noise, each found to be in its space."""
    rng = np.random.default_rng(seed)
    actions = [agent.start(rng.normal(size=SIZE))]
    for tick in range(ticks):
        actions.append(agent.step(float(rng.standard_cauchy()), rng.normal(size=SIZE)))
        if tick % 40 == 39:
            agent.end(1.0)
            actions.append(agent.start(rng.normal(size=SIZE)))
    assert all(action in space for action in actions)
    return actions


@pytest.mark.any_arithmetic
@pytest.mark.parametrize("name", SPACES)
def test_actions_are_members_of_the_space_in_shape_and_type(name: str) -> None:
    space = SPACES[name]
    agent = make_agent(action=space)
    actions = run_wild(agent, space, 300)
    for action in actions[:20]:
        assert_same_type(action, space.sample())
    assert len({repr(action) for action in actions}) > 1
    assert_finite(agent)


@pytest.mark.any_arithmetic
@pytest.mark.parametrize("size", [1e3, 1e6, 1e18])
@pytest.mark.parametrize("name", SPACES)
def test_huge_weights_leave_actions_in_the_space_and_numbers_finite(name: str, size: float) -> None:
    """Means far beyond every bound, and stds at both ends of their range; surprise is rewarded too."""
    space = SPACES[name]
    for entropy_bonus, std in ((0.0, "state"), (0.1, "state"), (0.1, "free")):
        agent = make_agent(action=space, entropy_bonus=entropy_bonus, std=std)
        rng = np.random.default_rng(0)
        agent.arena.views["actor/w"][:] *= size * rng.choice([-1, 1], agent.arena.views["actor/w"].shape)
        run_wild(agent, space, 100)
        assert_finite(agent)


@pytest.mark.any_arithmetic
@pytest.mark.parametrize("name", SPACES)
def test_huge_rewards_leave_numbers_finite(name: str) -> None:
    agent, rng = make_agent(action=SPACES[name], normalize_rewards=False), np.random.default_rng(0)
    agent.start(np.zeros(SIZE))
    for k in range(200):
        assert agent.step(float(rng.normal()) * 10.0 ** rng.integers(0, 300), rng.normal(size=SIZE)) in SPACES[name]
        if k % 20 == 19:
            assert_finite(agent)


@pytest.mark.any_arithmetic
@given(
    st.sampled_from([np.float32, np.float64]),
    st.lists(st.tuples(st.floats(-1e30, 1e30), st.floats(0, 1e30)), min_size=1, max_size=3),
    st.sampled_from([0.0, 1.0, 1e6]),
    st.integers(0, 3),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_no_bounds_are_overstepped(dtype: Any, pairs: list[tuple[float, float]], size: float, sides: int) -> None:
    low = np.array([first for first, _ in pairs]).astype(dtype)
    high = np.maximum(np.array([first + width for first, width in pairs]).astype(dtype), low)
    if sides & 1:
        low[:] = -np.inf
    if sides & 2:
        high[:] = np.inf
    space = spaces.Box(low, high, dtype=dtype)
    agent = make_agent(action=space)
    agent.arena.views["actor/w"][:] *= size
    run_wild(agent, space, 20)
    assert_finite(agent)


@pytest.mark.parametrize("std", ["state", "free"])
def test_a_mean_far_beyond_a_bound_teaches_nothing_strange(std: str) -> None:
    """It draws the bound nearly always; its surprise is nearly 0, which an entropy bonus has to survive."""
    for entropy_bonus in (0.0, 0.1):
        agent = make_agent(action=spaces.Box(-1, 1, (1,)), std=std, entropy_bonus=entropy_bonus, initial_std=0.02)
        bias = int(np.flatnonzero(agent.arena.views["actor/w"].any(axis=0))[-1])
        agent.arena.views["actor/w"][0, bias] = 50.0
        agent.start(np.zeros(SIZE))
        found = []
        for _ in range(50):
            found.append(float(agent.step(1.0, np.zeros(SIZE))[0]))
            assert np.isfinite(agent.td_error)
            assert_finite(agent)
        assert np.mean(np.array(found) == 1.0) > 0.9
        assert min(found) > 0.9


@pytest.mark.any_arithmetic
def test_free_deviations_learn_nothing_but_their_bias() -> None:
    for changes in ({}, {"feedback": "adaptive"}, {"feedback": "random"}):
        agent = make_agent(action=CONTROLS, std="free", std_lr_scale=1.0, layers=(8, 9), **changes)
        w = agent.arena.views["actor/w"]
        before = w.copy()
        run_wild(agent, CONTROLS, 300)
        assert not w[2:, :17].any()
        assert (w[2:, 17] != before[2:, 17]).all()
        assert (w[:2, :17] != before[:2, :17]).any()


@pytest.mark.any_arithmetic
def test_a_std_rate_of_0_keeps_the_std_outputs() -> None:
    agent = make_agent(action=CONTROLS, std_lr_scale=0.0)
    before = agent.arena.views["actor/w"][2:].copy()
    run_wild(agent, CONTROLS, 200)
    np.testing.assert_array_equal(agent.arena.views["actor/w"][2:], before)


def test_noise_lasts_through_an_episode_and_not_beyond() -> None:
    agent = make_agent(action=spaces.Box(-1, 1, (200,)), noise_correlation=0.9, correlated_noise_fraction=1.0)
    noise = agent.arena.views["noise"]
    before, found = np.zeros(200), []
    for tick in range(6):
        if tick in (0, 3):
            agent.start(np.zeros(SIZE))
        else:
            agent.step(0.0, np.zeros(SIZE))
        found.append(float(np.corrcoef(before, noise)[0, 1]) if tick else 0.0)
        before = noise.copy()
    assert min(found[1:3] + found[4:]) > 0.8
    assert abs(found[3]) < 0.3


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_share_of_the_noise_lasts(share: float) -> None:
    agent = make_agent(
        action=spaces.Box(-1, 1, (2000,)), layers=(4,), noise_correlation=0.95, correlated_noise_fraction=share
    )
    agent.start(np.zeros(SIZE))
    before, slow = (agent.arena.views[name].copy() for name in ("noise", "slow_noise"))
    agent.step(0.0, np.zeros(SIZE))
    after = agent.arena.views["noise"]
    assert float(np.mean(before * after)) == pytest.approx(0.95 * share, abs=0.1)
    assert float(np.mean(slow * agent.arena.views["slow_noise"])) == pytest.approx(0.95, abs=0.1)
    assert float(np.mean(before * slow)) == pytest.approx(np.sqrt(share), abs=0.1)
    assert (before == slow).all() == (share == 1.0)


# ---- outputs beyond their range

# At the default lambda of the critic its errors are larger here, where rewards are noise: outputs wander farther.
SHORT = {"lambda_value": 0.8}


def excess(agent: Any, space: Any, views: Any) -> NDArray[np.float64]:
    """How far each output is beyond its range."""
    found = policy.excess(np.array(views["actor/output"], float), parts_of(space), agent.config)
    return np.abs(found)


def followed(seed: int, ticks: int, noisy: bool, **changes: Any) -> NDArray[np.float64]:
    """Start with outputs of 50, -50, 20 and -20, reward noise, and return how far the farthest is out every tick."""
    space = spaces.Box(-1, 1, (2,))
    agent, rng = make_agent(seed, action=space, layers=(8, 8), **changes), np.random.default_rng(seed)
    agent.arena.views["actor/w"][:, 16] = [50.0, -50.0, 20.0, -20.0]
    agent.start(np.zeros(SIZE))
    found = []
    for _ in range(ticks):
        agent.step(float(rng.normal()), noisy * rng.normal(size=SIZE))
        found.append(excess(agent, space, agent.arena.views).max())
    return np.array(found)


@pytest.mark.parametrize("std", ["state", pytest.param("free", marks=pytest.mark.slow)])
@pytest.mark.parametrize("noisy", [pytest.param(False, marks=pytest.mark.slow), True])
def test_outputs_beyond_their_range_come_back(noisy: bool, std: str) -> None:
    """A tenth a tick; slower where observations change, as spikes that are rare have their weights corrected rarely."""
    for seed in range(4):
        found = followed(seed, 5000, noisy, std=std, **SHORT)
        assert found[0] > 40
        assert found[50:100].mean() < 7
        assert found[500:1000].mean() < 2.5  # of 40 and more at first; at most 1.5 over seeds
        assert found[2000:].mean() < 1.5


def test_outputs_of_a_policy_that_does_not_learn_are_left_alone() -> None:
    """Negative control: nothing else brings them back."""
    found = followed(0, 500, False, **SHORT, lr_policy=0.0)
    assert found.min() > 40


@pytest.mark.any_arithmetic
def test_acting_only_holds_nothing() -> None:
    agent = make_agent(action=spaces.Box(-1, 1, (2,)))
    w = agent.arena.views["actor/w"]
    w[:, 8] = [50.0, -50.0, 20.0, -20.0]
    before = w.copy()
    agent.start(np.zeros(SIZE), learn=False)
    for _ in range(20):
        agent.step(1.0, np.zeros(SIZE), learn=False)
    agent.end(1.0, np.zeros(SIZE))
    np.testing.assert_array_equal(w, before)


def drifted(seed: int, ticks: int, towards: float, twin: bool) -> NDArray[np.float64]:
    """Start with outputs near the end of their range; reward noise and the action; return both excesses every tick."""
    space = spaces.Box(-1, 1, (1,))
    agent: Any = DoubleAgent(
        Config(layers=(6,), memory=0, std_lr_scale=0.3, **BINARY, **SHORT, **SMALL_STEPS),
        BOX,
        space,
        seed,
    )
    agent.views["actor/w"][:, 6] = [4.0, 1.0]
    model: Any = twin_of(agent) if twin else agent
    rng = np.random.default_rng(seed)
    action, found = model.start(np.zeros(SIZE)), []
    for _ in range(ticks):
        action = model.step(float(rng.normal()) + towards * float(action[0]), rng.normal(size=SIZE))
        found.append(excess(agent, space, model.arrays if twin else model.views))
    return np.array(found)


@pytest.mark.double
@pytest.mark.parametrize("towards", [pytest.param(0.0, marks=pytest.mark.slow), 1.0])
def test_outputs_do_not_drift_out_of_their_range(towards: float) -> None:
    """Neither by chance, where reward is noise, nor where the best action is a bound."""
    for seed in range(3):
        found = drifted(seed, 20_000, towards, False)
        assert found[-5000:].mean(axis=0).max() < 0.05
        assert found.max() < 4


@pytest.mark.double
@pytest.mark.slow
def test_without_a_hold_outputs_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control, in the twin: the same in 2500 ticks, of which the compiled agent needs no more."""
    put(monkeypatch, "policy.restrain_outputs", lambda agent: None)
    free = [drifted(seed, 2500, 1.0, True)[-625:].mean(axis=0).max() for seed in range(2)]
    held = [drifted(seed, 2500, 1.0, False)[-625:].mean(axis=0).max() for seed in range(2)]
    assert min(free) > 0.2
    assert max(held) < 0.05
