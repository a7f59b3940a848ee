"""What 10^9 ticks and more do to counters, statistics and traces: the clock starts near the limits.

docs/decisions/0014-long-life.md has the arithmetic.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import synaptick.envs  # noqa: F401
from gymnasium import spaces
from synaptick import Agent, Config, Tally, run
from synaptick.kernels.base.vectors import running_mean
from synaptick.training.results import Results
from synaptick.training.run_folder import RunFolder

from ..support.common import (
    ACTIONS,
    CONTROLS,
    PARTS,
    SIZE,
    WORK,
    assert_finite,
    drive,
    learned,
    make_agent,
    state,
)

OLD = 2**62
NEVER_FORGET = {"statistics_horizon": 10**15}
ZEROS = np.zeros(SIZE)
TRACES = ("credit", "eps", "epsa", "epsr", "cascade", "filtered", "psi_past", "psi_mean", "rate", "v", "a")
OPTIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "recurrence": {"recurrent_scale": 1.0},
    "factored": {"depth_filter": "factored", "recurrent_hop": True, "reset_path": True},
    "kept": {"keep_state": True, "rate_regularization": 0.01},
    "adaptive feedback": {"feedback": "adaptive", "feedback_decay": 0.01},
    "raw": {"normalize_observations": False, "normalize_rewards": False},
    "controls": {"action": CONTROLS},
    "parts": {"action": PARTS, "entropy_bonus": 0.1},
    "never spikes": {"v_th": 1000.0, "gain": 0.001},
    "memory": {"memory": 6, "memory_horizon": 1e6},
    "memory, carried, kept": {"memory": 6, "memory_layers": 2, "depth_filter": "tensor", "keep_state": True},
}


def age(agent: Agent, count: float, tick: int = OLD) -> None:
    """Let the agent look as if it had lived so long, with the statistics it has: only their weight changes."""
    clock, running, views = agent.arena.clock, agent.arena.running, agent.arena.views
    clock.tick = clock.episode = tick
    views["observation_m2"] *= (count - 1) / (running.observation_count - 1)
    running.observation_count = count
    views["returns"][:3] *= count / views["returns"][0]


@pytest.mark.any_arithmetic
@pytest.mark.parametrize("count", [1e9, 1e12, 1e15, 2.0**53])
@pytest.mark.parametrize("changes", [{}, {"action": CONTROLS}], ids=["default", "controls"])
def test_an_old_agent_counts_normalizes_and_learns_as_a_young_one(changes: dict[str, Any], count: float) -> None:
    agent, young = (make_agent(layers=(8, 8), **changes, **NEVER_FORGET) for _ in range(2))
    for one in (agent, young):
        drive(one, 500, act_only=False)
    age(agent, count)
    before, scale = learned(agent), young.arena.views["returns"].copy()
    ticks, episodes = agent.ticks, agent.episodes
    rng = np.random.default_rng(0)
    inputs = []
    for one in (agent, young):
        rng = np.random.default_rng(0)
        for _ in range(50):
            one.step(float(rng.normal()), rng.normal(size=SIZE))
        inputs.append(one.arena.views["input"].copy())
    agent.end(1.0)
    agent.start(ZEROS)
    assert (agent.ticks, agent.episodes) == (ticks + 51, episodes + 1)
    assert_finite(agent)
    np.testing.assert_allclose(inputs[0], inputs[1], atol=0.5)
    assert scale[0] < young.arena.views["returns"][0]
    after = learned(agent)
    assert all((after[name] != before[name]).any() for name in ("actor/w", "critic/w", "actor/0/w", "critic/1/w"))


# How far a mean of 1 moves in 1000 samples of 2, and how exactly: rounding is 2^-53 a sample, the move 1 / count.
@pytest.mark.any_arithmetic
@pytest.mark.parametrize(("count", "exact"), [(1e6, 1e-6), (1e9, 1e-6), (1e12, 1e-3), (1e15, 0.2)])
def test_means_still_move(count: float, exact: float) -> None:
    agent = make_agent(**NEVER_FORGET)
    drive(agent, 100, act_only=False)
    age(agent, count)
    agent.arena.views["observation_mean"][:] = 1.0
    for _ in range(1000):
        agent.step(0.0, np.full(SIZE, 2.0))
    moved = agent.arena.views["observation_mean"] - 1.0
    np.testing.assert_allclose(moved, 1000 / (count + 1000), rtol=exact)


@pytest.mark.any_arithmetic
def test_a_mean_of_more_samples_than_a_float_can_count_stands_still_and_stays_right() -> None:
    agent = make_agent(**NEVER_FORGET)
    drive(agent, 100, act_only=False)
    age(agent, 2.0**54)
    agent.arena.views["observation_mean"][:] = 1.0
    for _ in range(100):
        agent.step(0.0, np.full(SIZE, 2.0))
    assert (agent.arena.views["observation_mean"] == 1.0).all()
    assert_finite(agent)


@pytest.mark.any_arithmetic
def test_by_default_no_statistic_is_ever_that_old() -> None:
    agent = make_agent(statistics_horizon=1000)
    drive(agent, 6000, act_only=False)
    assert agent.arena.running.observation_count == pytest.approx(1000, abs=1)
    assert agent.arena.views["returns"][0] == pytest.approx(1000, abs=1)
    assert Config().statistics_horizon <= 10**9
    agent.arena.views["observation_mean"][:] = 1.0
    for _ in range(5000):
        agent.step(0.0, np.full(SIZE, 2.0))
    np.testing.assert_allclose(agent.arena.views["observation_mean"], 2.0 - 0.999**5000, rtol=1e-9)


@pytest.mark.any_arithmetic
@pytest.mark.parametrize("rate", [0.05, 0.01])
@pytest.mark.parametrize("value", [0.0, 1e-25, 0.1, 1.0, 3.7e6])
def test_running_means_in_single_precision_arrive(rate: float, value: float) -> None:
    """They stop when a step is below half a unit in the last place: half a unit over the rate away, no farther."""
    for first in (0.0, 1.0, 1e7):
        mean, sample = np.full(4, first, np.float32), np.full(4, value, np.float32)
        for _ in range(20_000):
            running_mean(rate, sample, mean, 1e-30)
        np.testing.assert_allclose(mean, value, rtol=2e-7 / rate, atol=1e-29)


@pytest.mark.any_arithmetic
def test_a_step_cannot_carry_weights_away() -> None:
    """All weights of the critic together move by at most td_error_scale / kappa a tick: 10^12 ticks cannot overflow."""
    agent = make_agent(layers=(8, 8), kappa_value=2.0, normalize_rewards=False)
    rng = np.random.default_rng(0)
    agent.start(ZEROS)
    names = [name for name in agent.arena.views if name.startswith("critic") and name.endswith("/w")]
    before = {name: agent.arena.views[name].astype(float) for name in names}
    most = 0.0
    for _ in range(500):
        agent.step(float(rng.standard_cauchy()), rng.normal(size=SIZE))
        after = {name: agent.arena.views[name].astype(float) for name in names}
        most = max(most, sum(np.abs(after[name] - before[name]).sum() for name in names))
        before = after
    assert 0.05 < most < 0.5 * 1.001


def faint(agent: Agent) -> dict[str, float]:
    """Return what is denormal, or not 0 and below 1e-30 in a trace, by name."""
    found = {}
    for name, view in agent.arena.views.items():
        kind = name.split("/")[-1]
        if kind in WORK:
            continue
        floor = 1e-30 if kind in TRACES else np.finfo(view.dtype).tiny
        size = np.abs(view[view != 0])
        if size.size and size.min() < floor:
            found[name] = float(size.min())
    return found


@pytest.mark.any_arithmetic
@pytest.mark.parametrize("changes", OPTIONS.values(), ids=list(OPTIONS))
@pytest.mark.parametrize("rest", [0.0, pytest.param(1e-40, marks=pytest.mark.slow)], ids=["zero", "denormal"])
def test_a_stream_that_falls_silent_leaves_nothing_faint(changes: dict[str, Any], rest: float) -> None:
    """With a short memory, statistics decay as far in 20,000 ticks as by default in 2 * 10^8."""
    agent = make_agent(layers=(8, 8), statistics_horizon=100, **changes)
    drive(agent, 300, act_only=False)
    agent.arena.views["spike_rates"][:] *= 1e-290
    quiet = np.full(SIZE, rest)
    rng = np.random.default_rng(0)
    for k in range(20_000):
        agent.step(0.0, quiet if k % 3 else np.array([*rng.normal(size=SIZE - 1), rest]) if k < 15_000 else quiet)
        if k % 50 == 0:
            assert faint(agent) == {}, k
    assert_finite(agent)


@pytest.mark.any_arithmetic
def test_a_million_silent_ticks() -> None:
    agent = make_agent(statistics_horizon=5000)
    drive(agent, 300, act_only=False)
    step = agent.step
    for _ in range(100):
        for _ in range(10_000):
            step(0.0, ZEROS)
        assert faint(agent) == {}
    views = agent.arena.views
    for name in ("observation_mean", "observation_m2"):
        assert (views[name] == 0).all()
    assert (views["returns"][1:4] == 0).all()
    before = learned(agent)
    drive(agent, 300, seed=1, act_only=False)
    after = learned(agent)
    assert all((after[name] != before[name]).any() for name in ("actor/w", "critic/w", "actor/0/w"))


def test_an_old_agent_learns_a_task_from_the_beginning() -> None:
    env = gymnasium.make("synaptick/MatchObservation-v0")
    agent = make_agent(observation=env.observation_space, action=env.action_space, layers=(16, 16), **NEVER_FORGET)
    agent.start([0.5])
    agent.step(0.5, [-0.5])
    age(agent, 1e9)
    agent.arena.views["observation_mean"][:], agent.arena.views["observation_m2"][:] = 0.0, 1e9
    agent.arena.views["returns"][:3] = 1e9, 0.0, 1e9
    tally = run(agent, env, 3000, seed=0, tally=Tally(steps=2**53 + 1, episodes=2**53 + 1))
    assert tally.mean_return is not None
    assert tally.mean_return > 0.8
    assert (tally.steps, tally.episodes) == (2**53 + 3001, 2**53 + 3001)
    assert (agent.ticks, agent.episodes) == (OLD + 3000, OLD + 3001)


def test_steps_beyond_all_floats_stay_exact_on_disk(tmp_path: Path) -> None:
    agent = make_agent()
    folder = RunFolder.create(tmp_path / "run", agent)
    tally = Tally(steps=2**53 + 1, episodes=2**60 + 1)
    for _ in range(3):
        for _ in range(2):
            tally.add(1.0)
        tally.close()
        folder.write_episode(tally)
    folder.write_checkpoint(agent, tally)
    folder.close()
    lines = (tmp_path / "run" / "results.csv").read_text().splitlines()[1:]
    assert [tuple(map(int, line.split(",")[:2])) for line in lines] == [
        (2**53 + 1 + 2 * k, 2**60 + 1 + k) for k in (1, 2, 3)
    ]
    again = RunFolder.open(tmp_path / "run").load().tally
    assert again is not None
    assert (again.steps, again.episodes) == (2**53 + 7, 2**60 + 4)
    assert Results(tmp_path / "run").rewind(2**53 + 5).episodes == 2**60 + 3


@pytest.mark.any_arithmetic
@pytest.mark.parametrize("action", [spaces.Discrete(ACTIONS), CONTROLS], ids=["index", "number"])
def test_an_old_agent_resumes_bit_for_bit(action: Any, tmp_path: Path) -> None:
    agent = make_agent(layers=(8, 8), action=action)
    drive(agent, 300, act_only=False)
    age(agent, 1e6)
    agent.save(tmp_path / "old")
    again = Agent.load(tmp_path / "old")
    for one in (agent, again):
        drive(one, 300, seed=1)
    assert again.ticks == agent.ticks > OLD
    assert state(agent) == state(again)
