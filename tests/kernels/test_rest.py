"""Rows at rest: what is left undone while psi is 0, and made up for when it is not, is the plain rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick.arena.traces import traces
from synaptick.config import Config

from ..support.harness import DoubleAgent, call, script, up_to_date

pytestmark = pytest.mark.double

BOX, TWO = spaces.Box(-np.inf, np.inf, (4,)), spaces.Discrete(2)
STACKS: dict[str, tuple[int, ...]] = {"no level": (24,), "one level": (16, 16), "two levels": (12, 12, 12)}
SETTINGS: dict[str, Any] = {"memory": 8, "connectivity": 0.5, "recurrent_scale": 1.0}
TICKS = 150


def lived(layers: tuple[int, ...], **changes: Any) -> tuple[DoubleAgent, list[float], float]:
    """Return an agent after some episodes, its actions, and the share of rows that were at rest."""
    agent, actions, resting = DoubleAgent(Config(layers=layers, **SETTINGS, **changes), BOX, TWO), [0.0], []
    psis = [
        view
        for name, view in agent.views.items()
        if name.endswith("/psi") and not name.startswith(("actor/0", "critic/0"))
    ]
    for event in script(TICKS, agent.observation, seed=5):
        actions.append(call(agent, event, actions[-1]))
        resting.append(np.mean([(psi == 0).mean() for psi in psis]))
    return agent, actions, float(np.mean(resting))


@pytest.mark.parametrize("feedback", ["symmetric", "random", "adaptive"])
@pytest.mark.parametrize("layers", STACKS.values(), ids=STACKS)
def test_nothing_comes_out_otherwise(layers: tuple[int, ...], feedback: str) -> None:
    """A pull of 1e-300 towards a rate changes nothing, but has every row brought up to date in every tick."""
    agent, actions, resting = lived(layers, feedback=feedback)
    other, same, _ = lived(layers, feedback=feedback, rate_regularization=1e-300)
    assert 0.2 < resting < 0.9
    assert actions == same
    ours, theirs = up_to_date(agent), up_to_date(other)
    assert any(not np.array_equal(agent.views[name], ours[name]) for name in ours if name.endswith("/credit"))
    for name in theirs:
        if name.rsplit("/", 1)[-1] in ("w", "credit", "epsa", "cascade"):
            np.testing.assert_allclose(
                ours[name], theirs[name], rtol=0, atol=1e-9 * (1e-3 + np.abs(theirs[name]).max(initial=0.0))
            )
    for name in ("credit_norms", "step_sizes"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9)


@pytest.mark.parametrize(
    "changes",
    [{"reset_path": True}, {"rate_regularization": 0.1}, {"depth_filter": "factored"}, {"depth_filter": "tensor"}],
    ids=str,
)
def test_rows_whose_traces_others_read_do_not_rest(changes: dict[str, Any]) -> None:
    agent = DoubleAgent(Config(layers=(8, 8), **SETTINGS, **changes), BOX, TWO)
    assert agent.views["actor/1/rest"].size == 0


def test_beyond_two_levels_rows_do_not_rest() -> None:
    agent = DoubleAgent(Config(layers=(6, 6, 6, 6), **SETTINGS), BOX, TWO)
    assert [agent.views[f"actor/{index}/rest"].shape for index in range(5)] == [(0, 8), (0, 6), (8, 6), (5, 6), (3, 6)]


def test_traces_are_copies() -> None:
    agent, _, _ = lived((12, 12))
    before = {name: view.copy() for name, view in agent.views.items()}
    for name, trace in traces(agent.views, "critic/1").items():
        trace.fill(7.0)
        np.testing.assert_array_equal(agent.views[f"critic/1/{name}"], before[f"critic/1/{name}"])
