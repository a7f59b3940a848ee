"""What a guard and a loop have counted and measured, as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .guard import Guard
    from .loop import Loop


def report_of_guard(guard: Guard) -> dict[str, Any]:
    """Return the report of a guard; times in microseconds."""
    recovery, substitute, snapshots = guard.recovery, guard.substitute, guard.snapshots
    returns = recovery.returns
    return {
        "steps": guard.steps,
        "step_us": guard.step_time.to_dict(),
        **({"step_cpu_us": guard.cpu_time.to_dict()} if guard.cpu_time.count else {}),
        "agent": {
            "ticks": guard.agent.ticks,
            "episodes": guard.agent.episodes,
            "held": substitute.held,
            "handed_over": substitute.handed_over,
            "frozen": guard.frozen,
            "restarted": guard.restarted,
            "rolled_back": recovery.count,
            "in_service": not recovery.gave_up,
            "running_return": returns.mean,
            "state_bytes": guard.agent.nbytes,
        },
        "snapshots": {
            "taken": snapshots.taken,
            "written": snapshots.written,
            "failed": snapshots.failed,
            "last_written": snapshots.last_written,
            "bytes": snapshots.nbytes,
            "copy_us": recovery.copy_time.to_dict(),
        },
        "scan_steps": recovery.scan.steps,
        "trouble_steps": dict(guard.spells.steps),
        "events": guard.log.to_dict(),
    }


def report_of_loop(loop: Loop) -> dict[str, Any]:
    """Return the report of a loop: that of its guard and what concerns time; times in microseconds."""
    return {
        "rate": loop.rate,
        "overrun": loop.overrun,
        "stopped": loop.stopped,
        "final_action": loop.final_action,
        "seconds": loop.seconds,
        "periods": loop.periods,
        "misses": loop.misses,
        "skipped": loop.skipped,
        "jumps": loop.jumps,
        "failures": {"sense": loop.sense_failures, "act": loop.act_failures},
        "wake_up_us": loop.wake_time.to_dict(),
        "busy_us": loop.busy_time.to_dict(),
        "collections": loop.quiet.collections,
        "allocations": loop.allocations,
        "system": dict(loop.quiet.notes),
        **report_of_guard(loop.guard),
    }
