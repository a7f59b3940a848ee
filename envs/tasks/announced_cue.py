"""Which of several cues a bell announced: what was heard some time before has to decide what goes into memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arguments import checked_span, checked_whole
from .cues import NoisyCues

_TICKS = 10_000


class AnnouncedCue(NoisyCues):
    """Tell, after a stream of cues, on which side the one was that a bell announced.

    ## Description
    Several cues are shown one after the other, each left or right with equal chances. Some ticks before one of them a
    bell rings; at least half of the others come after that one. At the end comes a go signal, and the action taken
    when it is seen is right if it names the side of the cue that was announced.

    When a cue is seen the bell is over, and all cues look alike. A memory whose leak and input depend on what it sees
    alone can begin anew at the bell; from there on it holds a weighted sum of the cues in which a later one never
    weighs less than an earlier one, and the announced one is the first of them. With 6 cues these are 4 to 6, and the
    sign of their sum names it with a return of 0.35. A layer that remembers for a while that the bell rang, and sets
    what another layer lets in, solves it. Memory neurons that see the observation of up to d ticks ago see the bell at
    the cue unless `lead` is longer than d.

    ## Action space
    `Discrete(2)`: 0 for left, 1 for right. Only the action at the go signal counts.

    ## Observation space
    `Box`, float32, shape `(3 + noise_channels,)`.

    | index | entry | values |
    |---|---|---|
    | 0 | cue | -1 (left) or 1 (right) on the tick of a cue, else 0 |
    | 1 | bell | 1 on the tick of the bell, else 0 |
    | 2 | go signal | 1 on the tick whose action is judged, else 0 |
    | 3 and up | noise | independent Gaussian, mean 0, standard deviation `noise`, on every tick |

    ## Rewards
    +1 for the right action at the go signal, -1 for the wrong one, 0 on every other tick. Best expected return: 1.

    ## Starting state
    The sides are drawn independently, the announced cue from the first half (of an odd number the middle one too), and
    the times uniformly.

    ## Episode end
    The episode terminates with the action that is judged.

    ## Arguments
    - `cues`: how many, 2 to 1000, default 6.
    - `lead`: ticks from the bell to the cue, a whole number from 1 to 10000, or the least and the greatest, default 9
      to 12.
    - `pause`: ticks from one cue to the next, and from the start to the first, likewise, default 14 to 18; longer than
      `lead`.
    - `delay`: ticks between the last cue and the go signal, 0 to 10000, default 8.
    - `noise_channels`: entries that only carry noise, 0 to 10000, default 0.
    - `noise`: standard deviation of the noise, 0 to 1000, default 0.5.
    """

    def __init__(
        self,
        cues: int = 6,
        lead: int | Sequence[int] = (9, 12),
        pause: int | Sequence[int] = (14, 18),
        delay: int = 8,
        noise_channels: int = 0,
        noise: float = 0.5,
        render_mode: str | None = None,
    ) -> None:
        self.cues = checked_whole("cues", cues, 2, 1000)
        self.lead = checked_span("lead", lead, 1, _TICKS)
        self.pause = checked_span("pause", pause, 1, _TICKS)
        if self.pause[0] <= self.lead[1]:
            raise ValueError(f"pause: got {pause!r}; allowed: more than the greatest lead, {self.lead[1]}")
        self.delay = checked_whole("delay", delay, 0, _TICKS)
        super().__init__((-1, 0, 0), noise_channels, noise, render_mode)

    def draw(self) -> tuple[np.ndarray, tuple[int]]:
        """Return the observations and the right action of a new episode."""
        rng = self.np_random
        sides = rng.integers(0, 2, self.cues)
        times = np.cumsum(rng.integers(self.pause[0], self.pause[1] + 1, self.cues))
        announced = int(rng.integers((self.cues + 1) // 2))
        bell = times[announced] - rng.integers(self.lead[0], self.lead[1] + 1)
        go = int(times[-1]) + 1 + self.delay
        frames = self.blank(go + 2)
        frames[times, 0] = 2 * sides - 1
        frames[bell, 1] = 1.0
        frames[go, 2] = 1.0
        self.add_noise(frames)
        return frames, (int(sides[announced]),)
