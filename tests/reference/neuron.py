"""Twin of `kernels/neuron.py`: the neuron and the eligibility of its synapses (equations of Bellec et al. 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import spike, vectors
from .vectors import Array, Arrays

if TYPE_CHECKING:
    from .agent import ReferenceAgent


def fall(config: Any) -> float:
    """How far a spike lowers the membrane."""
    return float(config.reset_strength * config.v_th)


def fire(config: Any, state: Arrays, constants: Arrays, current: Array) -> Arrays:
    """v' = alpha v + I - fall z; a' = rho a + z; A = v_th + strength a'; returns v', a', and z' and psi of v' - A.

    State is v, a, z; constants are alpha, rho, strength (0 for LIF).
    """
    (v, a, z), (alpha, rho, strength) = state, constants
    v, a = alpha * v + current - fall(config) * z, rho * a + z
    return v, a, *spike.emit(config, config.payload_cap, v - (config.v_th + strength * a))


def filter_inputs(eps: Array, alphas: Array, slope: float, u: Array) -> Array:
    """eps_gj' = alpha_g eps_gj + slope u_j, one row a leak group (eq. 22 with leak groups)."""
    found: Array = vectors.flushed(alphas[:, None] * eps + slope * u)
    return found


def suppression(epsa: Array, epsr: Array, strength: Array, fall: float) -> Array:
    """x_ij = strength_i epsa_ij + fall epsr_ij, what threshold and reset take from the membrane's eligibility."""
    return strength[:, None] * epsa + fall * epsr


def eligibility(eps: Array, x: Array, psi: Array) -> Array:
    """e_ij = psi_i (eps_ij - x_ij) = dz_i/dW_ij (eqs. 23 and 25, with the reset)."""
    return psi[:, None] * (eps - x)


def adaptive_eligibility(epsa: Array, eps: Array, undone: Array, psi: Array, strength: Array, rho: Array) -> Array:
    """da(t+1)/dW = psi (eps - undone) + (rho - psi strength) epsa (eq. 24), undone = fall epsr."""
    found: Array = vectors.flushed(psi[:, None] * (eps - undone) + (rho - psi * strength)[:, None] * epsa)
    return found


def reset_eligibility(epsr: Array, eps: Array, raised: Array, psi: Array, fall: float, alpha: Array) -> Array:
    """Sum of alpha^age dz/dW = psi (eps - raised) + (alpha - psi fall) epsr, raised = strength epsa."""
    found: Array = vectors.flushed(psi[:, None] * (eps - raised) + (alpha - psi * fall)[:, None] * epsr)
    return found


def layer_eligibility(agent: ReferenceAgent, at: str) -> tuple[Array, Array]:
    """x and e of this tick."""
    strength, psi, epsa, epsr, eps = (agent.arrays[at + name] for name in ("strength", "psi", "epsa", "epsr", "eps"))
    x = suppression(epsa, epsr, strength * agent.config.temporal_trace, agent.fall)
    return x, eligibility(eps[np.arange(psi.size) % agent.config.leak_groups], x, psi)


def advance_eligibility(agent: ReferenceAgent, at: str) -> None:
    """epsa and epsr of the next tick."""
    c, arrays = agent.config, agent.arrays
    psi, rho, alpha, epsa, epsr = (arrays[at + name] for name in ("psi", "rho", "alpha", "epsa", "epsr"))
    eps = arrays[at + "eps"][np.arange(psi.size) % c.leak_groups]
    strength = arrays[at + "strength"] * c.temporal_trace
    arrays[at + "epsa"] = adaptive_eligibility(epsa, eps, agent.fall * epsr, psi, strength, rho)
    if agent.fall:
        arrays[at + "epsr"] = reset_eligibility(epsr, eps, strength[:, None] * epsa, psi, agent.fall, alpha)
