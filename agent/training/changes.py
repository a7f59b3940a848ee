"""changes.csv: when the world of a run changed, as its environment tells, in bounded space."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..metrics import MetricsFile

CHANGES_FILE = "changes.csv"
COLUMNS = ("step", "changes")


class Changes:
    """Steps that are the first in a new world; ``info["changed"]`` says so of them, as in `synaptick.envs.changes`.

    Rows are written by `flush`, which is called with each row of metrics: of changes since the last one the first has a
    row. So a world that changes all the time costs as little as one that hardly ever does.

    Parameters
    ----------
    folder : Path
    step : int
        Changes after it, which a checkpoint that is gone back to does not know of, are forgotten.
    """

    def __init__(self, folder: Path, step: int = 0) -> None:
        path = folder / CHANGES_FILE
        self._file = MetricsFile(path, COLUMNS, step)
        self._number = int(self._file.seconds)  # the second column of the last row
        self._first = 0
        self._stale = path.exists()

    def look(self, info: Any, step: int) -> None:
        """Note whether a step, with what the environment told of it, was the first in a new world."""
        changed = info.get("changed") if type(info) is dict else None
        if changed is not None and isinstance(changed, bool | np.bool_) and changed:
            self._number += 1
            self._first = self._first or step

    def flush(self) -> None:
        """Write what has been noted; raise `OSError` if that cannot be."""
        if self._stale:
            self._file.create()
            self._stale = False
        if self._first:
            self._file.add({"step": self._first, "changes": self._number})
            self._first = 0
