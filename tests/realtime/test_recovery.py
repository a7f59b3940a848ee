"""When the agent itself goes wrong: broken numbers, a collapsed return, and the way back."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick import InputError
from synaptick.realtime import Guard, Loop, Watchdog
from synaptick.realtime.action_limits import is_finite
from synaptick.realtime.running_return import RunningReturn

from ..support.common import PARTS, SIZE, assert_finite, make_agent, state
from ..support.machines import VALVE, FakeClock, guarded, lead, said, stream

# ---- the agent itself


@pytest.mark.parametrize("name", ["actor/0/w", "critic/credit", "critic/w", "actor/0/rho"])
@pytest.mark.parametrize("response", ["rollback", "hold", "fallback"])
def test_a_broken_number_is_found_and_undone(name: str, response: str) -> None:
    watchdog = Watchdog(scan=64, state=response, fallback_steps=4)
    guard = guarded(watchdog, fallback=lambda seen: 2, snapshots=None)
    lead(guard, 1005)
    guard.agent.arena.views[name].flat[1] = np.nan
    for reward, observation in stream(guard.recovery.scan.steps, 1):
        assert guard.step(reward, observation) in (0, 1, 2)
    assert_finite(guard.agent)
    report = guard.report()["agent"]
    assert report["rolled_back"] == 1
    assert report["held"] == (response == "hold")
    assert (report["handed_over"] > 0) == (response == "fallback")
    (event,) = said(guard, "state")
    assert event.startswith("not finite: ")
    assert event.endswith("rollback to the snapshot of step 1000")
    lead(guard, 5, 2)
    assert guard.agent.running


def test_every_number_of_the_state_is_looked_at() -> None:
    for action in (None, VALVE):
        guard = guarded(Watchdog(scan=48), action)
        lead(guard, 5)
        scan = guard.recovery.scan
        assert all(scan.step() for _ in range(2 * scan.steps))
        arena = guard.agent.arena
        places = [(arena.floats, k) for k in range(arena.floats.size)]
        bounds = [arena.views[name] for name in ("control_low", "control_high")]
        for k in range(arena.reals.size):
            if not any(np.shares_memory(arena.reals[k : k + 1], view) for view in bounds if view.size):
                places.append((arena.reals, k))
        for numbers, k in places[::7]:
            kept = numbers[k]
            for broken in (np.nan, np.inf):
                numbers[k] = broken
                assert not all(scan.step() for _ in range(scan.steps)), k
            numbers[k] = kept
        assert all(scan.step() for _ in range(scan.steps))


def test_a_snapshot_that_does_not_last_is_not_used_again_and_in_the_end_the_agent_is_not_asked() -> None:
    guard = guarded(Watchdog(), snapshots=None)
    lead(guard, 2500)
    steps = []
    for seed in range(6):
        guard.agent.arena.views["critic/w"][0, 0] = np.nan
        steps.append(guard.snapshots.steps)
        lead(guard, 3, seed)
    assert steps == [[0, 1000, 2000], [0, 1000, 2000], [0, 1000], [0], [], []]
    assert not guard.report()["agent"]["in_service"]
    assert "the agent is not asked any more" in said(guard, "state")[-1]
    ticks = guard.agent.ticks
    assert len(set(lead(guard, 50))) == 1
    assert guard.agent.ticks == ticks


def test_a_rollback_on_demand_is_bit_for_bit_until_the_next_step() -> None:
    guard = guarded()
    lead(guard, 1000)
    expected = state(guard.agent)
    lead(guard, 100, 1)
    assert guard.roll_back(exact=True)
    assert state(guard.agent) == expected
    episodes = guard.agent.episodes
    lead(guard, 1, 2)
    assert guard.agent.episodes == episodes + 1


@pytest.mark.parametrize("action", [None, VALVE, PARTS, spaces.Box(-5, 5, (2,), np.int32)], ids=str)
def test_wherever_the_agent_breaks_what_it_sends_is_finite(action: Any) -> None:
    """A NaN of which no whole number can be made is no reason to stop either."""
    for name, view in make_agent(action=action).arena.views.items():
        for bad in (np.nan, np.inf) if view.size and view.dtype.kind == "f" else ():
            guard = guarded(Watchdog(scan=256), action)
            lead(guard, 5)
            guard.agent.arena.views[name].flat[0] = bad
            assert all(is_finite(sent) for sent in lead(guard, guard.recovery.scan.steps, 1)), name
            assert guard.agent.running


def test_an_action_of_a_snapshot_that_breaks_at_once_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers may be finite, and what is computed from them not."""
    guard = guarded(action=VALVE)
    held = lead(guard, 1005)[-1]
    start = guard.agent.start

    def breaks(*given: Any) -> Any:
        start(*given)
        guard.agent.arena.views["action"][:] = np.nan
        return np.full(2, np.nan)

    monkeypatch.setattr(guard.agent, "start", breaks)
    guard.agent.arena.views["critic/w"][:] = np.nan
    assert (guard.step(*stream(1, 1)[0]) == held).all()
    assert guard.recovery.count == 1
    monkeypatch.undo()
    lead(guard, 5, 2)
    assert guard.agent.running
    assert_finite(guard.agent)


def test_an_agent_that_is_broken_from_the_first_needs_something_to_send() -> None:
    agent = make_agent()
    agent.arena.views["critic/w"][:] = np.nan
    with pytest.raises(InputError, match="safe_action"):
        Guard(agent, clock=FakeClock()).step(0.0, np.zeros(SIZE))
    assert Guard(agent, clock=FakeClock(), safe_action=2).step(0.0, np.zeros(SIZE)) == 2
    controller = Guard(agent, clock=FakeClock(), fallback=lambda seen: 1)
    assert [controller.step(0.0, np.zeros(SIZE)) for _ in range(3)] == [1, 1, 1]


# ---- the return


def test_the_running_return_tells_short_episodes_from_long_ones() -> None:
    found = []
    for length in (10, 500):
        returns = RunningReturn(Watchdog(return_steps=2000), 0.99)
        for step in range(20_000):
            returns.add(1.0)
            if step % length == length - 1:
                returns.open()
        found.append(returns.mean)
    assert found[0] == pytest.approx(5.3, abs=0.5)
    assert found[1] > 70


@pytest.mark.parametrize("settings", [{"collapse_below": 10.0}, {"collapse_share": 0.5}])
def test_a_collapse_is_undone_once_and_then_lived_with(settings: dict[str, Any]) -> None:
    watchdog = Watchdog(return_steps=500, collapse_steps=300, reward_jump=None, **settings)
    guard = Guard(make_agent(), watchdog, clock=FakeClock(), snapshots=None)
    events = stream(100)
    pay = [0.0] * 600 + [1.0] * 4000 + [-1.0] * 8000
    restored = []
    for k, reward in enumerate(pay):
        guard.step(reward, events[k % 100][1])
        if guard.recovery.count > len(restored):
            restored.append(k)
    assert len(restored) == 1
    assert 4600 + 300 < restored[0] < 4600 + 2000
    texts = said(guard, "collapse")
    assert "rollback to the snapshot of step " in texts[0]
    assert int(texts[0].split()[-1]) <= 4600  # not one of when it had begun
    assert "again after a rollback: report, and take this for the new normal" in texts[1]


def test_noise_is_no_collapse() -> None:
    guard = guarded(Watchdog(return_steps=500, collapse_steps=300, collapse_share=0.9))
    rng, observation = np.random.default_rng(0), np.zeros(SIZE)
    for _ in range(20_000):
        guard.step(float(rng.normal()), observation)
    assert said(guard, "collapse") == []


@pytest.mark.parametrize("offset", [0.0, -500.0, 500.0])
@pytest.mark.parametrize("settings", [{"collapse_below": -25.0}, {"collapse_share": 0.5}], ids=str)
def test_a_collapse_is_told_from_noise_whatever_the_sign_of_the_return(offset: float, settings: dict[str, Any]) -> None:
    """From -50 up to 0 and down again, all of it moved by `offset`."""
    if "collapse_below" in settings:
        settings = {"collapse_below": settings["collapse_below"] + offset}
    returns = RunningReturn(Watchdog(return_steps=500, collapse_steps=300, **settings), 0.9)
    rng, found = np.random.default_rng(0), []
    for step, level in enumerate([-5.0] * 1500 + [0.0] * 4000 + [-5.0] * 4000):
        returns.add(level + 0.1 * (offset + rng.normal()))
        if returns.collapsed:
            found.append(step)
    assert 5500 + 300 < found[0] < 5500 + 1500


@pytest.mark.parametrize("settings", [{"collapse_below": 0.0}, {"collapse_share": 0.9}], ids=str)
def test_returns_that_are_always_the_same_have_not_collapsed(settings: dict[str, Any]) -> None:
    for reward in (0.0, -1.0, 1.0):
        returns = RunningReturn(Watchdog(return_steps=50, collapse_steps=30, **settings), 0.9)
        for _ in range(1000):
            returns.add(reward)
        assert not returns.collapsed


def test_no_reward_is_so_large_that_the_running_return_is_lost() -> None:
    guard = guarded(Watchdog(reward_jump=None, return_steps=20, collapse_below=0.0))
    observation = np.zeros(SIZE)
    for reward in [1.7e308] * 200 + [-1.7e308] * 200 + [1.0] * 5000:
        guard.step(reward, observation)
    report = json.loads(json.dumps(guard.report(), allow_nan=False))
    assert report["agent"]["running_return"] == pytest.approx(1.0 / (1.0 - guard.agent.config.discount), rel=1e-3)


# ---- a new process


def test_a_guard_on_an_agent_whose_episode_runs_begins_another() -> None:
    """What a machine did while no program ran is not laid to the last action; nor is its first reward looked at."""
    guard = guarded()
    lead(guard, 50)
    before = guard.agent.snapshot()
    weights, episodes = guard.agent.arena.views["actor/w"].copy(), guard.agent.episodes
    later = Guard(guard.agent, Watchdog(reward="hold"), clock=FakeClock())
    later.step(np.nan, stream(1)[0][1])
    assert (guard.agent.arena.views["actor/w"] == weights).all()
    assert guard.agent.episodes == episodes + 1
    assert later.log.events() == []
    twin = make_agent()
    twin.restore(before)
    twin.end(0.0, learn=False)
    twin.start(stream(1)[0][1])
    for reward, observation in stream(20, 1):
        assert later.step(reward, observation) == twin.step(reward, observation)
    assert state(twin) == state(guard.agent)
    twin.restore(before)
    exact = Guard(twin, go_on=True, clock=FakeClock())
    guard.agent.restore(before)
    for reward, observation in stream(20, 1):
        assert exact.step(reward, observation) == guard.agent.step(reward, observation)
    assert state(twin) == state(guard.agent)


def test_the_first_action_keeps_the_rate_from_what_the_machine_has_at_rest() -> None:
    watchdog = Watchdog(action_rate=0.05)
    guard = guarded(watchdog, VALVE, safe_action=np.full(2, 0.5))
    assert np.abs(lead(guard, 1)[0] - 0.5).max() <= 0.05 + 1e-12
    bare = guarded(watchdog, VALVE)
    assert np.abs(lead(bare, 1)[0]).max() > 0.1  # of which nothing is known

    sent: list[Any] = []

    class Still:
        def sense(self) -> tuple[float, Any]:
            return 0.0, np.zeros(SIZE)

        def act(self, action: Any) -> None:
            sent.append(action)

    loop = Loop(
        guarded(watchdog, VALVE, safe_action=np.full(2, 0.5)),
        Still(),
        1000,
        clock=FakeClock(),
        spin=0.0,
        final_action=np.full(2, -0.5),
    )
    loop.run(steps=1)
    assert np.abs(sent[0] + 0.5).max() <= 0.05 + 1e-12
