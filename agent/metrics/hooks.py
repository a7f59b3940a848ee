"""What others may do while an agent lives, in a run or in a control loop: one protocol of hooks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from ..agent import Agent
from ..errors import ConfigError, one_line
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
        Loop(agent, plant, rate=1000, telemetry=Telemetry(hooks=[Best()]))

    A run calls hooks between two steps. One that raises ends it as an environment that raises does, with everything
    learned so far saved; `StopRun` ends it as its last step would.

    A control loop waits for nobody: all but `on_start` are called by the thread of its `realtime.Telemetry`, some
    hundredths of a second later. One that raises is counted and reported as a plant that raises is, and the loop goes
    on; `StopRun` ends it as its last step would, some steps later. Calls that hooks have no time for are left out and
    counted; the counts in `tally` stay right.
    """

    def on_start(self, agent: Agent, tally: Tally) -> None:
        """Before the first step, with the counts that the run goes on from."""

    def on_step(self, tally: Tally) -> None:
        """After every step: keep it short, one microsecond is a tenth of a step of CartPole."""

    def on_episode(self, tally: Tally) -> None:
        """After an episode has ended: ``tally.last_return``, ``tally.last_length``."""

    def on_log(self, row: Mapping[str, float | None]) -> None:
        """With each row of metrics (`metrics.Readings.read`), which come every so many steps, or seconds in a loop."""

    def on_checkpoint(self, path: Path) -> None:
        """After a checkpoint, or a snapshot of a loop, has been written to the folder `path`."""

    def on_stop(self, tally: Tally) -> None:
        """After the last step, whatever ended the run; in a loop, after its final action."""


class StopRun(Exception):
    """Raised by a hook: the run ends here, as if all its steps were done. The text says why."""


def checked_hooks(hooks: Iterable[Any]) -> tuple[Any, ...]:
    """Return hooks; raise `ConfigError` if something given is none."""
    given = tuple(hooks)
    for hook in given:
        if not any(callable(getattr(hook, event, None)) for event in EVENTS):
            raise ConfigError(f"{one_line(hook)} is no hook: it has none of {', '.join(EVENTS)}")
    return given
