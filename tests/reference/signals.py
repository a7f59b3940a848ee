"""Twin of `kernels/signals.py`: learning signals, down through the layers and around."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from . import feedback, memory
from .vectors import Array

if TYPE_CHECKING:
    from .agent import ReferenceAgent


class Signals(NamedTuple):
    """Learning signals of one layer of n neurons, s splits and k levels."""

    direct: Array  # (n,), S_0: from the readout
    up: Array  # (s, n), U_h: one hop, from leak group h of the layer above
    around: Array  # (s, n), D_h: one hop, from leak group h of this layer, one tick later
    hops: Array  # (k, n), T_q: all that took q hops


def by_group(x: Array, groups: int) -> Array:
    """(groups, n): row h is x_i where i mod groups = h, else 0."""
    return np.where(np.arange(x.size) % groups == np.arange(groups)[:, None], x, 0.0)


def descend(weights: Array, signal: Array, psi: Array, split: int) -> Array:
    """(split, n): row h is B^T (S psi) of leak group h."""
    return by_group(signal * psi, split) @ weights


def signals(
    direct: list[Array],
    weights: list[tuple[Array, Array]],
    psi: list[Array],
    psi_mean: list[Array],
    ratios: list[float],
    splits: list[int],
    levels: list[int],
) -> list[Signals]:
    """U = B_{l+1}^T (S_0 psi)^{l+1}; D = ratio B_rec^T (S_0 psi); T_1 = sum_h U_h + D_h; T_q from T_{q-1} psi_mean.

    weights : B_{l+1}, (n_{l+1}, n_l), and B_rec, (n_l, n_l), of each layer; no rows where there is nothing to pass.
    splits : into how many leak groups a signal of one hop to each layer is split.
    """
    found: list[Signals] = []
    for index in range(len(direct) - 1, -1, -1):
        s_0, (b_up, b_own), split = direct[index], weights[index], splits[index]
        if levels[index] == 0:
            none = np.zeros((0, s_0.size))
            found.insert(0, Signals(s_0, none, none, none))
            continue
        above = found[0] if found else Signals(*[np.zeros((levels[index], 0))] * 4)
        s_above = above.direct if found else np.zeros(0)
        psi_above, mean_above = (x[index + 1] if found else np.zeros(0) for x in (psi, psi_mean))
        has_own = len(b_own) > 0
        u = descend(b_up, s_above, psi_above, split)
        d = ratios[index] * descend(b_own, s_0, psi[index], split) if has_own else np.zeros_like(u)
        hops = [u.sum(axis=0) + d.sum(axis=0)]
        for q in range(2, levels[index] + 1):
            t = descend(b_up, above.hops[q - 2], mean_above, 1)[0]
            hops.append(t + descend(b_own, hops[-1], psi_mean[index], 1)[0] if has_own else t)
        found.insert(0, Signals(s_0, u, d, np.array(hops)[: levels[index]]))
    return found


def send_signals(agent: ReferenceAgent, net: str, gradient: Array) -> list[Signals]:
    """S, U, D and T of all layers, from S_0 = B_out^T g."""
    c, arrays = agent.config, agent.arrays
    direct = [np.zeros(n) for n in c.stack]
    parts = np.split(
        feedback.feedback(agent, f"{net}/").T @ gradient, np.cumsum([direct[index].size for index in agent.read])
    )
    direct = [parts.pop(0) if index in agent.read else part for index, part in enumerate(direct)]
    factored = c.depth_filter != "cascade"
    weights = []
    for index, n in enumerate(c.stack):
        below, seen = c.stack[index - 1] if index else 0, arrays["input"].size * agent.sees(index)
        own = np.zeros((0, n))
        if agent.hop and not agent.is_memory(index):
            own = feedback.feedback(agent, f"{net}/{index}/")[:, below + seen : below + seen + n]
        last = index == agent.indices[-1] or not c.spatial_signal
        if not last and agent.is_memory(index + 1):
            up = memory.through_gates(agent, f"{net}/{index + 1}/", n)
        else:
            up = np.zeros((0, n)) if last else feedback.feedback(agent, f"{net}/{index + 1}/")[:, :n]
        weights.append((up, own))
    psi = [arrays[f"{net}/{k}/psi"] for k in agent.indices]
    # What comes down through memory neurons does so by what they are in this tick, however many hops it has taken.
    psi_mean = [arrays[f"{net}/{k}/psi" + "_mean" * (not agent.is_memory(k))] for k in agent.indices]
    # R_1 and F carry the slope of the layer above, where a hop around passes that of its own.
    slopes = agent.slopes(net)
    ratios = list(slopes / np.append(slopes[1:], slopes[-1]))
    splits = [c.leak_groups if factored and not agent.is_memory(k) else 1 for k in agent.indices]
    return signals(direct, weights, psi, psi_mean, ratios, splits, agent.levels)
