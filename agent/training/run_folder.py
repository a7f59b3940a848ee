"""The folder a run writes: configuration, versions, one row an episode, a summary, the last two checkpoints."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from ..agent import Agent
from ..arena import checkpoint
from ..config import Config
from ..errors import DamagedError, StateError
from ..files import replace_and_keep, write_atomically
from ..metrics import METRICS_FILE, MetricsFile, Readings
from ..metrics.episodes import Tally
from ..versions import versions
from .changes import CHANGES_FILE
from .config_file import dump_config, load_config
from .console import warn
from .lock import FolderLock
from .results import OLDER_RESULTS_FILE, RESULTS_FILE, Results

CONFIG_FILE = "config.yaml"
VERSIONS_FILE = "versions.json"
SUMMARY_FILE = "summary.json"
CHECKPOINTS = (checkpoint.NEWEST_FILE, checkpoint.OLDER_FILE)
ALL_FILES = (
    *(CONFIG_FILE, VERSIONS_FILE, RESULTS_FILE, OLDER_RESULTS_FILE, METRICS_FILE, CHANGES_FILE, SUMMARY_FILE),
    *CHECKPOINTS,
)


class Moment(NamedTuple):
    """What a checkpoint of a run holds, all of one moment, between two steps.

    Attributes
    ----------
    agent : Agent
    tally : Tally or None
        Counts; None if the file was not written by a run.
    env : dict or None
        State of the environment; None if it is not known.
    """

    agent: Agent
    tally: Tally | None = None
    env: dict[str, Any] | None = None


def fresh_path(name: str) -> Path:
    """Return a path below ``runs/`` that is not there yet, of a name and the time."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    path = Path("runs") / f"{name}-{stamp}"
    number = 1
    while path.exists():
        number += 1
        path = path.with_name(f"{name}-{stamp}-{number}")
    return path


def summary_of(folder: Path) -> dict[str, Any]:
    """Return the summary of a run; empty without one that can be read, as after a kill at the very end."""
    try:
        found = json.loads((folder / SUMMARY_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_complete(summary: dict[str, Any], steps: int) -> bool:
    """Return whether a summary is of a run that has come to its end: has all its steps, or was ended by a hook."""
    return summary.get("steps") == steps or bool(summary.get("stopped"))


class RunFolder:
    """One run on disk; a context, at whose end nothing of it is open or locked.

    Use `create` for a new run and `open` for one to be resumed or evaluated.

    Attributes
    ----------
    path : Path
        Absolute, since an environment may change the working directory.
    given : Path
        The same as the user knows it.
    config : Config
    """

    def __init__(self, path: Path, config: Config, lock: FolderLock | None = None, given: Path | None = None) -> None:
        self.path, self.given = path, given or path
        self.config = config
        self._results = Results(path)
        self._lock = lock

    @classmethod
    def create(cls, path: Path, agent: Agent, given: Path | None = None) -> RunFolder:
        """Make the folder, with a checkpoint of the agent as it is, so that it can be resumed from the first moment.

        Parameters
        ----------
        path : Path
            Absolute.
        agent : Agent
        given : Path, optional
            The same for messages.

        Raises
        ------
        StateError
            If the folder already holds a run, or files with the names of one, or is being written by another process,
            or cannot be written.
        """
        with _to_be_written(given or path), ExitStack() as on_error:
            path.mkdir(parents=True, exist_ok=True)
            lock = FolderLock(path)
            on_error.callback(lock.release)
            folder = cls(path, agent.config, lock, given)
            folder._fill(agent)
            on_error.pop_all()
        return folder

    def _fill(self, agent: Agent) -> None:
        if any((self.path / name).exists() for name in CHECKPOINTS):
            where = self.given
            raise StateError(f"{where} already holds a run; continue it with --resume {where}, or give another --out")
        # A configuration without a checkpoint is what a run leaves that was killed while it made its folder.
        if not (self.path / CONFIG_FILE).exists():
            taken = [name for name in ALL_FILES if (self.path / name).exists()]
            if taken:
                raise StateError(
                    f"{self.given} holds {', '.join(taken)}, which a run would overwrite; give another --out"
                )
        self._tidy()
        self._describe()
        self._results.create()
        self.open_metrics(agent).create()
        self.write_checkpoint(agent, Tally())

    def _describe(self) -> None:
        """Write what the run is."""
        write_atomically(self.path / CONFIG_FILE, dump_config(self.config).encode())
        write_atomically(self.path / VERSIONS_FILE, _json(versions()))

    @classmethod
    def open(cls, path: Path, to_write: bool = False) -> RunFolder:
        """Open an existing run.

        Parameters
        ----------
        path : Path
        to_write : bool
            True: keep other processes from writing to it.

        Raises
        ------
        StateError
            If there is none, or if it is to be written and cannot be, or another process does.
        """
        for names in ((CONFIG_FILE,), CHECKPOINTS):
            if not any((path / name).is_file() for name in names):
                raise StateError(f"{path} holds no run that can be used: {names[0]} is missing")
        config = load_config(path / CONFIG_FILE)
        with _to_be_written(path):
            lock = FolderLock(path.absolute()) if to_write else None
        return cls(path.absolute(), config, lock, path)

    @staticmethod
    def default_path(config: Config, what: str = "") -> Path:
        """Return a fresh path below ``runs/`` that names environment, seed or `what` else there is, and time."""
        return fresh_path(f"{config.env.replace('/', '-').replace(':', '-')}-{what or f'seed{config.seed}'}")

    def load(self) -> Moment:
        """Return what the newest checkpoint holds; if it is damaged or missing, say so and take the older one.

        Raises
        ------
        StateError
            If neither can be used.
        """
        newest, older = (self.given / name for name in CHECKPOINTS)
        try:
            if not newest.exists():
                raise DamagedError(f"{newest} is missing")
            return self._moment(newest)
        except DamagedError as error:
            if not older.exists():
                raise
            try:
                moment = self._moment(older)
            except StateError as another:
                raise DamagedError(f"{error}; nor can the one before be used: {another}") from another
            warn(f"{error}; instead {older} is used, of step {moment.agent.ticks}")
            return moment

    def _moment(self, path: Path) -> Moment:
        agent, notes = Agent.load_with_notes(path)
        if notes is None:
            return Moment(agent)
        try:
            # An environment made with other arguments is another one.
            same = notes["env_kwargs"] == json.loads(json.dumps(self.config.env_kwargs))
            return Moment(agent, Tally.from_dict(notes["tally"]), notes["env"] if same else None)
        except (KeyError, TypeError, ValueError) as error:
            raise StateError(f"{path}: its notes are not those of a run ({error!r})") from error

    def reopen(self, config: Config, agent: Agent) -> Tally:
        """Make the folder what it was when `agent`, which is of one of its checkpoints, was written.

        Rows of episodes that ended later are dropped; the counts of the others are returned. The configuration of the
        resumed run, which may have more steps, and the versions it goes on with are stored.

        Raises
        ------
        StateError
            If something in it cannot be read or written.
        """
        self.config = config
        newest, older = (self.path / name for name in CHECKPOINTS)
        with _to_be_written(self.given):
            tally = self._results.rewind(agent.ticks)
            self._tidy()
            if not _is_whole(newest):
                older.replace(newest)  # else the next checkpoint would put the damaged one in the whole one's place
            self._describe()
        return tally

    def _tidy(self) -> None:
        """Remove unfinished files that a kill has left."""
        for path in self.path.glob(".*.part"):
            if any(name in path.name for name in ALL_FILES):
                path.unlink()

    def open_metrics(self, agent: Agent) -> MetricsFile:
        """Return the file of metrics of an agent, with the rows up to its step; it is written with the next row."""
        return MetricsFile(self.path / METRICS_FILE, Readings(agent).columns, agent.ticks)

    @property
    def rows_lost(self) -> int:
        """Rows that could not be written, and for which there was no more room."""
        return self._results.lost

    def write_episode(self, tally: Tally) -> None:
        """Append the row of the episode that has just ended; it may take a few more rows until it is on disk.

        Raises
        ------
        OSError
            If rows cannot be written; they are held back and tried again.
        """
        self._results.add(tally)

    def write_checkpoint(self, agent: Agent, tally: Tally | None = None, env: dict[str, Any] | None = None) -> None:
        """Bring rows and checkpoint to disk, rows first, so that no row is missing for a checkpoint that exists.

        The newest checkpoint becomes the older one; there is a whole one at any moment.

        Raises
        ------
        OSError
            If something cannot be written; the checkpoints there were are untouched.
        """
        self._results.synchronize()
        notes = tally and {"tally": tally.to_dict(), "env": env, "env_kwargs": self.config.env_kwargs}
        newest, older = (self.path / name for name in CHECKPOINTS)
        fresh = self.path / f".{checkpoint.NEWEST_FILE}.part"
        agent.save(fresh, notes)
        replace_and_keep(fresh, newest, older)

    def make_anew(self) -> bool:
        """Make the folder again if it was removed or moved away, and return whether it was.

        Raises
        ------
        OSError
            If it cannot be made.
        """
        if self.path.exists():
            return False
        warn(f"{self.given} was removed or moved away: it is made anew")
        self.path.mkdir(parents=True)
        self._results.close()  # it has the file that is gone
        self._describe()
        return True

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Write summary.json."""
        write_atomically(self.path / SUMMARY_FILE, _json(summary))

    def is_summed_up(self, steps: int) -> bool:
        """Return whether the summary is that of a run of so many steps."""
        return summary_of(self.path).get("steps") == steps

    def close(self) -> None:
        """Close the results file, whose rows that could not be written are lost, and let others write to the folder."""
        self._results.close()
        if self._lock:
            self._lock.release()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def _to_be_written(folder: Path) -> Iterator[None]:
    """Make an error of the system one of ours, with the way out."""
    try:
        yield
    except OSError as error:
        raise StateError(
            f"cannot write to {folder}: {error.strerror or error}; make room, or give a folder that can be written"
        ) from error


def _is_whole(path: Path) -> bool:
    try:
        checkpoint.read(path)
    except (DamagedError, FileNotFoundError):
        return False
    return True


def _json(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, indent=2) + "\n").encode()
