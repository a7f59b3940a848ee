"""The policy as bars: probabilities of categories, means of controls."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..agent import Agent

# Stds about the mean at the origin that the bar of an unbounded control spans.
REACH = 3.0


class Bar(NamedTuple):
    """One number of the policy.

    Attributes
    ----------
    label : str
    value : float
        Probability, or mean.
    low, high : float
        Ends of the bar.
    taken : float
        What was taken, of a control.
    categorical : bool
    was_taken : bool
        Whether it is the category that was taken; of a control, True.
    """

    label: str
    value: float
    low: float
    high: float
    taken: float
    categorical: bool
    was_taken: bool


def heading(agent: Agent) -> str:
    """Return what the bars show."""
    kinds = ["probabilities"] * bool(agent.action.choices) + ["means"] * bool(agent.action.controls)
    return f"action {' and '.join(kinds)}"


def bars(agent: Agent) -> list[Bar]:
    """Return the bars of the last action: categories, factor after factor, then controls."""
    views, choices = agent.arena.views, agent.action.choices
    action, probabilities, found, first = views["action"], agent.probabilities, [], 0
    for factor, count in enumerate(choices):
        for k in range(count):
            label = str(k) if len(choices) == 1 else f"{factor}: {k}"
            found.append(Bar(label, float(probabilities[first + k]), 0.0, 1.0, 0.0, True, int(action[factor]) == k))
        first += count
    means, stds = agent.means, agent.stds
    for k in range(agent.action.controls):
        mean, taken = float(means[k]), float(action[len(choices) + k])
        low, high = agent.action.low[k], agent.action.high[k]
        reach = REACH * float(stds[k]) or 1.0
        low = low if np.isfinite(low) else min(mean, taken, 0.0) - reach
        high = high if np.isfinite(high) else max(mean, taken, 0.0) + reach
        label = f"control {k}" if choices else str(k)
        found.append(Bar(label, mean, low, high if high > low else low + 1.0, taken, False, True))
    return found
