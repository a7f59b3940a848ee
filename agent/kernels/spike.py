"""What a neuron above its threshold sends, and the pseudo-derivative of that: binary or graded spikes.

For x, how far a neuron is above its threshold, and its cap P, `payload_cap` v_th or `memory_payload_cap` v_th::

    binary   z = 1[x > 0];           psi = dampening / v_th max(0, 1 - |x| / v_th)
    graded   z = min(max(x, 0) / P, 1)
             psi = 1/P for 0 < x < P, 0 from P on, 1/P max(0, 1 + x / v_th) up to 0

The first is that of Bellec et al. 2020. A graded spike is an event with a payload, as some neuromorphic chips send
(Orchard et al. 2021, arXiv 2111.03746): nothing below the threshold, above it a number up to 1. While it is below the
cap, psi is its true derivative. Below the threshold, where the true one is 0, psi falls to 0 within one v_th, so that
silent neurons learn. The payload is at most 1 since the bound on a step (`step_size.py`) takes inputs to be; see
docs/decisions/0022-graded-spikes.md. Reset and adaptation follow z: a neuron that sends less falls less.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base.jit import kernel

SETTINGS = ("v_th", "dampening", "spikes")
# A value of `spikes`.
GRADED = 1


@kernel
def emit(settings: Any, cap: float, z: NDArray, psi: NDArray) -> float:
    """Emit the spikes of a layer and return their number.

    Parameters
    ----------
    cap : float
        P of graded spikes, in units of v_th.
    z, psi : (n,) float32 arrays
        Modified in place. On entry psi is how far each neuron is above its threshold, on return the pseudo-derivative.
    """
    real = psi.dtype.type
    zero, one, inverse = real(0.0), real(1.0), real(1.0 / settings.v_th)
    spikes = 0.0
    if settings.spikes == GRADED:
        high, rise = real(cap * settings.v_th), real(1.0 / (cap * settings.v_th))
        for i in range(psi.shape[0]):
            excess = psi[i]
            slope = rise if excess > zero else rise * max(zero, one + excess * inverse)
            z[i] = min(one, max(zero, excess * rise))
            psi[i] = slope if excess < high else zero
            spikes += one if excess > zero else zero
        return spikes
    height = real(settings.dampening / settings.v_th)
    for i in range(psi.shape[0]):
        excess = psi[i]
        spike = one if excess > zero else zero
        z[i] = spike
        psi[i] = height * max(zero, one - np.abs(excess) * inverse)
        spikes += spike
    return spikes
