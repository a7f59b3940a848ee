"""The part of the command line that measures learning: seeds, tasks and arms, and where the rows go."""

from __future__ import annotations

import argparse
import os
import shlex
from typing import Any

from ..bench.suites import SUITES
from ..errors import ConfigError
from ..files import expanded
from ..training.config_file import parse_changes
from ..training.console import announce
from .options import MIN_BENCH_STEPS, add_command, add_json, check_among, check_at_least, seeds, whole


def add_learning(benches: Any) -> None:
    """Add ``bench learning``."""
    learning = add_command(
        benches,
        "learning",
        "returns on a suite of tasks, seed by seed, with one configuration",
        [
            "synaptick bench learning --suite classic --tasks CartPole-v1 Acrobot-v1 --seeds 0-4",
            "synaptick bench learning --suite memory --seeds 1000-1009 --out memory.csv",
            "synaptick bench learning --set lambda_value=0.9 --set steps=1e5 --seeds 3",
        ],
    )
    learning.add_argument(
        "--suite",
        choices=list(SUITES),
        default="classic",
        metavar="SUITE",
        help=f"the tasks: {', '.join(SUITES)} (default classic)",
    )
    learning.add_argument("--tasks", nargs="+", metavar="TASK", help="some of the tasks of the suite, by name")
    _add_seeds(learning, None, "runs a task (default: of the suite, 5 or 10)")
    _add_changes(learning, "task")
    _add_outputs(learning)
    learning.set_defaults(command=_bench_learning, show=_show_learning)


def add_prediction(benches: Any) -> None:
    """Add ``bench prediction``."""
    prediction = add_command(
        benches,
        "prediction",
        "error of the learned value where the true one is known",
        ["synaptick bench prediction --gaps 20 --seeds 0-2 --steps 5e5"],
    )
    prediction.add_argument(
        "--gaps", type=whole, nargs="+", default=[20, 40], metavar="G", help="steps from cue to reward (default 20 40)"
    )
    _add_seeds(prediction, 5, "runs a gap (default 5)")
    prediction.add_argument(
        "--steps", type=whole, default=2_000_000, metavar="N", help="steps of a run (default 2000000)"
    )
    _add_changes(prediction, "run")
    _add_outputs(prediction)
    prediction.set_defaults(command=_bench_prediction, show=_show_prediction)


def add_lifelong(benches: Any) -> None:
    """Add ``bench lifelong``."""
    lifelong = add_command(
        benches,
        "lifelong",
        "whole lives in worlds that change, next to fresh agents",
        ["synaptick bench lifelong --tasks Forager --arms learning reset --seeds 0-4 --out lives.csv"],
    )
    lifelong.add_argument("--tasks", nargs="+", metavar="TASK", help="some of the tasks, by name")
    lifelong.add_argument(
        "--arms", nargs="+", metavar="ARM", help="some of the arms, by name; what an arm sets, --set does not change"
    )
    _add_seeds(lifelong, 10, "lives an arm (default 10)")
    lifelong.add_argument("--steps", type=whole, metavar="N", help="steps of a life (default: of the task, millions)")
    lifelong.add_argument("--every", type=whole, metavar="N", help="steps from change to change (default: of the task)")
    _add_changes(lifelong, "life")
    _add_outputs(lifelong)
    lifelong.set_defaults(command=_bench_lifelong, show=_show_lifelong)


def add_gradients(benches: Any) -> None:
    """Add ``bench gradients``."""
    gradients = add_command(
        benches,
        "gradients",
        "how close each form of the traces comes to the exact gradient",
        ["synaptick bench gradients", "synaptick bench gradients --seeds 2 --training 0"],
    )
    gradients.add_argument("--seeds", type=seeds, default=range(6), metavar="SEEDS", help="networks a row (default 6)")
    gradients.add_argument(
        "--training",
        type=whole,
        default=20_000,
        metavar="N",
        help="steps before measuring again (default 20000)",
    )
    gradients.add_argument("--jobs", type=whole, default=os.cpu_count() or 1, metavar="J", help="processes")
    gradients.add_argument("--out", type=expanded, metavar="FILE", help="write the table to this CSV file")
    add_json(gradients)
    gradients.set_defaults(command=_bench_gradients, show=_show_gradients)


def add_ablation(benches: Any) -> None:
    """Add ``bench ablation``."""
    ablation = add_command(
        benches,
        "ablation",
        "learning with parts of the rule left out, on tasks that need them",
        ["synaptick bench ablation --seeds 10 --jobs 4 --out ablation.csv"],
    )
    _add_seeds(ablation, 10, "runs an arm (default 10)")
    ablation.add_argument("--arms", nargs="+", metavar="ARM", help="some of the arms, by name")
    ablation.add_argument("--tasks", nargs="+", metavar="TASK", help="some of the tasks, by name")
    ablation.add_argument("--steps", type=whole, metavar="N", help="steps a run (default: as configured)")
    _add_outputs(ablation)
    ablation.set_defaults(command=_bench_ablation, show=_show_ablation)


def _add_seeds(parser: argparse.ArgumentParser, default: int | None, what: str) -> None:
    parser.add_argument(
        "--seeds", type=seeds, default=default and range(default), metavar="SEEDS", help=f"{what}; or 0-9, or 1,4,7-9"
    )
    parser.add_argument("--first-seed", type=whole, default=0, metavar="S", help="added to each seed (default 0)")
    parser.add_argument("--jobs", type=whole, default=os.cpu_count() or 1, metavar="J", help="processes")


def _add_changes(parser: argparse.ArgumentParser, what: str) -> None:
    say = f"change a setting of every {what}"
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="changes", help=say)


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=expanded, metavar="FILE", help="write the runs to this CSV file")
    add_json(parser)


def _check_counts(options: argparse.Namespace) -> None:
    check_at_least("first-seed", options.first_seed, 0)
    check_at_least("jobs", options.jobs, 1)


def _seeds(options: argparse.Namespace, default: int = 0) -> list[int]:
    return [options.first_seed + seed for seed in options.seeds or range(default)]


def _bench_learning(options: argparse.Namespace) -> dict[str, Any]:
    from ..bench.learning import bench_learning
    from ..bench.support.csv_rows import RowWriter
    from ..bench.support.trials import PLACE

    _check_counts(options)
    check_among("tasks", options.tasks, SUITES[options.suite].tasks)
    changes = parse_changes(options.changes)
    for key in changes:
        if key in PLACE and key != "steps":
            raise ConfigError(f"--set {key}: each run has its own; allowed: steps, and what is learned with")
    with RowWriter(options.out, f"synaptick bench learning --suite {options.suite}") as writer:

        def keep(run: dict[str, Any]) -> None:
            writer.add(run)
            mean = "-" if run["last_100"] is None else f"{run['last_100']:.1f}"
            announce(f"{run['task']}, seed {run['seed']}: mean return of the last 100 episodes {mean}")

        def skipped(task: str, why: str) -> None:
            announce(f"{task}: skipped: {why}")

        chosen = (_seeds(options, SUITES[options.suite].seeds), options.jobs, options.tasks, changes)
        return bench_learning(options.suite, *chosen, keep, skipped)


def _show_learning(result: dict[str, Any]) -> None:
    from ..bench.learning import learning_lines

    print("\n".join(learning_lines(result)))


def _bench_prediction(options: argparse.Namespace) -> dict[str, Any]:
    from ..bench.prediction import bench_prediction
    from ..bench.support.csv_rows import RowWriter
    from ..bench.support.trials import PLACE

    _check_counts(options)
    check_at_least("steps", options.steps, MIN_BENCH_STEPS)
    for gap in options.gaps:
        check_at_least("gaps", gap, 0)
    changes = parse_changes(options.changes)
    for key in changes:
        if key in PLACE:
            raise ConfigError(f"--set {key}: each run has its own; allowed: what is learned with; for steps: --steps")
    with RowWriter(options.out, "synaptick bench prediction") as writer:

        def keep(run: dict[str, Any]) -> None:
            writer.add(run)
            announce(f"gap {run['gap']}, seed {run['seed']}: mean squared error {run['last_tenth']:.4f}")

        chosen = (_seeds(options), options.jobs, options.steps, changes)
        return bench_prediction(options.gaps, *chosen, on_run=keep)


def _show_prediction(result: dict[str, Any]) -> None:
    from ..bench.prediction import prediction_lines

    print("\n".join(prediction_lines(result)))


def _bench_lifelong(options: argparse.Namespace) -> dict[str, Any]:
    from ..bench.lifelong.live import bench_lifelong
    from ..bench.lifelong.tasks import ARMS, TASKS
    from ..bench.support.csv_rows import RowWriter
    from ..bench.support.trials import PLACE

    _check_counts(options)
    check_at_least("steps", options.steps, MIN_BENCH_STEPS)
    check_at_least("every", options.every, MIN_BENCH_STEPS)
    check_among("tasks", options.tasks, TASKS)
    check_among("arms", options.arms, ARMS)
    changes = parse_changes(options.changes)
    for key in changes:
        if key in PLACE:
            raise ConfigError(f"--set {key}: each life has its own; allowed: what is learned with; for steps: --steps")
    command = ["synaptick", "bench", "lifelong"]
    for flag, given in (
        ("tasks", options.tasks),
        ("arms", options.arms),
        ("steps", options.steps),
        ("every", options.every),
    ):
        if given is not None:
            command += [f"--{flag}", *(given if isinstance(given, list) else [str(given)])]
    for change in options.changes:
        command += ["--set", change]
    with RowWriter(options.out, shlex.join(command)) as writer:

        def keep(rows: list[dict[str, Any]]) -> None:
            for row in rows:
                writer.add(row)
            last, known = rows[-1], [row["level"] for row in rows if row["level"] is not None]
            mean = f"{sum(known) / len(known):.4g}" if known else "-"
            announce(f"{last['task']}, {last['arm']}, seed {last['seed']}: mean level {mean}")

        chosen = (_seeds(options), options.jobs, options.tasks, options.arms)
        return bench_lifelong(*chosen, options.steps, options.every, changes, on_run=keep)


def _show_lifelong(result: dict[str, Any]) -> None:
    from ..bench.lifelong.rows import lifelong_lines

    print("\n".join(lifelong_lines(result)))


def _bench_gradients(options: argparse.Namespace) -> dict[str, Any]:
    from ..bench.gradients.compare import bench_gradients
    from ..bench.support.csv_rows import RowWriter

    check_at_least("training", options.training, 0)
    check_at_least("jobs", options.jobs, 1)
    with RowWriter(options.out, "synaptick bench gradients") as writer:
        return bench_gradients(
            seeds=options.seeds, training_steps=options.training, jobs=options.jobs, on_row=writer.add
        )


def _show_gradients(result: dict[str, Any]) -> None:
    from ..bench.gradients.compare import gradient_lines

    print("\n".join(gradient_lines(result)))


def _bench_ablation(options: argparse.Namespace) -> dict[str, Any]:
    from ..bench.ablation import ARMS, TASKS, bench_ablation
    from ..bench.support.csv_rows import RowWriter

    _check_counts(options)
    check_at_least("steps", options.steps, MIN_BENCH_STEPS)
    check_among("arms", options.arms, ARMS)
    check_among("tasks", options.tasks, TASKS)
    with RowWriter(options.out, "synaptick bench ablation") as writer:

        def keep(run: dict[str, Any]) -> None:
            writer.add(run)
            announce(f"{run['task']}, {run['arm']}, seed {run['seed']}: mean return {run['mean_return']:.3f}")

        chosen = (options.jobs, options.arms, options.tasks, options.steps)
        return bench_ablation(_seeds(options), *chosen, on_run=keep)


def _show_ablation(result: dict[str, Any]) -> None:
    from ..bench.ablation import ablation_lines

    print("\n".join(ablation_lines(result)))
