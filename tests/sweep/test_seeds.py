"""Lists of seeds, and the setting that remembers those that a configuration was chosen on."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synaptick import Config, ConfigError
from synaptick.config.seeds import read_seeds, shown_seeds


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("0-9", tuple(range(10))),
        ("1,4,7-9", (1, 4, 7, 8, 9)),
        (" 3 - 4 , 1 ", (1, 3, 4)),
        (5, (5,)),
        ([2, 0], (0, 2)),
        (["0-1", 7], (0, 1, 7)),
        (str(2**63 - 1), (2**63 - 1,)),
    ],
)
def test_what_a_list_names(text: Any, seeds: tuple[int, ...]) -> None:
    assert read_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "allowed: whole numbers from 0 and ranges"),
        ("9-0", "got '9-0'"),
        ("-1", "got '-1'"),
        ("1.5", "got '1.5'"),
        ("a", "such as 0-9 or 1,4,7-9"),
        ("1,0-3", "1 is given twice"),
        ("0-1000000", "too many"),
        (str(2**63), "got"),
        ([], "got"),
        (None, "got None"),
    ],
)
def test_what_it_may_not_be(text: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_seeds(text)


@given(st.sets(st.integers(0, 40), min_size=1))
def test_seeds_are_shown_as_they_are_read(seeds: set[int]) -> None:
    assert read_seeds(shown_seeds(seeds)) == tuple(sorted(seeds))


def test_a_configuration_keeps_the_seeds_it_was_chosen_on() -> None:
    assert Config(tuning_seeds="5,100-104, 6").tuning_seeds == "5-6,100-104"
    assert Config(tuning_seeds=[]).tuning_seeds == Config().tuning_seeds == ""  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="tuning_seeds: got 'x'; allowed: whole numbers"):
        Config(tuning_seeds="x")
