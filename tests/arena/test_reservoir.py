"""The layer that never learns: what it is connected to, and what the layers above make of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from numba import njit
from synaptick import Config, ConfigError
from synaptick.arena.reservoir import LATCH_RHO, LATCH_STRENGTH, kinds
from synaptick.kernels.base.records import record
from synaptick.kernels.layout import ACTOR, SETTINGS_AT
from synaptick.kernels.neuron import fire
from synaptick.kernels.settings import Settings
from synaptick.kernels.views import layer_view

from ..support.common import drive, make_agent

pytestmark = pytest.mark.any_arithmetic

NETS = ("actor", "critic")
# A reservoir of one kind, random recurrent neurons.
RANDOM = {"latch_fraction": 0.0, "delay_fraction": 0.0}


def test_it_is_connected_within_and_begins_without_effect_on_the_layers_above() -> None:
    agent = make_agent(layers=(8, 6), reservoir=16, reservoir_scale=2.0, recurrent_scale=0.5, **RANDOM)
    views, size = agent.arena.views, agent.observation.size
    assert agent.config.stack == (16, 8, 6)
    for net in NETS:
        own, above = views[f"{net}/0/w"], views[f"{net}/1/w"]
        recurrent = own[:, size : size + 16] * np.sqrt(size + 16 + 1)
        assert 1.5 < np.abs(recurrent).max() <= 2.0
        assert (recurrent != 0).all()
        assert own[:, :size].any()
        assert not above[:, :16].any()
        assert above[:, 16 : 16 + size].any(axis=1).all()
        assert above[:, 16 + size : 16 + size + 8].any()
        assert views[f"{net}/2/w"][:, :8].any()
        assert not views[f"{net}/w"][:, :16].any()
        assert views[f"{net}/w"][:, 16:30].any()


def test_at_first_the_layers_above_are_what_they_are_without_it() -> None:
    settings = {"layers": (8, 6), "recurrent_scale": 0.5, "feedback": "random"}
    with_it, without = make_agent(reservoir=16, **settings), make_agent(**settings)
    drive(with_it, 1)
    drive(without, 1)
    for net in NETS:
        for index in (0, 1):
            np.testing.assert_array_equal(
                with_it.arena.views[f"{net}/{index + 1}/z"], without.arena.views[f"{net}/{index}/z"]
            )
        np.testing.assert_array_equal(with_it.arena.views[f"{net}/output"], without.arena.views[f"{net}/output"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (34, 32, 6)),
        ({"reservoir": 20}, (7, 8, 1)),
        ({"reservoir": 8}, (3, 5, 0)),
        ({"delay_length": 3}, (34, 29, 11)),
        ({"latch_fraction": 0.0, "delay_fraction": 0.0}, (0, 96, 0)),
        ({"latch_fraction": 1.0}, (96, 0, 0)),
        ({"delay_fraction": 1.0}, (34, 2, 12)),
        ({"recurrent": False}, (34, 62, 0)),
    ],
)
def test_kinds_fill_it(changes: dict[str, Any], expected: tuple[int, int, int]) -> None:
    config = Config(**changes)
    assert kinds(config) == expected
    latches, random, lines = expected
    assert latches + random + lines * config.delay_length == config.reservoir


def test_a_delay_line_says_what_was_seen_so_many_ticks_ago() -> None:
    # Lines 0 to 2 are for the three entries, 3 for the negative of the first.
    agent = make_agent(observation=spaces.MultiBinary(3), layers=(8,), reservoir=30, delay_fraction=0.7)
    assert kinds(agent.config).lines == 4
    rng = np.random.default_rng(0)
    seen = rng.random((40, 3)) < 0.3
    fired = []
    agent.start(seen[0])
    for observation in seen[1:]:
        fired.append(agent.arena.views["critic/0/z"][-20:].reshape(4, 5).copy())
        agent.step(0.0, observation)
    found = np.array(fired) > 0  # (tick, line, neuron)
    assert seen[:35].any(axis=0).all()
    for tick in range(8, len(found)):
        for age in range(5):
            np.testing.assert_array_equal(found[tick, :3, age], seen[tick - age])
            # The negative of an entry is as low as nothing at all where others fire.
            assert not found[tick, 3, age]


@njit
def fire_lowest(ints: Any, reals: Any, floats: Any) -> None:
    fire(record(reals, SETTINGS_AT, Settings), layer_view(ints, floats, ACTOR, 0))


def test_a_latch_fires_until_it_is_inhibited_and_then_not_again() -> None:
    arena = make_agent(reservoir=4).arena
    views = {name: arena.views[f"actor/0/{name}"] for name in ("alpha", "rho", "strength", "current", "z")}
    views["alpha"][:], views["rho"][:], views["strength"][:] = 0.0, LATCH_RHO, LATCH_STRENGTH

    def spikes(currents: list[float]) -> list[float]:
        found = []
        for current in currents:
            views["current"][:] = current
            fire_lowest(arena.ints, arena.reals, arena.floats)
            found.append(float(views["z"][0]))
        return found

    assert spikes([0.0] * 5) == [0.0] * 5
    assert spikes([1.5, -0.1]) == [1.0, 0.0]
    assert spikes([0.0] * 20) == [0.0] * 20
    assert spikes([1.5, 0.1]) == [1.0, 1.0]
    assert spikes([0.0] * 50) == [1.0] * 50
    assert spikes([-1.9] * 5) == [1.0] * 5
    assert spikes([-2.1]) == [0.0]
    # The threshold comes back within a few ticks.
    assert spikes([-2.1] * 10 + [0.0] * 20) == [0.0] * 30


def test_what_others_see_of_it_is_its_spikes_less_their_mean_so_far() -> None:
    agent = make_agent(layers=(8, 6), reservoir=16, delay_length=2)
    rng, seen = np.random.default_rng(0), []
    views = agent.arena.views
    agent.start(rng.normal(size=agent.observation.size))
    for tick in range(60):
        spikes = views["actor/0/z"].copy()
        if tick < 50:
            seen.append(spikes)
        expected = spikes - np.mean(seen, axis=0)
        np.testing.assert_allclose(views["actor/0/output"], expected, atol=1e-6)
        np.testing.assert_array_equal(views["actor/1/inputs"][:16], views["actor/0/output"])
        np.testing.assert_array_equal(views["actor/features"][:16], views["actor/0/output"])
        np.testing.assert_array_equal(views["actor/2/inputs"][:8], views["actor/1/z"])
        agent.step(0.0, rng.normal(size=agent.observation.size), learn=tick < 49)
    assert 0.1 < np.mean(seen) < 0.6
    assert np.abs(views["actor/0/output"]).max() < 1.0


def test_it_has_no_traces() -> None:
    views = make_agent(layers=(8, 6), reservoir=16, reset_path=True, step_rule="coordinate").arena.views
    traces = ("credit", "eps", "epsa", "epsr", "cascade", "filtered", "peak")
    for net in NETS:
        assert not any(views[f"{net}/0/{name}"].size for name in traces)
        assert all(views[f"{net}/1/{name}"].size for name in traces if name != "filtered")


def test_it_stays_as_it_is_while_the_layers_above_learn_to_read_it() -> None:
    agent = make_agent(layers=(8, 6), reservoir=16)
    before = {name: view.copy() for name, view in agent.arena.views.items() if name.endswith("/w")}
    drive(agent, 300)
    now = agent.arena.views
    for net in NETS:
        assert agent.spike_rates[net][0] > 0.02
        np.testing.assert_array_equal(now[f"{net}/0/w"], before[f"{net}/0/w"])
        assert np.abs(now[f"{net}/1/w"][:, :16]).max() > 1e-4
        assert np.abs(now[f"{net}/w"][:, :16]).max() > 1e-4


def test_the_layer_above_it_sees_the_observation_whatever_the_skip() -> None:
    agent = make_agent(layers=(8, 6), reservoir=16, observation_skip=False)
    columns = [agent.arena.dimensions.columns(index)["observed"] for index in range(3)]
    assert columns == [0, 16, -1]


def test_frozen_layers_are_counted_from_the_lowest_above_it() -> None:
    assert Config(layers=(8, 6), reservoir=16, frozen_layers=1).fixed == 2
    assert Config(layers=(8, 6), reservoir=0, frozen_layers=1).fixed == 1
    assert Config(layers=(8, 6), reservoir=16, frozen_layers=9).fixed == 3


@pytest.mark.parametrize("few", [1, 2, 3])
def test_one_of_fewer_than_four_neurons_is_refused(few: int) -> None:
    with pytest.raises(ConfigError, match=rf"reservoir: got {few}; allowed: 0, or a whole number from 4 to 65536"):
        Config(reservoir=few)
