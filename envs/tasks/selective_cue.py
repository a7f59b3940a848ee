"""Which of several cues was marked: what is kept for long is chosen by what has to be told apart first."""

from __future__ import annotations

import numpy as np

from ..arguments import checked_whole
from .cues import NoisyCues

_TICKS = 10_000
# The mark of the cue that counts is drawn from +- the first, the others' from between the second and 1, either sign.
INSIDE, OUTSIDE = 0.25, 0.5


class SelectiveCue(NoisyCues):
    """Tell, after a delay, on which side the one cue was whose mark was near zero.

    ## Description
    Several cues are shown one after the other, left or right with equal chances, each beside a mark: a number near 0
    for one of them, and far from 0, above or below, for all others. After a delay comes a go signal, and the action
    taken when it is seen is right if it names the side of the cue whose mark was near 0. What comes in has to be
    chosen while it is seen, by a rule that no single threshold of the mark expresses, and kept for long.
    """

    def __init__(
        self,
        cues: int = 5,
        gap: int = 4,
        delay: int = 32,
        noise_channels: int = 0,
        noise: float = 0.5,
        render_mode: str | None = None,
    ) -> None:
        self.cues = checked_whole("cues", cues, 2, 1000)
        self.gap = checked_whole("gap", gap, 1, _TICKS)
        self.delay = checked_whole("delay", delay, 0, _TICKS)
        super().__init__((-1, -1, 0), noise_channels, noise, render_mode)

    def draw(self) -> tuple[np.ndarray, tuple[int]]:
        """Return the observations and the right action of a new episode."""
        rng = self.np_random
        sides = rng.integers(0, 2, self.cues)
        marks = rng.uniform(OUTSIDE, 1.0, self.cues) * rng.choice((-1.0, 1.0), self.cues)
        chosen = int(rng.integers(self.cues))
        marks[chosen] = rng.uniform(-INSIDE, INSIDE)
        times = np.cumsum(rng.integers(1, self.gap + 1, self.cues) + 1) - 1
        go = int(times[-1]) + 1 + self.delay
        frames = self.blank(go + 2)
        frames[times, 0] = 2 * sides - 1
        frames[times, 1] = marks
        frames[go, 2] = 1.0
        self.add_noise(frames)
        return frames, (int(sides[chosen]),)
