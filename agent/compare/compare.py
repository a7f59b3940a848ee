"""``synaptick compare``: arms next to each other, as numbers."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from ..errors import ConfigError, StateError
from .equal import checked_arms
from .evidence import Arm, read_arms
from .statistics import CURVE_DRAWS, DRAWS, Estimate, Scores, overall_iqm, performance_profile
from .statistics import probability_of_improvement as improvement_of

# Levels of a performance profile, and points of a curve over steps.
LEVELS, POINTS = 81, 24


class Range(NamedTuple):
    """Returns of an environment that count as 0 and as 1."""

    low: float
    high: float


class Comparison(NamedTuple):
    """What was found.

    Attributes
    ----------
    arms : list of Arm
    envs : list of str
    ranges : dict of str to Range
        How returns are scaled; empty if they are not.
    iqm : dict
        By arm and environment, "" for all, the interquartile mean.
    improvement : dict
        By arm, the one it is held against, and environment, "" for all, how likely a run of the first is better.
    levels, steps : arrays
        Those of `profiles` and of `curves`.
    profiles, curves : dict of str to Estimate
        By arm: the share of runs above each level, the interquartile mean after so many steps.
    notes : list of str
        What a reader has to know.
    """

    arms: list[Arm]
    envs: list[str]
    ranges: dict[str, Range]
    iqm: dict[tuple[str, str], Estimate]
    improvement: dict[tuple[str, str, str], Estimate]
    levels: Scores
    profiles: dict[str, Estimate]
    steps: Scores
    curves: dict[str, Estimate]
    notes: list[str]


def compare(
    given: Sequence[str],
    unequal: Sequence[str] = (),
    scale: Mapping[str, tuple[float, float]] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Comparison:
    """Compare arms.

    Parameters
    ----------
    given : sequence of str
        See `evidence.read_arms`.
    unequal : sequence of str
        What may differ between them: names in `equal.KINDS`.
    scale : mapping, optional
        For environments the returns that count as 0 and as 1. Of several environments those without one are scaled by
        the lowest and the highest score of all runs compared; a single one is not scaled without it.
    draws : int
        Samples for each interval.
    seed : int
        Of these samples.

    Raises
    ------
    ConfigError
        If SciPy is not installed, there are fewer than two arms, or they differ in what may not.
    StateError
        If something cannot be read, or there is nothing to compare.
    """
    if importlib.util.find_spec("scipy") is None:
        raise ConfigError("compare needs the package scipy; install it with pip install 'synaptick[compare]'")
    arms, notes = checked_arms(read_arms(given), unequal)
    envs = arms[0].envs
    least = {env: min(outcome.steps for arm in arms for outcome in arm.of(env)) for env in envs}
    raw = {(arm.label, env): _scores(arm, env, least[env]) for arm in arms for env in envs}
    ranges = _ranges(envs, raw, scale or {})
    scaled = {(label, env): _scaled(scores, ranges.get(env)) for (label, env), scores in raw.items()}
    if len(envs) > 1 and any(env not in (scale or {}) for env in envs):
        notes.append("in each environment 0 is the lowest and 1 the highest score of all runs compared (--scale)")
    if any(len(scores) < 2 for scores in raw.values()):
        notes.append("a single run has no interval")
    iqm = {}
    for arm in arms:
        for env in envs:
            iqm[arm.label, env] = overall_iqm([raw[arm.label, env]], draws, seed)
        iqm[arm.label, ""] = overall_iqm([scaled[arm.label, env] for env in envs], draws, seed)
    improvement = {}
    for first, second in combinations((arm.label for arm in arms), 2):
        for env in envs:
            improvement[second, first, env] = improvement_of([raw[second, env]], [raw[first, env]], draws, seed)
        ours, theirs = ([raw[label, env] for env in envs] for label in (second, first))
        improvement[second, first, ""] = improvement_of(ours, theirs, draws, seed)
    every = np.concatenate(list(scaled.values()))
    levels = np.linspace(every.min(), every.max(), LEVELS)
    few = min(draws, CURVE_DRAWS)
    profiles = {
        arm.label: performance_profile([scaled[arm.label, env] for env in envs], levels, few, seed) for arm in arms
    }
    steps = _steps(arms, envs, least)
    if not len(steps):
        notes.append("environments have no steps in common: no curve over steps")
    curves = {arm.label: _curve(arm, envs, ranges, steps, few, seed) for arm in arms}
    return Comparison(arms, envs, ranges, iqm, improvement, levels, profiles, steps, curves, notes)


def _scores(arm: Arm, env: str, steps: int) -> Scores:
    scores = np.array([outcome.score(steps) for outcome in arm.of(env)])
    for outcome, score in zip(arm.of(env), scores, strict=True):
        if np.isnan(score):
            raise StateError(f"{outcome.source}: the return of {env}, seed {outcome.seed} at step {steps:,} is unknown")
    return scores


def _ranges(
    envs: Sequence[str], raw: Mapping[tuple[str, str], Scores], scale: Mapping[str, tuple[float, float]]
) -> dict[str, Range]:
    for env in scale:
        if env not in envs:
            raise ConfigError(f"--scale {env}: there is no such environment; allowed: {', '.join(envs)}")
    if len(envs) == 1 and not scale:
        return {}
    found = {}
    for env in envs:
        every = np.concatenate([scores for (_, name), scores in raw.items() if name == env])
        low, high = scale.get(env, (float(every.min()), float(every.max())))
        found[env] = Range(low, high if high > low else low + 1.0)
    return found


def _scaled(scores: Scores, span: Range | None) -> Scores:
    return scores if span is None else (scores - span.low) / (span.high - span.low)


def _steps(arms: Sequence[Arm], envs: Sequence[str], least: Mapping[str, int]) -> Scores:
    """Return the steps at which all runs are known, in parts of the steps of the shortest; empty if there are none."""
    if len(set(least.values())) > 1:  # environments of unequal length have no steps in common
        return np.empty(0)
    end = least[envs[0]]
    outcomes = [outcome for arm in arms for outcome in arm.outcomes]
    grid = np.linspace(0, end, POINTS + 1)[1:]
    for outcome in outcomes:
        if not outcome.known_between:
            grid = outcome.steps_at[outcome.steps_at <= end]
    return np.array([at for at in grid if all(np.isfinite(outcome.score(at)) for outcome in outcomes)])


def _curve(
    arm: Arm, envs: Sequence[str], ranges: Mapping[str, Range], steps: Scores, draws: int, seed: int
) -> Estimate:
    points = [
        overall_iqm(
            [_scaled(np.array([outcome.score(at) for outcome in arm.of(env)]), ranges.get(env)) for env in envs],
            draws,
            seed,
        )
        for at in steps
    ]
    return Estimate(*(np.array([point[k] for point in points], np.float64) for k in range(3)))
