"""What the agent of a run does without learning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..agent import Agent
from ..errors import ConfigError, Interrupted
from ..metrics.episodes import Tally
from .environment import environment_seed
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
    agent, config, state = load_saved(path)
    if env_id is not None and env_id != config.env:
        config, state = in_env(config, env_id), None
    acting: Any = MostProbable(agent) if deterministic else agent
    if seed is None:
        seed = environment_seed(config.seed, 2**63)  # a step that no run begins at
    returns = np.zeros(episodes)
    tally = Tally()

    def keep(tally: Tally) -> None:
        returns[tally.episodes - 1] = tally.last_return
        if tally.episodes == episodes:
            raise _Enough

    with StopRequest() as stop:

        def stop_if_asked(tally: Tally) -> None:
            stop.check(f"{tally.episodes} of {episodes} episodes were played")

        with GuardedEnv(config, stop) as env:
            check_spaces(agent, env, config.env)
            env.restore_statistics(state)
            with stop.elsewhere:
                agent.compile(agent.config)
            try:
                while True:
                    before = tally.episodes
                    run(
                        acting,
                        env,
                        LONGEST_EVALUATION,
                        seed=seed,
                        learn=False,
                        tally=tally,
                        hooks=[Functions(on_step=stop_if_asked, on_episode=keep)],
                    )
                    if tally.episodes == before:
                        raise TimeoutError(f"no episode ended within {LONGEST_EVALUATION} steps")
                    seed += 1
            except _Enough:
                pass
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
