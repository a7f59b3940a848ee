"""metrics.csv is bounded, goes on after a kill, and never has two rows of one step."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from synaptick.metrics import MetricsFile, table

COLUMNS = ("step", "seconds", "value", "std")


def row(step: int) -> dict[str, Any]:
    return {"step": step, "seconds": step / 10, "value": 0.123456789 * step, "std": None}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_rows_are_written_one_by_one(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path / "metrics.csv", COLUMNS)
    file.create()
    assert (tmp_path / "metrics.csv").read_text() == "step,seconds,value,std\n"
    for step in (10, 20):
        file.add(row(step))
        assert [int(found["step"]) for found in rows(file.path)][-1] == step
    assert rows(file.path)[0] == {"step": "10", "seconds": "1", "value": "1.23457", "std": ""}


def test_a_long_life_keeps_its_beginning_in_fewer_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_ROWS", 64)
    file, most = MetricsFile(tmp_path / "metrics.csv", COLUMNS), 0
    for step in range(1, 5001):
        file.add(row(step))
        most = max(most, file.path.stat().st_size)
    steps = [int(found["step"]) for found in rows(file.path)]
    assert len(steps) <= 64
    assert most < 64 * 40
    assert steps == sorted(set(steps))
    assert steps[0] == 1
    assert steps[-1] == 5000
    assert len(steps) > 30
    gaps = {b - a for a, b in pairwise(steps[:-1])}
    assert gaps == {128}


def test_a_resumed_run_drops_what_came_after_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    file = MetricsFile(path, COLUMNS)
    for step in (10, 20, 30):
        file.add(row(step))
    path.write_bytes(path.read_bytes() + b"40,4,1")  # cut short by a kill
    again = MetricsFile(path, COLUMNS, step=20)
    assert again.seconds == 2.0
    again.add(row(30))
    assert [int(found["step"]) for found in rows(path)] == [10, 20, 30]


@pytest.mark.parametrize(
    "content", [b"", b"other,names\n1,2\n", b"\xff\xfe\n", b"step,seconds,value,std\nx,y\n1,2,3,4,5\n"]
)
def test_a_file_of_another_kind_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(content)
    MetricsFile(path, COLUMNS, step=100).add(row(7))
    assert [found["step"] for found in rows(path)] == ["7"]


def test_a_file_that_others_changed_or_removed_is_whole_after_the_next_row(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path / "metrics.csv", COLUMNS)
    file.add(row(1))
    file.path.write_text("")
    file.add(row(2))
    file.path.unlink()
    file.add(row(3))
    assert [found["step"] for found in rows(file.path)] == ["1", "2", "3"]
