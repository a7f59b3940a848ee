"""What a run shows while it goes on: a live panel on a terminal, a line now and then in a pipe, or nothing."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Any, Protocol, TextIO

from ..metrics import Row
from ..metrics.episodes import Tally
from .console import announce, lines_above, progress_stream
from .panel import BLOCKS, Curve, panel_lines

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

    def log(self, row: Row) -> None:
        """Take a row of metrics."""

    def say(self, line: str) -> None:
        """Show a line."""


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, tally: Tally) -> None:
        """Do nothing."""

    def log(self, row: Row) -> None:
        """Do nothing."""

    def say(self, line: str) -> None:
        """Do nothing."""


class Lines:
    """Prints a plain line every few seconds."""

    def __init__(self, title: str, steps: int, nbytes: int) -> None:
        self._title, self._steps, self._nbytes = title, steps, nbytes
        self._meter = Meter()
        self._next = time.monotonic() + LINE_SECONDS
        self._row: Row = {}

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
            how = f"return {_number(tally.mean_return)}"
            if tally.mean_return is None and self._row.get("reward_rate") is not None:
                how = f"reward a step {self._row['reward_rate']:.4g}"
            announce(f"step {tally.steps:,}/{self._steps:,}  episode {tally.episodes:,}  {how}  {rate:,.0f} ticks/s")

    def log(self, row: Row) -> None:
        """Keep the row for the next line."""
        self._row = row

    def say(self, line: str) -> None:
        """Print a line."""
        announce(line)


class Panel:
    """A live panel: progress, a curve of return or reward, TD error, activity of layers, time of a step (rich).

    A terminal that is gone is one that nobody reads.
    """

    def __init__(self, title: str, steps: int, nbytes: int) -> None:
        from rich.console import Console
        from rich.live import Live

        self._open = ExitStack()
        self._meter, self._curve = Meter(), Curve()
        self._next, self._begun = 0.0, time.monotonic()
        self._title, self._steps, self._nbytes, self._first = title, steps, nbytes, 0
        self._row: Row = {}
        self._console = Console(file=progress_stream())
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            redirect_stdout=is_terminal(sys.stdout),  # else what an environment prints goes where it was sent
            redirect_stderr=False,
        )

    def __enter__(self) -> Panel:
        with suppress(OSError, ValueError):
            self._live.start()
        self._open.enter_context(lines_above(self.say))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        with suppress(OSError, ValueError):
            self._live.stop()

    def say(self, line: str) -> None:
        """Print a line above the panel."""
        with suppress(OSError, ValueError):
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def log(self, row: Row) -> None:
        """Add the row to the curve."""
        self._row = row
        for name in ("mean_return", "reward_rate"):
            self._curve.add(name, row.get(name))

    def update(self, tally: Tally) -> None:
        """Redraw if it is time, and always at the end."""
        rate = self._meter.rate(tally.steps)
        now = time.monotonic()
        self._first = self._first or tally.steps
        if now >= self._next or tally.steps >= self._steps:
            self._next = now + REFRESH_SECONDS
            with suppress(OSError, ValueError):
                self._live.update(self._drawn(tally, rate, now), refresh=True)

    def _drawn(self, tally: Tally, rate: float, now: float) -> Any:
        from rich.text import Text

        width = max(self._console.width - 1, 40)
        lines = panel_lines(
            width, self._title, self._steps, self._nbytes, tally, self._row, self._curve, rate, now - self._begun
        )
        return Text("\n".join(lines), no_wrap=True, overflow="crop")


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
    stream = progress_stream()
    return (Panel if is_terminal(stream) and _can_show(stream, BLOCKS) else Lines)(title, steps, nbytes)


def _can_show(stream: TextIO | None, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal that is still there."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
