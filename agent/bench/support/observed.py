"""Everything that can look at an agent while it lives, at once: to see that looking costs no memory either."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Any

from ...agent import Agent
from ...metrics import Row
from ...metrics.episodes import Tally
from ...metrics.table import MAX_ROWS
from ...realtime import Telemetry
from ...training.run_folder import RunFolder

# Neurons and rows of the probe, and seconds between rows of telemetry.
NEURONS, CAPACITY, EVERY = 64, 1000, 0.05
QUANTITIES = ("spike", "v", "psi", "eligibility", "credit")


class Observed:
    """Metrics on disk, a probe of the uppermost layer, and telemetry with a hook for each event; a context.

    Parameters
    ----------
    agent : Agent
    folder : RunFolder
        For metrics.csv.
    steps : int
        Of the whole run: in a tenth of it the file gets as many rows as it ever holds, so that what comes after shows
        growth that does not end.

    Attributes
    ----------
    log_every : int
        Steps from row to row.
    """

    def __init__(self, agent: Agent, folder: RunFolder, steps: int) -> None:
        self.log_every = max(1, steps // (10 * MAX_ROWS))
        self._agent, self._metrics = agent, folder.open_metrics(agent)
        self._rows = 0
        top = len(agent.config.layers) + agent.config.n_memory - 1
        neurons = range(min(NEURONS, len(agent.arena.views[f"actor/{top}/z"])))
        self._probe = agent.probe(f"actor/{top}", QUANTITIES, neurons=neurons, capacity=CAPACITY)
        self._heard: dict[str, int] = {}
        self._telemetry = Telemetry(every=EVERY, hooks=[_Listener(self._heard)])
        self._stack = ExitStack()

    def __enter__(self) -> Observed:
        self._stack.enter_context(self._probe)
        self._stack.enter_context(self._telemetry.of(self._agent))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    # ---- hooks of the run

    def on_log(self, row: Row) -> None:
        """Write a row."""
        self._metrics.add(row)
        self._rows += 1

    def on_step(self, tally: Tally) -> None:
        """Hand a step over to the thread, as a control loop does."""
        self._telemetry.passed.add(0.0, False)

    def on_episode(self, tally: Tally) -> None:
        """Hand the end of an episode over."""
        self._telemetry.passed.add(tally.last_return, True)

    def to_dict(self) -> dict[str, Any]:
        """Return how much there was to see."""
        return {
            "log_every": self.log_every,
            "metrics_rows": self._rows,
            "probe_rows": self._probe.recorded,
            "probe_bytes": self._probe.nbytes,
            "heard": dict(self._heard),
            "telemetry": self._telemetry.to_dict(),
        }


class _Listener:
    """Counts what it is told."""

    def __init__(self, heard: dict[str, int]) -> None:
        self._heard = heard

    def on_step(self, tally: Tally) -> None:
        self._heard["steps"] = self._heard.get("steps", 0) + 1

    def on_episode(self, tally: Tally) -> None:
        self._heard["episodes"] = self._heard.get("episodes", 0) + 1

    def on_log(self, row: Row) -> None:
        self._heard["rows"] = self._heard.get("rows", 0) + 1
