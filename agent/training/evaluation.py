"""What an agent does without learning."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..agent import Agent
from ..errors import ConfigError, Interrupted
from ..metrics.episodes import Tally
from .environment import held_out_seed
from .guarded_env import GuardedEnv, cause_of, env_failure
from .hooks import Functions
from .interrupts import StopRequest
from .loop import run
from .saved import check_spaces, in_env, load_saved

# An environment whose episodes never end cannot be evaluated by episodes.
LONGEST_EVALUATION = 10**6


class _Enough(Exception):
    pass


class MostProbable:
    """An agent as `run` calls it, without learning, that takes the most probable action and not a sample."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.end = agent.end

    def start(self, observation: Any, learn: bool = False) -> Any:
        """Begin an episode and return the first action."""
        self._agent.start(observation, learn)
        return self._agent.choose_likeliest()

    def step(self, reward: float, observation: Any, learn: bool = False) -> Any:
        """Return the next action."""
        self._agent.step(reward, observation, learn)
        return self._agent.choose_likeliest()


def evaluate(
    agent: Agent,
    env: Any,
    episodes: int = 100,
    *,
    deterministic: bool = False,
    seed: int | None = None,
    tally: Tally | None = None,
    hooks: Iterable[Any] = (),
) -> NDArray[np.float64]:
    """Let an agent act without learning, and return what each of some episodes returned; the agent is left as it was.

    Parameters
    ----------
    agent : Agent
        Begins an episode of its own, also if one was running.
    env : gymnasium.Env
    episodes : int, optional
        At least 1.
    deterministic : bool, optional
        True: the most probable action each time. False: a sample, as in training.
    seed : int, optional
        Seed of the first reset of the environment.
    tally : Tally, optional
        Counts steps and episodes.
    hooks : iterable, optional
        As for `run`.

    Returns
    -------
    (episodes,) float64 array

    Raises
    ------
    ConfigError
        If `episodes` is below 1.
    TimeoutError
        If no episode ends within `LONGEST_EVALUATION` steps.
    EnvError, InputError
        As for `run`.

    Examples
    --------
    >>> import gymnasium as gym
    >>> from synaptick import Agent, Config, evaluate
    >>> env = gym.make("CartPole-v1")
    >>> agent = Agent(Config(), env.observation_space, env.action_space, seed=0)
    >>> returns = evaluate(agent, env, episodes=3, deterministic=True, seed=1)
    >>> returns.shape, agent.ticks
    ((3,), 0)
    """
    if episodes < 1:
        raise ConfigError(f"episodes {episodes}: allowed: 1 or more")
    acting: Any = MostProbable(agent) if deterministic else agent
    counted = Tally() if tally is None else tally
    returns = np.zeros(episodes)

    def keep(tally: Tally) -> None:
        returns[tally.episodes - 1] = tally.last_return
        if tally.episodes == episodes:
            raise _Enough

    found = [*hooks, Functions(on_episode=keep)]
    before = agent.snapshot()
    try:
        while True:
            ended = counted.episodes
            run(acting, env, LONGEST_EVALUATION, seed=seed, learn=False, tally=counted, hooks=found)
            if counted.episodes == ended:
                raise TimeoutError(f"no episode ended within {LONGEST_EVALUATION} steps")
            seed = None if seed is None else seed + 1
    except _Enough:
        return returns
    finally:
        agent.restore(before)


def evaluate_saved(
    path: Path, episodes: int = 100, seed: int | None = None, deterministic: bool = False, env_id: str | None = None
) -> dict[str, Any]:
    """Let a saved agent act without learning for a number of episodes; what is on disk is not changed.

    Actions are sampled from the policy, as in training, unless `deterministic`.

    Parameters
    ----------
    path : Path
        Folder of a run, or of snapshots, or a file of an agent.
    episodes : int
        Episodes to play, at least 1.
    seed : int, optional
        Seed of the environment, at least 0; by default one that training did not use.
    deterministic : bool, optional
        True: take the most probable action each time.
    env_id : str, optional
        The environment, by default that of the run, or else of the agent's configuration.

    Raises
    ------
    StateError
        If there is no usable agent.
    ConfigError
        If `episodes` or `seed` is out of range.
    EnvError, RunError
        If the environment cannot be made, has other spaces, raises, or does not end an episode within
        `LONGEST_EVALUATION` steps.
    Interrupted
        After Ctrl-C, SIGTERM or SIGHUP.
    """
    if episodes < 1:
        raise ConfigError(f"--episodes {episodes}: allowed: 1 or more")
    if seed is not None and seed < 0:
        raise ConfigError(f"--seed {seed}: allowed: 0 or more")
    agent, config, state, _ = load_saved(path)
    if env_id is not None and env_id != config.env:
        config, state = in_env(config, env_id), None
    if seed is None:
        seed = held_out_seed(config.seed)
    tally = Tally()
    with StopRequest() as stop:

        def stop_if_asked(tally: Tally) -> None:
            stop.check(f"{tally.episodes} of {episodes} episodes were played")

        with GuardedEnv(config, stop) as env:
            check_spaces(agent, env, config.env)
            env.restore_statistics(state)
            with stop.elsewhere:
                agent.compile(agent.config)
            try:
                hooks = [Functions(on_step=stop_if_asked)]
                returns = evaluate(
                    agent, env, episodes, deterministic=deterministic, seed=seed, tally=tally, hooks=hooks
                )
            except Interrupted:
                raise
            except BaseException as error:
                raise env_failure(error, config.env, f"step {tally.steps + 1} of the evaluation") from cause_of(error)
    return {
        "env": config.env,
        "episodes": episodes,
        "mean_return": float(returns.mean()),
        "std_return": float(returns.std()),
    }
