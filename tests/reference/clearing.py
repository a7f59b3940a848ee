"""Twin of `kernels/clearing.py`."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from . import normalize

if TYPE_CHECKING:
    from .agent import ReferenceAgent

# What the beginning of an episode, and a stretch of acting only, forget.
TRACES = ("credit", "eps", "epsa", "epsr", "cascade", "filtered", "tensor", "psi_past", "mass")
# What the beginning of an episode forgets too.
NEURONS = ("v", "a", "z", "psi", "past", "keep", "push")


def zero(agent: ReferenceAgent, names: Collection[str]) -> None:
    """Set all arrays of these names to 0."""
    agent.arrays.update({k: np.zeros_like(x) for k, x in agent.arrays.items() if k.split("/")[-1] in names})


def clear_traces(agent: ReferenceAgent) -> None:
    """Forget credit, eligibility and the sums of rewards that began before the gap."""
    zero(agent, TRACES)
    agent.arrays["returns"] = normalize.forget_episode(agent.arrays["returns"])
    agent.scalars["stale"] = 0.0


def clear_episode(agent: ReferenceAgent) -> None:
    """Forget the last episode, neurons included, unless it is to be kept."""
    if not agent.config.keep_state:
        clear_traces(agent)
        zero(agent, NEURONS)
