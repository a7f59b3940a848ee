"""What a guard looks for, and what it does about it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import ConfigError

# Responses, by what they answer.
ALLOWED: dict[str, tuple[str, ...]] = {
    "input": ("hold", "fallback"),
    "reward": ("freeze", "hold", "fallback"),
    "sensor": ("report", "freeze", "hold", "fallback"),
    "actuator": ("report", "freeze", "hold", "fallback"),
    "action": ("limit", "hold", "fallback"),
    "state": ("rollback", "hold", "fallback"),
    "collapse": ("report", "rollback", "fallback"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Watchdog:
    """Limits of a guard and its response to each kind of trouble; `ConfigError` if one is impossible.

    Responses: ``report`` notes it and goes on. ``freeze``: the agent acts but does not learn while it lasts. ``hold``:
    the last action is sent again, and the agent is not asked, while it lasts. ``fallback``: the user's controller acts
    while it lasts, and for `fallback_steps` more. ``rollback``: the agent goes back to a good snapshot and begins an
    episode. ``limit``: the action is moved to the nearest allowed one. All are noted.

    Attributes
    ----------
    input : {"hold", "fallback"}
        An observation that is not finite, does not fit its space, lies outside `observation_low` to `observation_high`
        or jumps; or none, because reading it failed.
    observation_low, observation_high : float or (k,) array, optional
        Bounds of the encoded observation (`ObservationSpec.encode`), in its units.
    observation_jump : float, optional
        Stds from the mean, both as the agent has learned them, that a continuous entry may be away; checked from
        1000 observations on. More than `accept_after` in a row are believed.
    accept_after : int
    reward : {"freeze", "hold", "fallback"}
        A reward that is not finite, outside `reward_low` to `reward_high`, or more than `reward_jump` times as large as
        the largest before (a fourth within 1000 steps is believed). One spike would otherwise scale down every later
        reward for `Config.statistics_horizon` steps.
    reward_low, reward_high : float, optional
    reward_jump : float, optional
    sensor : {"report", "freeze", "hold", "fallback"}
        A continuous entry of the observation that has varied before and stays exactly the same for `sensor_steps`.
    sensor_steps : int, optional
    actuator : {"report", "freeze", "hold", "fallback"}
        What the actuator reports as applied is farther than `actuator_tolerance` (units of the action; one for all or
        one each) from what was sent, for `actuator_steps` in a row.
    actuator_tolerance : float or (n,) array, optional
    actuator_steps : int
    action : {"limit", "hold", "fallback"}
        An action outside `action_low` to `action_high`, or more than `action_rate` (units a step) from the one sent
        before; for an action space that is one Box. What the fallback controller does is always limited.
    action_low, action_high, action_rate : float or (n,) array, optional
    state : {"rollback", "hold", "fallback"}
        A number of the agent that is not finite: an output at once, any other within `nbytes / (4 scan)` steps. The
        agent is rolled back in any case; this says who acts in this step. If no snapshot is good, indefinitely.
    scan : int
        Numbers of the state that are looked at each step; 0: only the outputs.
    collapse : {"report", "rollback", "fallback"}
        The running return is bad for `collapse_steps` in a row; a fallback is preceded by a rollback.
    collapse_below : float, optional
        Bad: below this, once it has been above. The running return is the mean, over about `return_steps` steps, of the
        discounted sum of the rewards since the episode began, so that it also falls when episodes become short.
    collapse_share : float, optional
        Bad: below this share, from 0 to less than 1, of the way from the first running return, of the first
        `return_steps`, to the best, once that way is longer than the noise.
    return_steps, collapse_steps : int
    late_periods : int
        Periods without a step that are no gap yet (`Guard.was_late`).
    hold_steps : int
        After so many held steps in a row a guard's `safe_action` is sent, if it has one, at once and at any rate.
    fallback_steps : int
    restart_after : int
        Steps. An agent that was not asked for longer than this begins a new episode; the default is five times the
        default time constant of its adaptation, when nothing of before is left in its neurons.
    """

    input: str = "hold"
    observation_low: ArrayLike | None = None
    observation_high: ArrayLike | None = None
    observation_jump: float | None = None
    accept_after: int = 10
    reward: str = "freeze"
    reward_low: float | None = None
    reward_high: float | None = None
    reward_jump: float | None = 1e6
    sensor: str = "report"
    sensor_steps: int | None = 1000
    actuator: str = "freeze"
    actuator_tolerance: ArrayLike | None = None
    actuator_steps: int = 20
    action: str = "limit"
    action_low: ArrayLike | None = None
    action_high: ArrayLike | None = None
    action_rate: ArrayLike | None = None
    state: str = "rollback"
    scan: int = 4096
    collapse: str = "rollback"
    collapse_below: float | None = None
    collapse_share: float | None = None
    return_steps: int = 2000
    collapse_steps: int = 5000
    late_periods: int = 10
    hold_steps: int = 100
    fallback_steps: int = 100
    restart_after: int = 100

    def __post_init__(self) -> None:
        for name, allowed in ALLOWED.items():
            if getattr(self, name) not in allowed:
                raise ConfigError(f"watchdog: {name} is {getattr(self, name)!r}; allowed: {', '.join(allowed)}")
        for name, low in (
            ("accept_after", 0),
            ("sensor_steps", 2),
            ("actuator_steps", 1),
            ("scan", 0),
            ("return_steps", 1),
            ("collapse_steps", 1),
            ("late_periods", 0),
            ("hold_steps", 0),
            ("fallback_steps", 0),
            ("restart_after", 0),
        ):
            value = getattr(self, name)
            if value is None and name == "sensor_steps":
                continue
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < low:
                raise ConfigError(f"watchdog: {name} is {value!r}; allowed: a whole number of {low} or more")
        for name in ("observation_jump", "reward_jump"):
            _check_number(name, getattr(self, name), "above 0", lambda value: 0.0 < value < math.inf)
        for name in ("reward_low", "reward_high", "collapse_below"):
            _check_number(name, getattr(self, name), "that is not NaN", lambda value: not math.isnan(value))
        for name in ("action_rate", "actuator_tolerance"):
            _check_sizes(name, getattr(self, name))
        _check_number(
            "collapse_share", self.collapse_share, "of 0 or more and below 1", lambda value: 0.0 <= value < 1.0
        )

    @property
    def uses_fallback(self) -> bool:
        """Whether some response needs a fallback controller."""
        return "fallback" in [getattr(self, name) for name in ALLOWED]

    @property
    def limits_actions(self) -> bool:
        """Whether there is a limit to actions."""
        return any(limit is not None for limit in (self.action_low, self.action_high, self.action_rate))


def _check_sizes(name: str, value: Any) -> None:
    try:
        if value is None or (np.asarray(value, np.float64) >= 0.0).all():
            return
    except (TypeError, ValueError, OverflowError):
        pass
    raise ConfigError(f"watchdog: {name} is {value!r}; allowed: numbers of 0 or more, or None to leave it out")


def _check_number(name: str, value: Any, what: str, fits: Callable[[float], bool]) -> None:
    if value is None:
        return
    try:
        if not isinstance(value, str | bytes) and fits(float(value)):
            return
    except (TypeError, ValueError, OverflowError):
        pass
    raise ConfigError(f"watchdog: {name} is {value!r}; allowed: a number {what}, or None to leave it out")
