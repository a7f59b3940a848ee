"""The folder a run writes: configuration, versions, one row an episode, a summary, the latest checkpoint."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import time
from contextlib import suppress
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
ALL_FILES = (CONFIG_FILE, VERSIONS_FILE, RESULTS_FILE, OLDER_RESULTS_FILE, SUMMARY_FILE, CHECKPOINT_FILE)

HEADER = "step,episode,return,length\n"
COLUMNS = (int, int, float, int)
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
    def create(cls, path: Path, agent: Agent) -> RunFolder:
        """Make the folder, with a checkpoint of the agent as it is, so that it can be resumed from the first moment.

        Raises
        ------
        StateError
            If the folder already holds a run, or files with the names of one.
        """
        if (path / CHECKPOINT_FILE).exists():
            raise StateError(f"{path} already holds a run; continue it with --resume {path}, or give another --out")
        # A configuration without a checkpoint is what a run leaves that was killed while it made its folder.
        if not (path / CONFIG_FILE).exists():
            taken = [name for name in ALL_FILES if (path / name).exists()]
            if taken:
                raise StateError(f"{path} holds {', '.join(taken)}, which a run would overwrite; give another --out")
        path.mkdir(parents=True, exist_ok=True)
        folder = cls(path, agent.config)
        write_atomically(path / CONFIG_FILE, dump_config(agent.config).encode())
        write_atomically(path / VERSIONS_FILE, _json(versions()))
        write_atomically(path / RESULTS_FILE, HEADER.encode())
        folder.write_checkpoint(agent)
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

    def reopen(self, config: Config) -> None:
        """Store the configuration of a resumed run, which may have more steps, and the versions it goes on with."""
        self.config = config
        write_atomically(self.path / CONFIG_FILE, dump_config(config).encode())
        write_atomically(self.path / VERSIONS_FILE, _json(versions()))

    def rewind(self, step: int) -> Tally:
        """Drop rows of episodes that ended after `step`, the age of the checkpoint; return the counts of the rest."""
        tally = Tally(steps=step)
        for path in (self.path / OLDER_RESULTS_FILE, self.path / RESULTS_FILE):
            if not path.exists():
                continue
            kept = [HEADER]
            lines = path.read_text().splitlines(keepends=True)[1:]
            if lines and not lines[-1].endswith("\n"):
                lines.pop()  # cut short when the machine stopped; rows reach the disk before the checkpoint does
            for number, line in enumerate(lines, 2):
                try:
                    end, episode, total, length = (kind(x) for kind, x in zip(COLUMNS, line.split(","), strict=True))
                except ValueError as error:
                    raise StateError(
                        f"{path}, line {number}: {line.strip()!r} is not a row {HEADER.strip()}"
                    ) from error
                if end <= step:
                    kept.append(line)
                    tally.episodes = int(episode) - 1
                    tally.record(total, int(length))
            write_atomically(path, "".join(kept).encode())
        return tally

    def write_episode(self, tally: Tally) -> None:
        """Append the row of the episode that has just ended."""
        if self._results is None:
            self._results = (self.path / RESULTS_FILE).open("a+", encoding="utf-8")
            self._results.seek(0)
            self._rows = sum(1 for _ in self._results) - 1
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
            os.fsync(self._results.fileno())
        agent.save(self.path / CHECKPOINT_FILE)

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Write summary.json."""
        write_atomically(self.path / SUMMARY_FILE, _json(summary))

    def close(self) -> None:
        """Close the results file; what it still holds back is lost if the disk is full."""
        if self._results is not None:
            with suppress(OSError):
                self._results.close()
            self._results = None


def _json(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, indent=2) + "\n").encode()
