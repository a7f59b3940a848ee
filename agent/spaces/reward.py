"""Rewards of any type as one number."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import InputError, one_line


def as_reward(reward: Any) -> float:
    """Return a reward as a float: any real number, or an array that holds just one, whatever its shape.

    Raises
    ------
    InputError
        If it is no such thing. Whether it is finite is checked by the kernel.
    """
    if type(reward) is float:
        return reward
    try:
        number = reward.item() if isinstance(reward, np.ndarray) else reward
        if isinstance(number, str | bytes | bytearray | memoryview | np.complexfloating):  # of which `float` takes some
            raise TypeError
        return float(number)
    except Exception:  # whatever an object does that is asked for its number
        raise InputError(f"reward is {one_line(reward)}; it must be one finite number") from None
