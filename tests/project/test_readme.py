"""README: short, a picture first, and figures that are those of the rows in docs/results."""

from __future__ import annotations

import csv
import re
from typing import NamedTuple

import pytest
from synaptick.aggregate import bootstrap_interval, interquartile_mean

from ..support.common import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = ROOT / "docs" / "results"


class Rows(NamedTuple):
    """Where the rows of a figure are."""

    file: str
    task: str


# By what stands in the first column of a table of README; of memory also what parts of the other cells have.
CONTROL = {
    "CartPole-v1, 100k": Rows("classic.csv", "CartPole-v1"),
    "Acrobot-v1, 300k": Rows("classic.csv", "Acrobot-v1"),
    "MountainCar-v0, 300k": Rows("classic.csv", "MountainCar-v0"),
    "Pendulum-v1, 300k": Rows("classic.csv", "Pendulum-v1"),
    "LunarLander-v3, 500k": Rows("box2d.csv", "LunarLander-v3"),
    "HalfCheetah-v5, 1M": Rows("halfcheetah.csv", "HalfCheetah-v5"),
}
MEMORY = {
    "a cue 512 steps ago": [Rows("memory_frozen.csv", "chain 512"), Rows("memory_frozen.csv", "chain 512, frozen")],
    "evidence, 10 ms a step": [
        Rows("memory_frozen.csv", "evidence, 10 ms a step"),
        Rows("memory_frozen.csv", "evidence, 10 ms a step, frozen"),
    ],
    "what is in memory decides": [
        Rows("announced_cue.csv", "memory=32 memory_layers=2 depth_filter=tensor"),
        Rows("announced_cue.csv", "memory=32 memory_layers=2 depth_filter=none"),
        Rows("announced_cue.csv", "memory=64"),
    ],
}
_FIGURES = re.compile(r"(-?[\d,.]*\d)(?: \[(-?[\d,.]*\d), (-?[\d,.]*\d)\])?(?:, (-?[\d,.]*\d))?")


def test_it_is_short_and_begins_with_a_picture() -> None:
    lines = README.splitlines()
    assert len(lines) <= 120
    assert any(line.startswith("![") for line in lines[:15])


def returns(rows: Rows) -> list[float]:
    with (RESULTS / rows.file).open(encoding="utf-8") as file:
        table = csv.DictReader(line for line in file if not line.startswith("#"))
        return [float(row["last_100"]) for row in table if row["task"] == rows.task]


def figures(values: list[float]) -> tuple[float, float, float, float]:
    return interquartile_mean(values), *bootstrap_interval(values, interquartile_mean), min(values)


def row_of(beginning: str) -> list[str]:
    (line,) = (line for line in README.splitlines() if line.startswith(f"| {beginning}"))
    return [cell.strip() for cell in line.strip("|").split("|")[1:]]


def compare(text: str, values: list[float], seeds: int) -> None:
    """Each number that is stated is the one of the rows, as far as its digits go."""
    assert len(values) == seeds
    found = _FIGURES.search(text)
    assert found
    for stated, value in zip(found.groups(), figures(values), strict=True):
        if stated is not None:
            digits = len(stated.partition(".")[2])
            assert float(stated.replace(",", "")) == pytest.approx(value, abs=0.5001 * 10**-digits), (text, value)


@pytest.mark.parametrize("name", CONTROL)
def test_control(name: str) -> None:
    compare(row_of(name)[0], returns(CONTROL[name]), 10)
    assert None not in _FIGURES.search(row_of(name)[0]).groups()  # type: ignore[union-attr]


@pytest.mark.parametrize("name", MEMORY)
def test_memory(name: str) -> None:
    learned, taken = row_of(name)
    parts = [learned, *taken.split(";")]
    for part, rows in zip(parts, MEMORY[name], strict=True):
        compare(part.replace("*", "").partition(":")[2] or part.replace("*", ""), returns(rows), len(returns(rows)))
        assert len(returns(rows)) >= 5


def test_the_peer_beside_it() -> None:
    with (RESULTS / "baselines.csv").open(encoding="utf-8") as file:
        table = list(csv.DictReader(line for line in file if not line.startswith("#")))
    for name, rows in CONTROL.items():
        (peer,) = (row for row in table if row["task"] == rows.task and row["algorithm"] == "ppo")
        compare(row_of(name)[1], [float(peer["last_100"])], 1)
