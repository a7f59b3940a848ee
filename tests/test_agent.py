"""The contract of start, step and end: what comes back, what changes, and what is refused without a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick import Agent, Config, ConfigError, InputError, PhaseError, SpaceError
from synaptick.arena.named import Named
from synaptick.kernels.layout import SIZES_AT

from .support.common import (
    ACTIONS,
    BOX,
    CONTROLS,
    PARTS,
    SIZE,
    SYMBOLS,
    WORK,
    assert_refused,
    drive,
    learned,
    make_agent,
    state,
)
from .support.harness import number

pytestmark = pytest.mark.any_arithmetic

ZEROS = np.zeros(SIZE)
SPACES = {"box": BOX, "discrete": SYMBOLS, "shifted": spaces.Discrete(5, start=-2), "scalar": spaces.Box(-1, 1, ())}


def observe(agent: Agent, rng: np.random.Generator) -> Any:
    leaf = agent.observation.root
    return rng.normal(size=leaf.shape) if leaf.kind == "box" else int(rng.integers(leaf.low[0], leaf.high[0] + 1))


# ---- what comes back


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("start", [0, -3, 7])
def test_actions_are_what_the_space_samples(name: str, start: int) -> None:
    """Also in type: environments call `item` of what they are given."""
    space = spaces.Discrete(4, start=start)
    agent, rng = make_agent(observation=SPACES[name], action=space), np.random.default_rng(0)
    actions = [agent.start(observe(agent, rng))]
    actions += [agent.step(float(rng.normal()), observe(agent, rng)) for _ in range(200)]
    assert all(type(action) is type(space.sample()) and space.contains(action) for action in actions)
    assert {action.item() for action in actions} == set(range(start, start + 4))
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


@pytest.mark.parametrize("action", [spaces.Discrete(3), CONTROLS, PARTS], ids=["discrete", "controls", "parts"])
@pytest.mark.parametrize("layers", [(8,), (8, 9)])
def test_the_same_seed_and_stream_give_the_same_bytes(layers: tuple[int, ...], action: Any) -> None:
    one, same, other = (make_agent(seed=seed, layers=layers, action=action) for seed in (3, 3, 4))
    assert state(one) == state(same) != state(other)
    assert drive(one, 300) == drive(same, 300)
    drive(other, 300)
    assert state(one) == state(same) != state(other)


def test_the_seed_of_the_configuration_is_that_of_the_agent_unless_one_is_given() -> None:
    def made(config_seed: int, *seed: int | None) -> bytes:
        return state(Agent(Config(layers=(8,), memory=0, seed=config_seed), BOX, spaces.Discrete(3), *seed))

    assert made(3) == made(3, None) == made(0, 3) == made(7, 3) == state(make_agent(seed=3))
    assert made(3, 0) == made(0) == state(make_agent(seed=0))
    assert len({made(seed) for seed in range(4)}) == 4


@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, "a", True, [1]])
def test_a_seed_that_is_none_is_refused(seed: Any) -> None:
    with pytest.raises(ConfigError, match=r"^seed: got .*; allowed: a whole number from 0 to 2\^63 - 1$"):
        make_agent(seed=seed)


@pytest.mark.parametrize("config", [{}, {"layers": [8]}, None, 5, "default", Config])
def test_a_config_that_is_none_is_refused(config: Any) -> None:
    for make in (Agent, Agent.size_of):
        with pytest.raises(
            ConfigError, match=r"^config is .*; give a Config, such as .* or Config.from_dict"
        ) as caught:
            make(config, BOX, spaces.Discrete(2))  # type: ignore[operator]
        assert len(str(caught.value).splitlines()) == 1


# ---- acting only


ACTING: dict[str, dict[str, Any]] = {
    "default": {},
    "keep_state": {"keep_state": True},
    "controls": {"action": CONTROLS},
    "parts": {"action": PARTS, "std": "free"},
}


def changed(before: dict[str, Any], record: Named) -> set[str]:
    """Return the names of the numbers of a record that have changed."""
    return {name for name, value in record.to_dict().items() if value != before[name]}


@pytest.mark.parametrize("changes", ACTING.values(), ids=list(ACTING))
def test_acting_only_changes_nothing_learned(changes: dict[str, Any]) -> None:
    agent, rng = make_agent(layers=(8, 9), **({"kappa_policy": 4.0} | changes)), np.random.default_rng(1)
    drive(agent, 200, act_only=False)
    clock, running, views = agent.arena.clock.to_dict(), agent.arena.running.to_dict(), learned(agent)
    table = agent.arena.ints[SIZES_AT:].copy()
    actions = [number(agent.step(float(rng.normal()), observe(agent, rng), learn=False)) for _ in range(300)]
    assert len(set(actions)) >= ACTIONS
    for name, before in views.items():
        assert agent.arena.views[name].tobytes() == before.tobytes(), name
    assert changed(clock, agent.arena.clock) <= {"tick", "stale"}
    assert changed(running, agent.arena.running) <= {"value_tm1", "log_probability_tm1", "reward_sum"}
    assert (agent.arena.ints[SIZES_AT:] == table).all()


@pytest.mark.parametrize("changes", ACTING.values(), ids=list(ACTING))
def test_whole_episodes_of_acting_change_no_weight_and_no_statistic(changes: dict[str, Any]) -> None:
    agent, rng = make_agent(layers=(8, 9), **({"kappa_policy": 4.0} | changes)), np.random.default_rng(1)
    drive(agent, 200, act_only=False)
    traces = ("credit", "eps", "epsa", "cascade", "rest", "mass", "gradient", "credit_norms", *WORK)
    agent.end(0.0, learn=False)
    running, views = agent.arena.running.to_dict(), learned(agent, traces)
    for last in (None, ZEROS):
        agent.start(observe(agent, rng), learn=False)
        for _ in range(20):
            agent.step(float(rng.normal()), observe(agent, rng), learn=False)
        agent.end(5.0, last, learn=False)
    for name, before in views.items():
        assert agent.arena.views[name].tobytes() == before.tobytes(), name
    assert changed(running, agent.arena.running) <= {"value_tm1", "log_probability_tm1", "reward_sum"}


def likeliest(agent: Agent) -> list[float]:
    """Return index of each factor and value of each control, worked out from the outputs themselves."""
    views = agent.arena.views
    output = [float(value) for value in views["actor/output"]]
    found: list[float] = []
    first = 0
    for size in agent.action.choices:
        found.append(output[first : first + size].index(max(output[first : first + size])))
        first += size
    for k in range(agent.action.controls):
        mean = min(max(output[first + k], views["control_low"][k]), views["control_high"][k])
        found.append(views["control_center"][k] + views["control_scale"][k] * mean)
    return found


@pytest.mark.parametrize("changes", ACTING.values(), ids=list(ACTING))
def test_act_takes_what_is_most_probable_and_changes_nothing_learned(changes: dict[str, Any]) -> None:
    agent, rng = make_agent(layers=(8, 9), **({"kappa_policy": 4.0} | changes)), np.random.default_rng(1)
    drive(agent, 200, act_only=False)
    views = learned(agent)
    for _ in range(100):
        action = agent.act(observe(agent, rng), deterministic=True)
        expected = np.array(likeliest(agent))
        assert (agent.arena.views["action"] == expected).all()
        assert number(action) == number(agent.last_action) == number(agent.action.decode(expected))
        assert (agent.means == expected[len(agent.action.choices) :]).all()
    for name, before in views.items():
        assert agent.arena.views[name].tobytes() == before.tobytes(), name


def test_act_samples_as_a_step_without_learning_does() -> None:
    ours, theirs, rng = make_agent(), make_agent(), np.random.default_rng(0)
    for k in range(60):
        seen = rng.normal(size=SIZE)
        if k % 20 == 0 and k:
            ours.end(1.0, learn=False), theirs.end(1.0, learn=False)
        if theirs.running:
            assert ours.act(seen) == theirs.step(0.0, seen, learn=False)
        else:
            assert ours.act(seen) == theirs.start(seen, learn=False)
        assert state(ours) == state(theirs)
    assert_refused(ours, lambda: ours.act([0.0]))
    assert_refused(ours, lambda: ours.act([0.0, np.nan, 0.0], deterministic=True))


def test_the_mean_of_a_control_is_within_its_bounds() -> None:
    agent = make_agent(action=CONTROLS)
    weights = agent.arena.views["actor/w"]
    for value, mean in ((50.0, [3.0, 50.0]), (-50.0, [-1.0, -2.0])):
        weights[:] = 0.0
        weights[:, agent.arena.row_of("actor").bias] = value
        action = agent.act(ZEROS, deterministic=True)
        assert CONTROLS.contains(action)
        assert action[0] == agent.means[0] == mean[0]
        assert (action[1] > 40.0) if value > 0 else (action[1] == mean[1])


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


@pytest.mark.parametrize("space", [spaces.Text(3), spaces.Box(-1, 1, (0,)), spaces.Dict(a=spaces.Text(3)), None, 4])
def test_other_spaces_are_refused(space: Any) -> None:
    with pytest.raises(SpaceError, match=r"^(the )?observation.*(supported: Box, Discrete|no elements)"):
        Agent(Config(layers=(8,)), space, spaces.Discrete(2))
    with pytest.raises(SpaceError, match=r"^(the )?action.*(supported: Box, Discrete|no elements)"):
        Agent(Config(layers=(8,)), BOX, space)


# ---- spaces of parts

NESTED = spaces.Dict(
    camera=spaces.Box(0, 255, (2, 2), np.uint8),
    rest=spaces.Tuple([spaces.Discrete(3, start=1), spaces.MultiBinary(2), spaces.MultiDiscrete([2, 3])]),
    speed=spaces.Box(-np.inf, np.inf, (), np.float64),
)


def test_a_nested_observation_meets_a_nested_action_and_the_file_keeps_both(tmp_path: Path) -> None:
    action_space = spaces.Dict(NESTED.spaces | {"push": spaces.Box(-1, 2, (2,), np.float16)})
    agent = make_agent(observation=NESTED, action=action_space, kappa_policy=4.0)
    NESTED.seed(0)

    def go_on(agent: Agent, ticks: int) -> list[Any]:
        observations = np.random.default_rng(1)
        found = []
        for _ in range(ticks):
            NESTED.seed(int(observations.integers(2**31)))
            found.append(agent.step(float(observations.normal()), NESTED.sample()))
        return found

    agent.start(NESTED.sample())
    actions = go_on(agent, 100)
    assert all(action_space.contains(action) for action in actions)
    assert len({action["push"].tobytes() for action in actions}) > 50
    assert len({action["rest"][2].tobytes() for action in actions}) == 6
    agent.save(tmp_path / "agent")
    loaded = Agent.load(tmp_path / "agent")
    assert repr(go_on(loaded, 50)) == repr(go_on(agent, 50))
    assert state(loaded) == state(agent)


def test_categories_are_seen_as_they_are_and_numbers_standardized() -> None:
    agent = make_agent(observation=spaces.Tuple([spaces.Discrete(2), spaces.Box(-np.inf, np.inf, (1,))]))
    for _ in range(50):
        agent.start((0, [5.0]))
    agent.start((1, [6.0]))
    category, number = agent.arena.views["input"][:2].tolist(), float(agent.arena.views["input"][2])
    assert category == [0.0, 1.0]
    assert number > 5
