"""Probes: what they hold is what there was, in fixed memory, and the agent does not notice."""

from __future__ import annotations

import copy
import doctest
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synaptick import Agent, Config, InputError, PhaseError, ProbeError
from synaptick import inspection as module
from synaptick.arena.traces import traces
from synaptick.probes import Probe
from synaptick.probes.quantities import OF_LAYERS, OF_NETS

from ..support.common import BOX, SIZE, drive, make_agent, state
from ..support.harness import call, script
from .cases import CASES, THREE, agent_of, layers_of

pytestmark = pytest.mark.any_arithmetic
ZEROS = np.zeros(SIZE)
TICKS = 90
NAMES = {"spike": "z", "v": "v", "a": "a", "psi": "psi", "rate": "rate"}


def by_hand(agent: Agent, layer: str, neurons: list[int]) -> dict[str, Any]:
    """Return copies of what a layer's neurons are now, from the arena."""
    views, d, index = agent.arena.views, agent.arena.dimensions, int(layer.partition("/")[2])
    n, memory, columns = d.layers[index], d.is_memory(index), d.columns(index)
    inputs = columns["m"] if memory else columns["bias"] + 1
    found: dict[str, Any] = {name: views[f"{layer}/{view}"][neurons] for name, view in NAMES.items()}
    found["current"] = views[f"{layer}/current"][neurons]
    matrices = {"weight": views[f"{layer}/w"], "credit": traces(views, layer)["credit"]}
    for name, matrix in matrices.items():
        parts = [matrix[np.array(neurons) + k * n, :inputs] for k in range(1 + memory)]
        found[name] = np.stack(parts, axis=1) if memory else parts[0]
    if memory:
        found["retention"] = views[f"{layer}/keep"][neurons]
    return {name: np.array(array) for name, array in found.items()}


@pytest.mark.parametrize("name", CASES)
def test_what_is_recorded_is_what_the_arena_held(name: str) -> None:
    """Over episodes that start, end in every way and act only, in every layer, of neurons in any order."""
    agent, chosen = agent_of(name), [4, 1, 2]
    drive(agent, 100)
    probes = {layer: agent.probe(layer, [*by_hand(agent, layer, chosen)], chosen) for layer in layers_of(agent)}
    held: dict[str, list[Any]] = {layer: [] for layer in probes}
    nets = {net: agent.probe(net, OF_NETS) for net in ("actor", "critic")}
    outputs: list[Any] = []
    when, action = [], 0.0
    for event in script(TICKS, agent.observation, seed=1):
        action = call(agent, event, action)
        when.append((agent.ticks, agent.episodes))
        for layer, rows in held.items():
            rows.append(by_hand(agent, layer, chosen))
        views = {key: agent.arena.views[f"{net}/{key}"] for net in nets for key in ("output", "gradient")}
        outputs.append((agent.value, agent.td_error, *(view.copy() for view in views.values())))
    for layer, probe in probes.items():
        assert len(probe) == probe.recorded == TICKS
        assert list(zip(probe.ticks, probe.episodes, strict=True)) == when
        for key, array in probe.data.items():
            assert array.shape[1:2] == (3,)
            assert len(array.shape) == len(probe.axes[key])
            np.testing.assert_array_equal(array, np.stack([row[key] for row in held[layer]]), err_msg=f"{layer} {key}")
    np.testing.assert_array_equal(nets["actor"].data["value"], [row[0] for row in outputs])
    np.testing.assert_array_equal(nets["critic"].data["td_error"], [row[1] for row in outputs])
    np.testing.assert_array_equal(nets["critic"].data["output"], np.stack([row[2] for row in outputs]))


def test_the_bytes_of_the_agent_are_those_without_probes() -> None:
    for name in CASES:
        watched, alone = agent_of(name), agent_of(name)
        for layer in layers_of(watched):
            memory = "memory" in name and layer.endswith("0")
            watched.probe(layer, set(OF_LAYERS) - ({"retention"} if not memory else set()), capacity=20)
        watched.probe("actor", OF_NETS)
        assert drive(watched, 500) == drive(alone, 500)
        assert state(watched) == state(alone)


# ---- rings


@pytest.mark.parametrize(("every", "capacity"), [(1, 7), (1, 40), (3, 4), (4, 100), (41, 2), (1, 1)])
def test_a_ring_keeps_the_newest_rows_in_order(every: int, capacity: int) -> None:
    agent = make_agent(layers=(8, 6))
    agent.start(ZEROS)
    probe = agent.probe("actor/1", "v", every=every, capacity=capacity)
    assert (len(probe), probe.data["v"].shape, probe.ticks.shape) == (0, (0, 6), (0,))
    rows = []
    for k in range(40):
        agent.step(0.1, np.full(SIZE, np.sin(k)))
        if (k + 1) % every == 0:
            rows.append((agent.ticks, agent.arena.views["actor/1/v"].copy()))
        kept = rows[-capacity:]
        assert (len(probe), probe.recorded) == (len(kept), len(rows))
        assert probe.ticks.tolist() == [tick for tick, _ in kept]
        np.testing.assert_array_equal(probe.data["v"], np.reshape([v for _, v in kept], (-1, 6)))
    probe.clear()
    assert len(probe) == 0
    for _ in range(every):
        agent.step(0.1, ZEROS)
    assert probe.ticks.tolist() == [agent.ticks]


def test_memory_is_taken_once() -> None:
    agent = make_agent(layers=(8, 6))
    probe = agent.probe("actor/1", ["spike", "weight", "eligibility"], neurons=[0, 2], capacity=50)
    inputs = agent.arena.dimensions.columns(1)["bias"] + 1
    assert probe.nbytes == 50 * (16 + 4 * 2 + 2 * 4 * 2 * inputs)
    buffers = {name: (id(x), x.ctypes.data, x.nbytes) for name, x in probe._buffers.items()}
    nbytes = agent.nbytes
    drive(agent, 300)
    assert buffers == {name: (id(x), x.ctypes.data, x.nbytes) for name, x in probe._buffers.items()}
    assert sum(nbytes for *_, nbytes in buffers.values()) + probe._when.nbytes == probe.nbytes
    assert agent.nbytes == nbytes
    assert len(probe) == 50


def test_data_are_copies() -> None:
    agent = make_agent()
    probe = agent.probe("actor/0", ["spike", "v"])
    drive(agent, 20)
    before = probe.data
    for array in (*probe.data.values(), probe.ticks, probe.raster()):
        array[:] = 7
    for name, array in probe.data.items():
        np.testing.assert_array_equal(array, before[name])


# ---- what comes back


def test_spikes_and_the_rest_apart() -> None:
    agent = make_agent()
    probe = agent.probe("actor/0", ["spike", "v", "psi"], neurons=range(3))
    drive(agent, 60)
    spikes = probe.raster()
    assert (spikes.shape, spikes.dtype) == ((60, 3), np.float32)
    assert 0.0 <= spikes.min() < spikes.max() <= 1.0
    raster = probe.raster(binary=True)
    assert raster.dtype == np.bool_
    np.testing.assert_array_equal(raster, spikes > 0)
    assert list(probe.traces()) == ["v", "psi"]
    assert probe.units == {"spike": "0 to 1", "v": "v_th", "psi": "1/v_th"}
    assert set(probe.axes.values()) == {("tick", "neuron")}
    assert repr(probe).startswith("<Probe: spike, v, psi of actor/0, 60 of 10,000 rows, ")
    with pytest.raises(ProbeError, match='records v and no spikes; name "spike" among them'):
        agent.probe("actor/0", "v").raster()


def test_axes_are_those_of_the_arrays() -> None:
    agent = agent_of("memory")
    memory, layer = agent.probe("actor/0", ["weight"]), agent.probe("actor/1", ["weight"])
    net = agent.probe("actor", ["value", "output"])
    drive(agent, 5)
    assert memory.axes["weight"] == ("tick", "neuron", "part", "input")
    assert memory.data["weight"].shape == (5, 6, 2, 3 + 3 + 1 + 1)
    assert layer.axes["weight"] == ("tick", "neuron", "input")
    assert layer.data["weight"].shape == (5, 9, 6 + 3 + 9 + 1)
    assert net.axes == {"value": ("tick",), "output": ("tick", "output")}
    assert agent.probe("critic", "output").units == {"output": "normalized reward"} != net.units
    assert (net.data["value"].shape, net.data["output"].shape) == ((5,), (5, 3))


def test_calls_that_are_refused_leave_no_row() -> None:
    agent = make_agent()
    probe = agent.probe("actor/0", ["spike", "eligibility"], every=2)
    with pytest.raises(PhaseError):
        agent.step(0.0, ZEROS)
    agent.start(ZEROS)
    for _ in range(3):
        with pytest.raises(InputError):
            agent.step(0.0, np.full(SIZE, np.nan))
    assert len(probe) == 0
    agent.step(0.0, ZEROS)
    assert probe.ticks.tolist() == [1]
    assert np.isfinite(probe.data["eligibility"]).all()


# ---- while there is a probe, and after it


def test_removal_gives_the_step_back() -> None:
    agent = make_agent()
    step = agent._advance
    one, other = agent.probe("actor/0", "v"), agent.probe("critic/0", "v")
    assert agent._advance is not step
    drive(agent, 10)
    one.remove()
    one.remove()
    assert (one.active, other.active) == (False, True)
    drive(agent, 10)
    assert (len(one), len(other)) == (10, 20)
    other.remove()
    assert agent._advance is step
    with agent.probe("actor/0", "v") as again:
        drive(agent, 3)
    assert agent._advance is step
    drive(agent, 3)
    assert (len(again), again.data["v"].shape, repr(again)[-8:]) == (3, (3, 8), "removed>")
    with pytest.raises(KeyError), agent.probe("actor/0", "v"):
        raise KeyError
    assert agent._advance is step


def test_a_probe_is_not_copied_pickled_or_saved(tmp_path: Path) -> None:
    agent = make_agent()
    bare = pickle.dumps(agent)
    agent.probe("actor/0", "v", capacity=5)
    assert pickle.dumps(agent) == bare
    agent.save(tmp_path / "agent.synaptick")
    others = [copy.copy(agent), copy.deepcopy(agent), pickle.loads(bare), Agent.load(tmp_path / "agent.synaptick")]
    assert all(other._advance is make_agent()._advance for other in others)
    for refused in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="copy or pickle its data"):
            refused(agent.probe("actor/0", "v", capacity=5))


def test_a_probe_goes_on_after_a_restore() -> None:
    agent = make_agent()
    probe = agent.probe("actor/0", ["v", "eligibility"])
    drive(agent, 20)
    before = agent.snapshot()
    agent.step(1.0, ZEROS)
    agent.restore(before)
    agent.step(1.0, ZEROS)
    for array in probe.data.values():
        np.testing.assert_array_equal(array[-1], array[-2])


# ---- refusals


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"where": "actor/2"}, r"there is no 'actor/2' here; allowed: actor, critic, actor/0, actor/1, critic/0, crit"),
        ({"where": "actor/01"}, "there is no 'actor/01' here"),
        ({"where": 1}, "there is no 1 here"),
        ({"where": ["actor/0"]}, r"there is no \['actor/0'\] here"),
        (
            {"quantities": ["v", "volts"]},
            "^'volts' is no quantity of actor/1; allowed: spike, v, a, psi, rate, current",
        ),
        ({"quantities": "retention"}, "^'retention' is no quantity of actor/1; "),
        ({"quantities": ["value"]}, "^'value' is no quantity of actor/1; "),
        ({"quantities": []}, "^no quantity is named of actor/1; allowed: spike, "),
        ({"quantities": None}, "^None is no quantity of actor/1; "),
        ({"quantities": [["v"]]}, "is no quantity of actor/1; allowed"),
        ({"where": "actor", "quantities": ["v"]}, "^'v' is no quantity of actor; allowed: value, td_error, out"),
        ({"where": "actor", "quantities": ["value"], "neurons": [0]}, r"neurons is \[0\], and actor is a network"),
        ({"neurons": [6]}, r"actor/1 has no neuron 6; allowed: numbers from 0 to 5, at least one, such as \[0, 5\]"),
        ({"neurons": [0, -1]}, "actor/1 has no neuron -1"),
        ({"neurons": []}, r"neurons is \[\]; allowed: numbers from 0 to 5"),
        ({"neurons": 3}, "neurons is 3; allowed: numbers"),
        ({"neurons": [1.0]}, r"neurons is \[1.0\]; allowed"),
        ({"neurons": [True]}, r"neurons is \[True\]; allowed"),
        ({"neurons": "12"}, "neurons is '12'; allowed"),
        ({"neurons": [[0]]}, r"neurons is \[\[0\]\]; allowed"),
        ({"neurons": [[0], 1]}, "allowed: numbers"),
        ({"neurons": [10**30]}, "neurons is"),
        ({"every": 0}, "every is 0; allowed: a whole number from 1 on"),
        ({"every": 1.0}, "every is 1.0; allowed"),
        ({"capacity": -1}, "capacity is -1; allowed"),
        ({"capacity": True}, "capacity is True; allowed"),
        ({"capacity": 10**15}, r"no memory for a probe of [\d,]+ bytes; take fewer neurons, fewer quantities or a"),
    ],
)
def test_what_is_not_there_is_refused_in_a_line(arguments: dict[str, Any], message: str) -> None:
    agent = make_agent(layers=(8, 6))
    step, before = agent._advance, state(agent)
    with pytest.raises(ProbeError, match=message) as caught:
        agent.probe(**({"where": "actor/1", "quantities": ["v"]} | arguments))
    assert len(str(caught.value).splitlines()) == 1
    assert agent._advance is step
    assert state(agent) == before


def test_the_example_in_the_docstring_of_probe_holds() -> None:
    (found,) = (
        test for test in doctest.DocTestFinder().find(module.Inspection) if test.name.endswith("Inspection.probe")
    )
    assert found.examples
    assert doctest.DocTestRunner().run(found).failed == 0


def test_a_probe_of_the_default_network() -> None:
    agent = Agent(Config(), BOX, THREE, seed=0)
    with agent.probe("actor/1", ["spike", "v", "psi", "eligibility"], neurons=[3, 7], capacity=50) as probe:
        drive(agent, 60)
    assert isinstance(probe, Probe)
    assert probe.data["eligibility"].shape == (50, 2, 96 + 3 + 64 + 1)
