"""Many runs, measured: the same bytes by every engine and through kills, and what a run costs beside its steps.

``python -m tests.benchmarks.many_runs identical FOLDER [--steps N]`` and ``... many_runs overhead FOLDER [--runs N]
[--ray]`` print JSON. Both take minutes. Ray is needed (extra: ``cluster``).
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

SPEC: dict[str, Any] = {
    "environments": ["CartPole-v1", "synaptick/CartPolePositions-v0"],
    "seeds": "0-5",
    "grid": {"discount": [0.98, 0.99]},
}
SYNAPTICK = [sys.executable, "-m", "synaptick"]


def children(pid: int) -> list[int]:
    """Return the processes that a process has started (Linux)."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def workers(pid: int) -> list[int]:
    """Return the processes that make the runs of a sweep whose driver is `pid`."""
    return [child for child in children(pid) if "spawn_main" in command_of(child)]


def resident(pid: int) -> int:
    """Return the resident bytes of a process."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS")), 0)


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of results.csv and of each newest checkpoint."""
    paths = [folder / "results.csv", *sorted(folder.rglob("agent.synaptick"))]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@contextlib.contextmanager
def every(seconds: float, action: Callable[[], None]) -> Iterator[None]:
    """Do something again and again, meanwhile."""
    over = threading.Event()

    def go() -> None:
        while not over.wait(seconds):
            action()

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def ray_nodes(count: int) -> Iterator[str]:
    """Start a local cluster of so many nodes of one processor each; return its address."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        for _ in range(count - 1):
            cluster.add_node(num_cpus=1)
        yield cluster.address
    finally:
        cluster.shutdown()


def sweep(*arguments: object) -> subprocess.Popen[bytes]:
    command = [*SYNAPTICK, *map(str, arguments), "--quiet"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def finish(process: subprocess.Popen[bytes]) -> None:
    code = process.wait()
    if code:
        sys.exit(f"{process.args} ended with {code}")


def identical(folder: Path, steps: int, kill_every: float) -> dict[str, Any]:
    """Run a sweep of 24 runs in every way, and compare."""
    folder.mkdir(parents=True, exist_ok=True)
    spec = folder / "spec.yaml"
    spec.write_text(yaml.safe_dump({**SPEC, "settings": {"steps": steps, "checkpoint_every": max(steps // 10, 1)}}))
    seconds, kills = {}, {"workers": 0, "drivers": 0}

    def timed(name: str, action: Callable[[Path], None]) -> None:
        begun = time.monotonic()
        action(folder / name)
        seconds[name] = round(time.monotonic() - begun, 1)
        print(f"{name}: {seconds[name]} s", file=sys.stderr, flush=True)

    def on_ray(out: Path) -> None:
        with ray_nodes(3) as address:
            finish(sweep("sweep", spec, "--out", out, "--ray", address))

    def workers_killed(out: Path) -> None:
        process = sweep("sweep", spec, "--out", out, "--jobs", 2)

        def kill() -> None:
            for pid in workers(process.pid)[:1]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    kills["workers"] += 1

        with every(kill_every, kill):
            finish(process)

    def driver_killed(out: Path) -> None:
        arguments: list[object] = [spec, "--out", out]
        while True:
            process = sweep("sweep", *arguments, "--jobs", 2)
            try:
                process.wait(kill_every)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                kills["drivers"] += 1
                arguments = ["--resume", out] if (out / "sweep.yaml").exists() else arguments
                continue
            finish(process)
            return

    timed("jobs1", lambda out: finish(sweep("sweep", spec, "--out", out, "--jobs", 1)))
    timed("jobs2", lambda out: finish(sweep("sweep", spec, "--out", out, "--jobs", 2)))
    timed("ray", on_ray)
    timed("workers_killed", workers_killed)
    timed("driver_killed", driver_killed)
    found = {name: digests(folder / name) for name in seconds}
    same = {name: found[name] == found["jobs1"] for name in seconds}
    return {"files_compared": len(found["jobs1"]), "same": same, "kills": kills, "seconds": seconds, "steps": steps}


def overhead(folder: Path, runs: int, steps: int, ray: bool) -> dict[str, Any]:
    """Make many short runs of CartPole, and measure what each takes beside its own steps."""
    spec = folder.with_suffix(".yaml")
    spec.parent.mkdir(parents=True, exist_ok=True)
    spec.write_text(yaml.safe_dump({"settings": {"steps": steps}, "seeds": f"0-{runs - 1}"}))
    with ray_nodes(3) if ray else contextlib.nullcontext("") as address:
        processes = 3 if ray else 2
        begun, memory = time.monotonic(), list[int]()
        process = sweep("sweep", spec, "--out", folder, *(("--ray", address) if ray else ("--jobs", 2)))
        with every(0.5, lambda: memory.append(resident(process.pid))):
            finish(process)
        wall = time.monotonic() - begun
    summaries = [json.loads(path.read_text()) for path in folder.rglob("summary.json")]
    own = sum(found["steps"] / found["steps_per_second"] for found in summaries)
    files = [path for path in folder.rglob("*") if path.is_file()]
    memory = [value for value in memory if value]
    return {
        "runs": len(summaries),
        "processes": processes,
        "seconds": round(wall, 1),
        "own_seconds_a_run": round(own / runs, 3),
        "overhead_a_run": round((wall * processes - own) / runs, 3),
        "files_a_run": round(len(files) / runs, 2),
        "bytes_a_run": round(sum(path.stat().st_size for path in files) / runs),
        "results_bytes_a_run": round((folder / "results.csv").stat().st_size / runs, 1),
        "driver_mb": [round(memory[len(memory) * k // 10] / 2**20, 1) for k in (1, 3, 5, 7, 9)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["identical", "overhead"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--kill-every", type=float, default=10.0)
    parser.add_argument("--ray", action="store_true")
    given = parser.parse_args()
    if given.what == "identical":
        print(json.dumps(identical(given.folder, given.steps or 100_000, given.kill_every), indent=2))
    else:
        print(json.dumps(overhead(given.folder, given.runs, given.steps or 2_000, given.ray), indent=2))


if __name__ == "__main__":
    main()
