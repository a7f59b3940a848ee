"""A run from configuration to folder, its resumption, and the evaluation of what it learned."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from .agent import Agent
from .config import Config
from .display import Display, Silent, announce, make_display
from .environment import make_env
from .errors import ConfigError, Interrupted, RunError, StateError, SynaptickError
from .kernels.jit import is_compiled
from .loop import Tally, run
from .record import CONFIG_FILE, RunFolder
from .stopping import on_stop

UPDATE_EVERY = 256
# Settings that a resumed run may change: they say how long and where it runs, not what it is.
FREE_SETTINGS = ("steps", "checkpoint_every", "env_kwargs")
# An environment whose episodes never end cannot be evaluated by episodes.
LONGEST_EVALUATION = 10**6


@contextmanager
def _noting_signals() -> Iterator[list[int]]:
    """Note SIGINT and SIGTERM in the list handed out, to be acted on between two steps; a second one stops at once."""
    seen: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)

    with on_stop(note):
        yield seen


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
        If the folder already holds a run or cannot be written.
    Interrupted
        After Ctrl-C or SIGTERM.
    """
    env = make_env(config.env, config.env_kwargs, config.wrappers)
    try:
        agent = Agent(config, env.observation_space, env.action_space, config.seed)
        folder = RunFolder.create(out or RunFolder.default_path(config), agent)
        return _Run(agent, env, folder, Tally(), quiet).go()
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
    ConfigError
        If its configuration was edited in more than `FREE_SETTINGS`.
    EnvError, RunError, Interrupted
        As for `start_run`.
    """
    folder = RunFolder.open(path)
    agent = folder.load_agent()
    config = folder.config if steps is None else folder.config.with_changes({"steps": steps})
    then, now = agent.config.to_dict(), config.to_dict()
    edited = [key for key in now if now[key] != then[key] and key not in FREE_SETTINGS]
    if edited:
        raise ConfigError(
            f"{path / CONFIG_FILE}: {', '.join(edited)} differ from what the run was started with; a resumed run can "
            f"change only {', '.join(FREE_SETTINGS)}: undo the edit, or start a new run"
        )
    if agent.ticks >= config.steps:
        raise StateError(
            f"{path} is complete: it has {agent.ticks} of {config.steps} steps; give a larger --steps to go on"
        )
    env = make_env(config.env, config.env_kwargs, config.wrappers)
    try:
        tally = folder.rewind(agent.ticks)
        folder.reopen(config)
        return _Run(agent, env, folder, tally, quiet).go()
    finally:
        env.close()


def environment_seed(seed: int, step: int) -> int:
    """Return the seed of the environment for a run with this seed that begins, or goes on, at this step."""
    return int(np.random.SeedSequence((seed, step)).generate_state(1)[0])


class _Run:
    """One stretch of a run, from where its folder stands to its last step or an interruption."""

    def __init__(self, agent: Agent, env: Any, folder: RunFolder, tally: Tally, quiet: bool) -> None:
        self.agent, self.env, self.folder, self.tally, self.quiet = agent, env, folder, tally, quiet
        self.config = folder.config
        self.first = tally.steps
        self.signals: list[int] = []
        self.display: Display = Silent()

    def go(self) -> dict[str, Any]:
        """Run to the end, leave a complete folder whatever happens, and return the summary."""
        with _noting_signals() as self.signals:
            if not self.quiet and not is_compiled():
                announce("compiling the step; this takes about half a minute, once on a machine")
            self.agent.compile()
            begun = time.monotonic()
            title = f"{self.config.env} seed {self.config.seed}"
            try:
                with make_display(self.quiet, title, self.config.steps, self.agent.nbytes) as self.display:
                    self._stop_if_asked()
                    run(
                        self.agent,
                        self.env,
                        self.config.steps - self.first,
                        seed=environment_seed(self.config.seed, self.first),
                        tally=self.tally,
                        on_step=self._after_step,
                        on_episode=self._after_episode,
                    )
            except (Interrupted, StateError):
                self._finish(begun)
                raise
            except Exception as error:
                self._finish(begun)
                raise _broken_off(error, self.config.env, self.tally, self.folder.path) from error
            else:
                return self._finish(begun)
            finally:
                self.folder.close()

    def _stop_if_asked(self) -> None:
        if self.signals:
            name = signal.Signals(self.signals[0]).name
            where = f"everything is in {self.folder.path}; {_how_to_resume(self.folder.path)}"
            raise Interrupted(f"stopped by {name}; {where}", self.signals[0])

    def _after_step(self, tally: Tally) -> None:
        if tally.steps % UPDATE_EVERY == 0 or tally.steps == self.config.steps:
            try:
                self.display.update(tally)
            except OSError:  # nobody reads the output any more: learning goes on
                self.display = Silent()
        if tally.steps % self.config.checkpoint_every == 0:
            with _writing(self.folder.path):
                self.folder.write_checkpoint(self.agent)
        self._stop_if_asked()

    def _after_episode(self, tally: Tally) -> None:
        with _writing(self.folder.path):
            self.folder.write_episode(tally)

    def _finish(self, begun: float) -> dict[str, Any]:
        seconds = max(time.monotonic() - begun, 1e-9)
        summary = {
            "env": self.config.env,
            "seed": self.config.seed,
            "steps": self.tally.steps,
            "episodes": self.tally.episodes,
            "mean_return_last_100": self.tally.mean_return,
            "steps_per_second": (self.tally.steps - self.first) / seconds,
            "state_bytes": self.agent.nbytes,
            "out": str(self.folder.path),
        }
        with _writing(self.folder.path):
            self.folder.write_checkpoint(self.agent)
            self.folder.write_summary({**summary, "spike_rates": self.agent.spike_rates})
        return summary


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StateError(
            f"cannot write to {folder}: {error.strerror or error}; its last checkpoint is whole; make room, then "
            + _how_to_resume(folder)
        ) from error


def _how_to_resume(folder: Path) -> str:
    return f"continue with: synaptick run --resume {folder}"


def _described(error: Exception) -> str:
    return str(error) if isinstance(error, SynaptickError) else f"{type(error).__name__}: {error}"


def _broken_off(error: Exception, env_id: str, tally: Tally, folder: Path) -> RunError:
    return RunError(
        f"{env_id} failed at step {tally.steps + 1} ({_described(error)}); "
        f"everything before is in {folder}; {_how_to_resume(folder)}"
    )


class _Enough(Exception):
    pass


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
        Seed of the environment, at least 0; by default one that training did not use.

    Raises
    ------
    StateError
        If the folder holds no usable run.
    ConfigError
        If `episodes` or `seed` is out of range.
    EnvError, RunError
        If the environment cannot be made, raises, or does not end an episode within `LONGEST_EVALUATION` steps.
    """
    if episodes < 1:
        raise ConfigError(f"--episodes {episodes}: allowed: 1 or more")
    if seed is not None and seed < 0:
        raise ConfigError(f"--seed {seed}: allowed: 0 or more")
    folder = RunFolder.open(path)
    agent = folder.load_agent()
    config = folder.config
    if seed is None:
        seed = environment_seed(config.seed, 2**63)  # a step that no run begins at
    returns = np.zeros(episodes)
    tally = Tally()

    def keep(tally: Tally) -> None:
        returns[tally.episodes - 1] = tally.last_return
        if tally.episodes == episodes:
            raise _Enough

    env = make_env(config.env, config.env_kwargs, config.wrappers)
    try:
        while True:
            before = tally.episodes
            run(agent, env, LONGEST_EVALUATION, seed=seed, learn=False, tally=tally, on_episode=keep)
            if tally.episodes == before:
                raise TimeoutError(f"no episode ended within {LONGEST_EVALUATION} steps")
            seed += 1
    except _Enough:
        pass
    except Exception as error:
        where = f"step {tally.steps + 1} of the evaluation"
        raise RunError(f"{config.env} failed at {where} ({_described(error)})") from error
    finally:
        env.close()
    return {
        "env": config.env,
        "episodes": episodes,
        "mean_return": float(returns.mean()),
        "std_return": float(returns.std()),
    }
