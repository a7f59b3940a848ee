"""Files that are whole at any moment: written beside their place, synchronized to disk, then renamed."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return a path as the system knows it: ~ is the home folder."""
    return Path(os.path.expanduser(path))


def write_atomically(path: str | os.PathLike[str], *parts: bytes | memoryview) -> None:
    """Write `parts` to `path` through a temporary file beside it, synchronized to disk, then renamed over it."""
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target}: there is no folder {target.parent}")
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with open(temporary, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _synchronize(target.parent)


def _synchronize(folder: Path) -> None:
    """Bring the names in a folder to disk, where the system has that."""
    if hasattr(os, "O_DIRECTORY"):
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def replace_and_keep(fresh: Path, newest: Path, older: Path) -> None:
    """Give the file `fresh` the name `newest`, and the file that had this name the name `older`.

    At any moment there is a file under one of the two names, and, where the file system has hard links, under `newest`.
    """
    if newest.exists():
        spare = older.with_name(f".{older.name}.part")
        spare.unlink(missing_ok=True)
        try:
            os.link(newest, spare)
        except OSError:
            os.replace(newest, older)
        else:
            os.replace(spare, older)
            spare.unlink(missing_ok=True)  # still there if both names were of one file, after a kill at this very place
    os.replace(fresh, newest)
    _synchronize(newest.parent)
