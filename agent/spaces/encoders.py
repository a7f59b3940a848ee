"""How one elementary observation is checked and written into its stretch of the network's input."""

from __future__ import annotations

from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, one_line
from .tree import Leaf

Out: TypeAlias = NDArray[np.float64]


class Encoder:
    """One leaf of an observation space. `check` raises `InputError`; `write` of what it returned cannot fail.

    Attributes
    ----------
    size : int
        Number of entries.
    standardized : bool
        Whether the entries are continuous.
    """

    standardized: ClassVar[bool] = False

    def __init__(self, leaf: Leaf) -> None:
        self.path, self.shape, self.size = leaf.path, leaf.shape, leaf.size

    def check(self, value: Any) -> Any:
        """Return the value as an array of numbers of the right shape."""
        try:
            array = np.asarray(value)
            if array.dtype.kind not in "biuf":  # fractions and integers of any length are objects
                array = array.astype(np.float64, casting="unsafe" if array.dtype.kind == "O" else "safe")
        except (TypeError, ValueError, OverflowError):
            raise InputError(
                f"{self.path} {one_line(value, 60)} is not an array of numbers; the space needs shape {self.shape}"
            ) from None
        if array.shape != self.shape:
            raise InputError(f"{self.path} has shape {array.shape}; the space needs shape {self.shape}")
        return array

    def write(self, checked: Any, out: Out) -> None:
        """Write the entries to `out`, (size,), in place."""
        out[:] = checked.reshape(-1)


class Numbers(Encoder):
    """A Box: its elements as they are."""

    standardized = True

    def check(self, value: Any) -> Any:
        """Return the value as an array of numbers of the right shape."""
        if type(value) is np.ndarray and value.dtype.char in "fd" and value.shape == self.shape:
            return value  # the usual case, in half the time
        return super().check(value)


# A wider range, such as that of an identifier, would leave small numbers below the floor of normalize.py.
WIDEST_SCALED = 2.0**32


class ScaledNumbers(Numbers):
    """A Box of integers with bounds, such as an image: the bounds become 0 and 1."""

    def __init__(self, leaf: Leaf) -> None:
        super().__init__(leaf)
        low, high = np.array(leaf.low, np.float64), np.array(leaf.high, np.float64)
        bounded = high - low < WIDEST_SCALED
        self.low = np.where(bounded, low, 0.0)
        self.span = np.where(bounded & (high > low), high - self.low, 1.0)

    def write(self, checked: Any, out: Out) -> None:
        """Write the elements, scaled."""
        out[:] = checked.reshape(-1)
        out -= self.low
        out /= self.span


class Binary(Encoder):
    """A MultiBinary or a Box of booleans."""

    def __init__(self, leaf: Leaf) -> None:
        super().__init__(leaf)
        self.truth = leaf.dtype == "bool"

    def check(self, value: Any) -> Any:
        """Return an array of zeros and ones."""
        array = super().check(value)
        if self.truth and not isinstance(value, np.ndarray):
            return array != 0  # as `Box.contains` reads a list
        if not ((array == 0) | (array == 1)).all():
            raise InputError(
                f"{self.path} is {one_line(value, 60)}; the space needs zeros and ones of shape {self.shape}"
            )
        return array


class Index(Encoder):
    """A Discrete: a one-hot vector."""

    def __init__(self, leaf: Leaf) -> None:
        super().__init__(leaf)
        self.start, self.size = int(leaf.low[0]), leaf.counts()[0]

    def check(self, value: Any) -> Any:
        """Return the index from 0."""
        if type(value) is int and self.start <= value < self.start + self.size:
            return value - self.start
        try:
            array = np.asarray(value)
        except ValueError:
            array = np.zeros(1)
        if array.shape != () or array.dtype.kind not in "iub":
            problem = "is not an integer"
        elif not 0 <= (index := int(array) - self.start) < self.size:
            problem = "is outside the space"
        else:
            return index
        last = self.start + self.size - 1
        raise InputError(
            f"{self.path} {one_line(value, 60)} {problem}; the space needs one from {self.start} to {last}"
        )

    def write(self, checked: Any, out: Out) -> None:
        """Write a one at the index."""
        out[:] = 0.0
        out[checked] = 1.0


class Indices(Encoder):
    """A MultiDiscrete: one one-hot vector after the other."""

    def __init__(self, leaf: Leaf) -> None:
        super().__init__(leaf)
        self.low, self.high = (np.array(bound, leaf.dtype) for bound in (leaf.lows(), leaf.highs()))
        counts = np.array(leaf.counts(), np.int64)
        self.size, self.begin = int(counts.sum()), np.cumsum(counts) - counts

    def check(self, value: Any) -> Any:
        """Return the places of the ones."""
        array = super().check(value).reshape(-1)
        if array.dtype.kind not in "iub":
            raise InputError(
                f"{self.path} {one_line(value, 60)} is not of integers; the space needs shape {self.shape}"
            )
        outside = np.flatnonzero((array < self.low) | (array > self.high))
        if outside.size:
            k = int(outside[0])
            place = [int(i) for i in np.unravel_index(k, self.shape)]
            raise InputError(
                f"{self.path}{''.join(f'[{i}]' for i in place)} {array[k]} is outside the space; the space needs one "
                f"from {self.low[k]} to {self.high[k]}"
            )
        # Differences are right even where unsigned numbers of 64 bits wrap around.
        return self.begin + (array.astype(np.int64) - self.low.astype(np.int64))

    def write(self, checked: Any, out: Out) -> None:
        """Write the ones."""
        out[:] = 0.0
        out[checked] = 1.0


def encoder_of(leaf: Leaf) -> Encoder:
    """Return the encoder of a leaf."""
    if leaf.kind == "box":
        whole = np.dtype(leaf.dtype).kind in "iu"
        return ScaledNumbers(leaf) if whole else Numbers(leaf)
    return {"binary": Binary, "discrete": Index, "multidiscrete": Indices}[leaf.kind](leaf)
