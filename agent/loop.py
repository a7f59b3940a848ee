"""The Gymnasium loop and its counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv

from .agent import Agent
from .errors import EnvError

RECENT = 100
ONE_STREAM = "one agent is one stream: make each with gymnasium.make and give it an agent of its own"


class Tally:
    """Counts of a stream of episodes, in fixed memory.

    Attributes
    ----------
    steps, episodes : int
        Steps taken and episodes finished.
    last_return, last_length : float, int
        Sum of rewards and steps of the last finished episode.
    """

    def __init__(self, steps: int = 0, episodes: int = 0) -> None:
        self.steps = steps
        self.episodes = episodes
        self.last_return = 0.0
        self.last_length = 0
        self._recent = np.zeros(RECENT)
        self._filled = 0
        self._return = 0.0
        self._length = 0

    def open(self) -> None:
        """Begin an episode: one that was left open is forgotten, but for its steps."""
        self._return, self._length = 0.0, 0

    def add(self, reward: float) -> None:
        """Count one step."""
        self.steps += 1
        self._return += reward
        self._length += 1

    def close(self) -> None:
        """Count the end of an episode."""
        self.record(self._return, self._length)
        self.open()

    def record(self, episode_return: float, length: int) -> None:
        """Count a finished episode whose steps have been counted already."""
        self._recent[self._filled % RECENT] = episode_return
        self._filled += 1
        self.episodes += 1
        self.last_return, self.last_length = episode_return, length

    def to_dict(self) -> dict[str, Any]:
        """Return all counts, of the episode that is running too, as numbers and a list of them."""
        counts = {name.lstrip("_"): value for name, value in vars(self).items()}
        return {**counts, "recent": self._recent.tolist()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Tally:
        """Undo `to_dict`; raise `KeyError` if a count is missing."""
        tally = cls()
        vars(tally).update({name: values[name.lstrip("_")] for name in vars(tally)})
        tally._recent = np.array(values["recent"])
        return tally

    @property
    def mean_return(self) -> float | None:
        """Mean return of the last 100 finished episodes, or of as many as there are; None before the first."""
        count = min(self._filled, RECENT)
        return float(self._recent[:count].mean()) if count else None


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
            tally.add(float(reward))
            tally.close()
            if on_episode:
                on_episode(tally)
            observation, _ = env.reset()
            action = agent.start(observation, learn)
        else:
            action = agent.step(reward, observation, learn)
            tally.add(float(reward))
        if on_step:
            on_step(tally)
    return tally
