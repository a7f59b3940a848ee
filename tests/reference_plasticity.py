"""Slow, readable twin of the maintenance of plasticity: one unit a tick, a new neuron for one that is worth nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import reference_policy as policy

Array = NDArray[np.float64]

ACTIVITY_RATE = 0.01
OLDEST = 1e7
# What holds a number for each input, in the last axis; of a readout the first two; and, in the second last axis (the
# last of `psi_past`), a number for each neuron.
OF_INPUTS = ("credit", "peak", "epsa", "epsr", "cascade", "eps", "filtered")
OF_OUTPUTS = ("credit", "peak", "epsa", "epsr", "cascade")
OF_NEURON = ("v", "a", "z", "psi", "psi_mean", "rate", "activity", "age")


def new_activity(activity: float, rate: float, age: float, sweep: int) -> float:
    """p + max(sweep / age, 1/100) (f - p): the mean of f at all looks at a neuron so far, or the last 100 or so."""
    found = activity + max(sweep / age, ACTIVITY_RATE) * (rate - activity)
    return found if abs(found) > 1e-30 else 0.0


def utility(activity: float, weights: Array) -> float:
    """2 p (1 - p) sum_k |w_k|."""
    return float(2 * activity * (1 - activity) * np.abs(weights).sum())


def without(w: Array, bias: int, column: int, activity: float) -> Array:
    """W with p W_column added to the bias, and 0 in the column."""
    new = w.copy()
    new[:, bias] += activity * w[:, column]
    new[:, column] = 0.0
    return new


def new_inputs(words: list[int], parts: tuple[int, int, int, int], connectivity: float, scale: float) -> Array:
    """Weights as of a new network; parts: inputs from a reservoir, others, recurrent ones, in all with padding.

    Of f places left for c connections, each is taken with probability c/f.
    """
    reservoir, others, recurrent, size = parts
    bound = 1 / np.sqrt(others + recurrent + 1)

    def drawn() -> float:
        return float(bound * (2 * policy.uniform(words) - 1))

    w, due = np.zeros(size), max(1, round(connectivity * others))
    for j in range(others):
        if policy.uniform(words) < due / (others - j):
            w[reservoir + j], due = drawn(), due - 1
    for j in range(reservoir + others, reservoir + others + recurrent):
        w[j] = scale * drawn()
    w[reservoir + others + recurrent] = drawn()
    return w


def fitted(w: Array, others: Array, expected: Array, bias: int) -> Array:
    """New weights, no smaller than those of the others on average, with their mean current.

    w max(1, mean_k |w_k| / |w|), norms without the bias; and for the bias mean_k w_kb + sum_j p_j (mean_k w_kj - w_j),
    p what is expected of each input, k the other rows.
    """
    mean, inputs = others.mean(axis=0), np.arange(w.size) != bias
    w = w * max(1.0, np.linalg.norm(others[:, inputs], axis=1).mean() / np.linalg.norm(w[inputs]))
    w[bias] = mean[bias] + expected[inputs] @ (mean - w)[inputs]
    return w


def pulled(w: Array, initial: Array, pull: float, ticks: int) -> Array:
    """W + (1 - (1 - pull)^ticks) (W0 - W)."""
    found = w + (1 - (1 - pull) ** ticks) * (initial - w)
    return np.where(np.abs(found) > 1e-30, found, 0.0)


def units(twin: Any) -> list[tuple[str, int | None, int]]:
    """All that come up in turn: network, layer (None: the readout), and number of the neuron or output."""
    found: list[tuple[str, int | None, int]] = []
    for net in ("actor", "critic"):
        for index in twin.learning:
            found += [(net, index, i) for i in range(twin.config.stack[index])]
        found += [(net, None, i) for i in range(len(twin.arrays[f"{net}/w"]))]
    return found


def stay_plastic(twin: Any) -> None:
    """Look at the unit whose turn it is; a network that does not learn is passed over."""
    c, arrays = twin.config, twin.arrays
    if c.replacement_rate == 0 and c.initial_pull == 0:
        return
    turns = units(twin)
    turn = int(arrays["sweep"][4])
    arrays["sweep"][4] = (turn + 1) % len(turns)
    net, index, i = turns[turn]
    if (c.lr_policy if net == "actor" else c.lr_value) == 0:
        return
    path = net if index is None else f"{net}/{index}"
    if c.initial_pull > 0:
        w, initial = arrays[f"{path}/w"], arrays[f"{path}/initial"]
        w[i] = pulled(w[i], initial[i], c.initial_pull, len(turns))
    if index is not None and c.replacement_rate > 0:
        grow_older(twin, path, i, len(turns))
        judge(twin, net, index, i, len(turns))


def grow_older(twin: Any, path: str, i: int, sweep: int) -> None:
    """Age and activity of a neuron."""
    age, activity, rate = (twin.arrays[f"{path}/{name}"] for name in ("age", "activity", "rate"))
    age[i] = min(age[i] + sweep, OLDEST)
    activity[i] = new_activity(activity[i], rate[i], age[i], sweep)


def judge(twin: Any, net: str, index: int, i: int, length: int) -> None:
    """Utilities of mature neurons; after the last one, the least useful goes, if it is little enough and one is due."""
    c, arrays = twin.config, twin.arrays
    total, mature, least, worst, turn = [0.0, 0.0, 0.0, 0.0, arrays["sweep"][4]] if i == 0 else arrays["sweep"]
    if arrays[f"{net}/{index}/age"][i] >= c.maturity:
        found = utility(arrays[f"{net}/{index}/activity"][i], outgoing(twin, net, index, i))
        if mature == 0 or found < least:
            least, worst = found, i
        total, mature = total + found, mature + 1
    arrays["sweep"] = np.array([total, mature, least, worst, turn])
    n = c.stack[index]
    if i < n - 1:
        return
    at = ("actor", "critic").index(net), index
    due = arrays["due"][at] + c.replacement_rate * n * length
    if due >= 1 and mature > 0 and least <= c.least_utility * total / mature:
        replace(twin, net, index, int(worst))
        arrays["replaced"][at] += 1
        due -= 1
    arrays["due"][at] = min(due, 1.0)


def parts_of(twin: Any, index: int) -> tuple[int, int, int, int]:
    """Inputs of a layer: from a reservoir, other ones but recurrent ones, recurrent ones, in all with padding."""
    c, n = twin.config, twin.config.stack[index]
    below = c.stack[index - 1] if index else 0
    reservoir = below if index == 1 and c.reservoir else 0
    seen = twin.arrays["input"].size * twin.sees(index)
    return reservoir, below - reservoir + seen, n * c.recurrent, twin.arrays[f"actor/{index}/w"].shape[1]


def seen_by(twin: Any, net: str, index: int, i: int) -> list[tuple[str, int, int]]:
    """All that see a neuron: where they are, its column there and that of the bias."""
    c, found = twin.config, []
    if index in twin.read:
        before = sum(c.stack[k] for k in twin.read if k < index)
        found.append((net, before + i, twin.bias))
    if index + 1 < len(c.stack):
        found.append((f"{net}/{index + 1}", i, sum(parts_of(twin, index + 1)[:3])))
    if c.recurrent:
        reservoir, others, _, _ = parts = parts_of(twin, index)
        found.append((f"{net}/{index}", reservoir + others + i, sum(parts[:3])))
    return found


def outgoing(twin: Any, net: str, index: int, i: int) -> Array:
    """All weights that a neuron is seen by."""
    return np.concatenate([twin.arrays[f"{path}/w"][:, column] for path, column, _ in seen_by(twin, net, index, i)])


def replace(twin: Any, net: str, index: int, i: int) -> None:
    """A new neuron: what it is seen by is 0 and its mean goes into biases; all its traces go; new weights."""
    c, arrays, at = twin.config, twin.arrays, f"{net}/{index}/"
    for path, column, bias in seen_by(twin, net, index, i):
        arrays[f"{path}/w"] = without(arrays[f"{path}/w"], bias, column, arrays[at + "activity"][i])
        forget_input(arrays, path, column)
    forget_outputs(arrays, at, i)
    for name in OF_NEURON:
        arrays[at + name][i] = 0.0
    w, parts = arrays[at + "w"], parts_of(twin, index)
    drawn = new_inputs(twin.words, parts, c.connectivity, c.recurrent_scale)
    w[i] = fitted(drawn, np.delete(w, i, axis=0), expected_inputs(twin, net, index), sum(parts[:3]))
    if c.initial_pull > 0:
        arrays[at + "initial"][i] = arrays[at + "w"][i]


def expected_inputs(twin: Any, net: str, index: int) -> Array:
    """Activity of all inputs of a layer that are spikes; of frozen layers, where nobody keeps it, the rate.

    The observation and what comes from a reservoir have mean 0; so does, or is taken to, a neuron that is new.
    """
    reservoir, others, recurrent, size = parts_of(twin, index)
    found = np.zeros(size)
    if index and not reservoir:
        name = "rate" if index - 1 < twin.config.fixed else "activity"
        below = twin.arrays[f"{net}/{index - 1}/{name}"]
        found[: below.size] = below
    first = reservoir + others
    found[first : first + recurrent] = twin.arrays[f"{net}/{index}/activity"][:recurrent]
    return found


def forget_input(arrays: dict[str, Any], path: str, column: int) -> None:
    """What a layer or readout keeps of an input."""
    for name in (*OF_INPUTS, "initial"):
        if f"{path}/{name}" in arrays:
            arrays[f"{path}/{name}"][..., column] = 0.0


def forget_outputs(arrays: dict[str, Any], at: str, i: int) -> None:
    """What the synapses onto a neuron keep."""
    for name in OF_OUTPUTS:
        arrays[at + name][..., i, :] = 0.0
    arrays[at + "psi_past"][..., i] = 0.0
