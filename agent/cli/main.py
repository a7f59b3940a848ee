"""The command line: ``synaptick run | sweep | tune | eval | plot | report | watch | soak | bench``."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from typing import Any, NoReturn

from ..errors import Interrupted, SynaptickError, exit_code
from ..files import expanded
from ..training.console import kept_streams, warn
from ..training.evaluation import evaluate
from .bench import add_bench
from .compile import add_compile, add_warmup
from .export import add_export
from .options import add_json, whole
from .plot import add_plot, add_report
from .run import add_run
from .soak import add_soak
from .sweep import add_sweep, add_tune
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

    0: done. 1: the environment failed while running, some of many runs failed, or a soak broke a bound it was to be
    checked for. 2: something
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
        return exit_code(error)
    except BrokenPipeError:
        # Whoever read the output has left; what was to be done is done. Python must not complain when it flushes again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (SynaptickError, OSError) as error:
        warn(f"error: {error}")
        return exit_code(error)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    # Runs that failed are listed; so is what a check found.
    return 1 if result.get("failed") or (getattr(options, "check", False) and result["violations"]) else 0


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

    add_run(commands)
    add_sweep(commands)
    add_tune(commands)
    evaluation = commands.add_parser("eval", help="act without learning, with the agent of a run")
    evaluation.add_argument("run_dir", type=expanded, metavar="RUN_DIR")
    evaluation.add_argument("--episodes", type=whole, default=100, metavar="N")
    evaluation.add_argument("--seed", type=whole, metavar="S", help="seed of the environment")
    evaluation.add_argument("--deterministic", action="store_true", help="take the most probable action each time")
    add_json(evaluation)
    evaluation.set_defaults(command=_eval, show=_show_eval)

    add_plot(commands)
    add_report(commands)
    add_watch(commands)
    add_warmup(commands)
    add_compile(commands)
    add_export(commands)
    add_soak(commands)
    add_bench(commands)
    return parser


def _eval(options: argparse.Namespace) -> dict[str, Any]:
    return evaluate(options.run_dir, options.episodes, options.seed, options.deterministic)


def _show_eval(result: dict[str, Any]) -> None:
    print(
        f"{result['env']}: return {result['mean_return']:.1f} +- {result['std_return']:.1f} "
        f"over {result['episodes']} episodes without learning"
    )
