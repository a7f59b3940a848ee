"""Wrappers that make any task a harder one: entries left out, noise, rewards that come late."""

from __future__ import annotations

import math
import re
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import DtypeObservation, FlattenObservation, TimeLimit
from synaptick import EnvError, make_env
from synaptick.envs import DelayedReward, MaskPositions, MaskVelocities, MemoryChain, NoisyObservation

UNLIKE = pytest.mark.filterwarnings("ignore:.*different from the unwrapped version")
OLD = pytest.mark.filterwarnings("ignore:.*is out of date:DeprecationWarning")
CLASSIC = ["CartPole-v1", "Pendulum-v1", "Acrobot-v1", "MountainCar-v0", "MountainCarContinuous-v0"]
ROBOTS: list[tuple[str, dict[str, Any]]] = [
    ("Hopper-v4", {}),
    ("Hopper-v5", {}),
    ("Hopper-v4", {"exclude_current_positions_from_observation": False}),
    ("Hopper-v5", {"exclude_current_positions_from_observation": False}),
    ("HalfCheetah-v4", {}),
    ("HalfCheetah-v5", {}),
    ("Walker2d-v4", {}),
    ("Walker2d-v5", {}),
    ("Swimmer-v4", {}),
    ("Swimmer-v5", {"exclude_current_positions_from_observation": False}),
    ("Ant-v4", {}),
    ("Ant-v4", {"use_contact_forces": True}),
    ("Ant-v5", {}),
    ("Ant-v5", {"include_cfrc_ext_in_observation": False}),
    ("Humanoid-v4", {}),
    ("Humanoid-v5", {}),
    ("HumanoidStandup-v4", {}),
    ("HumanoidStandup-v5", {"include_cvel_in_observation": False}),
    ("InvertedPendulum-v4", {}),
    ("InvertedPendulum-v5", {}),
    ("InvertedDoublePendulum-v4", {}),
    ("InvertedDoublePendulum-v5", {}),
    ("Reacher-v4", {}),
    ("Reacher-v5", {}),
    ("Pusher-v5", {}),
]


def removed(mask: Any) -> list[int]:
    return sorted(set(range(mask.env.observation_space.shape[0])) - set(mask.kept.tolist()))


class Scripted(gymnasium.Env[Any, Any]):
    """Rewards and ending as told; the observation is the number of steps."""

    action_space = spaces.Discrete(2)
    observation_space = spaces.Box(0.0, 100.0, (1,), np.float64)

    def __init__(self, rewards: list[float], truncated: bool = False):
        self.rewards, self.truncated, self.step_count = rewards, truncated, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.step_count = 0
        return np.zeros(1), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.step_count += 1
        over = self.step_count == len(self.rewards)
        reward = self.rewards[self.step_count - 1]
        return np.full(1, float(self.step_count)), reward, over and not self.truncated, over and self.truncated, {}


class Seen(gymnasium.Env[Any, Any]):
    """Shows the same observation again and again."""

    action_space = spaces.Discrete(2)

    def __init__(self, space: spaces.Box, value: Any):
        self.observation_space, self.value = space, np.full(space.shape, value, space.dtype)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        return self.value.copy(), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        return self.value.copy(), 0.0, False, False, {}


# ---- masks


@pytest.mark.parametrize("env_id", CLASSIC)
def test_positions_and_velocities_are_all_there_is_in_classic_control(env_id: str) -> None:
    env = gymnasium.make(env_id)
    positions, velocities = removed(MaskPositions(env)), removed(MaskVelocities(env))
    assert sorted(positions + velocities) == list(range(env.observation_space.shape[0]))
    assert velocities


@pytest.mark.parametrize(
    ("env_id", "of_state"),
    list(zip(CLASSIC, ([1, 3], [1], [2, 3], [1], [1]), strict=True)),
)
def test_masks_find_the_velocities_of_the_state(env_id: str, of_state: list[int]) -> None:
    env = gymnasium.make(env_id).unwrapped
    velocities = removed(MaskVelocities(env))
    env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(5):
        observation = env.step(env.action_space.sample())[0]
        expected = np.float32(env.state)[of_state]
        assert len(set(np.abs(observation).tolist())) == len(observation)  # none can be taken for another
        np.testing.assert_array_equal(observation[velocities], expected)


@OLD
@pytest.mark.parametrize(("env_id", "kwargs"), ROBOTS)
def test_masks_find_the_joint_velocities_of_the_simulator(env_id: str, kwargs: dict[str, Any]) -> None:
    pytest.importorskip("mujoco")
    env = gymnasium.make(env_id, **kwargs)
    velocities = removed(MaskVelocities(env))
    env.reset(seed=1)
    for _ in range(3):
        observation = env.step(env.action_space.sample())[0]
    data = env.unwrapped.data
    expected = data.qvel.copy()
    if env_id.startswith(("Hopper", "Walker2d", "InvertedDouble")):
        expected = np.clip(expected, -10, 10)
    if env_id.startswith(("Reacher", "Pusher")):
        expected = expected[: 2 if env_id.startswith("Reacher") else 7]
    if env_id.startswith("Humanoid") and kwargs.get("include_cvel_in_observation", True):
        expected = np.append(expected, data.cvel[1 if env_id.endswith("5") else 0 :])
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_array_equal(observation[velocities], expected)


@OLD
@pytest.mark.parametrize(("env_id", "kwargs"), ROBOTS)
def test_positions_do_not_depend_on_velocities(env_id: str, kwargs: dict[str, Any]) -> None:
    pytest.importorskip("mujoco")
    env = gymnasium.make(env_id, **kwargs)
    positions, velocities = removed(MaskPositions(env)), removed(MaskVelocities(env))
    assert not set(positions) & set(velocities)
    env.reset(seed=2)
    bare, rng = env.unwrapped, np.random.default_rng(0)
    qpos, qvel = bare.data.qpos.copy(), bare.data.qvel.copy()
    joints = {"Reacher": 2, "Pusher": 7}.get(env.spec.name, len(qpos))  # the others are of things, not of the robot

    def shown(place: np.ndarray, speed: np.ndarray) -> np.ndarray:
        bare.set_state(place, speed)
        return bare._get_obs()

    first = shown(qpos, qvel)
    moved = qpos.copy()
    moved[:joints] += 0.01 * rng.random(joints)
    faster = shown(qpos, qvel + rng.random(len(qvel)))
    elsewhere = shown(moved, qvel)
    np.testing.assert_array_equal(faster[positions], first[positions])
    assert (faster != first)[velocities].mean() > 0.8
    assert (elsewhere != first)[positions].mean() > 0.4  # masses do not change, nor does what is not free to move
    others = sorted(set(range(len(first))) - set(positions) - set(velocities))
    if env.spec.name in ("Reacher", "Pusher"):  # targets and things; elsewhere they are forces, which depend on all
        changed = set(np.flatnonzero(elsewhere != first).tolist())
        assert set(positions) - changed == ({10} if env_id == "Reacher-v4" else set())  # a height that is the same
        assert changed <= set(positions)
    else:
        assert not others or env.spec.name in ("Ant", "Humanoid", "HumanoidStandup", "InvertedDoublePendulum")


@UNLIKE
@pytest.mark.filterwarnings("ignore:.*A Box observation space m.*imum value is")
@pytest.mark.filterwarnings("ignore:.*we recommend using a symmetric and normalized space")
@pytest.mark.parametrize("wrapper", ["MaskVelocities", "MaskPositions", "NoisyObservation", "DelayedReward"])
@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1", "synaptick/MemoryChain-v0", "Hopper-v5"])
def test_a_configuration_can_name_them_and_the_strict_checker_finds_nothing(env_id: str, wrapper: str) -> None:
    if env_id.startswith("Hopper"):
        pytest.importorskip("mujoco")
    what: Any = f"synaptick.envs:{wrapper}"
    if "Memory" in env_id and "Mask" in wrapper:
        what = {what: {wrapper.removeprefix("Mask").lower(): [0]}}
    env = make_env(env_id, wrappers=[what])
    assert type(env).__name__ == wrapper
    check_env(env, skip_render_check=True)
    assert env.spec.additional_wrappers[-1].name == wrapper


def test_arguments_reach_the_wrappers_and_the_record_of_them() -> None:
    wrappers = [
        {"synaptick.envs:MaskPositions": {"positions": [0]}},
        {"synaptick.envs:NoisyObservation": {"std": 0.5, "relative": True}},
        {"synaptick.envs:DelayedReward": {"steps": 3}},
    ]
    env = make_env("CartPole-v1", wrappers=wrappers)
    assert env.observation_space.shape == (3,)
    again = gymnasium.make(env.spec, disable_env_checker=True)
    np.testing.assert_array_equal(again.reset(seed=3)[0], env.reset(seed=3)[0])
    assert [record.kwargs for record in env.spec.additional_wrappers] == [next(iter(w.values())) for w in wrappers]


@pytest.mark.parametrize(
    ("env_id", "mask", "plain"),
    [
        ("synaptick/CartPoleVelocities-v0", [1, 3], "CartPole-v1"),
        ("synaptick/PendulumPositions-v0", [0, 1], "Pendulum-v1"),
    ],
)
def test_registered_masks_are_the_environment_without_the_rest(env_id: str, mask: list[int], plain: str) -> None:
    ours, theirs = make_env(env_id), gymnasium.make(plain)
    assert ours.spec.max_episode_steps == theirs.spec.max_episode_steps
    np.testing.assert_array_equal(ours.reset(seed=4)[0], theirs.reset(seed=4)[0][mask])
    theirs.action_space.seed(0)
    for _ in range(300):
        action = theirs.action_space.sample()
        mine, *rest = ours.step(action)
        whole, *others = theirs.step(action)
        np.testing.assert_array_equal(mine, whole[mask])
        assert rest == others
        if rest[1] or rest[2]:
            ours.reset(), theirs.reset()


def test_positions_may_be_given() -> None:
    for given in ([3, 0], (0, 3), range(0, 4, 3), np.array([3, 0]), [np.int64(3), np.uint8(0)]):
        assert MaskPositions(gymnasium.make("CartPole-v1"), given).kept.tolist() == [1, 2]


@pytest.mark.parametrize("mask", [MaskPositions, MaskVelocities])
def test_a_single_one_may_be_given_as_a_number(mask: Any) -> None:
    kind = mask.__name__.removeprefix("Mask").lower()
    assert make_env("CartPole-v1", wrappers=[{f"synaptick.envs:{mask.__name__}": {kind: 0}}]).kept.tolist() == [1, 2, 3]
    assert mask(gymnasium.make("CartPole-v1"), np.int64(2)).kept.tolist() == [0, 1, 3]


@pytest.mark.parametrize("mask", [MaskPositions, MaskVelocities])
def test_what_is_not_known_is_refused_with_what_to_do(mask: Any) -> None:
    kind = mask.__name__.removeprefix("Mask").lower()
    said = f"the {kind} of .*MemoryChain.* are not known; give {kind}=.*CartPole, .*Pusher, Hopper, .*HumanoidStandup$"
    with pytest.raises(ValueError, match=said):
        mask(make_env("synaptick/MemoryChain-v0"))
    with pytest.raises(EnvError, match=f"a wrapper has changed the observation of CartPole; give {kind}="):
        make_env(
            "CartPole-v1",
            wrappers=[{f"synaptick.envs:{mask.__name__}": {kind: [0]}}, f"synaptick.envs:{mask.__name__}"],
        )
    with pytest.raises(ValueError, match=rf"{kind} \[4\] do not exist; the observation has indices 0 to 3"):
        mask(gymnasium.make("CartPole-v1"), [0, 4])
    for wrong in (np.int64(4), 0.5, True, "0", np.True_, [0]):
        said = re.escape(f"{kind}: got {wrong!r}; allowed: a whole number from 0 to 3")
        with pytest.raises(ValueError, match=said):
            mask(gymnasium.make("CartPole-v1"), [0, wrong])
    with pytest.raises(EnvError, match=rf"{kind}: got 0\.5; allowed: a whole number from 0 to 3"):
        make_env("CartPole-v1", wrappers=[{f"synaptick.envs:{mask.__name__}": {kind: 0.5}}])
    with pytest.raises(ValueError, match=f"no part of the observation is left; mask fewer {kind}"):
        mask(gymnasium.make("CartPole-v1"), range(4))
    with pytest.raises(ValueError, match=f"{mask.__name__} needs a one-dimensional Box observation"):
        mask(gymnasium.make("Taxi-v4"))


def test_the_name_of_another_package_is_not_that_of_gymnasium() -> None:
    gymnasium.register("elsewhere/CartPole-v0", lambda: Seen(spaces.Box(-1, 1, (4,)), 0.0))
    try:
        with pytest.raises(ValueError, match="the velocities of CartPole are not known"):
            MaskVelocities(gymnasium.make("elsewhere/CartPole-v0", disable_env_checker=True))
    finally:
        del gymnasium.registry["elsewhere/CartPole-v0"]


# ---- noise


def noisy(env: Any, steps: int = 4000, seed: int = 0) -> np.ndarray:
    return np.array([env.reset(seed=seed)[0]] + [env.step(0)[0] for _ in range(steps)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("relative", "value", "expected"), [(False, 3.0, 0.2), (True, 3.0, 0.6), (True, -3.0, 0.6)])
def test_noise_is_gaussian_of_the_deviation_asked_for(
    dtype: Any, relative: bool, value: float, expected: float
) -> None:
    env = NoisyObservation(Seen(spaces.Box(-4, 4, (2, 2), dtype), value), std=0.2, relative=relative)
    seen = noisy(env)
    assert seen.dtype == env.observation_space.dtype == dtype
    assert seen.shape[1:] == (2, 2)
    assert all(row in env.observation_space for row in seen)
    errors = (seen - value).reshape(-1, 4)
    assert np.abs(errors.mean(axis=0)).max() < 5 * expected / math.sqrt(len(errors))
    np.testing.assert_allclose(np.cov(errors.T), expected**2 * np.eye(4), atol=0.12 * expected**2)
    assert (errors**4).mean() / (errors**2).mean() ** 2 == pytest.approx(3.0, abs=0.3)
    assert abs((errors[1:] * errors[:-1]).mean()) < 0.05 * expected**2


def test_no_deviation_is_no_noise_and_zero_has_none_relative_to_it() -> None:
    unbounded = spaces.Box(-np.inf, np.inf, (2,), np.float32)
    for env in (
        NoisyObservation(Seen(unbounded, 1.5), 0.0),
        NoisyObservation(Seen(unbounded, 1.5), 0.0, relative=True),
        NoisyObservation(Seen(unbounded, 1.5), 0, relative=True),
    ):
        assert (noisy(env, 10) == 1.5).all()
        assert env.observation_space == unbounded
    assert not noisy(NoisyObservation(Seen(unbounded, 0.0), relative=True), 10).any()


def test_bounds_leave_room_for_the_noise() -> None:
    space = spaces.Box(np.float32([-1, 0, -np.inf, -3e38]), np.float32([1, 5, 2, 3e38]))
    wide = NoisyObservation(Seen(space, 0.0), 0.1).observation_space
    np.testing.assert_allclose(wide.low, np.float32([-2, -1, -np.inf, -3e38]))
    np.testing.assert_allclose(wide.high, np.float32([2, 6, 3, 3e38]))
    wide = NoisyObservation(Seen(space, 0.0), 0.1, relative=True).observation_space
    np.testing.assert_allclose(wide.low, np.float32([-2, -5, -np.inf, -np.inf]))
    np.testing.assert_allclose(wide.high, np.float32([2, 10, np.inf, np.inf]))


def test_whole_numbers_stay_whole_and_within_bounds() -> None:
    env = NoisyObservation(Seen(spaces.Box(0, 255, (8, 8), np.uint8), 250), std=20.0)
    seen = noisy(env, 200)
    assert seen.dtype == np.uint8
    assert env.observation_space == spaces.Box(0, 255, (8, 8), np.uint8)
    assert seen.max() == 255
    assert 200 < np.median(seen) <= 251
    assert seen.min() > 100  # not wrapped round
    shape = NoisyObservation(Seen(spaces.Box(0, 9, (), np.float32), 5.0)).reset(seed=0)[0]
    assert (shape.shape, shape.dtype) == ((), np.float32)


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64, np.uint64])
def test_whole_numbers_do_not_wrap_round_at_the_ends_of_their_dtype(dtype: Any) -> None:
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    for end, below in ((most, 0), (least, least // 2 + 1)):
        env = Seen(spaces.Box(least, most, (50,), dtype), end)
        for std, relative in ((3.0, False), (0.01, True)):
            with np.errstate(all="raise"):
                seen = noisy(NoisyObservation(env, std, relative), 20)
            assert seen.dtype == dtype
            assert (seen > most // 2).all() if end == most else (seen <= max(below, 30)).all()
        kept = NoisyObservation(env, 0.0)
        observation = kept.observation(env.value)
        assert observation is not env.value
        np.testing.assert_array_equal(observation, env.value)


def test_whole_numbers_keep_bounds_that_float64_cannot_hold() -> None:
    most = 2**53 + 3  # float64 has 2^53 + 2 and 2^53 + 4
    seen = noisy(NoisyObservation(Seen(spaces.Box(0, most, (50,), np.int64), most), 100.0), 20)
    assert seen.max() == most


def test_without_deviation_an_observation_is_copied_exactly() -> None:
    env = Seen(spaces.Box(-(2**63), 2**63 - 1, (3,), np.int64), 0)
    env.value[:] = 2**63 - 1, -(2**63) + 1, 2**53 + 1
    wrapped = NoisyObservation(env, 0.0, relative=True)
    observation = wrapped.observation(env.value)
    assert observation.tolist() == env.value.tolist()
    assert not np.shares_memory(observation, env.value)


def test_noise_on_true_and_false_is_refused_with_what_to_do() -> None:
    env = Seen(spaces.Box(0, 1, (3,), np.bool_), True)
    said = r"needs numbers; .*Seen.* has Box\(.*bool\), of true and false; .* as with .*DtypeObservation\(env, "
    with pytest.raises(ValueError, match=said):
        NoisyObservation(env)
    seen = noisy(NoisyObservation(DtypeObservation(env, np.float32), 0.1), 20)
    assert np.unique(seen).size == seen.size


def test_the_seed_decides_the_noise_and_leaves_the_environment_what_it_was() -> None:
    def play(env: Any, seed: int) -> tuple[list[Any], list[Any]]:
        seen, states = [env.reset(seed=seed)[0].tolist()], []
        for step in range(60):
            observation, _, terminated, _, _ = env.step(step % 2)
            seen.append(observation.tolist())
            states.append(list(env.unwrapped.state))
            if terminated:
                seen.append(env.reset()[0].tolist())
        return seen, states

    once, twice = (NoisyObservation(gymnasium.make("CartPole-v1")) for _ in range(2))
    assert play(once, 1) == play(twice, 1) == play(once, 1)
    assert play(once, 1)[0] != play(once, 2)[0]
    assert play(once, 1)[1] == play(gymnasium.make("CartPole-v1"), 1)[1]
    assert play(once, 1)[0] != play(gymnasium.make("CartPole-v1"), 1)[0]
    still = Seen(spaces.Box(-1, 1, (1,)), 0.0)
    seen = noisy(NoisyObservation(NoisyObservation(still, 1.0), 1.0))
    assert seen.std() == pytest.approx(math.sqrt(2), rel=0.05)  # 2 if both were the same
    env = NoisyObservation(still)
    assert env.reset(seed=5)[0] != env.reset()[0]


@pytest.mark.parametrize(
    ("env", "arguments", "said"),
    [
        ("Taxi-v4", {}, "NoisyObservation needs a Box observation"),
        ("CartPole-v1", {"std": -0.1}, "std: got -0.1; allowed: a number from 0 to 1e\\+06"),
        ("CartPole-v1", {"std": [0.1]}, r"std: got \[0.1\]; allowed: a number"),
        ("CartPole-v1", {"relative": 0.5}, "relative: got 0.5; allowed: true or false"),
    ],
)
def test_noise_that_cannot_be_is_refused(env: str, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(EnvError, match=said):
        make_env(env, wrappers=[{"synaptick.envs:NoisyObservation": arguments}])


# ---- late rewards

REWARDS = [0.5, -1.0, 2.0, 0.0, 4.0, 0.25, -8.0]


def paid(env: Any) -> list[float]:
    env.reset()
    rewards, over = [], False
    while not over:
        _, reward, terminated, truncated, _ = env.step(0)
        assert type(reward) is float
        rewards.append(reward)
        over = terminated or truncated
    return rewards


@pytest.mark.parametrize("truncated", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 3, 6, 7, 100])
def test_every_reward_is_paid_late_and_the_rest_at_the_end(steps: int, truncated: bool) -> None:
    env = DelayedReward(Scripted(REWARDS, truncated), steps)
    late = ([0.0] * steps + REWARDS)[: len(REWARDS)]
    late[-1] = sum(REWARDS) - sum(late[:-1])  # exact: these are sums of powers of 2
    for _ in range(2):
        assert paid(env) == late
    assert sum(late) == sum(REWARDS)


def test_the_sum_is_preserved_when_a_time_limit_ends_the_episode() -> None:
    env = DelayedReward(TimeLimit(Scripted(REWARDS), 5), 2)
    assert paid(env) == [0.0, 0.0, 0.5, -1.0, 2.0 + 0.0 + 4.0]


def test_an_episode_that_was_left_owes_nothing_to_the_next() -> None:
    env = DelayedReward(Scripted(REWARDS), 3)
    env.reset()
    for _ in range(4):
        env.step(0)
    assert paid(env) == [0.0, 0.0, 0.0, 0.5, -1.0, 2.0, 0.0 + 4.0 + 0.25 - 8.0]


def test_nothing_but_the_reward_changes() -> None:
    plain, late = gymnasium.make("CartPole-v1"), DelayedReward(gymnasium.make("CartPole-v1"), 4)
    np.testing.assert_array_equal(plain.reset(seed=6)[0], late.reset(seed=6)[0])
    total = owed = 0.0
    over = False
    while not over:
        one, reward, *rest = plain.step(0)
        other, come, *others = late.step(0)
        np.testing.assert_array_equal(one, other)
        assert rest == others
        total, owed, over = total + reward, owed + come, rest[0]
    assert total == owed > 5
    whole = DelayedReward(FlattenObservation(MemoryChain(3)), 2)
    assert sum(paid(whole)) in (-1.0, 1.0)


@pytest.mark.parametrize("steps", [-1, 2.5, None, True])
def test_delays_that_cannot_be_are_refused(steps: Any) -> None:
    with pytest.raises(EnvError, match=f"steps: got {steps}; allowed: a whole number from 0 to 1000000"):
        make_env("CartPole-v1", wrappers=[{"synaptick.envs:DelayedReward": {"steps": steps}}])
