"""Rows of metrics and calls of hooks beside a control loop, by a thread that the loop never waits for."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from ..agent import Agent
from ..errors import ConfigError, described
from ..files import expanded
from ..metrics import MetricsFile, Readings, Row
from ..metrics.episodes import Tally
from ..metrics.histogram import Histogram
from ..metrics.hooks import StopRun, checked_hooks
from .hand_over import HandOver
from .snapshots import Snapshots

# Seconds after which steps and episodes that have passed are told, and for which the end of a loop waits for hooks.
SOON, PATIENCE = 0.05, 10.0


class Telemetry:
    """Writes a row of metrics every so many seconds, and calls hooks.

    ::

        Loop(agent, plant, rate=1000, telemetry=Telemetry("telemetry.csv")).run(seconds=3600)

    The numbers are read while the loop goes on: each is whole, but those of a row may be of neighboring ticks. Reading
    takes about a tenth of a millisecond of the interpreter, once a row. What cannot be written, or comes too late since
    the disk or a hook was slow, is dropped and counted; nothing of it reaches the loop.

    Of hooks, `on_start` is called before the first deadline, by whoever runs the loop; one that fails there gets no
    other calls. The thread calls the others. It shares the interpreter with the loop, which takes it back within a
    tenth of a millisecond: from Python code, but not from a call into compiled code that holds it.

    Parameters
    ----------
    path : path, optional
        A CSV file (`metrics.MetricsFile`), bounded; None: only hooks are told. One that is there is gone on with if the
        agent is: rows of no later step than its own stay, and `seconds` go on. If others are in it, of another agent or
        of steps that were lost, it is kept beside, as ``telemetry.older.csv`` of ``telemetry.csv``.
    every : float
        Seconds from row to row, at least 0.01.
    hooks : iterable of Hook
        See `metrics.hooks.Hook`.

    Raises
    ------
    ConfigError
        If `every` is too short, something given is no hook, there is nobody to tell, or the file cannot be made.

    Attributes
    ----------
    rows, dropped : int
        Rows that are in the file or, without one, reached every hook; those that were due and are not.
    missed : int
        Calls of `on_step` and `on_episode` for which there was no time.
    failures : int
        Calls of hooks that raised.
    problem : str
        What went wrong last; "" if nothing did.
    stopped : str
        Why a hook ended the loop (`StopRun`); "" if none did.
    """

    def __init__(
        self, path: str | os.PathLike[str] | None = None, every: float = 1.0, hooks: Iterable[Any] = ()
    ) -> None:
        if isinstance(every, bool) or not isinstance(every, int | float) or not 0.01 <= every < float("inf"):
            raise ConfigError(f"telemetry: every is {every!r}; allowed: seconds, 0.01 or more")
        self._hooks = list(checked_hooks(hooks))
        if path is None and not self._hooks:
            raise ConfigError("telemetry without a file and without a hook has nobody to tell")
        self.path, self.every = None if path is None else Path(expanded(path)).absolute(), float(every)
        self.rows = self.dropped = self.failures = 0
        self.problem = self.stopped = ""
        self.passed = HandOver(every_step=any(callable(getattr(hook, "on_step", None)) for hook in self._hooks))
        self._tally = Tally()
        self._ended, self._returned, self._length = 0, 0.0, 0
        self._times: Histogram | None = None
        self._snapshots: Snapshots | None = None
        self._written = 0
        self._file: MetricsFile | None = None
        self._columns: tuple[str, ...] = ()
        self._seconds = 0.0  # in all runs before
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def missed(self) -> int:
        """Calls of `on_step` and `on_episode` for which there was no time."""
        return self.passed.missed

    def of(
        self,
        agent: Agent,
        times: Histogram | None = None,
        snapshots: Snapshots | None = None,
        stop: Callable[[], None] | None = None,
    ) -> Telemetry:
        """Return this, to be entered: inside, rows about `agent` are written and hooks called.

        Parameters
        ----------
        agent : Agent
        times : Histogram, optional
            Of a period, nanoseconds; its quantiles are in the rows.
        snapshots : Snapshots, optional
            Those of which hooks are told when they have been written.
        stop : callable, optional
            Ends the loop, for a hook that asks for it.
        """
        self._agent, self._times, self._snapshots, self._stop = agent, times, snapshots, stop
        return self

    def __enter__(self) -> Telemetry:
        readings = Readings(self._agent, self._seconds)
        if self.path is not None and readings.columns != self._columns:
            self._columns = readings.columns
            try:
                self._file = self._begun_file(self.path, readings.columns)
            except OSError as error:
                raise ConfigError(
                    f"telemetry cannot write {self.path}: {error.strerror or error}; give a file in a folder that can "
                    "be written"
                ) from error
            readings = Readings(self._agent, self._seconds)
        self.stopped = ""
        self._hooks = [hook for hook in self._hooks if self._call(hook, "on_start", self._agent, self._tally)]
        self._written = self._snapshots.written if self._snapshots is not None else 0
        self._begun = time.monotonic()
        if self._thread is not None and self._thread.is_alive():  # one hook, one file: not from two threads
            self.problem = "a hook of the run before has not come back, so that nothing is told of this one"
            return self
        self._stopping = threading.Event()  # of this run: a thread that is late must not go on in the next one
        thread = threading.Thread(
            target=self._run, args=(readings, self._stopping), name="synaptick telemetry", daemon=True
        )
        try:
            thread.start()
            self._thread = thread
        except RuntimeError as error:  # of threads there may be no more
            self.problem = str(error)
        return self

    def _begun_file(self, path: Path, columns: tuple[str, ...]) -> MetricsFile:
        """Return the file, with the rows of the agent's own past that are in it; what else is in it is kept beside."""
        file = MetricsFile(path, columns, self._agent.ticks)
        if path.exists() and not file.is_whole():
            path.replace(path.with_name(f"{path.stem}.older{path.suffix}"))
        file.create()
        self._seconds = max(self._seconds, file.seconds)
        return file

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=PATIENCE)
        self._seconds += time.monotonic() - self._begun

    # ---- by the thread

    def _run(self, readings: Readings, stopping: threading.Event) -> None:
        due = self._begun + self.every
        while not stopping.wait(max(min(due - time.monotonic(), SOON), 0.0)):
            self._tell(due)
            if time.monotonic() < due:
                continue
            self._write(readings)
            due += self.every
            late = int((time.monotonic() - due) / self.every)
            if late > 0:
                self.dropped += late
                due += late * self.every
        self._tell(time.monotonic() + PATIENCE / 4)
        self.passed.leave()
        self._tally.steps, self._tally.episodes = self.passed.steps, self.passed.episodes
        self._write(readings)
        self._tell_all("on_stop", self._tally)

    def _tell(self, until: float) -> None:
        """Call hooks for what has passed since the last time, or as much of it as there is time for."""
        tally = self._tally
        for steps, episodes, episode_return, length in self.passed.take():
            tally.steps = steps
            if episodes:
                tally.record(episode_return, length)
                tally.episodes = episodes  # of which some may have been missed
                self._ended += 1
                self._returned += episode_return
                self._length += length
                self._tell_all("on_episode", tally)
            self._tell_all("on_step", tally)
            if time.monotonic() >= until:
                break
        if self._snapshots is not None and self._snapshots.written > self._written:
            self._written = self._snapshots.written
            self._tell_all("on_checkpoint", self._snapshots.folder)

    def _write(self, readings: Readings) -> None:
        failures = self.failures
        try:
            row = self._read(readings)
            if self._file is not None:
                self._file.add(row)
        except Exception as error:  # of a disk: the loop's business goes on
            self.problem = described(error)
            self.dropped += 1
            return
        self._tell_all("on_log", row)
        if self._file is not None or self.failures == failures:
            self.rows += 1
        else:
            self.dropped += 1

    def _read(self, readings: Readings) -> Row:
        quantiles = [self._times.quantile(share) if self._times else None for share in (0.5, 0.99)]
        p50, p99 = (None if found is None else found / 1000.0 for found in quantiles)
        means = [total / self._ended if self._ended else None for total in (self._returned, self._length)]
        self._ended, self._returned, self._length = 0, 0.0, 0
        seconds = self._seconds + time.monotonic() - self._begun
        return readings.read(seconds, self.passed.episodes, means[0], means[1], (p50, p99))

    def _tell_all(self, event: str, *arguments: Any) -> None:
        for hook in self._hooks:
            self._call(hook, event, *arguments)

    def _call(self, hook: Any, event: str, *arguments: Any) -> bool:
        """Call a hook, if it has such a method, and return whether it did not fail."""
        function = getattr(hook, event, None)
        if not callable(function):
            return True
        try:
            function(*arguments)
        except StopRun as stop:
            if event != "on_stop" and not self.stopped:
                self.stopped = str(stop) or type(hook).__name__
                if self._stop is not None:
                    self._stop()
        except KeyboardInterrupt:  # of who runs the loop
            raise
        except BaseException as error:  # a SystemExit too: the loop's business goes on
            self.failures += 1
            self.problem = f"hook {type(hook).__name__}.{event} failed ({described(error)})"
            return False
        return True

    def closed(self) -> None:
        """Tell hooks of a last snapshot, which was written after the loop had ended."""
        if self._snapshots is not None and self._snapshots.written > self._written:
            self._written = self._snapshots.written
            self._tell_all("on_checkpoint", self._snapshots.folder)

    def to_dict(self) -> dict[str, Any]:
        """Return counts, the last problem, and why a hook ended the loop."""
        names = ("rows", "dropped", "missed", "failures", "problem", "stopped")
        return {name: getattr(self, name) for name in names}
