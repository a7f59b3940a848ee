"""Configurations drawn at random, each setting from what its kind accepts, of networks that are small."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from synaptick.config import Config
from synaptick.config.kinds import Choice, Kind, Real, Sizes, Switch, Whole, kind_of

# Whole numbers end this far above the lowest that is allowed.
MOST = 7


def random_config(rng: np.random.Generator) -> Config:
    """Return a configuration in which any two settings may meet.

    Numbers lie within a factor of 4 of their default, or on an end of a range from 0 to 1.
    """
    drawn = {spec.name: _drawn(kind_of(spec), getattr(Config(), spec.name), rng) for spec in fields(Config)}
    drawn["tau_min"], drawn["tau_max"] = sorted((drawn["tau_min"], drawn["tau_max"]))
    return Config(**drawn)


def _drawn(kind: Kind[Any], default: Any, rng: np.random.Generator) -> Any:
    if isinstance(kind, Switch):
        return bool(rng.integers(2))
    if isinstance(kind, Choice):
        return str(rng.choice(kind.words))
    if isinstance(kind, Sizes):
        return [_drawn(kind.each, None, rng) for _ in range(rng.integers(1, 4))]
    if isinstance(kind, Whole):
        if kind.or_zero and rng.integers(2):
            return 0
        return int(rng.integers(kind.low, min(kind.high, kind.low + MOST) + 1))
    if isinstance(kind, Real):
        if kind.low == 0 and kind.high <= 1 and rng.random() < 0.2:
            return float(rng.choice([kind.low, kind.high]))
        around = default * 4 ** rng.uniform(-1, 1) if default else rng.integers(2) * rng.uniform(0, 0.1)
        return float(np.clip(around, kind.low, kind.high))
    return default
