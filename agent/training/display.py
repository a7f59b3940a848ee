"""What a run shows while it goes on: a live panel on a terminal, a line now and then in a pipe, or nothing."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Any, Protocol, TextIO

from .console import announce, lines_above, progress_stream
from .episodes import Tally

LINE_SECONDS = 5.0
REFRESH_SECONDS = 0.25


class Display(Protocol):
    """Shows the progress of a run; a context manager."""

    def __enter__(self) -> Display: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def update(self, tally: Tally) -> None:
        """Show the counts; called every few hundred steps."""


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, tally: Tally) -> None:
        """Do nothing."""


class Lines:
    """Prints a plain line every few seconds."""

    def __init__(self, title: str, steps: int, nbytes: int) -> None:
        self._title, self._steps, self._nbytes = title, steps, nbytes
        self._meter = Meter()
        self._next = time.monotonic() + LINE_SECONDS

    def __enter__(self) -> Lines:
        announce(f"{self._title}: {self._steps:,} steps, {self._nbytes:,} bytes of state")
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, tally: Tally) -> None:
        """Print a line if it is time."""
        rate = self._meter.rate(tally.steps)
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + LINE_SECONDS
            announce(
                f"step {tally.steps:,}/{self._steps:,}  episode {tally.episodes:,}  "
                f"return {_number(tally.mean_return)}  {rate:,.0f} ticks/s"
            )


class Panel:
    """A live progress bar with return, ticks a second and the constant number of bytes (rich).

    A terminal that is gone is one that nobody reads.
    """

    def __init__(self, title: str, steps: int, nbytes: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self._open = ExitStack()
        self._meter = Meter()
        self._next = 0.0
        self._steps = steps
        self._progress = Progress(
            BarColumn(bar_width=16),
            TaskProgressColumn(),
            TextColumn("return [bold green]{task.fields[mean]}"),
            TextColumn("{task.fields[rate]} ticks/s"),
            TextColumn(f"{nbytes:,} bytes"),
            TimeRemainingColumn(compact=True),
            console=Console(file=progress_stream()),
            auto_refresh=False,
            redirect_stdout=_is_terminal(sys.stdout),  # else what an environment prints goes where it was sent
        )
        self._heading = f"[bold]{title}[/], {steps:,} steps; return: mean of the last 100 episodes"
        self._task: Any = self._progress.add_task(title, total=steps, mean="-", rate="-")

    def __enter__(self) -> Panel:
        with suppress(OSError, ValueError):
            self._progress.console.print(self._heading)
            self._progress.start()
        self._open.enter_context(lines_above(self._say))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        with suppress(OSError, ValueError):
            self._progress.stop()

    def _say(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def update(self, tally: Tally) -> None:
        """Redraw if it is time, and always at the end."""
        rate = self._meter.rate(tally.steps)
        now = time.monotonic()
        if now >= self._next or tally.steps >= self._steps:
            self._next = now + REFRESH_SECONDS
            mean, speed = _number(tally.mean_return), f"{rate:,.0f}"
            with suppress(OSError, ValueError):
                self._progress.update(self._task, completed=tally.steps, mean=mean, rate=speed, refresh=True)


class Meter:
    """Ticks a second over about the last second."""

    def __init__(self) -> None:
        self._time = time.monotonic()
        self._steps: int | None = None
        self._rate = 0.0

    def rate(self, steps: int) -> float:
        """Return the rate, given the number of steps so far."""
        now = time.monotonic()
        if self._steps is None:
            self._steps, self._time = steps, now
        elif now - self._time >= 1.0 or (self._rate == 0.0 and now - self._time >= 0.1):
            self._rate = (steps - self._steps) / (now - self._time)
            self._steps, self._time = steps, now
        return self._rate


def make_display(quiet: bool, title: str, steps: int, nbytes: int) -> Display:
    """Return the display that fits where progress goes."""
    if quiet:
        return Silent()
    return (Panel if _is_terminal(progress_stream()) else Lines)(title, steps, nbytes)


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
