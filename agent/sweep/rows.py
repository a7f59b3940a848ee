"""results.csv of a sweep: a row a run, made of what stands in the folders of the runs that depends on no time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..files import write_atomically
from ..training.results import RESULTS_FILE
from ..training.run_folder import is_complete, summary_of
from .spec import Spec, cell, numbered
from .trial import Ended

RESULT_COLUMNS = ("steps", "episodes", "mean_return_last_100", "status", "exit_code")


def rows(root: Path, spec: Spec, ended: Mapping[str, Ended]) -> Iterator[dict[str, Any]]:
    """Yield the row of every run, by configuration and seed.

    A run is ``complete``; or ``stopped``, by a hook that found it good enough; or ``failed``, if `ended` has it; or
    ``unfinished``.
    """
    for arm, seed, name in numbered(spec.arms, spec.seeds):
        summary = summary_of(root / name)
        code: int | None = ended[name].code if name in ended else None
        status = "unfinished" if code is None else "failed"
        if is_complete(summary, arm.config.steps):
            status, code = ("stopped" if summary.get("stopped") else "complete"), 0
        settings = {key: cell(value) for key, value in arm.varied.items()}
        counts = {key: summary.get(key) for key in ("steps", "episodes", "mean_return_last_100")}
        if status == "unfinished":  # how far it has come is a matter of time
            counts = dict.fromkeys(counts)
        yield {"run": name, **settings, "seed": seed, **counts, "status": status, "exit_code": code}


def write_rows(root: Path, spec: Spec, ended: Mapping[str, Ended]) -> dict[str, list[dict[str, Any]]]:
    """Write results.csv, and return the rows by their status."""
    text, found = io.StringIO(), dict[str, list[dict[str, Any]]]()
    columns = ("run", *spec.varied, "seed", *(name for name in RESULT_COLUMNS if name not in spec.varied))
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows(root, spec, ended):
        writer.writerow(row)
        found.setdefault(row["status"], []).append(row)
    write_atomically(root / RESULTS_FILE, text.getvalue().encode())
    return found
