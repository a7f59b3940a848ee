"""The hooks of a run (`metrics.hooks`), and the calls they get."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ..agent import Agent
from ..errors import HookError, RunError, described
from ..metrics.episodes import Tally
from ..metrics.hooks import EVENTS, StopRun, checked_hooks
from .console import warn


class Functions(SimpleNamespace):
    """Functions as one hook, ``Functions(on_step=f)``; what they raise is left as it is."""


class Hooks:
    """The hooks of a run, called one after the other.

    Parameters
    ----------
    hooks : iterable
    around : context manager, optional
        Entered around each call of a hook that is not `Functions`.

    Raises
    ------
    ConfigError
        If something given is no hook.

    Attributes
    ----------
    on_start, on_step, on_episode, on_log, on_checkpoint, on_stop : tuple of callables
        Of those hooks that have the method; their errors are `HookError`, with the name of the hook.
    stopped : str
        Why a hook ended the run; "" if none did.
    """

    on_start: tuple[Callable[..., None], ...]
    on_step: tuple[Callable[..., None], ...]
    on_episode: tuple[Callable[..., None], ...]
    on_log: tuple[Callable[..., None], ...]
    on_checkpoint: tuple[Callable[..., None], ...]
    on_stop: tuple[Callable[..., None], ...]

    def __init__(self, hooks: Iterable[Any], around: AbstractContextManager[Any] | None = None) -> None:
        given, self.stopped = checked_hooks(hooks), ""
        for event in EVENTS:
            setattr(self, event, tuple(_functions(given, event, around or nullcontext())))

    def start(self, agent: Agent, tally: Tally) -> None:
        """Call `on_start`."""
        for call in self.on_start:
            call(agent, tally)

    def stop(self, tally: Tally) -> None:
        """Call every `on_stop`, whatever others raise.

        Raises
        ------
        HookError
            The first of them, unless another error is on its way: it is a warning then.
        """
        on_its_way, first = sys.exc_info()[1] is not None, None
        for call in self.on_stop:
            try:
                call(tally)
            except StopRun:  # it has
                continue
            except HookError as error:
                if on_its_way or first is not None:
                    warn(str(error))
                else:
                    first = error
        if first is not None:
            raise first

    def checkpoint(self, path: Path) -> None:
        """Call `on_checkpoint`."""
        for call in self.on_checkpoint:
            call(path)

    def led_by(self, hook: Any) -> Hooks:
        """Return these with a hook of our own before the others; these, which another run may be given, stay."""
        led = copy.copy(self)
        for event in EVENTS:
            function = getattr(hook, event, None)
            if callable(function):
                setattr(led, event, (function, *getattr(self, event)))
        return led


def _functions(hooks: Iterable[Any], event: str, around: AbstractContextManager[Any]) -> Iterator[Callable[..., None]]:
    for hook in hooks:
        function = getattr(hook, event, None)
        if callable(function):
            name = f"{type(hook).__name__}.{event}"
            yield function if isinstance(hook, Functions) else _named(function, name, around)


def _named(function: Callable[..., None], name: str, around: AbstractContextManager[Any]) -> Callable[..., None]:
    def call(*arguments: Any) -> None:
        try:
            with around:
                function(*arguments)
        except StopRun as stop:
            if str(stop):
                raise
            raise StopRun(name.rpartition(".")[0]) from None  # a run that was stopped says so
        except (RunError, KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except Exception as error:
            raise HookError(f"hook {name} failed ({described(error)})") from error

    return call
