"""The memory of an agent: supplied by the caller, copied out, put back, and never taken on trust."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick import Agent, ConfigError, StateError
from synaptick.arena import dimensions
from synaptick.kernels.base.records import index_of, names_of
from synaptick.kernels.layout import SETTINGS_AT
from synaptick.kernels.settings import Settings
from synaptick.kernels.views import NETS_AT, NetRow

from ..support.common import CONTROLS, SIZE, assert_refused, drive, make_agent, state

pytestmark = pytest.mark.any_arithmetic

ZEROS = np.zeros(SIZE)


def test_a_bytearray_is_the_memory() -> None:
    own = make_agent()
    memory = bytearray(own.nbytes)
    agent = make_agent(buffer=memory)
    assert drive(agent, 60) == drive(own, 60)
    assert bytes(memory) == state(agent) == state(own)
    restored = make_agent(seed=9)
    restored.restore(bytes(memory))
    assert state(restored) == state(own)


def test_a_larger_buffer_is_used_from_its_start_and_no_further() -> None:
    own = make_agent()
    memory = np.full(own.nbytes + 64, 7, np.uint8)
    agent = make_agent(buffer=memory)
    drive(agent, 60)
    drive(own, 60)
    assert memory[: own.nbytes].tobytes() == state(own)
    assert (memory[own.nbytes :] == 7).all()


def test_unusable_buffers_are_refused() -> None:
    needed = make_agent().nbytes
    block = np.zeros(needed + 64, np.uint8)
    shift = -block.ctypes.data % 8 + 1
    for buffer, said in (
        (bytearray(needed - 1), f"has {needed - 1} bytes; this network needs {needed}"),
        (bytes(needed), "read-only; give a writable one"),
        (block[shift : shift + needed], "multiple of 8"),
    ):
        with pytest.raises(StateError, match=said):
            make_agent(buffer=buffer)


@pytest.mark.parametrize("buffer", [[1, 2, 3], 5, "text", np.zeros((4, 9999), np.uint8)[:, ::2]], ids=str)
def test_what_is_no_buffer_is_refused(buffer: Any) -> None:
    with pytest.raises(StateError):
        make_agent(buffer=buffer)


def test_a_tensor_beyond_the_limit_is_refused_before_memory_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        ConfigError, match=r"depth_filter tensor: .*\[64, 64.*, 64\] and 3 inputs .* to 16,777,216; take"
    ):
        make_agent(layers=(64,) * 24, depth_filter="tensor")
    with pytest.raises(ConfigError, match=r"carry \d{3},\d{3},\d{3},\d{3},\d{3} numbers"):
        make_agent(layers=(65536, 65536), depth_filter="tensor")
    agent = make_agent(layers=(8, 7, 6), depth_filter="tensor")
    carried = sum(view.size for name, view in agent.arena.views.items() if name.endswith("/tensor"))
    assert carried == 2 * (13 * 8 * 16 + 6 * 7 * 32)  # rows padded to 16 numbers
    monkeypatch.setattr(dimensions, "TENSOR_LIMIT", carried)
    make_agent(layers=(8, 7, 6), depth_filter="tensor")
    monkeypatch.setattr(dimensions, "TENSOR_LIMIT", carried - 1)
    with pytest.raises(ConfigError, match=f"would carry {carried:,} numbers"):
        make_agent(layers=(8, 7, 6), depth_filter="tensor")


def test_what_memory_carries_counts_as_a_tensor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each lower memory layer the influence on the one above it, by `depth_filter: tensor` and `none`."""
    settings = {"layers": (8,), "memory": 7, "memory_layers": 3, "memory_delay": 2}
    for depth_filter in ("tensor", "none"):
        agent = make_agent(**settings, depth_filter=depth_filter)
        views = agent.arena.views
        sizes = [[views[f"{net}/{index}/tensor"].size for index in range(4)] for net in ("actor", "critic")]
        assert sizes == [[7 * 14 * 8, 7 * 14 * 15, 0, 0]] * 2
    monkeypatch.setattr(dimensions, "TENSOR_LIMIT", 2 * 7 * 14 * (8 + 15))
    make_agent(**settings, depth_filter="tensor")
    monkeypatch.setattr(dimensions, "TENSOR_LIMIT", 2 * 7 * 14 * (8 + 15) - 1)
    with pytest.raises(ConfigError, match="would carry"):
        make_agent(**settings, depth_filter="tensor")
    for changes in ({"depth_filter": "cascade"}, {"depth_filter": "tensor", "spatial_signal": False}):
        views = make_agent(**settings, **changes).arena.views
        assert not any(view.size for name, view in views.items() if name.endswith("/tensor"))


@pytest.mark.parametrize("changes", [{}, {"memory": 6, "memory_layers": 2, "memory_delay": 3}], ids=str)
def test_restore_is_exact_also_inside_an_episode(changes: dict[str, Any]) -> None:
    agent = make_agent(layers=(8, 9), **changes)
    drive(agent, 100)
    snapshot = agent.snapshot()
    assert snapshot.nbytes == agent.nbytes
    kept = snapshot.copy()
    first = [agent.step(0.1, ZEROS + k) for k in range(50)]
    after = state(agent)
    assert (snapshot == kept).all()
    agent.restore(snapshot)
    assert state(agent) == kept.tobytes()
    assert [agent.step(0.1, ZEROS + k) for k in range(50)] == first
    assert state(agent) == after


def test_a_snapshot_of_another_network_is_refused() -> None:
    agent = make_agent(layers=(8, 9))
    drive(agent, 30)
    swapped = make_agent(layers=(9, 8)).snapshot()
    shorter = agent.snapshot()[:-1]
    # As many bytes, other offsets.
    forged = agent.snapshot()
    forged.view(np.int64)[NETS_AT + index_of(NetRow, "w")] += 16
    for snapshot in (swapped, shorter, forged, b"", None, [1, 2], "text"):
        assert_refused(agent, lambda snapshot=snapshot: agent.restore(snapshot), StateError)


@pytest.mark.parametrize(
    "changes",
    [
        {"discount": 0.9},
        {"kappa_value": 3.0},
        {"keep_state": True},
        {"normalize_rewards": False},
        {"tau_max": 5.0},
        {"adapt_strength": 0.1},
        {"tau_adapt": 3.0},
        {"frozen_layers": 1},
        {"feedback_decay": 0.1},
        {"memory": 4},
    ],
    ids=str,
)
def test_a_snapshot_of_an_agent_with_other_settings_is_refused(changes: dict[str, Any]) -> None:
    agent = make_agent()
    drive(agent, 30)
    assert_refused(agent, lambda: agent.restore(make_agent(**changes).snapshot()), StateError)


@pytest.mark.parametrize(
    "bounds", [(-1.0, 2.0), (-2.0, 1.0), (-1.0, np.inf), (-np.inf, 1.0), (-np.inf, np.inf), (-2.0, 2.0), (0.0, 0.0)]
)
def test_a_snapshot_of_an_agent_with_other_control_bounds_is_refused(bounds: tuple[float, float]) -> None:
    """A drawn number would stand for another action."""
    agent, other = (make_agent(action=spaces.Box(*given, (2,))) for given in ((-1.0, 1.0), bounds))
    drive(agent, 30)
    assert agent.nbytes == other.nbytes
    assert_refused(agent, lambda: agent.restore(other.snapshot()), StateError)


@pytest.mark.parametrize(
    "changes",
    [{"std": "free"}, {"initial_std": 0.5}, {"std_lr_scale": 0.1}, {"noise_correlation": 0.5}],
    ids=str,
)
def test_a_snapshot_of_controls_with_other_settings_is_refused(changes: dict[str, Any]) -> None:
    agent = make_agent(action=CONTROLS)
    drive(agent, 30)
    assert_refused(agent, lambda: agent.restore(make_agent(action=CONTROLS, **changes).snapshot()), StateError)


def test_a_snapshot_of_other_factors_or_of_observations_of_another_kind_is_refused() -> None:
    pairs = [
        ({"action": spaces.MultiDiscrete([2, 3])}, {"action": spaces.MultiDiscrete([3, 2])}),
        ({"action": spaces.MultiDiscrete([2, 2])}, {"action": spaces.Discrete(4)}),
        ({"action": spaces.Discrete(4)}, {"action": spaces.Box(-1, 1, (2,))}),
        ({"observation": spaces.MultiBinary(3)}, {"observation": spaces.Box(0, 1, (3,))}),
    ]
    for ours, theirs in pairs:
        agent = make_agent(**ours)
        drive(agent, 30)
        assert_refused(
            agent, lambda agent=agent, theirs=theirs: agent.restore(make_agent(**theirs).snapshot()), StateError
        )


@pytest.mark.parametrize("name", names_of(Settings))
def test_a_snapshot_in_which_any_setting_differs_is_refused_and_the_setting_named(name: str) -> None:
    """Where traces lie depends on `depth_filter`, for one, and kernels write there."""
    agent = make_agent()
    forged, place = agent.snapshot(), SETTINGS_AT + names_of(Settings).index(name)
    forged[agent.arena.ints.nbytes :][: agent.arena.reals.nbytes].view(np.float64)[place] += 1.0
    assert_refused(agent, lambda: agent.restore(forged), StateError)
    with pytest.raises(StateError, match=f"other settings \\({name}\\)"):
        agent.restore(forged)


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda agent: pickle.loads(pickle.dumps(agent))], ids=["deep", "pickle"]
)
def test_a_copy_is_independent_of_its_original(duplicate: Callable[[Agent], Agent]) -> None:
    agent = make_agent()
    agent.start(ZEROS)
    before = state(agent)
    twin = duplicate(agent)
    assert twin.arena.address == twin.arena.block.ctypes.data
    assert state(twin) == before
    twin.step(1.0, ZEROS)
    assert state(agent) == before
    agent.step(1.0, ZEROS)
    assert state(twin) == state(agent) != before


@pytest.mark.parametrize("action", [None, CONTROLS], ids=["discrete", "controls"])
def test_a_state_that_is_not_finite_is_refused_and_the_array_named(action: Any) -> None:
    agent = make_agent(action=action, layers=(8, 9), depth_filter="factored")
    drive(agent, 30)
    unbounded = {name for name, view in agent.arena.views.items() if np.isinf(view).any()}
    assert unbounded == ({"control_low", "control_high"} if action else set()) - {"control_low"}
    for name, view in agent.arena.views.items():
        if not view.size or name in agent.arena.fixed:
            continue
        for value in (np.nan, np.inf, -np.inf):
            forged = agent.snapshot()
            agent.arena.same_place(forged, view).flat[-1] = value
            assert_refused(agent, lambda forged=forged: agent.restore(forged), StateError)
            with pytest.raises(StateError, match=f"the state is damaged: .*{name} "):
                agent.restore(forged)
    forged = agent.snapshot()
    agent.arena.same_place(forged, agent.arena.reals)[0] = np.nan
    with pytest.raises(StateError, match="the state is damaged: running "):
        agent.restore(forged)


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("clock", 0, 2),
        ("clock", 1, -1),
        ("clock", 3, 9),
        ("random", 4, -1),
        ("random", 7, 2**32),
        ("random", slice(4, 8), 0),
    ],
)
def test_clock_and_random_numbers_that_no_run_has_are_refused(name: str, place: Any, value: int) -> None:
    agent = make_agent()
    drive(agent, 30)
    forged = agent.snapshot()
    agent.arena.same_place(forged, agent.arena.ints)[place] = value
    assert_refused(agent, lambda: agent.restore(forged), StateError)
    with pytest.raises(StateError, match=f"the state is damaged: {name} cannot be what a run has left"):
        agent.restore(forged)


@pytest.mark.parametrize("value", [-1.0, 3.0, 0.5, 1e300])
def test_an_action_that_there_is_not_is_refused(value: float) -> None:
    agent = make_agent()
    drive(agent, 30)
    forged = agent.snapshot()
    agent.arena.same_place(forged, agent.arena.views["action"])[0] = value
    with pytest.raises(StateError, match="the state is damaged: action "):
        agent.restore(forged)


def test_there_is_no_memory_for_everything() -> None:
    with pytest.raises(StateError, match=r"there is no memory for a state of \d{3},\d{3},\d{3},\d{3} bytes"):
        make_agent(layers=(65536,) * 3)
    with pytest.raises(StateError, match=r"there is no memory for a state of [\d,]+ bytes"):
        make_agent(layers=(65536,) * 256, depth_filter="cascade")
