"""The actor as a NIR graph: what the graph does, run by an interpreter of its own, is what the agent does."""

from __future__ import annotations

import json
import math
import re
import sys
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from gymnasium import spaces
from numpy.typing import NDArray
from synaptick import Agent, Config, ConfigError, SynaptickError
from synaptick.export.nir.frozen import FrozenActor, differences, parts_of, slopes_of
from synaptick.export.nir.graph import graph_of
from synaptick.export.nir.recording import record
from synaptick.export.nir.write import export_nir

from ..support.common import BINARY, make_agent
from ..support.runs import Cli

# Every kind of neuron and of connection that there is, in a network that is small.
FULL = {
    "layers": (16, 12, 9),
    "memory": 0,
    **BINARY,
    "recurrent_scale": 1.0,
    "connectivity": 0.5,
    "kappa_policy": 2.0,
    "env": "CartPole-v1",
}
PLAIN = {"adaptive_fraction": 0.0}
CARTPOLE = spaces.Box(-np.inf, np.inf, (4,)), spaces.Discrete(2)


class Interpreter:
    """Runs a NIR graph in ticks, by the definitions of its nodes and nothing else; plain NumPy, float64.

    Inputs of a node are the sums of what its edges bring. A `Delay` gives what it was given one tick ago, so that every
    loop is broken; all other nodes are evaluated after their sources.
    """

    def __init__(self, graph: Any, tick: float, euler: bool = False) -> None:
        self.graph, self.tick_length, self.euler = graph, tick, euler
        self.sources: dict[str, list[str]] = {name: [] for name in graph.nodes}
        for source, target in graph.edges:
            self.sources[target].append(source)
        self.order: list[str] = []
        while len(self.order) < len(graph.nodes):
            ready = [
                name
                for name, node in graph.nodes.items()
                if name not in self.order
                and (isinstance(node, nir.Delay) or all(source in self.order for source in self.sources[name]))
            ]
            assert ready, "a loop without a delay"
            self.order += ready
        for node in graph.nodes.values():
            if isinstance(node, nir.Delay):
                assert np.all(node.delay == tick)
        self.clear()

    def clear(self) -> None:
        self.state: dict[str, Any] = dict.fromkeys(self.order, 0.0)
        self.out: dict[str, Any] = {}
        self.fired: dict[str, Any] = {}

    def leak(self, node: Any, name: str, current: Any) -> Any:
        share = self.tick_length / node.tau if self.euler else -np.expm1(-self.tick_length / node.tau)
        return self.state[name] + share * (node.v_leak - self.state[name] + node.r * current)

    def tick(self, x: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        late = {
            name: sum(self.out[source] for source in self.sources[name]) if self.out else 0.0
            for name, node in self.graph.nodes.items()
            if isinstance(node, nir.Delay)
        }
        out: dict[str, Any] = {}
        for name in self.order:
            node = self.graph.nodes[name]
            given = sum(out[source] for source in self.sources[name]) if not isinstance(node, nir.Delay) else None
            kind = type(node).__name__
            if kind == "Input":
                out[name] = x
            elif kind == "Output":
                out[name] = given
            elif kind == "Delay":
                out[name] = late[name] + np.zeros(node.delay.shape)
            elif kind == "Scale":
                out[name] = node.scale * given
            elif kind == "Linear":
                out[name] = node.weight.astype(np.float64) @ given
            elif kind == "Affine":
                out[name] = node.weight.astype(np.float64) @ given + node.bias
            elif kind == "Threshold":
                out[name] = (given > node.threshold) * 1.0
            elif kind == "LI":
                self.state[name] = out[name] = self.leak(node, name, given)
            elif kind == "LIF":  # as the metadata has it: the threshold is subtracted in the tick after a spike
                self.state[name] = self.leak(node, name, given) - node.v_threshold * self.fired.get(name, 0.0)
                self.fired[name] = out[name] = (self.state[name] > node.v_threshold) * 1.0
            else:
                raise AssertionError(f"no meaning for {kind}")
        self.out = out
        return out


def written(graph: Any, path: Path) -> Any:
    """Return a graph as it comes back from a file."""
    nir.write(path, graph)
    return nir.read(path)


def trained(seed: int = 0, ticks: int = 400, **changes: Any) -> Agent:
    """Return an agent for CartPole that has learned something, so that no weight is at its first value."""
    agent = Agent(Config(**(FULL | changes)), *CARTPOLE, seed=seed)
    rng = np.random.default_rng(seed)
    agent.start(rng.normal(size=4))
    for _ in range(ticks):
        agent.step(rng.normal(), rng.normal(size=4))
    agent.end(0.0)
    return agent


def spike_name(index: int, neurons: str) -> str:
    return f"{index}_spike" if neurons == "parts" else f"{index}_membrane"


@pytest.mark.parametrize("adaptive", [0.0, 0.5], ids=["LIF", "ALIF"])
@pytest.mark.parametrize("integration", ["exact", "euler"])
def test_spikes_are_those_of_the_agent_where_the_slope_is_constant(
    adaptive: float, integration: str, tmp_path: Path
) -> None:
    """An observation that only changes its sign, and no bias: the std of the current never changes."""
    config = {
        "layers": (24,),
        "recurrent": False,
        "adaptive_fraction": adaptive,
        "connectivity": 1.0,
        "gain": 3.0,
        "spikes": "binary",
    }
    agent = make_agent(**config, normalize_observations=False)
    w = agent.arena.views["actor/0/w"]
    w[:, agent.arena.dimensions.columns(0)["bias"]] = 0.0
    x = np.array([0.5, -1.0, 2.0])
    current = w[:, :3] @ x
    slope = 3.0 / np.sqrt(current.var() + 1e-5)
    graph = graph_of(nir, parts_of(agent), np.array([slope]), "parts", integration, 1e-3)
    net = Interpreter(written(graph, tmp_path / "a.nir"), 1e-3, integration == "euler")
    signs = np.where(np.random.default_rng(1).random(500) < 0.5, -1.0, 1.0)
    spikes = 0
    for t, sign in enumerate(signs):
        if t == 0:
            agent.start(sign * x, learn=False)
        else:
            agent.step(0.0, sign * x, learn=False)
        out = net.tick(sign * x)
        theirs = agent.arena.views["actor/0/z"]
        assert (out["0_spike"] == theirs).all(), f"tick {t}"
        np.testing.assert_allclose(out["output"], agent.arena.views["actor/output"], atol=1e-5)
        spikes += int(theirs.sum())
    assert 0.05 < spikes / (500 * 24) < 0.8


@pytest.mark.parametrize(
    "changes", [{}, PLAIN, {"recurrent": False}, {"readout": "top", "observation_skip": False}], ids=str
)
def test_the_twin_is_the_agent_with_the_slope_of_the_tick(changes: dict[str, Any]) -> None:
    agent = trained(**changes)
    stream = record(agent, 300, 0)
    actor = FrozenActor(parts_of(agent), None)
    for t in range(300):
        if stream.begins[t]:
            actor.clear()
        output = actor.tick(stream.seen[t].astype(np.float64))
        assert ((np.concatenate(actor.z) > 0) == stream.spikes[t]).all(), f"tick {t}"
        np.testing.assert_allclose(output, stream.outputs[t], atol=1e-4)
    assert stream.begins.sum() > 3
    assert 0.05 < stream.spikes.mean() < 0.6


@pytest.mark.parametrize(
    ("neurons", "changes"),
    [
        ("parts", {}),
        ("parts", {"reset_strength": 0.4, "tau_min": 0.01}),
        ("parts", {"readout": "top", "observation_skip": False, "recurrent": False}),
        ("lif", PLAIN),
        ("lif", PLAIN | {"recurrent": False}),
    ],
    ids=str,
)
@pytest.mark.parametrize("integration", ["exact", "euler"])
def test_the_graph_is_the_twin_with_constant_slopes(
    neurons: str, changes: dict[str, Any], integration: str, tmp_path: Path
) -> None:
    agent = trained(**changes)
    parts, stream = parts_of(agent), record(agent, 300, 0)
    slopes = slopes_of(parts, stream)
    net = Interpreter(
        written(graph_of(nir, parts, slopes, neurons, integration, 0.01), tmp_path / "a.nir"),
        0.01,
        integration == "euler",
    )
    actor = FrozenActor(parts, slopes)
    for t in range(300):
        if stream.begins[t]:
            actor.clear()
            net.clear()
        x = stream.seen[t].astype(np.float64)
        output, out = actor.tick(x), net.tick(x)
        for index, z in enumerate(actor.z):
            assert (out[spike_name(index, neurons)] == z).all(), f"layer {index}, tick {t}"
        np.testing.assert_allclose(out["output"], output, atol=1e-4)


def test_an_interpreter_that_forgets_the_reset_is_found_out(tmp_path: Path) -> None:
    agent = trained()
    parts, stream = parts_of(agent), record(agent, 300, 0)
    graph = written(graph_of(nir, parts, slopes_of(parts, stream), "parts", "exact", 1.0), tmp_path / "a.nir")
    whole, lacking = Interpreter(graph, 1.0), Interpreter(graph, 1.0)
    lacking.sources = {
        name: [source for source in sources if not source.endswith("reset")] for name, sources in whole.sources.items()
    }
    wrong = 0
    for x in stream.seen:
        ours, theirs = (net.tick(x.astype(np.float64)) for net in (whole, lacking))
        wrong += int((ours["1_spike"] != theirs["1_spike"]).sum())
    assert wrong > 100


def test_slopes_are_the_least_squares_of_the_measured_ones() -> None:
    agent = trained()
    parts, stream = parts_of(agent), record(agent, 200, 0)
    best = slopes_of(parts, stream)
    actor, errors = FrozenActor(parts, None), np.zeros((len(best), 3))
    for begins, x in zip(stream.begins, stream.seen, strict=True):
        if begins:
            actor.clear()
        before = actor.sums.copy()
        actor.tick(x.astype(np.float64))
        scaled, variance = (actor.sums - before).T
        for k, factor in enumerate((0.99, 1.0, 1.01)):
            errors[:, k] += (scaled / variance - factor * best) ** 2 * variance
    assert (errors[:, 1] < errors[:, 0]).all()
    assert (errors[:, 1] < errors[:, 2]).all()


def test_differences_are_none_without_freezing_and_some_with_it() -> None:
    agent = trained(ticks=150)  # so that the policy is not yet all for one action
    parts, stream = parts_of(agent), record(agent, 300, 0)
    slopes = slopes_of(parts, stream)
    frozen = differences(agent, parts, slopes, stream)
    assert all(0.0 < share < 0.5 for share in frozen["spikes_that_differ"])
    sizes = np.cumsum([16, 12])
    rates = [part.mean() for part in np.split(stream.spikes, sizes, axis=1)]
    np.testing.assert_allclose(frozen["spike_rates"], rates)
    assert 0.5 < frozen["same_choice"][0] < 1.0
    assert 0.0 < frozen["policy_distance"][0] < 0.5
    assert frozen["mean_distance"] == []
    live = differences(agent, parts, None, stream)  # type: ignore[arg-type]
    assert live["spikes_that_differ"] == [0.0, 0.0, 0.0]
    assert live["same_choice"] == [1.0]
    assert live["policy_distance"][0] < 1e-4


@pytest.mark.parametrize("kept", [False, True])
def test_the_recording_follows_neurons_that_live_on(kept: bool) -> None:
    agent = trained(
        keep_state=kept, env_kwargs={}, wrappers=({"gymnasium.wrappers:TimeLimit": {"max_episode_steps": 7}},)
    )
    stream = record(agent, 100, 0)
    assert stream.begins.sum() == (1 if kept else pytest.approx(14, abs=1))
    actor = FrozenActor(parts_of(agent), None)
    for t in range(100):
        if stream.begins[t]:
            actor.clear()
        actor.tick(stream.seen[t].astype(np.float64))
        assert ((np.concatenate(actor.z) > 0) == stream.spikes[t]).all(), f"tick {t}"


def test_controls_are_compared_in_stds(tmp_path: Path) -> None:
    config = Config(**(FULL | {"env": "Pendulum-v1"}))
    agent = Agent(config, spaces.Box(-8, 8, (3,)), spaces.Box(-2, 2, (1,)), seed=0)
    result = export_nir(agent, tmp_path / "a.nir", steps=50)
    found = result["differences"]
    assert found["same_choice"] == found["policy_distance"] == []
    assert 0.0 < found["mean_distance"][0] < 3.0
    graph = nir.read(tmp_path / "a.nir")
    assert graph.output_type["output"].tolist() == [2]
    assert graph.metadata["output_controls"] == 1


def run_folder(cli: Cli, **changes: Any) -> None:
    settings = {"layers": [8, 8], "memory": 0, "spikes": "binary", **changes}
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    code, _, err = cli("run", "CartPole-v1", "--steps", 300, "--out", "r", "--quiet", *options)
    assert code == 0, err


def test_the_command_writes_a_graph_and_tells_what_it_changes(cli: Cli) -> None:
    run_folder(cli, **PLAIN)
    arguments = ("export", "nir", "r", "--out", "a.nir", "--steps", 60)
    code, out, err = cli(*arguments, "--neurons", "lif", "--json")
    assert code == 0, err
    result = json.loads(out)
    assert set(result) == {
        *("file", "file_bytes", "nodes", "neurons", "integration", "tick_seconds", "slopes"),
        *("differences", "differences_if_reset_to_zero"),
    }
    assert result["file_bytes"] == Path("a.nir").stat().st_size
    graph = nir.read("a.nir")
    assert len(graph.nodes) == result["nodes"]
    assert {type(node).__name__ for node in graph.nodes.values()} == {
        *("Input", "Output", "Affine", "Linear", "LIF", "Delay")
    }
    meta = graph.metadata
    assert meta["frozen_slopes"].tolist() == result["slopes"]
    assert meta["measured_spikes_that_differ"].tolist() == result["differences"]["spikes_that_differ"]
    assert meta["reset"].startswith("subtract")
    # What the network sees can be made from the metadata.
    agent = Agent.load("r/agent.synaptick")
    observation = np.array([0.1, -2.0, 0.05, 30.0])
    agent.start(observation, learn=False)
    x = (observation - meta["observation_mean"]) / meta["observation_std"]
    x = np.clip(x, -meta["observation_clip"], meta["observation_clip"])
    np.testing.assert_allclose(x, agent.arena.views["input"], rtol=1e-5)
    code, out, _ = cli(*arguments)
    assert code == 0
    assert re.search(r"of all neurons in all steps, .+ differ \(rates .+\): .+ for each spike", out)
    assert "same likeliest choice" in out


REFUSED = {
    "--exact: layer-normalized current has no NIR node": ({}, ("--exact",)),
    "adaptation (ALIF) has no NIR neuron": ({}, ("--neurons", "lif")),
    "reset_strength 0.5 has no NIR neuron": (PLAIN | {"reset_strength": 0.5}, ("--neurons", "lif")),
    "memory neurons have no NIR node": ({"memory": 8}, ()),
    "graded spikes have no NIR node": ({"spikes": "graded"}, ()),
    "membranes without a leak": ({"tau_max": 1e9}, ()),
    "an adaptation without a leak": ({"tau_adapt": 1e9}, ()),
    "--neurons IF: allowed: parts, lif": ({}, ("--neurons", "IF")),
    "--integration rk4: allowed: exact, euler": ({}, ("--integration", "rk4")),
    "--tick 0.0: allowed": ({}, ("--tick", 0)),
    "--tick nan: allowed": ({}, ("--tick", "nan")),
    "--steps 9: allowed: 10 or more": ({}, ("--steps", 9)),
    "--seed -1: allowed: 0 or more": ({}, ("--seed", -1)),
    "--out none/a.nir: No such file or directory; give a file": ({}, ("--out", "none/a.nir")),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_written_is_refused_by_name(message: str, cli: Cli) -> None:
    changes, options = REFUSED[message]
    run_folder(cli, **changes)
    code, out, err = cli("export", "nir", "r", "--out", "a.nir", *options)
    assert (code, out) == (2, "")
    assert err.startswith("synaptick: error: ")
    assert message in err
    assert err.count("\n") == 1
    assert not Path("a.nir").exists()


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(ConfigError, match=r"pip install 'synaptick\[nir\]'"):
        export_nir(make_agent(), tmp_path / "a.nir")


def test_an_environment_that_fails_is_named(tmp_path: Path) -> None:
    agent = trained(env="Nowhere-v0")
    with pytest.raises(SynaptickError, match="Nowhere"):
        export_nir(agent, tmp_path / "a.nir", steps=20)
    assert math.isfinite(agent.value)
