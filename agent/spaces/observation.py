"""Observations as vectors: numbers as they are, categories as one-hot vectors, in the order of Gymnasium's flatten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, SpaceError, one_line
from .encoders import Encoder, encoder_of
from .plain import from_plain, to_plain
from .tree import MOST_ENTRIES, Leaf, Node, leaves, read, reading, supported_keys, unsupported

PATH = "observation"


@dataclass(frozen=True)
class ObservationSpec:
    """An observation space of any nesting of Box, Discrete, MultiBinary, MultiDiscrete, Dict and Tuple.

    The encoding is that of `gymnasium.spaces.flatten`, but Boxes of integers that have bounds, such as images, are
    scaled by them to 0 to 1 (not if these are 2^32 apart or more).

    Attributes
    ----------
    root : Leaf or Branch
        The space as plain data.
    size : int
        Length of the encoded observation.
    """

    root: Node
    size: int = field(init=False, repr=False, compare=False)
    _encoders: tuple[Encoder, ...] = field(init=False, repr=False, compare=False)
    _only: Encoder | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = list(leaves(self.root))
        size = sum(leaf.entries() for leaf in parts)
        if size == 0:
            raise SpaceError("the observation space has no elements; give one with at least one number")
        if size > MOST_ENTRIES:
            raise SpaceError(
                f"the observation space has {size} entries, at most {MOST_ENTRIES} are allowed; make it smaller with a "
                "wrapper, such as gymnasium.wrappers:ResizeObservation for images"
            )
        encoders = tuple(encoder_of(leaf) for leaf in parts)
        object.__setattr__(self, "size", size)
        object.__setattr__(self, "_encoders", encoders)
        object.__setattr__(self, "_only", encoders[0] if isinstance(self.root, Leaf) else None)

    @classmethod
    def from_space(cls, space: Any) -> ObservationSpec:
        """Read a Gymnasium space; raise `SpaceError`, naming the part and a way out, for one that is not supported."""
        with reading(PATH):
            found = list(unsupported(space, PATH))
            if not found:
                return cls(read(space, PATH))
            path, kind = found[0]
            others = [other for other, _ in found[1:6]] + [f"{len(found) - 6} more"] * (len(found) > 6)
            also = f" (so are {', '.join(others)})" if others else ""
            raise SpaceError(
                f"{path} is of kind {kind}, which has no fixed number of entries or is unknown{also}; supported: "
                "Box, Discrete, MultiBinary, MultiDiscrete, and Dict and Tuple of these. Drop or convert it with a "
                f"wrapper, for instance wrappers: [{_wrapper(space, kind)}]"
            )

    @property
    def standardized(self) -> NDArray[np.bool_]:
        """Which entries are continuous, so that they may be standardized: not those that are one-hot or 0 and 1."""
        return np.concatenate([np.full(encoder.size, encoder.standardized) for encoder in self._encoders])

    def encode(self, observation: Any, out: NDArray[np.float64]) -> None:
        """Write the encoded observation to `out`, (size,), in place.

        Every finite member of the space, as Gymnasium's ``contains`` has it, is taken, but for texts that spell
        numbers and complex ones. If it does not fit the space, `InputError` is raised and nothing written. Whether the
        numbers of a Box are finite is checked by the kernel.
        """
        try:
            if self._only is not None:
                self._only.write(self._only.check(observation), out)
                return
            values: list[Any] = []
            _gather(self.root, observation, values)
            # All are checked before the first is written.
            checked = [encoder.check(value) for encoder, value in zip(self._encoders, values, strict=True)]
        except InputError:
            raise
        except Exception as error:  # whatever an object does that is asked for its numbers
            said = f"{type(error).__name__}: {one_line(error, quoted=False)}"
            raise InputError(f"{PATH} {one_line(observation, 60)} cannot be read ({said})") from error
        begin = 0
        for encoder, value in zip(self._encoders, checked, strict=True):
            encoder.write(value, out[begin : begin + encoder.size])
            begin += encoder.size

    def to_dict(self) -> dict[str, Any]:
        """Return the space as plain mappings, lists, strings and finite numbers."""
        return to_plain(self.root)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], most: int = MOST_ENTRIES) -> ObservationSpec:
        """Undo `to_dict`; raise `ValueError` if values contradict each other, or have more than `most` elements."""
        return cls(from_plain(values, PATH, most))


def _gather(node: Node, value: Any, values: list[Any]) -> None:
    """Append the values of the leaves to `values`, or raise `InputError`."""
    if isinstance(node, Leaf):
        values.append(value)
        return
    if node.kind == "dict":
        if not isinstance(value, Mapping):
            raise InputError(
                f"{node.path} is {one_line(value, 60)}; the space needs a mapping with keys {_listed(node.keys)}"
            )
        for key in node.keys:
            if key not in value:
                raise InputError(f"{node.path}[{key!r}] is missing; the space needs keys {_listed(node.keys)}")
        if len(value) > len(node.keys):
            key = next(key for key in value if key not in node.keys)
            raise InputError(f"{node.path}[{key!r}] is not in the space, whose keys are {_listed(node.keys)}")
        items = [value[key] for key in node.keys]
    else:
        sequence = isinstance(value, tuple | list) or (isinstance(value, np.ndarray) and value.ndim > 0)
        if not sequence or len(value) != len(node.parts):
            raise InputError(
                f"{node.path} is {one_line(value, 60)}; the space needs a tuple of {len(node.parts)} parts"
            )
        items = list(value)
    for part, item in zip(node.parts, items, strict=True):
        _gather(part, item, values)


def _listed(keys: tuple[Any, ...]) -> str:
    return ", ".join(map(repr, keys))


def _wrapper(space: Any, kind: str) -> str:
    """Return a wrapper, as a configuration has it, that makes a space supported."""
    kept = supported_keys(space)
    if kept:
        return f"{{gymnasium.wrappers:FilterObservation: {{filter_keys: {kept}}}}}"
    return "gymnasium.wrappers:FlattenObservation" if kind in ("Text", "OneOf") else "my_module:MyWrapper"
