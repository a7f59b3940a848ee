"""Functions that processes of a test import and call; little else, since each process imports it anew."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from synaptick.errors import RunError


def told(item: str) -> tuple[int, str, str | None]:
    return os.getpid(), item, os.environ.get("OMP_NUM_THREADS")


def fragile(item: str) -> str:
    """Die as often as the file says that is left; "stop" is another way to."""
    path = Path(item)
    left = int(path.read_text())
    if left:
        path.write_text(str(left - 1))
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


def raising(item: str) -> str:
    if item == "exit":
        sys.exit(3)
    raise RunError(f"{item} is broken")


def endless(item: str) -> None:
    Path(item).write_text(str(os.getpid()))
    time.sleep(600)
