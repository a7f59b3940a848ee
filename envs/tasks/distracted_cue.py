"""One channel of many shows the answer, for one tick: a few random features of all channels lose it, provably."""

from __future__ import annotations

import math

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike

from ..arguments import checked_real, checked_whole
from .cues import NOISE_LIMIT, CuedChoice, gaussian


class DistractedCue(CuedChoice):
    """Remember a cue that one of many channels shows for a single tick, while all others carry noise.

    ## Description
    On the first tick one channel shows a binary cue; on every tick all other channels carry independent Gaussian
    noise. After a delay a go signal asks for the cue. Which channel shows it never changes, but nothing tells the agent
    which it is: what it sees there is no larger than the noise. A network whose lowest layer is much smaller than the
    number of channels has to learn the weights of that layer. If they stay random, no upper layer, memory or readout
    can make good what they lose: `best_accuracy` computes the bound.

    ## Action space
    `Discrete(2)`: 1 for a positive cue, 0 for a negative one. Only the action at the go signal counts.

    ## Observation space
    `Box`, float32, shape `(distractors + 2,)`.

    | index | entry | values |
    |---|---|---|
    | `channel` | cue | -`cue_size` or `cue_size` on the first tick, then 0 |
    | last | go signal | 1 on the tick whose action is judged, else 0 |
    | all others | distractors | independent standard normal numbers on every tick |

    ## Rewards
    +1 for the right action at the go signal, -1 for the wrong one, 0 on every other tick. Best expected return: 1; of a
    policy that has the cue right with chance p: 2p - 1; without memory: 0.

    ## Starting state
    The cue is drawn at random, with equal chances, and is in the first observation.

    ## Episode end
    The episode terminates with the action that is judged, after `delay + 2` ticks.

    ## Arguments
    - `distractors`: channels of noise, 1 to 100000, default 127.
    - `delay`: ticks between cue and go signal, 0 to 10000, default 12.
    - `cue_size`: magnitude of the cue, standard deviations of a distractor, 0.001 to 1000, default 1.
    - `channel`: which of the `distractors + 1` channels shows the cue, default 0.
    """

    def __init__(
        self,
        distractors: int = 127,
        delay: int = 12,
        cue_size: float = 1.0,
        channel: int = 0,
        render_mode: str | None = None,
    ) -> None:
        self.distractors = checked_whole("distractors", distractors, 1, 100_000)
        self.delay = checked_whole("delay", delay, 0, 10_000)
        self.cue_size = checked_real("cue_size", cue_size, 0.001, 1000.0)
        self.channel = checked_whole("channel", channel, 0, self.distractors)
        high = np.full(self.distractors + 2, NOISE_LIMIT, np.float32)
        high[self.channel] = self.cue_size
        high[-1] = 1.0
        low = -high
        low[-1] = 0.0
        super().__init__(spaces.Box(low, high, dtype=np.float32), render_mode=render_mode)

    def best_return(self, weights: ArrayLike) -> float:
        """Return the highest expected return with these weights of the first layer, see `best_accuracy`."""
        return 2.0 * best_accuracy(weights, self.channel, self.cue_size) - 1.0

    def draw(self) -> tuple[np.ndarray, tuple[int]]:
        """Return the observations and the right action of a new episode."""
        answer = int(self.np_random.integers(2))
        frames = gaussian(self.np_random, self.delay + 3, self.distractors + 2)
        frames[:, self.channel] = 0.0
        frames[0, self.channel] = self.cue_size if answer else -self.cue_size
        frames[:, -1] = 0.0
        frames[-2, -1] = 1.0
        return frames, (answer,)


def best_accuracy(weights: ArrayLike, channel: int = 0, cue_size: float = 1.0) -> float:
    """Return the highest chance of any decoder to tell the cue of `DistractedCue` from fixed features of what is seen.

    ::

        accuracy <= Phi(d),   d^2 = mu^T (W_d W_d^T)^-1 mu,   mu = cue_size w_c

    w_c is the column of `weights` of the cue, W_d are those of the distractors. An observation x reaches a network
    only as the currents I = W x of its first layer, however many neurons, layers and recurrent connections follow.

    - On the first tick I is Gaussian with covariance W_d W_d^T and mean mu or -mu. No decoder beats the likelihood
      ratio: the sign of mu^T (W_d W_d^T)^-1 I, which has mean +-d^2 and variance d^2, so is right with chance Phi(d).
    - On later ticks the currents hold fresh noise, independent of the cue and of the first tick, and the go signal, the
      same in every episode. Knowing them too leaves the likelihood ratio as it is.
    - Normalized currents, membranes, thresholds, spikes (recurrent ones too), the layers above and the action are
      functions of the currents so far and of independent random numbers: data processing adds no information.

    Parameters
    ----------
    weights : (neurons, distractors + 2) array_like
        Weights from the observation to the first layer, fixed over the episode; the last column, of the go signal, does
        not matter. Where two networks act together (an actor, and a critic whose errors change the actor within the
        episode) stack both; where observations are scaled on the way, scale the columns.
    channel : int
        Column of the cue.
    cue_size : float
        Magnitude of the cue, standard deviations of a distractor.

    Returns
    -------
    float
        0.5 (nothing can be told) to 1. The best expected return is ``2 accuracy - 1``.

    Raises
    ------
    ValueError
        If `weights` is not a matrix of finite numbers with at least three columns, or `channel` is not one of them.

    Notes
    -----
    d is the length of the smallest pattern v of the distractors that looks like the cue, W_d v = mu; if none does,
    because some combination of neurons sees the cue without noise, the accuracy is 1. For n neurons with independent
    Gaussian weights from D distractors, d^2 has mean cue_size^2 n / (D - n - 1).
    """
    matrix = np.asarray(weights, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[1] < 3 or not np.isfinite(matrix).all():
        raise ValueError(
            f"weights: got an array of shape {matrix.shape}; "
            "allowed: finite numbers of shape (neurons, distractors + 2), at least one distractor"
        )
    channel = checked_whole("channel", channel, 0, matrix.shape[1] - 2)
    mu = checked_real("cue_size", cue_size, 0.0, math.inf) * matrix[:, channel]
    noisy = np.delete(matrix[:, :-1], channel, axis=1)
    scale = np.maximum(np.abs(noisy).max(axis=1, initial=0.0), np.abs(mu))  # of each neuron; the bound ignores it
    seen = scale > 0.0
    mu, noisy = mu[seen] / scale[seen], noisy[seen] / scale[seen, None]
    alike = np.linalg.lstsq(noisy, mu, rcond=None)[0]
    if np.abs(noisy @ alike - mu).max(initial=0.0) > 1e-9:
        return 1.0
    return 0.5 + 0.5 * math.erf(float(np.linalg.norm(alike)) / math.sqrt(2.0))
