"""The contract of start, step and end: what comes back, what changes, and what is refused without a trace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick.agent import Agent, Config, InputError, PhaseError, SpaceError
from synaptick.agent.kernels import layout as at

from .common import ACTIONS, BOX, COORDINATE, SIZE, SYMBOLS, assert_refused, drive, learned, make_agent, state

ZEROS = np.zeros(SIZE)
SPACES = {"box": BOX, "discrete": SYMBOLS, "shifted": spaces.Discrete(5, start=-2), "scalar": spaces.Box(-1, 1, ())}


def observe(agent: Agent, rng: np.random.Generator) -> Any:
    spec = agent.observation
    return rng.normal(size=spec.shape) if spec.kind == "box" else int(rng.integers(spec.size)) + spec.start


# ---- what comes back


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("start", [0, -3, 7])
def test_actions_are_python_ints_inside_the_space(name: str, start: int) -> None:
    space = spaces.Discrete(4, start=start)
    agent, rng = make_agent(observation=SPACES[name], action=space), np.random.default_rng(0)
    actions = [agent.start(observe(agent, rng))]
    actions += [agent.step(float(rng.normal()), observe(agent, rng)) for _ in range(200)]
    assert all(type(action) is int for action in actions)
    assert set(actions) == set(range(start, start + 4))
    assert agent.end(1.0) is None  # type: ignore[func-returns-value]


def test_counts_phase_and_read_only_properties() -> None:
    agent = make_agent(layers=(8, 9))
    assert (agent.ticks, agent.episodes, agent.running) == (0, 0, False)
    agent.start(ZEROS)
    assert (agent.ticks, agent.episodes, agent.running) == (0, 1, True)
    agent.step(1.0, ZEROS)
    agent.end(1.0)
    assert (agent.ticks, agent.episodes, agent.running) == (2, 1, False)
    agent.start(ZEROS)
    agent.start(ZEROS)  # the episode before is abandoned
    agent.end(1.0, ZEROS)
    assert (agent.ticks, agent.episodes, agent.running) == (3, 3, False)
    assert {name: len(rates) for name, rates in agent.spike_rates.items()} == {"actor": 2, "critic": 2}
    agent.probabilities[:] = 7.0
    np.testing.assert_allclose(agent.probabilities.sum(), 1.0)


@pytest.mark.parametrize("given_observation", [[1, 2, 3], (1.0, 2.0, 3.0), np.float32([1, 2, 3]), np.int8([1, 2, 3])])
def test_observations_of_any_number_type_are_the_same(given_observation: Any) -> None:
    ours, theirs = make_agent(), make_agent()
    ours.start(ZEROS), theirs.start(ZEROS)
    ours.step(1, given_observation)
    theirs.step(np.float64(1.0), np.array([1.0, 2.0, 3.0]))
    assert state(ours) == state(theirs)


def test_a_box_of_any_shape_is_flattened_by_rows() -> None:
    flat = make_agent(observation=spaces.Box(-9, 9, (6,)))
    square = make_agent(observation=spaces.Box(-9, 9, (2, 3)))
    for agent, shape in ((flat, (6,)), (square, (2, 3))):
        agent.start(np.arange(6.0).reshape(shape))
        agent.step(1.0, -np.arange(6.0).reshape(shape))
    assert state(flat) == state(square)
    with pytest.raises(InputError, match=r"shape \(3, 2\); the space needs shape \(2, 3\)"):
        square.step(1.0, np.zeros((3, 2)))


@pytest.mark.parametrize("layers", [(8,), (8, 9)])
def test_the_same_seed_and_stream_give_the_same_bytes(layers: tuple[int, ...]) -> None:
    one, same, other = (make_agent(seed=seed, layers=layers) for seed in (3, 3, 4))
    assert state(one) == state(same) != state(other)
    assert drive(one, 300) == drive(same, 300)
    drive(other, 300)
    assert state(one) == state(same) != state(other)


# ---- acting only


@pytest.mark.parametrize("changes", [{}, COORDINATE, {"keep_state": True}], ids=["bounded", "coordinate", "keep_state"])
def test_acting_only_changes_nothing_learned(changes: dict[str, Any]) -> None:
    agent, rng = make_agent(layers=(8, 9), **changes), np.random.default_rng(1)
    drive(agent, 200, act_only=False)
    ints, reals, views = agent.arena.ints.copy(), agent.arena.reals.copy(), learned(agent)
    actions = [agent.step(float(rng.normal()), observe(agent, rng), learn=False) for _ in range(50)]
    assert len(set(actions)) == ACTIONS
    for name, before in views.items():
        assert agent.arena.views[name].tobytes() == before.tobytes(), name
    mine = {at.TICK, at.STALE, *range(at.RANDOM, at.RANDOM + 4)}
    assert set(np.flatnonzero(agent.arena.ints != ints)) <= mine
    header = np.flatnonzero((agent.arena.reals != reals)[: at.REAL_HEADER])
    assert set(header) <= {at.VALUE_TM1, at.LOG_PROBABILITY_TM1}


def test_whole_episodes_of_acting_change_no_weight_and_no_statistic() -> None:
    agent, rng = make_agent(layers=(8, 9)), np.random.default_rng(1)
    drive(agent, 200, act_only=False)
    traces = ("credit", "eps", "epsa", "cascade", "gradient", "signals", "credit_norms", "scratch_e", "scratch_total")
    agent.end(0.0, learn=False)
    reals, views = agent.arena.reals.copy(), learned(agent, traces)
    for last in (None, ZEROS):
        agent.start(observe(agent, rng), learn=False)
        for _ in range(20):
            agent.step(float(rng.normal()), observe(agent, rng), learn=False)
        agent.end(5.0, last, learn=False)
    for name, before in views.items():
        assert agent.arena.views[name].tobytes() == before.tobytes(), name
    header = np.flatnonzero((agent.arena.reals != reals)[: at.REAL_HEADER])
    assert set(header) <= {at.VALUE_TM1, at.LOG_PROBABILITY_TM1}


# ---- refusals


REWARDS = [
    None,
    "abc",
    "",
    float("nan"),
    float("inf"),
    -np.inf,
    np.float32("nan"),
    [1.0],
    (),
    np.zeros(2),
    {},
    1j,
    ZEROS,
]
BOXES = [
    None,
    0.0,
    "abc",
    b"abc",
    {},
    [],
    np.zeros(SIZE - 1),
    np.zeros(SIZE + 1),
    np.zeros((1, SIZE)),
    np.zeros((SIZE, 1)),
    [0.0, [1.0], 2.0],
    ["a", "b", "c"],
    [0.0, np.nan, 0.0],
    [0.0, 0.0, np.inf],
    [-np.inf, 0.0, 0.0],
    [0.0, None, 0.0],
    [1j, 0, 0],
    np.zeros(SIZE, complex),
    ["1", "2", "3"],
    [10**400, 0, 0],
    object(),
]
INDICES = [
    None,
    -1,
    5,
    10**30,
    1.0,
    np.float64(2.0),
    True,
    np.True_,
    "1",
    [1],
    np.array([1]),
    np.nan,
    {},
    object(),
    [1, [2, 3]],
]


def label(value: Any) -> str:
    return str(value)[:12].replace("\n", " ")


@pytest.mark.parametrize("reward", REWARDS, ids=label)
def test_a_bad_reward_is_refused_and_nothing_changes(reward: Any) -> None:
    agent = make_agent()
    drive(agent, 40)
    for act in (lambda: agent.step(reward, ZEROS), lambda: agent.end(reward), lambda: agent.end(reward, ZEROS)):
        assert_refused(agent, act)
    assert_refused(agent, lambda: agent.step(reward, ZEROS, learn=False))


def test_a_reward_is_no_string() -> None:
    agent = make_agent()
    drive(agent, 40)
    assert_refused(agent, lambda: agent.step("1.0", ZEROS))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("space", "observation"),
    [pytest.param(BOX, value, id=f"box-{label(value)}") for value in BOXES]
    + [pytest.param(SYMBOLS, value, id=f"index-{label(value)}") for value in INDICES],
)
def test_a_bad_observation_is_refused_and_nothing_changes(space: Any, observation: Any) -> None:
    agent = make_agent(observation=space)
    assert_refused(agent, lambda: agent.start(observation))
    drive(agent, 40)
    assert_refused(agent, lambda: agent.start(observation))
    assert_refused(agent, lambda: agent.step(1.0, observation))
    assert_refused(agent, lambda: agent.step(1.0, observation, learn=False))
    if observation is not None:
        assert_refused(agent, lambda: agent.end(1.0, observation))


def test_an_episode_goes_on_after_refusals_as_if_nothing_had_been_said() -> None:
    disturbed, calm = make_agent(), make_agent()
    for agent in (disturbed, calm):
        agent.start(ZEROS)
    for step in range(50):
        for act in (lambda: disturbed.step(np.nan, ZEROS), lambda: disturbed.step(0.0, [np.inf, 0, 0])):
            with pytest.raises(InputError):
                act()
        assert disturbed.step(0.1 * step, ZEROS + step) == calm.step(0.1 * step, ZEROS + step)
    assert state(disturbed) == state(calm)


def test_messages_say_what_was_given_and_what_is_needed() -> None:
    agent, counter = make_agent(), make_agent(observation=spaces.Discrete(3, start=2))
    agent.start(ZEROS), counter.start(2)
    for act, said in (
        (lambda: agent.step(np.nan, ZEROS), r"reward is nan; it must be a finite number"),
        (lambda: agent.step(None, ZEROS), r"reward is None; it must be one finite number"),  # type: ignore[arg-type]
        (lambda: agent.step(0.0, np.zeros(4)), r"observation has shape \(4,\); the space needs shape \(3,\)"),
        (lambda: agent.step(0.0, [0, np.nan, 0]), r"observation holds a NaN or an infinite number"),
        (lambda: agent.step(0.0, ["x", 0, 0]), r"\['x', 0, 0\] is not an array of numbers"),
        (lambda: counter.step(0.0, 5), r"observation 5 is outside the space; the space needs one from 2 to 4"),
        (lambda: counter.step(0.0, 2.5), r"observation 2\.5 is not an integer; the space needs one from 2 to 4"),
    ):
        with pytest.raises(InputError, match=said):
            act()


@pytest.mark.parametrize("ended", [False, True])
def test_calls_outside_an_episode_are_refused(ended: bool) -> None:
    agent = make_agent()
    if ended:
        agent.start(ZEROS)
        agent.end(0.0)
    for act in (
        lambda: agent.step(0.0, ZEROS),
        lambda: agent.step(0.0, ZEROS, learn=False),
        lambda: agent.end(0.0),
        lambda: agent.end(0.0, ZEROS),
    ):
        assert_refused(agent, act, PhaseError)
    with pytest.raises(PhaseError, match=r"no episode is running; call start\(observation\)"):
        agent.step(0.0, ZEROS)


@pytest.mark.parametrize(
    "space",
    [
        spaces.MultiDiscrete([2, 3]),
        spaces.MultiBinary(3),
        spaces.Dict(a=BOX),
        spaces.Tuple([BOX]),
        spaces.Text(3),
        spaces.Box(-1, 1, (0,)),
        None,
        4,
    ],
    ids=lambda space: type(space).__name__,
)
def test_other_spaces_are_refused_with_what_is_supported(space: Any) -> None:
    with pytest.raises(SpaceError, match=r"observation space .*(supported: Box and Discrete|no elements)"):
        Agent(Config(layers=(8,)), space, spaces.Discrete(2))
    with pytest.raises(SpaceError, match=r"action space .* supported: Discrete"):
        Agent(Config(layers=(8,)), BOX, space)


def test_a_continuous_action_is_refused() -> None:
    with pytest.raises(SpaceError, match=r"action space .* is of kind Box; supported: Discrete"):
        Agent(Config(layers=(8,)), BOX, BOX)
