"""What the last steps were like, in ring buffers: spikes of a network, value, TD error, return."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.float32]


class History:
    """The last steps, one a column, in fixed memory.

    Parameters
    ----------
    neurons : sequence of int
        Neurons of each layer.
    columns : int
        Steps that are kept.
    """

    def __init__(self, neurons: Sequence[int], columns: int) -> None:
        self.columns, self.steps = columns, 0
        self._spikes = [np.zeros((count, columns), np.float32) for count in neurons]
        # NaN: there was no such step, or nothing to show.
        self._curves = np.full((3, columns), np.nan)
        self._begins = np.zeros(columns, bool)

    def add(self, spikes: Sequence[Row], value: float, error: float, reward_sum: float, begins: bool) -> None:
        """Add a step in the place of the oldest one.

        Parameters
        ----------
        spikes : sequence of arrays
            What the neurons of each layer send.
        value, error, reward_sum : float
            Expected return, TD error (NaN if there is none), return of the episode so far.
        begins : bool
            Whether an episode begins here.
        """
        at = self.steps % self.columns
        for kept, sent in zip(self._spikes, spikes, strict=True):
            kept[:, at] = sent
        self._curves[:, at] = value, error, reward_sum
        self._begins[at] = begins
        self.steps += 1

    def spikes(self, layer: int) -> NDArray[np.float32]:
        """Return what a layer sent, (neurons, columns), newest last."""
        return self._in_order(self._spikes[layer])

    def rate(self, layer: int) -> float:
        """Return the share of neurons that spiked in a step."""
        seen = min(self.steps, self.columns)
        return float((self._spikes[layer] > 0).sum() / (self._spikes[layer].shape[0] * max(seen, 1)))

    def curves(self) -> NDArray[np.float64]:
        """Return value, TD error and return, (3, columns), newest last."""
        return self._in_order(self._curves)

    def begins(self) -> list[int]:
        """Return the columns in which an episode begins."""
        return [int(column) for column in np.flatnonzero(self._in_order(self._begins))]

    def _in_order(self, ring: NDArray[Any]) -> NDArray[Any]:
        return np.roll(ring, -(self.steps % self.columns), axis=-1)
