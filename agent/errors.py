"""Errors a user can meet. Each message names what was given, what is allowed and what to do."""

from __future__ import annotations

import reprlib
import traceback


class SynaptickError(Exception):
    """Base of all errors raised on purpose by synaptick."""


class ConfigError(SynaptickError, ValueError):
    """A configuration key, type or value that is not allowed."""


class SpaceError(SynaptickError, TypeError):
    """An observation or action space that cannot be handled."""


class InputError(SynaptickError, ValueError):
    """An observation or reward that does not fit the space or is not finite; the agent is unchanged."""


class PhaseError(SynaptickError, RuntimeError):
    """A call at the wrong time, such as `step` before `start`; the agent is unchanged."""


class ProbeError(SynaptickError, ValueError):
    """A layer, quantity or neuron that is not there to be looked at; the agent is unchanged."""


class StateError(SynaptickError, ValueError):
    """A buffer, snapshot or checkpoint that does not fit this agent, or is damaged, foreign or too new."""


class BusyError(StateError):
    """A folder that another process is writing to."""


class DamagedError(StateError):
    """A checkpoint that is cut short, is not what its digest says, or is no checkpoint at all."""


class CompileError(SynaptickError, RuntimeError):
    """A call for which the step would have to be compiled, when it must not be, or compiled code that is not there."""


class CompilerError(SynaptickError, RuntimeError):
    """A C compiler that is missing, or that refuses what it is given."""


class EnvError(SynaptickError):
    """An environment that cannot be made or used, with the reason."""


class RunError(SynaptickError):
    """A run that its environment broke off; the folder is complete up to that step."""


class HookError(RunError):
    """A hook of a run raised."""


class Interrupted(SynaptickError):
    """A run stopped by Ctrl-C, SIGTERM or SIGHUP; the folder is complete up to that step.

    Attributes
    ----------
    number : int
        The signal.
    """

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number


def exit_code(error: SynaptickError | OSError) -> int:
    """Return the exit code of a command that an error ends, as `cli.main` lists them."""
    if isinstance(error, Interrupted):
        return 128 + error.number
    # What an environment returns is input; what it raises is its failure.
    return 1 if isinstance(error, RunError) and not isinstance(error.__cause__, SynaptickError) else 2


class _Brief(reprlib.Repr):
    """A ``repr`` of bounded time and size: of what refers to itself, too, or says the same a billion times."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxstring, self.maxother, self.maxlong = 4, 200, 200, 200
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = 12

    def repr_int(self, x: int, level: int) -> str:
        return super().repr_int(x, level) if x.bit_length() < 8192 else f"a number of {x.bit_length()} bits"


_BRIEF = _Brief()


def one_line(value: object, width: int = 80, quoted: bool = True) -> str:
    """Return a value as a text of one line and at most `width` characters, whatever its own ``repr`` does.

    Parameters
    ----------
    value : object
    width : int, optional
    quoted : bool, optional
        False: what ``str`` makes of it instead, with what cannot be printed escaped.
    """
    try:
        text = _BRIEF.repr(value) if quoted else "".join(map(_printable, str(value)[: 2 * width]))
        text = " ".join(text.split())
    except Exception:  # of whatever a machine or a file has sent
        text = f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= width else f"{text[: width - 4]} ..."


def _printable(character: str) -> str:
    plain = character.isprintable() or character.isspace()
    return character if plain else character.encode("ascii", "backslashreplace").decode()


def described(error: BaseException) -> str:
    """Return in one line what an error says, with its kind unless it is one of ours.

    One that says nothing is described by the file and line that raised it. Never raises, whatever the error's own
    methods do.
    """
    kind = type(error).__name__
    try:
        text = " ".join(str(error).split())
    except BaseException:  # foreign code
        text = ""
    if text:
        return text if isinstance(error, SynaptickError) else f"{kind}: {text}"
    frames = list(traceback.walk_tb(error.__traceback__))
    if not frames:
        return kind
    frame, line = frames[-1]
    return f"{kind} ({frame.f_code.co_filename}:{line})"
