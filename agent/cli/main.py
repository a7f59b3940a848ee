"""The command line: ``synaptick run | eval | plot | report | watch | soak | bench``."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Any, NoReturn

from ..errors import ConfigError, Interrupted, RunError, SynaptickError
from ..files import expanded
from ..training.config_file import parse_changes, resolve_config, shipped_names
from ..training.console import kept_streams, warn
from ..training.evaluation import evaluate
from ..training.run import resume_run, start_run
from ..training.trackers import Rerun, StopAtReturn, TensorBoard, WeightsAndBiases
from .bench import add_bench
from .compare import add_compare
from .compile import add_compile, add_warmup
from .export import add_export
from .options import add_json, whole
from .plot import add_plot, add_report
from .soak import add_soak
from .watch import add_watch


def command() -> NoReturn:
    """Run the command line as a process of its own, which ends with it whatever an environment has left behind."""
    code = main()
    left = [thread for thread in threading.enumerate() if not thread.daemon and thread is not threading.main_thread()]
    children = multiprocessing.active_children()
    if left or children:  # the interpreter would wait for them
        for child in children:
            child.terminate()
        os._exit(code)
    sys.exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0: done. 1: the environment failed while running, or a soak broke a bound it was to be checked for. 2: something
    given cannot be used. 128 + n: stopped by signal n.
    """
    with kept_streams():
        options = _parser().parse_args(arguments)
    try:
        with kept_streams(), redirect_stdout(sys.stderr) if options.json else nullcontext():
            result = options.command(options)  # what an environment prints is no JSON
        if options.json:
            print(json.dumps(result), flush=True)
        elif not getattr(options, "quiet", False):
            options.show(result)
            sys.stdout.flush()
    except Interrupted as error:
        warn(str(error))
        return 128 + error.number
    except BrokenPipeError:
        # Whoever read the output has left; what was to be done is done. Python must not complain when it flushes again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (SynaptickError, OSError) as error:
        warn(f"error: {error}")
        # What an environment returns is input; what it raises is its failure.
        return 1 if isinstance(error, RunError) and not isinstance(error.__cause__, SynaptickError) else 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 1 if getattr(options, "check", False) and result["violations"] else 0


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
    run.set_defaults(command=_run, show=_show_run)

    evaluation = commands.add_parser("eval", help="act without learning, with the agent of a run")
    evaluation.add_argument("run_dir", type=expanded, metavar="RUN_DIR")
    evaluation.add_argument("--episodes", type=whole, default=100, metavar="N")
    evaluation.add_argument("--seed", type=whole, metavar="S", help="seed of the environment")
    evaluation.add_argument("--deterministic", action="store_true", help="take the most probable action each time")
    add_json(evaluation)
    evaluation.set_defaults(command=_eval, show=_show_eval)

    add_plot(commands)
    add_report(commands)
    add_compare(commands)
    add_watch(commands)
    add_warmup(commands)
    add_compile(commands)
    add_export(commands)
    add_soak(commands)
    add_bench(commands)
    return parser


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


def _show_run(result: dict[str, Any]) -> None:
    mean = result["mean_return_last_100"]
    print(f"{result['env']}: mean return {'-' if mean is None else format(mean, '.1f')} over the last 100 episodes")
    print(
        f"{result['steps']:,} steps, {result['episodes']:,} episodes, {result['steps_per_second']:,.0f} steps/s, "
        f"{result['state_bytes']:,} bytes of state"
    )
    print(result["out"])


def _eval(options: argparse.Namespace) -> dict[str, Any]:
    return evaluate(options.run_dir, options.episodes, options.seed, options.deterministic)


def _show_eval(result: dict[str, Any]) -> None:
    print(
        f"{result['env']}: return {result['mean_return']:.1f} +- {result['std_return']:.1f} "
        f"over {result['episodes']} episodes without learning"
    )
