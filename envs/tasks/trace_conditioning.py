"""A cue, a gap, a reward, again and again: a stream without episodes in which the value of every moment is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from ..arguments import check_action, checked_real, checked_span, checked_whole, refuse_rendering


class TraceConditioning(gymnasium.Env[np.ndarray, np.int64]):
    """Predict a reward that follows a cue after a gap in which nothing is seen.

    ## Description
    The experiment of Pavlov with a pause between bell and food, as the stream of Rafiee et al. (2022): there is nothing
    to decide, and no end; what can be learned is the value. In the gap the observation is the same as between trials,
    so a value that rises towards the reward needs a memory of when the cue was. A trial:

    ::

        cue: C steps | gap: g steps | reward: R steps | pause, so that the next cue begins w steps after the reward did

    g and w are drawn anew for every trial, each uniformly from the whole numbers of its range.

    ## Action space
    `Discrete(1)`: nothing to choose.

    ## Observation space
    `Box`, float32, shape `(2 + distractors,)`.

    | index | entry | values |
    |---|---|---|
    | 0 | cue | 1 while the cue is shown, else 0 |
    | 1 | reward | 1 if a reward was paid with this observation, else 0 |
    | 2 and up | distractors | 1 while a stimulus without meaning is shown, else 0 |

    ## Rewards
    1 on each of the R steps of the reward, else 0.

    ## Starting state
    The cue of the first trial begins with the first observation. Distractors are off at first.

    ## Episode end
    There is none.

    ## Info
    `value`: the expected sum of all rewards to come, those of later trials too, discounted by `discount` for every
    step after the next, given all that has been observed. With d for `discount`, k steps since the cue began, i steps
    since the reward began, and ``mean`` over what g or w can still be::

        v = P mean(d^(g - e)),  e = k + 1 - C,  over g from max(e, least g)      before the reward
        v = rest(i) + B mean(d^(w - i)),  over w from max(i + 1, least w)        from the reward on

        rest(i) = 1 + d + ... + d^(R - 2 - i)                     what is left of the reward, none from i = R - 1 on
        P = (1 + d + ... + d^(R - 1)) / (1 - d^C mean(d^g) mean(d^w))       one step before the reward begins
        B = P d^(C - 1) mean(d^g)                                           when a cue begins

    No reward yet, e steps into the gap, rules out all g below e and leaves the others equally likely; the first reward
    is then g - e + 1 steps away. In the same way no cue yet rules out all w up to i. A step before the reward, its own
    worth and the next trial's, d^(1 + w) B, are ahead: P = 1 + ... + d^(R - 1) + d mean(d^w) B. That B is the first
    line at k = 0, and both together give P. Each mean is a geometric sum, and distractors tell nothing.

    ## Arguments
    - `gap`: steps between cue and reward, 0 to 10000: one number, or the least and the greatest, default 20.
    - `wait`: steps from the beginning of a reward to the next cue, `reward_length` to 10000: one number, or the least
      and the greatest, default 80 to 120.
    - `cue_length`: steps of the cue, and of each distractor, 1 to 10000, default 4.
    - `reward_length`: steps of the reward, 1 to 10000, default 1.
    - `discount`: of `info["value"]`, 0 to 0.9999, default 0.99. It changes nothing else.
    - `distractors`: channels with stimuli that come at random, 0 to 100, default 0. While channel k, counted from 1, is
      off, it goes on with chance 1 / (10 k) at every step.

    Rafiee et al. count from the beginning of the cue to that of the reward, x = `cue_length + gap`, drawn from x - x/3
    to x + x/3, and use a discount of 1 - 1/x. Theirs with x = 10 is
    `gap=(3, 9), wait=(80, 120), reward_length=2, discount=0.9`.

    ## References
    - B. Rafiee et al., From eye-blinks to state construction: diagnostic benchmarks for online representation learning,
      Adaptive Behavior, 2022, arXiv:2011.04590; durations and distractors as in
      github.com/banafsheh-rafiee/Classical-conditioning-benchmarks-for-state-construction.
    """

    def __init__(
        self,
        gap: int | Sequence[int] = 20,
        wait: int | Sequence[int] = (80, 120),
        cue_length: int = 4,
        reward_length: int = 1,
        discount: float = 0.99,
        distractors: int = 0,
        render_mode: str | None = None,
    ) -> None:
        refuse_rendering(render_mode)
        self.cue_length = checked_whole("cue_length", cue_length, 1, 10_000)
        self.reward_length = checked_whole("reward_length", reward_length, 1, 10_000)
        self.gap = checked_span("gap", gap, 0, 10_000)
        self.wait = checked_span("wait", wait, self.reward_length, 10_000)
        self.discount = checked_real("discount", discount, 0.0, 0.9999)
        self.distractors = checked_whole("distractors", distractors, 0, 100)
        self.observation_space = spaces.Box(0.0, 1.0, (2 + self.distractors,), np.float32)
        self.action_space = spaces.Discrete(1)
        self._before, self._after = self._values()
        self._frames: np.ndarray = np.zeros((0, 2 + self.distractors), np.float32)
        self._tick = self._ticks = self._pay = 0
        self._onsets: list[int] = []  # of distractors, in steps of this trial; negative if they began in the last one

    def _values(self) -> tuple[list[float], list[float]]:
        """Return the values before the reward, by steps since the cue, and from the reward on, by steps since then."""
        d, (gap, most), (wait, longest) = self.discount, self.gap, self.wait

        def powers(first: np.ndarray | int, count: np.ndarray | int) -> Any:
            return d**first * (1.0 - d**count) / (1.0 - d)

        e = np.arange(1 - self.cue_length, most + 1)
        least = np.maximum(e, gap)
        until = powers(least - e, most + 1 - least) / (most + 1 - least)
        i = np.arange(longest)
        least = np.maximum(i + 1, wait)
        again = powers(least - i, longest + 1 - least) / (longest + 1 - least)
        # The cue begins cue_length - 1 steps before e = 0: until[0] has that discount already.
        first = powers(0, self.reward_length) / (1.0 - d * again[0] * until[0])
        rest = powers(0, np.maximum(self.reward_length - 1 - i, 0))
        return (first * until).tolist(), (rest + first * until[0] * again).tolist()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin the stream anew; there are no options."""
        super().reset(seed=seed)
        self._onsets = [self._off(channel) for channel in range(self.distractors)]
        self._begin_trial()
        return self._frames[0].copy(), {"value": self._before[0]}

    def _off(self, channel: int) -> int:
        return int(self.np_random.geometric(0.1 / (channel + 1)))

    def _begin_trial(self) -> None:
        gap, wait = (int(self.np_random.integers(least, most + 1)) for least, most in (self.gap, self.wait))
        self._pay = self.cue_length + gap
        self._tick, self._ticks = 0, self._pay + wait
        self._frames = np.zeros((self._ticks, 2 + self.distractors), np.float32)
        self._frames[: self.cue_length, 0] = 1.0
        self._frames[self._pay : self._pay + self.reward_length, 1] = 1.0
        for channel, onset in enumerate(self._onsets):
            self._onsets[channel] = self._distract(channel, onset)

    def _distract(self, channel: int, onset: int) -> int:
        """Show a distractor throughout the trial, and return the first onset that the next trial has to know of."""
        while onset < self._ticks:
            end = onset + self.cue_length
            self._frames[max(onset, 0) : end, 2 + channel] = 1.0
            if end > self._ticks:
                break
            onset = end + self._off(channel)
        return onset - self._ticks

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Show the next observation."""
        check_action(action, range(1))
        if not self._ticks:
            raise ResetNeeded("call reset() before step()")
        self._tick += 1
        if self._tick == self._ticks:
            self._begin_trial()
        tick, since = self._tick, self._tick - self._pay
        if since < 0:
            return self._frames[tick].copy(), 0.0, False, False, {"value": self._before[tick]}
        reward = 1.0 if since < self.reward_length else 0.0
        return self._frames[tick].copy(), reward, False, False, {"value": self._after[since]}
