"""Tables that a run writes, such as results.csv, as columns of numbers."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import StateError, one_line

Column = NDArray[np.float64]
Table = dict[str, Column]

STEP = "step"


def read_table(path: Path) -> Table:
    """Return the columns of a table by name, rows of the full file that came before it (``NAME.older.csv``) first.

    A cell without a number is NaN. A last row that is being written is left out, and so are rows that the run went
    back behind when it was resumed.

    Parameters
    ----------
    path : Path
        A file whose first line names the columns, one of them ``step``.

    Returns
    -------
    dict of str to array
        Empty if there is no such file.

    Raises
    ------
    StateError
        If a row is not one of numbers, or the file cannot be read.
    """
    table = _read(path)
    older = _read(path.with_suffix(f".older{path.suffix}"))
    if older.keys() == table.keys():
        table = {name: np.concatenate((older[name], column)) for name, column in table.items()}
    return _forward(table) if table else {}


def _read(path: Path) -> Table:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise StateError(
            f"{path}: cannot be read ({one_line(error, quoted=False)}); move it away to go without"
        ) from error
    head, _, body = text.partition("\n")
    names = head.strip().split(",")
    if STEP not in names:
        raise StateError(f"{path}: begins with {one_line(head, 60)}; allowed: names of columns, one of them {STEP!r}")
    rows = _rows(path, names, body[: body.rfind("\n") + 1])
    return dict(zip(names, rows.T, strict=True))


def _rows(path: Path, names: list[str], body: str) -> NDArray[np.float64]:
    if not body.strip():
        return np.empty((0, len(names)))
    filled = body.replace(",,", ",nan,").replace(",,", ",nan,").replace(",\n", ",nan\n")
    try:
        rows = np.loadtxt(io.StringIO(filled), delimiter=",", comments=None, ndmin=2)
        if rows.shape[1] != len(names):
            raise ValueError
    except ValueError as error:
        number, line = _first_bad(filled, len(names))
        raise StateError(
            f"{path}, line {number}: {one_line(line, 60)} is not a row of {len(names)} numbers; remove the line"
        ) from error
    return rows


def _first_bad(body: str, width: int) -> tuple[int, str]:
    """Return number and text of the first line that is no row."""
    for number, line in enumerate(body.splitlines(), 2):
        try:
            if len([float(cell) for cell in line.split(",")]) == width:
                continue
        except ValueError:
            pass
        return number, line
    return 2, body


def _forward(table: Table) -> Table:
    """Leave out rows that are followed by one of the same or an earlier step."""
    step = table[STEP]
    later = np.append(np.minimum.accumulate(step[::-1])[::-1][1:], np.inf)
    kept = step < later
    return {name: column[kept] for name, column in table.items()}
