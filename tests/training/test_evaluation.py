"""Acting without learning for a number of episodes, in Python."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from synaptick import Agent, Config, ConfigError, evaluate, run

from ..support.common import state


def make() -> tuple[Agent, gym.Env]:
    env = gym.make("CartPole-v1")
    return Agent(Config(layers=(8,), memory=4), env.observation_space, env.action_space, seed=1), env


def test_returns_are_those_of_whole_episodes_and_the_agent_is_left_as_it_was() -> None:
    agent, env = make()
    run(agent, env, 507, seed=1)
    assert agent.running
    before = state(agent)
    returns = evaluate(agent, env, episodes=4, seed=5)
    assert returns.shape == (4,)
    assert (returns >= 5).all()
    assert state(agent) == before
    assert (evaluate(agent, env, episodes=4, seed=5) == returns).all()


def test_the_most_probable_action_is_that_of_a_loop_of_ones_own() -> None:
    agent, env = make()
    run(agent, env, 507, seed=1)
    found = evaluate(agent, env, episodes=2, deterministic=True, seed=5)
    agent.end(0.0, learn=False)
    own = []
    for seed in (5, None):
        observation, over, total = env.reset(seed=seed)[0], False, 0.0
        while not over:
            observation, reward, terminated, truncated, _ = env.step(agent.act(observation, deterministic=True))
            over, total = terminated or truncated, total + float(reward)
        agent.end(float(reward), learn=False)
        own.append(total)
    assert found.tolist() == own
    assert found.tolist() != evaluate(agent, env, episodes=2, seed=5).tolist()


def test_at_least_one_episode() -> None:
    agent, env = make()
    with pytest.raises(ConfigError, match="allowed: 1 or more"):
        evaluate(agent, env, episodes=0)


def test_an_error_of_the_environment_leaves_the_agent_as_it_was() -> None:
    agent, env = make()
    run(agent, env, 50, seed=1)
    before = state(agent)
    env.unwrapped.step = lambda action: (np.zeros(3), 0.0, False, False, {})  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="observation"):
        evaluate(agent, env, episodes=1)
    assert state(agent) == before
