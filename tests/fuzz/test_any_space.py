"""Spaces and observations of any kind, also broken ones: read and encoded, or refused in one line."""

from __future__ import annotations

import random
import warnings
from decimal import Decimal
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from synaptick.spaces import ActionSpec, ObservationSpec, as_reward

from .inputs import budgets, plain, refusal, within

DTYPES = [bool, np.int8, np.uint8, np.int32, np.int64, np.uint64, np.float16, np.float32, np.float64, np.longdouble]
DTYPES += [">f4", ">i8", np.complex64, object, "U3", "M8[s]"]
BOUNDS = [0, 1, -1, 0.5, 255, -128, 2**31, 2**63 - 1, -(2**63), 1e300, -1e300, np.inf, -np.inf, np.nan]
SHAPES: list[Any] = [(), (0,), (1,), (2,), (2, 3), (2, 0, 3), (1, 1, 1, 1), (300,), (3200, 3200)]
ATTRIBUTES = [
    "low",
    "high",
    "bounded_below",
    "bounded_above",
    "n",
    "start",
    "nvec",
    "spaces",
    "_shape",
    "dtype",
    "_dtype",
]


def some_space(rng: random.Random, depth: int = 3) -> Any:
    kind = rng.randrange(8 if depth else 5)
    shape = rng.choice(SHAPES[:8])
    if kind == 0:
        low, high = rng.choice(BOUNDS), rng.choice(BOUNDS)
        return spaces.Box(low, high, rng.choice(SHAPES), rng.choice(DTYPES))
    if kind == 1:
        low = np.array([rng.choice(BOUNDS) for _ in range(6)]).reshape(2, 3)
        return spaces.Box(low, low + rng.choice([0, 1, 0.5, np.inf]), dtype=rng.choice(DTYPES))
    if kind == 2:
        dtype = rng.choice(DTYPES[1:6])
        return spaces.Discrete(
            rng.choice([1, 2, 5, 200, 2**40, 2**63 - 1]), start=rng.choice([0, 1, -5, 120, 2**40]), dtype=dtype
        )
    if kind == 3:
        return spaces.MultiBinary(rng.choice([1, 3, (2, 2), [0], (3200, 3200)]))
    if kind == 4:
        counts = np.array([rng.choice([1, 2, 3, 100, 2**40]) for _ in range(6)]).reshape(rng.choice([(6,), (2, 3)]))
        return spaces.MultiDiscrete(counts, rng.choice(DTYPES[1:6]), start=counts * rng.choice([0, 1, -1, 30]))
    if kind == 5:
        names = [rng.choice(["a", "b", 1, 2, (1, 2), None, "a\nb", "x" * 300]) for _ in range(rng.randrange(4))]
        return spaces.Dict({name: some_space(rng, depth - 1) for name in names})
    if kind == 6:
        return spaces.Tuple([some_space(rng, depth - 1) for _ in range(rng.randrange(4))])
    return rng.choice(
        [spaces.Text(3), spaces.Sequence(spaces.Discrete(2)), spaces.OneOf([spaces.Discrete(2)]), None, 5, "Box", shape,
         spaces.Box, gymnasium.Env()]
    )  # fmt: skip


def some_value(rng: random.Random, depth: int = 2) -> Any:
    kind = rng.randrange(8 if depth else 6)
    if kind == 0:
        return plain(rng)
    if kind == 1:
        return rng.choice(
            [True, np.True_, 1j, Decimal(1), b"a", bytearray(b"\0\1"), range(2), {1, 2}, object(), Ellipsis]
        )
    if kind == 2:
        return np.zeros(rng.choice(SHAPES[:8]), rng.choice(DTYPES))
    if kind == 3:
        return np.full(rng.choice(SHAPES[:8]), rng.choice(BOUNDS))
    if kind == 4:
        return np.array([rng.choice([None, "a", 10**400, [1]]), 1], object)
    if kind == 5:
        return rng.choice(
            [np.int8(1), np.float16(1), np.datetime64("2024-01-01"), np.timedelta64(1), np.void(b"a"), np.str_("1")]
        )
    if kind == 6:
        return tuple(some_value(rng, depth - 1) for _ in range(rng.randrange(4)))
    return {rng.choice(["a", "b", 1, 2]): some_value(rng, depth - 1) for _ in range(rng.randrange(4))}


def made(rng: random.Random) -> Any:
    """Return a space that Gymnasium makes, sometimes with an attribute that it would not have made."""
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                space = some_space(rng)
        except Exception:  # Gymnasium refuses it
            continue
        parts = [space]
        while isinstance(parts[-1], spaces.Dict | spaces.Tuple) and len(parts[-1].spaces):
            inner = parts[-1].spaces
            parts.append(rng.choice(list(inner.values() if isinstance(inner, dict) else inner)))
        if rng.random() < 0.25 and isinstance(parts[-1], spaces.Space):
            part = rng.choice(parts)
            name = rng.choice([name for name in ATTRIBUTES if name in vars(part)] or ["dtype"])
            if rng.random() < 0.2:
                vars(part).pop(name, None)
            else:
                vars(part)[name] = rng.choice([some_value(rng), part, np.dtype(rng.choice(DTYPES))])
        return space


@budgets(150, 5000)
def test_a_space_is_read_or_refused_and_so_are_observations(count: int) -> None:
    rng, read, encoded = random.Random(count), 0, 0
    for number in range(count):
        space = made(rng)
        found: list[Any] = []
        with within(2**28, number):  # bounds of the largest that is read
            for kind in (ObservationSpec, ActionSpec):
                refusal(lambda kind=kind, space=space, found=found: found.append(kind.from_space(space)))
        for spec in found:
            read += 1
            assert type(spec).from_dict(spec.to_dict()) == spec
            if spec.to_dict()["kind"] in ("dict", "tuple") or len(found) < 2 or spec is found[1]:
                continue
            out = np.zeros(spec.size)
            for _ in range(4):
                value = some_value(rng)
                encoded += not refusal(lambda spec=spec, value=value, out=out: spec.encode(value, out))
    assert 0 < read < 2 * count
    assert encoded > 0


@budgets(300, 5000)
def test_a_reward_is_a_number_or_refused(count: int) -> None:
    rng, taken = random.Random(count), 0
    for _ in range(count):
        value = some_value(rng)
        taken += not refusal(lambda value=value: as_reward(value))
    assert 0 < taken < count
