"""Twin of `kernels/feedback.py`: weights that learning signals come down through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .vectors import Array

if TYPE_CHECKING:
    from .agent import ReferenceAgent


def feedback(agent: ReferenceAgent, at: str) -> Array:
    """B: the weights themselves, or those that stand in for them."""
    found: Array = agent.arrays[at + ("w" if agent.config.feedback == "symmetric" else "feedback")]
    return found


def decayed_change(x: Array, decay: float, change: Array) -> Array:
    """(1 - decay) x + change."""
    return (1 - decay) * x + change
