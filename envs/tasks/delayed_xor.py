"""Whether two cues, seen one after the other, differed: asked later, so that depth and time both need credit."""

from __future__ import annotations

import numpy as np

from ..arguments import checked_whole
from .cues import NoisyCues

_TICKS = 10_000


class DelayedXor(NoisyCues):
    """Tell, after a delay, whether two binary cues differed.

    ## Description
    A first cue is shown, then a pause, a second cue, another pause, and a go signal. The action taken when the go
    signal is seen is right if it is the exclusive or of the two cues. Either cue alone says nothing about the answer: a
    policy that acts at random, always does the same or goes by one cue has an expected return of 0. A linear threshold
    of both is right in three cases of four at best, a return of 0.5. The cues have to be combined nonlinearly, and kept
    for longer than they are seen.

    ## Action space
    `Discrete(2)`: 0 for equal cues, 1 for different ones. Only the action at the go signal counts.

    ## Observation space
    `Box`, float32, shape `(2 + noise_channels,)`.

    | index | entry | values |
    |---|---|---|
    | 0 | cue | -1 or 1 while a cue is shown, else 0 |
    | 1 | go signal | 1 on the tick whose action is judged, else 0 |
    | 2 and up | noise | independent Gaussian, mean 0, standard deviation `noise`, on every tick |

    ## Rewards
    +1 for the right action at the go signal, -1 for the wrong one, 0 on every other tick. Best expected return: 1.

    ## Starting state
    Both cues are drawn at random, independently and with equal chances; the first is in the first observation.

    ## Episode end
    The episode terminates with the action that is judged, after `2 cue_length + gap + delay + 1` ticks, and up to
    `2 jitter` more.

    ## Arguments
    - `cue_length`: ticks each cue is shown, 1 to 10000, default 2.
    - `gap`: least ticks between the cues, 1 to 10000, default 2.
    - `delay`: least ticks between the second cue and the go signal, 0 to 10000, default 3.
    - `jitter`: gap and delay are each lengthened by 0 to `jitter` ticks, drawn anew every episode, 0 to 10000,
      default 1.
    - `noise_channels`: entries that only carry noise, 0 to 10000, default 2.
    - `noise`: standard deviation of the noise, 0 to 1000, default 0.5.
    """

    def __init__(
        self,
        cue_length: int = 2,
        gap: int = 2,
        delay: int = 3,
        jitter: int = 1,
        noise_channels: int = 2,
        noise: float = 0.5,
        render_mode: str | None = None,
    ) -> None:
        self.cue_length = checked_whole("cue_length", cue_length, 1, _TICKS)
        self.gap = checked_whole("gap", gap, 1, _TICKS)
        self.delay = checked_whole("delay", delay, 0, _TICKS)
        self.jitter = checked_whole("jitter", jitter, 0, _TICKS)
        super().__init__((-1, 0), noise_channels, noise, render_mode)

    def draw(self) -> tuple[np.ndarray, tuple[int]]:
        """Return the observations and the right action of a new episode."""
        first, second, *longer = self.np_random.integers(0, (2, 2, self.jitter + 1, self.jitter + 1)).tolist()
        begin = self.cue_length + self.gap + longer[0]  # of the second cue
        go = begin + self.cue_length + self.delay + longer[1]
        frames = self.blank(go + 2)
        frames[: self.cue_length, 0] = 2 * first - 1
        frames[begin : begin + self.cue_length, 0] = 2 * second - 1
        frames[go, 1] = 1.0
        self.add_noise(frames)
        return frames, (first ^ second,)
