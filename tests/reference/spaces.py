"""Twin of `spaces/`: what an observation is encoded as, and what an action consists of."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from .vectors import Array


class Parts(NamedTuple):
    """What an action consists of: categories of each factor; center, scale, low and high of each control, (4, n)."""

    choices: tuple[int, ...]
    controls: Array

    @property
    def offsets(self) -> NDArray[np.int_]:
        """First preference of each factor, then the first mean."""
        return np.cumsum([0, *self.choices])

    @property
    def number(self) -> int:
        """How many the policy can choose, at least 1: controls, and factors of more than one category."""
        return max(1, sum(size > 1 for size in self.choices) + self.controls.shape[1])


def leaves_of(space: Any) -> Iterator[Any]:
    """Elementary spaces, in their order."""
    if isinstance(space, spaces.Dict | spaces.Tuple):
        for part in space.values() if isinstance(space, spaces.Dict) else space:
            yield from leaves_of(part)
    else:
        yield space


def drawn_range(low: float, high: float) -> tuple[float, float, float, float]:
    """Center, scale and bounds of what is drawn: 0 is the middle between two bounds, 1 away from the only one, or 0."""
    below, above = math.isfinite(low), math.isfinite(high)
    if below and above:
        return (low + high) / 2, (high - low) / 2, -1.0, 1.0
    if below:
        return low + 1, 1.0, -1.0, math.inf
    return (high - 1 if above else 0.0), 1.0, -math.inf, 1.0 if above else math.inf


def parts_of(space: Any) -> Parts:
    """The factors and controls of an action space."""
    choices: list[int] = []
    controls: list[tuple[float, ...]] = []
    for leaf in leaves_of(space):
        if isinstance(leaf, spaces.Discrete):
            choices.append(int(leaf.n))
        elif isinstance(leaf, spaces.Box):
            controls += [drawn_range(*map(float, pair)) for pair in zip(leaf.low.flat, leaf.high.flat, strict=True)]
        else:
            choices += [2] * leaf.n if isinstance(leaf, spaces.MultiBinary) else leaf.nvec.ravel().tolist()
    return Parts(tuple(choices), np.array(controls).reshape(-1, 4).T)


def encoded(space: Any, observation: Any) -> Array:
    """Numbers as they are, integers with their bounds brought to 0 and 1; categories as one-hot vectors."""
    if isinstance(space, spaces.Dict | spaces.Tuple):
        keys = space if isinstance(space, spaces.Dict) else range(len(space))
        return np.concatenate([encoded(space[key], observation[key]) for key in keys])
    x = np.ravel(observation).astype(float)
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
        counts = np.ravel(space.n if isinstance(space, spaces.Discrete) else space.nvec)
        index = (x - np.ravel(space.start)).astype(int)
        return np.concatenate([np.eye(n)[k] for k, n in zip(index, counts, strict=True)])
    if isinstance(space, spaces.Box) and space.dtype.kind in "iu":
        low, high = space.low.ravel().astype(float), space.high.ravel().astype(float)
        return (x - low) / (high - low)
    return x


def is_number(space: Any) -> NDArray[np.bool_]:
    """Which entries of an encoded observation are continuous: those of Boxes."""
    return np.concatenate([np.full(spaces.flatdim(leaf), isinstance(leaf, spaces.Box)) for leaf in leaves_of(space)])
