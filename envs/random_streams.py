"""Streams of random numbers that are independent of each other, and states that can be written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MOST_SEED = 2**63 - 1
FOREIGN = "allowed: what get_state() returned with the same arguments"


def stream(seed: int, *key: str | int) -> np.random.Generator:
    """Return the generator of a seed and of words and numbers that tell it from others of the same seed."""
    words = [part for word in key for part in ((len(word), *word.encode()) if isinstance(word, str) else (word,))]
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=words))


def generator_state(rng: np.random.Generator) -> list[int]:
    """Return the state of a generator that `stream` or Gymnasium made, as four whole numbers."""
    state: Any = rng.bit_generator.state
    return [int(state["state"]["state"]), int(state["state"]["inc"]), int(state["has_uint32"]), int(state["uinteger"])]


def set_generator_state(rng: np.random.Generator, numbers: Sequence[int]) -> None:
    """Put a generator into the state of which these are the numbers."""
    state, inc, has_uint32, uinteger = numbers
    rng.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": state, "inc": inc},
        "has_uint32": has_uint32,
        "uinteger": uinteger,
    }


def check_keys(state: Any, keys: Sequence[str]) -> None:
    """Raise `ValueError` unless `state` is a mapping with these keys."""
    if not isinstance(state, Mapping) or set(state) != set(keys):
        got = sorted(map(str, state)) if isinstance(state, Mapping) else state
        raise ValueError(f"state: got {got!r}, where {', '.join(sorted(keys))} belong; {FOREIGN}")
