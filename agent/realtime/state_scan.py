"""Whether the agent's own numbers are finite: the outputs every step, everything else slice by slice."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..agent import Agent
from ..arena.arena import UNBOUNDED, Arena
from ..kernels import layout as at


class StateScan:
    """Looks at the outputs and at one slice of the state each step, so that a step costs the same for any network.

    4096 float32 take 1.6 us; a state of 1 MB is through after 61 steps. (A compiled kernel would take half
    of that, and have to be shipped; a product with zeros a third, but it warns of infinite numbers.) What breaks an
    action shows in the outputs at once.

    Parameters
    ----------
    agent : Agent
    size : int
        Numbers a slice; 0: look at the outputs only.
    """

    def __init__(self, agent: Agent, size: int) -> None:
        arena = agent.arena
        self._arena = arena
        self._running = arena.reals[at.RUNNING_AT : at.SETTINGS_AT].data
        self._drawn = arena.views["action"].data
        self._slices: list[tuple[NDArray[np.floating], NDArray[np.bool_]]] = []
        flags = np.zeros(size, np.bool_)
        self._next = 0
        if not size:
            return
        left_out = bounds_of_controls(arena).astype(np.int8)
        edges = np.flatnonzero(np.diff(left_out, prepend=1, append=1))  # where stretches begin and end, in turns
        stretches: list[NDArray[np.floating]] = [
            arena.reals[first:last] for first, last in zip(edges[::2], edges[1::2], strict=True)
        ]
        stretches.append(arena.floats)
        for stretch in stretches:
            for begin in range(0, stretch.size, size):
                part = stretch[begin : begin + size]
                self._slices.append((part, flags[: part.size]))

    @property
    def steps(self) -> int:
        """Steps that it takes to look at everything once."""
        return len(self._slices)

    def step(self) -> bool:
        """Return whether the outputs and the next slice are finite."""
        # The log-probability is that of the preferences, means and stds that the action was drawn from.
        if not math.isfinite(sum(self._running) + sum(self._drawn)):
            return False
        if not self._slices:
            return True
        numbers, flags = self._slices[self._next]
        self._next += 1
        if self._next == len(self._slices):
            self._next = 0
        return bool(np.isfinite(numbers, out=flags).all())

    def non_finite(self) -> list[str]:
        """Return the names of the arrays that hold a number that is not finite."""
        return self._arena.non_finite(self._arena.block)


def bounds_of_controls(arena: Arena) -> NDArray[np.bool_]:
    """Return which of an arena's float64 numbers are bounds of controls, which may be infinite."""
    found = np.zeros(arena.reals.size, np.bool_)
    for name in UNBOUNDED:
        view = arena.views[name]
        first = (int(view.ctypes.data) - int(arena.reals.ctypes.data)) // 8
        found[first : first + view.size] = view.size > 0
    return found
