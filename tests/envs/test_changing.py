"""What all wrappers that change the world share: what they tell, that they can be resumed and never grow."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import gymnasium
import numpy as np
import pytest
import yaml
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import RescaleAction
from synaptick import EnvError, make_env
from synaptick.envs import (
    DriftParameters,
    FailSensors,
    FlipReward,
    PermuteObservations,
    RemapActions,
    ScaleObservations,
    World,
)

from ..support.worlds import TWO, Plain, bare, play

EIGHT = {"every": 3, "worlds": 8}
UNLIKE = pytest.mark.filterwarnings("ignore:.*different from the unwrapped version")

# ---- what is told


def test_the_world_is_told() -> None:
    env = FlipReward(Plain(length=4), {"every": 6, "values": [1, -1, 5]})
    world, changed = World(0, (0,)), False
    assert env.reset()[1] == {"world": world, "changed": changed}
    met = play(env, 20)
    assert [info["world"] for _, _, info in met] == [World(step // 6, (step // 6 % 3,)) for step in range(20)]
    assert [step for step, (_, _, info) in enumerate(met) if info["changed"]] == [6, 12, 18]
    assert met[0][2]["kept"] == 1


def test_a_change_between_episodes_is_told_by_reset_and_step() -> None:
    env = FlipReward(Plain(length=2), {"every": 2})
    env.reset()
    infos = []
    for _ in range(3):
        for _ in range(2):
            infos.append(env.step(0)[-1]["changed"])
        infos.append(env.reset()[1]["changed"])
        assert env.reset()[1]["changed"]
    assert infos == [False, False, True, True, False, True, True, False, True]
    assert env.step(0)[-1]["world"] == World(3, (1,))


def test_a_change_is_told_once_whatever_else_wanders_or_is_resumed() -> None:
    changes = {"strength": {"every": 3, "values": [1, 2]}, "rates": {"wander": 0.1, "between": [1, 2]}}
    env, resumed = (DriftParameters(Plain(), changes) for _ in range(2))
    told = []
    for _ in range(4):
        env.reset()
        resumed.set_state(env.get_state())
        resumed.reset()
        told += [(env.step(0)[-1]["changed"], resumed.step(0)[-1]["changed"]) for _ in range(3)]
    assert told == [(step > 0 and step % 3 == 0,) * 2 for step in range(12)]


def test_changes_may_wait_for_a_reset() -> None:
    env = DriftParameters(
        Plain(length=5),
        {"strength": {"every": 3, "values": [1, 2, 3, 4], "at": "reset"}, "rates": {"every": 4, "values": [1, 2]}},
    )
    env.reset()
    told = []
    for _ in range(3):
        for _ in range(5):
            info = env.step(0)[-1]
            told.append((env.unwrapped.strength, env.unwrapped.rates[0], info["world"].changes, info["changed"]))
        env.reset()
    strengths, rates, changes, changed = zip(*told, strict=True)
    assert strengths == (2,) * 5 + (4,) * 5 + (8,) * 5  # 3 steps due one change, 6 and 9 two more
    assert rates == (1,) * 4 + (2,) * 4 + (1,) * 4 + (2,) * 3
    assert changes == (0,) * 4 + (1,) + (2,) * 3 + (3,) * 2 + (5,) * 2 + (6,) * 3
    assert [step for step, new in enumerate(changed) if new] == [4, 5, 8, 10, 12]


def test_worlds_of_several_wrappers_are_told_together() -> None:
    env = FlipReward(
        PermuteObservations(
            DriftParameters(Plain(), {"rates": TWO | {"between": [1, 2]}, "strength": 1}), {"every": 4}
        ),
        {"times": [5, 8]},
    )
    env.reset()
    met = play(env, 9)
    assert [info["world"] for _, _, info in met] == [
        World(step // 3 + step // 4 + (step >= 5) + (step >= 8), (step // 3 % 2, 0, step // 4, int(5 <= step < 8)))
        for step in range(9)
    ]
    assert [step for step, (_, _, info) in enumerate(met) if info["changed"]] == [3, 4, 5, 6, 8]


def test_what_an_environment_tells_is_left_alone() -> None:
    class Same(Plain):
        told: dict[str, Any] = {"world": "mine"}  # noqa: RUF012

        def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
            return *super().step(action)[:4], self.told

    env = FlipReward(Same(), TWO | {"between": [1, 2]})
    env.reset()
    assert play(env, 7)[-1][2]["world"] == World(2, (0,))
    assert Same.told == {"world": "mine"}


def test_wandering_is_no_change_of_world() -> None:
    env = FlipReward(Plain(), {"wander": 0.1, "between": [-1, 1], "start": 1})
    env.reset()
    met = play(env, 50)
    assert {(info["world"], info["changed"]) for _, _, info in met} == {(World(0, (0,)), False)}
    assert len({reward for _, reward, _ in met}) == 50
    assert met[0][1] == 1


CARTPOLE: dict[str, tuple[Any, dict[str, Any]]] = {
    "parameters": (
        DriftParameters,
        {
            "changes": {
                "gravity": {"mean_interval": 9, "between": [0.5, 2]},
                "mass": {"wander": 0.1, "between": [0.5, 2]},
            }
        },
    ),
    "at reset": (DriftParameters, {"changes": {"force": {"every": 7, "between": [0.5, 2], "at": "reset"}}, "seed": 5}),
    "permute": (PermuteObservations, {"schedule": {"mean_interval": 9}}),
    "permute some": (PermuteObservations, {"schedule": {"every": 9, "worlds": 5}, "indices": [0, 1, 3]}),
    "scale": (ScaleObservations, {"schedule": {"wander": 0.1, "between": [-2, 2]}}),
    "scale jumps": (ScaleObservations, {"schedule": {"every": 6, "between": [0.5, 2], "log": True}}),
    "stuck": (FailSensors, {"schedule": {"every": 9}, "count": 2}),
    "zero": (FailSensors, {"schedule": {"mean_interval": 9, "worlds": 3, "order": "random"}, "mode": "zero"}),
    "noise": (FailSensors, {"schedule": {"every": 9}, "count": 3, "mode": "noise"}),
    "remap": (RemapActions, {"schedule": {"mean_interval": 9}}),
    "flip": (FlipReward, {"schedule": {"mean_interval": 9, "values": [1, -1, 0.5], "order": "random"}}),
}


def life(env: Any, steps: int, first: int = 0) -> list[Any]:
    """Return all that is met in steps of CartPole, whose episodes end by themselves."""
    met = []
    for step in range(first, steps):
        observation, reward, terminated, _, info = env.step(step * step // 3 % 2)
        met.append((observation.tolist(), reward, terminated, info))
        if terminated:
            observation, info = env.reset()
            met.append((observation.tolist(), info))
    return met


@pytest.mark.parametrize("name", CARTPOLE)
def test_a_life_goes_on_from_its_state_bit_for_bit(name: str) -> None:
    wrapper, arguments = CARTPOLE[name]
    for stop in (1, 40, 101):
        whole, begun, resumed = (wrapper(bare("CartPole-v1"), **arguments) for _ in range(3))
        whole.reset(seed=1)
        life(whole, stop)
        expected = life(whole, 250, stop)
        begun.reset(seed=1)
        life(begun, stop)
        state = json.loads(json.dumps(begun.get_state()))
        resumed.reset(seed=2)
        life(resumed, 30)
        resumed.set_state(state)
        inner, left = resumed.unwrapped, begun.unwrapped
        inner.state, inner.steps_beyond_terminated = left.state.copy(), left.steps_beyond_terminated
        inner.np_random = copy.deepcopy(left.np_random)
        assert life(resumed, 250, stop) == expected
        assert resumed.get_state() == whole.get_state()
        assert len({str(info["world"]) for *_, info in expected}) > 3 or name == "scale"


@pytest.mark.parametrize("name", CARTPOLE)
def test_a_state_never_grows(name: str) -> None:
    wrapper, arguments = CARTPOLE[name]
    env = wrapper(bare("CartPole-v1"), **arguments)
    env.reset(seed=0)

    def held(thing: Any, seen: set[int]) -> int:
        """Return how many entries all containers have that belong to the wrapper."""
        if id(thing) in seen or (isinstance(thing, gymnasium.Env) and thing is not env):
            return 0
        seen.add(id(thing))
        parts = (
            list(thing.values()) if isinstance(thing, dict) else thing if isinstance(thing, list | tuple | set) else []
        )
        if type(thing).__module__.startswith("synaptick.envs"):
            parts = [*parts, *vars(thing).values()] if hasattr(thing, "__dict__") else parts
        return len(parts) + sum(held(part, seen) for part in parts)

    life(env, 50)
    before = held(env, set())
    assert before > 10
    life(env, 5000)
    assert held(env, set()) == before
    assert len(json.dumps(env.get_state())) < 700


@UNLIKE
@pytest.mark.filterwarnings("ignore:.*A Box observation space m.*imum value is")
@pytest.mark.parametrize("name", CARTPOLE)
def test_the_strict_checker_finds_nothing(name: str) -> None:
    wrapper, arguments = CARTPOLE[name]
    # So far apart that the checker, which steps twice from the same seed, sees one world.
    later = json.loads(
        json.dumps(arguments).replace('": 9', '": 100000').replace('": 7', '": 1000').replace('": 0.1', '": 1e-30')
    )
    check_env(wrapper(make_env("CartPole-v1"), **later), skip_render_check=True)


@UNLIKE
def test_the_strict_checker_finds_nothing_with_controls() -> None:
    env = RemapActions(RescaleAction(make_env("Pendulum-v1"), np.float32(-1), np.float32(1)), {"every": 1000})
    check_env(env, skip_render_check=True)


@pytest.mark.parametrize("name", CARTPOLE)
def test_the_environment_draws_what_it_draws_without_the_wrapper(name: str) -> None:
    wrapper, arguments = CARTPOLE[name]
    env, plain = wrapper(bare("CartPole-v1"), **arguments), bare("CartPole-v1")
    env.reset(seed=3)
    plain.reset(seed=3)
    for _ in range(50):
        for action in (0, 1, 0):
            env.step(action)
        env.reset()
        plain.reset()
    np.testing.assert_array_equal(env.unwrapped.state, plain.state)


def test_neither_reset_nor_its_seed_turns_the_clock_back() -> None:
    env = FlipReward(Plain(), {"every": 4})
    rewards = []
    for seed in (0, None, 0, 1, None, 0):
        env.reset(seed=seed)
        rewards += [env.step(0)[1] for _ in range(3)]
    assert rewards == [-1 if step // 4 % 2 else 1 for step in range(18)]
    assert env.get_state()["clock"] == 18


@pytest.mark.parametrize("name", CARTPOLE)
def test_the_seed_decides_what_is_drawn(name: str) -> None:
    wrapper, arguments = CARTPOLE[name]

    def met(seed: int) -> list[Any]:
        env = wrapper(bare("CartPole-v1"), **(arguments | {"seed": seed}))
        env.reset(seed=0)
        return life(env, 200)

    assert met(0) == met(0) != met(1)


@pytest.mark.parametrize("name", CARTPOLE)
def test_a_spec_makes_the_same_again(name: str) -> None:
    wrapper, arguments = CARTPOLE[name]
    env = wrapper(gymnasium.make("CartPole-v1"), **arguments)
    again = gymnasium.make(env.spec)
    for one in (env, again):
        one.reset(seed=0)
    assert life(env, 60) == life(again, 60)


def test_all_of_it_is_data() -> None:
    wrappers = yaml.safe_load("""
        - synaptick.envs:DriftParameters:
            changes:
              gravity: {every: 2, values: [1, 2, 0.5]}
              length: {wander: 1e-4, between: [0.5, 2], log: true}
            seed: 3
        - synaptick.envs:FailSensors: {schedule: {mean_interval: 1e2, worlds: 3}, mode: zero}
        - synaptick.envs:ScaleObservations: {schedule: {every: 2, between: [0.5, 2]}, indices: [1, 3]}
        - synaptick.envs:PermuteObservations: {schedule: {times: [5, 9]}}
        - synaptick.envs:RemapActions: {schedule: {every: 8, worlds: 2}}
        - synaptick.envs:FlipReward: {schedule: {every: 3}}
        """)
    env = make_env("CartPole-v1", wrappers=wrappers)
    env.reset(seed=0)
    for _ in range(8):
        *_, info = env.step(0)
    assert info["world"] == World(3 + 3 + 1 + 2, (0, 0, 0, 3, 1, 0, 0))
    assert env.unwrapped.gravity == 9.8


# ---- what is refused

POLE, SWING = "CartPole-v1", "Pendulum-v1"
CASES: list[tuple[str, Any, dict[str, Any], str]] = [
    (POLE, DriftParameters, {"changes": {"gravty": 2}}, "changes: got 'gravty'; .*CartPole.* parameters gravity, "),
    ("Acrobot-v1", DriftParameters, {"changes": {"gravity": 2}}, "got 'gravity'; .* parameters mass, length, force"),
    ("Taxi-v4", DriftParameters, {"changes": {"gravity": 1}}, "got 'gravity'; .* has the parameters "),
    (POLE, DriftParameters, {"changes": {}}, r"changes: got {}; allowed: a mapping from parameters \(gravity, m"),
    (POLE, DriftParameters, {"changes": 2}, "changes: got 2; allowed: a mapping from parameters"),
    (POLE, DriftParameters, {"changes": {"mass": 0}}, "mass: values: got 0; allowed: a number from 0.001 to 1000"),
    (POLE, DriftParameters, {"changes": {"length": -1}}, "length: values: got -1; allowed: a number from 0.001"),
    (SWING, DriftParameters, {"changes": {"max_torque": 2}}, "max_torque: values: got 2; .* number from 0 to 1"),
    ("Acrobot-v1", DriftParameters, {"changes": {"LINK_MOI": -1}}, "LINK_MOI: values: got -1; .* number from 0.001"),
    (POLE, DriftParameters, {"changes": {"mass": {"every": 1}}}, "mass: got {'every': 1}; .* one of values"),
    (POLE, DriftParameters, {"changes": {"mass": 1}, "seed": -1}, "seed: got -1; allowed: a whole number from 0"),
    ("Taxi-v4", PermuteObservations, {"schedule": TWO}, "PermuteObservations needs a Box observation; .* has Discrete"),
    (POLE, PermuteObservations, {"schedule": TWO, "indices": [1]}, "needs at least 2 entries; got 1"),
    (POLE, PermuteObservations, {"schedule": TWO, "indices": [4, 1]}, "indices: got 4; .* number from 0 to 3"),
    (POLE, PermuteObservations, {"schedule": TWO, "indices": [1, 1]}, r"indices: got \[1, 1\]; .* each entry once"),
    (
        "MountainCar-v0",
        PermuteObservations,
        {"schedule": EIGHT},
        "got worlds with numbers up to 7; allowed: up to 1, as",
    ),
    ("Taxi-v4", ScaleObservations, {"schedule": 2}, "ScaleObservations needs a Box observation"),
    (POLE, ScaleObservations, {"schedule": 2000}, "values: got 2000; allowed: a number from -1000 to 1000"),
    ("Taxi-v4", FailSensors, {"schedule": TWO}, "FailSensors needs a Box observation"),
    (POLE, FailSensors, {"schedule": TWO, "mode": "on"}, "mode: got 'on'; allowed: stuck, zero, noise"),
    (POLE, FailSensors, {"schedule": TWO, "count": 5}, "count: got 5; allowed: a whole number from 1 to 4"),
    (POLE, FailSensors, {"schedule": TWO, "std": -1}, "std: got -1; allowed: a number from 0"),
    (POLE, FailSensors, {"schedule": EIGHT}, "schedule: got worlds with numbers up to 7; allowed: up to 4, as no"),
    (POLE, RemapActions, {"schedule": EIGHT}, "schedule: got worlds with numbers up to 7; allowed: up to 1, as"),
    (POLE, RemapActions, {"schedule": TWO, "how": "flip"}, "how: got 'flip'; .*: permute, as .* Discrete actions"),
    (SWING, RemapActions, {"schedule": TWO, "how": "no"}, "how: got 'no'; allowed: permute, flip, both, as .* a Box"),
    (SWING, RemapActions, {"schedule": TWO, "how": "permute"}, "needs two actions or controls to swap; .* has Box"),
    (POLE, FlipReward, {"schedule": {"every": 0}}, "schedule: every: got 0; allowed: a whole number from 1"),
    (POLE, FlipReward, {"schedule": {"every": 1, "log": True}}, "schedule: got log with values; allowed: only with"),
]


@pytest.mark.parametrize(("env_id", "wrapper", "arguments", "said"), CASES)
def test_what_cannot_be_is_refused(env_id: str, wrapper: Any, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(EnvError, match=said):
        make_env(env_id, wrappers=[{f"synaptick.envs:{wrapper.__name__}": arguments}])


def test_states_of_others_are_refused() -> None:
    flip, drift = FlipReward(Plain(), TWO | {"between": [0, 1]}), DriftParameters(Plain(), {"rates": 1})
    with pytest.raises(
        ValueError, match=re.escape("state: got ['rates'], where schedule belong; allowed: what get_state")
    ):
        flip.set_state(drift.get_state())
    with pytest.raises(ValueError, match="state: got 3, where clock, first, schedules belong"):
        flip.set_state(3)  # type: ignore[arg-type]
