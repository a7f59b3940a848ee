"""A whole sequence to be kept and given back: how much memory holds, and in which order."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from ..arguments import checked_whole
from .cues import CuedChoice


class Copy(CuedChoice):
    """Reproduce a sequence of symbols after a pause, one symbol a step.

    ## Description
    `length` random symbols are shown one after the other, then nothing for `delay` ticks, then the same signal for
    `length` ticks, on each of which the action has to name the next symbol of the sequence. The sequence has
    `length * log2(symbols)` bits, all of which have to be kept, in order. The observations while it is reproduced are
    all alike: how far it has got has to be remembered too.

    ## Action space
    `Discrete(symbols)`: the symbol named. Only the actions at the signal count.

    ## Observation space
    `Box`, float32, shape `(symbols + 1,)`.

    | index | entry | values |
    |---|---|---|
    | 0 to `symbols - 1` | symbol | 1 in the place of the symbol shown, else 0; all 0 while none is |
    | last | go signal | 1 on the ticks whose actions are judged, else 0 |

    ## Rewards
    1 / `length` for each symbol named right, -1 / `length` for each wrong one, 0 while nothing is asked. Best expected
    return: 1; of a policy that names each symbol right with chance p: 2p - 1; without memory: 2 / `symbols` - 1.

    ## Starting state
    The symbols are drawn independently, with equal chances; the first is in the first observation.

    ## Episode end
    The episode terminates with the last action that is judged, after `2 length + delay` ticks.

    ## Arguments
    - `symbols`: how many there are, 2 to 1000, default 4.
    - `length`: symbols of a sequence, 1 to 10000, default 4.
    - `delay`: ticks between the last symbol and the first go signal, 0 to 10000, default 4.

    ## References
    - A. Graves, G. Wayne, I. Danihelka, Neural Turing machines, 2014, arXiv:1410.5401, section 4.1: the task in its
      supervised form, with vectors of bits for symbols and no pause.
    """

    def __init__(self, symbols: int = 4, length: int = 4, delay: int = 4, render_mode: str | None = None) -> None:
        self.symbols = checked_whole("symbols", symbols, 2, 1000)
        self.length = checked_whole("length", length, 1, 10_000)
        self.delay = checked_whole("delay", delay, 0, 10_000)
        super().__init__(spaces.Box(0.0, 1.0, (self.symbols + 1,), np.float32), self.symbols, render_mode)

    def draw(self) -> tuple[np.ndarray, list[int]]:
        """Return the observations and the right actions of a new episode."""
        sequence = self.np_random.integers(self.symbols, size=self.length)
        frames = np.zeros((2 * self.length + self.delay + 1, self.symbols + 1), np.float32)
        frames[np.arange(self.length), sequence] = 1.0
        frames[-1 - self.length : -1, -1] = 1.0
        return frames, sequence.tolist()
