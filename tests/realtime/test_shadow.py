"""An agent that looks on, takes over when it is told, and gives back; and how a loop says that it stands."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick import ConfigError
from synaptick.kernels.layout import FOLLOWING
from synaptick.realtime import Guard, Snapshots, Watchdog

from ..support.common import SIZE, make_agent
from ..support.machines import NAN, FakeClock, Tank, by_hand, said, stream, tank_agent, tank_loop

SECOND = 1_000_000_000
PAIR = spaces.Box(-1.0, 1.0, (2,), np.float64)


def halves(observation: Any) -> Any:
    return np.array([0.5, -0.5])


def looking_on(action: Any = PAIR, controller: Any = halves, **options: Any) -> tuple[Guard, FakeClock]:
    clock = FakeClock()
    agent = make_agent(action=action)
    return Guard(agent, options.pop("watchdog", None), fallback=controller, shadow=True, clock=clock, **options), clock


def test_the_controller_acts_and_the_agent_is_given_what_it_does() -> None:
    guard, _ = looking_on()
    other = make_agent(action=PAIR)
    for k, (reward, observation) in enumerate(stream(40)):
        assert guard.step(reward, observation).tolist() == [0.5, -0.5]
        if k:
            other.step(reward, observation, taken=[0.5, -0.5])
        else:
            other.start(observation, taken=[0.5, -0.5])
    assert (guard.agent.snapshot() == other.snapshot()).all()
    assert guard.agent.arena.clock.stale == FOLLOWING
    assert guard.substitute.gap == guard.substitute.held == 0
    assert guard.sharing.authority == 0.0


def test_the_distance_falls_and_is_that_of_the_means() -> None:
    guard, _ = looking_on()
    events = stream(3000)
    guard.step(*events[0])
    first = guard.sharing.distance
    expected = np.sqrt((((guard.agent.means - [0.5, -0.5]) / 2.0) ** 2).mean())
    assert first == pytest.approx(expected)
    for reward, observation in events[1:]:
        guard.step(reward, observation)
    assert guard.sharing.distance < 0.5 * first


def test_of_categories_the_distance_is_the_probability_of_others() -> None:
    guard, _ = looking_on(spaces.MultiDiscrete([3, 2]), lambda observation: np.array([2, 0]))
    guard.step(0.0, np.zeros(SIZE))
    missed = 1.0 - guard.agent.probabilities[[2, 3]]
    assert guard.sharing.distance == pytest.approx(float(np.sqrt((missed**2).mean())))


def test_the_agent_takes_over_without_a_jump_when_it_is_told() -> None:
    guard, clock = looking_on(hand_over_seconds=10.0)
    events = stream(60)
    for reward, observation in events[:20]:
        guard.step(reward, observation)
    weights = guard.agent.arena.views["actor/w"].copy()
    guard.shadow = False
    for k, (reward, observation) in enumerate(events[20:35]):
        applied = guard.step(reward, observation)
        if k == 0:  # the credit is for the controller's actions: nothing of it is laid to the agent's
            assert (guard.agent.arena.views["actor/w"] == weights).all()
        own, share = guard.agent.last_action, min(k / 10.0, 1.0)
        assert guard.sharing.authority == pytest.approx(share)
        np.testing.assert_allclose(applied, share * own + (1.0 - share) * np.array([0.5, -0.5]), atol=1e-12)
        clock.time += SECOND
    assert guard.agent.arena.clock.stale == 0
    assert (guard.agent.arena.views["actor/w"] != weights).any()
    guard.shadow = True
    assert guard.step(*events[40]).tolist() == [0.5, -0.5]  # back at once
    assert guard.agent.arena.clock.stale == FOLLOWING
    texts = said(guard, "shadow")
    assert texts[0].startswith("the agent takes over in 10 s; it would have done ")
    assert texts[1] == "the controller acts, the agent looks on"


def test_what_cannot_be_mixed_is_handed_over_at_once() -> None:
    tank = Tank()
    loop = tank_loop(tank, fallback=by_hand, shadow=True)
    loop.run(steps=200)
    observed_by_hand = [int(action) for action in tank.actions]
    assert set(observed_by_hand) <= {0, 1, 2}
    assert loop.shadow
    loop.shadow = False
    loop.run(steps=1)
    assert (loop.shadow, loop.status()["authority"]) == (False, 1.0)
    assert tank.actions[-1] == loop.guard.agent.last_action


def test_while_it_looks_on_it_is_taught_nothing_by_bad_input_and_a_rollback_goes_unnoticed() -> None:
    guard, _ = looking_on(watchdog=Watchdog(input="fallback", fallback_steps=0))
    for reward, observation in stream(10):
        guard.step(reward, observation)
    before = guard.agent.snapshot()
    assert guard.step(0.0, NAN).tolist() == [0.5, -0.5]
    assert (guard.agent.snapshot() == before).all()
    guard.agent.arena.views["actor/w"][0] = np.nan
    for reward, observation in stream(5, seed=1):
        assert guard.step(reward, observation).tolist() == [0.5, -0.5]
    assert guard.recovery.count == 1
    assert np.isfinite(guard.agent.arena.views["actor/w"]).all()
    guard.end(1.0)
    assert not guard.agent.running


def test_a_return_that_collapses_under_the_controller_is_not_the_agents() -> None:
    watchdog = Watchdog(collapse_below=0.0, return_steps=50, collapse_steps=20)
    guard, _ = looking_on(watchdog=watchdog)
    for k in range(2000):
        guard.step(1.0 if k < 200 else -1.0, np.zeros(SIZE))
    assert guard.recovery.returns.collapsed
    assert guard.recovery.count == 0
    guard.shadow = False
    guard.step(-1.0, np.zeros(SIZE))
    guard.step(-1.0, np.zeros(SIZE))
    assert guard.recovery.count == 1


def test_a_controller_that_returns_no_action_of_the_space_is_held() -> None:
    answers = iter([1, 7, 1])
    guard, _ = looking_on(spaces.Discrete(3), lambda observation: next(answers))
    found = [int(guard.step(0.0, np.zeros(SIZE))) for _ in range(3)]
    assert found == [1, 1, 1]
    assert "whole numbers from 0 to 2: hold" in said(guard, "controller")[0]


@pytest.mark.parametrize("response", ["limit", "hold", "fallback"])
def test_a_controller_of_another_precision_is_no_violation_and_always_acts(response: str) -> None:
    """0.1 is no float32; what is only rounded is sent, and what is beyond a limit is limited, not refused."""
    asked = iter([0.1, 0.2, 0.3, 0.9, 0.4])
    watchdog = Watchdog(action=response, action_low=-0.5, action_high=0.5, fallback_steps=0)
    arm = spaces.Box(-1.0, 1.0, (1,), np.float32)
    guard, _ = looking_on(arm, lambda observation: np.array([next(asked)]), watchdog=watchdog)
    sent = [float(guard.step(0.0, np.zeros(SIZE))[0]) for _ in range(5)]
    assert sent == [float(np.float32(number)) for number in (0.1, 0.2, 0.3, 0.5, 0.4)]
    assert guard.substitute.held == guard.substitute.handed_over == guard.substitute.gap == 0
    assert guard.spells.steps == {"action": 1}
    assert said(guard, "action")[0].endswith("allowed now are -0.5 to 0.5: limit")


def test_somebody_has_to_act() -> None:
    with pytest.raises(ConfigError, match="give a controller with fallback="):
        Guard(make_agent(), shadow=True)
    guard = Guard(make_agent())
    with pytest.raises(ConfigError, match="give a controller with fallback="):
        guard.shadow = True
    with pytest.raises(ConfigError, match="hand_over_seconds is -1"):
        Guard(make_agent(), hand_over_seconds=-1)


# ---- status

KEYS = (
    *("state", "trouble", "violations", "periods", "ticks", "seconds", "late_us", "misses", "skipped", "reward"),
    *("value", "running_return", "shadow", "shadow_distance", "authority", "rolled_back", "checkpoint_age"),
)


def test_status_is_small_plain_and_right(tmp_path: Path) -> None:
    agent = tank_agent()
    tank = Tank()
    clock = FakeClock()
    from synaptick.realtime import Loop

    snapshots = Snapshots(agent, every=50, folder=tmp_path, write_every=50)
    loop = Loop(agent, tank, 1000, clock=clock, spin=0.0, fallback=by_hand, shadow=True, snapshots=snapshots)
    before = loop.status()
    assert tuple(before) == KEYS
    assert (before["state"], before["reward"], before["shadow_distance"]) == ("ready", None, None)
    assert before["checkpoint_age"] is None
    tank.sensed = lambda step, reward, seen: (reward, np.full(2, np.nan)) if step == 30 else (reward, seen)
    loop.run(steps=100)
    snapshots.wait(10.0)
    loop.run(steps=100)
    found = loop.status()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["state"], found["periods"], found["ticks"]) == ("stopped", 200, loop.guard.agent.ticks)
    assert found["reward"] == tank.rewards[-1]
    assert found["value"] == agent.expected_return
    assert 0.0 < found["shadow_distance"] <= 1.0
    assert (found["violations"], found["shadow"], found["authority"]) == ({"input": 1}, True, 0.0)
    assert 0.0 <= found["checkpoint_age"] <= 0.2
    loop.close()


def test_status_may_be_asked_by_another_thread_and_says_what_runs() -> None:
    tank, states = Tank(), []
    loop = tank_loop(tank)

    def act(step: int, action: Any) -> Any:
        thread = threading.Thread(target=lambda: states.append(loop.status()))
        thread.start()
        thread.join()
        return action

    tank.acted = act
    loop.run(steps=5)
    assert [state["state"] for state in states] == ["running"] * 5
    assert [state["periods"] for state in states] == [1, 2, 3, 4, 5]


def test_an_exception_that_ends_a_run_is_a_fault() -> None:
    tank = Tank()
    loop = tank_loop(tank)

    def sensed(*_: Any) -> Any:
        raise SystemExit(3)

    tank.sensed = sensed
    with pytest.raises(SystemExit):
        loop.run(steps=5)
    assert (loop.status()["state"], loop.stopped) == ("faulted", "SystemExit")
    tank.sensed = lambda step, reward, seen: (reward, seen)
    loop.run(steps=5)
    assert loop.status()["state"] == "stopped"
    loop.guard.recovery.gave_up = True
    assert loop.status()["state"] == "faulted"
