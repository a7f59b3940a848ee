"""The part of the command line that learns: ``synaptick run``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..files import expanded
from ..training.config_file import parse_changes, resolve_config, shipped_names
from ..training.run import resume_run, start_run
from ..training.trackers import Rerun, StopAtReturn, TensorBoard, WeightsAndBiases
from .options import add_command, add_json, whole

EXAMPLES = (
    "synaptick run CartPole-v1 --steps 50000",
    "synaptick run cartpole_positions --seed 3 --set lambda_value=0.9 --out runs/mine",
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
    run.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="changes", help="change a setting")
    run.add_argument("--out", type=expanded, metavar="DIR", help="folder to write (default: a fresh one below runs/)")
    run.add_argument("--resume", type=expanded, metavar="DIR", help="go on with the run in this folder")
    run.add_argument("--quiet", action="store_true", help="show no progress")
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
    add_json(run)
    run.set_defaults(command=_run, show=_show)


def _run(options: argparse.Namespace) -> dict[str, Any]:
    if options.resume is not None:
        for name in ("source", "changes", "seed", "out"):
            if getattr(options, name) not in (None, []):
                raise ConfigError(
                    f"--resume {options.resume} goes on with that run as it is; only --steps fits with it"
                )
        return resume_run(options.resume, options.steps, options.quiet, _hooks(options), options.threads)
    if options.source is None:
        raise ConfigError("run: give a configuration file, the name of a shipped one, or an environment id")
    changes = parse_changes(options.changes)
    for name in ("steps", "seed"):
        if getattr(options, name) is not None:
            changes[name] = getattr(options, name)
    config = resolve_config(options.source).with_changes(changes)
    return start_run(config, options.out, options.quiet, _hooks(options), options.threads)


def _hooks(options: argparse.Namespace) -> Callable[[Path], list[Any]]:
    def made(folder: Path) -> list[Any]:
        found: list[Any] = [] if options.stop_at is None else [StopAtReturn(options.stop_at)]
        if options.tensorboard:
            found.append(TensorBoard(folder / "tensorboard"))
        if options.wandb:
            found.append(WeightsAndBiases(options.wandb, folder))
        if options.rerun is not None:
            found.append(Rerun(None if options.rerun == Path() else options.rerun))
        return found

    return made


def _show(result: dict[str, Any]) -> None:
    mean = result["mean_return_last_100"]
    print(f"{result['env']}: mean return {'-' if mean is None else format(mean, '.1f')} over the last 100 episodes")
    print(
        f"{result['steps']:,} steps, {result['episodes']:,} episodes, {result['steps_per_second']:,.0f} steps/s, "
        f"{result['state_bytes']:,} bytes of state"
    )
    print(result["out"])
