"""The part of the command line for many runs: ``sweep`` and ``tune``."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..files import expanded
from .options import add_allow_tuning_seeds, add_command, add_json, failed_runs, make_engine, whole

# Configurations that are listed at the end.
MOST_LISTED = 20
SWEEP_EXAMPLES = (
    "synaptick sweep lambda.yaml --jobs 2 --out runs/lambda",
    "synaptick sweep --resume runs/lambda",
    "synaptick sweep lambda.yaml --ray auto --out /shared/lambda",
)
TUNE_EXAMPLES = ("synaptick tune search.yaml --jobs 2 --out runs/search", "synaptick tune --resume runs/search")


def add_sweep(commands: Any) -> None:
    """Add ``sweep`` to the commands of the parser."""
    what = "runs of settings x environments x seeds, on processes or a Ray cluster"
    sweep = add_command(commands, "sweep", what, SWEEP_EXAMPLES)
    _add_common(sweep, "a YAML file: settings, environments, seeds, and grid, list or random")
    sweep.add_argument("--part", metavar="K/N", help="run every N-th run, from the K-th (0 to N - 1): for job arrays")
    add_allow_tuning_seeds(sweep)
    add_json(sweep)
    sweep.set_defaults(command=_sweep, show=show_sweep, failed=failed_runs)


def _add_common(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("spec", nargs="?", type=expanded, metavar="SPEC.yaml", help=what)
    parser.add_argument(
        "--out", type=expanded, metavar="DIR", help="folder to write (default: a fresh one below runs/)"
    )
    parser.add_argument("--resume", type=expanded, metavar="DIR", help="complete what is missing in this folder")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=whole, metavar="J", help="processes (default: all processors)")
    where.add_argument("--ray", metavar="ADDRESS", help="a Ray cluster, host:port or auto (extra: cluster)")
    parser.add_argument("--quiet", action="store_true", help="show no progress, and no estimate")


def fresh_folder(options: argparse.Namespace) -> Path:
    """Return the folder that was given, or a fresh one that is called after the specification."""
    from ..training.run_folder import fresh_path

    return options.out or fresh_path(options.spec.stem)


def _sweep(options: argparse.Namespace) -> dict[str, Any]:
    from ..sweep.spec import load_spec
    from ..sweep.sweep import resume_sweep, start_sweep

    part, engine = _part(options.part), make_engine(options)
    spec = None if options.spec is None else load_spec(options.spec)
    if options.resume is not None:
        if options.out is not None:
            raise ConfigError("--resume and --out are given; allowed: one of them")
        if options.allow_tuning_seeds:
            raise ConfigError("--allow-tuning-seeds: --resume goes on with the seeds that are there; leave it out")
        return resume_sweep(options.resume, engine, options.quiet, spec=spec, part=part)
    if spec is None:
        raise ConfigError("sweep: give a specification, a YAML file, or --resume DIR")
    if options.part and options.out is None:
        raise ConfigError("--part: give --out DIR, the same for all parts")
    out = fresh_folder(options)
    return start_sweep(spec, out, engine, options.quiet, part=part, allow_tuning_seeds=options.allow_tuning_seeds)


def add_tune(commands: Any) -> None:
    """Add ``tune`` to the commands of the parser."""
    tune = add_command(commands, "tune", "search for settings with Optuna (extra: tune)", TUNE_EXAMPLES)
    _add_common(tune, "a YAML file: settings, seeds to tune on, search, trials")
    add_json(tune)
    tune.set_defaults(command=_tune, show=_show_tune)


def _tune(options: argparse.Namespace) -> dict[str, Any]:
    from ..sweep.search import load_search
    from ..sweep.tune import tune

    engine, search = make_engine(options), None if options.spec is None else load_search(options.spec)
    if options.resume is not None:
        if options.out is not None:
            raise ConfigError("--resume and --out are given; allowed: one of them")
        return tune(search, options.resume, engine, options.quiet, resume=True)
    if search is None:
        raise ConfigError("tune: give a specification, a YAML file, or --resume DIR")
    return tune(search, fresh_folder(options), engine, options.quiet)


def _show_tune(result: dict[str, Any]) -> None:
    for row in result["failures"]:
        print(f"failed: {row['run']} (exit code {row['exit_code']}): {row['error']}")
    counts = ", ".join(f"{count} {state}" for state, count in result["trials"].items())
    print(f"trials: {counts}, {result['seconds']:,.1f} s")
    print(f"{result['objective']} {result['value']:.4g} with {result['settings']}")
    print(f"{result['best']}: synaptick run {result['best']} --seeds 0-9")


def _part(given: str | None) -> tuple[int, int]:
    if given is None:
        return 0, 1
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", given)
    if not found or not int(found[1]) < int(found[2]):
        raise ConfigError(f"--part {given}: allowed: K/N with K from 0 to N - 1, such as 0/4")
    return int(found[1]), int(found[2])


def show_sweep(result: dict[str, Any]) -> None:
    """Print what became of many runs."""
    if result["complete"]:
        print("mean return of the last 100 episodes: interquartile mean, lowest and highest over seeds")
    ranked = sorted(
        result["summary"], key=lambda row: -float("inf") if row["iqm"] is None else row["iqm"], reverse=True
    )
    for row in ranked[:MOST_LISTED]:
        if row["iqm"] is not None:
            name = row["configuration"]
            print(f"{name:40} {row['iqm']:10.1f} [{row['lowest']:.1f}, {row['highest']:.1f}] of {row['runs']}")
    if len(ranked) > MOST_LISTED:
        print(f"... and {len(ranked) - MOST_LISTED} more configurations")
    for row in result["failed"]:
        print(f"failed: {row['run']} (exit code {row['exit_code']}): {row['error']}")
    counts = [f"{result['complete']:,} of {result['runs']:,} runs complete"]
    if result["failed"]:
        counts.append(f"{len(result['failed']):,} failed")
    if result["unfinished"]:
        counts.append(f"{result['unfinished']:,} not finished")
    print(f"{', '.join(counts)}, {result['seconds']:,.1f} s")
    print(result["results"])
