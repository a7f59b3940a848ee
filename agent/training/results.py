"""results.csv: a row for every episode, in bounded space on disk, and in memory while it cannot be written."""

from __future__ import annotations

import errno
import os
from collections import deque
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from ..errors import StateError
from ..files import write_atomically
from ..metrics.episodes import Tally

RESULTS_FILE = "results.csv"
OLDER_RESULTS_FILE = "results.older.csv"
HEADER = "step,episode,return,length\n"
COLUMNS = (int, int, float, int)
# Disk is bounded too: a full results file becomes the older one, and replaces the older one before it.
MAX_ROWS = 1_000_000
# Rows that are written at a time; a checkpoint has all before it written.
BATCH = 100
# Rows held back while they cannot be written; beyond that the oldest ones are lost.
MOST_HELD = 10_000


class Results:
    """The results of a run; nothing is opened before the first row is written.

    Attributes
    ----------
    lost : int
        Rows that were held back for so long that there was no more room for them.
    """

    def __init__(self, folder: Path) -> None:
        self.lost = 0
        self._path, self._older = folder / RESULTS_FILE, folder / OLDER_RESULTS_FILE
        self._held: deque[str] = deque()
        self._since = 0
        self._file: BinaryIO | None = None
        self._rows = self._size = 0

    def create(self) -> None:
        """Make the file, without rows."""
        write_atomically(self._path, HEADER.encode())

    def add(self, tally: Tally) -> None:
        """Take the row of the episode that has just ended.

        Raises
        ------
        OSError
            If rows were due to be written and could not be; they are held back, and tried again a batch later.
        """
        if len(self._held) >= MOST_HELD:
            self._held.popleft()
            self.lost += 1
        self._held.append(f"{tally.steps},{tally.episodes},{tally.last_return:.10g},{tally.last_length}\n")
        self._since += 1
        if self._since >= BATCH:
            self._since = 0
            self._write()

    def synchronize(self) -> None:
        """Bring all rows to disk; raise `OSError`, and go on holding back what is not written, if that cannot be."""
        self._write()
        if self._file is not None:
            os.fsync(self._file.fileno())

    def _write(self) -> None:
        while self._held:
            file = self._open() if self._file is None else self._file
            if self._rows >= MAX_ROWS:
                self._put_aside()
                continue
            count = min(len(self._held), MAX_ROWS - self._rows)
            rows = "".join(islice(self._held, count)).encode()
            try:
                self._append(file, rows)
            except OSError:  # code of others may have closed it: the next attempt opens it again
                self.close()
                raise
            self._size += len(rows)
            self._rows += count
            for _ in range(count):
                self._held.popleft()
            if self._rows >= MAX_ROWS:
                self._put_aside()

    def _append(self, file: BinaryIO, rows: bytes) -> None:
        there = os.fstat(file.fileno())
        # Closed by code of others, which opened another one; or cut, or removed and made anew.
        if not os.path.samestat(there, os.stat(self._path)) or there.st_size < self._size:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        if there.st_size > self._size:
            file.truncate(self._size)  # a part of a row, left by a write that failed
        left = memoryview(rows)
        while left:
            left = left[file.write(left) :]

    def _open(self) -> BinaryIO:
        there = self._path.stat().st_size if self._path.exists() else 0
        if self._size == 0 or there < self._size:
            content = self._path.read_bytes() if there else b""
            content = content[: content.rfind(b"\n") + 1]
            if not content:
                content = HEADER.encode()
                write_atomically(self._path, content)
            self._rows, self._size = content.count(b"\n") - 1, len(content)
        # Unbuffered: what a write could not place is still held here, and nowhere else.
        self._file = self._path.open("ab", buffering=0)
        return self._file

    def _put_aside(self) -> None:
        self.close()
        os.replace(self._path, self._older)
        self._size = 0
        self._open()

    def rewind(self, step: int) -> Tally:
        """Drop rows of episodes that ended after `step`, the age of the checkpoint; return the counts of the rest."""
        tally = Tally(steps=step)
        older, dropped = self._kept(self._older, step, tally)
        if dropped:  # it was put aside after the checkpoint
            write_atomically(self._path, older)
            self._older.unlink()
        else:
            write_atomically(self._path, self._kept(self._path, step, tally)[0])
        return tally

    def _kept(self, path: Path, step: int, tally: Tally) -> tuple[bytes, bool]:
        """Return the content of a file up to a step, count its rows in `tally`, and say whether any was dropped."""
        lines = path.read_text().splitlines(keepends=True)[1:] if path.exists() else []
        if lines and not lines[-1].endswith("\n"):
            lines.pop()  # cut short by a kill; rows reach the disk before the checkpoint does
        kept = [HEADER]
        for number, line in enumerate(lines, 2):
            try:
                end, episode, total, length = (kind(x) for kind, x in zip(COLUMNS, line.split(","), strict=True))
            except ValueError as error:
                raise StateError(f"{path}, line {number}: {line.strip()!r} is not a row {HEADER.strip()}") from error
            if end <= step:
                kept.append(line)
                tally.episodes = int(episode) - 1
                tally.record(total, int(length))
        return "".join(kept).encode(), len(kept) <= len(lines)

    def close(self) -> None:
        """Close the file; what is still held back is lost."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None
