"""Faults of a machine while its agent learns: the loop goes on, the report names what happened, the return recovers."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synaptick import Agent
from synaptick.realtime import Loop, Snapshots, Watchdog

from ..support.common import assert_finite
from ..support.machines import MS, FakeClock, Tank, said, tank_agent, tank_loop

LEARNED, AFTER, WINDOW = 8000, 4000, 2000
# Of a reward of at most 1: no valve at all earns about .5 less, a valve at random more than that.
MARGIN = 0.12


def mean(tank: Tank, last: int) -> float:
    """Return the mean true reward of the window that ends with this step."""
    return float(np.mean(tank.rewards[last - WINDOW : last]))


def assert_recovered(loop: Loop, tank: Tank, fault: int) -> None:
    """After a fault of so many steps at step `LEARNED` the loop is as good as it was, and always was sound."""
    report = loop.report()
    assert report["periods"] == len(tank.actions) == LEARNED + fault + AFTER
    assert report["collections"] == 0
    assert all(action in (0, 1, 2) for action in tank.actions)
    assert_finite(loop.guard.agent)
    before, after = mean(tank, LEARNED), mean(tank, LEARNED + fault + AFTER)
    assert before > 0.6  # it had learned
    assert after > before - MARGIN


def steps_of(fault: int) -> int:
    return LEARNED + fault + AFTER


def test_a_sensor_that_sends_nan_for_ten_steps() -> None:
    tank = Tank(0)
    tank.sensed = lambda step, reward, seen: (
        reward,
        seen * np.nan if LEARNED < step <= LEARNED + 10 else seen,
    )
    loop = tank_loop(tank)
    report = loop.run(steps=steps_of(10))
    assert_recovered(loop, tank, 10)
    first, last = said(loop.guard, "input")
    assert first == "observation entry 0 is nan, not finite: hold"
    assert last == f"over: in 10 steps, the last of them {LEARNED + 10}"
    assert len(set(tank.actions[LEARNED - 1 : LEARNED + 10])) == 1
    assert report["agent"]["held"] == 10
    assert report["agent"]["episodes"] == 1  # short enough for the neurons to remember


def test_a_reward_of_nan_for_ten_steps() -> None:
    tank = Tank(1)
    tank.sensed = lambda step, reward, seen: (np.nan if LEARNED < step <= LEARNED + 10 else reward, seen)
    loop = tank_loop(tank, seed=1)
    loop.run(steps=steps_of(10))
    assert_recovered(loop, tank, 10)
    assert said(loop.guard, "reward")[0] == "the reward is nan, not finite: freeze"
    assert loop.guard.frozen == 10


def test_a_dead_sensor() -> None:
    """What it has learned is kept while the error it lives on stands at 0, and is as good as before after that."""
    tank, fault = Tank(0), 1000

    def sensed(step: int, reward: Any, seen: Any) -> Any:
        if LEARNED < step <= LEARNED + fault:
            seen[0] = 0.0
        return reward, seen

    tank.sensed = sensed
    loop = tank_loop(tank, Watchdog(sensor="freeze", sensor_steps=40))
    loop.run(steps=steps_of(fault))
    assert_recovered(loop, tank, fault)
    assert said(loop.guard, "sensor")[0] == "observation entries that do not move: 0: freeze"
    assert fault - 80 <= loop.guard.frozen <= fault


def test_a_reward_spike() -> None:
    tank = Tank(0)
    tank.sensed = lambda step, reward, seen: (1e9 if step == LEARNED + 1 else reward, seen)
    loop = tank_loop(tank)
    loop.run(steps=steps_of(1))
    assert_recovered(loop, tank, 1)
    assert said(loop.guard, "reward")[0].startswith("the reward is 1e+09, the largest before was ")
    assert abs(loop.guard.agent.expected_return) < 2e2  # the scale of rewards is what it was


@pytest.mark.parametrize("seed", [0, 1])
def test_a_reward_spike_harms_an_agent_without_the_guard_against_it(seed: int) -> None:
    """The test above could not fail otherwise: here the scale of rewards is lost for long."""
    tank = Tank(seed)
    tank.sensed = lambda step, reward, seen: (1e9 if step == LEARNED + 1 else reward, seen)
    loop = tank_loop(tank, Watchdog(reward_jump=None))
    loop.run(steps=steps_of(1))
    assert abs(loop.guard.agent.expected_return) > 4e2


def test_an_actuator_that_is_stuck_and_says_so() -> None:
    tank, fault = Tank(0), 1000
    stuck: list[Any] = [1]

    def acted(step: int, action: Any) -> Any:
        stuck[0] = 2 if LEARNED < step <= LEARNED + fault else action
        return stuck[0]

    tank.acted = acted
    tank.applied = lambda: stuck[0]  # type: ignore[attr-defined]
    loop = tank_loop(tank, Watchdog(actuator_tolerance=0, actuator_steps=3))
    loop.run(steps=steps_of(fault))
    assert_recovered(loop, tank, fault)
    assert said(loop.guard, "actuator")[0] in [
        f"the actuator reports [2] where [{sent}] was sent: freeze" for sent in (0, 1)
    ]
    assert loop.guard.frozen > 0.3 * fault


def test_an_actuator_that_is_stuck_and_does_not_say_so() -> None:
    """The running return shows it; what was learned meanwhile is undone."""
    tank, fault = Tank(0), 1500
    tank.acted = lambda step, action: 2 if LEARNED < step <= LEARNED + fault else action
    watchdog = Watchdog(collapse_share=0.5, return_steps=500, collapse_steps=500)
    loop = tank_loop(tank, watchdog)
    loop.run(steps=steps_of(fault))
    assert_recovered(loop, tank, fault)
    assert "rollback to the snapshot of step" in said(loop.guard, "collapse")[0]
    assert int(said(loop.guard, "collapse")[0].split()[-1]) <= LEARNED + 500


def test_an_observation_that_jumps_a_hundredfold() -> None:
    tank = Tank(0)
    tank.sensed = lambda step, reward, seen: (reward, 100.0 * seen if LEARNED < step <= LEARNED + 10 else seen)
    loop = tank_loop(tank, Watchdog(observation_jump=10.0))
    loop.run(steps=steps_of(10))
    assert_recovered(loop, tank, 10)
    assert " jumps to " in said(loop.guard, "input")[0]
    assert loop.guard.substitute.held >= 1


@pytest.mark.parametrize("jump", [3600 * 1000 * MS, -3600 * 1000 * MS], ids=["forwards", "backwards"])
def test_a_clock_that_jumps(jump: int) -> None:
    tank, clock = Tank(0), FakeClock()
    clock.jumps = {LEARNED * MS: jump}
    loop = tank_loop(tank, clock=clock)
    report = loop.run(steps=steps_of(0))
    assert_recovered(loop, tank, 0)
    assert (report["jumps"], report["misses"], report["skipped"]) == (1, 0, 0)
    assert said(loop.guard, "clock")[0].startswith("the clock jumped by ")
    assert report["agent"]["restarted"] == 1


@pytest.fixture
def _limits() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.usefixtures("_limits")
def test_a_disk_that_is_full_while_a_snapshot_is_written(tmp_path: Path) -> None:
    tank = Tank(0)
    agent = tank_agent()
    snapshots = Snapshots(agent, every=500, folder=tmp_path, write_every=1000)
    loop = Loop(agent, tank, 1000, clock=FakeClock(), spin=0.0, snapshots=snapshots)

    def run(steps: int) -> None:
        """Let each snapshot be written before the next: this loop is faster than any disk."""
        for _ in range(steps // 500):
            loop.run(steps=500)
            assert snapshots.wait(60.0)

    run(LEARNED)
    written = snapshots.written
    assert written >= 7
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    run(2000)
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert Agent.load(tmp_path / "agent.synaptick").ticks <= LEARNED  # the last good one is whole
    run(2000)
    loop.close()
    assert_recovered(loop, tank, 0)
    texts = said(loop.guard, "disk")
    assert len(texts) == 2  # once, not for each try
    assert "cannot be written: File too large; the loop goes on; make room" in texts[0]
    assert texts[1].startswith("snapshots are written again: that of step ")
    assert snapshots.failed >= 3
    assert snapshots.written > written
    assert Agent.load(tmp_path / "agent.synaptick").ticks == agent.ticks
    assert sorted(path.name for path in tmp_path.iterdir()) == ["agent.older.synaptick", "agent.synaptick"]


def test_a_day_on_which_everything_happens() -> None:
    """One fault after the other, and some at once, each named in the report."""
    tank, clock = Tank(2), FakeClock()
    rng = np.random.default_rng(0)

    def sensed(step: int, reward: Any, seen: Any) -> Any:
        if step <= LEARNED or step > LEARNED + 3000:
            return reward, seen
        if step == LEARNED + 500:
            clock.time += 5 * MS
        if step % 400 == 0:
            raise TimeoutError("no answer")
        if step % 300 < 10:
            seen[rng.integers(2)] = rng.choice([np.nan, np.inf, -np.inf, 1e300])
        return (1e9 if step == LEARNED + 1111 else reward), seen

    tank.sensed = sensed
    clock.jumps = {(LEARNED + 2000) * MS: 60_000 * MS}
    loop = tank_loop(tank, Watchdog(observation_low=-100.0, observation_high=100.0), seed=2, clock=clock)
    report = loop.run(steps=LEARNED + 2500)
    loop.guard.agent.arena.views["actor/w"][0, :5] = np.nan
    report = loop.run(steps=500 + AFTER)
    assert_recovered(loop, tank, 3000)
    assert {"input", "sense", "reward", "overrun", "clock", "state"} <= report["events"]["counts"].keys()
    assert report["agent"]["in_service"]
    assert report["failures"]["sense"] in (7, 8)
