"""A Gymnasium space as plain, comparable data: leaves of numbers or categories under Dict and Tuple branches."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ..errors import SpaceError

Bounds: TypeAlias = tuple[int | float, ...]
# Dtypes that a leaf of each kind may have, by their letter in NumPy.
LEAF_KINDS = {"box": "iuf", "binary": "iub", "discrete": "iu", "multidiscrete": "iu"}
BRANCH_KINDS = ("dict", "tuple")
# More entries would need a network of gigabytes: nearly always a mistake in the space.
MOST_ENTRIES = 10_000_000


@dataclass(frozen=True)
class Leaf:
    """One elementary space.

    Attributes
    ----------
    kind : {"box", "binary", "discrete", "multidiscrete"}
        ``binary`` is a MultiBinary or a Box of booleans.
    path : str
        Its place in the whole, such as ``observation['camera'][1]``.
    shape : tuple of int
    dtype : str
    low, high : tuple of int or float
        Smallest and largest value: one number if all elements share it, else one for each. Infinite where there is no
        bound, or where it only repeats the limits of a float or of an integer of 32 bits or more.
    """

    kind: str
    path: str
    shape: tuple[int, ...]
    dtype: str
    low: Bounds
    high: Bounds

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    def lows(self) -> Bounds:
        """Return the lower bound of each element."""
        return self.low * self.size if len(self.low) == 1 else self.low

    def highs(self) -> Bounds:
        """Return the upper bound of each element."""
        return self.high * self.size if len(self.high) == 1 else self.high

    def counts(self) -> tuple[int, ...]:
        """Return the number of values of each element, for every kind but ``box``."""
        return tuple(int(high) - int(low) + 1 for low, high in zip(self.lows(), self.highs(), strict=True))


@dataclass(frozen=True)
class Branch:
    """A Dict or Tuple space.

    Attributes
    ----------
    kind : {"dict", "tuple"}
    path : str
    keys : tuple of str or int
        In the order of the space.
    parts : tuple of Leaf or Branch
    """

    kind: str
    path: str
    keys: tuple[str | int, ...]
    parts: tuple[Node, ...]


Node: TypeAlias = Leaf | Branch


def leaves(node: Node) -> Iterator[Leaf]:
    """Yield the leaves of a tree in their order."""
    if isinstance(node, Leaf):
        yield node
    else:
        for part in node.parts:
            yield from leaves(part)


def kind_of(space: Any) -> str:
    """Return the name of the Gymnasium class of a space, of its own class if it is none of theirs.

    By name, so that an embedded agent does not load Gymnasium.
    """
    for base in type(space).__mro__:
        if base.__module__.startswith("gymnasium.spaces") and base.__name__ != "Space":
            return base.__name__
    return type(space).__name__


def read(space: Any, path: str) -> Node:
    """Return the tree of a space all of whose parts are supported; `path` names it in errors."""
    kind = kind_of(space)
    if kind in ("Dict", "Tuple"):
        keys = tuple(_keys(space))
        for key in keys:
            if not isinstance(key, str | int):
                raise SpaceError(f"{path} has the key {key!r}; give its parts names that are strings or whole numbers")
        parts = tuple(read(space.spaces[key], f"{path}[{key!r}]") for key in keys)
        return Branch(kind.lower(), path, keys, parts)
    if kind == "Discrete":
        start = int(space.start)
        return Leaf("discrete", path, (), str(space.dtype), (start,), (start + int(space.n) - 1,))
    shape, dtype = tuple(int(k) for k in space.shape), np.dtype(space.dtype)
    if kind == "MultiBinary":
        return Leaf("binary", path, shape, str(dtype), (0,), (1,))
    if kind == "MultiDiscrete":
        lows = np.ravel(space.start).tolist()
        highs = [low + n - 1 for low, n in zip(lows, np.ravel(space.nvec).tolist(), strict=True)]
        return Leaf("multidiscrete", path, shape, str(dtype), _compact(lows), _compact(highs))
    low, high = _box_bounds(space, dtype)
    if any(a > b for a, b in zip(low, high, strict=True)):
        raise SpaceError(f"{path} has a low above its high; give a Box whose low is at most its high everywhere")
    return Leaf("binary" if dtype.kind == "b" else "box", path, shape, str(dtype), _compact(low), _compact(high))


def unsupported(space: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield path and kind of each part of a space that has no fixed number of entries or is unknown."""
    kind = kind_of(space)
    if kind in ("Dict", "Tuple"):
        for key in _keys(space):
            yield from unsupported(space.spaces[key], f"{path}[{key!r}]")
    elif kind not in ("Box", "Discrete", "MultiBinary", "MultiDiscrete"):
        yield path, kind


def supported_keys(space: Any) -> list[Any]:
    """Return the keys of a Dict or Tuple space whose parts are supported; none for any other space."""
    if kind_of(space) not in ("Dict", "Tuple"):
        return []
    return [key for key in _keys(space) if not any(unsupported(space.spaces[key], ""))]


def _keys(space: Any) -> Any:
    return space.spaces if kind_of(space) == "Dict" else range(len(space.spaces))


def _compact(values: list[int | float]) -> Bounds:
    return (values[0],) if len(set(values)) == 1 else tuple(values)


def _box_bounds(space: Any, dtype: np.dtype[Any]) -> tuple[list[int | float], list[int | float]]:
    if dtype.kind == "b":
        return np.ravel(space.low).astype(int).tolist(), np.ravel(space.high).astype(int).tolist()
    limits: Any = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    least, most = limits.min, limits.max
    if dtype.kind != "f" and dtype.itemsize < 4:  # 0 to 255 is a statement, 0 to 2^64 - 1 is none
        least, most = -math.inf, math.inf
    low = zip(np.ravel(space.low).tolist(), np.ravel(space.bounded_below).tolist(), strict=True)
    high = zip(np.ravel(space.high).tolist(), np.ravel(space.bounded_above).tolist(), strict=True)
    return (
        [value if bounded and value > least else -math.inf for value, bounded in low],
        [value if bounded and value < most else math.inf for value, bounded in high],
    )
