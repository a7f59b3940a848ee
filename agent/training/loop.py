"""The Gymnasium loop and its counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gymnasium.vector import VectorEnv

from ..agent import Agent
from ..errors import EnvError
from ..spaces import as_reward
from .episodes import Tally

ONE_STREAM = "one agent is one stream: make each with gymnasium.make and give it an agent of its own"


def _begin(agent: Agent, env: Any, seed: int | None, learn: bool, tally: Tally) -> Any:
    """Begin the first episode and return its first action."""
    if isinstance(env, VectorEnv):
        raise EnvError(f"{env} runs {env.num_envs} environments; {ONE_STREAM}")
    tally.open()
    observation, _ = env.reset(seed=seed)
    return agent.start(observation, learn)


def run(
    agent: Agent,
    env: Any,
    steps: int,
    *,
    seed: int | None = None,
    resume: bool = False,
    learn: bool = True,
    tally: Tally | None = None,
    on_step: Callable[[Tally], None] | None = None,
    on_episode: Callable[[Tally], None] | None = None,
) -> Tally:
    """Let the agent act, and learn, in a Gymnasium environment for a number of steps.

    Parameters
    ----------
    agent : Agent
    env : gymnasium.Env
    steps : int
        Steps to take. An episode that is running after the last one is left open.
    seed : int, optional
        Seed of the environment's first reset.
    resume : bool, optional
        True: go on in the middle of an episode, which both `agent` and `env` have to be in, without a reset.
    learn : bool, optional
        False: act only.
    tally : Tally, optional
        Counts to go on from.
    on_step, on_episode : callable, optional
        Called with the counts after each step, after each episode.

    Returns
    -------
    Tally

    Raises
    ------
    EnvError
        If `env` is a vector environment.
    """
    tally = tally or Tally()
    action = agent.last_action if resume else _begin(agent, env, seed, learn, tally)
    for _ in range(steps):
        observation, reward, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            agent.end(reward, None if terminated else observation, learn)
            tally.add(as_reward(reward))
            tally.close()
            if on_episode:
                on_episode(tally)
            observation, _ = env.reset()
            action = agent.start(observation, learn)
        else:
            action = agent.step(reward, observation, learn)
            tally.add(as_reward(reward))
        if on_step:
            on_step(tally)
    return tally
