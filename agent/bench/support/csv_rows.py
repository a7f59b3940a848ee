"""Measurements as a CSV file that grows row by row."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from ...versions import versions


class RowWriter:
    """A CSV file, opened at once, so that a place that cannot be written shows before the work, not after it.

    Parameters
    ----------
    path : Path or None
        None: rows go nowhere.
    title : str
        First line, a comment, followed by the versions.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """

    def __init__(self, path: Path | None, title: str) -> None:
        self._file = None if path is None else path.open("w", newline="", encoding="utf-8")
        self._columns: list[str] = []
        if self._file is not None:
            stamp = " ".join(f"{name} {version}" for name, version in versions().items())
            self._file.write(f"# {title}; {stamp}\n")

    def add(self, row: Mapping[str, Any]) -> None:
        """Write a row, 4 digits a number, and flush it; all rows have the keys of the first."""
        if self._file is None:
            return
        writer = csv.DictWriter(self._file, self._columns or list(row))
        if not self._columns:
            self._columns = list(row)
            writer.writeheader()
        writer.writerow({key: f"{x:.4g}" if isinstance(x, float) else x for key, x in row.items()})
        self._file.flush()

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()
