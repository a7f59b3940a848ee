"""Eligibility of synapses, which no kernel stores: formed once more from what a tick begins and ends with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arena.arena import Arena
from ..arena.traces import Chosen, epsa_of
from ..kernels import tick as kernel
from ..kernels.layout import FOLLOWING
from .place import Place, as_chosen


class _Formed:
    """Whether a call of the step forms eligibility in a layer."""

    def __init__(self, arena: Arena, place: Place) -> None:
        self.arena, self.formed = arena, False
        self.learns = (place.layer or 0) >= arena.dimensions.frozen

    def prepare(self, mode: int, learning: bool) -> None:
        """See what the coming call will do: an end forms none, unless neurons live on beyond it."""
        end = mode in (kernel.TERMINATE, kernel.TRUNCATE)
        on = not end or (mode == kernel.TRUNCATE and self.arena.settings.keep_state != 0.0)
        self.formed = learning and on and self.learns


class Eligibility(_Formed):
    """``e_ij = psi_i (eps_j - fall epsr_ij - strength_i epsa_ij)`` of some neurons of a layer.

    epsa and epsr are those that the tick begins with, so they are copied before it; it brings them on. The sum is
    formed in float64, the kernel's in float32.

    Parameters
    ----------
    arena : Arena
        It is not modified.
    place : Place
        A layer of other neurons than those of memory.
    neurons : (k,) array
    """

    def __init__(self, arena: Arena, place: Place, neurons: NDArray[np.intp]) -> None:
        super().__init__(arena, place)
        names = ("eps", "epsa", "epsr", "psi", "strength")
        eps, epsa, epsr, psi, strength = (arena.views[f"{place.path}/{name}"] for name in names)
        self.path, self.neurons, self.psi = place.path, as_chosen(neurons), psi
        self.eps, self.epsr = eps[:, : place.inputs], epsr[:, : place.inputs]
        self.group: Chosen = neurons % len(eps) if len(eps) > 1 else slice(None)
        # Which of the neurons adapt, and their numbers.
        adapting = np.flatnonzero(neurons < len(epsa))
        self.at, self.adaptive = as_chosen(adapting), as_chosen(neurons[adapting])
        self.strength = strength[neurons[adapting], None].astype(np.float64)
        self.fall = float(arena.settings.reset_strength * arena.settings.v_th)
        self.suppression = np.zeros((len(neurons), place.inputs))
        self.work = np.zeros((len(neurons), place.inputs))

    def prepare(self, mode: int, learning: bool) -> None:
        """Copy what adaptation and reset will take off; the buffer `suppression` is overwritten."""
        super().prepare(mode, learning)
        given, mode = mode >= kernel.GIVEN, mode % kernel.GIVEN
        cleared = mode == kernel.START and self.arena.settings.keep_state == 0.0
        stale = self.arena.clock.stale
        ends_so = stale == FOLLOWING and mode in (kernel.TERMINATE, kernel.TRUNCATE)
        if cleared or stale != (FOLLOWING if given or ends_so else 0):
            self.suppression.fill(0.0)
            return
        if not self.formed:
            return
        if len(self.epsr):
            np.multiply(self.epsr[self.neurons], self.fall, out=self.suppression)
        if len(self.strength):
            epsa = epsa_of(self.arena.views, self.path, self.adaptive)[:, : self.suppression.shape[1]]
            taken = self.strength * epsa
            self.suppression[self.at] = taken + self.suppression[self.at] if len(self.epsr) else taken

    def __call__(self, out: NDArray[Any]) -> None:
        """Write the eligibility of the last tick to `out`, (k, inputs); NaN if it formed none."""
        if not self.formed:
            out.fill(np.nan)
            return
        np.subtract(self.eps[self.group], self.suppression, out=self.work)
        np.multiply(self.psi[self.neurons, None], self.work, out=self.work)
        out[...] = self.work


class MemoryEligibility(_Formed):
    """``psi_i`` times eC and eG of some memory neurons, with -psi_i for the threshold; parameters as above."""

    def __init__(self, arena: Arena, place: Place, neurons: NDArray[np.intp]) -> None:
        super().__init__(arena, place)
        self.neurons, self.psi = as_chosen(neurons), arena.views[f"{place.path}/psi"]
        self.eps = place.rows_of_neurons(arena.views[f"{place.path}/eps"])

    def __call__(self, out: NDArray[Any]) -> None:
        """Write the eligibility of the last tick to `out`, (k, 2, inputs); NaN if it formed none."""
        if self.formed:
            out[...] = self.psi[self.neurons, None, None] * self.eps[self.neurons]
        else:
            out.fill(np.nan)
