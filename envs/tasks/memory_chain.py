"""One bit, seen once, asked for much later: how far back memory and credit reach, and nothing else."""

from __future__ import annotations

import numpy as np

from ..arguments import checked_flag, checked_whole
from .cues import NoisyCues


class MemoryChain(NoisyCues):
    """Name, `length` steps later, a cue that only the first observation showed.

    ## Description
    A cue of one bit is in the first observation. What is done in the next `length` steps has no effect; then a question
    is shown, and the action taken is right if it names the cue. Nothing has to be found out, computed or controlled:
    the one difficulty is the time between cue and answer.

    This is the task "memory_len" of bsuite (Osband et al. 2020): `length` is its `memory_length`, and an episode has
    as many steps, `length + 1`. Two things differ. bsuite shows its first observation twice, since it begins to count
    one step late; here the cue is seen once. Its question is the index of the bit that is asked for, which for its
    single bit is 0 at all times; here it is a signal.

    ## Action space
    `Discrete(2)`: 1 for a positive cue, 0 for a negative one. Only the action at the question counts.

    ## Observation space
    `Box`, float32, shape `(3 + noise_channels,)`; without the time one less, and each index below one less too.

    | index | entry | values |
    |---|---|---|
    | 0 | time left, if `time_shown` | 1 at first, then 1 - (k - 1) / `length` after k steps: 0 at the end |
    | 1 | question | 1 on the tick whose action is judged, else 0 |
    | 2 | cue | -1 or 1 in the first observation, then 0 |
    | 3 and up | noise | independent Gaussian, mean 0, standard deviation `noise`, on every tick |

    ## Rewards
    +1 for the right action at the question, -1 for the wrong one, 0 on every other tick. Best expected return: 1; of a
    policy that has the cue right with chance p: 2p - 1; without memory: 0, since the question looks the same after
    either cue.

    ## Starting state
    The cue is drawn at random, with equal chances.

    ## Episode end
    The episode terminates with the action that is judged, after `length + 1` steps.

    ## Arguments
    - `length`: steps from the cue to the question, 1 to 100000, default 16.
    - `time_shown`: whether the countdown of bsuite is observed, default True. It tells nothing about the cue, but a
      network sees something that changes on every step.
    - `noise_channels`: entries that only carry noise, 0 to 10000, default 0.
    - `noise`: standard deviation of the noise, 0 to 1000, default 0.5.

    ## References
    - I. Osband et al., Behavior suite for reinforcement learning, ICLR 2020, arXiv:1908.03568; steps and observation
      as in bsuite/environments/memory_chain.py of github.com/google-deepmind/bsuite.
    """

    def __init__(
        self,
        length: int = 16,
        time_shown: bool = True,
        noise_channels: int = 0,
        noise: float = 0.5,
        render_mode: str | None = None,
    ) -> None:
        self.length = checked_whole("length", length, 1, 100_000)
        self.time_shown = checked_flag("time_shown", time_shown)
        low = (0, 0, -1) if self.time_shown else (0, -1)
        super().__init__(low, noise_channels, noise, render_mode)

    def draw(self) -> tuple[np.ndarray, tuple[int]]:
        """Return the observations and the right action of a new episode."""
        answer = int(self.np_random.integers(2))
        frames, question = self.blank(self.length + 2), int(self.time_shown)
        if self.time_shown:
            frames[0, 0] = 1.0
            frames[1:, 0] = np.arange(self.length, -1, -1) / self.length
        frames[-2, question] = 1.0
        frames[0, question + 1] = 2 * answer - 1
        self.add_noise(frames)
        return frames, (answer,)
