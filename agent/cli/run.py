"""The part of the command line that learns: ``synaptick run``, one run or one for each of many seeds."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..files import expanded
from ..metrics.episodes import RECENT
from ..training.config_file import parse_changes, resolve_config, shipped_names
from ..training.run import resume_run, start_run
from ..training.run_folder import RunFolder
from ..training.trackers import Chosen
from .options import add_allow_tuning_seeds, add_command, add_json, failed_runs, make_engine, seeds, whole

EXAMPLES = (
    "synaptick run cartpole_positions --seed 3 --set lambda_value=0.9 --out runs/mine",
    "synaptick run CartPole-v1 --steps 1e5 --seeds 0-9 --jobs 2",
    "synaptick run --resume runs/mine --steps 400000",
)


def add_run(commands: Any) -> None:
    """Add ``run`` to the commands of the parser."""
    run = add_command(commands, "run", "learn in an environment", EXAMPLES, aliases=["train"])
    run.add_argument(
        "source",
        nargs="?",
        metavar="CONFIG_OR_ENV_ID",
        help=f"a YAML file, a shipped configuration ({', '.join(shipped_names())}), or a Gymnasium environment id",
    )
    run.add_argument("--steps", type=whole, metavar="N", help="environment steps in all")
    run.add_argument("--seed", type=whole, metavar="S", help="seed of weights, actions and environment")
    run.add_argument("--seeds", type=seeds, metavar="N|LIST", help="a run for each: how many, or which (0-9; 1,4,7-9)")
    run.add_argument("--jobs", type=whole, metavar="J", help="processes for --seeds (default: all processors)")
    run.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="changes", help="change a setting")
    run.add_argument("--out", type=expanded, metavar="DIR", help="folder to write (default: a fresh one below runs/)")
    run.add_argument(
        "--resume", type=expanded, metavar="DIR", help="go on with the run, or complete the runs, in this folder"
    )
    run.add_argument("--quiet", action="store_true", help="print nothing but warnings and errors")
    run.add_argument("--threads", type=whole, choices=(1, 2), default=1, help="2: actor and critic at a time")
    run.add_argument("--stop-at", type=float, metavar="RETURN", help="end once the last 100 episodes return so much")
    run.add_argument("--tensorboard", action="store_true", help="write event files of TensorBoard to the run folder")
    run.add_argument("--wandb", metavar="PROJECT", help="log to Weights & Biases")
    run.add_argument(
        "--rerun",
        type=expanded,
        nargs="?",
        const=Path(),
        metavar="FILE.rrd",
        help="stream to the Rerun viewer, or to a file that it opens",
    )
    add_allow_tuning_seeds(run)
    add_json(run)
    run.set_defaults(command=_run, show=_show, failed=failed_runs)


def _run(options: argparse.Namespace) -> dict[str, Any]:
    hooks = Chosen(options.stop_at, options.tensorboard, options.wandb, options.rerun)
    if options.resume is not None:
        return _resume(options, hooks)
    if options.source is None:
        raise ConfigError("run: give a configuration file, the name of a shipped one, or an environment id")
    if options.jobs is not None and options.seeds is None:
        raise ConfigError("--jobs: one run takes one processor; give --seeds, such as --seeds 0-9, for several runs")
    changes = parse_changes(options.changes)
    for name in ("steps", "seed"):
        if getattr(options, name) is not None:
            changes[name] = getattr(options, name)
    if options.seeds is None:
        config = resolve_config(options.source).with_changes(changes)
        if config.tuning_seeds and not options.allow_tuning_seeds:
            from ..sweep.spec import of_seeds
            from ..sweep.sweep import refuse_tuning_seeds

            refuse_tuning_seeds(of_seeds(config, (config.seed,)))
        return start_run(config, options.out, options.quiet, hooks, options.threads)
    if "seed" in changes:
        raise ConfigError("--seeds and a seed are given; allowed: one of them")
    _check_many(options)
    from ..sweep.spec import of_seeds
    from ..sweep.sweep import start_sweep

    spec = of_seeds(resolve_config(options.source).with_changes(changes), options.seeds)
    out = options.out or RunFolder.default_path(spec.base, "seeds")
    return start_sweep(spec, out, make_engine(options), options.quiet, hooks, (0, 1), options.allow_tuning_seeds)


def _resume(options: argparse.Namespace, hooks: Chosen) -> dict[str, Any]:
    from ..sweep.sweep import SPEC_FILE, resume_sweep

    many = (options.resume / SPEC_FILE).is_file()
    allowed = "--jobs" if many else "--steps"
    for name in ("source", "changes", "seed", "seeds", "out", "allow_tuning_seeds", "steps" if many else "jobs"):
        given = getattr(options, name)
        if given is not None and given is not False and given != []:
            raise ConfigError(f"--resume {options.resume} goes on with that run as it is; only {allowed} fits with it")
    if many:
        _check_many(options)
        return resume_sweep(options.resume, make_engine(options), options.quiet, hooks)
    return resume_run(options.resume, options.steps, options.quiet, hooks, options.threads)


def _check_many(options: argparse.Namespace) -> None:
    """Raise `ConfigError` for what several runs cannot have."""
    if options.threads != 1:
        raise ConfigError("--threads: each of several runs has one; give more --jobs")
    if options.rerun not in (None, Path()):
        raise ConfigError(
            f"--rerun {options.rerun}: several runs would write to one file; give --rerun alone, for the viewer, or a "
            "single --seed"
        )


def _show(result: dict[str, Any]) -> None:
    if "runs" in result:
        from .sweep import show_sweep

        show_sweep(result)
        return
    mean = result["mean_return_last_100"]
    over = f"the last {RECENT}" if result["episodes"] > RECENT else f"all {result['episodes']}"
    print(f"{result['env']}: mean return {'-' if mean is None else format(mean, '.1f')} over {over} episodes")
    print(
        f"{result['steps']:,} steps, {result['episodes']:,} episodes, {result['steps_per_second']:,.0f} steps/s, "
        f"{result['state_bytes']:,} bytes of state"
    )
    print(result["out"])
