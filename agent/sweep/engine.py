"""What carries out many calls at once, and what becomes of calls whose process dies."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import FrameType
from typing import Any, NamedTuple, Protocol

from ..errors import Interrupted

# Seconds from one look at what is going on to the next.
LOOK = 0.25
# So many times in a row may the process of a call die without the call having come further.
DEATHS = 3


class Died(NamedTuple):
    """The process of a call ended in the middle of it, or was asked to.

    Attributes
    ----------
    code : int
        Its exit code, -n if signal n killed it; 1 where that is not known.
    words : str
    """

    code: int
    words: str


class Raised(NamedTuple):
    """The function of a call raised an error."""

    error: BaseException


class Engine(Protocol):
    """Processes that calls are given to; a context, at whose end none of them is left.

    Attributes
    ----------
    ahead : int
        Calls that it may be given beyond those it works on, so that no process waits for the next one.
    """

    ahead: int

    @property
    def processes(self) -> int:
        """Calls that are worked on at a time."""

    def submit(self, function: Callable[[Any], Any], item: Any) -> None:
        """Begin ``function(item)``; function, item and what is returned are pickled."""

    def ended(self, seconds: float) -> list[tuple[Any, Any]]:
        """Return the calls that have ended as (item, what was returned, `Died` or `Raised`); wait so long for one."""

    def __enter__(self) -> Any: ...

    def __exit__(self, *error: object) -> None: ...


def of_numbered(function: Callable[[Any], Any], numbered: tuple[int, Any]) -> Any:
    """Return ``function(item)`` of (number, item): numbers tell calls apart whose items are equal, or one object."""
    return function(numbered[1])


def outcomes(
    engine: Engine,
    function: Callable[[Any], Any],
    items: Iterable[Any],
    came_to: Callable[[Any], object] = lambda item: None,
    look: Callable[[list[Any]], None] = lambda items: None,
) -> Iterator[tuple[Any, Any]]:
    """Yield (item, what ``function(item)`` returned, or `Died`) in the order in which they end.

    A call whose process dies is made again, until it has died `DEATHS` times without having come further.

    Parameters
    ----------
    engine : Engine
    function : callable
    items : iterable
        Taken one by one, when there is a process for it.
    came_to : callable, optional
        Returns for an item something that changes when its call has come further; by default none ever does.
    look : callable, optional
        Called several times a second with the items that the engine has.

    Raises
    ------
    BaseException
        What a function raises, on the first that does.
    """
    left, again = enumerate(items), deque[tuple[tuple[int, Any], int, object]]()
    given: dict[int, tuple[tuple[int, Any], int, object]] = {}  # numbered item, its deaths, and what it had come to
    call_it = partial(of_numbered, function)
    while True:
        while len(given) < engine.processes + engine.ahead:
            call = again.popleft() if again else next(((pair, 0, came_to(pair[1])) for pair in left), None)
            if call is None:
                break
            given[call[0][0]] = call
            engine.submit(call_it, call[0])
        if not given:
            return
        for (number, item), value in engine.ended(LOOK):
            if isinstance(value, Raised):
                raise value.error
            _, deaths, before = given.pop(number)
            if isinstance(value, Died):
                now = came_to(item)
                deaths = deaths + 1 if now == before else 1
                if deaths < DEATHS:
                    again.append(((number, item), deaths, now))
                    continue
            yield item, value
        look([item for (_, item), *_ in given.values()])


def stopping(words: str) -> Callable[[int, FrameType | None], None]:
    """Return a handler of signals that ends what is going on with these words."""

    def stop(number: int, _: FrameType | None) -> None:
        raise Interrupted(f"stopped by {signal.Signals(number).name}; {words}", number)

    return stop
