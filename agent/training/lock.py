"""One process at a time writes to a folder: a lock that the system takes back when its holder ends, however it ends."""

from __future__ import annotations

import importlib
import os
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import BusyError

try:
    fcntl: Any = importlib.import_module("fcntl")
except ImportError:  # Windows: there, nothing is locked
    fcntl = None

LOCK_FILE = ".lock"
# The system's locks belong to a process: within one they exclude nobody.
_held: set[tuple[int, int]] = set()
_turn = threading.Lock()


class FolderLock:
    """A lock on a folder, which is there until `release` or until the process ends, even by ``kill -9``.

    Processes that are forked meanwhile do not have it, so none that is left behind can hold it. It is in the file
    ``.lock``, which says who has it; such a file without its holder means nothing.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    BusyError
        If another process, or another run of this one, has the lock; with the number of the process.
    OSError
        If the file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_FILE
        self._file, self._identity = -1, (-1, -1)
        with _turn:
            while fcntl and not self._settled(folder):
                pass

    def _settled(self, folder: Path) -> bool:
        """Take the lock; return False if its file was taken away at this very moment."""
        # Looked at before it is opened: to close any descriptor of a file takes all of the process's locks on it.
        if self._current() in _held:
            raise _refusal(folder, os.getpid())
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        identity = _identity(os.fstat(file))
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            holder = os.read(file, 200).decode(errors="replace").strip()
            os.close(file)
            raise _refusal(folder, holder or "that does not say which") from None
        except OSError:  # a file system without locks
            os.close(file)
            return True
        if self._current() != identity:  # its holder took it away between the two calls: another file is the lock now
            os.close(file)
            return False
        with suppress(OSError):  # on a full disk nobody learns who has it
            os.ftruncate(file, 0)
            os.write(file, f"{os.getpid()} on {socket.gethostname()}\n".encode())
        self._file, self._identity = file, identity
        _held.add(identity)
        return True

    def _current(self) -> tuple[int, int] | None:
        try:
            return _identity(os.stat(self._path))
        except FileNotFoundError:
            return None

    def release(self) -> None:
        """Give the lock back and remove its file; harmless when repeated."""
        if self._file < 0:
            return
        file, self._file = self._file, -1
        _held.discard(self._identity)
        with suppress(OSError):
            # Code of others may have closed the descriptor, and so given the lock back, and opened it for another file.
            if _identity(os.fstat(file)) == self._identity:
                if self._current() == self._identity:  # else it was removed, and what is there now is another's
                    self._path.unlink()
                os.close(file)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _refusal(folder: Path, holder: object) -> BusyError:
    return BusyError(
        f"{folder} is being written by another run (process {holder}); wait for it or stop it, or give another folder"
    )
