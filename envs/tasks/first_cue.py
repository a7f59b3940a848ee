"""Which of two cues came first in a stream of several: what is in memory has to decide what goes in."""

from __future__ import annotations

import numpy as np

from ..arguments import checked_whole
from .cues import NoisyCues

_TICKS = 10_000


class FirstCue(NoisyCues):
    """Tell, after a stream of cues, which one was the first.

    ## Description
    Several cues are shown one after the other, each left or right with equal chances, with pauses of random length
    before, between and after them; then comes a go signal. The action taken when it is seen is right if it names the
    first cue. All cues look alike, so that whether one is to be kept depends on whether there was one before.

    A memory whose leak and input depend on what it sees alone, left as much as right, holds a weighted sum of the cues
    in which a later one never weighs less than an earlier one: what the first adds has been through every leak since.
    The sign of the sum of all cues, the best of these, names the first of three cues in 3 cases of 4, of four (a tie
    decided by chance) or five in 11 of 16: with 3 to 5 cues a return of 0.42. With a leak for cues to the left and
    another for those to the right, one cell c <- a c + b and a threshold come to 7/12, 0.58. A layer that remembers
    that there was a cue, and sets the leak of another layer, solves it.

    ## Action space
    `Discrete(2)`: 0 for left, 1 for right. Only the action at the go signal counts.

    ## Observation space
    `Box`, float32, shape `(2 + noise_channels,)`.

    | index | entry | values |
    |---|---|---|
    | 0 | cue | -1 (left) or 1 (right) while a cue is shown, else 0 |
    | 1 | go signal | 1 on the tick whose action is judged, else 0 |
    | 2 and up | noise | independent Gaussian, mean 0, standard deviation `noise`, on every tick |

    ## Rewards
    +1 for the right action at the go signal, -1 for the wrong one, 0 on every other tick. Best expected return: 1.

    ## Starting state
    The number of cues is drawn from `least` to `most`, their sides and the pauses independently.

    ## Episode end
    The episode terminates with the action that is judged.

    ## Arguments
    - `least`, `most`: numbers of cues, 1 to 1000, defaults 3 and 5.
    - `gap`: longest pause, ticks, 1 to 10000, default 8; each is 1 to `gap` ticks long.
    - `noise_channels`: entries that only carry noise, 0 to 10000, default 0.
    - `noise`: standard deviation of the noise, 0 to 1000, default 0.5.
    """

    def __init__(
        self,
        least: int = 3,
        most: int = 5,
        gap: int = 8,
        noise_channels: int = 0,
        noise: float = 0.5,
        render_mode: str | None = None,
    ) -> None:
        self.least = checked_whole("least", least, 1, 1000)
        self.most = checked_whole("most", most, self.least, 1000)
        self.gap = checked_whole("gap", gap, 1, _TICKS)
        super().__init__((-1, 0), noise_channels, noise, render_mode)

    def draw(self) -> tuple[np.ndarray, tuple[int]]:
        """Return the observations and the right action of a new episode."""
        count = int(self.np_random.integers(self.least, self.most + 1))
        sides = self.np_random.integers(0, 2, count)
        times = np.cumsum(self.np_random.integers(1, self.gap + 1, count + 1) + 1) - 1
        frames = self.blank(int(times[-1]) + 2)
        frames[times[:-1], 0] = 2 * sides - 1
        frames[times[-1], 1] = 1.0
        self.add_noise(frames)
        return frames, (int(sides[0]),)
