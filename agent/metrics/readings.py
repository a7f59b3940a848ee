"""One row of numbers about an agent: means since the row before, and how things stand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..agent import Agent
from .process import resident

Row = Mapping[str, float | None]

# Share of a new row in the slow mean of the reward.
SLOW = 0.1
NETS = ("actor", "critic")


class Readings:
    """Reads an agent now and then; nothing is kept but what the last reading found.

    Parameters
    ----------
    agent : Agent
    seconds : float
        What the clock of the readings shows now.

    Attributes
    ----------
    columns : tuple of str
        Names of the numbers of a row, see `read`.
    """

    def __init__(self, agent: Agent, seconds: float = 0.0) -> None:
        self.agent = agent
        views, d = agent.arena.views, agent.arena.dimensions
        self._layers = [
            (f"{net}/{index}", number, index) for number, net in enumerate(NETS) for index in range(len(d.layers))
        ]
        self._z = {path: views[f"{path}/z"] for path, _, _ in self._layers}
        self._keep = {path: views[f"{path}/keep"] for path, _, index in self._layers if d.is_memory(index)}
        self._seconds, self._ticks = seconds, agent.arena.clock.tick
        self._sums = self._totals()
        self._slow: float | None = None
        self.columns = tuple(self.read(seconds))
        self._slow = None

    def _totals(self) -> NDArray[np.float64]:
        running = self.agent.arena.running
        return np.array(
            [running.reward_sum, running.error_sum, running.error_squares, running.error_products], np.float64
        )

    def read(
        self,
        seconds: float,
        episodes: int = 0,
        mean_return: float | None = None,
        mean_length: float | None = None,
        tick_us: tuple[float | None, float | None] = (None, None),
    ) -> dict[str, float | None]:
        """Return a row.

        Parameters
        ----------
        seconds : float
            What the clock shows now.
        episodes : int
            Episodes that have ended, of the whole life.
        mean_return, mean_length : float, optional
            Of those that have ended since the last row; None if none has.
        tick_us : (float, float), optional
            Median and 99th percentile of a step since the last row, environment included, microseconds.

        Returns
        -------
        dict of str to float or None
            ``step``, ``seconds``, ``episodes``; ``reward_rate``, reward a step since the last row, and
            ``reward_rate_slow``, its mean over some ten rows; ``mean_return``, ``mean_length``; ``td_error``, mean of
            |delta| in units of values, and ``td_error_correlation``, of successive ones, 1 if they are alike; ``value``
            of the last observation; ``entropy`` of the last choice, nats, and ``std``, mean of those of controls, None
            where an action has no such part; of each network ``actor/step_size``, mean over layers, readout and gates,
            and ``actor/credit_norm``, their sum; of each layer ``actor/0/spike_rate``, spikes a neuron and tick,
            ``actor/0/payload``, mean of what its spikes carried in this tick, and of memory ``actor/0/retention``, mean
            share of a cell that a tick leaves; ``ticks_per_second``, ``tick_us_p50``, ``tick_us_p99``;
            ``state_bytes``, ``resident_bytes``.
        """
        agent, views = self.agent, self.agent.arena.views
        ticks, sums = agent.arena.clock.tick, self._totals()
        passed, (reward, error, squares, products) = ticks - self._ticks, sums - self._sums
        rate = _ratio(reward, passed)
        if rate is not None:
            self._slow = rate if self._slow is None else self._slow + SLOW * (rate - self._slow)
        row: dict[str, float | None] = {
            "step": ticks,
            "seconds": seconds,
            "episodes": episodes,
            "reward_rate": rate,
            "reward_rate_slow": self._slow,
            "mean_return": mean_return,
            "mean_length": mean_length,
            "td_error": _ratio(error, passed),
            "td_error_correlation": _ratio(products, squares),
            "value": agent.value,
            "entropy": _entropy(views["probabilities"]),
            "std": float(views["stds"].mean()) if views["stds"].size else None,
        }
        for number, net in enumerate(NETS):
            row[f"{net}/step_size"] = float(views["step_sizes"][number].mean())
        for number, net in enumerate(NETS):
            row[f"{net}/credit_norm"] = float(views["credit_norms"][number].sum())
        for path, number, index in self._layers:
            z = self._z[path]
            fired = np.count_nonzero(z)
            row[f"{path}/spike_rate"] = float(views["spike_rates"][number, index])
            row[f"{path}/payload"] = float(z.sum()) / fired if fired else None
            if path in self._keep:
                row[f"{path}/retention"] = float(self._keep[path].mean())
        row["ticks_per_second"] = _ratio(passed, seconds - self._seconds)
        row["tick_us_p50"], row["tick_us_p99"] = tick_us
        row["state_bytes"], row["resident_bytes"] = agent.nbytes, resident(counted=False)[0]
        self._seconds, self._ticks, self._sums = seconds, ticks, sums
        return row


def _ratio(part: float, whole: float) -> float | None:
    return float(part) / float(whole) if whole > 0 else None


def _entropy(probabilities: NDArray[np.float64]) -> float | None:
    if not probabilities.size:
        return None
    return -float(sum(p * math.log(p) for p in probabilities.tolist() if p > 0.0))


def told(value: Any) -> str:
    """Return a number of a row as text: empty where there is none."""
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
