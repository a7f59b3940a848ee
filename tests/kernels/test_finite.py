"""Whatever a stream of finite numbers holds, no weight, credit or probability stops being a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from synaptick.kernels.base.jit import SATURATION

from ..support.common import ACTIONS, CONTROLS, PARTS, SIZE, assert_finite, learned, make_agent

pytestmark = pytest.mark.any_arithmetic

ZEROS = np.zeros(SIZE)
SCALES = st.sampled_from([0.0, 1e-320, 1e-45, 1e-30, 1e-8, 1.0, 1e8, 1e30, 1e308])
VALUES = st.tuples(SCALES, st.floats(-1, 1)).map(lambda pair: pair[0] * pair[1])
STREAMS = st.lists(st.tuples(VALUES, st.lists(VALUES, min_size=SIZE, max_size=SIZE)), min_size=1, max_size=30)
OPTIONS = st.fixed_dictionaries(
    {
        "layers": st.sampled_from([(8,), (8, 8)]),
        "memory": st.sampled_from([0, 0, 5]),
        "memory_layers": st.sampled_from([1, 2]),
        "depth_filter": st.sampled_from(["cascade", "tensor"]),
        "normalize_observations": st.booleans(),
        "normalize_rewards": st.booleans(),
        "keep_state": st.booleans(),
        "entropy_bonus": st.sampled_from([0.0, 0.1]),
        "action": st.sampled_from([spaces.Discrete(ACTIONS), CONTROLS, PARTS]),
        "std": st.sampled_from(["state", "free"]),
        "initial_std": st.sampled_from([0.001, 1.0, 100.0]),
    }
)


@given(STREAMS, OPTIONS, st.integers(1, 8))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_no_stream_leaves_a_number_that_is_not_finite(stream: Any, options: dict[str, Any], rounds: int) -> None:
    agent = make_agent(**options)
    for number in range(rounds):
        agent.start(stream[0][1])
        for reward, observation in stream:
            assert agent.step(reward, observation) in options["action"]
        assert_finite(agent)
        agent.end(stream[0][0], stream[-1][1] if number % 2 else None)
        assert_finite(agent)


def heavy_tailed(rng: np.random.Generator, scale: float) -> Callable[[], NDArray[np.float64]]:
    return lambda: np.clip(rng.standard_cauchy(SIZE), -1e9, 1e9) * scale


KINDS: dict[str, dict[str, Any]] = {
    "default": {},
    "controls": {"action": CONTROLS},
    "parts": {"action": PARTS, "entropy_bonus": 0.1},
    "memory": {"memory": 6, "memory_layers": 2, "memory_delay": 2},
    "memory, carried": {"memory": 6, "memory_layers": 2, "depth_filter": "tensor", "feedback": "random"},
    "memory, rates": {"memory": 6, "memory_horizon": 1e6, "rate_regularization": 0.1},
}


@pytest.mark.parametrize("changes", KINDS.values(), ids=list(KINDS))
@pytest.mark.parametrize("scale", [0.0, 1e-40, 1.0, 1e20])
@pytest.mark.parametrize("normalize", [True, False])
def test_long_streams_stay_finite(changes: dict[str, Any], scale: float, normalize: bool) -> None:
    agent = make_agent(layers=(8, 8), normalize_observations=normalize, normalize_rewards=normalize, **changes)
    draw = heavy_tailed(np.random.default_rng(0), scale)
    agent.start(draw())
    for tick in range(3000):
        agent.step(float(draw()[0]), draw())
        if tick % 100 == 0:
            assert_finite(agent)


@pytest.mark.parametrize("changes", KINDS.values(), ids=list(KINDS))
@pytest.mark.parametrize(
    "size", [*(pytest.param(size, marks=pytest.mark.slow) for size in (1e30, 1e100, 1e200)), 1.7e308]
)
@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("where", ["reward", "observation", "both"])
def test_numbers_beyond_all_measure_are_survived(
    where: str, normalize: bool, size: float, changes: dict[str, Any]
) -> None:
    agent = make_agent(normalize_observations=normalize, normalize_rewards=normalize, **changes)
    rng, scales = np.random.default_rng(0), [0.0, 1.0, size]
    agent.start(ZEROS)
    for _ in range(200):
        values = rng.choice(scales, SIZE + 1) * rng.uniform(-1, 1, SIZE + 1)
        reward, observation = values[0], values[1:]
        agent.step(reward if where != "observation" else 1.0, observation if where != "reward" else ZEROS)
        assert_finite(agent)


def test_learning_goes_on_after_a_number_beyond_all_measure() -> None:
    agent, rng = make_agent(normalize_observations=False, normalize_rewards=False), np.random.default_rng(0)
    agent.start(ZEROS)
    agent.step(1e300, np.full(SIZE, -1e300))
    agent.end(0.0)
    before = agent.arena.views["critic/w"].copy()
    agent.start(ZEROS)
    for _ in range(20):
        agent.step(float(rng.normal()), rng.normal(size=SIZE))
    assert (agent.arena.views["critic/w"] != before).any()


# ---- depth

# A product of slopes, 2 to 600 a layer, leaves the range of a float long before the bottom of such stacks.
DEEP: dict[str, tuple[int, ...]] = {"24 layers of 64": (64,) * 24, "64 layers of 4": (4,) * 64}
FILTERS: dict[str, dict[str, Any]] = {
    "cascade": {},
    "factored": {"depth_filter": "factored"},
    "none": {"depth_filter": "none"},
    "cascade, hop": {"recurrent_hop": True},
    "factored, hop": {"depth_filter": "factored", "recurrent_hop": True},
}


# Numbers for each synapse and neuron above it: for the narrow stack alone.
NARROW: dict[str, dict[str, Any]] = {"tensor": {"depth_filter": "tensor"}}


def live(agent: Any, ticks: int, every: int) -> None:
    """Lead an agent through episodes of 250 ticks, and look at all its numbers every so often."""
    rng = np.random.default_rng(0)
    for tick in range(ticks):
        observation = rng.normal(size=SIZE)
        if tick % 250 == 0:
            agent.start(observation)
        elif tick % 250 == 249:
            agent.end(float(rng.normal()), observation if tick % 500 == 499 else None)
        else:
            agent.step(float(rng.normal()), observation)
        if tick < 30 or tick % every == 0:
            assert_finite(agent)


LEAST_STEP = {"binary": 1e-6, "graded": 1e-16}


@pytest.mark.parametrize("spikes", LEAST_STEP)
@pytest.mark.parametrize("ticks", [300, pytest.param(10_000, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    ("stack", "name"),
    [*((stack, name) for stack in DEEP for name in FILTERS), *(("64 layers of 4", name) for name in NARROW)],
)
def test_a_deep_stack_stays_finite_and_learns_in_every_layer(stack: str, name: str, ticks: int, spikes: str) -> None:
    """Gradients of graded spikes grow by 2 to 4 from layer to layer, so that the steps of low layers are small."""
    agent = make_agent(layers=DEEP[stack], spikes=spikes, **(FILTERS | NARROW)[name])
    before = {path: view.copy() for path, view in agent.arena.views.items() if path.endswith("/w")}
    live(agent, ticks, every=97)
    steps = agent.arena.views["step_sizes"]
    assert ((steps > LEAST_STEP[spikes]) & (steps <= 1.0)).all()
    for path, weights in before.items():
        moved = np.abs(agent.arena.views[path] - weights).max()
        assert 1e-6 < moved < 10, path
    # Each trace has the size of what it is a mean of, as low in the stack as at its top.
    traces = [view for path, view in agent.arena.views.items() if path.endswith(("cascade", "filtered")) and view.size]
    assert all(np.abs(view).max() < 1e4 for view in traces)


@pytest.mark.parametrize("name", [*FILTERS, *NARROW])
def test_a_gradient_that_explodes_is_cut_off(name: str) -> None:
    """With a pseudo-derivative of 10; LIF neurons, since there the eligibility of an adaptation explodes by itself."""
    changes = {"spikes": "binary", "dampening": 10.0, "connectivity": 1.0, "adaptive_fraction": 0.0}
    agent = make_agent(layers=DEEP["64 layers of 4"], **changes, **(FILTERS | NARROW)[name])
    live(agent, 300, every=10)
    cut = "tensor" if name in NARROW else "signals"
    largest = max(float(np.abs(agent.arena.views[f"critic/{k}/{cut}"]).max(initial=0.0)) for k in range(64))
    assert 0.99 * SATURATION < largest < 1e3 * SATURATION
    before = learned(agent)
    live(agent, 20, every=1)
    assert (learned(agent)["critic/63/w"] != before["critic/63/w"]).any()


@pytest.mark.parametrize("depth_filter", ["cascade", "factored", "none", "tensor"])
def test_a_deep_stack_of_memory_stays_finite_and_learns_in_every_layer(depth_filter: str) -> None:
    agent = make_agent(memory=5, memory_layers=16, layers=(8,), depth_filter=depth_filter)
    before = {path: view.copy() for path, view in agent.arena.views.items() if path.endswith("/w")}
    live(agent, 300, every=97)
    for path, weights in before.items():
        moved = np.abs(agent.arena.views[path] - weights).max()
        assert 1e-6 < moved < 10, path


def test_gates_that_are_open_or_shut_to_the_last_bit_stay_so() -> None:
    """Beyond +-GATE_CLIP nothing overflows: an integrator whose gate is shut adds up, a holder holds, a tap follows."""
    agent = make_agent(memory=12, layers=(8,), memory_delay=0, normalize_observations=False)
    views, n = agent.arena.views, 12
    bias = agent.arena.dimensions.columns(0)["bias"]
    for net in ("actor", "critic"):
        w = views[f"{net}/0/w"]
        w[:] = 0.0
        w[:n, 0] = 1.0
        w[n:, bias] = [1e30] * 3 + [-1e30] * 9
    observation = np.array([2.0, 0.0, 0.0])
    agent.start(observation)
    for _ in range(99):
        agent.step(0.0, observation, learn=False)
    np.testing.assert_allclose(views["actor/0/v"], [2.0] * 3 + [0.0] * 6 + [0.1 * 2.0 * 100] * 3, atol=1e-4)
    agent.step(1.0, observation)
    assert_finite(agent)
