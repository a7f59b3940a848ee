"""Environments put back where they were: what goes on is bit for bit what would have been."""

from __future__ import annotations

import copy
import json
from collections import deque
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from synaptick import StateError, envs, make_env
from synaptick.training.env_state import capture, restore, restore_statistics, wrappers_with_statistics
from synaptick.training.plain_data import LARGEST, NotPlain, Reader, Writer

Make = Callable[[], Any]
CLASSIC = ("CartPole-v1", "Acrobot-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Pendulum-v1")
TOYS = ("FrozenLake-v1", "Taxi-v4", "CliffWalking-v1", "Blackjack-v1")
OURS = sorted(name for name in gymnasium.registry if name.startswith("synaptick/"))
# Arguments with which there is something to restore within a few hundred steps.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "synaptick/Forager-v0": {"flip_every": 70},
    "synaptick/TraceConditioning-v0": {"distractors": 3},
    "synaptick/DelayedXor-v0": {"noise_channels": 2},
}
JUMPS = {"mean_interval": 40, "between": [0.5, 2.0]}
WALK = {"wander": 0.05, "between": [0.5, 2.0]}
TURNS = {"mean_interval": 30, "worlds": 3, "order": "random"}
WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "ChangeUnits": lambda env: envs.ChangeUnits(env, 10.0, 0.1),
    "DelayedReward": lambda env: envs.DelayedReward(env, 7),
    "DriftParameters": lambda env: envs.DriftParameters(env, {"gravity": JUMPS, "force": WALK}, seed=3),
    "FailSensors": lambda env: envs.FailSensors(env, TURNS, mode="stuck"),
    "FailSensors noise": lambda env: envs.FailSensors(env, {"mean_interval": 30}, 1, "noise"),
    "FlipReward": lambda env: envs.FlipReward(env, {"mean_interval": 30}),
    "MaskPositions": envs.MaskPositions,
    "MaskVelocities": envs.MaskVelocities,
    "NoisyObservation": envs.NoisyObservation,
    "PermuteObservations": lambda env: envs.PermuteObservations(env, {"mean_interval": 30}),
    "RemapActions": lambda env: envs.RemapActions(env, TURNS | {"worlds": 2}),
    "ScaleObservations": lambda env: envs.ScaleObservations(env, WALK),
    "all of the time": lambda env: envs.FlipReward(envs.NoisyObservation(envs.DelayedReward(env)), {"every": 50}),
    "a filter": lambda env: gymnasium.wrappers.FilterObservation(
        gymnasium.wrappers.TimeAwareObservation(env, flatten=False), ["obs"]
    ),
    "flattened": gymnasium.wrappers.FlattenObservation,
    "frames": lambda env: gymnasium.wrappers.FrameStackObservation(env, 3),
    "sticky": lambda env: gymnasium.wrappers.StickyAction(env, 0.3),
    "statistics": gymnasium.wrappers.RecordEpisodeStatistics,
    "normalized": lambda env: gymnasium.wrappers.NormalizeReward(gymnasium.wrappers.NormalizeObservation(env)),
}


def checked(env_id: str) -> Any:
    """Return an environment as Gymnasium makes it by default, with a limit on time and both of its checkers."""
    return gymnasium.make(env_id, max_episode_steps=60, **ARGUMENTS.get(env_id, {}))


def actions(env: Any, count: int) -> list[Any]:
    space = copy.deepcopy(env.action_space)
    space.seed(7)
    return [space.sample() for _ in range(count)]


def follow(env: Any, given: list[Any]) -> list[bytes]:
    """Take steps, through resets, and return every observation, reward and flag in bytes."""
    seen = []
    for action in given:
        observation, reward, terminated, truncated, _ = env.step(action)
        seen.append(plain(observation) + np.float64(reward).tobytes() + bytes([terminated, truncated]))
        if terminated or truncated:
            seen.append(plain(env.reset()[0]))
    return seen


def plain(observation: Any) -> bytes:
    if isinstance(observation, dict):
        return b"".join(plain(part) for part in observation.values())
    if isinstance(observation, tuple):
        return b"".join(plain(part) for part in observation)
    return np.asarray(observation).tobytes()


def assert_restorable(make: Make, at: tuple[int, ...] = (0, 1, 5, 23, 111)) -> None:
    """What is captured after so many steps, and kept as JSON, leads a fresh environment to the same 300 more steps."""
    for steps in at:
        env, fresh = make(), make()
        given = actions(env, steps + 300)
        env.reset(seed=5)
        follow(env, given[:steps])
        state = capture(env)
        assert state is not None
        before = copy.deepcopy(state)
        expected = follow(env, given[steps:])
        fresh.reset(seed=99)
        follow(fresh, given[:3])
        restore(fresh, json.loads(json.dumps(state)))
        assert capture(fresh) == before == state
        assert follow(fresh, given[steps:]) == expected
        assert len(set(expected)) > 1
        env.close()
        fresh.close()


@pytest.mark.parametrize("env_id", [*CLASSIC, *TOYS, *OURS])
@pytest.mark.filterwarnings("ignore::UserWarning")  # of the checker, about the environments of others
def test_what_is_restored_goes_on_as_if_never_stopped(env_id: str) -> None:
    assert_restorable(lambda: checked(env_id), (2, 5, 23, 111))  # in the first step the checker holds on to an info


@pytest.mark.parametrize("name", WRAPPERS)
def test_wrappers_are_restored_too(name: str) -> None:
    assert_restorable(lambda: WRAPPERS[name](make_env("MountainCar-v0")))


@pytest.mark.parametrize("name", ["ChangeUnits", "NoisyObservation", "RemapActions", "ScaleObservations"])
def test_wrappers_of_continuous_actions_are_restored_too(name: str) -> None:
    assert_restorable(lambda: WRAPPERS[name](make_env("Pendulum-v1")))


@pytest.mark.parametrize("env_id", ["HalfCheetah-v5", "Hopper-v5", "Ant-v5", "Humanoid-v5", "InvertedPendulum-v5"])
def test_mujoco_is_restored_too(env_id: str) -> None:
    pytest.importorskip("mujoco")
    assert_restorable(lambda: make_env(env_id, {"max_episode_steps": 60}), (2, 23, 111))


def test_mujoco_whose_physics_drift_is_restored_too() -> None:
    pytest.importorskip("mujoco")
    drift = {"gravity": {"mean_interval": 20, "between": [0.5, 2.0]}, "mass": {"wander": 0.01, "between": [0.5, 2.0]}}
    assert_restorable(lambda: envs.DriftParameters(make_env("Hopper-v5"), drift), (2, 23, 111))


def test_another_model_of_a_simulator_is_refused() -> None:
    pytest.importorskip("mujoco")
    env, other = make_env("Hopper-v5"), make_env("Hopper-v5")
    env.reset(seed=1)
    other.unwrapped.model.body_mass[1] *= 2.0
    with pytest.raises(StateError, match="its model is not that of the checkpoint"):
        restore(other, capture(env) or {})


# ---- what cannot be restored


class Odd(gymnasium.Env[Any, Any]):
    """Has one attribute more than others."""

    observation_space, action_space = spaces.Box(-1.0, 1.0, (2,)), spaces.Discrete(2)

    def __init__(self, part: Any) -> None:
        self.part = part

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}


class Asked(Odd):
    """Tells its state by itself."""

    def get_state(self) -> Any:
        return self.part

    def set_state(self, state: Any) -> None:
        self.part = state


def generator_in_a_closure() -> Any:
    rng = np.random.default_rng(1)
    return lambda: rng.random()


@pytest.mark.parametrize(
    "part",
    [
        object(),
        {1, 2},
        np.array([None]),
        np.random.RandomState(1),
        np.random.default_rng(1).random,
        generator_in_a_closure(),
        np.zeros(LARGEST // 8 + 1),
        np.frombuffer(bytearray(8)),
        [[1, [object()]]],
        type("Numbers", (list,), {})([1]),
    ],
    ids=lambda part: type(part).__name__,
)
def test_one_part_that_is_not_plain_and_nothing_is_captured(part: Any) -> None:
    for env in (Odd(part), gymnasium.wrappers.TimeLimit(Odd(part), 5), Asked({"part": part})):
        env.reset(seed=1)
        assert capture(env) is None


def test_lunar_lander_cannot_be_restored() -> None:
    pytest.importorskip("Box2D")
    env = make_env("LunarLander-v3")
    env.reset(seed=1)
    assert capture(env) is None
    env.close()


def test_arrays_that_share_memory_are_not_captured() -> None:
    whole = np.zeros(4)
    assert capture(Odd([whole, whole[1:]])) is None
    assert capture(Odd([whole[:2], whole[2:]])) is not None
    assert capture(Odd([whole, whole])) is not None


def test_a_state_has_to_be_a_mapping() -> None:
    assert capture(Asked([1.0])) is None
    assert capture(Asked({"x": 1.0})) is not None


class Broken(Asked):
    """Fails when asked."""

    def get_state(self) -> Any:
        raise RuntimeError("no")


def test_an_environment_that_fails_to_tell_its_state_stops_nothing() -> None:
    assert capture(Broken({})) is None


@pytest.mark.parametrize(
    "other",
    [
        lambda: make_env("Acrobot-v1"),
        lambda: envs.ChangeUnits(make_env("CartPole-v1")),
        lambda: make_env("CartPole-v1").env,
    ],
)
def test_the_state_of_another_environment_is_refused(other: Make) -> None:
    env = make_env("CartPole-v1")
    env.reset(seed=1)
    with pytest.raises(StateError, match="cannot be restored") as caught:
        restore(other(), capture(env) or {})
    assert len(str(caught.value).splitlines()) == 1


def test_a_state_that_is_not_one_is_refused() -> None:
    env = make_env("CartPole-v1")
    env.reset(seed=1)
    good: Any = capture(env)
    for damage in ({}, {"layers": 3}, {"layers": [{"class": "x"}]}):
        with pytest.raises(StateError):
            restore(make_env("CartPole-v1"), damage)
    good["layers"][0]["attributes"]["_elapsed_steps"] = {"no such kind": 1}
    with pytest.raises(StateError, match="KeyError"):
        restore(make_env("CartPole-v1"), good)


# ---- running statistics of wrappers


def normalized(env_id: str = "CartPole-v1") -> Any:
    return make_env(env_id, wrappers=[f"gymnasium.wrappers:Normalize{what}" for what in ("Observation", "Reward")])


def test_statistics_alone_go_into_an_environment_that_begins_anew() -> None:
    env, fresh = normalized(), normalized()
    assert wrappers_with_statistics(env) == ["NormalizeReward", "NormalizeObservation"]
    assert wrappers_with_statistics(envs.ChangeUnits(make_env("CartPole-v1"))) == []
    env.reset(seed=1)
    follow(env, actions(env, 200))
    state = json.loads(json.dumps(capture(env)))
    restore_statistics(fresh, state)
    for there, here in ((env, fresh), (env.env, fresh.env)):
        name = "return_rms" if there is env else "obs_rms"
        assert vars(vars(here)[name]).keys() == {"mean", "var", "count"}
        for key, value in vars(vars(there)[name]).items():
            np.testing.assert_array_equal(vars(vars(here)[name])[key], value)
    assert fresh.unwrapped.state is None
    # One more observation, beside two hundred, moves them by little: what is shown is normalized as it was before.
    raw = make_env("CartPole-v1").reset(seed=7)[0]
    np.testing.assert_allclose(
        fresh.reset(seed=7)[0], (raw - env.env.obs_rms.mean) / np.sqrt(env.env.obs_rms.var), atol=0.02
    )


def test_statistics_of_other_wrappers_are_refused() -> None:
    env = normalized()
    env.reset(seed=1)
    state: Any = capture(env)
    for other in (make_env("CartPole-v1"), normalized("Acrobot-v1")):
        with pytest.raises(StateError, match="cannot be restored: the environment, its wrappers"):
            restore_statistics(other, state)
    with pytest.raises(StateError, match="cannot be restored"):
        restore_statistics(normalized(), {})
    state["layers"][0]["statistics"]["return_rms"] = {"no such kind": 1}
    with pytest.raises(StateError, match=r"statistics of .*KeyError"):
        restore_statistics(normalized(), state)


# ---- plain data


def there_and_back(value: Any) -> Any:
    return Reader().read(json.loads(json.dumps(Writer().write(value))))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        2**200,
        -0.0,
        float("inf"),
        5e-324,
        "word",
        b"\x00\xff",
        (1, (2.5, None), []),
        {1: "a", (2, "x"): {"same": 3}, "array": 1},
        range(3, 9, 2),
        deque([1, 2], maxlen=5),
        np.float32(1.1),
        np.str_("ace"),
        np.array(3),
        np.zeros((0, 3), np.int8),
        np.array([b"S", b"F"]),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    ],
    ids=str,
)
def test_plain_data_come_back_as_they_were(value: Any) -> None:
    back = there_and_back(value)
    assert type(back) is type(value)
    assert repr(back) == repr(value)
    if isinstance(value, np.ndarray | np.generic):
        assert back.dtype == value.dtype
        assert back.tobytes() == value.tobytes()
    if isinstance(value, np.ndarray):
        assert back.flags.f_contiguous == value.flags.f_contiguous
        assert back.flags.writeable
        assert back.flags.owndata


def test_what_was_one_object_is_one_object_again() -> None:
    row, rng = [1.0], np.random.default_rng(3)
    loop: list[Any] = [row, (row, {"rng": rng}), rng]
    loop.append(loop)
    back = there_and_back(loop)
    assert back[3] is back
    assert back[0] is back[1][0]
    assert back[2] is back[1][1]["rng"]
    back[0].append(2.0)
    assert back[1][0] == [1.0, 2.0]
    assert row == [1.0]


@pytest.mark.parametrize("bits", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_generators_go_on_and_spawn_as_before(bits: str) -> None:
    rng = np.random.Generator(getattr(np.random, bits)(np.random.SeedSequence(5, spawn_key=(1, 2))))
    rng.spawn(2)
    rng.integers(5, dtype=np.uint32)
    back = there_and_back(rng)
    for one, other in ((rng, back), (rng.spawn(1)[0], back.spawn(1)[0])):
        assert one.random(9).tobytes() == other.random(9).tobytes()
        assert (
            one.integers(5, size=3, dtype=np.uint32).tobytes() == other.integers(5, size=3, dtype=np.uint32).tobytes()
        )


def test_arrays_of_objects_are_never_read() -> None:
    data = {"array": {"dtype": "|O", "shape": [1], "order": "C", "data": "AAAAAAAAAAA="}}
    with pytest.raises(ValueError, match="objects"):
        Reader().read(data)
    with pytest.raises(NotPlain):
        Writer().write(np.array([{}]))


def test_the_random_numbers_of_spaces_are_restored() -> None:
    env, fresh = Odd(1), Odd(1)
    for each in (env, fresh):
        each.action_space = spaces.Dict(a=spaces.Discrete(50), b=spaces.Box(0.0, 1.0))  # type: ignore[assignment]
    env.action_space.seed(4)
    env.action_space.sample()
    restore(fresh, json.loads(json.dumps(capture(env))))
    assert str(fresh.action_space.sample()) == str(env.action_space.sample())
