"""The Gymnasium loop and its counts."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

from gymnasium.vector import VectorEnv

from ..agent import Agent
from ..errors import EnvError, InputError, one_line
from ..metrics.episodes import Tally
from ..metrics.hooks import StopRun
from ..spaces import as_reward
from .console import warn
from .hooks import Hooks
from .metrics_log import MetricsLog

CONTRACT = (
    "gymnasium.utils.env_checker.check_env says what else is amiss; an environment of the old Gym API needs the "
    "package shimmy, or a wrapper"
)
ONE_STREAM = "one agent is one stream: make each with gymnasium.make and give it an agent of its own"


def _reset(env: Any, seed: int | None = None) -> Any:
    """Begin an episode of the environment and return its first observation."""
    result = env.reset() if seed is None else env.reset(seed=seed)
    if type(result) is not tuple or len(result) != 2 or not isinstance(result[1], Mapping):
        raise InputError(f"reset() returned {one_line(result)}, not (observation, info) with a mapping; {CONTRACT}")
    if "action_mask" in result[1]:
        _say_that_masks_are_ignored()
    return result[0]


@functools.cache
def _say_that_masks_are_ignored() -> None:
    """Say it once in a process."""
    warn("the environment gives an action_mask, which is ignored: what is forbidden has to be learned from rewards")


def _step(env: Any, action: Any) -> tuple[Any, Any, bool, bool]:
    """Take a step and return observation, reward, terminated and truncated."""
    result = env.step(action)
    if type(result) is not tuple or len(result) != 5:
        raise InputError(
            f"step() returned {_counted(result)}, not (observation, reward, terminated, truncated, info); {CONTRACT}"
        )
    observation, reward, terminated, truncated, _ = result
    try:
        ended, cut = bool(terminated), bool(truncated)
    except Exception:  # of an array of several, or of anything
        flags = f"{one_line(terminated)} and {one_line(truncated)}"
        raise InputError(f"step() returned terminated and truncated as {flags}, not as True or False") from None
    if cut and not ended and observation is None:
        raise InputError("step() returned truncated and no observation, whose value stands for what would have come")
    return observation, reward, ended, cut


def _counted(result: Any) -> str:
    return f"a tuple of {len(result)}" if isinstance(result, tuple) else one_line(result)


def _begin(agent: Agent, env: Any, seed: int | None, learn: bool, tally: Tally) -> Any:
    """Begin the first episode and return its first action."""
    if isinstance(env, VectorEnv):
        raise EnvError(f"{env} runs {env.num_envs} environments; {ONE_STREAM}")
    tally.open()
    return agent.start(_reset(env, seed), learn)


def run(
    agent: Agent,
    env: Any,
    steps: int,
    *,
    seed: int | None = None,
    resume: bool = False,
    learn: bool = True,
    tally: Tally | None = None,
    hooks: Iterable[Any] | Hooks = (),
    log_every: int = 0,
    seconds: float = 0.0,
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
    hooks : iterable of Hook, or Hooks
        Called as `metrics.hooks.Hook` says. One that raises `StopRun` ends the run.
    log_every : int, optional
        Steps from one row of metrics to the next, if a hook takes them; 0: none.
    seconds : float, optional
        What the rows' clock shows at the beginning.

    Returns
    -------
    Tally

    Raises
    ------
    EnvError
        If `env` is a vector environment.
    InputError
        If what it returns is not what Gymnasium's environments return, or does not fit its spaces.
    HookError
        If a hook raises.
    """
    tally, hooked = tally or Tally(), hooks if isinstance(hooks, Hooks) else Hooks(hooks)
    hooked.stopped = ""
    called = hooked.led_by(MetricsLog(log_every, hooked.on_log, seconds)) if log_every and hooked.on_log else hooked
    try:
        called.start(agent, tally)
        action = agent.last_action if resume else _begin(agent, env, seed, learn, tally)
        _live(agent, env, steps, learn, tally, action, called)
    except StopRun as stop:
        hooked.stopped = str(stop)
    finally:
        called.stop(tally)
    return tally


def _live(agent: Agent, env: Any, steps: int, learn: bool, tally: Tally, action: Any, hooks: Hooks) -> None:
    on_step, on_episode = hooks.on_step, hooks.on_episode
    for _ in range(steps):
        observation, reward, terminated, truncated = _step(env, action)
        if terminated or truncated:
            agent.end(reward, None if terminated else observation, learn)
            tally.add(as_reward(reward))
            tally.close()
            for call in on_episode:
                call(tally)
            action = agent.start(_reset(env), learn)
        else:
            action = agent.step(reward, observation, learn)
            tally.add(as_reward(reward))
        for call in on_step:
            call(tally)
