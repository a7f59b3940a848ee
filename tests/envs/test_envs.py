"""Registered environments: made by id, checked, seeded; and the wrapper that hides velocities."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from synaptick import EnvError, make_env
from synaptick.envs import PROBES, ChangeUnits, MaskVelocities, register
from synaptick.envs.wrappers.masking import VELOCITIES

IDS = [
    "synaptick/CartPolePositions-v0",
    "synaptick/CartPoleVelocities-v0",
    "synaptick/PendulumPositions-v0",
    "synaptick/AnnouncedCue-v0",
    "synaptick/Copy-v0",
    "synaptick/DelayedMatch-v0",
    "synaptick/DelayedXor-v0",
    "synaptick/DistractedCue-v0",
    "synaptick/EvidenceAccumulation-v0",
    "synaptick/FirstCue-v0",
    "synaptick/Forager-v0",
    "synaptick/MemoryChain-v0",
    "synaptick/TMaze-v0",
    "synaptick/Toggle-v0",
    "synaptick/TraceConditioning-v0",
    *(f"synaptick/{probe.__name__}-v0" for probe in PROBES),
]


def rollout(env: Any, steps: int, seed: int) -> list[Any]:
    """Return everything a fixed random policy meets."""
    observation, _ = env.reset(seed=seed)
    env.action_space.seed(0)
    met: list[Any] = [observation.tolist()]
    for _ in range(steps):
        observation, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        met.append((observation.tolist(), float(reward), terminated, truncated))
        if terminated or truncated:
            met.append(env.reset()[0].tolist())
    return met


@pytest.mark.parametrize("env_id", IDS)
def test_an_id_is_enough(env_id: str) -> None:
    ours, theirs = make_env(env_id), gymnasium.make(f"synaptick.envs:{env_id}")
    assert ours.spec.id == theirs.spec.id == env_id
    assert rollout(ours, 60, 3) == rollout(theirs, 60, 3)


# Said of CartPole and Pendulum themselves too: velocities have no bounds, and torques go beyond 1.
SAID = {
    "synaptick/CartPoleVelocities-v0": "ignore:.*A Box observation space m.*imum value is",
    "synaptick/PendulumPositions-v0": "ignore:.*we recommend using a symmetric and normalized space",
}


@pytest.mark.filterwarnings("ignore:.*different from the unwrapped version")
@pytest.mark.parametrize(
    "env_id",
    [
        pytest.param(env_id, marks=pytest.mark.filterwarnings(SAID[env_id])) if env_id in SAID else env_id
        for env_id in IDS
    ],
)
def test_it_passes_the_strict_checker(env_id: str) -> None:
    """The wrapper that makes the environment is checked too, not what is inside it."""
    check_env(make_env(env_id), skip_render_check=True)


@pytest.mark.parametrize("env_id", [env_id for env_id in IDS if "Constant" not in env_id])
def test_the_seed_decides_everything(env_id: str) -> None:
    env = make_env(env_id)
    first = rollout(env, 60, 1)
    assert rollout(env, 60, 1) == first == rollout(make_env(env_id), 60, 1)
    if not any(name in env_id for name in ("DelayedReward", "Endless", "Bound", "Trace")):
        assert any(rollout(env, 60, seed) != first for seed in range(2, 6))


def test_registering_twice_is_harmless() -> None:
    before = dict(gymnasium.registry)
    register()
    assert dict(gymnasium.registry) == before
    assert [env_id for env_id in gymnasium.registry if env_id.startswith("synaptick/")] == IDS


def test_positions_are_those_of_cartpole_without_velocities() -> None:
    masked, full = make_env("synaptick/CartPolePositions-v0"), gymnasium.make("CartPole-v1")
    assert masked.observation_space == spaces.Box(
        full.observation_space.low[[0, 2]], full.observation_space.high[[0, 2]]
    )
    ours, theirs = rollout(masked, 100, 5), rollout(full, 100, 5)
    for (mine, *rest), (whole, *others) in zip(ours, theirs, strict=True):
        if isinstance(mine, list):
            assert mine == [whole[0], whole[2]]
            assert rest == others
        else:
            assert [mine, *rest] == [whole, others[1]]  # after a reset: a bare observation


def test_episodes_of_positions_are_cut_off_after_500_steps_like_those_of_cartpole() -> None:
    env = make_env("synaptick/CartPolePositions-v0")
    assert env.spec.max_episode_steps == gymnasium.spec("CartPole-v1").max_episode_steps == 500
    observation, _ = env.reset(seed=0)
    cart = env.unwrapped
    for step in range(1, 501):
        cart.state = np.zeros(4, np.float32)  # held upright
        observation, _, terminated, truncated, _ = env.step(step % 2)
        assert not terminated
        assert truncated == (step == 500)
    assert observation.shape == (2,)


def test_keyword_arguments_reach_cartpole() -> None:
    assert make_env("synaptick/CartPolePositions-v0", {"sutton_barto_reward": True}).unwrapped._sutton_barto_reward
    with pytest.raises(EnvError, match=r"cannot be made with env_kwargs {'no_such': 1}"):
        make_env("synaptick/CartPolePositions-v0", {"no_such": 1})


# ---- the wrapper


@pytest.mark.parametrize(
    "env_id", ["CartPole-v1", "Pendulum-v1", "Acrobot-v1", "MountainCar-v0", "MountainCarContinuous-v0"]
)
def test_known_velocities_are_left_out(env_id: str) -> None:
    env = gymnasium.make(env_id)
    masked = MaskVelocities(env)
    size = env.observation_space.shape[0]
    kept = [index for index in range(size) if index not in VELOCITIES[env_id.split("-")[0]]]
    assert masked.kept.tolist() == kept
    assert masked.observation_space.shape == (len(kept),)
    observation, _ = env.reset(seed=1)
    np.testing.assert_array_equal(masked.reset(seed=1)[0], observation[kept])
    assert masked.reset(seed=1)[0] in masked.observation_space


def test_indices_may_be_given() -> None:
    masked = MaskVelocities(gymnasium.make("CartPole-v1"), [0, 1, 1])
    assert masked.kept.tolist() == [2, 3]


class Plain(gymnasium.Env[Any, Any]):
    """An environment nobody knows, with any observation space."""

    action_space = spaces.Discrete(2)

    def __init__(self, space: Any):
        self.observation_space = space


@pytest.mark.parametrize(
    ("space", "velocities", "said"),
    [
        (spaces.Discrete(3), None, "needs a one-dimensional Box observation"),
        (spaces.Box(-1, 1, (2, 2)), [0], "needs a one-dimensional Box observation"),
        (spaces.Box(-1, 1, (2,)), None, "are not known; give velocities=.*CartPole, Pendulum"),
        (spaces.Box(-1, 1, (2,)), [2], r"velocities \[2\] do not exist; the observation has indices 0 to 1"),
        (spaces.Box(-1, 1, (2,)), [-1], r"velocities \[-1\] do not exist"),
        (spaces.Box(-1, 1, (2,)), [0, 1], "no part of the observation is left"),
    ],
)
def test_what_cannot_be_masked_is_refused(space: Any, velocities: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        MaskVelocities(Plain(space), velocities)


@pytest.mark.filterwarnings("ignore:.*different from the unwrapped version")
def test_other_units_change_nothing_else() -> None:
    plain, changed = make_env("Acrobot-v1"), ChangeUnits(make_env("Acrobot-v1"), observation=1e4, reward=1e-3)
    check_env(changed, skip_render_check=True)
    for ours, theirs in zip(rollout(plain, 40, 5), rollout(changed, 40, 5), strict=True):
        (seen, *rest), (converted, *others) = (m if isinstance(m, tuple) else (m,) for m in (ours, theirs))
        np.testing.assert_allclose(converted, np.multiply(seen, 1e4))
        if rest:
            assert (rest[0] * 1e-3, *rest[1:]) == tuple(others)


@pytest.mark.parametrize(("env_id", "factors"), [("CartPole-v1", {"reward": 0.0}), ("Taxi-v4", {})])
def test_units_that_cannot_be_are_refused(env_id: str, factors: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"allowed|needs a Box"):
        ChangeUnits(make_env(env_id), **factors)
