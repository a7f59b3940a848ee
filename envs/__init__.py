"""Environments that test what an agent can remember and where its credit reaches, such that change, and known probes.

Importing this module registers them with Gymnasium; ``gymnasium.make("synaptick.envs:synaptick/...")`` imports it too.
"""

from __future__ import annotations

import gymnasium

from .changes.changing import World
from .changes.drift import DriftParameters
from .changes.remap import FlipReward, RemapActions
from .changes.sensors import FailSensors, PermuteObservations, ScaleObservations
from .tasks.announced_cue import AnnouncedCue
from .tasks.copying import Copy
from .tasks.delayed_match import DelayedMatch
from .tasks.delayed_xor import DelayedXor
from .tasks.distracted_cue import DistractedCue, best_accuracy
from .tasks.evidence_accumulation import EvidenceAccumulation
from .tasks.first_cue import FirstCue
from .tasks.forager import Forager
from .tasks.memory_chain import MemoryChain
from .tasks.probes import PROBES
from .tasks.t_maze import TMaze
from .tasks.toggle import Toggle
from .tasks.trace_conditioning import TraceConditioning
from .wrappers import masking
from .wrappers.delay import DelayedReward
from .wrappers.masking import MaskPositions, MaskVelocities
from .wrappers.noise import NoisyObservation
from .wrappers.rescale import ChangeUnits

__all__ = [
    "PROBES",
    "AnnouncedCue",
    "ChangeUnits",
    "Copy",
    "DelayedMatch",
    "DelayedReward",
    "DelayedXor",
    "DistractedCue",
    "DriftParameters",
    "EvidenceAccumulation",
    "FailSensors",
    "FirstCue",
    "FlipReward",
    "Forager",
    "MaskPositions",
    "MaskVelocities",
    "MemoryChain",
    "NoisyObservation",
    "PermuteObservations",
    "RemapActions",
    "ScaleObservations",
    "TMaze",
    "Toggle",
    "TraceConditioning",
    "World",
    "best_accuracy",
    "register",
]

_TASKS = (
    AnnouncedCue,
    Copy,
    DelayedMatch,
    DelayedXor,
    DistractedCue,
    EvidenceAccumulation,
    FirstCue,
    Forager,
    MemoryChain,
    TMaze,
    Toggle,
    TraceConditioning,
    *PROBES,
)
# Other environments without a part of what is observed: function that makes it, steps of an episode.
_MASKED = {
    "CartPolePositions": (masking.cartpole_positions, 500),
    "CartPoleVelocities": (masking.cartpole_velocities, 500),
    "PendulumPositions": (masking.pendulum_positions, 200),
}


def register() -> None:
    """Register every environment under ``synaptick/``; done once on import, harmless when repeated."""
    entries: dict[str, tuple[str, int | None]] = {
        name: (f"{masking.__name__}:{make.__name__}", limit) for name, (make, limit) in _MASKED.items()
    }
    entries |= {task.__name__: (f"{task.__module__}:{task.__name__}", None) for task in _TASKS}
    for name, (entry_point, limit) in entries.items():
        env_id = f"synaptick/{name}-v0"
        if env_id not in gymnasium.registry:
            gymnasium.register(id=env_id, entry_point=entry_point, max_episode_steps=limit)


register()
