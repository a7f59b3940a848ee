"""The command line: ``synaptick run | eval | bench``."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from .config import Config
from .config_file import load_config, parse_changes, shipped_names
from .errors import ConfigError, Interrupted, RunError, SynaptickError
from .experiment import evaluate, resume_run, start_run

MIN_BENCH_STEPS = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0: done. 1: the environment failed while running. 2: something given cannot be used. 128 + n: stopped by signal n.
    """
    options = _parser().parse_args(arguments)
    try:
        result = options.command(options)
        if options.json:
            print(json.dumps(result), flush=True)
        elif not getattr(options, "quiet", False):
            options.show(result)
            sys.stdout.flush()
    except Interrupted as error:
        print(f"synaptick: {error}", file=sys.stderr)
        return 128 + error.number
    except BrokenPipeError:
        # Whoever read the output has left; what was to be done is done. Python must not complain when it flushes again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (SynaptickError, OSError) as error:
        print(f"synaptick: error: {' '.join(str(error).split())}", file=sys.stderr)
        # What an environment returns is input; what it raises is its failure.
        return 1 if isinstance(error, RunError) and not isinstance(error.__cause__, SynaptickError) else 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as every other error does."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"synaptick: error: {' '.join(message.split())}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="synaptick",
        description="A spiking network that learns control online, one step at a time, in fixed memory.",
    )
    parser.add_argument("--version", action="version", version=importlib.metadata.version("synaptick"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="learn in an environment")
    run.add_argument(
        "source",
        nargs="?",
        metavar="CONFIG_OR_ENV_ID",
        help=f"a YAML file, a shipped configuration ({', '.join(shipped_names())}), or a Gymnasium environment id",
    )
    run.add_argument("--steps", type=int, metavar="N", help="environment steps in all")
    run.add_argument("--seed", type=int, metavar="S", help="seed of weights, actions and environment")
    run.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="changes", help="change a setting")
    run.add_argument("--out", type=Path, metavar="DIR", help="folder to write (default: a fresh one below runs/)")
    run.add_argument("--resume", type=Path, metavar="DIR", help="go on with the run in this folder")
    run.add_argument("--quiet", action="store_true", help="show no progress")
    _add_json(run)
    run.set_defaults(command=_run, show=_show_run)

    evaluation = commands.add_parser("eval", help="act without learning, with the agent of a run")
    evaluation.add_argument("run_dir", type=Path, metavar="RUN_DIR")
    evaluation.add_argument("--episodes", type=int, default=100, metavar="N")
    evaluation.add_argument("--seed", type=int, metavar="S", help="seed of the environment")
    _add_json(evaluation)
    evaluation.set_defaults(command=_eval, show=_show_eval)

    measure = commands.add_parser("bench", help="measure speed and memory on this machine")
    benches = measure.add_subparsers(required=True, metavar="WHAT")
    tick = benches.add_parser("tick", help="time of one learning step, next to a floor measured in the same process")
    tick.add_argument("--steps", type=int, default=20_000, metavar="N", help="timed steps a network (default 20000)")
    _add_json(tick)
    tick.set_defaults(command=_bench, name="tick", show=_show_tick)
    memory = benches.add_parser("memory", help="bytes of state and resident set after a tenth of the steps and all")
    memory.add_argument("--steps", type=int, default=1_000_000, metavar="N", help="steps (default 1000000)")
    _add_json(memory)
    memory.set_defaults(command=_bench, name="memory", show=_show_plain)
    gradients = benches.add_parser("gradients", help="how close each form of the traces comes to the exact gradient")
    gradients.add_argument("--seeds", type=int, default=6, metavar="N", help="networks a row (default 6)")
    gradients.add_argument(
        "--training", type=int, default=20_000, metavar="N", help="steps before the second measurement (default 20000)"
    )
    gradients.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="J", help="processes")
    gradients.add_argument("--out", type=Path, metavar="FILE", help="write the table to this CSV file")
    _add_json(gradients)
    gradients.set_defaults(command=_bench_gradients, show=_show_gradients)
    ablation = benches.add_parser("ablation", help="learning with parts of the rule left out, on tasks that need them")
    ablation.add_argument("--seeds", type=int, default=10, metavar="N", help="runs an arm (default 10)")
    ablation.add_argument("--first-seed", type=int, default=0, metavar="S", help="seed of the first run (default 0)")
    ablation.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="J", help="processes")
    ablation.add_argument("--arms", nargs="+", metavar="ARM", help="some of the arms, by name")
    ablation.add_argument("--tasks", nargs="+", metavar="TASK", help="some of the tasks, by name")
    ablation.add_argument("--steps", type=int, metavar="N", help="steps a run (default: as configured)")
    ablation.add_argument("--out", type=Path, metavar="FILE", help="write the runs to this CSV file")
    _add_json(ablation)
    ablation.set_defaults(command=_bench_ablation, show=_show_ablation)
    start = benches.add_parser("start", help="seconds to the first learning step, without and with compiled code kept")
    _add_json(start)
    start.set_defaults(command=_bench, name="start", show=_show_plain)
    return parser


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object on the last line")


def _run(options: argparse.Namespace) -> dict[str, Any]:
    if options.resume is not None:
        for name in ("source", "changes", "seed", "out"):
            if getattr(options, name) not in (None, []):
                raise ConfigError(
                    f"--resume {options.resume} goes on with that run as it is; only --steps fits with it"
                )
        return resume_run(options.resume, options.steps, options.quiet)
    if options.source is None:
        raise ConfigError("run: give a configuration file, the name of a shipped one, or an environment id")
    changes = parse_changes(options.changes)
    for name in ("steps", "seed"):
        if getattr(options, name) is not None:
            changes[name] = getattr(options, name)
    return start_run(_resolve(options.source).with_changes(changes), options.out, options.quiet)


def _resolve(source: str) -> Config:
    """Return the configuration a name stands for: a file, a shipped one, or the default one in that environment."""
    if Path(source).is_file() or source in shipped_names() or source.endswith((".yaml", ".yml")):
        return load_config(source)
    return Config(env=source)


def _show_run(result: dict[str, Any]) -> None:
    mean = result["mean_return_last_100"]
    print(
        f"{result['env']}: mean return of the last 100 episodes {'-' if mean is None else format(mean, '.1f')} after "
        f"{result['steps']:,} steps ({result['episodes']:,} episodes, {result['steps_per_second']:,.0f} steps/s, "
        f"{result['state_bytes']:,} bytes of state) -> {result['out']}"
    )


def _eval(options: argparse.Namespace) -> dict[str, Any]:
    return evaluate(options.run_dir, options.episodes, options.seed)


def _show_eval(result: dict[str, Any]) -> None:
    print(
        f"{result['env']}: return {result['mean_return']:.1f} +- {result['std_return']:.1f} "
        f"over {result['episodes']} episodes without learning"
    )


def _bench(options: argparse.Namespace) -> dict[str, Any]:
    from . import bench  # needs more of the system than a run does

    if options.name == "start":
        return bench.bench_start()
    _at_least("steps", options.steps, MIN_BENCH_STEPS)
    return bench.bench_tick(options.steps) if options.name == "tick" else bench.bench_memory(options.steps)


def _show_tick(result: dict[str, Any]) -> None:
    from .bench import tick_lines

    print("\n".join(tick_lines(result)))


def _show_plain(result: dict[str, Any]) -> None:
    print(json.dumps(result, indent=2))


def _at_least(name: str, value: int | None, low: int) -> None:
    if value is not None and value < low:
        raise ConfigError(f"--{name} {value}: allowed: {low} or more")


def _bench_gradients(options: argparse.Namespace) -> dict[str, Any]:
    from .study.gradients import bench_gradients
    from .study.table import RowWriter

    _at_least("seeds", options.seeds, 1)
    _at_least("training", options.training, 0)
    _at_least("jobs", options.jobs, 1)
    with RowWriter(options.out, "synaptick bench gradients") as writer:
        return bench_gradients(
            seeds=options.seeds, training_steps=options.training, jobs=options.jobs, on_row=writer.add
        )


def _show_gradients(result: dict[str, Any]) -> None:
    from .study.gradients import gradient_lines

    print("\n".join(gradient_lines(result)))


def _bench_ablation(options: argparse.Namespace) -> dict[str, Any]:
    from .study.ablation import ARMS, TASKS, bench_ablation
    from .study.table import RowWriter

    for name, low in (("seeds", 1), ("first-seed", 0), ("jobs", 1), ("steps", MIN_BENCH_STEPS)):
        _at_least(name, getattr(options, name.replace("-", "_")), low)
    for name, given, allowed in (("arms", options.arms, ARMS), ("tasks", options.tasks, TASKS)):
        for value in given or ():
            if value not in allowed:
                raise ConfigError(f"--{name} {value}: there is no such name; allowed: {', '.join(allowed)}")
    with RowWriter(options.out, "synaptick bench ablation") as writer:

        def keep(run: dict[str, Any]) -> None:
            writer.add(run)
            if not options.json:
                line = f"{run['task']}, {run['arm']}, seed {run['seed']}: mean return {run['mean_return']:.3f}"
                print(line, file=sys.stderr, flush=True)

        chosen = (options.jobs, options.arms, options.tasks, options.steps)
        return bench_ablation(options.seeds, options.first_seed, *chosen, on_run=keep)


def _show_ablation(result: dict[str, Any]) -> None:
    from .study.ablation import ablation_lines

    print("\n".join(ablation_lines(result)))
