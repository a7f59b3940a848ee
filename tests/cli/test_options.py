"""What options take: whole numbers and seeds as one writes them."""

from __future__ import annotations

import argparse

import pytest
from synaptick.cli.options import seeds, whole


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3", (0, 1, 2)),
        ("1e1", tuple(range(10))),
        ("0-4", (0, 1, 2, 3, 4)),
        ("4-4", (4,)),
        ("1,4,7-9", (1, 4, 7, 8, 9)),
        ("9, 2 - 3", (2, 3, 9)),
        ("1000-1001", (1000, 1001)),
    ],
)
def test_seeds_are_how_many_or_which(text: str, found: tuple[int, ...]) -> None:
    assert seeds(text) == found


@pytest.mark.parametrize(
    "text", ["", "0", "many", "-3", "3-1", "1,,2", "1,", "1.5", "0x3", "1-2-3", "1-3,2", "0-1000000", "9" * 5000, "1e9"]
)
def test_what_are_no_seeds_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"whole number|how many"):
        seeds(text)


@pytest.mark.parametrize("text", ["100000", "1e5", "1E+5", "100_000", "1.0e5", "100000.0"])
def test_whole_numbers_as_one_writes_them(text: str) -> None:
    assert whole(text) == 100_000


@pytest.mark.parametrize("text", ["1.5", "1e-1", "nan", "inf", "1e400", "many", ""])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="not a whole number"):
        whole(text)
