"""The layer that never learns: what it is connected to, and what the layers above make of it."""

from __future__ import annotations

import numpy as np
import pytest
from synaptick.agent import Config, ConfigError

from .common import drive, make_agent

NETS = ("actor", "critic")


def test_it_is_connected_within_and_begins_without_effect_on_the_layers_above() -> None:
    agent = make_agent(layers=(8, 6), reservoir=16, reservoir_scale=2.0, recurrent_scale=0.5)
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
