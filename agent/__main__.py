"""The program ``synaptick``, also as ``python -m synaptick``."""

import signal
import sys

from .errors import SynaptickError


def command() -> None:
    """Run the command line; Ctrl-C ends it in silence while modules are loaded, which takes a second or more."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        from .cli.main import command as loaded
    except SynaptickError as error:  # of a variable of the environment that is read then
        print(f"synaptick: error: {error}", file=sys.stderr)
        sys.exit(2)
    except ImportError as error:  # a package that is missing, or whose version does not fit
        print(
            f"synaptick: error: {' '.join(str(error).split())}; a package is missing or does not fit the others: pip "
            "install --upgrade --force-reinstall synaptick",
            file=sys.stderr,
        )
        sys.exit(2)
    signal.signal(signal.SIGINT, before)
    loaded()


if __name__ == "__main__":
    command()
