"""How far a weight moves for a given TD error and credit."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from .base.arrays import row, view
from .base.jit import kernel
from .layout import ACTOR, places_of, sizes_of
from .policy import action_scale

SETTINGS = ("lr_policy", "lr_value", "kappa_policy", "kappa_value", "td_error_scale", "readout_share")


@kernel
def bounded_step(lr: float, kappa: float, td_error_scale: float, delta: float, credit_norm: float) -> float:
    """Return the step size that cannot overshoot its target (Elsayed et al. 2024, arXiv 2410.14606, alg. 3).

    ::

        step = lr / max(1, lr kappa max(|delta| / td_error_scale, 1) ||credit||_1)

    The published rule has a td_error_scale of 1.

    Parameters
    ----------
    lr : float
        Largest step, at least 0.
    kappa : float
        Above 1 shrinks the step below the bound of a locally linear function, > 0.
    td_error_scale : float
        TD error from which on the change does not grow with it, > 0.
    delta : float
        TD error, in units of the normalized reward.
    credit_norm : float
        L1 norm of all credit that this TD error will be multiplied with.
    """
    return lr / max(1.0, lr * kappa * max(abs(delta) / td_error_scale, 1.0) * credit_norm)


@kernel
def bounded_steps(
    lr: float,
    kappa: float,
    td_error_scale: float,
    readout_share: float,
    fixed: int,
    readout: int,
    parts: int,
    delta: float,
    norms: NDArray,
    steps: NDArray,
) -> None:
    """Write the step size of each block, the layers, the readout and the gates of memory layers, to `steps` in place.

    The bound on the whole change, 1/kappa, is divided among the blocks: the readout gets `readout_share`, the others
    that learn divide the rest evenly, so block b takes
    ``bounded_step(lr, kappa / share_b, td_error_scale, delta, ||credit_b||_1)``.
    Under one bound for all (readout_share 0, as published) the many synapses inside starve the few of the readout;
    see docs/decisions/0003-shared-bound.md and 0026-a-bound-for-each-block.md.

    An action of several parts has the credit of each. In the readout, where a part has weights of its own, its norm
    is `parts` times that of one; in the layers, where parts share the weights and their signs differ, about the root
    of that. So much is taken off the norms: a part moves as far as it would alone. Without, each of six controls
    would learn at a sixth of the speed of one.

    Parameters
    ----------
    fixed : int
        The bottom so many layers do not learn.
    readout : int
        The block of the readout; that of a layer is its number. Gates of memory layers follow, lowest first.
    parts : int
        Factors of more than one category and controls of an action, or 1; at least 1.
    norms, steps : (layers + 1 + memory layers,) float64 arrays
        `norms` are the L1 norms of the credit.
    """
    blocks = norms.shape[0]
    in_readout, in_layers = 1.0 / parts, 1.0 / math.sqrt(parts)
    if readout_share == 0.0:
        total = 0.0
        for block in range(blocks):
            total += (in_readout if block == readout else in_layers) * norms[block]
        for block in range(blocks):
            steps[block] = bounded_step(lr, kappa, td_error_scale, delta, total)
        return
    learning = max(readout - fixed, 0) + max(blocks - readout - 1 - fixed, 0)  # layers, and gates of memory layers
    share = (1.0 - readout_share) / max(learning, 1)
    for block in range(blocks):
        steps[block] = bounded_step(lr, kappa / share, td_error_scale, delta, in_layers * norms[block])
    steps[readout] = bounded_step(lr, kappa / readout_share, td_error_scale, delta, in_readout * norms[readout])


@kernel
def choose_steps(settings: Any, ints: NDArray, reals: NDArray, net: int, delta: float) -> None:
    """Fill the step sizes of `net` for this TD error, in place."""
    sizes, places = sizes_of(ints), places_of(ints)
    blocks = sizes.n_layers + 1 + sizes.n_memory
    norms = row(view(reals, places.credit_norms), net, blocks)
    steps = row(view(reals, places.step_sizes), net, blocks)
    lr = settings.lr_policy if net == ACTOR else settings.lr_value
    kappa = settings.kappa_policy if net == ACTOR else settings.kappa_value
    parts = 1
    if net == ACTOR:
        parts = sizes.n_parts
        kappa /= action_scale(ints, reals)  # so that a narrow policy is moved in small steps
    scale, share = settings.td_error_scale, settings.readout_share
    bounded_steps(lr, kappa, scale, share, sizes.frozen_layers, sizes.n_layers, parts, delta, norms, steps)
