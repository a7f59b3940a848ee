"""What is tried on all that reads input, random or a good one with small changes, and what may come of it."""

from __future__ import annotations

import random
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from synaptick.errors import SynaptickError

TEXTS = ["", "a", "inf", "-inf", "nan", "é\ud800", "\0", "a\nb", "x" * 300, "true", "[1", "9" * 400, "float32", "dict"]
NUMBERS: list[Any] = [0, 1, -1, 2, 255, 2**31, 2**63 - 1, 2**63, -(2**63), 10**400, 0.5, -0.0, 1e-310, 1e308]
NUMBERS += [float("inf"), float("-inf"), float("nan")]


def budgets(usual: int, large: int) -> pytest.MarkDecorator:
    """Return a parameter `count`: inputs to try, and many more where long tests run."""
    return pytest.mark.parametrize("count", [usual, pytest.param(large, marks=pytest.mark.long)])


def changed_bytes(rng: random.Random, content: bytes, words: list[bytes], most: int = 4) -> bytes:
    """Return bytes after a few random changes: of bits and bytes, words put in, stretches moved, repeated or cut."""
    changed = bytearray(content)
    for _ in range(rng.randint(1, most)):
        first = rng.randrange(len(changed) + 1)
        last = min(len(changed), first + rng.choice([1, 1, 2, 8, 64]))
        kind = rng.randrange(6)
        if kind == 0 and last > first:
            changed[first] ^= 1 << rng.randrange(8)
        elif kind == 1:
            changed[first:last] = rng.randbytes(last - first)
        elif kind == 2:
            changed[first:first] = rng.choice(words)
        elif kind == 3:
            del changed[first:last]
        elif kind == 4:
            changed[first:first] = changed[first:last] * rng.choice([1, 2, 30])
        else:
            place = rng.randrange(len(changed) + 1)
            changed[place:place] = changed[first:last]
    return bytes(changed)


def plain(rng: random.Random, depth: int = 3) -> Any:
    """Return anything that JSON can hold."""
    kind = rng.randrange(7 if depth else 4)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.choice(NUMBERS)
    if kind == 2:
        return rng.choice(TEXTS)
    if kind == 3:
        return rng.randint(-5, 5)
    if kind == 4:
        return {rng.choice(TEXTS): plain(rng, depth - 1) for _ in range(rng.randrange(4))}
    return [plain(rng, depth - 1) for _ in range(rng.randrange(4))]


def changed_plain(rng: random.Random, value: Any) -> Any:
    """Return plain data with one place changed, at any depth."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        kind = rng.randrange(8)
        if kind == 0:
            return {name: item for name, item in value.items() if name != key}
        if kind == 1:
            return {**value, rng.choice(TEXTS): plain(rng)}
        return {**value, key: changed_plain(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.8:
        place = rng.randrange(len(value))
        kind = rng.randrange(6)
        if kind == 0:
            return value[:place] + value[place + 1 :]
        if kind == 1:
            return value * rng.choice([2, 100])
        return [*value[:place], changed_plain(rng, value[place]), *value[place + 1 :]]
    return plain(rng)


def refusal(act: Callable[[], Any]) -> str:
    """Return how something is refused, "" if it is not; any exception but one of ours, of one line, passes through."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a user has not made them errors
        try:
            act()
        except SynaptickError as error:
            said = str(error)
        else:
            return ""
    assert len(said.splitlines()) == 1, repr(said)
    assert len(said) < 2000, repr(said)
    return said


@contextmanager
def within(most: int, number: int) -> Iterator[None]:
    """Fail if more than so many bytes are allocated on the way; every eighth input is watched, which takes a while."""
    if number % 8:
        yield
        return
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= most, f"{peak:,} bytes, at most {most:,} allowed"
