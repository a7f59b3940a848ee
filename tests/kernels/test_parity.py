"""The compiled agent against its plain numpy twin, tick by tick, and proof that the comparison can fail."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick import Agent
from synaptick.arena import plan
from synaptick.config import Config
from synaptick.kernels import distributions as kernels

from ..reference import credit, distributions, learn, neuron, normalize, policy, rng, signals
from ..reference.agent import NETS, ReferenceAgent
from ..support.common import BINARY, ROOT, tiers
from ..support.harness import (
    DoubleAgent,
    Event,
    assert_parity,
    call,
    disagreement,
    script,
    take_over,
    twin_of,
)
from ..support.mutants import TRUE, put

pytestmark = pytest.mark.double

TICKS, SIZE, ACTIONS = 300, 4, 3
BASE = {"connectivity": 0.5, "recurrent_scale": 1.0, "memory": 0}

FACTORED_HOP = {"depth_filter": "factored", "recurrent_hop": True}
ADAPTIVE = {"feedback": "adaptive", "feedback_decay": 0.003}
RATES = {"rate_regularization": 0.003, "target_rate": 0.3}
# As many neurons as there are in a layer of memory, with delays 1, 2, 3, 1, ..
MEMORY = {"layers": (9, 8), "memory": 8, "memory_horizon": 30.0, "memory_delay": 3}
TWO_MEMORIES = {**MEMORY, "memory": 7, "memory_layers": 2}

THREE = spaces.Discrete(ACTIONS)
SYMBOLS, BOX = spaces.Discrete(SIZE), spaces.Box(-np.inf, np.inf, (SIZE,))

# Settings, and whether observations are a Box (else a Discrete); three actions.
OF_THE_NETWORK: dict[str, tuple[dict[str, Any], bool]] = {
    "one layer LIF": ({"layers": (9,), "adaptive_fraction": 0.0, "recurrent": False, "readout": "top"}, True),
    "one layer ALIF": ({"layers": (9,), "adaptive_fraction": 1.0, "entropy_bonus": 0.1}, True),
    "one leak group": ({"layers": (8, 7), "leak_groups": 1, "readout": "top", "observation_skip": False}, True),
    "discrete": ({"layers": (8, 7), "adaptive_fraction": 0.0, "discount": 0.9}, False),
    "largest steps below the bound": ({"layers": (9, 8), "lr_policy": 0.05, "lr_value": 0.02}, True),
    "one layer, discrete": ({"layers": (9,), "entropy_bonus": 0.02}, False),
    "three layers": ({"layers": (10, 9, 8), "entropy_bonus": 0.05}, True),
    "three layers, top": (
        {"layers": (10, 9, 8), "readout": "top", "recurrent": False, "observation_skip": False},
        True,
    ),
    "three layers, no filter": ({"layers": (10, 9, 8), "depth_filter": "none", "normalize_rewards": False}, True),
    "three layers, no signal from above": ({"layers": (10, 9, 8), "spatial_signal": False}, True),
    "three layers, nothing remembered": ({"layers": (10, 9, 8), "temporal_trace": False}, True),
    "three layers, two frozen": ({"layers": (10, 9, 8), "frozen_layers": 2}, True),
    "one frozen": ({"layers": (9, 8), "frozen_layers": 1}, True),
    "raw observation": (
        {"layers": (9, 8), "normalize_observations": False, "v_th": 0.8, "dampening": 0.4, "reset_strength": 0.6},
        True,
    ),
    "cascade, hop": ({"layers": (10, 9, 8), "recurrent_hop": True}, True),
    "factored": ({"layers": (10, 9, 8), "depth_filter": "factored"}, True),
    "factored, hop": ({"layers": (10, 9, 8), **FACTORED_HOP}, True),
    "factored, hop, one layer": ({"layers": (9,), **FACTORED_HOP}, True),
    "factored, hop, discrete, one leak group": ({"layers": (9, 8), "leak_groups": 1, **FACTORED_HOP}, False),
    "no filter, hop": ({"layers": (10, 9, 8), "depth_filter": "none", "recurrent_hop": True}, True),
    "reset path": ({"layers": (10, 9, 8), "reset_path": True, "v_th": 0.9, "reset_strength": 0.7}, True),
    "reset path, LIF": ({"layers": (9, 8), "reset_path": True, "adaptive_fraction": 0.0}, True),
    "reset path, factored, hop": ({"layers": (10, 9, 8), "reset_path": True, **FACTORED_HOP}, True),
    "random feedback": ({"layers": (10, 9, 8), "feedback": "random", "recurrent_hop": True}, True),
    "adaptive feedback": ({"layers": (10, 9, 8), **ADAPTIVE, **FACTORED_HOP}, True),
    "adaptive feedback, one frozen": ({"layers": (10, 9, 8), **ADAPTIVE, "frozen_layers": 1}, True),
    "adaptive feedback, all frozen": ({"layers": (9, 8), **ADAPTIVE, "frozen_layers": 2}, True),
    "rates, ALIF, reset": ({"layers": (10, 9), **RATES, "reset_path": True, "adaptive_fraction": 1.0}, True),
    "rates, adaptive feedback, one frozen": ({"layers": (10, 9), **RATES, **ADAPTIVE, "frozen_layers": 1}, True),
    "top, hop": (
        {"spikes": "binary", "layers": (10, 9, 8), "readout": "top", "recurrent_hop": True, "observation_skip": False},
        True,
    ),
    "hop without recurrence": ({"layers": (10, 9, 8), "recurrent": False, "recurrent_hop": True}, True),
    "hop without signal from above": ({"layers": (9, 8), "spatial_signal": False, **FACTORED_HOP}, True),
    "hop, nothing remembered": ({"layers": (9, 8), "temporal_trace": False, "reset_path": True, **FACTORED_HOP}, True),
    "short statistics, short sight, errors bound at a third": (
        {"layers": (9, 8), "statistics_horizon": 15, "discount": 0.8, "lambda_policy": 0.5, "td_error_scale": 0.3},
        True,
    ),
    "tensor": ({"layers": (10, 9, 8), "depth_filter": "tensor"}, True),
    "tensor, plain stack": (
        {"layers": (10, 9, 8), "depth_filter": "tensor", "readout": "top", "observation_skip": False},
        True,
    ),
    "tensor, one layer, hop": ({"layers": (9,), "depth_filter": "tensor", "recurrent_hop": True}, True),
    "tensor, reset path, adaptive feedback": (
        {"layers": (9, 8, 7), "depth_filter": "tensor", "reset_path": True, **ADAPTIVE},
        True,
    ),
    "tensor, rates, one frozen": (
        {"layers": (9, 8, 7, 6), "depth_filter": "tensor", **RATES, "frozen_layers": 1},
        True,
    ),
    "tensor, nothing remembered": ({"layers": (9, 8), "depth_filter": "tensor", "temporal_trace": False}, True),
    "tensor, no signal from above": ({"layers": (9, 8), "depth_filter": "tensor", "spatial_signal": False}, True),
    "tensor, state kept": (
        {"spikes": "binary", "layers": (9, 8, 7), "depth_filter": "tensor", "keep_state": True},
        False,
    ),
    "deep": ({"layers": (6,) * 14, "connectivity": 1.0}, True),
    "deep, factored, hop": ({"spikes": "binary", "layers": (6,) * 14, "connectivity": 1.0, **FACTORED_HOP}, True),
    "clipped": ({"layers": (9,), "observation_clip": 0.7, "entropy_bonus": 0.1}, True),
    "graded": ({"layers": (9, 8), "spikes": "graded", "payload_cap": 1.3, "v_th": 0.8, "reset_path": True}, True),
    "graded memory": ({**MEMORY, "spikes": "graded", "payload_cap": 0.7, "memory_payload_cap": 0.4}, True),
    "memory": (MEMORY, True),
    "memory, one layer, no delay, discrete": ({**MEMORY, "layers": (9,), "memory_delay": 0}, False),
    "memory, all kinds as they come": ({**MEMORY, "layers": (9,), "memory": 8, "memory_horizon": 1000.0}, True),
    "memory, discrete": (MEMORY, False),
    "memory, plain stack": (
        {**MEMORY, "readout": "top", "observation_skip": False, "recurrent": False},
        True,
    ),
    "memory, factored, hop": ({**MEMORY, **FACTORED_HOP}, True),
    "memory, cascade, hop": ({**MEMORY, "recurrent_hop": True}, True),
    "memory, no filter, hop": ({**MEMORY, "depth_filter": "none", "recurrent_hop": True}, True),
    "memory, tensor": ({**MEMORY, "depth_filter": "tensor"}, True),
    "memory, no signal from above": ({**MEMORY, "spatial_signal": False}, True),
    "memory, nothing remembered": ({**TWO_MEMORIES, "temporal_trace": False, "readout_share": 0.0, **RATES}, True),
    "memory, rates, adaptive feedback, frozen": ({**TWO_MEMORIES, **RATES, **ADAPTIVE, "frozen_layers": 1}, True),
    "memory, frozen": ({**TWO_MEMORIES, "frozen_layers": 2}, True),
    "memory, reset path, other constants": (
        {**MEMORY, "reset_path": True, "v_th": 0.8, "dampening": 0.4, "reset_strength": 0.6, **RATES},
        True,
    ),
    "two memories": (TWO_MEMORIES, True),
    "two memories, factored, hop": ({**TWO_MEMORIES, **FACTORED_HOP}, True),
    "two memories, no filter": ({**TWO_MEMORIES, "depth_filter": "none"}, True),
    "two memories, no filter, hop, random feedback": (
        {**TWO_MEMORIES, "depth_filter": "none", "recurrent_hop": True, "feedback": "random"},
        True,
    ),
    "two memories, tensor, no delay": ({**TWO_MEMORIES, "memory_delay": 0, "depth_filter": "tensor"}, True),
    "two memories, tensor, random feedback, rates": (
        {**TWO_MEMORIES, "depth_filter": "tensor", "feedback": "random", **RATES},
        True,
    ),
    "two memories, tensor, adaptive feedback": ({**TWO_MEMORIES, "depth_filter": "tensor", **ADAPTIVE}, True),
    "two memories, tensor, nothing remembered": (
        {**TWO_MEMORIES, "depth_filter": "tensor", "temporal_trace": False},
        True,
    ),
    "two memories, tensor, state kept": (
        {**TWO_MEMORIES, "spikes": "binary", "depth_filter": "tensor", "keep_state": True},
        False,
    ),
    "two memories, random feedback, hop": ({**TWO_MEMORIES, "feedback": "random", "recurrent_hop": True}, True),
    "three memories, tensor, frozen": (
        {**TWO_MEMORIES, "memory_layers": 3, "memory": 5, "depth_filter": "tensor", "frozen_layers": 1},
        True,
    ),
    "three memories": ({**TWO_MEMORIES, "memory_layers": 3, "memory": 5}, True),
}


# Wide enough to be clipped often.
WIDE = {"initial_std": 0.8, "std_lr_scale": 0.3}
# Weights from which outputs start far outside their range.
STRAY = {"stray": 40.0, **WIDE}
FREE = {"std": "free", **WIDE}
BOUNDED = spaces.Box(np.float32([-1, -3, 2]), np.float32([1, 5, 2.5]))
ONE_SIDED = spaces.Box(np.array([-2.0, -np.inf]), np.array([np.inf, 0.5]), dtype=np.float64)
UNBOUNDED = spaces.Box(-np.inf, np.inf, (2,))
MIXED = spaces.Dict(
    push=spaces.Box(-1, 2, (2,)),
    gear=spaces.Discrete(3, start=-1),
    rest=spaces.Tuple([spaces.MultiBinary(2), spaces.Box(0, np.inf, (), np.float64), spaces.MultiDiscrete([2, 4])]),
)
SEEN = spaces.Dict(
    camera=spaces.Box(0, 255, (2, 2), np.uint8),
    rest=spaces.Tuple([spaces.Discrete(3, start=1), spaces.MultiBinary(2), spaces.MultiDiscrete([2, 3])]),
    speed=spaces.Box(-np.inf, np.inf, (), np.float64),
)
# Fast enough that neither rounding nor learning hides it.
FADING = {"preference_decay": 0.02}
# Settings, observations, actions.
OF_ACTIONS: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "multidiscrete": ({"layers": (9, 8), "entropy_bonus": 0.05}, BOX, spaces.MultiDiscrete([3, 2, 4])),
    "multibinary, mixed observation": ({"layers": (9, 8)}, SEEN, spaces.MultiBinary(3)),
    "bounded": ({"layers": (9, 8), **WIDE, "entropy_bonus": 0.02}, BOX, BOUNDED),
    "bounded, free": ({"layers": (9, 8), **FREE}, BOX, BOUNDED),
    "bounded, free, random feedback": ({"layers": (9, 8), **FREE, "feedback": "random"}, BOX, BOUNDED),
    "bounded, free, adaptive feedback": ({"layers": (9, 8), **FREE, **ADAPTIVE}, BOX, BOUNDED),
    "bounded, symbols": ({"layers": (9, 8), **WIDE}, SYMBOLS, BOUNDED),
    "bounded, fresh noise": ({"layers": (9,), **WIDE, "noise_correlation": 0.0}, BOX, BOUNDED),
    "bounded, narrow": ({"layers": (9,), "initial_std": 0.05}, BOX, BOUNDED),
    "one-sided": ({"layers": (9, 8), **WIDE}, BOX, ONE_SIDED),
    "one-sided, free, top": ({"layers": (9, 8), **FREE, "readout": "top"}, BOX, ONE_SIDED),
    "unbounded": ({"layers": (9, 8), "noise_correlation": 0.5}, BOX, UNBOUNDED),
    "unbounded, std fixed": ({"layers": (9,), "std_lr_scale": 0.0}, BOX, UNBOUNDED),
    "mixed": ({"layers": (10, 9), **WIDE, "entropy_bonus": 0.02}, SEEN, MIXED),
    "mixed, free": ({"layers": (10,), **FREE}, SEEN, MIXED),
    "mixed, raw observation": ({"layers": (10,), "normalize_observations": False, **FREE}, SEEN, MIXED),
    "mixed, three layers, factored": ({"layers": (10, 9, 8), **WIDE, **FACTORED_HOP}, BOX, MIXED),
    "bounded, noise all lasting": ({"layers": (9,), **WIDE, "correlated_noise_fraction": 1.0}, BOX, BOUNDED),
    "bounded, noise not lasting": ({"layers": (9,), **WIDE, "correlated_noise_fraction": 0.0}, BOX, BOUNDED),
    "strayed": ({"layers": (9, 8), "spikes": "binary", **STRAY, "entropy_bonus": 0.02}, BOX, BOUNDED),
    "strayed, free": ({"layers": (9, 8), **STRAY, "std": "free"}, BOX, BOUNDED),
    "strayed, free, top": ({"layers": (9, 8), **STRAY, "std": "free", "readout": "top"}, BOX, ONE_SIDED),
    "strayed, adaptive feedback": ({"layers": (9, 8), **STRAY, **ADAPTIVE}, BOX, BOUNDED),
    "strayed, unbounded": ({"layers": (9, 8), **STRAY}, BOX, UNBOUNDED),
    "strayed, mixed": ({"layers": (10, 9), **STRAY}, SEEN, MIXED),
    "discrete, fading": ({"layers": (9, 8), **FADING}, BOX, THREE),
    "discrete, fading, symbols": ({"layers": (9,), **FADING}, SYMBOLS, THREE),
    "multidiscrete, fading, held": (
        {"layers": (9, 8), **FADING, "min_probability_ratio": 0.4, "memory": 7},
        BOX,
        spaces.MultiDiscrete([3, 2, 4]),
    ),
    "multidiscrete, all fades at once": ({"layers": (9,), "preference_decay": 1.0}, BOX, spaces.MultiDiscrete([3, 2])),
    "mixed, fading": ({"layers": (10, 9), **WIDE, **FADING, "entropy_bonus": 0.02}, SEEN, MIXED),
    "mixed, fading, free, adaptive feedback": ({"layers": (10,), **FREE, **FADING, **ADAPTIVE}, SEEN, MIXED),
    "strayed, mixed, fading": ({"layers": (10, 9), **STRAY, **FADING}, SEEN, MIXED),
    "mixed, fading, policy frozen": ({"layers": (9,), **FREE, **FADING, "lr_policy": 0.0}, SEEN, MIXED),
    "strayed, policy frozen": ({"layers": (10, 9), **STRAY, "lr_policy": 0.0}, BOX, BOUNDED),
}
CASES = {
    **{name: (changes, BOX if box else SYMBOLS, THREE) for name, (changes, box) in OF_THE_NETWORK.items()},
    **OF_ACTIONS,
}


# Of the cases, those that together change whatever any of them changes.
USUAL = (
    *("raw observation", "three layers, top", "three layers, no filter", "three layers, no signal from above"),
    *("three layers, nothing remembered", "one frozen", "factored, hop, discrete, one leak group"),
    *("reset path, factored, hop", "random feedback", "rates, ALIF, reset", "clipped"),
    *("tensor, state kept", "deep"),
    *("short statistics, short sight, errors bound at a third", "bounded, fresh noise", "bounded, noise all lasting"),
    *("one-sided, free, top", "strayed, free, top", "multidiscrete, fading, held"),
    *("mixed, three layers, factored", "mixed, fading, free, adaptive feedback"),
    *("memory, plain stack", "memory, nothing remembered", "two memories, factored, hop"),
    *("memory, rates, adaptive feedback, frozen", "two memories, tensor, random feedback, rates"),
    *("two memories, no filter", "two memories, tensor, state kept", "graded", "graded memory"),
    *("mixed, fading, policy frozen", "largest steps below the bound"),
)


def double_agent(changes: dict[str, Any], observations: Any = BOX, actions: Any = THREE, seed: int = 0) -> DoubleAgent:
    settings = BASE | changes
    factor = settings.pop("stray", 1.0)
    agent: DoubleAgent = strayed(DoubleAgent(Config(**settings), observations, actions, seed), factor)
    return agent


def single_agent(changes: dict[str, Any], observations: Any = BOX, actions: Any = THREE, seed: int = 0) -> Agent:
    settings = BASE | changes
    factor = settings.pop("stray", 1.0)
    agent: Agent = strayed(Agent(Config(**settings), observations, actions, seed=seed), factor)
    return agent


def strayed(agent: Any, factor: float) -> Any:
    """Return the agent, the weights of its means and stds multiplied."""
    views = getattr(agent, "views", agent.arena.views)
    views["actor/w"][sum(agent.action.choices) :] *= factor
    return agent


class Watch:
    """Counts the spikes of a twin and the kinds of the events that went by."""

    def __init__(self, twin: ReferenceAgent, events: Any):
        self.twin, self.events = twin, events
        self.before = {name: array.copy() for name, array in twin.arrays.items()}
        self.rates: dict[str, list[float]] = {f"{net}/{k}": [] for net in NETS for k in range(len(twin.config.stack))}
        self.kinds: dict[str, int] = {}

    def __iter__(self) -> Any:
        for event in self.events:
            yield event
            label = event.kind if event.learn else f"{event.kind} only"
            self.kinds[label] = self.kinds.get(label, 0) + 1
            for path, rates in self.rates.items():
                rates.append(float(self.twin.arrays[f"{path}/z"].mean()))

    def assert_alive(self) -> None:
        """Every layer spiked, but not always, and learned, unless it is frozen."""
        for path, rates in self.rates.items():
            assert 0.02 < np.mean(rates) < 0.8, path
            change = np.abs(self.twin.arrays[f"{path}/w"] - self.before[f"{path}/w"]).max()
            frozen = int(path.split("/")[1]) < self.twin.config.fixed
            frozen |= path.startswith("actor") and self.twin.config.lr_policy == 0
            assert change == 0.0 if frozen else change > 1e-3, path


class Sides:
    """Notes whether drawn controls fell between their bounds, beyond one, and beyond one from a mean there already.

    Also whether outputs were beyond their range.
    """

    def __init__(self, twin: ReferenceAgent, events: Any):
        self.twin, self.events, self.seen = twin, events, set[str]()

    def __iter__(self) -> Any:
        twin = self.twin
        for event in self.events:
            yield event
            output, initial = twin.arrays["actor/output"], twin.config.initial_std
            for control, noise in zip(policy.gaussians(output, twin.parts, initial), twin.arrays["noise"], strict=True):
                mean, std, low, high = control
                u = mean + std * noise
                self.seen.add("below" if u < low else "above" if u > high else "inside")
                if (u > high and mean > high) or (u < low and mean < low):
                    self.seen.add("with the mean beyond")
            n = len(twin.parts.controls.T)
            excess = policy.excess(output, twin.parts, twin.config)[len(output) - 2 * n :]
            self.seen |= {"mean too far" for x in excess[:n] if x} | {"std too far" for x in excess[n:] if x}

    def missing(self) -> set[str]:
        """What these controls should have done and did not."""
        _, _, low, high = self.twin.parts.controls
        expected = {"inside"} if low.size else set()
        expected |= {name for name, bound in (("below", low), ("above", high)) if np.isfinite(bound).any()}
        return expected - self.seen


# ---- the equations on their own


def test_random_numbers_are_xoshiro128plusplus() -> None:
    """First outputs of the authors' C code from the state 1, 2, 3, 4."""
    words = [1, 2, 3, 4]
    found = [rng.next_uint32(words) for _ in range(10)]
    assert found[:5] == [641, 1573767, 3222811527, 3517856514, 836907274]
    assert found[5:] == [4247214768, 3867114732, 1355841295, 495546011, 621204420]


def test_statistics_are_those_of_the_whole_sample() -> None:
    xs = np.random.default_rng(0).normal(5.0, 3.0, size=(50, 2))
    mean, m2 = np.zeros(2), np.zeros(2)
    for count, x in enumerate(xs, 1):
        mean, m2 = normalize.welford(1.0, count, mean, m2, x)
    np.testing.assert_allclose(mean, xs.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(normalize.variance(50, m2), xs.var(axis=0, ddof=1), rtol=1e-12)


def test_actions_are_drawn_with_their_probabilities() -> None:
    words, probabilities = [1, 2, 3, 4], np.array([0.5, 0.0, 0.3, 0.2])
    counts = np.bincount([distributions.sample(probabilities, words) for _ in range(4000)], minlength=4)
    assert counts[1] == 0
    np.testing.assert_allclose(counts / 4000, probabilities, atol=0.03)


# ---- parity


@pytest.fixture
def kernel_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the twin the kernels' approximations of a tail, which `test_policy` compares with the exact ones."""
    put(monkeypatch, "distributions.tail_hazard", kernels.tail_hazard)
    put(monkeypatch, "distributions.log_tail", kernels.log_tail)


def test_the_usual_cases_change_whatever_any_case_changes() -> None:
    def changed(names: Iterable[str]) -> set[Any]:
        settings = [(key, value) for name in names for key, value in CASES[name][0].items()]
        words = {(key, value) for key, value in settings if isinstance(value, str | bool)}
        return words | {key for key, _ in settings}

    assert changed(USUAL) == changed(CASES)


@pytest.mark.usefixtures("kernel_tail")
@pytest.mark.parametrize("name", tiers(CASES, USUAL))
@pytest.mark.parametrize(("stretch", "tolerance"), [(1, 1e-10), pytest.param(100, 1e-5, marks=pytest.mark.slow)])
def test_parity_in_double_precision(name: str, stretch: int, tolerance: float) -> None:
    """Weights, traces, neurons, statistics and random words agree after every tick, and over long stretches."""
    agent = double_agent(*CASES[name])
    twin = twin_of(agent)
    watch = Watch(twin, script(TICKS, agent.observation, seed=0))
    assert assert_parity(agent, twin, watch, tolerance, stretch) == TICKS
    watch.assert_alive()
    assert {"start", "step", "terminate", "truncate", "step only"} <= set(watch.kinds)


@pytest.mark.parametrize(
    "name",
    tiers(OF_ACTIONS, ["one-sided, free, top", "strayed, free, top", "mixed, three layers, factored"]),
)
def test_parity_with_the_exact_tail(name: str) -> None:
    """The tail of the kernels is right to 1e-5, and so is all that comes of it in a tick, however close to 0."""
    agent = double_agent(*OF_ACTIONS[name])
    twin = twin_of(agent)
    sides = Sides(twin, script(TICKS, agent.observation, seed=2))
    assert assert_parity(agent, twin, sides, tolerance=1e-3, stretch=1) == TICKS
    if WIDE.items() <= OF_ACTIONS[name][0].items():
        assert sides.missing() == set()
    if name.startswith("strayed"):
        expected = {"std too far"} | ({"mean too far", "with the mean beyond"} if "unbounded" not in name else set())
        assert expected <= sides.seen


@pytest.mark.any_arithmetic
@pytest.mark.parametrize("name", tiers(CASES, USUAL[1::2]))
def test_parity_of_the_agent(name: str) -> None:
    """The agent as a user gets it, in single precision, through its façade.

    Rounding moves a membrane across its threshold now and then. Such a tick must be a near miss in the twin, which then
    takes over the agent's state; it does so every 10 ticks too, before rounding errors have grown.
    """
    agent = single_agent(*CASES[name], seed=1)
    twin = twin_of(agent, CASES[name][1:])
    action, compared, chosen = 0.0, 0, len(twin.parts.choices)
    for tick, event in enumerate(script(TICKS, agent.observation, 1), 1):
        before = action
        action = call(agent, event, before)
        call(twin, event, before)
        if same_spikes(agent, twin):
            assert (agent.arena.views["action"][:chosen] == twin.arrays["action"][:chosen]).all()
            compared += 1
            assert_close(agent, twin, event, tick)
        if tick % 10 == 0 or not same_spikes(agent, twin):
            take_over(twin, agent)
    assert compared >= 0.98 * TICKS


def same_spikes(agent: Agent, twin: ReferenceAgent) -> bool:
    """Whether all spikes agree; the lowest layer in which they do not must have been close to its threshold.

    Graded ones agree if as many are sent and as many are at the cap, where psi falls to 0.
    """
    for net in NETS:
        for index in range(len(twin.config.stack)):
            z, psi = (twin.arrays[f"{net}/{index}/{name}"] for name in ("z", "psi"))
            c, ours = twin.config, agent.arena.views[f"{net}/{index}/z"]
            if c.spikes == "graded":
                for edge in (0.0, 1.0 - 1e-6):
                    differ = (ours > edge) != (z > edge)
                    if differ.any():
                        assert np.abs(z[differ] - edge).max() < 1e-2
                        return False
                continue
            differ = ours != z
            if differ.any():
                assert (c.v_th * (1 - psi * c.v_th / c.dampening))[differ].max() < 1e-2
                return False
    return True


def assert_close(agent: Agent, twin: ReferenceAgent, event: Event, tick: int) -> None:
    for name, found in disagreement(agent, twin).items():
        assert found < (1e-3 if name.endswith("/w") else 1e-2), f"tick {tick} ({event.kind}): {name} by {found:.1e}"


@pytest.mark.parametrize("depth_filter", ["cascade", "factored"])
def test_whatever_lasts_is_compared(depth_filter: str) -> None:
    agent = double_agent({**OPTIONS, "depth_filter": depth_filter}, BOX, MIXED)
    twin, d = twin_of(agent), agent.arena.dimensions
    assert max(disagreement(agent, twin).values()) == 0.0
    rows = [*plan.agent_rows(d), *plan.net_rows(d, 0), *(row for index in (0, 1) for row in plan.layer_rows(d, index))]
    lasting = {row.name for row in rows if row.lasts in (plan.LEARNED, plan.TRACE) and np.prod(row.shape)}
    found = lasting - {"spike_rates", "step_sizes"}  # for display
    assert found >= {"w", "credit", "eps", "epsa", "feedback", "observation_mean"}
    for name, view in agent.views.items():
        if view.size and name.split("/")[-1] in found | {"v", "a", "z", "psi"}:
            before = view.flat[0]
            view.flat[0] = before + 1.0
            assert max(disagreement(agent, twin).values()) > 1e-3, name
            view.flat[0] = before


@pytest.mark.parametrize("depth_filter", ["cascade", "factored", "none"])
def test_leaks_of_the_filters_are_those_of_the_layer(depth_filter: str) -> None:
    views = single_agent({"layers": (10, 9), "depth_filter": depth_filter}).arena.views
    kept = depth_filter != "none"
    expected = [views[f"actor/{index}/alpha"].mean() * kept for index in range(2)]
    np.testing.assert_allclose(views["actor/leak"], expected, rtol=1e-6)
    if depth_filter != "cascade":
        np.testing.assert_array_equal(views["actor/0/filter_leak"], views["actor/1/alphas"] * kept)


@pytest.mark.parametrize("learn", [True, False])
def test_a_hop_that_cannot_be_made_is_off(learn: bool) -> None:
    """Without recurrence, and without signals from above, the switch changes nothing."""
    for changes in ({"recurrent": False}, {"spatial_signal": False}):
        ours, theirs = (double_agent({"layers": (9, 8), **changes, "recurrent_hop": hop}) for hop in (True, False))
        action = 0
        for event in script(50, ours.observation, 0, act_only=not learn):
            before = action
            action = call(ours, event, before)
            assert action == call(theirs, event, before)
        assert ours.floats.size == theirs.floats.size
        np.testing.assert_array_equal(ours.floats, theirs.floats)


def test_more_frozen_layers_than_there_are_freeze_all_of_them() -> None:
    two, five = (double_agent({"layers": (9, 8), **ADAPTIVE, "frozen_layers": frozen}) for frozen in (2, 5))
    for agent in (two, five):
        action = 0
        for event in script(50, agent.observation, 0):
            action = call(agent, event, action)
    np.testing.assert_array_equal(two.floats, five.floats)


@pytest.mark.parametrize(
    "options", [{}, {**FACTORED_HOP, **ADAPTIVE, **RATES, "reset_path": True}, {"recurrent_hop": True}]
)
def test_parity_with_kept_state(options: dict[str, Any]) -> None:
    """Neurons, eligibility and credit go on through termination and restart."""
    agent = double_agent({"layers": (9, 8), "keep_state": True, **options})
    twin = twin_of(agent)
    watch = Watch(twin, script(TICKS, agent.observation, 0, truncate=False, act_only=False))
    assert assert_parity(agent, twin, watch, tolerance=1e-5, stretch=100) == TICKS
    watch.assert_alive()
    assert watch.kinds["terminate"] > 2


@pytest.mark.parametrize("learn", [True, False])
def test_kept_traces_follow_the_neurons_through_a_truncation(learn: bool) -> None:
    """A forward pass at the end moves all eligibility on; one without learning makes the next tick clear it."""
    agent = double_agent({"layers": (9, 8), "keep_state": True, **FACTORED_HOP, **RATES, "reset_path": True})
    twin = twin_of(agent)
    kinds = {0: "start", 20: "truncate", 21: "start"}
    events = [
        replace(event, kind=kinds.get(tick, "step"), learn=learn or tick != 20)
        for tick, event in enumerate(script(40, agent.observation, 0, act_only=False))
    ]
    assert_parity(agent, twin, iter(events), tolerance=1e-6, stretch=100)


# ---- negative controls


def _swapped(agent: ReferenceAgent, delta: float, gradients: Any) -> None:
    """Credit first, then the weights."""
    for number, net in enumerate(NETS):
        found = signals.send_signals(agent, net, gradients[number]) if gradients else []
        if gradients:
            credit.advance_credit(agent, net, gradients[number], found)
        learn.change_weights(agent, net, delta, follow=bool(gradients))


def _late_signals(agent: ReferenceAgent, delta: float, gradients: Any) -> None:
    """Signals from the weights after the change."""
    for number, net in enumerate(NETS):
        learn.change_weights(agent, net, delta, follow=bool(gradients))
        if gradients:
            found = signals.send_signals(agent, net, gradients[number])
            credit.advance_credit(agent, net, gradients[number], found)


def _late_rates(agent: ReferenceAgent, delta: float, gradients: Any) -> None:
    """The pull of the rates by the eligibility of the next tick."""
    for number, net in enumerate(NETS):
        found = signals.send_signals(agent, net, gradients[number]) if gradients else []
        learn.change_weights(agent, net, delta, follow=False)
        for at in (f"{net}/{index}/" for index in agent.learning if gradients):
            neuron.advance_eligibility(agent, at)
            e = neuron.layer_eligibility(agent, at)[1]
            change = TRUE["rate_regularization.regularize_rates"](agent.config, agent.arrays[f"{at}rate"], e)
            for name in ("w", "feedback"):
                agent.arrays[at + name] = agent.arrays[at + name] + change
        if gradients:
            credit.advance_credit(agent, net, gradients[number], found)


def _no_bootstrap(self: ReferenceAgent, reward: float, observation: Any = None, learn: bool = True) -> None:
    """A truncation taken for a termination."""
    TRUE["tick.tick"](self, reward, observation, learn, 0.0, last=True)


MUTATIONS: dict[str, Any] = {
    "learn.learn order": _swapped,
    "learn.learn signals": _late_signals,
    "agent.ReferenceAgent.end": _no_bootstrap,
    "clearing.clear_traces": lambda agent: agent.scalars.update(stale=0.0),
    "clearing.clear_episode": TRUE["clearing.clear_traces"],
    "neuron.filter_inputs": lambda eps, alphas, slope, u: alphas[:, None] * (eps + slope * u),
    "neuron.adaptive_eligibility": lambda epsa, eps, undone, psi, strength, rho: (
        psi[:, None] * eps + rho[:, None] * epsa
    ),
    "neuron.eligibility": lambda eps, x, psi: psi[:, None] * (eps + x),
    "depth.cascade": lambda traces, e, leaks, slopes: TRUE["depth.cascade"](traces, e, leaks, slopes[::-1]),
    "depth.weights": lambda mass, s=0: 1.001 * TRUE["depth.weights"](mass, s),
    "depth.cascade_credit": lambda s, e, before, after: TRUE["depth.cascade_credit"](
        s._replace(hops=s.hops[::-1]), e, before, after
    ),
    "signals.signals": lambda direct, w, psi, psi_mean, *rest: TRUE["signals.signals"](direct, w, psi, psi, *rest),
    "neuron.fire": lambda config, state, *rest: TRUE["neuron.fire"](
        config, (state[0], state[1], 0.99 * state[2]), *rest
    ),
    "forward.normalize_current": lambda current, gain: TRUE["forward.normalize_current"](current, 1.001 * gain),
    "forward.center": lambda count, *rest: TRUE["forward.center"](count + 1, *rest),
    "normalize.standardize": lambda count, *rest: TRUE["normalize.standardize"](count + 1, *rest),
    "normalize.reward_scale": lambda returns: 1.001 * TRUE["normalize.reward_scale"](returns),
    "normalize.add_reward": lambda returns, memory, discount, reward: TRUE["normalize.add_reward"](
        returns, memory, discount + 1e-3, reward
    ),
    "normalize.scale_reward": lambda agent, reward: (TRUE["normalize.scale_reward"](agent, reward)[0], 1.0),
    "normalize.returns_differ": lambda returns: returns[0] >= 5,
    "normalize.kept": lambda memory, count: 1.0,
    "normalize.welford": lambda keep, count, *rest: TRUE["normalize.welford"](keep, count + 1, *rest),
    "normalize.forget_episode": lambda returns: returns,
    "step_size.bounded_step": lambda lr, kappa, bound, delta, norm: lr / max(1.0, lr * kappa * abs(delta) * norm),
    "forward.PSI_MEAN_RATE": 0.06,
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutated_rule_breaks_parity(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, name, MUTATIONS[name])
    agent = double_agent({"layers": (10, 9, 8), "entropy_bonus": 0.05, "memory": 9, "statistics_horizon": 30})
    with pytest.raises(AssertionError, match=r"^tick "):
        assert_parity(agent, twin_of(agent), script(TICKS, agent.observation, 0), tolerance=1e-5, stretch=100)


OF_THE_POLICY: dict[str, Any] = {
    "distributions.log_probability_gradient": lambda probabilities, action: np.eye(probabilities.size)[action],
    "rng.uniform": lambda words: rng.next_uint32(words) / 2**32,
    "rng.normal": lambda words: -TRUE["rng.normal"](words),
    "policy.next_noise": lambda slow, correlation, *rest: TRUE["policy.next_noise"](slow, 0.99 * correlation, *rest),
    "policy.next_noise share": lambda slow, correlation, share, words: TRUE["policy.next_noise"](
        slow, correlation, 0.49, words
    ),
    "policy.next_noise order": lambda slow, correlation, share, words: _noise_the_other_way_round(
        slow, correlation, share, words
    ),
    "policy.next_noise kept": lambda slow, *rest: (TRUE["policy.next_noise"](slow, *rest)[1],) * 2,
    "policy.std_of": lambda initial, output: initial * np.exp(output / 2),
    "distributions.tail_hazard": lambda b: 1.01 * TRUE["distributions.tail_hazard"](b),
    "distributions.Clipped.mean_gradient": lambda self, u: (u - self.mean) / self.std,
    "distributions.Clipped.std_gradient": lambda self, u: ((u - self.mean) / self.std) ** 2,
    "distributions.Clipped.log_probability": lambda self, u: -(((u - self.mean) / self.std) ** 2) / 2,
    "policy.action_scale": lambda parts, stds: float(np.mean(stds)),
    "spaces.is_number": lambda space: TRUE["spaces.is_number"](space)[::-1],
    "spaces.drawn_range": lambda low, high: (0.0, 1.0, low, high),
}


def _noise_the_other_way_round(slow: float, correlation: float, share: float, words: list[int]) -> tuple[float, float]:
    """xi' before xi."""
    fresh = TRUE["rng.normal"](words)
    slow = correlation * slow + np.sqrt(1 - correlation**2) * TRUE["rng.normal"](words)
    return slow, np.sqrt(share) * slow + np.sqrt(1 - share) * fresh


def _no_gradient_beyond(output: Any, parts: Any, *rest: Any) -> Any:
    """An output beyond its range has no gradient: the range is differentiated too."""
    found = TRUE["policy.sample_action"](output, parts, *rest)
    inside = policy.excess(output, parts, rest[2]) == 0
    return found._replace(gradient=found.gradient * inside)


# Of outputs beyond their range.
OF_STRAYED: dict[str, Any] = {
    "policy.sample_action": _no_gradient_beyond,
    "policy.mean_of": lambda output, std, low, high: output,
    "policy.mean_of at the bound": lambda output, std, low, high: float(np.clip(output, low, high)),
    "policy.mean_of above only": lambda output, std, low, high: min(output, high + 3 * std),
    "policy.RESTRAIN_RATE": 0.099,
    "distributions.LOG_STD": (-4.0, 1.01),
    "distributions.LOG_STD below": (-4.01, 1.0),
    "policy.excess": lambda output, parts, config: 0 * output,
    "policy.excess of means": lambda output, parts, config: np.where(
        np.arange(output.size) < output.size - len(parts.controls.T), TRUE["policy.excess"](output, parts, config), 0.0
    ),
    "policy.move_output": lambda change, seen: -TRUE["policy.move_output"](change, seen),
    "policy.move_output norm": lambda change, seen: change[:, None] * seen / np.sqrt((seen**2).sum(axis=1))[:, None],
    "policy.keep_free": lambda agent, rows: None,
    "policy.restrain_outputs": lambda agent: _to_feedback(agent),
}


def _to_feedback(agent: ReferenceAgent) -> None:
    """Feedback weights follow too."""
    TRUE["policy.restrain_outputs"](agent)
    excess = policy.excess(agent.arrays["actor/output"], agent.parts, agent.config)
    seen = np.tile(agent.arrays["actor/features"], (excess.size, 1))
    policy.keep_free(agent, seen)
    agent.arrays["actor/feedback"] = agent.arrays["actor/feedback"] + TRUE["policy.move_output"](-0.1 * excess, seen)


# Of preferences that fall too far below the largest of their factor.
OF_UNLIKELY: dict[str, Any] = {
    "policy.excess of preferences": lambda output, parts, config: np.where(
        np.arange(output.size) < parts.offsets[-1], 0.0, TRUE["policy.excess"](output, parts, config)
    ),
    "policy.excess of preferences, of all factors": lambda output, parts, config: np.where(
        np.arange(output.size) < parts.offsets[-1],
        np.minimum(output - output[: parts.offsets[-1]].max() - np.log(config.min_probability_ratio), 0.0),
        TRUE["policy.excess"](output, parts, config),
    ),
}


def _from_one_mean(output: Any, parts: Any) -> Any:
    """The mean of the preferences of all factors, not of the own one."""
    n = parts.offsets[-1]
    return np.where(np.arange(output.size) < n, output - output[:n].mean(), 0.0)


# Of preferences that fade.
OF_FADING: dict[str, Any] = {
    "policy.apart from one mean": _from_one_mean,
    "policy.apart sign": lambda output, parts: -TRUE["policy.apart"](output, parts),
    "policy.apart from 0": lambda output, parts: np.where(np.arange(output.size) < parts.offsets[-1], output, 0.0),
    "policy.apart, controls too": lambda output, parts: np.where(
        np.arange(output.size) < parts.offsets[-1], TRUE["policy.apart"](output, parts), output
    ),
    "policy.apart, not the last": lambda output, parts: np.where(
        np.arange(output.size) < parts.offsets[-2], TRUE["policy.apart"](output, parts), 0.0
    ),
    "policy.apart, never": lambda output, parts: 0.0 * output,
}


# What an agent must be for the mutants of one part of its policy to show, and these.
OF_ACTING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "policy": (
        {
            "changes": {"layers": (9, 8), **WIDE, "entropy_bonus": 0.05, "connectivity": 1.0},
            "observations": SEEN,
            "actions": MIXED,
        },
        OF_THE_POLICY,
    ),
    # With this seed one free std starts above its range, and one below.
    "range": (
        {
            "changes": {"layers": (9, 8), **STRAY, **ADAPTIVE, "std": "free"},
            "observations": BOX,
            "actions": BOUNDED,
            "seed": 5,
        },
        OF_STRAYED,
    ),
    "least probability": (
        {"changes": {"layers": (9, 8), "min_probability_ratio": 0.4}, "observations": SEEN, "actions": MIXED},
        OF_UNLIKELY,
    ),
    "fading": (
        {"changes": {"layers": (9, 8), **FADING, **ADAPTIVE}, "observations": SEEN, "actions": MIXED},
        OF_FADING,
    ),
}


@pytest.mark.usefixtures("kernel_tail")
@pytest.mark.parametrize(
    ("part", "name"), [(part, name) for part, (_, mutants) in OF_ACTING.items() for name in (None, *mutants)]
)
def test_a_mutated_policy_breaks_parity(part: str, name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments, mutants = OF_ACTING[part]
    agent = double_agent(**arguments)
    events = script(TICKS, agent.observation, 0)
    if name is None:
        assert assert_parity(agent, twin_of(agent), events, tolerance=1e-5, stretch=20) == TICKS
        return
    put(monkeypatch, name, mutants[name])
    with pytest.raises(AssertionError, match=r"^tick "):
        assert_parity(agent, twin_of(agent), events, tolerance=1e-5, stretch=20)


@pytest.mark.usefixtures("kernel_tail")
@pytest.mark.parametrize("when", ["acting only", "without a policy to learn", "at the end of an episode"])
def test_a_hold_at_the_wrong_time_breaks_parity(when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def tick(
        agent: Any, reward: Any, observation: Any, learning: bool, *rest: Any, last: bool = False, **given: Any
    ) -> Any:
        found = TRUE["tick.tick"](agent, reward, observation, learning, *rest, last=last, **given)
        if {"acting only": not learning, "at the end of an episode": last and learning}.get(when, True):
            policy.restrain_outputs(agent)
        return found

    frozen = {"lr_policy": 0.0} if when == "without a policy to learn" else {}
    agent = double_agent({"layers": (9, 8), **STRAY, **frozen}, BOX, BOUNDED)
    put(monkeypatch, "tick.tick", tick)
    with pytest.raises(AssertionError, match=r"^tick "):
        assert_parity(agent, twin_of(agent), script(TICKS, agent.observation, 0), tolerance=1e-5, stretch=20)


def test_deviations_that_are_not_free_break_parity(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = double_agent({"layers": (9, 8), **FREE}, BOX, BOUNDED)
    twin = twin_of(agent)
    twin.config = replace(twin.config, std="state")
    with pytest.raises(AssertionError, match=r"^tick "):
        assert_parity(agent, twin, script(TICKS, agent.observation, 0), tolerance=1e-4, stretch=TICKS + 1)


def _hop_at_once(*arguments: Any) -> Any:
    return [s._replace(up=s.up + s.around, around=0 * s.around) for s in TRUE["signals.send_signals"](*arguments)]


def _wrong_decay(*arguments: Any) -> Any:
    """epsr with the decay of another neuron."""
    return TRUE["neuron.reset_eligibility"](*arguments[:-1], np.roll(arguments[-1], 1))


# Rules that only the options use, all of them at once.
OPTIONS = {
    "layers": (10, 9, 8),
    **BINARY,
    "entropy_bonus": 0.05,
    "reset_path": True,
    "feedback": "adaptive",
    "feedback_decay": 0.003,
    "rate_regularization": 0.003,
    "recurrent_hop": True,
}
OF_OPTIONS: dict[str, Any] = {
    "learn.learn rates": _late_rates,
    "signals.send_signals": _hop_at_once,
    "feedback.feedback": lambda agent, at: agent.arrays[f"{at}w"],
    "neuron.reset_eligibility": _wrong_decay,
    "neuron.suppression": lambda epsa, epsr, strength, fall: strength[:, None] * epsa,
    "rate_regularization.regularize_rates": lambda *arguments: (
        -TRUE["rate_regularization.regularize_rates"](*arguments)
    ),
    "feedback.decayed_change": lambda x, decay, change: (1 - decay) * (x + change),
    "forward.RATE_RATE": 0.011,
}
OF_THE_FACTORED: dict[str, Any] = {
    "signals.by_group": lambda x, groups: TRUE["signals.by_group"](x[::-1], groups)[:, ::-1],
    "depth.fan": lambda traces, source, leaks, slope: TRUE["depth.fan"](traces, source, leaks[::-1], slope),
    "depth.stored": lambda weight, s=0: TRUE["depth.stored"](1.001 * weight, s),
    "depth.past_mean": lambda past, psi, mass, fresh: TRUE["depth.past_mean"](past, psi, mass + fresh, fresh),
    "depth.instant_credit": lambda s, e, slopes: TRUE["depth.instant_credit"](s, e, slopes[::-1]),
    "depth.one_hop_credit": lambda s, x, *rest: TRUE["depth.one_hop_credit"](s, 0 * x, *rest),
    "depth.deeper_credit": lambda s, x, *rest: TRUE["depth.deeper_credit"](s, 0 * x, *rest),
}


OF_THE_TENSOR: dict[str, Any] = {
    "tensor.influence": lambda trace, leak, *rest: TRUE["tensor.influence"](trace, np.roll(leak, 1), *rest),
    "tensor.influence slope": lambda trace, leak, slope, *rest: TRUE["tensor.influence"](
        trace, leak, 1.001 * slope, *rest
    ),
    "tensor.tensor_credit": lambda agent, net, index, found, e: found[index].direct[:, None] * e,
    "feedback.feedback": lambda agent, at: agent.arrays[f"{at}w"],
}
OF_FILTERS = {"cascade": OF_OPTIONS, "factored": OF_THE_FACTORED, "tensor": OF_THE_TENSOR}


@pytest.mark.parametrize(
    ("depth_filter", "name"), [(form, name) for form, mutants in OF_FILTERS.items() for name in (None, *mutants)]
)
def test_a_mutated_option_breaks_parity(depth_filter: str, name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_noticed({**OPTIONS, "depth_filter": depth_filter}, OF_FILTERS[depth_filter], name, monkeypatch)


def assert_noticed(
    changes: dict[str, Any], mutants: dict[str, Any], name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parity holds with the true rules, and not with the mutant of that name."""
    agent = double_agent(changes)
    twin, events = twin_of(agent), script(TICKS, agent.observation, 0)
    if name is None:
        assert assert_parity(agent, twin, events, tolerance=1e-5, stretch=100) == TICKS
        return
    put(monkeypatch, name, mutants[name])
    with pytest.raises(AssertionError, match=r"^tick "):
        assert_parity(agent, twin, events, tolerance=1e-5, stretch=100)


def _cells(**changes: Any) -> Any:
    """`memory.hold` with some of what it returns changed: functions of the cells, of the old ones, and of h."""

    def hold(config: Any, old: Any, a: Any, h: Any, drive: Any) -> Any:
        cells = TRUE["memory.hold"](config, old, a, h, drive)
        return cells._replace(**{name: change(cells, old, h) for name, change in changes.items()})

    return hold


def _without_old(cells: Any, old: Any, h: Any) -> Any:
    """b without what the gate takes off the cell."""
    gate, n = 1 - cells.keep, cells.v.size
    return np.concatenate([cells.push[:n], cells.push[n:] + gate * (1 - gate) * old])


NORMS = ReferenceAgent.norms


def _one_norm(agent: ReferenceAgent, net: str) -> Any:
    """Candidates and gates of a memory layer under one norm."""
    norms, blocks = NORMS(agent, net), len(agent.blocks(net))
    for gate, index in enumerate(index for index in agent.indices if agent.is_memory(index)):
        norms[index] = norms[blocks + gate] = norms[index] + norms[blocks + gate]
    return norms


OF_MEMORY: dict[str, Any] = {
    "memory.INTEGRATOR_GAIN": 0.11,
    "memory.see": lambda size, below, x, past: TRUE["memory.see"](size, below, x, past[::-1]),
    "memory.hold b": _cells(push=_without_old),
    "memory.hold psi": _cells(psi=lambda cells, old, h: 1.001 * cells.psi),
    "memory.hold reset": _cells(v=lambda cells, old, h: cells.v * (1 - cells.z)),
    "memory.filter_memory": lambda eps, keep, *rest: TRUE["memory.filter_memory"](eps, 0.99 * keep, *rest),
    "memory.eligibility": lambda agent, at: agent.arrays[f"{at}eps"],
    "clearing.NEURONS": ("v", "a", "z", "psi"),
}
OF_CARRIED: dict[str, Any] = OF_MEMORY | {
    "memory.influence": lambda trace, keep, *rest: TRUE["memory.influence"](trace, np.roll(keep, 1), *rest),
    "memory.through_gates": lambda agent, at, n: np.split(
        agent.arrays[at + "push"][:, None] * agent.arrays[at + "feedback"][:, :n], 2
    )[0],
    "memory.carried_credit": lambda s, above, *rest: TRUE["memory.carried_credit"](
        s, above._replace(hops=0 * above.hops), *rest
    ),
    "feedback.feedback": lambda agent, at: agent.arrays[f"{at}w"],
}
OF_CASCADED: dict[str, Any] = {
    "memory.mean_keep": lambda keep: float(np.median(keep)),
    "agent.ReferenceAgent.norms": _one_norm,
    "depth.cascade": lambda traces, e, leaks, slopes: TRUE["depth.cascade"](traces, e, leaks[::-1], slopes),
}
OF_TWO_MEMORIES = {"tensor": OF_CARRIED, "cascade": OF_CASCADED}


@pytest.mark.parametrize(
    ("depth_filter", "name"), [(form, name) for form, mutants in OF_TWO_MEMORIES.items() for name in (None, *mutants)]
)
def test_a_mutated_memory_breaks_parity(depth_filter: str, name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {**TWO_MEMORIES, **ADAPTIVE, **RATES, "depth_filter": depth_filter}
    assert_noticed(changes, OF_TWO_MEMORIES[depth_filter], name, monkeypatch)


# ---- interpreted

INTERPRETED = """
import sys
from tests.kernels import test_parity as tests



for name in sys.argv[1:]:
    agent = tests.double_agent(*tests.CASES[name])
    assert not hasattr(agent.advance, "py_func")
    twin = tests.twin_of(agent)
    tests.assert_parity(agent, twin, tests.script(60, agent.observation, seed=3), tolerance=1e-3, stretch=1)
    print(name)
"""
IN_PYTHON = [
    *("one layer, discrete", "multidiscrete", "bounded", "one-sided, free, top", "mixed, free"),
    *("strayed, free, top", "adaptive feedback", "memory, reset path, other constants"),
    "mixed, fading, free, adaptive feedback",
]


@pytest.mark.parametrize("names", [IN_PYTHON[-1:], pytest.param(IN_PYTHON[:-1], marks=pytest.mark.slow)], ids=len)
def test_parity_of_the_interpreted_agent(names: list[str]) -> None:
    """The same lines without a compiler: nothing rests on what Numba makes of them."""
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", INTERPRETED, *names],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == names
