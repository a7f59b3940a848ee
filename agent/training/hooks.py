"""What others may do while an agent runs: hooks, and the calls they get."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

from ..agent import Agent
from ..errors import ConfigError, HookError, RunError, described, one_line
from .console import warn
from .episodes import Tally

EVENTS = ("on_start", "on_step", "on_episode", "on_log", "on_checkpoint", "on_stop")


class Hook(Protocol):
    """What a hook may have; a class with any of these methods is one, and one that lacks a method is not called for it.

    ::

        class Best:
            def on_episode(self, tally):
                if tally.mean_return is not None and tally.mean_return > 495:
                    raise StopRun("495 is reached")

        run(agent, env, 100_000, hooks=[Best()])

    A hook that raises ends the run as an environment that raises does, with everything learned so far saved; `StopRun`
    ends it as its last step would.
    """

    def on_start(self, agent: Agent, tally: Tally) -> None:
        """Before the first step, with the counts that the run goes on from."""

    def on_step(self, tally: Tally) -> None:
        """After every step: keep it short, one microsecond is a tenth of a step of CartPole."""

    def on_episode(self, tally: Tally) -> None:
        """After an episode has ended: ``tally.last_return``, ``tally.last_length``."""

    def on_log(self, row: Mapping[str, float | None]) -> None:
        """Every ``log_every`` steps, with a row of metrics (`metrics.Readings.read`)."""

    def on_checkpoint(self, path: Path) -> None:
        """After a checkpoint has been written."""

    def on_stop(self, tally: Tally) -> None:
        """After the last step, whatever ended the run."""


class StopRun(Exception):
    """Raised by a hook: the run ends here, as if all its steps were done. The text says why."""


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
        given, self.stopped = tuple(hooks), ""
        for hook in given:
            if not any(callable(getattr(hook, event, None)) for event in EVENTS):
                raise ConfigError(f"{one_line(hook)} is no hook: it has none of {', '.join(EVENTS)}")
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

    def put_first(self, hook: Any) -> None:
        """Have a hook of our own called before the others."""
        for event in EVENTS:
            function = getattr(hook, event, None)
            if callable(function):
                setattr(self, event, (function, *getattr(self, event)))


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
        except (StopRun, RunError, KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except Exception as error:
            raise HookError(f"hook {name} failed ({described(error)})") from error

    return call
