"""Rows of metrics of an agent in a control loop, read and written by a thread that the loop never waits for."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from ..agent import Agent
from ..errors import ConfigError, described
from ..files import expanded
from ..metrics import MetricsFile, Readings
from ..metrics.histogram import Histogram


class Telemetry:
    """Writes a row of metrics every so many seconds, and hands it to hooks.

    ::

        Loop(agent, plant, rate=1000, telemetry=Telemetry("telemetry.csv")).run(seconds=3600)

    The numbers are read while the loop goes on: each is whole, but those of a row may be of neighboring ticks. Reading
    takes about a tenth of a millisecond of the interpreter, once a row. What cannot be written, or comes too late since
    the disk or a hook was slow, is dropped and counted; nothing of it reaches the loop.

    Parameters
    ----------
    path : path, optional
        A CSV file (`metrics.MetricsFile`), bounded, begun anew, and gone on with in later runs of the loop; None: rows
        go to hooks alone.
    every : float
        Seconds from row to row, at least 0.01.
    hooks : iterable
        Objects with ``on_log(row)``, which is called by the thread.

    Raises
    ------
    ConfigError
        If `every` is too short, there is nobody to write for, or the file cannot be made.

    Attributes
    ----------
    rows, dropped : int
        Rows written and handed on; those that were due and are missing.
    problem : str
        What went wrong last; "" if nothing did.
    """

    def __init__(
        self, path: str | os.PathLike[str] | None = None, every: float = 1.0, hooks: Iterable[Any] = ()
    ) -> None:
        if isinstance(every, bool) or not isinstance(every, int | float) or not 0.01 <= every < float("inf"):
            raise ConfigError(f"telemetry: every is {every!r}; allowed: seconds, 0.01 or more")
        self._receivers = [hook.on_log for hook in hooks if callable(getattr(hook, "on_log", None))]
        if path is None and not self._receivers:
            raise ConfigError("telemetry without a file and without a hook that has on_log() has nobody to tell")
        self.path, self.every = None if path is None else Path(expanded(path)).absolute(), float(every)
        self.rows = self.dropped = 0
        self.problem = ""
        self._file: MetricsFile | None = None
        self._columns: tuple[str, ...] = ()
        self._seconds = 0.0  # in all runs before
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def of(self, agent: Agent, times: Histogram | None = None) -> Telemetry:
        """Return this, to be entered: inside, rows about `agent` are written, with quantiles of `times`."""
        self._agent, self._times = agent, times
        return self

    def __enter__(self) -> Telemetry:
        readings = Readings(self._agent, self._seconds)
        if self.path is not None and readings.columns != self._columns:
            self._columns = readings.columns
            try:
                self.path.unlink(missing_ok=True)
                self._file = MetricsFile(self.path, readings.columns)
                self._file.create()
            except OSError as error:
                raise ConfigError(
                    f"telemetry cannot write {self.path}: {error.strerror or error}; give a file in a folder that can "
                    "be written"
                ) from error
        self._stopping.clear()
        self._begun = time.monotonic()
        self._thread = threading.Thread(target=self._run, args=(readings,), name="synaptick telemetry", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        if self._thread is not None:  # a disk that does not answer must not hold the machine's end up
            self._thread.join(timeout=2.0 * self.every)
            self._thread = None
        self._seconds += time.monotonic() - self._begun

    def _run(self, readings: Readings) -> None:
        due = self._begun + self.every
        while not self._stopping.wait(max(due - time.monotonic(), 0.0)):
            self._write(readings)
            due += self.every
            late = int((time.monotonic() - due) / self.every)
            if late > 0:
                self.dropped += late
                due += late * self.every
        self._write(readings)

    def _write(self, readings: Readings) -> None:
        try:
            quantiles = [self._times.quantile(share) if self._times else None for share in (0.5, 0.99)]
            in_us = [None if found is None else found / 1000.0 for found in quantiles]
            row = readings.read(
                self._seconds + time.monotonic() - self._begun,
                self._agent.arena.clock.episode,
                tick_us=(in_us[0], in_us[1]),
            )
            if self._file is not None:
                self._file.add(row)
            for receive in self._receivers:
                receive(row)
            self.rows += 1
        except Exception as error:  # of a disk or a hook: the loop's business goes on
            self.dropped += 1
            self.problem = described(error)

    def to_dict(self) -> dict[str, Any]:
        """Return counts and the last problem."""
        return {"rows": self.rows, "dropped": self.dropped, "problem": self.problem}
