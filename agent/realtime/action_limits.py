"""Limits of what is sent to a machine: range, rate, and whether it does it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..agent import Agent
from ..errors import ConfigError, one_line
from ..spaces.tree import Leaf
from .input_checks import bounds
from .watchdog import Watchdog


class ActionLimits:
    """Moves actions of one Box into their range and to within their rate; other spaces have no such limits.

    Attributes
    ----------
    active : bool
        Whether there is a limit.
    """

    def __init__(self, agent: Agent, watchdog: Watchdog) -> None:
        self.active = watchdog.limits_actions
        if not self.active:
            return
        root = agent.action.root
        if not isinstance(root, Leaf) or root.kind != "box":
            raise ConfigError("watchdog: action_low, action_high and action_rate need an action space that is one Box")
        shape, size = root.shape, root.size
        low = bounds("action_low", watchdog.action_low, size, -math.inf)
        high = bounds("action_high", watchdog.action_high, size, math.inf)
        if (low > high).any():
            raise ConfigError("watchdog: action_low is above action_high in some entry; exchange them")
        rate = bounds("action_rate", watchdog.action_rate, size, math.inf)
        self._dtype = np.dtype(root.dtype)
        least, most = _range_of(self._dtype)
        low, high = np.maximum(low, least), np.minimum(high, most)
        if self._dtype.kind != "f":  # so that rounding to whole numbers passes no limit
            low, high, rate = np.ceil(low), np.floor(high), np.floor(rate)
        if (low > high).any():
            raise ConfigError("watchdog: there is no action of this space from action_low to action_high in some entry")
        self._low, self._high, self._rate = low.reshape(shape), high.reshape(shape), rate.reshape(shape)
        self._has_rate = watchdog.action_rate is not None
        self._from, self._to, self._allowed = np.zeros(shape), np.zeros(shape), np.zeros(shape)

    def apply(self, action: Any, before: Any) -> tuple[Any, str]:
        """Return the nearest allowed action, and what was wrong with this one, or an empty text.

        Parameters
        ----------
        action : array
        before : array or None
            What was sent a step ago; None: there is no limit to the rate.
        """
        least, most = self._low, self._high
        if before is not None and self._has_rate:
            # Within the range in any case, though the action before may have been outside (a range is no wish). Not
            # np.clip, which costs as much as all the rest.
            least, most = self._from, self._to
            np.subtract(before, self._rate, out=least)
            np.minimum(np.maximum(least, self._low, out=least), self._high, out=least)
            np.add(before, self._rate, out=most)
            np.maximum(np.minimum(most, self._high, out=most), self._low, out=most)
        np.maximum(action, least, out=self._allowed)
        np.minimum(self._allowed, most, out=self._allowed)
        allowed = self._allowed.astype(self._dtype)
        if (allowed == action).all():
            return action, ""
        action = np.asarray(action)
        if self._dtype.kind == "f" and action.dtype != self._dtype:
            # Of another precision, as a controller's is: only rounded, it is not limited.
            with np.errstate(over="ignore"):
                if (allowed == action.astype(self._dtype)).all():
                    return allowed, ""
        k = int(np.flatnonzero(np.ravel(allowed != action))[0])
        problem = f"action entry {k} is {action.flat[k]:g}, allowed now are {least.flat[k]:g} to {most.flat[k]:g}"
        return allowed, problem


class ActuatorCheck:
    """Counts steps in which what was applied is not what was sent."""

    def __init__(self, agent: Agent, watchdog: Watchdog) -> None:
        self.active = watchdog.actuator_tolerance is not None
        self._steps, self._in_a_row = watchdog.actuator_steps, 0
        if not self.active:
            return
        root = agent.action.root
        if not isinstance(root, Leaf):
            raise ConfigError("watchdog: actuator_tolerance needs an action space of one part, no Dict and no Tuple")
        self._tolerance = bounds("actuator_tolerance", watchdog.actuator_tolerance, root.size, 0.0).reshape(root.shape)

    def problem(self, sent: Any, applied: Any) -> str:
        """Return what is wrong, once it has been so for long enough, or an empty text."""
        try:
            apart = np.abs(np.asarray(applied, np.float64) - np.asarray(sent, np.float64))
            follows = bool((apart <= self._tolerance).all())  # NaN does not
        except Exception:  # whatever it is
            return f"the actuator reports {one_line(applied, 40)}, which is no action"
        self._in_a_row = 0 if follows else self._in_a_row + 1
        if self._in_a_row < self._steps:
            return ""
        return f"the actuator reports {_first(applied)} where {_first(sent)} was sent"


def is_finite(action: Any) -> bool:
    """Return whether all numbers of an action of any kind are finite."""
    if isinstance(action, int | np.integer):
        return True
    if isinstance(action, dict | tuple):
        return all(is_finite(part) for part in (action.values() if isinstance(action, dict) else action))
    try:
        return bool(np.isfinite(action).all())
    except Exception:  # whatever a controller has returned
        return False


def formed(action: Any, like: Any) -> Any:
    """Return an action in the form of another one of its space: keys, parts and shapes; numbers stay as they are.

    Raises
    ------
    ValueError
        If it has another form; the text says what is needed.
    """
    if isinstance(like, dict):
        if not isinstance(action, dict) or action.keys() != like.keys():
            raise ValueError(f"the action space needs a dict of {', '.join(map(repr, like))}")
        return {key: formed(action[key], part) for key, part in like.items()}
    if isinstance(like, tuple):
        if not isinstance(action, list | tuple) or len(action) != len(like):
            raise ValueError(f"the action space needs a tuple of {len(like)}")
        return tuple(formed(*pair) for pair in zip(action, like, strict=True))
    found = np.asarray(action)
    if found.dtype.kind not in "buif":
        raise ValueError("it is not made of numbers")
    if isinstance(like, np.ndarray):
        if found.shape != like.shape and not found.size == like.size == 1:
            raise ValueError(f"it has shape {found.shape}, the action space needs {like.shape}")
        return action if isinstance(action, np.ndarray) and found.shape == like.shape else found.reshape(like.shape)
    if found.size != 1 or found.dtype.kind == "f":
        raise ValueError("the action space needs a whole number")
    return action if found.ndim == 0 else found.item()


def form_of(agent: Agent) -> Any:
    """Return an action in the form that those of an agent have; its numbers have no meaning."""
    return agent.action.decode(np.zeros_like(agent.arena.views["action"]))


def checked(name: str, action: Any, agent: Agent) -> Any:
    """Return an action for times of need as a copy in the form of the agent's; raise `ConfigError` if it has another.

    Not finite is refused too: whatever is wrong shows before it is needed.
    """
    try:
        found = copied(formed(action, form_of(agent)))
        problem = "" if is_finite(found) else "it is not finite"
    except ValueError as error:
        problem = str(error)
    except Exception as error:  # whatever it is
        problem = one_line(error)
    if problem:
        raise ConfigError(f"{name} is {one_line(action)}: {problem}; give an action that may be sent at any time")
    return found


def copied(value: Any) -> Any:
    """Return an action or an observation with all arrays in it copied, so that nobody else can write to them."""
    if isinstance(value, int | np.integer):
        return value
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        parts = [copied(part) for part in value]
        return tuple(parts) if isinstance(value, tuple) else parts
    return value


def _range_of(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return the least and the greatest float64 that a number of this kind can hold."""
    if dtype.kind == "f":
        return float(np.finfo(dtype).min), float(np.finfo(dtype).max)
    least, most = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    # 2^63 - 1 is no float64; the nearest one is 2^63.
    return float(least), float(most) if float(most) <= most else math.nextafter(float(most), 0.0)


def _first(action: Any) -> str:
    numbers = np.ravel(action)
    return f"[{', '.join(map(str, numbers[:4].tolist()))}{', ...' * (numbers.size > 4)}]"
