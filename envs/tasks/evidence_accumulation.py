"""Which side showed more cues? Evidence to be counted as it comes and kept until a decision is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arguments import checked_real, checked_span, checked_whole
from .cues import NoisyCues

_MS = 10_000


class EvidenceAccumulation(NoisyCues):
    """Decide, after a pause, on which side more cues were shown.

    ## Description
    An animal runs through a corridor with cues on its left and right, and at the end has to turn to the side where
    there were more of them. Every cue has to be counted when it is seen, and the count kept through a pause whose
    length varies. Task, timing and chances are those with which e-prop was tested (Bellec et al. 2020, Fig. 3), where
    the network was told the right side, and saw each channel as the spikes of ten neurons. Here it is rewarded, and
    sees numbers.

    ::

        [spacing, cue] x cues | delay | decision          durations in ms, steps of tick_ms each

    The action at the last step of the decision period is judged, those before it are not. A network that passes
    activity on from tick to tick needs some ticks to react to the decision signal; they are the period's purpose. It is
    one decision: an average over the period, closest to the original, would blur which action earned the reward. With
    `decision_ms` equal to `tick_ms` the first action after the signal counts.

    ## Action space
    `Discrete(2)`: 0 for left, 1 for right. Only the action at the last step of the decision period counts.

    ## Observation space
    `Box`, float32, shape `(3 + noise_channels,)`.

    | index | entry | values |
    |---|---|---|
    | 0 | left | 1 while a cue is shown on the left, else 0 |
    | 1 | right | 1 while a cue is shown on the right, else 0 |
    | 2 | decision | 1 during the decision period, else 0 |
    | 3 and up | noise | independent Gaussian, mean 0, standard deviation `noise`, on every tick |

    ## Rewards
    +1 for the right side, -1 for the other, 0 before. Best expected return: 1; without memory: 0, since the decision
    period looks the same whatever was right. One cue alone is right more often than not: a policy that remembers a
    single one has an expected return of .45 with the default arguments.

    ## Starting state
    A side is drawn with equal chances; each cue is on that side with chance `cue_chance`, independently. Right is the
    side of more cues, whichever was drawn.

    ## Episode end
    The episode terminates with the action that is judged.

    ## Info
    `answer`: the action that will be right, in every step and at reset; for looking on, not for the agent.

    ## Arguments
    Durations are multiples of `tick_ms`, up to 10000.

    - `cues`: how many, an odd number from 1 to 101, default 7.
    - `tick_ms`: duration of a step, 1 to 10000, default 10.
    - `cue_ms`: duration of a cue, default 100.
    - `spacing_ms`: pause before each cue, 0 or more, default 50.
    - `delay_ms`: pause after the last cue, 0 or more: one number, or the least and the greatest of those it is drawn
      from anew every episode, with equal chances for each number of ticks, default 500 to 1500. The code of Bellec et
      al. has 1050.
    - `decision_ms`: duration of the decision period, default 150.
    - `cue_chance`: chance of a cue to be on the side drawn, 0.5 to 1, default 0.7.
    - `noise_channels`: entries that only carry noise, 0 to 10000, default 0.
    - `noise`: standard deviation of the noise, 0 to 1000, default 0.5.

    ## References
    - G. Bellec et al., A solution to the learning dilemma for recurrent networks of spiking neurons, Nature
      Communications 11:3625, 2020; timing as in Figure_3_and_S7_e_prop_tutorials of
      github.com/IGITUGraz/eligibility_propagation.
    """

    def __init__(
        self,
        cues: int = 7,
        tick_ms: int = 10,
        cue_ms: int = 100,
        spacing_ms: int = 50,
        delay_ms: int | Sequence[int] = (500, 1500),
        decision_ms: int = 150,
        cue_chance: float = 0.7,
        noise_channels: int = 0,
        noise: float = 0.5,
        render_mode: str | None = None,
    ) -> None:
        self.cues = checked_whole("cues", cues, 1, 101)
        if self.cues % 2 == 0:
            raise ValueError(f"cues: got {cues!r}; allowed: an odd number from 1 to 101, so that one side has more")
        self.tick_ms = checked_whole("tick_ms", tick_ms, 1, _MS)
        self.cue_ms = checked_whole("cue_ms", cue_ms, 1, _MS)
        self.spacing_ms = checked_whole("spacing_ms", spacing_ms, 0, _MS)
        self.delay_ms = checked_span("delay_ms", delay_ms, 0, _MS)
        self.decision_ms = checked_whole("decision_ms", decision_ms, 1, _MS)
        self.cue_chance = checked_real("cue_chance", cue_chance, 0.5, 1.0)
        self._cue = self._ticks("cue_ms", self.cue_ms)
        self._cycle = self._cue + self._ticks("spacing_ms", self.spacing_ms)
        self._delays = [self._ticks("delay_ms", end) for end in self.delay_ms]
        self._decision = self._ticks("decision_ms", self.decision_ms)
        super().__init__((0, 0, 0), noise_channels, noise, render_mode)

    def _ticks(self, name: str, duration: int) -> int:
        if duration % self.tick_ms:
            raise ValueError(f"{name}: got {duration}; allowed: a multiple of tick_ms, which is {self.tick_ms}")
        return duration // self.tick_ms

    def draw(self) -> tuple[np.ndarray, tuple[int]]:
        """Return the observations and the right action of a new episode."""
        side = int(self.np_random.integers(2))
        sides = np.where(self.np_random.random(self.cues) < self.cue_chance, side, 1 - side).tolist()
        seen = self.cues * self._cycle  # ticks until the last cue ends
        decide = seen + int(self.np_random.integers(self._delays[0], self._delays[1] + 1))
        end = decide + self._decision
        frames = self.blank(end + 1)
        for cue, shown in enumerate(sides, start=1):
            frames[cue * self._cycle - self._cue : cue * self._cycle, shown] = 1.0
        frames[decide:end, 2] = 1.0
        self.add_noise(frames)
        return frames, (int(2 * sum(sides) > self.cues),)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode; there are no options."""
        observation, _ = super().reset(seed=seed, options=options)
        return observation, {"answer": self._answers[0]}

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Show the next observation, and judge the action if the decision period ends with it."""
        observation, reward, terminated, truncated, _ = super().step(action)
        return observation, reward, terminated, truncated, {"answer": self._answers[0]}
