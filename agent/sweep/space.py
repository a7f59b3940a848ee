"""Where the value of a setting is drawn from: a span of numbers, or a few choices."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..config.settings import check_key
from ..errors import ConfigError, one_line

FORM = (
    "a list of values, or {low: a, high: b}, with log: true for even odds by factors and whole: true for whole numbers"
)
# Digits of a number that is drawn: what is between is no other setting.
DIGITS = 6


@dataclass(frozen=True)
class Span:
    """Numbers from `low` to `high`, both included."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def draw(self, rng: np.random.Generator) -> Any:
        """Return a value at random."""
        if self.whole and not self.log:
            return int(rng.integers(int(self.low), int(self.high) + 1))
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        drawn = rng.uniform(low, high)
        value = min(max(math.exp(drawn) if self.log else drawn, self.low), self.high)
        return round(value) if self.whole else float(f"{value:.{DIGITS}g}")

    def suggest(self, trial: Any, name: str) -> Any:
        """Return the value that a trial of Optuna has."""
        if self.whole:
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)


@dataclass(frozen=True)
class Choices:
    """A few values, of any kind that a setting has."""

    values: tuple[Any, ...]

    def draw(self, rng: np.random.Generator) -> Any:
        """Return a value at random."""
        return self.values[int(rng.integers(len(self.values)))]

    def suggest(self, trial: Any, name: str) -> Any:
        """Return the value that a trial of Optuna has; it keeps lists as text."""
        return json.loads(trial.suggest_categorical(name, [json.dumps(value) for value in self.values]))


Space = Span | Choices


def read_space(name: str, given: Any) -> Space:
    """Return what a specification says of a setting.

    Raises
    ------
    ConfigError
        If it is no setting, or what it says is none of `FORM`.
    """
    check_key(name)
    if isinstance(given, list) and given:
        return Choices(tuple(given))
    try:
        if not isinstance(given, Mapping) or not {"low", "high"} <= set(given) <= {"low", "high", "log", "whole"}:
            raise ValueError
        flags = [given.get(key, False) for key in ("log", "whole")]
        low, high = (float(given[key]) for key in ("low", "high"))
        ends = all(map(math.isfinite, (low, high))) and low < high and (low > 0 or not flags[0])
        if not ends or not all(isinstance(flag, bool) for flag in flags):
            raise ValueError
        if flags[1] and not (low.is_integer() and high.is_integer()):
            raise ValueError
    except (TypeError, ValueError):
        raise ConfigError(f"{name}: got {one_line(given)}; allowed: {FORM}") from None
    return Span(low, high, *flags)
