"""What the tests of the command line share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from synaptick import Agent

Cli = Callable[..., tuple[int, str, str]]
SMALL = ("--set", "layers=[8]")
CHECKPOINTS = ("agent.synaptick", "agent.older.synaptick")
FILES = {"config.yaml", "versions.json", "results.csv", "metrics.csv", "summary.json", *CHECKPOINTS}


def rows(folder: Path) -> list[list[float]]:
    """Return the rows of results.csv; there must be nothing else in it."""
    lines = (folder / "results.csv").read_text().splitlines()
    assert lines[0] == "step,episode,return,length"
    return [[float(field) for field in line.split(",")] for line in lines[1:]]


def assert_whole(folder: Path, steps: int) -> None:
    """The folder holds a run of so many steps, with a row for every episode."""
    # A lock without its holder, as a kill leaves it, means nothing.
    assert {entry.name for entry in folder.iterdir()} - {".lock"} == FILES
    agent, summary = Agent.load(folder / "agent.synaptick"), json.loads((folder / "summary.json").read_text())
    assert (agent.ticks, summary["steps"]) == (steps, steps)
    found = rows(folder)
    assert [row[1] for row in found] == list(range(1, len(found) + 1))
    assert summary["episodes"] == len(found)
    last = 0.0
    for step, _, _, length in found:
        # A resumed run begins a new episode, so the one before it has no row.
        assert step >= last + length
        last = step
    assert last <= steps
