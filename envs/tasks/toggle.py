"""Whether a switch is on or off after a sparse stream of pulses, each of which turns it over."""

from __future__ import annotations

import numpy as np

from ..arguments import checked_whole
from .cues import NoisyCues

_TICKS = 10_000


class Toggle(NoisyCues):
    """Tell, after a stream of pulses, whether their number was odd.

    ## Description
    Pulses are shown with pauses of random length before, between and after them; then comes a go signal. The action
    taken when it is seen is right if it tells whether the number of pulses was odd. No pulse alone says anything, and
    no count of them that is compared with one threshold says much: each pulse has to turn over what is remembered.

    A memory c <- a c + b whose a > 0 and b depend on what it sees alone cannot turn itself over: whatever the first
    state is larger than, it stays larger than. It can count, and one threshold on the count brings a return of
    2 / (most + 1). A reader with a threshold for each count is right always; the more pulses there may be, the finer
    these thresholds have to be. Layers of such memories, one on the other, get no further: of finite precision, any
    number of them tells the parity only up to some length unless an a may be negative (Grazzi et al. 2025). What can
    turn over without end sees its own spikes, as the layers above memory do.

    ## Action space
    `Discrete(2)`: 0 for even, 1 for odd. Only the action at the go signal counts.

    ## Observation space
    `Box`, float32, shape `(2 + noise_channels,)`.

    | index | entry | values |
    |---|---|---|
    | 0 | pulse | 1 on the tick of a pulse, else 0 |
    | 1 | go signal | 1 on the tick whose action is judged, else 0 |
    | 2 and up | noise | independent Gaussian, mean 0, standard deviation `noise`, on every tick |

    ## Rewards
    +1 for the right action at the go signal, -1 for the wrong one, 0 on every other tick. Best expected return: 1.

    ## Starting state
    The number of pulses is drawn from 0 to `most`, the pauses independently.

    ## Episode end
    The episode terminates with the action that is judged.

    ## Arguments
    - `most`: largest number of pulses, odd, so that both answers are as likely, 1 to 999, default 5.
    - `gap`: longest pause, ticks, 1 to 10000, default 8; each is 1 to `gap` ticks long.
    - `noise_channels`: entries that only carry noise, 0 to 10000, default 0.
    - `noise`: standard deviation of the noise, 0 to 1000, default 0.5.

    ## References
    - R. Grazzi et al., Unlocking state-tracking in linear RNNs through negative eigenvalues, ICLR 2025,
      arXiv:2411.12537.
    """

    def __init__(
        self,
        most: int = 5,
        gap: int = 8,
        noise_channels: int = 0,
        noise: float = 0.5,
        render_mode: str | None = None,
    ) -> None:
        self.most = checked_whole("most", most, 1, 999)
        if self.most % 2 == 0:
            raise ValueError(
                f"most: got {most!r}; allowed: an odd number from 1 to 999, so that both answers are as likely"
            )
        self.gap = checked_whole("gap", gap, 1, _TICKS)
        super().__init__((0, 0), noise_channels, noise, render_mode)

    def draw(self) -> tuple[np.ndarray, tuple[int]]:
        """Return the observations and the right action of a new episode."""
        count = int(self.np_random.integers(0, self.most + 1))
        times = np.cumsum(self.np_random.integers(1, self.gap + 1, count + 1) + 1) - 1
        frames = self.blank(int(times[-1]) + 2)
        frames[times[:-1], 0] = 1.0
        frames[times[-1], 1] = 1.0
        self.add_noise(frames)
        return frames, (count % 2,)
