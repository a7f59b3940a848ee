"""A run from configuration to folder, and its resumption."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from ..agent import Agent
from ..config import Config
from ..errors import ConfigError, Interrupted, RunError, StateError, described
from ..kernels.base.jit import is_compiled
from .console import announce, warn
from .display import Display, Silent, make_display
from .env_state import capture, restore
from .environment import environment_seed, make_env_of
from .episodes import Tally
from .interrupts import on_stop
from .loop import run
from .run_folder import CONFIG_FILE, RunFolder

UPDATE_EVERY = 256
# Settings that a resumed run may change: they say how long and where it runs, not what it is.
FREE_SETTINGS = ("steps", "checkpoint_every", "env_kwargs")


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
    env = make_env_of(config)
    try:
        agent = Agent(config, env.observation_space, env.action_space, config.seed)
        folder = RunFolder.create(out or RunFolder.default_path(config), agent)
        return _Run(agent, env, folder, Tally(), quiet).go()
    finally:
        env.close()


def resume_run(path: Path, steps: int | None = None, quiet: bool = False) -> dict[str, Any]:
    """Go on from the latest checkpoint of a run until it has `steps` steps in all, and return its summary.

    Agent, counts and environment go on exactly where they were: the run gives the same bytes as one that was never
    interrupted. Where the state of the environment cannot be restored (see `env_state`), where it had failed, or where
    `env_kwargs` were edited, it begins a new episode, with a seed drawn from the run's seed and the step; the episode
    that was running is not learned from further.

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
    moment = folder.load()
    agent = moment.agent
    config = folder.config if steps is None else folder.config.with_changes({"steps": steps})
    then, now = agent.config.to_dict(), config.to_dict()
    edited = [key for key in now if now[key] != then[key] and key not in FREE_SETTINGS]
    if edited:
        raise ConfigError(
            f"{path / CONFIG_FILE}: {', '.join(edited)} differ from what the run was started with; a resumed run can "
            f"change only {', '.join(FREE_SETTINGS)}: undo the edit, or start a new run"
        )
    if agent.ticks > config.steps or (agent.ticks == config.steps and folder.is_summed_up(agent.ticks)):
        raise StateError(
            f"{path} is complete: it has {agent.ticks} of {config.steps} steps; give a larger --steps to go on"
        )
    env = make_env_of(config)
    try:
        counted = folder.reopen(config, agent)
        resumed = moment.env is not None and agent.running
        if resumed:
            try:
                restore(env, moment.env or {})
            except StateError as error:
                warn(f"{error}; a new episode begins")
                env.close()
                env = make_env_of(config)
                resumed = False
        elif agent.ticks and not quiet:
            announce("the environment cannot be put back where it was: a new episode begins")
        return _Run(agent, env, folder, moment.tally or counted, quiet, resumed).go()
    finally:
        env.close()


class _Run:
    """One stretch of a run, from where its folder stands to its last step or an interruption."""

    def __init__(
        self, agent: Agent, env: Any, folder: RunFolder, tally: Tally, quiet: bool, resumed: bool = False
    ) -> None:
        self.agent, self.env, self.folder, self.tally, self.quiet = agent, env, folder, tally, quiet
        self.config = folder.config
        self.first = self.saved = tally.steps
        self.resumed = resumed
        self.failing = False
        self.signals: list[int] = []
        self.display: Display = Silent()

    def go(self) -> dict[str, Any]:
        """Run to the end, leave a complete folder whatever happens, and return the summary."""
        with _noting_signals() as self.signals:
            if not self.quiet and not is_compiled():
                announce("compiling the step; this takes up to a minute, once on a machine")
            self.agent.compile()
            begun = time.monotonic()
            title = f"{self.config.env} seed {self.config.seed}"
            try:
                with make_display(self.quiet, title, self.config.steps, self.agent.nbytes) as self.display:
                    self._stop_if_asked()
                    self._learn()
            except Interrupted:
                self._finish(begun)
                raise
            except Exception as error:
                self._finish(begun, failed=True)
                raise _broken_off(error, self.config.env, self.tally, self.folder.path) from error
            else:
                return self._finish(begun)
            finally:
                self.folder.close()

    def _learn(self) -> None:
        left = self.config.steps - self.first
        if left:  # none if only the summary was missing
            run(
                self.agent,
                self.env,
                left,
                seed=environment_seed(self.config.seed, self.first),
                resume=self.resumed,
                tally=self.tally,
                on_step=self._after_step,
                on_episode=self._after_episode,
            )

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
            self._attempt(self._write_checkpoint)
        self._stop_if_asked()

    def _after_episode(self, tally: Tally) -> None:
        self._attempt(lambda: self.folder.write_episode(tally))

    def _attempt(self, write: Callable[[], None]) -> None:
        """Write something; if that cannot be, say so once, until a checkpoint can be written again, and go on."""
        try:
            write()
        except OSError as error:
            if not self.failing:
                warn(f"cannot write to {self.folder.path}: {error.strerror or error}; learning goes on; make room")
            self.failing = True

    def _write_checkpoint(self, failed: bool = False) -> None:
        # Nobody knows how far an environment came that failed in the middle of a step.
        self.folder.write_checkpoint(self.agent, self.tally, None if failed else capture(self.env))
        self.saved, self.failing = self.tally.steps, False

    def _finish(self, begun: float, failed: bool = False) -> dict[str, Any]:
        seconds = max(time.monotonic() - begun, 1e-9)
        summary = {
            "env": self.config.env,
            "seed": self.config.seed,
            "steps": self.tally.steps,
            "episodes": self.tally.episodes,
            "mean_return_last_100": self.tally.mean_return,
            "steps_per_second": (self.tally.steps - self.first) / seconds,
            "state_bytes": self.agent.nbytes,
            "rows_lost": self.folder.rows_lost,
            "out": str(self.folder.path),
        }
        if self.folder.rows_lost:
            warn(f"{self.folder.rows_lost} rows of results are lost: they could not be written for too long")
        try:
            if failed or self.tally.steps != self.saved:
                self._write_checkpoint(failed)
            self.folder.write_summary({**summary, "spike_rates": self.agent.spike_rates})
        except OSError as error:
            where = self.folder.path
            raise StateError(
                f"cannot write to {where}: {error.strerror or error}; nothing after step {self.saved} is in it, whose "
                f"checkpoint is whole; make room, then {_how_to_resume(where)}"
            ) from error
        return summary


def _how_to_resume(folder: Path) -> str:
    return f"continue with: synaptick run --resume {folder}"


def _broken_off(error: Exception, env_id: str, tally: Tally, folder: Path) -> RunError:
    return RunError(
        f"{env_id} failed at step {tally.steps + 1} ({described(error)}); "
        f"everything before is in {folder}; {_how_to_resume(folder)}"
    )
