"""A run from configuration to folder, and its resumption."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from ..agent import Agent
from ..arena.dimensions import is_rare
from ..compilation import check_pair, make_pair, notice
from ..config import Config
from ..errors import ConfigError, Interrupted, StateError
from ..metrics import Row
from ..metrics.episodes import Tally
from ..metrics.hooks import StopRun
from .changes import Changes
from .console import announce, warn
from .display import Display, Silent, make_display
from .environment import environment_seed
from .guarded_env import GuardedEnv, cause_of, env_failure
from .hooks import Functions, Hooks
from .interrupts import StopRequest
from .loop import run
from .run_folder import CONFIG_FILE, RunFolder

UPDATE_EVERY = 256
# Settings that a resumed run may change: they say how long and where it runs, not what it is.
FREE_SETTINGS = ("steps", "checkpoint_every", "log_every", "env_kwargs")


def no_hooks(_: Path) -> Iterable[Any]:
    """Return no hooks."""
    return ()


def start_run(
    config: Config,
    out: Path | None = None,
    quiet: bool = False,
    hooks: Callable[[Path], Iterable[Any]] = no_hooks,
    threads: int = 1,
) -> dict[str, Any]:
    """Run an experiment from its beginning and return its summary.

    Parameters
    ----------
    config : Config
    out : Path, optional
        Folder to write; by default a fresh one below ``runs/``.
    quiet : bool
        Show no progress.
    hooks : callable, optional
        Given the folder of the run, returns hooks (`metrics.hooks.Hook`).
    threads : int
        1, or 2 for `Agent.in_two_threads`; the run is the same.

    Raises
    ------
    ConfigError, CompileError
        If there are to be two threads and cannot be, as for `Agent.in_two_threads`.
    EnvError
        If the environment cannot be made.
    HookError
        If a hook raises.
    RunError
        If the environment raises, or returns something that does not fit its spaces, while running.
    SpaceError
        If one of its spaces is not supported.
    StateError
        If the folder already holds a run, is being written by another process, or cannot be written.
    Interrupted
        After Ctrl-C, SIGTERM or SIGHUP.
    """
    _check_threads(config, threads)
    # Absolute before there is an environment, which may change the working directory.
    given = out or RunFolder.default_path(config)
    path = given.absolute()
    with StopRequest(_what_a_kill_costs(given)) as stop, GuardedEnv(config, stop) as env:
        spaces = env.observation_space, env.action_space
        if advice := Agent.size_of(config, *spaces).advice():
            warn(advice)
        agent, made = Agent(config, *spaces), hooks(path)  # what they need and is not installed leaves no folder
        with RunFolder.create(path, agent, given) as folder:
            return _Run(agent, env, folder, Tally(), stop, quiet, hooks=made).go(threads)


def resume_run(
    path: Path,
    steps: int | None = None,
    quiet: bool = False,
    hooks: Callable[[Path], Iterable[Any]] = no_hooks,
    threads: int = 1,
) -> dict[str, Any]:
    """Go on from the latest checkpoint of a run until it has `steps` steps in all, and return its summary.

    Agent, counts and environment go on exactly where they were: the run gives the same bytes as one that was never
    interrupted. Where the state of the environment cannot be restored (see `env_state`), where it had failed, or where
    `env_kwargs` were edited, it begins a new episode, with a seed drawn from the run's seed and the step; the episode
    that was running is not learned from further.

    Raises
    ------
    StateError
        If the folder holds no usable run, or is being written by another process, or if the run is complete.
    ConfigError
        If its configuration was edited in more than `FREE_SETTINGS`.
    CompileError, EnvError, RunError, Interrupted
        As for `start_run`.
    """
    with StopRequest(_what_a_kill_costs(path)) as stop, RunFolder.open(path, to_write=True) as folder:
        moment = folder.load()
        agent = moment.agent
        config = folder.config if steps is None else folder.config.with_changes({"steps": steps})
        _check_threads(config, threads)
        then, now = agent.config.to_dict(), config.to_dict()
        edited = [key for key in now if now[key] != then[key] and key not in FREE_SETTINGS]
        if edited:
            raise ConfigError(
                f"{path / CONFIG_FILE}: {', '.join(edited)} differ from what the run was started with; a resumed run "
                f"can change only {', '.join(FREE_SETTINGS)}: undo the edit, or start a new run"
            )
        if agent.ticks > config.steps or (agent.ticks == config.steps and folder.is_summed_up(agent.ticks)):
            raise StateError(
                f"{path} is complete: it has {agent.ticks} of {config.steps} steps; give a larger --steps to go on"
            )
        with GuardedEnv(config, stop) as env:
            counted = folder.reopen(config, agent)
            resumed = moment.env is not None and agent.running and env.restore(moment.env)
            if agent.ticks and not resumed:
                env.restore_statistics(None)
                if moment.env is None and not quiet:
                    announce("the environment cannot be put back where it was: a new episode begins")
            tally = moment.tally or counted
            return _Run(agent, env, folder, tally, stop, quiet, resumed, hooks(path.absolute())).go(threads)


class _Run:
    """One stretch of a run, from where its folder stands to its last step or an interruption."""

    def __init__(
        self,
        agent: Agent,
        env: GuardedEnv,
        folder: RunFolder,
        tally: Tally,
        stop: StopRequest,
        quiet: bool,
        resumed: bool = False,
        hooks: Iterable[Any] = (),
    ) -> None:
        self.agent, self.env, self.folder, self.tally, self.stop = agent, env, folder, tally, stop
        self.config = folder.config
        self.first = self.saved = tally.steps
        self.quiet, self.resumed = quiet, resumed
        self.failing = False
        self.outcome = ""
        self.begun = time.monotonic()
        self.display: Display = Silent()
        self.metrics, self.changes = folder.open_metrics(agent), Changes(folder.path, agent.ticks)
        # Rows come before what a hook may raise, checkpoints after what it may do in a step.
        rows, steps = (
            Functions(on_log=self._after_row, on_episode=self._after_episode),
            Functions(on_step=self._after_step),
        )
        self.hooks = Hooks([rows, *hooks, steps], stop.elsewhere)

    def go(self, threads: int = 1) -> dict[str, Any]:
        """Run to the end, leave a complete folder whatever happens, and return the summary."""
        self.stop.give_up = self._give_up
        if (line := notice()) and not self.quiet:
            announce(line)
        with self.stop.elsewhere:
            self.agent.compile(self.agent.config, quiet=self.quiet)
            if threads > 1:
                make_pair(self.quiet)
        self.begun = time.monotonic()
        title = f"{self.config.env} seed {self.config.seed}"
        try:
            with make_display(self.quiet, title, self.config.steps, self.agent.nbytes) as self.display:
                self._stop_if_asked()
                with self.agent.in_two_threads() if threads > 1 else nullcontext():
                    self._learn()
        except Interrupted:
            self._finish()
            raise
        except BaseException as error:  # reading what an environment returned runs its code too
            where = f"step {self.tally.steps + 1}"
            try:
                self._finish(failed=True)
            except StateError:
                warn(str(env_failure(error, self.config.env, where)))
                raise
            then = f"; everything before is in {self.folder.given}; {_how_to_resume(self.folder.given)}"
            failure = env_failure(error, self.config.env, where, then)
            self.outcome = str(failure)
            raise failure from cause_of(error)
        return self._finish()

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
                hooks=self.hooks,
                log_every=self.config.log_every,
                seconds=self.metrics.seconds,
            )
            if self.hooks.stopped:
                announce(self.hooks.stopped)

    def _stop_if_asked(self) -> None:
        if self.stop.number:
            self.stop.check(f"everything is in {self.folder.given}; {_how_to_resume(self.folder.given)}")

    def _give_up(self) -> None:
        """Save what was learned while the environment, or the compiler, does not return; called by another thread."""
        path = self.folder.given
        self.display.__exit__(None, None, None)
        if self.outcome:  # the folder is whole, and no longer this run's
            warn(f"stopped by {self.stop.name} while the environment was being closed; {self.outcome}")
            return
        try:
            self._finish(failed=True)
        except StateError as error:
            warn(f"stopped by {self.stop.name}; {error}")
        else:
            warn(
                f"stopped by {self.stop.name} in a call that did not return; all steps before it are in {path}; "
                f"{_how_to_resume(path)}"
            )

    def _after_step(self, tally: Tally) -> None:
        self.changes.look(self.env.result[4], tally.steps)
        if tally.steps % UPDATE_EVERY == 0 or tally.steps == self.config.steps:
            self.stop.retake_signals()
            self.display.update(tally)
        if tally.steps % self.config.checkpoint_every == 0:
            self._attempt(self._write_checkpoint)
            self._attempt(self.metrics.synchronize)
            self.hooks.checkpoint(self.folder.path)
        self._stop_if_asked()

    def _after_row(self, row: Row) -> None:
        self.display.log(row)
        self._attempt(lambda: self.metrics.add(row))
        self._attempt(self.changes.flush)

    def _after_episode(self, tally: Tally) -> None:
        self._attempt(lambda: self.folder.write_episode(tally))

    def _attempt(self, write: Callable[[], None]) -> None:
        """Write something; if that cannot be, say so once, until a checkpoint can be written again, and go on."""
        try:
            write()
        except OSError as error:
            if not self.failing:
                warn(f"cannot write to {self.folder.given}: {error.strerror or error}; learning goes on; make room")
            self.failing = True

    def _write_checkpoint(self, failed: bool = False) -> None:
        self.changes.flush()
        # Nobody knows how far an environment came that failed in the middle of a step.
        self.folder.write_checkpoint(self.agent, self.tally, None if failed else self.env.state())
        self.saved, self.failing = self.tally.steps, False

    def _finish(self, failed: bool = False) -> dict[str, Any]:
        seconds = max(time.monotonic() - self.begun, 1e-9)
        summary = {
            "env": self.config.env,
            "seed": self.config.seed,
            "steps": self.tally.steps,
            "episodes": self.tally.episodes,
            "mean_return_last_100": self.tally.mean_return,
            "steps_per_second": (self.tally.steps - self.first) / seconds,
            "state_bytes": self.agent.nbytes,
            "rows_lost": self.folder.rows_lost,
            "stopped": self.hooks.stopped,
            "out": str(self.folder.given),
        }
        if self.folder.rows_lost:
            warn(f"{self.folder.rows_lost} rows of results are lost: they could not be written for too long")
        try:
            written = self.folder.make_anew() or failed or self.tally.steps != self.saved
            if written:
                self._write_checkpoint(failed)
            self.folder.write_summary({**summary, "spike_rates": self.agent.spike_rates})
        except OSError as error:
            where = self.folder.given
            raise StateError(
                f"cannot write to {where}: {error.strerror or error}; nothing after step {self.saved} is in it, whose "
                f"checkpoint is whole; make room, then {_how_to_resume(where)}"
            ) from error
        self.outcome = f"everything is in {self.folder.given}; {_how_to_resume(self.folder.given)}"
        if written and not failed:
            with suppress(StopRun):
                self.hooks.checkpoint(self.folder.path)
        return summary


def _check_threads(config: Config, threads: int) -> None:
    """Find out before there is a folder whether there is such a step."""
    if threads > 1:
        check_pair(is_rare(config))


def _how_to_resume(folder: Path) -> str:
    return f"continue with: synaptick run --resume {folder}"


def _what_a_kill_costs(folder: Path) -> str:
    return f"steps after the last checkpoint are lost; {_how_to_resume(folder)}"
