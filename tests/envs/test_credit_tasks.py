"""Tasks in which credit has to reach back in time and down through the layers: their logic and their bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from synaptick import Agent, Config, EnvError, make_env
from synaptick.envs import DelayedXor, DistractedCue, best_accuracy

TASKS = [DelayedXor, DistractedCue]
IDS = ["synaptick/DelayedXor-v0", "synaptick/DistractedCue-v0"]
Policy = Callable[[list[np.ndarray]], int]


def episode(env: Any, policy: Policy) -> tuple[list[np.ndarray], list[float]]:
    """Return the observations, the one after the end too, and the rewards of an episode."""
    observation, info = env.reset()
    seen, rewards, terminated = [observation], [], False
    while not terminated:
        assert info == {}
        observation, reward, terminated, truncated, info = env.step(policy(seen))
        assert observation in env.observation_space
        assert not truncated
        seen.append(observation)
        rewards.append(reward)
    return seen, rewards


def mean_return(env: Any, policy: Policy, episodes: int) -> float:
    return float(np.mean([sum(episode(env, policy)[1]) for _ in range(episodes)]))


def xor_of_cues(seen: list[np.ndarray]) -> int:
    """The right action for two cues of equal length."""
    return int(sum(observation[0] for observation in seen) == 0)


def sign_of_cue(seen: list[np.ndarray]) -> int:
    return int(seen[0][0] > 0)


# ---- both


@pytest.mark.parametrize("env_id", IDS)
def test_the_strict_checker_finds_nothing(env_id: str) -> None:
    check_env(make_env(env_id).unwrapped, skip_render_check=True)


@pytest.mark.parametrize("task", TASKS)
def test_the_seed_decides_the_episodes(task: Any) -> None:
    def rows(seed: int) -> list[list[float]]:
        env = task()
        env.reset(seed=seed)
        return [row.tolist() for _ in range(5) for row in episode(env, lambda _: 0)[0]]

    assert rows(3) == rows(3) != rows(4)


@pytest.mark.parametrize(("task", "oracle"), [(DelayedXor, xor_of_cues), (DistractedCue, sign_of_cue)])
def test_an_oracle_is_always_right_and_its_opposite_always_wrong(task: Any, oracle: Policy) -> None:
    env = task()
    env.reset(seed=0)
    assert mean_return(env, oracle, 200) == 1.0
    assert mean_return(env, lambda seen: 1 - oracle(seen), 200) == -1.0


@pytest.mark.parametrize("task", TASKS)
def test_what_does_not_remember_gains_nothing(task: Any) -> None:
    env, rng = task(), np.random.default_rng(0)
    env.reset(seed=1)
    policies: list[Policy] = [lambda _: 1, lambda _: int(rng.integers(2)), lambda seen: int(seen[-1].sum() > 1)]
    for policy in policies:
        assert abs(mean_return(env, policy, 2000)) < 0.1  # 4.5 standard errors


@pytest.mark.parametrize(("task", "oracle"), [(DelayedXor, xor_of_cues), (DistractedCue, sign_of_cue)])
def test_only_the_action_at_the_go_signal_is_judged(task: Any, oracle: Policy) -> None:
    env, rng = task(), np.random.default_rng(0)
    go = 1 if task is DelayedXor else -1
    env.reset(seed=2)
    for _ in range(50):
        seen, rewards = episode(env, lambda seen: oracle(seen) if seen[-1][go] else int(rng.integers(2)))
        assert rewards == [0.0] * (len(rewards) - 1) + [1.0]
        assert [row[go] for row in seen] == [0.0] * (len(seen) - 2) + [1.0, 0.0]


@pytest.mark.parametrize("task", TASKS)
def test_misuse_is_refused(task: Any) -> None:
    env = task()
    with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
        env.step(0)
    episode(env, lambda _: 0)
    with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
        env.step(0)
    env.reset()
    with pytest.raises(ValueError, match="action: got 2; allowed: 0 or 1"):
        env.step(2)


@pytest.mark.parametrize(
    ("env_id", "kwargs", "said"),
    [
        (IDS[0], {"cue_length": 0}, "cue_length: got 0; allowed: a whole number from 1 to 10000"),
        (IDS[0], {"gap": 0}, "gap: got 0; allowed: a whole number from 1"),
        (IDS[0], {"delay": 2.5}, "delay: got 2.5; allowed: a whole number from 0"),
        (IDS[0], {"jitter": True}, "jitter: got True; allowed: a whole number"),
        (IDS[0], {"noise_channels": "4"}, "noise_channels: got '4'; allowed: a whole number"),
        (IDS[0], {"noise": -1.0}, "noise: got -1.0; allowed: a number from 0 to 1000"),
        (IDS[0], {"noise": math.nan}, "noise: got nan; allowed: a number"),
        (IDS[1], {"distractors": 0}, "distractors: got 0; allowed: a whole number from 1 to 100000"),
        (IDS[1], {"delay": -1}, "delay: got -1; allowed: a whole number from 0"),
        (IDS[1], {"cue_size": 0}, "cue_size: got 0; allowed: a number from 0.001 to 1000"),
        (IDS[1], {"cue_size": None}, "cue_size: got None; allowed: a number"),
        (IDS[1], {"distractors": 5, "channel": 6}, "channel: got 6; allowed: a whole number from 0 to 5"),
    ],
)
def test_bad_arguments_are_refused_with_what_is_allowed(env_id: str, kwargs: dict[str, Any], said: str) -> None:
    with pytest.raises(EnvError, match=said):
        make_env(env_id, kwargs)


# ---- DelayedXor


def test_one_cue_is_not_enough_nor_is_a_threshold_of_both() -> None:
    env = DelayedXor()
    env.reset(seed=3)

    def sign_of_second(seen: list[np.ndarray]) -> int:
        return int([row[0] for row in seen if row[0]][-1] > 0)

    def not_both_positive(seen: list[np.ndarray]) -> int:
        return int(sum(row[0] for row in seen) < 1)

    for policy, expected in ((sign_of_cue, 0.0), (sign_of_second, 0.0), (not_both_positive, 0.5)):
        assert mean_return(env, policy, 2000) == pytest.approx(expected, abs=0.1)  # 4.5 standard errors


def test_cues_pauses_and_jitter_are_as_long_as_they_are_said_to_be() -> None:
    env = DelayedXor(cue_length=3, gap=2, delay=4, jitter=2, noise_channels=2, noise=0.5)
    env.reset(seed=4)
    gaps, delays, noise = [], [], []
    for _ in range(300):
        frames = np.array(episode(env, lambda _: 0)[0])
        shown = np.flatnonzero(frames[:, 0])
        begin, go = shown[3], int(np.flatnonzero(frames[:, 1])[0])
        assert shown.tolist() == [0, 1, 2, begin, begin + 1, begin + 2]
        assert len(set(frames[:3, 0])) == len(set(frames[begin : begin + 3, 0])) == 1
        assert go == len(frames) - 2
        gaps.append(int(begin) - 3)
        delays.append(go - int(begin) - 3)
        noise.append(frames[:, 2:])
    assert (set(gaps), set(delays)) == ({2, 3, 4}, {4, 5, 6})
    every = np.concatenate(noise)
    assert abs(every.mean()) < 0.03
    np.testing.assert_allclose(np.cov(every.T), 0.25 * np.eye(2), atol=0.02)
    assert DelayedXor(noise_channels=0).reset(seed=0)[0].shape == (2,)


# ---- DistractedCue


def test_the_cue_is_one_tick_of_one_channel() -> None:
    env = DistractedCue(distractors=6, delay=3, cue_size=0.7, channel=4)
    env.reset(seed=5)
    episodes = np.array([episode(env, lambda _: 0)[0] for _ in range(2000)])
    assert episodes.shape == (2000, 6, 8)
    np.testing.assert_array_equal(episodes[:, 1:, 4], 0.0)
    np.testing.assert_array_equal(np.unique(episodes[:, 0, 4]), np.array([-0.7, 0.7], np.float32))
    np.testing.assert_allclose(episodes[:, 0, 4].mean(), 0.0, atol=0.07)
    noise = np.delete(episodes[:, :, :7], 4, axis=2)
    np.testing.assert_allclose(np.cov(noise.reshape(2000, -1).T), np.eye(36), atol=0.15)


def with_go(weights: Any) -> np.ndarray:
    """Append the column of the go signal, which must not matter."""
    rows = np.array(weights, dtype=float)
    return np.column_stack((rows, np.full(len(rows), 7.0)))


@pytest.mark.parametrize(
    ("weights", "d"),
    [
        ([[0.5, 1.0]], 0.5),  # one neuron, one distractor: signal over noise
        ([[1.0, 3.0, 4.0]], 0.2),
        ([[1.0, 2.0, 0.0], [1.0, 0.0, 2.0]], math.sqrt(0.5)),  # independent neurons: squares add
        ([[1.0, 2.0, 0.0], [1e-9, 0.0, 2e-9]], math.sqrt(0.5)),  # a neuron's scale does not matter
        ([[1.0, 2.0, 0.0], [3.0, 6.0, 0.0]], 0.5),  # nor does seeing the same twice
        ([[0.0, 1.0, 2.0], [0.0, 0.0, 0.0]], 0.0),  # nobody sees the cue
        ([[0.0, 0.0, 0.0]], 0.0),  # a dead layer
        ([[1.0, 2.0], [0.0, 1.0]], math.inf),  # the noise can be taken away
        ([[1.0, 0.0], [1.0, 5.0]], math.inf),  # one neuron sees no noise
    ],
)
def test_the_bound_has_its_closed_form(weights: Any, d: float) -> None:
    phi = 0.5 + 0.5 * math.erf(d / math.sqrt(2))
    assert best_accuracy(with_go(weights)) == pytest.approx(phi, abs=1e-12)
    moved = with_go(weights)[:, [1, 0, *range(2, len(weights[0]) + 1)]]
    assert best_accuracy(moved, channel=1) == pytest.approx(phi, abs=1e-12)
    if math.isfinite(d):
        assert best_accuracy(with_go(weights), cue_size=2) == pytest.approx(0.5 + 0.5 * math.erf(d * math.sqrt(2)))


def test_random_weights_keep_the_share_of_the_cue_that_the_docstring_says() -> None:
    rng, n, distractors = np.random.default_rng(6), 8, 60
    squares = []
    for _ in range(2000):
        w = rng.normal(size=(n, distractors + 2))
        noisy = w[:, 1:-1]
        squares.append(w[:, 0] @ np.linalg.solve(noisy @ noisy.T, w[:, 0]))
        expected = 0.5 + 0.5 * math.erf(math.sqrt(squares[-1] / 2))
        assert best_accuracy(w) == pytest.approx(expected, abs=1e-12)
    assert np.mean(squares) == pytest.approx(n / (distractors - n - 1), rel=0.05)


@pytest.mark.parametrize(
    ("weights", "channel", "said"),
    [
        (np.zeros(4), 0, r"weights: got an array of shape \(4,\); allowed: .*\(neurons, distractors \+ 2\)"),
        (np.zeros((2, 2)), 0, r"weights: got an array of shape \(2, 2\)"),
        (np.full((2, 4), np.nan), 0, "allowed: finite numbers"),
        (np.ones((2, 4)), 3, "channel: got 3; allowed: a whole number from 0 to 2"),
    ],
)
def test_the_bound_refuses_what_is_no_layer(weights: Any, channel: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        best_accuracy(weights, channel)


def decoded(features: np.ndarray, cue: np.ndarray) -> float:
    """Accuracy on the second half of a linear decoder fitted to the first."""
    half = len(cue) // 2
    design = np.column_stack((features, np.ones(len(cue))))
    fitted = np.linalg.lstsq(design[:half], cue[:half], rcond=None)[0]
    return float(((design[half:] @ fitted > 0) == (cue[half:] > 0)).mean())


def test_currents_of_the_initial_layer_reach_the_bound_and_its_spikes_stay_below() -> None:
    env = DistractedCue(distractors=40, delay=1)
    config = Config(
        layers=[8], memory=0, normalize_observations=False, recurrent_scale=1.0, lr_policy=0.0, lr_value=0.0
    )
    agent = Agent(config, env.observation_space, env.action_space, seed=3)
    weights = agent.arena.views["actor/0/w"][:, :42].copy()
    bound = best_accuracy(weights)
    assert 0.6 < bound < 0.9
    assert (weights[:, 0] == 0).any()  # sparse: not every neuron sees the cue
    spikes, currents, cues = [], [], []
    env.reset(seed=7)
    for _ in range(6000):
        observation, _ = env.reset()
        first, ticks, action = observation, [], agent.start(observation)
        while True:
            ticks.append(agent.arena.views["actor/0/z"].copy())
            observation, reward, terminated, _, _ = env.step(np.int64(action))
            if terminated:
                break
            action = agent.step(reward, observation)
        agent.end(reward)
        spikes.append(np.concatenate(ticks))
        currents.append(weights @ first)
        cues.append(first[0])
    np.testing.assert_array_equal(agent.arena.views["actor/0/w"][:, :42], weights)
    cue = np.array(cues)
    assert decoded(np.array(currents), cue) == pytest.approx(bound, abs=0.03)
    of_spikes = decoded(np.array(spikes), cue)
    assert 0.53 < of_spikes < bound + 0.02
