"""The folder a run writes: configuration, versions, one row an episode, a summary, the latest checkpoint."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import time
from pathlib import Path
from typing import Any, TextIO

from .agent import Agent
from .checkpoint import write_atomically
from .config import Config
from .config_file import dump_config, load_config
from .errors import StateError
from .loop import Tally

CONFIG_FILE = "config.yaml"
VERSIONS_FILE = "versions.json"
RESULTS_FILE = "results.csv"
OLDER_RESULTS_FILE = "results.older.csv"
SUMMARY_FILE = "summary.json"
CHECKPOINT_FILE = "agent.synaptick"

HEADER = "step,episode,return,length\n"
# Disk is bounded too: a full results file becomes the older one, and replaces the older one before it.
MAX_ROWS = 1_000_000


def versions() -> dict[str, str]:
    """Return the versions a result depends on."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in ("synaptick", "numpy", "numba", "llvmlite", "gymnasium"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


class RunFolder:
    """One run on disk.

    Use `create` for a new run and `open` for one to be resumed or evaluated.
    """

    def __init__(self, path: Path, config: Config) -> None:
        self.path = path
        self.config = config
        self._results: TextIO | None = None
        self._rows = 0

    @classmethod
    def create(cls, path: Path, config: Config) -> RunFolder:
        """Make the folder; raise `StateError` if it already holds a run."""
        if (path / CONFIG_FILE).exists():
            raise StateError(f"{path} already holds a run; continue it with --resume {path}, or give another --out")
        path.mkdir(parents=True, exist_ok=True)
        folder = cls(path, config)
        write_atomically(path / CONFIG_FILE, dump_config(config).encode())
        write_atomically(path / VERSIONS_FILE, _json(versions()))
        write_atomically(path / RESULTS_FILE, HEADER.encode())
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Open an existing run; raise `StateError` if there is none."""
        for name in (CONFIG_FILE, CHECKPOINT_FILE):
            if not (path / name).is_file():
                raise StateError(f"{path} holds no run that can be used: {name} is missing")
        return cls(path, load_config(path / CONFIG_FILE))

    @staticmethod
    def default_path(config: Config) -> Path:
        """Return a fresh path below ``runs/`` that names environment, seed and time."""
        name = config.env.replace("/", "-").replace(":", "-")
        stamp = time.strftime("%Y%m%d-%H%M%S")
        path = Path("runs") / f"{name}-seed{config.seed}-{stamp}"
        number = 1
        while path.exists():
            number += 1
            path = path.with_name(f"{name}-seed{config.seed}-{stamp}-{number}")
        return path

    def load_agent(self) -> Agent:
        """Return the agent of the latest checkpoint."""
        return Agent.load(self.path / CHECKPOINT_FILE)

    def update_config(self, config: Config) -> None:
        """Replace the stored configuration, as when a resumed run gets more steps."""
        self.config = config
        write_atomically(self.path / CONFIG_FILE, dump_config(config).encode())

    def rewind(self, step: int) -> Tally:
        """Drop rows of episodes that ended after `step`, the age of the checkpoint; return the counts of the rest."""
        kept = [HEADER]
        tally = Tally(steps=step)
        path = self.path / RESULTS_FILE
        for line in path.read_text().splitlines()[1:] if path.exists() else []:
            fields = line.split(",")
            if len(fields) == 4 and int(fields[0]) <= step:
                kept.append(line + "\n")
                tally.episodes = int(fields[1]) - 1
                tally.record(float(fields[2]), int(fields[3]))
        write_atomically(path, "".join(kept).encode())
        return tally

    def write_episode(self, tally: Tally) -> None:
        """Append the row of the episode that has just ended."""
        if self._results is None:
            self._results = (self.path / RESULTS_FILE).open("a", encoding="utf-8")
            self._rows = sum(1 for _ in (self.path / RESULTS_FILE).open(encoding="utf-8")) - 1
        self._results.write(f"{tally.steps},{tally.episodes},{tally.last_return:.10g},{tally.last_length}\n")
        self._rows += 1
        if self._rows >= MAX_ROWS:
            self._results.close()
            (self.path / RESULTS_FILE).replace(self.path / OLDER_RESULTS_FILE)
            (self.path / RESULTS_FILE).write_text(HEADER)
            self._results = None

    def write_checkpoint(self, agent: Agent) -> None:
        """Bring rows and checkpoint to disk, rows first, so that no row is missing for a checkpoint that exists."""
        if self._results is not None:
            self._results.flush()
        agent.save(self.path / CHECKPOINT_FILE)

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Write summary.json."""
        write_atomically(self.path / SUMMARY_FILE, _json(summary))

    def close(self) -> None:
        """Close the results file."""
        if self._results is not None:
            self._results.close()
            self._results = None


def _json(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, indent=2) + "\n").encode()
