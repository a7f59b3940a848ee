"""Memory neurons: what they are connected to, how they begin, and what the layers above make of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from synaptick import Config, ConfigError
from synaptick.arena.dimensions import memory_kinds
from synaptick.arena.memory import SCALE, TAP, THRESHOLD

from ..support.common import SIZE, drive, make_agent, state

pytestmark = pytest.mark.any_arithmetic

NETS = ("actor", "critic")
MEMORY: dict[str, Any] = {"layers": (8, 6), "memory": 12, "memory_delay": 3}


@pytest.mark.parametrize("n", range(4, 20))
def test_kinds_fill_a_layer_and_half_of_it_are_holders(n: int) -> None:
    taps, holders, integrators = memory_kinds(n)
    assert taps + holders + integrators == n
    assert taps == integrators >= 1
    assert 0 <= holders - 2 * taps <= 3


def test_its_layers_are_the_lowest() -> None:
    agent = make_agent(**MEMORY, memory_layers=2)
    d = agent.arena.dimensions
    assert agent.config.stack == (12, 12, 8, 6)
    assert [d.is_memory(index) for index in range(4)] == [True, True, False, False]
    assert d.centered == 24
    assert d.columns(0)["below"] == 0
    assert d.columns(1) == {
        "below": 12,
        "observed": 12,
        "recurrent": -1,
        "delayed": 12 + SIZE,
        "bias": 12 + 2 * SIZE,
        "threshold": 12 + 2 * SIZE + 1,
        "m": 12 + 2 * SIZE + 2,
    }
    assert agent.config.n_memory == 2


def test_the_layer_above_it_sees_the_observation_whatever_the_skip() -> None:
    agent = make_agent(**MEMORY, observation_skip=False)
    assert [agent.arena.dimensions.columns(index)["observed"] for index in range(3)] == [0, 12, -1]


def test_frozen_layers_are_counted_from_the_lowest_memory() -> None:
    assert [Config(**MEMORY, frozen_layers=frozen).fixed for frozen in (0, 1, 9)] == [0, 1, 3]


@pytest.mark.parametrize("memory_layers", [1, 2])
def test_it_begins_without_effect_on_the_layers_above(memory_layers: int) -> None:
    changes = {"recurrent_scale": 0.5, "feedback": "random"}
    agent, without = make_agent(**MEMORY, memory_layers=memory_layers, **changes), make_agent(layers=(8, 6), **changes)
    lowest = agent.config.n_memory
    drive(agent, 1)
    drive(without, 1)
    for net in NETS:
        ours, theirs = agent.arena.views, without.arena.views
        assert not ours[f"{net}/{lowest}/w"][:, :12].any()
        assert ours[f"{net}/{lowest}/w"][:, 12 : 12 + SIZE].any(axis=1).all()
        assert not ours[f"{net}/w"][:, : agent.arena.dimensions.centered].any()
        for index in (0, 1):
            np.testing.assert_array_equal(ours[f"{net}/{lowest + index}/z"], theirs[f"{net}/{index}/z"])
        np.testing.assert_array_equal(ours[f"{net}/output"], theirs[f"{net}/output"])
        assert any(ours[f"{net}/{lowest - 1}/z"])


def test_of_no_memory_no_setting_changes_anything() -> None:
    agent, other = make_agent(), make_agent(memory_layers=3, memory_horizon=50.0, memory_delay=2)
    drive(agent, 60)
    drive(other, 60)
    assert state(agent) == state(other)


@pytest.mark.parametrize("horizon", [1.0, 20.0, 1e6])
def test_time_constants_are_those_of_the_kinds(horizon: float) -> None:
    """1 / g with nothing but its bias: of taps next to 1, of the others from 1 to the horizon."""
    agent = make_agent(**MEMORY | {"memory": 300}, memory_horizon=horizon)
    for net in NETS:
        w, columns = agent.arena.views[f"{net}/0/w"].astype(float), agent.arena.dimensions.columns(0)
        tau = 1 + np.exp(-w[300:, columns["bias"]])
        taps, holders, integrators = np.split(tau, [75, 225])
        np.testing.assert_allclose(taps, TAP, rtol=1e-5)
        for others in (holders, integrators):
            assert (others > 1.0).all()
            assert others.max() <= horizon * 1.01 + 0.01
            assert others.max() > 0.8 * horizon
        if horizon > 1:
            # Half of the integrators below the root of the horizon, half of the holders below half of it.
            assert np.median(integrators) == pytest.approx(np.sqrt(horizon), rel=0.1)
            assert np.median(holders) == pytest.approx(1 + (horizon - 1) / 2, rel=0.1)
        bound = SCALE / np.sqrt(columns["bias"] + 1)
        drawn = np.abs(np.vstack([w[:300, : columns["bias"]], w[300:, : columns["bias"]]]))
        assert 0.98 * bound < drawn.max() <= bound * (1 + 1e-6)
        thresholds = w[:300, columns["threshold"]]
        assert 0.95 * THRESHOLD < np.abs(thresholds).max() <= THRESHOLD
        assert not w[300:, columns["threshold"]].any()
        assert not w[:300, columns["bias"]].any()


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_what_is_seen_is_the_present_and_by_turns_an_earlier_observation(delay: int) -> None:
    agent = make_agent(**MEMORY | {"memory_delay": delay}, memory_layers=2, normalize_observations=False)
    rng, columns = np.random.default_rng(0), [agent.arena.dimensions.columns(index) for index in (0, 1)]
    for episode in range(2):
        seen = [np.zeros(SIZE)] * delay
        for tick in range(8):
            observation = rng.normal(size=SIZE)
            seen.append(observation)
            earlier = agent.arena.views["critic/0/past"].copy() if tick else np.zeros((SIZE * (delay > 0), 12))
            _ = agent.step(0.0, observation, learn=tick % 3 > 0) if tick else agent.start(observation)
            views = agent.arena.views
            for index, c in enumerate(columns):
                inputs = views[f"critic/{index}/inputs"]
                np.testing.assert_allclose(inputs[c["observed"] : c["observed"] + SIZE], observation, rtol=1e-6)
                assert inputs[c["bias"]] == 1.0
                assert inputs[c["threshold"]] == 0.0
                own = np.tile(inputs, (12, 1))
                if delay:
                    assert not inputs[c["delayed"] : c["delayed"] + SIZE].any()
                    own[:, c["delayed"] : c["delayed"] + SIZE] = earlier.T
                    # What each neuron is to see in the next tick.
                    for i, next_ in enumerate(views[f"critic/{index}/past"].T):
                        np.testing.assert_allclose(next_, seen[-1 - i % delay], rtol=1e-6)
                w, current = views[f"critic/{index}/w"], views[f"critic/{index}/current"]
                if not (agent.ticks and tick % 3):  # else the weights have changed since
                    np.testing.assert_allclose(current, (w * np.tile(own, (2, 1))).sum(axis=1), atol=1e-5)
        agent.end(float(episode))


def test_what_others_see_of_it_is_its_spikes_less_their_mean_so_far() -> None:
    agent = make_agent(**MEMORY, memory_layers=2)
    rng, seen, views = np.random.default_rng(0), [], agent.arena.views
    agent.start(rng.normal(size=SIZE))
    for tick in range(60):
        spikes = np.concatenate([views[f"critic/{index}/z"] for index in range(2)])
        if tick < 50:
            seen.append(spikes)
        expected = spikes - np.mean(seen, axis=0)
        outputs = np.concatenate([views[f"critic/{index}/output"] for index in range(2)])
        np.testing.assert_allclose(outputs, expected, atol=1e-6)
        np.testing.assert_array_equal(views["critic/features"][:24], outputs)
        np.testing.assert_array_equal(views["critic/1/inputs"][:12], outputs[:12])
        np.testing.assert_array_equal(views["critic/2/inputs"][:12], outputs[12:])
        agent.step(0.0, rng.normal(size=SIZE), learn=tick < 49)
    assert 0.1 < np.mean(seen) < 0.9


def test_it_learns_unless_it_is_frozen() -> None:
    for frozen in (0, 1, 2):
        agent = make_agent(**MEMORY, memory_layers=2, frozen_layers=frozen)
        before = {name: view.copy() for name, view in agent.arena.views.items() if name.endswith("/w")}
        drive(agent, 300)
        for net in NETS:
            moved = [
                (agent.arena.views[f"{net}/{index}/w"] != before[f"{net}/{index}/w"]).any(axis=1) for index in range(2)
            ]
            assert [rows.any() for rows in moved] == [frozen < 1, frozen < 2]
            for rows in moved[frozen:]:
                assert rows[:12].mean() > 0.5
                assert rows[12:].mean() > 0.5


def test_it_has_no_traces_that_it_does_not_need() -> None:
    views = make_agent(**MEMORY, reset_path=True, adaptive_fraction=1.0, depth_filter="factored").arena.views
    for net in NETS:
        assert not any(views[f"{net}/0/{name}"].size for name in ("epsa", "epsr", "filtered", "psi_past"))
        assert views[f"{net}/0/eps"].shape == views[f"{net}/0/credit"].shape == (24, 2 * SIZE + 2)
        assert views[f"{net}/0/cascade"].shape == (2, 24, 2 * SIZE + 2)


@pytest.mark.parametrize("memory", [3, -4, 1])
def test_fewer_than_four_neurons_are_refused(memory: int) -> None:
    with pytest.raises(ConfigError, match="memory"):
        Config(memory=memory)
