"""metrics.csv: rows over a life of any length, in bounded space: the longer it is, the further apart they are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..files import write_atomically
from .readings import Row, told

METRICS_FILE = "metrics.csv"
# At most so many rows; when there are as many, every other one is dropped, and of those that come every other one too.
# A row has some 250 bytes.
MAX_ROWS = 4096


class MetricsFile:
    """The rows of a run, in a file that is never larger than `MAX_ROWS` of them.

    Parameters
    ----------
    path : Path
    columns : sequence of str
        Names of the numbers of a row. A file that has other ones is begun anew.
    step : int
        Rows of later steps, which a checkpoint that is gone back to does not know of, are dropped.

    Attributes
    ----------
    seconds : float
        Those of the last row; 0 without one.

    Notes
    -----
    Nothing is written before the first row, or `create`.
    """

    def __init__(self, path: Path, columns: Sequence[str], step: int = 0) -> None:
        self.path, self._columns = path, tuple(columns)
        self._header = ",".join(columns) + "\n"
        self._lines = [line for line in self._read() if int(line.partition(",")[0]) <= step]
        self.seconds = float(self._lines[-1].split(",")[1]) if self._lines else 0.0
        self._apart, self._since = 1, 0  # rows from one that stays to the next, and since the last such one
        self._size = 0

    def _read(self) -> list[str]:
        """Return the rows of the file that are whole; none if it is of another kind, or cannot be read."""
        try:
            header, *lines = self.path.read_text().splitlines(keepends=True)
        except (OSError, ValueError):
            return []
        return [line for line in lines if self._is_row(line)] if header == self._header else []

    def _is_row(self, line: str) -> bool:
        step, *rest = line.split(",")
        try:
            return (
                line.endswith("\n") and step.isdecimal() and len(rest) + 1 == len(self._columns) and float(rest[0]) >= 0
            )
        except ValueError:
            return False

    def is_whole(self) -> bool:
        """Return whether the file on disk holds what is known here, and nothing else; raise `OSError` as `create`."""
        return self.path.read_bytes() == self._content()

    def _content(self) -> bytes:
        return (self._header + "".join(self._lines)).encode()

    def create(self) -> None:
        """Write the file as it is known; raise `OSError` if that cannot be."""
        content = self._content()
        self._size = 0
        write_atomically(self.path, content)
        self._size = len(content)

    def add(self, row: Row) -> None:
        """Write a row; it may be gone when the next one comes.

        Raises
        ------
        OSError
            If it cannot be written; it is with the next one that can.
        """
        gone = len(self._lines.pop()) if self._since else 0  # the last one was there for the time being
        self._since = (self._since + 1) % self._apart
        self._lines.append(",".join(told(row[name]) for name in self._columns) + "\n")
        if not self._since and len(self._lines) >= MAX_ROWS:
            self._lines = [*self._lines[:-1:2], self._lines[-1]]
            self._apart, self._since, self._size = 2 * self._apart, self._apart, 0
        row_at, self._size = self._size, 0  # until the row is whole on disk, the next one writes all
        if row_at and self.path.exists() and self.path.stat().st_size == row_at:
            row_bytes = self._lines[-1].encode()
            with self.path.open("r+b", buffering=0) as file:
                # Cut first: of a row that is cut short by a kill it is known that it is none.
                row_at = file.truncate(row_at - gone)
                file.seek(row_at)
                if file.write(row_bytes) == len(row_bytes):
                    self._size = row_at + len(row_bytes)
                    return
        self.create()

    def synchronize(self) -> None:
        """Bring the rows to disk; raise `OSError` if that cannot be."""
        if self._size:
            with self.path.open("ab") as file:
                os.fsync(file.fileno())
