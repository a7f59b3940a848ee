"""Actions that are not the agent's: they have the form of its own, or are refused before they are needed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick import ConfigError
from synaptick.realtime import Guard, Loop, Watchdog
from synaptick.realtime.action_limits import form_of, formed

from ..support.common import SIZE, make_agent
from ..support.machines import FakeClock, Tank, said, tank_loop

ONE = spaces.Box(-1.0, 1.0, (1,))
TWO = spaces.Box(-1.0, 1.0, (2,))
PARTS = spaces.Dict({"arm": TWO, "mode": spaces.Discrete(3), "pair": spaces.Tuple((ONE, spaces.MultiDiscrete([2, 3])))})
GOOD = {"arm": np.zeros(2), "mode": 1, "pair": (np.zeros(1), np.array([0, 2]))}
OTHERS: list[tuple[Any, Any, str]] = [
    (ONE, np.zeros(4), r"it has shape \(4,\), the action space needs \(1,\)"),
    (TWO, 0.0, r"it has shape \(\), the action space needs \(2,\)"),
    (TWO, "left", "it is not made of numbers"),
    (TWO, [[0.0], [0.0, 1.0]], "setting an array element"),
    (ONE, np.array([np.nan]), "it is not finite"),
    (spaces.Discrete(3), 0.5, "the action space needs a whole number"),
    (spaces.Discrete(3), np.zeros(3, int), "the action space needs a whole number"),
    (PARTS, {**GOOD, "mode": 1.5}, "the action space needs a whole number"),
    (PARTS, {"arm": np.zeros(2)}, "the action space needs a dict of 'arm', 'mode', 'pair'"),
    (PARTS, {**GOOD, "pair": np.zeros(1)}, "the action space needs a tuple of 2"),
    (PARTS, {**GOOD, "pair": (np.zeros(1), np.zeros(3, int))}, r"the action space needs \(2,\)"),
]


@pytest.mark.parametrize(("space", "action", "problem"), OTHERS, ids=str)
def test_an_action_of_another_form_is_refused_before_it_is_needed(space: Any, action: Any, problem: str) -> None:
    agent = make_agent(action=space)
    with pytest.raises(
        ConfigError, match=f"^safe_action is .*{problem}.*; give an action that may be sent at any time"
    ):
        Guard(agent, safe_action=action)
    with pytest.raises(ConfigError, match=f"^final_action is .*{problem}"):
        Loop(agent, Tank(), 1000, final_action=action)


@pytest.mark.parametrize(
    ("space", "action"),
    [
        (ONE, 0.5),
        (ONE, [0.5]),
        (ONE, np.float32(0.5)),
        (TWO, (0.1, 0.2)),
        (spaces.Discrete(3), np.int32(2)),
        (PARTS, GOOD),
    ],
    ids=str,
)
def test_one_of_its_form_is_taken(space: Any, action: Any) -> None:
    agent = make_agent(action=space)
    found = formed(action, form_of(agent))
    safe = Guard(agent, safe_action=action).step(0.0, None)  # nothing is known yet

    def flat(value: Any) -> Any:
        return np.asarray(spaces.flatten(space, value))

    np.testing.assert_array_equal(flat(found), flat(safe))
    if isinstance(space, spaces.Box):
        assert found.shape == space.shape


@pytest.mark.parametrize(("returned", "sent"), [(0.3, 0.3), (np.zeros(4), 0.0), ("left", 0.0), (np.array([0.3]), 0.3)])
def test_a_fallback_that_returns_another_form_is_held_instead(returned: Any, sent: float) -> None:
    agent = make_agent(action=ONE)
    guard = Guard(agent, Watchdog(input="fallback"), fallback=lambda _: returned, safe_action=np.zeros(1))
    guard.step(0.0, np.ones(SIZE))
    held = guard.action.copy()
    action = guard.step(0.0, None)
    assert action.shape == (1,)
    assert action == (pytest.approx(0.3) if sent else held)
    assert bool(said(guard, "fallback")) == (not sent)


@pytest.mark.parametrize("failures", [0, 2, 3])
def test_the_final_action_is_tried_three_times_a_period_apart(failures: int) -> None:
    tank, clock = Tank(), FakeClock()
    loop = tank_loop(tank, clock=clock, final_action=1)
    assert loop.final_action == "not yet sent"
    act, tries = tank.act, list[int]()

    def sticky(action: Any) -> None:
        if loop.periods == 10 and loop.busy_time.count == 10:
            tries.append(clock.now())
            if len(tries) <= failures:
                raise OSError("busy")
        act(action)

    tank.act = sticky  # type: ignore[method-assign]
    report = loop.run(steps=10)
    assert report["final_action"] == ("failed" if failures == 3 else "sent")
    assert np.diff(tries).tolist() == [1_000_000] * (min(failures, 2))


def test_a_loop_is_a_context_and_closes_its_guard() -> None:
    loop, closed = tank_loop(Tank()), []
    loop.guard.close = lambda: closed.append(True)  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt), loop:
        raise KeyboardInterrupt
    assert closed == [True]


@pytest.mark.parametrize("wrong", [{"seconds": float("nan")}, {"seconds": -1}, {"steps": -1}], ids=str)
def test_a_run_of_no_length_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"allowed: a number of 0 or more, or None"):
        tank_loop(Tank()).run(**wrong)
