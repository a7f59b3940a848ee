"""The compiled agent against its plain numpy twin, tick by tick, and proof that the comparison can fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
from synaptick.agent.agent import Agent
from synaptick.agent.config import Config
from synaptick.agent.spaces import ActionSpec, ObservationSpec

from . import reference
from .harness import DoubleAgent, Event, assert_parity, call, compared_names, disagreement, script, take_over, twin_of
from .reference import NETS, ReferenceAgent

TICKS, SIZE, ACTIONS = 300, 4, 3
BASE = {"connectivity": 0.5, "recurrent_scale": 1.0}

# Dense weights: from 0, a step of +lr and one of -lr leave a rounding error, and this rule gives that a full step too.
COORDINATE = {"step_rule": "coordinate", "lr_policy": 0.01, "lr_value": 0.02, "connectivity": 1.0}

FACTORED_HOP = {"depth_filter": "factored", "recurrent_hop": True}
ADAPTIVE = {"feedback": "adaptive", "feedback_decay": 0.003}
RATES = {"rate_regularization": 0.003, "target_rate": 0.3}

CASES: dict[str, tuple[dict[str, Any], bool]] = {
    "one layer LIF": ({"layers": (9,), "adaptive_fraction": 0.0, "recurrent": False, "readout": "top"}, True),
    "one layer ALIF": ({"layers": (9,), "adaptive_fraction": 1.0, "entropy_bonus": 0.1}, True),
    "one leak group": ({"layers": (8, 7), "leak_groups": 1, "readout": "top", "observation_skip": False}, True),
    "discrete": ({"layers": (8, 7), "adaptive_fraction": 0.0, "discount": 0.9}, False),
    "coordinate": ({"layers": (9, 8), **COORDINATE}, True),
    "coordinate discrete": ({"layers": (9,), **COORDINATE, "entropy_bonus": 0.02}, False),
    "three layers": ({"layers": (10, 9, 8), "entropy_bonus": 0.05}, True),
    "three layers, top": (
        {"layers": (10, 9, 8), "readout": "top", "recurrent": False, "observation_skip": False},
        True,
    ),
    "three layers, no filter": ({"layers": (10, 9, 8), "depth_filter": "none", "normalize_rewards": False}, True),
    "three layers, no signal from above": ({"layers": (10, 9, 8), "spatial_signal": False}, True),
    "three layers, nothing remembered": ({"layers": (10, 9, 8), "temporal_trace": False}, True),
    "three layers, two frozen": ({"layers": (10, 9, 8), "frozen_layers": 2}, True),
    "coordinate, one frozen": ({"layers": (9, 8), "frozen_layers": 1, **COORDINATE}, True),
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
    "adaptive feedback, coordinate": ({"layers": (9, 8), **ADAPTIVE, **COORDINATE}, True),
    "adaptive feedback, one frozen": ({"layers": (10, 9, 8), **ADAPTIVE, "frozen_layers": 1}, True),
    "adaptive feedback, all frozen": ({"layers": (9, 8), **ADAPTIVE, "frozen_layers": 2}, True),
    "rates, ALIF, reset": ({"layers": (10, 9), **RATES, "reset_path": True, "adaptive_fraction": 1.0}, True),
    "rates, adaptive feedback, one frozen": ({"layers": (10, 9), **RATES, **ADAPTIVE, "frozen_layers": 1}, True),
    "top, hop": ({"layers": (10, 9, 8), "readout": "top", "recurrent_hop": True, "observation_skip": False}, True),
    "hop without recurrence": ({"layers": (10, 9, 8), "recurrent": False, "recurrent_hop": True}, True),
    "hop without signal from above": ({"layers": (9, 8), "spatial_signal": False, **FACTORED_HOP}, True),
    "hop, nothing remembered": ({"layers": (9, 8), "temporal_trace": False, "reset_path": True, **FACTORED_HOP}, True),
    "clipped": ({"layers": (9,), "observation_clip": 0.7, "trace_lambda": 0.5}, True),
}


def double_agent(changes: dict[str, Any], box: bool = True, seed: int = 0) -> DoubleAgent:
    observation = ObservationSpec("box", (SIZE,), SIZE) if box else ObservationSpec("discrete", (), SIZE)
    return DoubleAgent(Config(**(BASE | changes)), observation, ActionSpec(ACTIONS), seed)


def single_agent(changes: dict[str, Any], box: bool = True, seed: int = 0) -> Agent:
    observation = gymnasium.spaces.Box(-np.inf, np.inf, (SIZE,)) if box else gymnasium.spaces.Discrete(SIZE)
    return Agent(Config(**(BASE | changes)), observation, gymnasium.spaces.Discrete(ACTIONS), seed=seed)


class Watch:
    """Counts the spikes of a twin and the kinds of the events that went by."""

    def __init__(self, twin: ReferenceAgent, events: Any):
        self.twin, self.events = twin, events
        self.before = {name: array.copy() for name, array in twin.arrays.items()}
        self.rates: dict[str, list[float]] = {f"{net}/{k}": [] for net in NETS for k in range(len(twin.config.layers))}
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
            frozen = int(path.split("/")[1]) < self.twin.config.frozen_layers
            assert change == 0.0 if frozen else change > 1e-3, path


# ---- the equations on their own


def test_random_numbers_are_xoshiro128plusplus() -> None:
    """First outputs of the authors' C code from the state 1, 2, 3, 4."""
    words = [1, 2, 3, 4]
    found = [reference.next_uint32(words) for _ in range(10)]
    assert found[:5] == [641, 1573767, 3222811527, 3517856514, 836907274]
    assert found[5:] == [4247214768, 3867114732, 1355841295, 495546011, 621204420]


def test_statistics_are_those_of_the_whole_sample() -> None:
    xs = np.random.default_rng(0).normal(5.0, 3.0, size=(50, 2))
    mean, m2 = np.zeros(2), np.zeros(2)
    for count, x in enumerate(xs, 1):
        mean, m2 = reference.welford(count, mean, m2, x)
    np.testing.assert_allclose(mean, xs.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(reference.variance(50, m2), xs.var(axis=0, ddof=1), rtol=1e-12)


def test_actions_are_drawn_with_their_probabilities() -> None:
    words, probabilities = [1, 2, 3, 4], np.array([0.5, 0.0, 0.3, 0.2])
    counts = np.bincount([reference.sample(probabilities, words) for _ in range(4000)], minlength=4)
    assert counts[1] == 0
    np.testing.assert_allclose(counts / 4000, probabilities, atol=0.03)


# ---- parity


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("stretch", "tolerance"), [(1, 1e-10), (100, 1e-5)])
def test_parity_in_double_precision(name: str, stretch: int, tolerance: float) -> None:
    """Weights, traces, neurons, statistics and random words agree after every tick, and over long stretches."""
    changes, box = CASES[name]
    agent = double_agent(changes, box)
    twin = twin_of(agent, box)
    watch = Watch(twin, script(TICKS, SIZE, box, seed=0))
    assert assert_parity(agent, twin, watch, tolerance, stretch) == TICKS
    watch.assert_alive()
    assert {"start", "step", "terminate", "truncate", "step only"} <= set(watch.kinds)


@pytest.mark.parametrize("name", CASES)
def test_parity_of_the_agent(name: str) -> None:
    """The agent as a user gets it, in single precision, through its façade.

    Rounding moves a membrane across its threshold now and then. Such a tick must be a near miss in the twin, which then
    takes over the agent's state; it does so every 20 ticks too, before rounding errors have grown.
    """
    changes, box = CASES[name]
    agent = single_agent(changes, box, seed=1)
    twin = twin_of(agent, box)
    action, compared = 0, 0
    for tick, event in enumerate(script(TICKS, SIZE, box, 1), 1):
        before = action
        action, expected = call(agent, event, before), call(twin, event, before)
        if same_spikes(agent, twin):
            assert action == expected
            compared += 1
            assert_close(agent, twin, event, tick)
        if tick % 20 == 0 or not same_spikes(agent, twin):
            take_over(twin, agent)
    assert compared >= 0.98 * TICKS


def same_spikes(agent: Agent, twin: ReferenceAgent) -> bool:
    """Whether all spikes agree; the lowest layer in which they do not must have been close to its threshold."""
    for net in NETS:
        for index in range(len(twin.config.layers)):
            v, a, z, strength = (twin.arrays[f"{net}/{index}/{name}"] for name in ("v", "a", "z", "strength"))
            differ = agent.arena.views[f"{net}/{index}/z"] != z
            if differ.any():
                assert np.abs(v - twin.config.v_th - strength * a)[differ].max() < 1e-2
                return False
    return True


def assert_close(agent: Agent, twin: ReferenceAgent, event: Event, tick: int) -> None:
    for name, found in disagreement(agent, twin).items():
        assert found < (1e-3 if name.endswith("/w") else 1e-2), f"tick {tick} ({event.kind}): {name} by {found:.1e}"


# Fixed from the start, worked out anew in every tick, or for display.
NOT_COMPARED = {
    *("alpha", "alphas", "rho", "strength", "leak", "filter_leak"),
    *("staging", "input", "inputs", "current", "slope", "features", "gradient", "signals"),
    *("scratch_e", "scratch_total", "scratch_factors", "spike_rates", "credit_norms", "step_sizes"),
}


@pytest.mark.parametrize("depth_filter", ["cascade", "factored"])
def test_whatever_lasts_is_compared(depth_filter: str) -> None:
    agent = double_agent({**OPTIONS, "depth_filter": depth_filter, "step_rule": "coordinate"})
    lasting = {name for name, view in agent.views.items() if view.size and name.split("/")[-1] not in NOT_COMPARED}
    assert lasting == set(compared_names(agent))
    assert len({name.split("/")[-1] for name in lasting}) == {"cascade": 18, "factored": 20}[depth_filter]


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
        for event in script(50, SIZE, True, 0, act_only=not learn):
            before = action
            action = call(ours, event, before)
            assert action == call(theirs, event, before)
        assert ours.floats.size == theirs.floats.size
        np.testing.assert_array_equal(ours.floats, theirs.floats)


def test_more_frozen_layers_than_there_are_freeze_all_of_them() -> None:
    two, five = (double_agent({"layers": (9, 8), **ADAPTIVE, "frozen_layers": frozen}) for frozen in (2, 5))
    for agent in (two, five):
        action = 0
        for event in script(50, SIZE, True, 0):
            action = call(agent, event, action)
    np.testing.assert_array_equal(two.floats, five.floats)


@pytest.mark.parametrize("options", [{}, {**FACTORED_HOP, **ADAPTIVE, **RATES, "reset_path": True}])
def test_parity_with_kept_state(options: dict[str, Any]) -> None:
    """Neurons, eligibility and credit go on through termination and restart."""
    agent = double_agent({"layers": (9, 8), "keep_state": True, **options})
    twin = twin_of(agent, True)
    watch = Watch(twin, script(TICKS, SIZE, True, 0, truncate=False, act_only=False))
    assert assert_parity(agent, twin, watch, tolerance=1e-5, stretch=100) == TICKS
    watch.assert_alive()
    assert watch.kinds["terminate"] > 2


@pytest.mark.parametrize("learn", [True, False])
def test_kept_traces_follow_the_neurons_through_a_truncation(learn: bool) -> None:
    """A forward pass at the end moves all eligibility on; one without learning makes the next tick clear it."""
    agent = double_agent({"layers": (9, 8), "keep_state": True, **FACTORED_HOP, **RATES, "reset_path": True})
    twin = twin_of(agent, True)
    kinds = {0: "start", 20: "truncate", 21: "start"}
    events = [
        replace(event, kind=kinds.get(tick, "step"), learn=learn or tick != 20)
        for tick, event in enumerate(script(40, SIZE, True, 0, act_only=False))
    ]
    assert_parity(agent, twin, iter(events), tolerance=1e-6, stretch=100)


# ---- negative controls


def _swapped(self: ReferenceAgent, delta: float, gradients: Any) -> None:
    """Credit first, then the weights."""
    for number, net in enumerate(NETS):
        found = self.signals(net, gradients[number]) if gradients else []
        if gradients:
            self.advance(net, gradients[number], found)
        self.change_weights(net, delta, follow=bool(gradients))


def _late_signals(self: ReferenceAgent, delta: float, gradients: Any) -> None:
    """Signals from the weights after the change."""
    for number, net in enumerate(NETS):
        self.change_weights(net, delta, follow=bool(gradients))
        if gradients:
            self.advance(net, gradients[number], self.signals(net, gradients[number]))


def _late_rates(self: ReferenceAgent, delta: float, gradients: Any) -> None:
    """The pull of the rates by the eligibility of the next tick."""
    for number, net in enumerate(NETS):
        found = self.signals(net, gradients[number]) if gradients else []
        self.change_weights(net, delta, follow=False)
        for path in (f"{net}/{index}" for index in self.learning if gradients):
            TRUE["advance_eligibility"](self, f"{path}/")
            e = self.eligibility(path)[1]
            c, rate = self.config, self.arrays[f"{path}/rate"]
            change = reference.rate_change(c.rate_regularization, rate, c.target_rate, e)
            for name in ("w", "feedback"):
                self.arrays[f"{path}/{name}"] = self.arrays[f"{path}/{name}"] + change
        if gradients:
            self.advance(net, gradients[number], found)


def _no_bootstrap(self: ReferenceAgent, reward: float, observation: Any = None, learn: bool = True) -> None:
    """A truncation taken for a termination."""
    self.tick(reward, observation, learn, 0.0, last=True)
    self.scalars["reward_sum"] = 0.0


TRUE: dict[str, Any] = {
    **vars(reference),
    "advance_eligibility": ReferenceAgent.advance_eligibility,
    "ReferenceAgent.signals": ReferenceAgent.signals,
}

MUTATIONS: dict[str, Callable[..., Any]] = {
    "ReferenceAgent.learn order": _swapped,
    "ReferenceAgent.learn signals": _late_signals,
    "ReferenceAgent.end": _no_bootstrap,
    "ReferenceAgent.clear": lambda self, neurons=False: self.scalars.update(stale=0.0),
    "membrane_eligibility": lambda eps, alphas, slope, u: alphas[:, None] * (eps + slope * u),
    "adaptive_eligibility": lambda epsa, eps, undone, psi, strength, rho: psi[:, None] * eps + rho[:, None] * epsa,
    "eligibility": lambda eps, x, psi: psi[:, None] * (eps + x),
    "cascade": lambda traces, e, leaks, slopes: TRUE["cascade"](traces, e, leaks, slopes[::-1]),
    "cascade_credit": lambda s, e, before, after: TRUE["cascade_credit"](
        s._replace(hops=s.hops[::-1]), e, before, after
    ),
    "signals": lambda direct, w, psi, psi_mean, *rest: TRUE["signals"](direct, w, psi, psi, *rest),
    "neuron": lambda state, *rest: TRUE["neuron"]((state[0], state[1], 0.99 * state[2]), *rest),
    "normalised_current": lambda w, u, gain: TRUE["normalised_current"](w, u, 1.001 * gain),
    "standardise": lambda count, *rest: TRUE["standardise"](count + 1, *rest),
    "reward_scale": lambda count, m2: 1 / np.sqrt(m2 / count + 1e-8),
    "log_probability_gradient": lambda probabilities, action: np.eye(probabilities.size)[action],
    "bounded_step": lambda lr, kappa, delta, norm: lr / max(1.0, lr * kappa * abs(delta) * norm),
    "uniform": lambda words: reference.next_uint32(words) / 2**32,
    "PSI_MEAN_RATE": 0.06,  # type: ignore[dict-item]
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutated_rule_breaks_parity(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target = name.split()[0]
    owner = reference.ReferenceAgent if target.startswith("ReferenceAgent.") else reference
    monkeypatch.setattr(owner, target.split(".")[-1], MUTATIONS[name])
    agent = double_agent({"layers": (10, 9, 8), "entropy_bonus": 0.05})
    with pytest.raises(AssertionError, match=r"^tick "):
        assert_parity(agent, twin_of(agent, True), script(TICKS, SIZE, True, 0), tolerance=1e-5, stretch=100)


def _hop_at_once(self: ReferenceAgent, net: str, gradient: Any) -> Any:
    found = TRUE["ReferenceAgent.signals"](self, net, gradient)
    return [s._replace(up=s.up + s.around, around=0 * s.around) for s in found]


def _wrong_decay(*arguments: Any) -> Any:
    """epsr with the decay of another neuron."""
    return TRUE["reset_eligibility"](*arguments[:-1], np.roll(arguments[-1], 1))


# Rules that only the options use, all of them at once.
OPTIONS = {
    "layers": (10, 9, 8),
    "entropy_bonus": 0.05,
    "reset_path": True,
    "feedback": "adaptive",
    "feedback_decay": 0.003,
    "rate_regularization": 0.003,
    "recurrent_hop": True,
}
OF_OPTIONS: dict[str, Callable[..., Any]] = {
    "ReferenceAgent.learn rates": _late_rates,
    "ReferenceAgent.signals": _hop_at_once,
    "ReferenceAgent.feedback": lambda self, path: self.arrays[f"{path}/w"],
    "reset_eligibility": _wrong_decay,
    "suppression": lambda epsa, epsr, strength, fall: strength[:, None] * epsa,
    "rate_change": lambda strength, rate, target, e: strength * (rate - target)[:, None] * e,
    "decayed_change": lambda x, decay, change: (1 - decay) * (x + change),
    "RATE_RATE": 0.011,  # type: ignore[dict-item]
}
OF_THE_FACTORED: dict[str, Callable[..., Any]] = {
    "by_group": lambda x, groups: TRUE["by_group"](x[::-1], groups)[:, ::-1],
    "fan": lambda traces, source, leaks, slope: TRUE["fan"](traces, source, leaks[::-1], slope),
    "past_mean": lambda past, psi, mass, fresh: TRUE["past_mean"](past, psi, mass + fresh, fresh),
    "instant_credit": lambda s, e, slopes: TRUE["instant_credit"](s, e, slopes[::-1]),
    "one_hop_credit": lambda s, x, *rest: TRUE["one_hop_credit"](s, 0 * x, *rest),
    "deeper_credit": lambda s, x, *rest: TRUE["deeper_credit"](s, 0 * x, *rest),
}


@pytest.mark.parametrize(
    ("depth_filter", "name"),
    [*(("cascade", name) for name in (None, *OF_OPTIONS)), *(("factored", name) for name in (None, *OF_THE_FACTORED))],
)
def test_a_mutated_option_breaks_parity(depth_filter: str, name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = double_agent({**OPTIONS, "depth_filter": depth_filter})
    twin, events = twin_of(agent, True), script(TICKS, SIZE, True, 0)
    if name is None:
        assert assert_parity(agent, twin, events, tolerance=1e-5, stretch=100) == TICKS
        return
    target = name.split()[0]
    owner = reference.ReferenceAgent if target.startswith("ReferenceAgent.") else reference
    monkeypatch.setattr(owner, target.split(".")[-1], (OF_OPTIONS | OF_THE_FACTORED)[name])
    with pytest.raises(AssertionError, match=r"^tick "):
        assert_parity(agent, twin, events, tolerance=1e-5, stretch=100)


def test_a_mutated_coordinate_rule_breaks_parity(monkeypatch: pytest.MonkeyPatch) -> None:
    true = reference.coordinate_change
    monkeypatch.setattr(reference, "coordinate_change", lambda c, p, lr, delta, decay: true(c, p, lr, delta, 0.0))
    agent = double_agent(CASES["coordinate"][0])
    with pytest.raises(AssertionError, match=r"^tick "):
        assert_parity(agent, twin_of(agent, True), script(TICKS, SIZE, True, 0), tolerance=1e-5, stretch=100)
