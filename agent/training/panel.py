"""The lines of the live panel, as plain text of a given width."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from ..metrics import Row
from ..metrics.episodes import Tally

# Points of the curve that are kept; when there are as many, neighbors become their mean.
POINTS = 512
BLOCKS = "▁▂▃▄▅▆▇█"
FULL, EMPTY = "━", "─"


class Curve:
    """Numbers over a run in fixed memory, coarser as they become more."""

    def __init__(self) -> None:
        self._points: dict[str, list[float]] = {}
        # Of each name: sum and number of what is to become a point, and how many that takes.
        self._pending: dict[str, tuple[float, int, int]] = {}

    def add(self, name: str, value: float | None) -> None:
        """Add a number to the curve of a name."""
        if value is None:
            return
        points = self._points.setdefault(name, [])
        total, count, each = self._pending.get(name, (0.0, 0, 1))
        total, count = total + value, count + 1
        if count >= each:
            points.append(total / count)
            total, count = 0.0, 0
        if len(points) >= POINTS:
            points[:] = [(a + b) / 2 for a, b in zip(points[::2], points[1::2], strict=True)]
            each *= 2
        self._pending[name] = total, count, each

    def points(self, name: str) -> list[float]:
        """Return the curve of a name, empty if there is none."""
        return list(self._points.get(name, ()))


def sparkline(points: list[float], width: int) -> str:
    """Return a curve as `width` characters at most, each the mean of its stretch."""
    if not points or width < 1:
        return ""
    count = min(width, len(points))
    edges = [len(points) * k // count for k in range(count + 1)]
    means = [sum(points[a:b]) / (b - a) for a, b in pairwise(edges)]
    low, high = min(means), max(means)
    if high <= low:
        return BLOCKS[0] * count
    return "".join(BLOCKS[min(int((mean - low) / (high - low) * len(BLOCKS)), len(BLOCKS) - 1)] for mean in means)


def panel_lines(
    width: int,
    title: str,
    steps: int,
    nbytes: int,
    tally: Tally,
    row: Row,
    curve: Curve,
    rate: float,
    elapsed: float,
) -> list[str]:
    """Return the panel, line by line, none longer than `width`."""
    share = min(tally.steps / steps, 1.0) if steps else 1.0
    left = (steps - tally.steps) / rate if rate > 0 else None
    head = [title, f"{tally.steps:,}/{steps:,}", f"{rate:,.0f} ticks/s", f"{_clock(elapsed)} + {_clock(left)}"]
    bar = max(width - 6, 10)
    filled = int(bar * share)
    lines = ["  ".join(head), f"{share:4.0%} {FULL * filled}{EMPTY * (bar - filled)}"]
    by_episode = bool(curve.points("mean_return"))
    points = curve.points("mean_return" if by_episode else "reward_rate")
    what = "return" if by_episode else "reward a step"
    now = tally.mean_return if tally.mean_return is not None else row.get("reward_rate")
    if points:
        ends = f"{_short(min(points))} to {_short(max(points))}"
        text = f"{what} {_short(now)} "
        lines.append(f"{text}{sparkline(points, width - len(text) - len(ends) - 1)} {ends}")
    else:
        lines.append(f"{what} {_short(now)}")
    lines.append(
        "  ".join(
            [
                f"td error {_short(row.get('td_error'))}",
                f"value {_short(row.get('value'))}",
                *(f"{name} {_short(row[name])}" for name in ("entropy", "std") if row.get(name) is not None),
                f"p99 {_short(row.get('tick_us_p99'))} us",
                f"{nbytes:,} bytes",
            ]
        )
    )
    lines += [f"{net} spikes {' '.join(_rates(row, net))}" for net in ("actor", "critic") if row]
    return [line[:width] for line in lines]


def _rates(row: Row, net: str) -> Iterable[str]:
    for name, value in row.items():
        if name.startswith(f"{net}/") and name.endswith("/spike_rate"):
            payload = row.get(name.replace("spike_rate", "payload"))
            yield f"{name.split('/')[1]}: {value:.2f} x {_short(payload)}"


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}"


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
