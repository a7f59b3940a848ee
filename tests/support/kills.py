"""A process that runs the command line in children of its own and kills them: what is slow is loaded before they fork.

``python -m tests.support.kills random|operations ENV FOLDER KILLS`` leaves runs below FOLDER and prints what it did as
JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from synaptick import Agent
from synaptick.cli.main import main

CHECKPOINTS = ("agent.synaptick", "agent.older.synaptick")
OPERATIONS = ("fsync", "link", "replace", "unlink", "mkdir")
EVERY = 40
ENDLESS = 10**9
SETTINGS = ("--set", "layers=[8]", "--set", f"checkpoint_every={EVERY}", "--seed", "3", "--quiet")


def go(env: str, out: Path, steps: int) -> int:
    """Start the run in a folder, or resume it if there is one, and return the exit code."""
    if any((out / name).exists() for name in CHECKPOINTS):
        return main(["run", "--resume", str(out), "--steps", str(steps), "--quiet"])
    return main(["run", env, "--out", str(out), "--steps", str(steps), *SETTINGS])


def fork(action: Callable[[], int]) -> int:
    """Return the process that does something and exits with the number it returns."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        code = action()
    finally:
        os._exit(code)


def finish(env: str, out: Path, steps: int) -> None:
    _, status = os.waitpid(fork(lambda: go(env, out, steps)), 0)
    assert os.waitstatus_to_exitcode(status) == 0, f"{out} ended with {status}"


def complete(out: Path, steps: int) -> bool:
    """Return whether nothing is left to do, which a run says with its summary."""
    summary = out / "summary.json"
    return summary.exists() and json.loads(summary.read_text())["steps"] == steps


def written(out: Path) -> int:
    """Return something that changes with each checkpoint."""
    try:
        return (out / CHECKPOINTS[0]).stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def kill_at_random(env: str, folder: Path, kills: int) -> dict[str, Any]:
    """Kill a run again and again: by turns at any moment of its beginning, and some time after a checkpoint."""
    draw, out, reached = random.Random(env), folder / "killed", []
    for number in range(kills):
        before = written(out)
        pid = fork(lambda: go(env, out, ENDLESS))
        deadline = time.monotonic() + 60.0
        while number % 2 and written(out) == before and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(draw.uniform(0.0, 0.05))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
        reached.append(written(out))
    steps = (Agent.load(out / CHECKPOINTS[0]).ticks if written(out) else 0) + 3 * EVERY + 7
    finish(env, out, steps)
    finish(env, folder / "whole", steps)
    return {"kills": kills, "steps": steps, "checkpoints": len(set(reached))}


def kill_before(operation: int) -> None:
    """Let this process be killed when it is about to do its n-th operation on files."""
    count = [0]

    def counting(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            count[0] += 1
            if count[0] == operation:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*given, **named)

        return call

    for name in OPERATIONS:
        setattr(os, name, counting(getattr(os, name)))


def kill_at_operations(env: str, folder: Path, kills: int) -> dict[str, Any]:
    """Kill run after run, each before another operation on files, its resumption before another one, and let it finish.

    Until there is no such operation any more, or there were so many kills.
    """
    steps, done, operation = 2 * EVERY + 7, 0, 0
    finish(env, folder / "whole", steps)
    while done < kills:
        operation += 1
        out = folder / f"killed{operation}"
        codes: list[int] = []
        for when in (operation, 1 + operation % 11):
            if complete(out, steps):
                break

            def doomed(when: int = when, out: Path = out) -> int:
                kill_before(when)
                return go(env, out, steps)

            codes.append(os.waitstatus_to_exitcode(os.waitpid(fork(doomed), 0)[1]))
            if codes == [0]:
                return {"kills": done, "runs": operation - 1, "steps": steps}
        assert codes in ([-signal.SIGKILL], [-signal.SIGKILL, 0], [-signal.SIGKILL] * 2)
        done += codes.count(-signal.SIGKILL)
        if not complete(out, steps):
            finish(env, out, steps)
    return {"kills": done, "runs": operation, "steps": steps}


def no_sync(file: int) -> None:
    """Stand in for fsync: it guards against a machine that stops, which no test brings about, and takes its time."""


if __name__ == "__main__":
    os.fsync = no_sync
    how, env_id, where, count = sys.argv[1:]
    Agent.compile()
    kill = {"random": kill_at_random, "operations": kill_at_operations}[how]
    print(json.dumps(kill(env_id, Path(where), int(count))))
