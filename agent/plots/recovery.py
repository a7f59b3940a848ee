"""How a run takes changes of its world: rewards and returns by the steps since a change."""

from __future__ import annotations

import numpy as np

from .read import STEP, Column
from .runs import Run
from .series import Curve, curve_of

# Stretches of steps whose values are averaged: so many from a change to the next one, and a third as many before it.
AFTER, BEFORE = 30, 10
# Rows that a value between two changes has to be read from at least.
ENOUGH_ROWS = 5


def rewards_after_changes(run: Run) -> dict[str, Curve]:
    """Return the reward of a step by the steps since a change, of a run without episodes, whose returns say more."""
    table = run.metrics
    if "reward_rate" not in table or returns_after_changes(run):
        return {}
    # A row is about the steps before it: in the middle of them it is neither late nor early.
    middles = table[STEP] - np.diff(table[STEP], prepend=0.0) / 2
    return _by_age(run, curve_of(middles, table["reward_rate"]))


def returns_after_changes(run: Run) -> dict[str, Curve]:
    """Return the return of episodes by the steps from a change to their end."""
    return _by_age(run, curve_of(run.results[STEP], run.results["return"])) if run.results else {}


def _by_age(run: Run, curve: Curve) -> dict[str, Curve]:
    """Return the mean of a curve around all changes, and around the first and the last if there are several."""
    if not run.changes or not len(run.changes[STEP]) or not len(curve.steps):
        return {}
    at = run.changes[STEP]
    length = _stretch(run, float(curve.steps[-1]))
    if length <= 0 or _gap(curve) * ENOUGH_ROWS > length:
        return {}
    edges: Column = np.arange(-BEFORE, AFTER + 1, dtype=np.float64) * (length / AFTER)
    lines = {"all": at}
    if len(at) > 1:
        lines |= {"first": at[:1], "last": at[-1:]}
    return {name: _around(curve, changes, edges) for name, changes in lines.items()}


def _stretch(run: Run, end: float) -> float:
    """Return the median of steps between two changes, or of those after the only one."""
    at, numbers = run.changes[STEP], run.changes["changes"]
    if len(at) == 1:
        return end - float(at[0])
    # Of changes that came soon after each other only the first has a row, with the number of the last.
    return float(np.median(np.diff(at) / np.maximum(np.diff(numbers), 1)))


def _gap(curve: Curve) -> float:
    return float(np.median(np.diff(curve.steps))) if len(curve.steps) > 1 else np.inf


def _around(curve: Curve, changes: Column, edges: Column) -> Curve:
    """Return the mean, over all changes, of values between two edges each; edges are steps since the change."""
    sums, counts = np.zeros(len(edges) - 1), np.zeros(len(edges) - 1)
    for change in changes:
        inside = slice(*np.searchsorted(curve.steps, change + edges[[0, -1]]))
        age = curve.steps[inside] - change
        sums += np.histogram(age, edges, weights=curve.values[inside])[0]
        counts += np.histogram(age, edges)[0]
    means = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return curve_of((edges[1:] + edges[:-1]) / 2, means)
