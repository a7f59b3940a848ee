"""What a comparison found, as lines of a terminal and rows of a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from ..bench.support.tables import wrapped
from .compare import Comparison
from .statistics import Estimate

ALL = "all"
COLUMNS = ("statistic", "arm", "over", "environment", "runs", "at", "estimate", "low", "high")
# Columns of a terminal, and of the label of an arm.
WIDTH, WIDEST = 80, 24


def lines(found: Comparison) -> Iterator[str]:
    """Yield the tables of a comparison, none wider than `WIDTH`."""
    labels = [arm.label for arm in found.arms]
    width = min(max(map(len, labels)), WIDEST)
    first = labels[0]
    for env in [*found.envs, *([""] if len(found.envs) > 1 else [])]:
        runs = {arm.label: len(arm.of(env)) if env else len(arm.outcomes) for arm in found.arms}
        yield env or f"{len(found.envs)} environments, scaled"
        yield f"  {'':{width}}  runs  {'IQM [95 % interval]':27}  better than first"
        for label in labels:
            told = f"  {shortened(label, width):{width}} {runs[label]:5}  {_told(found.iqm[label, env]):27}"
            if label != first:
                told += f"  {_chance(found.improvement[label, first, env])}"
            yield told.rstrip()
        yield ""
    for note in found.notes:
        yield from wrapped(f"note: {note}", "")


def shortened(text: str, width: int) -> str:
    """Return a text of at most so many characters: beginning and end if it is longer."""
    end = (width - 3) // 2
    return text if len(text) <= width else f"{text[: width - 3 - end]}...{text[-end:]}"


def _told(estimate: Estimate) -> str:
    value, low, high = (_number(float(part)) for part in estimate)
    return f"{value} [{low}, {high}]"


def _number(value: float) -> str:
    if value != value:
        return "-"
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= 10 * unit:
            return f"{value / unit:.4g}{letter}"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}"


def _chance(estimate: Estimate) -> str:
    value, low, high = (("-" if part != part else f"{part:.2f}") for part in map(float, estimate))
    return f"{value} [{low}, {high}]"


def rows(found: Comparison) -> Iterator[dict[str, Any]]:
    """Yield a row for each number of a comparison, with its interval."""
    runs = {(arm.label, env): len(arm.of(env)) for arm in found.arms for env in found.envs}
    runs |= {(arm.label, ""): len(arm.outcomes) for arm in found.arms}
    for (label, env), estimate in found.iqm.items():
        yield _row("iqm", label, "", env, runs[label, env], "", estimate)
    for (label, over, env), estimate in found.improvement.items():
        yield _row("probability_of_improvement", label, over, env, runs[label, env], "", estimate)
    for name, at, curves in (
        ("performance_profile", found.levels, found.profiles),
        ("iqm_by_steps", found.steps, found.curves),
    ):
        for label, curve in curves.items():
            for k, x in enumerate(at):
                yield _row(name, label, "", "", runs[label, ""], float(x), Estimate(*(part[k] for part in curve)))


def _row(name: str, label: str, over: str, env: str, runs: int, at: Any, estimate: Estimate) -> dict[str, Any]:
    numbers = (float(part) for part in estimate)
    told = (None if number != number else number for number in numbers)
    return dict(zip(COLUMNS, (name, label, over, env or ALL, runs, at, *told), strict=True))


def table(found: Comparison) -> str:
    """Return all numbers of a comparison as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows(found):
        writer.writerow({name: f"{value:.6g}" if isinstance(value, float) else value for name, value in row.items()})
    return text.getvalue()
