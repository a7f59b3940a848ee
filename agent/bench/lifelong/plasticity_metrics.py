"""Whether a network can still learn: neurons that carry nothing, sizes of weights, credit and steps, rank of spikes.

Readings of a single tick say little: credit grows through an episode and steps shrink with it. What changes from tick
to tick is therefore averaged over a window of ticks that is sampled before each report. Between reports nothing is
sampled, and all memory is allocated at the start, so that a life of any length costs the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...agent import Agent
from ...arena.placement import NET_NAMES

# Ticks of a window.
WINDOW = 1000
# A neuron whose running rate, of the last 100 ticks or so, is closer than this to 0 or 1 has not changed its mind for
# 230 ticks or more: a single spike lifts the rate by 0.01, which takes so long to decay to 0.001. Whatever it is
# connected to sees a constant, which the bias is already.
DORMANT = 0.001


def dormant_share(rates: ArrayLike) -> float:
    """Return the share of running rates that are below 0.001 or above 0.999."""
    rates = np.asarray(rates, dtype=np.float64)
    return float(((rates < DORMANT) | (rates > 1.0 - DORMANT)).mean())


def effective_rank(spikes: ArrayLike) -> float:
    """Return over how many directions the variance of spike vectors is spread (Roy & Vetterli 2007).

    The exponential of the entropy of the eigenvalues of their covariance, divided by their sum: n for n neurons that
    are independent and equally variable, 1 if all do the same, 0 if none ever changes.

    Parameters
    ----------
    spikes : (ticks, n) array
    """
    spikes = np.asarray(spikes, dtype=np.float64)
    if spikes.ndim != 2 or 0 in spikes.shape:
        raise ValueError(
            f"spikes: got an array of shape {spikes.shape}; allowed: (ticks, neurons), one or more of both"
        )
    apart = spikes - spikes.mean(axis=0)
    eigenvalues = np.clip(np.linalg.eigvalsh(apart.T @ apart / len(apart)), 0.0, None)
    total = eigenvalues.sum()
    # A constant that is not 0 leaves what rounding its mean did.
    if total <= 1e-12 * spikes.shape[1]:
        return 0.0
    shares = eigenvalues[eigenvalues > 0.0] / total
    return float(np.exp(-(shares * np.log(shares)).sum()))


class VitalSigns:
    """The vital signs of an agent: call `sample` after each tick of a window, then `read`.

    Spikes are kept as they are, a byte each, and not as a running covariance: for the default network that takes less
    memory, and a tick less time.

    Parameters
    ----------
    agent : Agent
    window : int
        Ticks that are kept; older ones are overwritten.

    Attributes
    ----------
    samples : int
        Ticks sampled since the last reading.
    """

    def __init__(self, agent: Agent, window: int = WINDOW) -> None:
        self.samples = 0
        self._views = agent.arena.views
        dimensions = agent.arena.dimensions
        self._layers = range(len(dimensions.layers))
        ends = np.cumsum([0, *dimensions.layers])
        self._spikes = np.zeros((window, len(NET_NAMES), ends[-1]), np.float32)
        self._parts = [
            (net, slice(ends[index], ends[index + 1]), self._views[f"{name}/{index}/z"])
            for net, name in enumerate(NET_NAMES)
            for index in self._layers
        ]
        self._credit, self._steps = (np.zeros_like(self._views[name]) for name in ("credit_norms", "step_sizes"))

    def sample(self) -> None:
        """Take in the tick that has just been."""
        row = self._spikes[self.samples % len(self._spikes)]
        for net, part, spikes in self._parts:
            row[net, part] = spikes
        self._credit += self._views["credit_norms"]
        self._steps += self._views["step_sizes"]
        self.samples += 1

    def read(self) -> dict[str, float | None]:
        """Return all vital signs by name, and begin a new window.

        Returns
        -------
        dict
            For each network, with the layers numbered as in the arena's views:

            ``actor/1/rate``, ``actor/1/dormant``
                Mean running rate of a layer, and the share of its neurons that are dormant, see `dormant_share`; both
                are what they were when the agent last learned.
            ``actor/1/weights``
                L2 norm of the weights of a layer; ``actor/readout/weights`` that of the readout.
            ``actor/1/credit``, ``actor/1/step``
                L1 norm of the credit, which the step is bounded by, and step size; means over the window, of layers
                and of the readout.
            ``actor/rank``
                Effective rank of the spikes of all layers over the window.

            None stands for what needs a window where no tick was sampled.
        """
        signs: dict[str, float | None] = {}
        kept = min(self.samples, len(self._spikes))
        for net, name in enumerate(NET_NAMES):
            for index in self._layers:
                rates = self._views[f"{name}/{index}/rate"]
                signs[f"{name}/{index}/rate"] = float(rates.mean(dtype=np.float64))
                signs[f"{name}/{index}/dormant"] = dormant_share(rates)
                signs[f"{name}/{index}/weights"] = _norm(self._views[f"{name}/{index}/w"])
            signs[f"{name}/readout/weights"] = _norm(self._views[f"{name}/w"])
            for index in (*self._layers, len(self._layers)):
                block = f"{name}/{'readout' if index == len(self._layers) else index}"
                signs[f"{block}/credit"] = float(self._credit[net, index] / self.samples) if kept else None
                signs[f"{block}/step"] = float(self._steps[net, index] / self.samples) if kept else None
            signs[f"{name}/rank"] = effective_rank(self._spikes[:kept, net]) if kept else None
        self.samples = 0
        self._credit.fill(0.0)
        self._steps.fill(0.0)
        return signs


def _norm(weights: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.square(weights, dtype=np.float64).sum()))
