"""What an agent sees and does in its environment, recorded."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...agent import Agent
from ...errors import ConfigError, EnvError, RunError, described
from ...training.environment import make_env_of
from ...training.saved import check_spaces

NET = "actor"
FEWEST_STEPS = 10


class Stream(NamedTuple):
    """What an agent saw and did in T steps without learning.

    Attributes
    ----------
    begins : (T,) bool array
        Whether an episode begins, with all neurons cleared.
    seen : (T, n_input) float32 array
        Observations as the network sees them.
    spikes : (T, neurons) bool array
        Of all layers of the actor, bottom first.
    outputs : (T, K) float32 array
        Of the actor.
    """

    begins: NDArray[np.bool_]
    seen: NDArray[np.float32]
    spikes: NDArray[np.bool_]
    outputs: NDArray[np.float32]


def record(agent: Agent, steps: int, seed: int) -> Stream:
    """Let an agent act in its environment without learning, and return what it saw and did; its state is changed.

    Raises
    ------
    ConfigError
        If there are too few steps.
    EnvError, RunError
        If the environment cannot be made, or raises.
    """
    if steps < FEWEST_STEPS:
        raise ConfigError(f"--steps {steps}: allowed: {FEWEST_STEPS} or more")
    d, views = agent.arena.dimensions, agent.arena.views
    stream = Stream(
        np.zeros(steps, np.bool_),
        np.zeros((steps, d.n_input), np.float32),
        np.zeros((steps, sum(d.layers)), np.bool_),
        np.zeros((steps, d.outputs[0]), np.float32),
    )
    layers = [views[f"{NET}/{index}/z"] for index in range(len(d.layers))]
    lives_on = agent.config.keep_state
    agent.arena.neurons[:] = 0.0
    done = 0

    def keep(begins: bool) -> None:
        nonlocal done
        if done < steps:
            stream.begins[done], stream.seen[done] = begins, views["input"]
            stream.outputs[done] = views[f"{NET}/output"]
            np.concatenate(layers, out=stream.spikes[done], casting="unsafe")
            done += 1

    env = make_env_of(agent.config)
    try:
        check_spaces(agent, env, agent.config.env)
        action = agent.start(env.reset(seed=seed)[0], learn=False)
        keep(True)
        while done < steps:
            observation, reward, terminated, truncated, _ = env.step(action)
            if not (terminated or truncated):
                action = agent.step(reward, observation, learn=False)
                keep(False)
                continue
            agent.end(reward, None if terminated else observation, learn=False)
            if truncated and not terminated and lives_on:
                keep(False)  # neurons that live on have seen the last observation too
            action = agent.start(env.reset()[0], learn=False)
            keep(not lives_on)
    except EnvError:
        raise
    except Exception as error:
        raise RunError(f"{agent.config.env} failed in step {done + 1} of the recording ({described(error)})") from error
    finally:
        env.close()
    return stream
