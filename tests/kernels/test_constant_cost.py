"""A tick costs the same forever: one compiled signature, no allocation, one address, no denormal numbers."""

from __future__ import annotations

import sys
from typing import Any

import numba
import numpy as np
import pytest
from gymnasium import spaces
from numba.core.runtime import _nrt_python, rtsys
from synaptick.kernels import tick as kernel

from ..support.common import CONTROLS, PARTS, SIZE, SYMBOLS, WORK, drive, make_agent, state

pytestmark = pytest.mark.any_arithmetic

ZEROS = np.zeros(SIZE)
SHAPES: list[dict[str, Any]] = [
    {},
    {"layers": (8, 9), "memory": 8},
    {"memory": 7, "memory_layers": 2, "depth_filter": "tensor", "memory_delay": 3},
    {"layers": (5, 4, 6, 7), "leak_groups": 1, "recurrent": False, "readout": "top", "observation_skip": False},
    {"layers": (33,), "memory": 5},
    {"layers": (8, 8, 8), "adaptive_fraction": 0.0, "depth_filter": "none", "keep_state": True},
    {"layers": (8, 9), "action": CONTROLS},
    {"action": PARTS, "std": "free"},
    {"observation": SYMBOLS, "action": spaces.Discrete(17, start=2)},
    {"observation": spaces.Box(-1, 1, (24,), np.float32)},
]
TINIEST = np.finfo(np.float32).tiny


def test_one_signature_serves_every_network_and_every_kind_of_argument() -> None:
    for shape in SHAPES:
        drive(make_agent(**shape), 30)
    agent = make_agent()
    agent.start([0, 0, 0])
    agent.step(1, np.zeros(SIZE, np.float32))
    agent.step(np.float32(1), ZEROS, learn=np.True_)  # type: ignore[arg-type]
    agent.step(np.int64(1), ZEROS)
    agent.end(True)
    assert len(kernel.common_tick.signatures) == 1


@pytest.mark.parametrize("learn", [True, False, np.True_, 1, 0, None])
def test_every_argument_is_cast_once(monkeypatch: pytest.MonkeyPatch, learn: Any) -> None:
    """An argument of another type would have the whole step compiled anew; that takes so long that it is not tried."""
    given: list[tuple[Any, ...]] = []

    def note(*arguments: Any) -> int:
        given.append(arguments)
        return 0

    agent = make_agent()
    monkeypatch.setattr(agent, "_advance", note)
    agent.start(ZEROS, learn)
    agent.step(np.float32(1), ZEROS, learn)  # type: ignore[arg-type]
    agent.end(1, learn=learn)
    allowed = ((int,), (float,), (int,), (bool, np.bool_))
    assert len(given) == 3
    for arguments in given:
        assert all(type(value) in types for value, types in zip(arguments, allowed, strict=True))
        assert bool(arguments[3]) == bool(learn)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_state_stays_where_it_is_and_as_large_as_it_is(shape: dict[str, Any]) -> None:
    agent = make_agent(**shape)
    address, nbytes, views = agent.arena.address, agent.nbytes, dict(agent.arena.views)
    drive(agent, 2000)
    assert (agent.arena.address, agent.nbytes) == (address, nbytes)
    assert agent.arena.block.ctypes.data == address
    assert agent.arena.block.nbytes == agent.snapshot().nbytes == nbytes
    assert all(agent.arena.views[name] is view for name, view in views.items())


@numba.njit
def _allocate(size: int) -> float:
    return np.ones(size).sum()


@pytest.mark.parametrize("shape", SHAPES[:8], ids=str)
def test_nothing_is_allocated(shape: dict[str, Any]) -> None:
    agent = make_agent(**shape)
    drive(agent, 100)  # what is set up once, such as interned numbers
    stream = np.random.default_rng(0).normal(size=(64, SIZE))
    on = _nrt_python.memsys_stats_enabled()
    _nrt_python.memsys_enable_stats()
    try:
        compiled, blocks = rtsys.get_allocation_stats().alloc, sys.getallocatedblocks()
        for k in range(5000):
            agent.step(0.1, stream[k % 64])
            if k % 50 == 49:
                agent.end(1.0, stream[0] if k % 100 == 99 else None)
                agent.start(stream[1])
        grown = sys.getallocatedblocks() - blocks
        assert rtsys.get_allocation_stats().alloc == compiled
        assert grown < 50
        _allocate(5)
        assert rtsys.get_allocation_stats().alloc > compiled  # the counter counts
    finally:
        if not on:
            _nrt_python.memsys_disable_stats()


def denormal(agent: Any) -> list[str]:
    """Return the float32 arrays of more than one tick that hold a denormal number."""
    found = []
    for name, view in agent.arena.views.items():
        if name.split("/")[-1] in WORK:
            continue
        size = np.abs(view)
        if view.dtype == np.float32 and ((size > 0) & (size < TINIEST)).any():
            found.append(name)
    return found


def after_silence(changes: dict[str, Any]) -> Any:
    """Return an agent that was busy and then met nothing but zeros for a long time."""
    agent = make_agent(layers=(8, 8, 8), **changes)
    drive(agent, 300, act_only=False)
    for _ in range(20_000):
        agent.step(0.0, ZEROS)
    return agent


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"normalize_observations": False},
        {"tau_min": 0.01},
        {"action": CONTROLS},
        {"action": PARTS},
        {"memory": 8, "memory_layers": 2},
        {"memory": 8, "memory_layers": 2, "memory_delay": 0, "depth_filter": "tensor"},
    ],
    ids=str,
)
def test_a_silent_stream_leaves_no_denormal_number(changes: dict[str, Any]) -> None:
    agent = after_silence(changes)
    assert denormal(agent) == []


@numba.njit
def _compiled_loop(address, staging, drawn, observations, rewards, actions, modes, learning):  # type: ignore[no-untyped-def]
    for t in range(observations.shape[0]):
        for j in range(observations.shape[1]):
            staging[j] = observations[t, j]
        kernel.common_tick(address, rewards[t], modes[t], learning[t])
        actions[t] = drawn[0]


@pytest.mark.slow  # it compiles a loop around the step
@pytest.mark.parametrize("action", [spaces.Discrete(3), spaces.Box(-1, 1, (1,), np.float64)], ids=["index", "number"])
def test_compiled_loops_may_call_the_tick(action: Any) -> None:
    ours, theirs = make_agent(layers=(8, 9), action=action), make_agent(layers=(8, 9), action=action)
    rng = np.random.default_rng(0)
    observations, rewards = rng.normal(size=(300, SIZE)), rng.normal(size=300)
    modes, learning = np.full(300, kernel.STEP), rng.random(300) < 0.9
    modes[0], modes[100:102], modes[200:202] = kernel.START, (kernel.TERMINATE, kernel.START), (kernel.TRUNCATE, 0)
    actions, views = np.zeros(300), ours.arena.views
    _compiled_loop(
        ours.arena.address, views["staging"], views["action"], observations, rewards, actions, modes, learning
    )
    for t in range(300):
        learn = bool(learning[t])
        if modes[t] == kernel.START:
            assert theirs.start(observations[t], learn) == actions[t]
        elif modes[t] == kernel.STEP:
            assert theirs.step(rewards[t], observations[t], learn) == actions[t]
        else:
            theirs.end(rewards[t], observations[t] if modes[t] == kernel.TRUNCATE else None, learn)
    assert state(ours) == state(theirs)
    assert len(kernel.common_tick.signatures) == 1
