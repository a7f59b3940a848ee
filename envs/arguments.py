"""Arguments of environments, checked: errors name what was given and what is allowed."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np


def checked_whole(name: str, value: Any, low: int, high: int) -> int:
    """Return `value` as an int, or raise `ValueError` unless it is a whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ValueError(f"{name}: got {value!r}; allowed: a whole number from {low} to {high}")
    return int(value)


def checked_real(name: str, value: Any, low: float, high: float) -> float:
    """Return `value` as a float, or raise `ValueError` unless it is a finite number from `low` to `high`."""
    number = math.nan if isinstance(value, bool) or not isinstance(value, int | float | np.number) else float(value)
    if not math.isfinite(number) or not low <= number <= high:
        raise ValueError(f"{name}: got {value!r}; allowed: a number from {low:g} to {high:g}")
    return number


def checked_flag(name: str, value: Any) -> bool:
    """Return `value`, or raise `ValueError` unless it is true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{name}: got {value!r}; allowed: true or false")
    return value


def listed(value: Any) -> list[Any]:
    """Return the entries of a sequence or an array, or else the value as the only one."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return list(value) if isinstance(value, Sequence) else [value]


def checked_span(name: str, value: Any, low: int, high: int) -> tuple[int, int]:
    """Return least and greatest of a whole number, or of two of them in order, or raise `ValueError`."""
    ends = listed(value) if isinstance(value, Sequence | np.ndarray) else [value, value]
    try:
        least, most = (checked_whole(name, end, low, high) for end in ends)
    except ValueError:
        least, most = 1, 0
    if least > most:
        allowed = f"a whole number from {low} to {high}, or two in order, [least, greatest]"
        raise ValueError(f"{name}: got {value!r}; allowed: {allowed}")
    return least, most


def check_action(action: Any, allowed: range) -> None:
    """Raise `ValueError` unless `action` is one of the numbers from 0 that are allowed."""
    try:
        known = operator.index(action) in allowed  # anything but an int would be searched for
    except TypeError:
        known = False
    if not known:
        words = {1: "only 0", 2: "0 or 1"}.get(len(allowed), f"0 to {allowed[-1]}")
        raise ValueError(f"action: got {action!r}; allowed: {words}")


def refuse_rendering(render_mode: str | None) -> None:
    """Raise `ValueError` unless `render_mode` is None, which `gymnasium.make` may pass on."""
    if render_mode is not None:
        raise ValueError(f"render_mode: got {render_mode!r}; allowed: only None, since nothing can be drawn")
