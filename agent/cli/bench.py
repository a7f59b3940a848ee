"""The part of the command line that measures: ``synaptick bench`` and what a machine takes."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from .bench_learning import add_ablation, add_gradients, add_learning, add_lifelong, add_prediction
from .options import MIN_BENCH_STEPS, add_command, add_json, check_among, check_at_least, whole

Command = Callable[[argparse.Namespace], dict[str, Any]]


def add_bench(commands: Any) -> None:
    """Add ``bench`` and everything below it to the commands of the parser."""
    measure = add_command(
        commands,
        "bench",
        "measure speed and memory on this machine, and learning",
        [
            "synaptick bench tick --networks default",
            "synaptick bench learning --suite classic --tasks CartPole-v1 --seeds 0-4",
        ],
    )
    benches = measure.add_subparsers(required=True, metavar="WHAT")
    tick = add_command(
        benches,
        "tick",
        "time of one learning step, next to a floor measured in the same process",
        ["synaptick bench tick", "synaptick bench tick --networks 1x64 default --json"],
    )
    tick.add_argument(
        "--steps", type=whole, default=20_000, metavar="N", help="timed steps a network, at most (default 20000)"
    )
    tick.add_argument(
        "--networks", nargs="+", metavar="NETWORK", help="some of 1x32, 1x64, .., 4x1024, memory, default"
    )
    add_json(tick)
    tick.set_defaults(command=_bench_tick, show=_show_tick)
    memory = add_command(
        benches,
        "memory",
        "bytes of state and resident set after a tenth of the steps and all",
        ["synaptick bench memory --steps 1e6"],
    )
    memory.add_argument("--steps", type=whole, default=1_000_000, metavar="N", help="steps (default 1000000)")
    add_json(memory)
    memory.set_defaults(command=_bench, name="memory", show=_show_plain)
    start = add_command(
        benches,
        "start",
        "seconds to the first learning step, without and with compiled code kept",
        ["synaptick bench start"],
    )
    add_json(start)
    start.set_defaults(command=_bench, name="start", show=_show_plain)
    _add_latency(benches)
    _add_export(benches)
    add_learning(benches)
    add_prediction(benches)
    add_lifelong(benches)
    add_gradients(benches)
    add_ablation(benches)
    for bench in benches.choices.values():
        bench.set_defaults(command=_with_progress(bench.get_default("command")))


def _with_progress(command: Command) -> Command:
    def shown(options: argparse.Namespace) -> dict[str, Any]:
        from ..bench.support import progress

        with progress.shown():
            return command(options)

    return shown


def _add_latency(benches: Any) -> None:
    latency = add_command(
        benches,
        "latency",
        "deadlines of a loop of a fixed rate in which networks learn",
        [
            "synaptick bench latency --rate 1000 --seconds 10",
            "synaptick bench latency --networks default --cpu 1 --priority 50 --awake",
        ],
    )
    latency.add_argument("--rate", type=float, default=1000.0, metavar="HZ", help="periods a second (default 1000)")
    latency.add_argument("--seconds", type=float, default=60.0, metavar="S", help="duration a network (default 60)")
    latency.add_argument("--networks", nargs="+", metavar="NETWORK", help="some of 1x64, 2x128, default")
    latency.add_argument("--cpu", type=whole, metavar="N", help="pin the loop to this processor")
    latency.add_argument("--priority", type=whole, metavar="P", help="real-time priority (SCHED_FIFO), 1 to 99")
    latency.add_argument("--awake", action="store_true", help="keep processors from sleeping (/dev/cpu_dma_latency)")
    add_json(latency)
    latency.set_defaults(command=_bench_latency, show=_show_latency)


def _add_export(benches: Any) -> None:
    export = add_command(
        benches,
        "export",
        "the exported C agent next to the Python agent: bits, time, bytes",
        ["synaptick bench export --networks 1x32 --steps 1e4"],
    )
    export.add_argument(
        "--steps", type=whole, default=100_000, metavar="N", help="steps of CartPole a comparison (default 100000)"
    )
    export.add_argument("--networks", nargs="+", metavar="NETWORK", help="some of 1x32, 1x64, default")
    add_json(export)
    export.set_defaults(command=_bench_export, show=_show_export)


def _bench(options: argparse.Namespace) -> dict[str, Any]:
    from ..bench import speed as bench  # needs more of the system than a run does

    if options.name == "start":
        return bench.bench_start()
    check_at_least("steps", options.steps, MIN_BENCH_STEPS)
    return bench.bench_memory(options.steps)


def _bench_tick(options: argparse.Namespace) -> dict[str, Any]:
    from ..bench.support.timing import NETWORKS
    from ..bench.tick import bench_tick

    check_at_least("steps", options.steps, MIN_BENCH_STEPS)
    check_among("networks", options.networks, NETWORKS)
    return bench_tick(options.steps, options.networks)


def _show_tick(result: dict[str, Any]) -> None:
    from ..bench.tick import tick_lines

    print("\n".join(tick_lines(result)))


def _show_plain(result: dict[str, Any]) -> None:
    print(json.dumps(result, indent=2))


def _bench_latency(options: argparse.Namespace) -> dict[str, Any]:
    from ..bench.latency import bench_latency

    return bench_latency(options.rate, options.seconds, options.networks, options.cpu, options.priority, options.awake)


def _show_latency(result: dict[str, Any]) -> None:
    from ..bench.latency import latency_lines

    print("\n".join(latency_lines(result)))


def _bench_export(options: argparse.Namespace) -> dict[str, Any]:
    from ..bench.export import NETWORKS, bench_export

    check_at_least("steps", options.steps, MIN_BENCH_STEPS)
    check_among("networks", options.networks, NETWORKS)
    return bench_export(options.steps, options.networks)


def _show_export(result: dict[str, Any]) -> None:
    from ..bench.export import export_lines

    print("\n".join(export_lines(result)))
