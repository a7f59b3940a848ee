"""How a loop stands, for a display or a supervisor in another thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .clock import SECOND
from .shadow import Shadow

if TYPE_CHECKING:
    from .loop import Loop

# What ends a run by an exception that is nobody's fault.
ASKED_FOR = ("", "steps", "seconds", "stop", "hook", "overrun", "KeyboardInterrupt")


def status_of(loop: Loop, late: int, now: int) -> dict[str, Any]:
    """Return what `Loop.status` does; `late` and `now` in nanoseconds."""
    guard, sharing, written_at = loop.guard, loop.guard.sharing, loop.guard.recovery.written_at
    return {
        "state": _state(loop),
        "trouble": guard.spells.now,
        "violations": dict(guard.spells.steps),
        "periods": loop.periods,
        "ticks": guard.agent.ticks,
        "seconds": loop.seconds,
        "late_us": late / 1000.0,
        "misses": loop.misses,
        "skipped": loop.skipped,
        "reward": guard.reward,
        "value": guard.agent.expected_return,
        "running_return": guard.recovery.returns.mean,
        "shadow": guard.shadow,
        "shadow_distance": sharing.distance if isinstance(sharing, Shadow) else None,
        "authority": sharing.authority,
        "rolled_back": guard.recovery.count,
        "checkpoint_age": None if written_at is None else (now - written_at) / SECOND,
    }


def _state(loop: Loop) -> str:
    if loop.guard.recovery.gave_up or loop.final_action == "failed" or loop.stopped not in ASKED_FOR:
        return "faulted"
    if loop.running:
        return "running"
    return "stopped" if loop.stopped else "ready"
