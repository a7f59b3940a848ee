"""A Gymnasium space as plain, comparable data: leaves of numbers or categories under Dict and Tuple branches."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ..errors import SpaceError, one_line

Bounds: TypeAlias = tuple[int | float, ...]
# Dtypes that a leaf of each kind may have, by their letter in NumPy.
LEAF_KINDS = {"box": "iuf", "binary": "iub", "discrete": "iu", "multidiscrete": "iu"}
BRANCH_KINDS = ("dict", "tuple")
# More entries would need a network of gigabytes: nearly always a mistake in the space.
MOST_ENTRIES = 10_000_000
# Dicts and Tuples within each other.
DEEPEST = 32


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

    def entries(self) -> int:
        """Return the length as a vector: one for each category, or each element where there are none."""
        # Elements first: what is made for each of them has to fit into memory.
        one_hot = self.kind in ("discrete", "multidiscrete") and self.size <= MOST_ENTRIES
        return sum(self.counts()) if one_hot else self.size


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


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Turn whatever an attribute of a space raises or turns out to be into a `SpaceError`; `path` names the space."""
    try:
        yield
    except SpaceError:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {one_line(error, quoted=False)}"
        raise SpaceError(f"the {path} space cannot be read ({said}); make it anew") from error


def read(space: Any, path: str) -> Node:
    """Return the tree of a space all of whose parts are supported; `path` names it in errors.

    Raises
    ------
    SpaceError
        If a part contradicts itself or has a key that is no name.
    """
    kind = kind_of(space)
    if kind in ("Dict", "Tuple"):
        keys = tuple(_keys(space))
        for key in keys:
            if not isinstance(key, str | int):
                raise SpaceError(f"{path} has the key {key!r}; give its parts names that are strings or whole numbers")
        parts = tuple(read(space.spaces[key], f"{path}[{key!r}]") for key in keys)
        return Branch(kind.lower(), path, keys, parts)
    if kind == "Discrete":
        start, dtype = int(space.start), np.dtype(space.dtype)
        return _checked(Leaf("discrete", path, (), str(dtype), (start,), (start + int(space.n) - 1,)))
    shape, dtype = tuple(int(k) for k in space.shape), np.dtype(space.dtype)
    low: Bounds
    high: Bounds
    if kind == "MultiBinary":
        low, high = (0,), (1,)
    elif math.prod(shape) > MOST_ENTRIES:
        low, high = (0,), (0,)  # not read: there may be no memory for them, and the space is refused for its size
    elif kind == "MultiDiscrete":
        starts, counts = np.ravel(space.start).tolist(), np.ravel(space.nvec).tolist()
        low, high = _compact(starts), _compact([first + n - 1 for first, n in zip(starts, counts, strict=True)])
    else:
        low, high = _box_bounds(space, dtype)
    names = {"MultiBinary": "binary", "MultiDiscrete": "multidiscrete"}
    return _checked(Leaf(names.get(kind, "binary" if dtype.kind == "b" else "box"), path, shape, str(dtype), low, high))


def _checked(leaf: Leaf) -> Leaf:
    problem = contradiction(leaf)
    if problem:
        raise SpaceError(f"{leaf.path} has {problem}; give a {leaf.kind} space whose bounds can be met")
    return leaf


def contradiction(leaf: Leaf) -> str:
    """Return what is wrong with the bounds of a leaf, or an empty text."""
    if any(len(bound) not in (1, leaf.size) for bound in (leaf.low, leaf.high)):
        return f"shape {leaf.shape} and {len(leaf.low)} and {len(leaf.high)} bounds"
    # Lone bounds are not spread out: the shape may be absurd.
    alike = len(leaf.low) == len(leaf.high)
    pairs = zip(leaf.low if alike else leaf.lows(), leaf.high if alike else leaf.highs(), strict=True)
    if not all(low <= high for low, high in pairs):
        return "a low above its high"
    dtype = np.dtype(leaf.dtype)
    if dtype.kind not in LEAF_KINDS[leaf.kind]:
        return f"the dtype {leaf.dtype}"
    if leaf.kind == "binary":
        least, most = 0, 1
    elif dtype.kind == "f":
        return ""
    else:
        least, most = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    finite = [
        bound for bounds in (leaf.low, leaf.high) for bound in bounds if isinstance(bound, int) or math.isfinite(bound)
    ]
    return "" if all(least <= bound <= most for bound in finite) else f"values that its dtype {leaf.dtype} cannot hold"


def unsupported(space: Any, path: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield path and kind of each part of a space that has no fixed number of entries or is unknown.

    Raises
    ------
    SpaceError
        If parts lie within each other more than `DEEPEST` times, as in one that holds itself.
    """
    kind = kind_of(space)
    if depth > DEEPEST:
        raise SpaceError(f"{path[:60]}... lies {depth} deep, at most {DEEPEST} are allowed; flatten the space")
    if kind in ("Dict", "Tuple"):
        for key in _keys(space):
            yield from unsupported(space.spaces[key], f"{path}[{key!r}]", depth + 1)
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


def _box_bounds(space: Any, dtype: np.dtype[Any]) -> tuple[Bounds, Bounds]:
    if dtype.kind == "b":
        low, high = (np.ravel(bound).astype(int).tolist() for bound in (space.low, space.high))
        return _compact(low), _compact(high)
    limits: Any = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    least, most = limits.min, limits.max
    if dtype.kind != "f" and dtype.itemsize < 4:  # 0 to 255 is a statement, 0 to 2^64 - 1 is none
        least, most = -math.inf, math.inf
    low, high = (
        _listed(space.shape, dtype, bound, bounded)
        for bound, bounded in ((space.low, space.bounded_below), (space.high, space.bounded_above))
    )
    return (
        _compact([value if bounded and value > least else -math.inf for value, bounded in low]),
        _compact([value if bounded and value < most else math.inf for value, bounded in high]),
    )


def _listed(shape: Any, dtype: np.dtype[Any], values: Any, bounded: Any) -> list[tuple[Any, bool]]:
    """Return bounds, and whether they are any, of each element; once if all are the same, since there may be many."""
    values, bounded = np.broadcast_to(values, shape).ravel(), np.broadcast_to(bounded, shape).ravel()
    # So that these are Python's floats or integers, whatever the length of the dtype and whoever has set them.
    values = values.astype(np.float64 if dtype.kind == "f" else dtype)
    if values.size and (values == values[0]).all() and (bounded == bounded[0]).all():
        values, bounded = values[:1], bounded[:1]
    return list(zip(values.tolist(), bounded.tolist(), strict=True))
