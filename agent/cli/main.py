"""The program ``synaptick``: one command, its result on standard output, and the exit code."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from typing import NoReturn

from ..errors import Interrupted, SynaptickError, exit_code
from ..training.console import kept_streams, warn
from .parser import make_parser


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

    0: done. 1: the environment failed while running, some of many runs did, or a check did not pass (soak, doctor). 2:
    something given cannot be used. 128 + n: stopped by signal n.
    """
    with kept_streams():
        options = make_parser().parse_args(arguments)
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
    return int(options.failed(options, result)) if "failed" in options else 0
