"""Measurements as a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def write_rows(path: Path, title: str, versions: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write `rows`, which share their keys, below a comment with `title` and versions; 4 digits a number."""
    stamp = " ".join(f"{name} {version}" for name, version in versions.items())
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(f"# {title}; {stamp}\n")
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        for row in rows:
            writer.writerow({key: f"{x:.4g}" if isinstance(x, float) else x for key, x in row.items()})
