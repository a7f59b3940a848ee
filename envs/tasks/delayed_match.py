"""Is this what was seen before the pause? A memory of one of several things, and a comparison with it."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from ..arguments import checked_whole
from .cues import CuedChoice


class DelayedMatch(CuedChoice):
    """Tell whether a symbol is the one that was shown before a pause.

    ## Description
    A sample, one of several symbols, is shown for one tick; after a pause of `delay` ticks a test symbol is shown,
    which is the sample in half of the episodes. What to do about a test symbol depends on the sample alone, so neither
    of the two is of use without the other: the memory has to be compared, not only read. With two symbols this is an
    exclusive or; more of them need more room in memory.

    ## Action space
    `Discrete(2)`: 0 for the same symbol, 1 for a different one. Only the action at the test counts.

    ## Observation space
    `Box`, float32, shape `(symbols + 1,)`.

    | index | entry | values |
    |---|---|---|
    | 0 to `symbols - 1` | symbol | 1 in the place of the symbol shown, else 0; all 0 while none is |
    | last | test | 1 on the tick whose action is judged, else 0 |

    ## Rewards
    +1 for the right action at the test, -1 for the wrong one, 0 on every other tick. Best expected return: 1; without
    memory: 0, since every test symbol is as often the sample as it is not.

    ## Starting state
    The sample is drawn with equal chances and is in the first observation. The test is the sample with chance 1/2, else
    one of the other symbols with equal chances.

    ## Episode end
    The episode terminates with the action that is judged, after `delay + 2` ticks.

    ## Arguments
    - `symbols`: how many there are, 2 to 1000, default 4.
    - `delay`: ticks between sample and test, 0 to 10000, default 8.

    ## References
    - D. S. Blough, Delayed matching in the pigeon, Journal of the Experimental Analysis of Behavior 2:151-160, 1959.
    """

    def __init__(self, symbols: int = 4, delay: int = 8, render_mode: str | None = None) -> None:
        self.symbols = checked_whole("symbols", symbols, 2, 1000)
        self.delay = checked_whole("delay", delay, 0, 10_000)
        super().__init__(spaces.Box(0.0, 1.0, (self.symbols + 1,), np.float32), render_mode=render_mode)

    def draw(self) -> tuple[np.ndarray, tuple[int]]:
        """Return the observations and the right action of a new episode."""
        differs, sample, shift = self.np_random.integers((0, 0, 1), (2, self.symbols, self.symbols)).tolist()
        frames = np.zeros((self.delay + 3, self.symbols + 1), np.float32)
        frames[0, sample] = 1.0
        frames[-2, (sample + differs * shift) % self.symbols] = 1.0
        frames[-2, -1] = 1.0
        return frames, (differs,)
