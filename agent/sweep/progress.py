"""What is shown while many runs go on: a table on a terminal, a line now and then in a pipe, or nothing."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from ..metrics import METRICS_FILE
from ..training.console import announce, lines_above, progress_stream
from ..training.display import LINE_SECONDS, is_terminal
from .estimate import duration

REFRESH_SECONDS = 0.5
# Runs that have a row of their own.
MOST_SHOWN = 20
# Bytes at the end of a file in which its last row is.
TAIL = 4096


class Shown(Protocol):
    """What is shown of a run, or of a trial that has several."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def settings(self) -> str:
        """Its settings, as JSON."""

    @property
    def folder(self) -> Path:
        """Folder of the run that goes on."""


class Progress(Protocol):
    """Shows how far many runs have come; a context manager."""

    def __enter__(self) -> Progress: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def look(self, running: Sequence[Shown]) -> None:
        """Show the runs that go on; called several times a second."""

    def ended(self, failed: bool) -> None:
        """Count a run that has ended."""


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def look(self, running: Sequence[Shown]) -> None:
        """Do nothing."""

    def ended(self, failed: bool) -> None:
        """Do nothing."""


class Lines:
    """Prints a plain line every few seconds."""

    every = LINE_SECONDS

    def __init__(self, runs: int, complete: int, what: str = "runs") -> None:
        self.runs, self.before, self.what = runs, complete, what
        self.complete, self.failed = complete, 0
        self._begun = time.monotonic()
        self._next = self._begun + self.every

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def ended(self, failed: bool) -> None:
        """Count a run that has ended."""
        self.failed += failed
        self.complete += not failed

    def head(self) -> str:
        """Return how many runs have ended, and how long the others may take at that rate."""
        now = self.complete + self.failed
        words = [f"{self.complete:,}/{self.runs:,} {self.what} complete"]
        if self.failed:
            words.append(f"{self.failed:,} failed")
        spent, here = time.monotonic() - self._begun, now - self.before
        words.append(duration(spent))
        if here and now < self.runs:
            words[-1] += f" + {duration(spent / here * (self.runs - now))}"
        return ", ".join(words)

    def look(self, running: Sequence[Shown]) -> None:
        """Print a line if it is time."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self.every
        self.show(running)

    def show(self, running: Sequence[Shown]) -> None:
        """Print a line."""
        shares = [f"{name} {share:.0%}" for name, share, _ in map(stand, running[:3]) if share is not None]
        announce("; ".join([self.head(), *shares]))


class Table(Lines):
    """A table of the runs that go on, drawn anew (rich)."""

    every = REFRESH_SECONDS

    def __init__(self, runs: int, complete: int, what: str = "runs") -> None:
        from rich.console import Console
        from rich.live import Live

        super().__init__(runs, complete, what)
        self._open = ExitStack()
        self._console = Console(file=progress_stream())
        self._live = Live(console=self._console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)

    def __enter__(self) -> Table:
        with suppress(OSError, ValueError):
            self._live.start()
        self._open.enter_context(lines_above(self._say))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        with suppress(OSError, ValueError):
            self._live.update(self.drawn([]), refresh=True)
            self._live.stop()

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def show(self, running: Sequence[Shown]) -> None:
        """Draw the table."""
        with suppress(OSError, ValueError):
            self._live.update(self.drawn(running), refresh=True)

    def drawn(self, running: Sequence[Shown]) -> Any:
        """Return the table."""
        from rich.table import Table as Drawn
        from rich.text import Text

        table = Drawn(title=Text(self.head()), title_justify="left", box=None, pad_edge=False)
        shown = [row for row in map(stand, running[:MOST_SHOWN]) if row[1] is not None]
        if shown:
            table.add_column("run", no_wrap=True)
            table.add_column("steps", justify="right")
            table.add_column("return", justify="right")
        for name, share, mean in shown:
            table.add_row(Text(name), f"{share:.0%}", "-" if mean is None else f"{mean:.1f}")
        return table


def make_progress(quiet: bool, runs: int, complete: int, what: str = "runs") -> Progress:
    """Return what fits where progress goes."""
    if quiet:
        return Silent()
    return (Table if is_terminal(progress_stream()) else Lines)(runs, complete, what)


def stand(trial: Shown) -> tuple[str, float | None, float | None]:
    """Return name, share of steps done and latest mean return of a run; no share if it has not begun."""
    columns, row = _ends(trial.folder / METRICS_FILE)
    if columns is None:
        return trial.name, None, None
    found = dict(zip(columns, row, strict=False))
    try:
        share = int(found.get("step", 0)) / json.loads(trial.settings)["steps"]
        mean = float(found["mean_return"]) if found.get("mean_return") else None
    except ValueError:  # a row that is being written
        return trial.name, 0.0, None
    return trial.name, share, mean


def _ends(path: Path) -> tuple[list[str] | None, list[str]]:
    """Return the names of the columns of a file, and its last whole row."""
    try:
        with path.open("rb") as file:
            columns = file.readline().decode().strip().split(",")
            start = file.tell()
            file.seek(max(file.seek(0, os.SEEK_END) - TAIL, start))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return None, []
    return columns, lines[-1].split(",") if lines else []
