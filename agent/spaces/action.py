"""Actions from vectors: indices of categories and values of controls, put together as the space wants them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, SpaceError, one_line
from .plain import from_plain, to_plain
from .tree import MOST_ENTRIES, Leaf, Node, leaves, read, reading, unsupported

PATH = "action"
Values: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class ActionSpec:
    """An action space of any nesting of Box, Discrete, MultiBinary, MultiDiscrete, Dict and Tuple.

    It has discrete *factors*, one for each category to choose, and continuous *controls*, one for each number of a Box
    (of booleans: factors).

    Attributes
    ----------
    root : Leaf or Branch
        The space as plain data.
    choices : tuple of int
        Number of categories of each factor.
    low, high : tuple of float
        Bounds of each control, possibly infinite.
    simple : bool
        Whether the space is a single Discrete: an action is then one of `members`.
    members : array
        The actions of a single Discrete, in the type that its ``sample`` gives; empty for any other space.
    """

    root: Node
    choices: tuple[int, ...] = field(init=False, repr=False, compare=False)
    low: tuple[float, ...] = field(init=False, repr=False, compare=False)
    high: tuple[float, ...] = field(init=False, repr=False, compare=False)
    simple: bool = field(init=False, repr=False, compare=False)
    members: NDArray[Any] = field(init=False, repr=False, compare=False)
    _decoders: tuple[_Decoder, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = list(leaves(self.root))
        boxes = [leaf for leaf in parts if leaf.kind == "box"]
        size = sum(leaf.size for leaf in parts)
        if size == 0:
            raise SpaceError("the action space has no elements; give one with at least one")
        choices: tuple[int, ...] = ()
        if size <= MOST_ENTRIES:  # else there may be no memory for them
            choices = tuple(count for leaf in parts if leaf.kind != "box" for count in leaf.counts())
        if max(size, sum(choices)) > MOST_ENTRIES:
            raise SpaceError(
                f"the action space has {max(size, sum(choices))} entries, at most {MOST_ENTRIES} are allowed; make it "
                "smaller with an action wrapper"
            )
        simple = isinstance(self.root, Leaf) and self.root.kind == "discrete"
        derived = {
            "choices": choices,
            "low": tuple(float(low) for leaf in boxes for low in leaf.lows()),
            "high": tuple(float(high) for leaf in boxes for high in leaf.highs()),
            "simple": simple,
            "members": _members(parts[0]) if simple else np.zeros(0),
            "_decoders": tuple(_decoders(parts, len(choices))),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_space(cls, space: Any) -> ActionSpec:
        """Read a Gymnasium space; raise `SpaceError`, naming the part and a way out, for one that is not supported."""
        with reading(PATH):
            for path, kind in unsupported(space, PATH):
                raise SpaceError(
                    f"{path} is of kind {kind}, which has no fixed number of entries or is unknown; supported: Box, "
                    "Discrete, MultiBinary, MultiDiscrete, and Dict and Tuple of these. Fill it in with an action "
                    "wrapper of your own, for instance wrappers: [my_module:MyActionWrapper]"
                )
            return cls(read(space, PATH))

    @property
    def controls(self) -> int:
        """Number of controls."""
        return len(self.low)

    def decode(self, values: Values) -> Any:
        """Return the action that a vector stands for, in new memory.

        Parameters
        ----------
        values : (factors + controls,) float64 array
            The index, from 0, of each factor, then the value of each control in the units of the space. What lies
            outside the bounds, by rounding or otherwise, is moved to the nearest value inside.

        Returns
        -------
        numpy.integer, numpy.ndarray, dict or tuple
            A member of the space, of the types that its ``sample`` gives.
        """
        return _assemble(self.root, (decoder.decode(values) for decoder in self._decoders))

    def encode(self, action: Any, values: Values) -> None:
        """Undo `decode`: write the vector that an action stands for to `values`, in place.

        A number of a Box outside its bounds is moved to the nearest one inside.

        Raises
        ------
        InputError
            If it has another form than those of the space, is not finite, or chooses a category that there is not;
            `values` may then be written to in part.
        """
        for (path, part), decoder in zip(_parts_of(self.root, action, PATH), self._decoders, strict=True):
            try:
                decoder.encode(part, values)
            except (TypeError, ValueError, OverflowError) as error:
                raise InputError(f"{path} is {one_line(part)}: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """Return the space as plain mappings, lists, strings and finite numbers."""
        return to_plain(self.root)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], most: int = MOST_ENTRIES) -> ActionSpec:
        """Undo `to_dict`; raise `ValueError` if values contradict each other, or have more than `most` elements."""
        return cls(from_plain(values, PATH, most))


def _assemble(node: Node, parts: Iterator[Any]) -> Any:
    """Put the values of the leaves together as the tree has them."""
    if isinstance(node, Leaf):
        return next(parts)
    items = [_assemble(part, parts) for part in node.parts]
    return dict(zip(node.keys, items, strict=True)) if node.kind == "dict" else tuple(items)


def _parts_of(node: Node, action: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield path and value of each leaf of an action, in the order of the leaves."""
    if isinstance(node, Leaf):
        yield path, action
        return
    is_dict = node.kind == "dict"
    if not isinstance(action, dict if is_dict else list | tuple) or len(action) != len(node.parts):
        raise InputError(f"{path} is {one_line(action)}; the space needs a {node.kind} of {len(node.parts)} parts")
    keys: Iterable[Any] = node.keys if is_dict else range(len(node.parts))
    for key, part in zip(keys, node.parts, strict=True):
        if is_dict and key not in action:
            raise InputError(f"{path} has no part {key!r}, which the space has")
        yield from _parts_of(part, action[key], f"{path}[{key!r}]")


def _decoders(parts: list[Leaf], begin_of_controls: int) -> Iterator[_Decoder]:
    factor, control = 0, begin_of_controls
    for leaf in parts:
        if leaf.kind != "box":
            yield (_Index if leaf.kind == "discrete" else _Indices)(leaf, factor)
            factor += leaf.size
        else:
            yield (_Numbers if np.dtype(leaf.dtype).kind == "f" else _WholeNumbers)(leaf, control)
            control += leaf.size


class _Decoder:
    """One leaf, whose values begin at `begin`."""

    def __init__(self, leaf: Leaf, begin: int) -> None:
        self.shape, self.dtype = leaf.shape, np.dtype(leaf.dtype)
        self.begin, self.end = begin, begin + leaf.size

    def decode(self, values: Values) -> Any:
        raise NotImplementedError

    def encode(self, part: Any, values: Values) -> None:
        raise NotImplementedError

    def _numbers(self, part: Any) -> Values:
        """Return the numbers of a part; raise `ValueError` if they are too many, too few, or not finite."""
        found = np.asarray(part, np.float64)
        if found.size != self.end - self.begin or (found.shape != self.shape and found.size != 1):
            raise ValueError(f"its shape is {found.shape}, the space needs {self.shape}")
        if not np.isfinite(found).all():
            raise ValueError("all of it must be finite")
        return found.ravel()


def _members(leaf: Leaf) -> NDArray[Any]:
    """Return the values of a Discrete; indexing them takes a third of the time of making a scalar of NumPy's."""
    dtype = np.dtype(leaf.dtype)
    # Modulo the range of the dtype, which the values themselves are in.
    found: NDArray[Any] = np.arange(leaf.counts()[0]).astype(dtype) + np.array(leaf.low, dtype)
    return found


class _Index(_Decoder):
    def __init__(self, leaf: Leaf, begin: int) -> None:
        super().__init__(leaf, begin)
        self.members = _members(leaf)

    def decode(self, values: Values) -> Any:
        # What `sample` gives, for environments that call a method of it, such as `item`.
        return self.members[int(values[self.begin])]

    def encode(self, part: Any, values: Values) -> None:
        self._numbers(part)
        values[self.begin] = _index(part, int(self.members[0]), len(self.members))


class _Indices(_Decoder):
    def __init__(self, leaf: Leaf, begin: int) -> None:
        super().__init__(leaf, begin)
        # Python's numbers: an index plus its start fits the dtype, each alone need not.
        self.starts = tuple(int(low) for low in leaf.lows())
        self.counts = tuple(leaf.counts())

    def decode(self, values: Values) -> NDArray[Any]:
        indices = values[self.begin : self.end].tolist()
        chosen = [int(index) + start for index, start in zip(indices, self.starts, strict=True)]
        return np.array(chosen, self.dtype).reshape(self.shape)

    def encode(self, part: Any, values: Values) -> None:
        self._numbers(part)
        given = zip(np.ravel(part).tolist(), self.starts, self.counts, strict=True)
        values[self.begin : self.end] = [_index(*entry) for entry in given]


class _Numbers(_Decoder):
    def __init__(self, leaf: Leaf, begin: int) -> None:
        super().__init__(leaf, begin)
        most = float(np.finfo(self.dtype).max)
        self.low, self.high = (np.clip(np.array(b(), np.float64), -most, most) for b in (leaf.lows, leaf.highs))

    def decode(self, values: Values) -> NDArray[Any]:
        # The bounds are numbers of the dtype, so that rounding to it cannot pass them.
        clipped = np.minimum(np.maximum(values[self.begin : self.end], self.low), self.high)
        return clipped.astype(self.dtype).reshape(self.shape)

    def encode(self, part: Any, values: Values) -> None:
        values[self.begin : self.end] = np.minimum(np.maximum(self._numbers(part), self.low), self.high)


class _WholeNumbers(_Decoder):
    def __init__(self, leaf: Leaf, begin: int) -> None:
        super().__init__(leaf, begin)
        limits = np.iinfo(self.dtype)
        self.low = tuple(int(max(low, limits.min)) for low in leaf.lows())
        self.high = tuple(int(min(high, limits.max)) for high in leaf.highs())

    def decode(self, values: Values) -> NDArray[Any]:
        # Python's integers: those of 64 bits are not all floats.
        given = zip(values[self.begin : self.end].tolist(), self.low, self.high, strict=True)
        return np.array([min(max(round(v), low), high) for v, low, high in given], self.dtype).reshape(self.shape)

    def encode(self, part: Any, values: Values) -> None:
        self._numbers(part)
        given = zip(np.ravel(part).tolist(), self.low, self.high, strict=True)
        values[self.begin : self.end] = [float(min(max(v, low), high)) for v, low, high in given]


def _index(part: Any, start: int, count: int) -> int:
    """Return the index, from 0, of a category; raise `ValueError` if it is none."""
    index = int(part) - start
    if index + start != part or not 0 <= index < count:
        raise ValueError(f"allowed: whole numbers from {start} to {start + count - 1}")
    return index
