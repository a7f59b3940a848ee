"""Rewards: whatever is one number."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from synaptick import InputError
from synaptick.spaces import as_reward


@pytest.mark.parametrize(
    "reward",
    [
        *(
            2,
            2.0,
            np.float32(2),
            np.int8(2),
            np.array(2.0),
            np.array([2]),
            np.array([[2.0]]),
            np.array([[[2]]], np.float16),
        ),
        *(np.ma.masked_array([2.0]), Fraction(2), Decimal(2), np.array([Fraction(2)]), np.longdouble(2)),
    ],
    ids=repr,
)
def test_one_number_of_any_kind_and_shape_is_a_reward(reward: Any) -> None:
    assert as_reward(reward) == 2.0
    assert type(as_reward(reward)) is float


def test_true_is_one() -> None:
    assert (as_reward(True), as_reward(np.True_), as_reward(np.array([False]))) == (1.0, 1.0, 0.0)


class Hostile:
    def __float__(self) -> float:
        raise RuntimeError("no")

    __repr__ = __float__  # type: ignore[assignment]


@pytest.mark.parametrize(
    "reward",
    [
        *(
            None,
            "2",
            b"2",
            bytearray(b"2"),
            memoryview(b"2"),
            np.str_("2"),
            np.array("2"),
            np.array(["2"]),
            [2.0],
            {},
            2j,
        ),
        *(
            np.complex64(2),
            np.array([2j]),
            np.zeros(2),
            np.zeros((2, 2)),
            np.zeros(0),
            10**400,
            np.array(None),
            Hostile(),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_one_number_is_refused_in_one_line(reward: Any) -> None:
    with pytest.raises(InputError, match=r"^reward is .*; it must be one finite number$") as caught:
        as_reward(reward)
    assert len(str(caught.value).splitlines()) == 1
