"""An agent on top of a controller: what is applied, what is learned from, and how far it may go."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick import ConfigError
from synaptick.realtime import Guard, Loop, Residual, Watchdog

from ..support.common import SIZE, make_agent
from ..support.machines import NAN, FakeClock, said, stream

SECOND = 1_000_000_000
ARM = spaces.Box(np.array([-1.0, 0.0]), np.array([1.0, 4.0]), dtype=np.float64)


class Pi:
    """A controller that counts its calls and keeps what it is told."""

    def __init__(self, answer: Any = (0.5, 1.0)) -> None:
        self.answer, self.calls, self.told = answer, 0, list[Any]()

    def __call__(self, observation: Any) -> Any:
        self.calls += 1
        return np.array(self.answer)

    def was_sent(self, action: Any) -> None:
        self.told.append(action)


def residual(authority: Any = 0.25, seconds: float = 10.0, answer: Any = (0.5, 1.0), **changes: Any) -> Residual:
    return Residual(Pi(answer), make_agent(action=ARM, **changes), authority, seconds)


def guard_of(found: Residual, watchdog: Watchdog | None = None, **options: Any) -> tuple[Guard, FakeClock]:
    clock = FakeClock()
    return Guard(found, watchdog, clock=clock, **options), clock


def test_authority_grows_from_nothing_and_scales_what_is_added() -> None:
    found = residual()
    assert found.limit.tolist() == [0.5, 1.0]  # a quarter of the range
    guard, clock = guard_of(found)
    far = 0.0
    for k, (reward, observation) in enumerate(stream(21)):
        applied = guard.step(reward, observation)
        share = min(k / 10.0, 1.0)
        assert found.authority == guard.sharing.authority == pytest.approx(0.25 * share)
        own = guard.agent.last_action
        expected = np.clip([0.5, 1.0] + share * found.limit * (own - [0.0, 2.0]) / [1.0, 2.0], ARM.low, ARM.high)
        np.testing.assert_allclose(applied, expected, rtol=1e-12)
        assert (np.abs(applied - [0.5, 1.0]) <= share * found.limit + 1e-12).all()
        far = max(far, float(np.abs(applied - [0.5, 1.0]).max()))
        clock.time += SECOND
    assert far > 0.1
    assert guard.report()["agent"]["authority"] == 0.25


def test_the_agent_learns_from_what_it_drew_itself_bit_for_bit() -> None:
    """Controller, scale, ramp and clipping are a part of the machine: the agent's state is that of one without."""
    guard, clock = guard_of(residual(0.8, answer=(0.9, 3.9)), Watchdog(action_rate=0.3))
    alone = make_agent(action=ARM)
    clipped = False
    for k, (reward, observation) in enumerate(stream(60)):
        applied = guard.step(reward, observation)
        clipped |= bool((applied == ARM.high).any())
        assert (alone.step(reward, observation) if k else alone.start(observation)).tolist() == (
            guard.agent.last_action.tolist()
        )
        clock.time += SECOND
    assert clipped
    assert (alone.snapshot() == guard.agent.snapshot()).all()


def test_limits_come_after_the_sum_and_the_controller_is_told_its_own_part_of_what_was_sent() -> None:
    found = residual(1.0, 0.0)
    guard, _ = guard_of(found, Watchdog(action_rate=0.05))
    sent = [guard.step(reward, observation) for reward, observation in stream(30)]
    assert (np.abs(np.diff(sent, axis=0)) <= 0.05 + 1e-12).all()
    assert found.controller.calls == 30
    told = found.controller.told
    assert np.abs(np.array(told) - sent[:-1]).max() > 0.05
    found.controller.answer = (0.5, 9.0)
    guard.step(0.0, np.zeros(SIZE))
    guard.step(0.0, np.zeros(SIZE))
    assert told[-1][1] == pytest.approx(told[-2][1] + 0.05)  # by the rate that it would have had alone
    guard.was_not_sent()
    guard.step(0.0, np.zeros(SIZE))
    assert told[-1].tolist() == told[-2].tolist()
    guard.was_not_sent(instead=np.array([0.25, 3.0]))
    guard.step(0.0, np.zeros(SIZE))
    assert told[-1].tolist() == [0.25, 3.0]


class WoundBack:
    """A PI controller with anti-windup by back-calculation."""

    def __init__(self) -> None:
        self.integral, self.asked = 0.0, 0.0

    def __call__(self, observation: Any) -> Any:
        error = 0.3 * float(observation[0])
        self.integral += 0.1 * error
        self.asked = self.integral + error
        return np.array([self.asked])

    def was_sent(self, action: Any) -> None:
        self.integral += 0.5 * (float(action[0]) - self.asked)


class Pushing(Residual):
    """One whose agent pushes up with all it has."""

    def mixed(self, own: Any, asked: Any) -> Any:
        return super().mixed(np.ones_like(own), asked)


@pytest.mark.parametrize("rate", [None, 0.02], ids=["range", "rate"])
def test_an_integral_that_is_wound_back_does_not_follow_the_agent(rate: float | None) -> None:
    """An agent that always pushes one way moves what is sent by its limit and no more, on the bounds too."""
    space, watchdog = spaces.Box(-1.0, 1.0, (1,), np.float64), Watchdog(action_rate=rate)
    together, alone = WoundBack(), WoundBack()
    guard, _ = guard_of(Pushing(together, make_agent(action=space), 0.1, 0.0), watchdog)
    machine, _ = guard_of(Residual(alone, make_agent(action=space), [0.0], 0.0), watchdog)
    far, on_bound = 0.0, 0
    for k, (reward, observation) in enumerate(stream(400)):
        observation[0] += 3.0 * np.sin(k / 40.0)
        apart = guard.step(reward, observation) - machine.step(reward, observation)
        assert abs(float(apart[0])) <= 0.2 + 1e-9
        assert together.integral == pytest.approx(alone.integral)
        far = max(far, float(apart[0]))
        on_bound += bool(abs(alone.asked) > 1.0)
    assert far > 0.15
    assert on_bound > 20


def test_what_is_held_keeps_the_controllers_part_and_what_it_sends_itself_is_its_own() -> None:
    found = residual(1.0, 0.0)
    guard, _ = guard_of(found, Watchdog(reward="hold", input="fallback", fallback_steps=0))
    guard.step(0.0, np.zeros(SIZE))
    guard.step(np.nan, np.zeros(SIZE))  # holds the sum
    guard.step(0.0, NAN)
    assert found.controller.told == [pytest.approx([0.5, 1.0])]
    found.controller.answer = (0.1, 3.0)
    guard.step(0.0, NAN)
    guard.step(0.0, NAN)
    assert found.controller.told[-1].tolist() == [0.1, 3.0]


@pytest.mark.parametrize("answer", [(np.nan, 0.0), (1.0,), ("left", "right")])
def test_a_controller_that_fails_is_held_and_teaches_nothing(answer: Any) -> None:
    found = residual()
    guard, _ = guard_of(found)
    events = stream(6)
    for reward, observation in events[:3]:
        before = guard.step(reward, observation)
    found.controller.answer = answer
    state = guard.agent.snapshot()
    for reward, observation in events[3:]:
        assert (guard.step(reward, observation) == before).all()
    assert (guard.agent.snapshot() == state).all()
    assert guard.substitute.gap == 3
    assert len(said(guard, "controller")) == 1


def test_bad_input_is_answered_by_the_controller_alone() -> None:
    found = residual(1.0, 0.0)
    guard, _ = guard_of(found, Watchdog(input="fallback", fallback_steps=2))
    guard.step(0.0, np.zeros(SIZE))
    assert guard.step(0.0, NAN).tolist() == [0.5, 1.0]
    assert guard.substitute.handed_over == 1


def test_a_controller_is_asked_once_a_step_also_where_it_is_the_fallback() -> None:
    found = residual(authority=1.0, seconds=0.0, answer=(0.9, 3.5))
    controller = found.controller
    guard, clock = guard_of(
        found, Watchdog(action_low=[-0.2, 1.0], action_high=[0.2, 2.0], action="fallback", fallback_steps=1)
    )
    for k, (reward, observation) in enumerate(stream(60)):
        guard.step(reward, observation)
        assert controller.calls == k + 1
        clock.time += SECOND
    assert guard.spells.steps["action"] > 5


def test_a_rollback_takes_the_authority_back() -> None:
    guard, clock = guard_of(residual())
    for reward, observation in stream(12):
        guard.step(reward, observation)
        clock.time += SECOND
    assert guard.sharing.authority == 0.25
    guard.agent.arena.views["actor/w"][0] = np.nan
    applied = guard.step(0.0, np.zeros(SIZE))
    assert guard.recovery.count == 1
    assert applied.tolist() == [0.5, 1.0]
    assert guard.sharing.authority == 0.0


def test_a_loop_takes_a_residual() -> None:
    class Machine:
        def __init__(self) -> None:
            self.actions: list[Any] = []

        def sense(self) -> tuple[float, Any]:
            return 0.0, np.zeros(SIZE)

        def act(self, action: Any) -> None:
            self.actions.append(action)

    machine = Machine()
    loop = Loop(residual([0.1, 0.0], 0.0), machine, 1000, clock=FakeClock(), spin=0.0)
    loop.run(steps=50)
    actions = np.array(machine.actions)
    assert (actions[:, 1] == 1.0).all()
    assert 0.0 < np.abs(actions[:, 0] - 0.5).max() <= 0.1 + 1e-12
    assert loop.status()["authority"] == pytest.approx(0.05)  # 0.1 of the range from -1 to 1
    with pytest.raises(ConfigError, match="has no shadow"):
        loop.shadow = True


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"controller": 3}, "controller is 3"),
        ({"agent": 3}, "agent is 3"),
        ({"authority": 0.0}, "above 0 up to 1"),
        ({"authority": 1.5}, "above 0 up to 1"),
        ({"authority": [0.1, -1.0]}, "2 numbers of 0 or more"),
        ({"authority": [0.1, 0.1, 0.1]}, "2 numbers of 0 or more"),
        ({"authority": "all"}, "2 numbers of 0 or more"),
        ({"ramp_seconds": -1}, "ramp_seconds is -1"),
        ({"ramp_seconds": np.inf}, "ramp_seconds is inf"),
    ],
)
def test_what_is_impossible_is_refused(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        Residual(**({"controller": Pi(), "agent": make_agent(action=ARM)} | arguments))


@pytest.mark.parametrize(
    "action", [spaces.Discrete(3), spaces.Box(0, 9, (2,), np.int64), spaces.Box(-np.inf, np.inf, (2,)), None]
)
def test_a_residual_needs_one_bounded_box_of_fractions(action: Any) -> None:
    with pytest.raises(ConfigError, match="one Box of fractions"):
        Residual(Pi(), make_agent(action=action))


def test_two_controllers_are_one_too_many() -> None:
    with pytest.raises(ConfigError, match="leave fallback out"):
        Guard(residual(), fallback=Pi())
    with pytest.raises(ConfigError, match="has no shadow"):
        Guard(residual(), shadow=True)
