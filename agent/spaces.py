"""How the observations and actions of a Gymnasium space map to the vectors the kernels work on.

Spaces are recognised by the name of their class, so that an embedded agent does not load Gymnasium.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError, SpaceError


def _kind(space: Any) -> str:
    for base in type(space).__mro__:
        if base.__module__.startswith("gymnasium.spaces"):
            return base.__name__
    return type(space).__name__


@dataclass(frozen=True)
class ObservationSpec:
    """An observation space: a Box of any shape, flattened, or a Discrete, as a one-hot vector.

    Attributes
    ----------
    kind : {"box", "discrete"}
    shape : tuple of int
        Shape of an observation; empty for Discrete.
    size : int
        Length of the encoded observation.
    start : int
        Smallest value of a Discrete observation.
    """

    kind: str
    shape: tuple[int, ...]
    size: int
    start: int = 0

    @classmethod
    def from_space(cls, space: Any) -> ObservationSpec:
        """Read a Gymnasium space; raise `SpaceError` for one that is not supported."""
        kind = _kind(space)
        if kind == "Discrete":
            return cls("discrete", (), int(space.n), int(space.start))
        if kind == "Box":
            shape = tuple(int(k) for k in space.shape)
            size = int(np.prod(shape))
            if size == 0:
                raise SpaceError(f"observation space {space} has no elements; give one with at least one number")
            return cls("box", shape, size)
        raise SpaceError(
            f"observation space {space} is of kind {kind}; supported: Box and Discrete. "
            "Wrap the environment with gymnasium.wrappers.FlattenObservation, which turns most others into a Box"
        )

    def encode(self, observation: Any, out: NDArray[np.float64]) -> None:
        """Write the encoded observation to `out`, (size,), in place.

        If it does not fit the space, `InputError` is raised and nothing written. Whether a Box observation is finite is
        checked by the kernel.
        """
        if self.kind == "discrete":
            index = _as_index(observation, self.size, self.start)
            out[:] = 0.0
            out[index] = 1.0
            return
        try:
            array = np.asarray(observation)
            if array.dtype.kind not in "biuf":
                array = array.astype(np.float64, casting="safe")
        except (TypeError, ValueError, OverflowError):
            raise InputError(
                f"observation {observation!r} is not an array of numbers; the space needs shape {self.shape}"
            ) from None
        if array.shape != self.shape:
            raise InputError(f"observation has shape {array.shape}; the space needs shape {self.shape}")
        out[:] = array.reshape(-1)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain numbers, strings and lists."""
        return {**asdict(self), "shape": list(self.shape)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ObservationSpec:
        """Undo `to_dict`; raise `ValueError` if the values contradict each other."""
        kind, shape, size = str(values["kind"]), tuple(int(k) for k in values["shape"]), int(values["size"])
        if kind not in ("box", "discrete") or (kind == "box" and int(np.prod(shape)) != size):
            raise ValueError(f"an observation of kind {kind}, shape {shape} and size {size} cannot be")
        return cls(kind, shape, size, int(values["start"]))


def _as_index(observation: Any, size: int, start: int) -> int:
    try:
        array = np.asarray(observation)
    except ValueError:
        array = np.zeros(1)
    if array.shape != () or not np.issubdtype(array.dtype, np.integer):
        problem = "is not an integer"
    elif not 0 <= int(array) - start < size:
        problem = "is outside the space"
    else:
        return int(array) - start
    raise InputError(f"observation {observation!r} {problem}; the space needs one from {start} to {start + size - 1}")


@dataclass(frozen=True)
class ActionSpec:
    """A Discrete action space.

    Attributes
    ----------
    n : int
        Number of actions.
    start : int
        Smallest action.
    """

    n: int
    start: int = 0

    @classmethod
    def from_space(cls, space: Any) -> ActionSpec:
        """Read a Gymnasium space; raise `SpaceError` for one that is not supported."""
        kind = _kind(space)
        if kind != "Discrete":
            raise SpaceError(f"action space {space} is of kind {kind}; supported: Discrete")
        return cls(int(space.n), int(space.start))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain numbers."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ActionSpec:
        """Undo `to_dict`."""
        return cls(int(values["n"]), int(values["start"]))
