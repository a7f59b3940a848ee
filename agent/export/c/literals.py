"""Numbers and arrays as C has them, to the last bit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A stretch of zeros that is worth leaving out: it costs a line of the table of spans.
GAP = 4
WIDTH = 110


def real(value: float) -> str:
    """Return a double literal of exactly this value; a negative one in brackets."""
    if math.isinf(value):
        return "INFINITY" if value > 0 else "(-INFINITY)"
    text = repr(float(value))
    return f"({text})" if text.startswith("-") else text


def single(value: Any) -> str:
    """Return a float literal of exactly this float32: nine digits are enough for each to be its own."""
    text = f"{float(value):.9g}"
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def array(declaration: str, values: Iterable[str]) -> Iterator[str]:
    """Yield a constant array, several values a line."""
    yield f"static const {declaration} = {{"
    line = "   "
    for value in values:
        if len(line) + len(value) + 2 > WIDTH:
            yield line
            line = "   "
        line += f" {value},"
    yield line
    yield "};"


def spans(values: NDArray[Any]) -> list[tuple[int, int]]:
    """Return offset and length of each stretch of numbers that are not 0, zeros below `GAP` in a row included."""
    places = np.flatnonzero(values.view(np.uint32 if values.itemsize == 4 else np.uint64))
    if not places.size:
        return []
    cuts = np.flatnonzero(np.diff(places) > GAP)
    first, last = places[np.r_[0, cuts + 1]], places[np.r_[cuts, places.size - 1]]
    return [(int(a), int(b - a + 1)) for a, b in zip(first, last, strict=True)]


def gathered(values: NDArray[Any], where: Iterable[tuple[int, int]]) -> NDArray[Any]:
    """Return the numbers in all spans, one after the other."""
    return np.concatenate([values[first : first + size] for first, size in where])


def pairs(where: Iterable[tuple[int, int]]) -> Iterator[str]:
    """Yield spans as initializers."""
    return (f"{{{first}, {size}}}" for first, size in where)
