"""A run from configuration to folder, its resumption, and the evaluation of what it learned."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from .agent import Agent
from .config import Config
from .display import make_display
from .errors import ConfigError, RunError, StateError, SynaptickError
from .kernels.jit import is_compiled
from .loop import Tally, make_env, run
from .record import RunFolder

UPDATE_EVERY = 256


class Interrupted(SynaptickError):
    """A run stopped by Ctrl-C or SIGTERM; its folder is complete up to that step.

    Attributes
    ----------
    number : int
        The signal.
    """

    def __init__(self, number: int, folder: Path) -> None:
        name = signal.Signals(number).name
        super().__init__(f"stopped by {name}; everything is in {folder}; {_how_to_resume(folder)}")
        self.number = number


def _how_to_resume(folder: Path) -> str:
    return f"continue with: synaptick run --resume {folder}"


class _Stop(Exception):
    def __init__(self, number: int) -> None:
        self.number = number


@contextmanager
def _stopping_on_signals() -> Iterator[list[int]]:
    """Note SIGINT and SIGTERM in the list handed out, to be acted on between two steps; later ones as before."""
    seen: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield seen
        return
    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield seen
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def start_run(config: Config, out: Path | None = None, quiet: bool = False) -> dict[str, Any]:
    """Run an experiment from its beginning and return its summary.

    Parameters
    ----------
    config : Config
    out : Path, optional
        Folder to write; by default a fresh one below ``runs/``.
    quiet : bool
        Show no progress.

    Raises
    ------
    EnvError
        If the environment cannot be made.
    RunError
        If the environment raises, or returns something that does not fit its spaces, while running.
    SpaceError
        If one of its spaces is not supported.
    StateError
        If the folder already holds a run.
    Interrupted
        After Ctrl-C or SIGTERM.
    """
    env = make_env(config.env, config.env_kwargs)
    try:
        agent = Agent(config, env.observation_space, env.action_space, config.seed)
        folder = RunFolder.create(out or RunFolder.default_path(config), config)
        return _continue(agent, env, folder, Tally(), quiet)
    finally:
        env.close()


def resume_run(path: Path, steps: int | None = None, quiet: bool = False) -> dict[str, Any]:
    """Go on from the latest checkpoint of a run until it has `steps` steps in all, and return its summary.

    The agent goes on exactly where it was. The environment begins a new episode, with a seed drawn from the run's seed
    and the step, because Gymnasium has no way to restore its state; the episode that was running is not learned from
    further.

    Raises
    ------
    StateError
        If the folder holds no usable run, or the run is complete.
    """
    folder = RunFolder.open(path)
    agent = folder.load_agent()
    if steps is not None:
        folder.update_config(folder.config.with_changes({"steps": steps}))
    if agent.ticks >= folder.config.steps:
        raise StateError(
            f"{path} is complete: it has {agent.ticks} of {folder.config.steps} steps; give a larger --steps to go on"
        )
    env = make_env(folder.config.env, folder.config.env_kwargs)
    try:
        return _continue(agent, env, folder, folder.rewind(agent.ticks), quiet)
    finally:
        env.close()


def _continue(agent: Agent, env: Any, folder: RunFolder, tally: Tally, quiet: bool) -> dict[str, Any]:
    config = folder.config
    first = tally.steps
    env_seed = int(np.random.SeedSequence((config.seed, first)).generate_state(1)[0])
    if not quiet and not is_compiled():
        print("compiling the step; this takes some twenty seconds, once on a machine", flush=True)
    agent.compile()
    begun = time.monotonic()
    title = f"{config.env} seed {config.seed}"
    with (
        _stopping_on_signals() as signals,
        make_display(quiet, title, config.steps, agent.nbytes) as display,
    ):

        def on_step(tally: Tally) -> None:
            if signals:
                raise _Stop(signals[0])
            if tally.steps % UPDATE_EVERY == 0 or tally.steps == config.steps:
                display.update(tally)
            if tally.steps % config.checkpoint_every == 0:
                folder.write_checkpoint(agent)

        try:
            run(
                agent,
                env,
                config.steps - first,
                seed=env_seed,
                tally=tally,
                on_step=on_step,
                on_episode=folder.write_episode,
            )
        except _Stop as stop:
            raise Interrupted(stop.number, folder.path) from None
        except Exception as error:
            what = str(error) if isinstance(error, SynaptickError) else f"{type(error).__name__}: {error}"
            raise RunError(
                f"{config.env} failed at step {tally.steps + 1} ({what}); "
                f"everything before is in {folder.path}; {_how_to_resume(folder.path)}"
            ) from error
        finally:
            folder.write_checkpoint(agent)
            folder.close()
            seconds = max(time.monotonic() - begun, 1e-9)
            summary = {
                "env": config.env,
                "seed": config.seed,
                "steps": tally.steps,
                "episodes": tally.episodes,
                "mean_return_last_100": tally.mean_return,
                "steps_per_second": (tally.steps - first) / seconds,
                "state_bytes": agent.nbytes,
                "out": str(folder.path),
            }
            folder.write_summary({**summary, "spike_rates": agent.spike_rates})
    return summary


def evaluate(path: Path, episodes: int = 100, seed: int | None = None) -> dict[str, Any]:
    """Let the agent of a run act without learning for a number of episodes; the run is not changed.

    Actions are sampled from the policy, as in training.

    Parameters
    ----------
    path : Path
        Folder of the run.
    episodes : int
        Episodes to play, at least 1.
    seed : int, optional
        Seed of the environment; by default one that training did not use.
    """
    if episodes < 1:
        raise ConfigError(f"--episodes {episodes}: allowed: 1 or more")
    folder = RunFolder.open(path)
    agent = folder.load_agent()
    config = folder.config
    env = make_env(config.env, config.env_kwargs)
    returns = np.zeros(episodes)
    if seed is None:
        seed = int(np.random.SeedSequence((config.seed, 2**63)).generate_state(1)[0])
    try:
        for episode in range(episodes):
            observation, _ = env.reset(seed=seed if episode == 0 else None)
            action = agent.start(observation, learn=False)
            while True:
                observation, reward, terminated, truncated, _ = env.step(action)
                returns[episode] += float(reward)
                if terminated or truncated:
                    agent.end(reward, None if terminated else observation, learn=False)
                    break
                action = agent.step(reward, observation, learn=False)
    finally:
        env.close()
    return {
        "env": config.env,
        "episodes": episodes,
        "mean_return": float(returns.mean()),
        "std_return": float(returns.std()),
    }
