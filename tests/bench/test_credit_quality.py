"""How close credit comes to the exact gradient where it is not equal to it, and what the slow rules do over time.

Seeds are fixed; a cosine is taken over all ticks and synapses of a layer, which is found alive and with a gradient.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ..reference.agent import NETS
from ..support.common import drive, make_agent
from ..support.credits import cosines, frozen_agent
from ..support.mutants import TRUE, put
from ..support.oracle import EPROP, Paths

pytestmark = pytest.mark.double

ALL_HOPS = replace(EPROP, hops=None)
# Of binary spikes: through recurrent weights of this size, the approximation is poor for graded ones.
LIF = {"layers": (12, 12, 12), "adaptive_fraction": 0.0, "spikes": "binary"}


# ---- the hop around


@pytest.mark.parametrize("depth_filter", ["cascade", "factored"])
@pytest.mark.parametrize("recurrent_scale", [1.0, 2.0])
def test_a_hop_around_brings_every_layer_closer(depth_filter: str, recurrent_scale: float) -> None:
    for seed in range(3):
        changes = {**LIF, "recurrent_scale": recurrent_scale, "depth_filter": depth_filter, "leak_groups": 1}
        without, with_hop = (
            cosines(frozen_agent(seed, **changes, recurrent_hop=hop), "critic", ALL_HOPS) for hop in (False, True)
        )
        assert (with_hop > without + 0.01).all(), seed
        assert with_hop.min() > 0.8, seed


# ---- the factored filter


def cosines_of_filters(seed: int, **changes: Any) -> list[np.ndarray]:
    return [
        cosines(frozen_agent(seed, **LIF, recurrent_scale=1.0, depth_filter=depth_filter, **changes), "critic", EPROP)
        for depth_filter in ("none", "cascade", "factored")
    ]


def test_the_factored_filter_wins_with_several_leaks() -> None:
    """One hop down, in the middle, with every seed; further down, where it knows the mean leak only, on average."""
    found = np.array([cosines_of_filters(seed, leak_groups=4, tau_min=0.25, tau_max=20.0) for seed in range(6)])
    none, cascade, factored = found.transpose(1, 0, 2)
    assert (factored[:, 1] > np.maximum(none, cascade)[:, 1]).all()
    assert factored[:, 1].mean() > cascade[:, 1].mean() + 0.03
    assert factored[:, 1].min() > 0.95
    assert factored[:, 0].mean() > max(none[:, 0].mean(), cascade[:, 0].mean()) + 0.01
    np.testing.assert_allclose(found[:, :, 2], 1.0, rtol=1e-12)


def test_the_factored_filter_loses_little_with_one_leak() -> None:
    for seed in range(3):
        none, cascade, factored = cosines_of_filters(seed, leak_groups=1, tau_max=8.0)
        assert (cascade[:2] >= factored[:2]).all()
        assert factored.min() > 0.95, seed
        assert (factored[:2] > none[:2]).all()


# ---- negative controls


def _psi_of_now(past: np.ndarray, psi: np.ndarray, mass: float, fresh: float) -> np.ndarray:
    return psi


def _hop_at_once(*arguments: Any) -> Any:
    """What comes around is taken for what comes from above, to be multiplied by the traces of this tick."""
    return [s._replace(up=s.up + s.around, around=0 * s.around) for s in TRUE["signals.send_signals"](*arguments)]


FACTORED, HOP = {"depth_filter": "factored"}, {"recurrent_hop": True}
# Options, the layer that shows it, exact paths and mutant.
WORSE: dict[str, tuple[dict[str, Any], int, Paths, Callable[..., Any]]] = {
    "depth.past_mean": (FACTORED, 0, EPROP, _psi_of_now),
    "depth.fan": (FACTORED, 0, EPROP, lambda traces, source, leaks, slope: 0 * traces + slope * source),
    "depth.deeper_credit": (FACTORED, 0, EPROP, lambda s, x, *rest: 0 * x),
    "signals.send_signals": (HOP, 2, ALL_HOPS, _hop_at_once),
}


@pytest.mark.parametrize("name", WORSE)
def test_a_mutated_rule_is_worse(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every seed, in a layer that is not exact anyway; in the twin, which first equals the kernels."""
    changes, layer, paths, mutant = WORSE[name]

    def found(twin: bool) -> np.ndarray:
        agents = (frozen_agent(seed, **LIF, recurrent_scale=2.0, leak_groups=1, **changes) for seed in range(3))
        return np.array([cosines(agent, "critic", paths, twin)[layer] for agent in agents])

    true = found(twin=True)
    np.testing.assert_allclose(true, found(twin=False), rtol=1e-9)
    put(monkeypatch, name, mutant)
    mutated = found(twin=True)
    assert (true > mutated).all()
    assert true.mean() > mutated.mean() + 0.01


# ---- slow rules


def blocks(agent: Any, name: str) -> dict[str, np.ndarray]:
    """Return copies of the arrays of all layers and readouts with this name."""
    return {path: view.copy() for path, view in agent.arena.views.items() if path.split("/")[-1] == name}


def distances(agent: Any) -> np.ndarray:
    """Return the distance of feedback and forward weights, of each layer and readout of both networks."""
    w, feedback = blocks(agent, "w"), blocks(agent, "feedback")
    assert len(w) == len(feedback) == 6
    return np.array([np.linalg.norm(feedback[path.removesuffix("w") + "feedback"] - w[path]) for path in w])


# What changes a readout besides learning: the unit of values, and, as errors grow without one, the hold on preferences.
ELSE_CHANGED = {True: "critic/w", False: "actor/w"}


@pytest.mark.any_arithmetic
@pytest.mark.parametrize("normalize_rewards", ELSE_CHANGED)
def test_adaptive_feedback_approaches_the_weights(normalize_rewards: bool) -> None:
    """Their distance decays as (1 - feedback_decay)^t, whatever is learned meanwhile."""
    changes = {"feedback": "adaptive", "feedback_decay": 1e-2, "normalize_rewards": normalize_rewards}
    agent = make_agent(0, layers=(16, 16), connectivity=0.5, **changes)
    first, before = distances(agent), blocks(agent, "w")
    assert first.min() > 0.5
    learned = [path != ELSE_CHANGED[normalize_rewards] for path in before]
    ticks = len(drive(agent, 100, act_only=False))
    np.testing.assert_allclose((distances(agent) / first)[learned], 0.99**ticks, rtol=1e-4)
    drive(agent, 1900, seed=1, act_only=False)
    assert (distances(agent) < 1e-4 * first)[learned].all()
    # The least ratio of weights and distance is e^(13.4 +- 0.4) over 60 seeds, what changes most 0.166 +- 0.003.
    for path, w, distance in itertools.compress(
        zip(before, blocks(agent, "w").values(), distances(agent), strict=True), learned
    ):
        assert np.linalg.norm(w) > 1e4 * distance, path
        assert np.abs(w - before[path]).max() > 0.01, path


def test_random_feedback_stays_as_it_is() -> None:
    agent = make_agent(0, layers=(16, 16), connectivity=0.5, feedback="random", feedback_decay=1e-2)
    before, w = blocks(agent, "feedback"), blocks(agent, "w")
    drive(agent, 500)
    assert all((found == before[path]).all() for path, found in blocks(agent, "feedback").items())
    assert all((found != w[path]).any() for path, found in blocks(agent, "w").items())


@pytest.mark.parametrize("target", [0.1, 0.4])
@pytest.mark.parametrize("learning_rate", [0.0, 1.0])
def test_rates_are_pulled_towards_their_target(target: float, learning_rate: float) -> None:
    """The mean distance of a neuron's rate from the target shrinks in every layer.

    The mean rate of a layer need not rise: its normalized current has mean 0 and one deviation, whatever the weights.
    """
    found = []
    for strength in (0.0, 1e-3):
        agent = make_agent(
            0,
            layers=(16, 16),
            connectivity=0.5,
            rate_regularization=strength,
            target_rate=target,
            lr_policy=learning_rate,
            lr_value=learning_rate,
        )
        drive(agent, 3000, act_only=False)
        found.append([np.abs(agent.arena.views[f"{net}/{k}/rate"] - target).mean() for net in NETS for k in (0, 1)])
    without, pulled = np.array(found)
    assert (pulled < 0.8 * without).all()
