"""The step of an agent that is looked at: between it and the agent only while there is a probe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .probe import Probe


class Recorder:
    """A step with probes around it, to be called as the step itself.

    Parameters
    ----------
    step : callable
        `kernels.tick.tick`, compiled.
    release : callable
        Called with the step when the last probe is removed.

    Attributes
    ----------
    step : callable
    probes : tuple of Probe
    """

    def __init__(self, step: Callable[[int, float, int, bool], int], release: Callable[[Any], None]) -> None:
        self.step, self._release = step, release
        self.probes: tuple[Probe, ...] = ()

    def __call__(self, address: int, reward: float, mode: int, learning: bool) -> int:
        """Make the step; if it is not refused, every probe takes what it has to."""
        for probe in self.probes:
            probe.prepare(mode, learning)
        result = self.step(address, reward, mode, learning)
        if result == 0:
            for probe in self.probes:
                probe.take()
        return result

    def add(self, probe: Probe) -> None:
        """Let a probe see every call from now on, until it is removed."""
        self.probes = (*self.probes, probe)
        probe.attach(lambda: self._remove(probe))

    def _remove(self, probe: Probe) -> None:
        self.probes = tuple(other for other in self.probes if other is not probe)
        if not self.probes:
            self._release(self.step)
