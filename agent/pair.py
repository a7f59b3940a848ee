"""The step of an agent in two threads: its own does the actor's half, another one the critic's."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .kernels import tick as kernel
from .kernels.halves import END, QUIT, WORDS_BYTES

_LINE = 64


class Pair:
    """A step, to be called as `kernels.tick.tick` is, beside a thread that spins until `close`.

    In a process that was forked from this one the thread is not there; steps are then made alone, with the same result,
    as are those that are going on in another thread when it ends, and later ones.

    Parameters
    ----------
    address : int
        Where the arena lies, one that needs no rare parts. Of another arena steps are made alone.
    alone : callable
        The step in one thread.
    """

    def __init__(self, address: int, alone: Callable[..., int]) -> None:
        block = np.zeros(WORDS_BYTES + _LINE, np.uint8)
        begin = -block.ctypes.data % _LINE
        words = block[begin : begin + WORDS_BYTES].view(np.int64)
        self._arena, self._alone, self._words = address, alone, words.ctypes.data
        self._block = block  # which a step needs that is going on when the finalizer lets go of it
        self._thread = threading.Thread(
            target=kernel.accompany, args=(address, self._words), name="synaptick critic", daemon=True
        )
        self._thread.start()
        self.close = weakref.finalize(self, _end, words, self._thread)

    def __call__(self, address: int, reward: float, mode: int, learning: bool) -> int:
        """Make the step."""
        if address != self._arena or not self._thread.is_alive():
            return self._alone(address, reward, mode, learning)
        return int(kernel.paired_tick(address, reward, mode, learning, self._words))


def _end(words: NDArray[np.int64], thread: Any) -> None:
    words[END // words.itemsize] = QUIT
    if thread.is_alive():
        thread.join()
