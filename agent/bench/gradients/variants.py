"""Forms of the depth filter that were measured and not adopted, in plain numpy.

`estimate` returns an estimate of d readout(t) / d W for every tick and layer, as the credit of the agent would be with
``lambda = 0`` and its running means of psi at 0 when the input begins. The forms that ship are measured by
running the agent itself (`compare.py`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...kernels.forward import PSI_MEAN_RATE
from .bptt import Array, Stack, Trajectory


@dataclass(frozen=True)
class Form:
    """What a form of the cascade takes into account beyond, or instead of, the one that ships.

    Attributes
    ----------
    by_group : bool
        One cascade for each combination of leaks on the way, the signal split accordingly; else the mean leak.
    psi_of_now : bool
        psi of a layer in between is that of this tick; else its running mean.
    adaptation_above : bool
        The answer of the last layer's adaptation, with the mean psi of its adaptive neurons.
    normalizer : bool
        Mean and variance of the current: signals are projected with this tick's currents, on the way and at the end.
    presynaptic : bool
        The filters act on eps, one vector a leak, and psi of this tick multiplies what comes out.
    """

    by_group: bool = False
    psi_of_now: bool = False
    adaptation_above: bool = False
    normalizer: bool = False
    presynaptic: bool = False


def estimate(stack: Stack, past: list[Trajectory], form: Form) -> list[Array]:
    """Return the estimate (T, n, m) of the gradient of the first readout for every layer."""
    return [_layer_estimate(stack, past, form, index) for index in range(len(stack.layers))]


def _layer_estimate(stack: Stack, past: list[Trajectory], form: Form, index: int) -> Array:
    psi, strength = past[index].psi[:, :, None], stack.layers[index].strength[:, None]
    eps, epsa = _own_traces(stack, past, index)
    e = psi * (eps - strength * epsa)
    total = _direct(stack, index)[:, None] * e
    source, outside = (eps - strength * epsa, psi) if form.presynaptic else (e, np.ones((1, 1, 1)))
    for last in range(index + 1, len(stack.layers)):
        for masks, leaks in _routes(stack, form, index, last):
            trace = source
            for up, leak in zip(range(index + 1, last + 1), leaks, strict=True):
                trace = _filtered(trace, np.full(len(trace), leak), past[up].slope)
            signal = _signal(stack, past, form, index, last, masks, 1.0)
            total = total + signal[:, :, None] * outside * trace
            if form.adaptation_above and stack.layers[last].strength.any():
                signal = _signal(stack, past, form, index, last, masks, stack.layers[last].strength)
                total = total - signal[:, :, None] * outside * _adapted(stack, past, last, trace)
    if form.normalizer:
        normal = _normal(stack, past, index)[:, :, None]
        total = total - total.mean(axis=1, keepdims=True) - normal * np.mean(normal * total, axis=1, keepdims=True)
    return total


def _direct(stack: Stack, index: int) -> Array:
    n = len(stack.layers[index].w)
    return stack.readout[0, stack.read_columns(index)] if stack.layers[index].is_read else np.zeros(n)


def _filtered(drive: Array, leaks: Array, slope: Array) -> Array:
    """R(t) = leak(t) R(t-1) + slope(t) drive(t)."""
    out, state = np.empty_like(drive), np.zeros_like(drive[0])
    for t in range(len(drive)):
        state = leaks[t] * state + slope[t] * drive[t]
        out[t] = state
    return out


def _own_traces(stack: Stack, past: list[Trajectory], index: int) -> tuple[Array, Array]:
    """Return eps and epsa of every synapse, (T, n, m) each."""
    layer, here = stack.layers[index], past[index]
    inputs = np.broadcast_to(here.u[:, None, :], (len(here.u), *layer.w.shape))
    eps = np.empty(inputs.shape)
    epsa = np.empty(inputs.shape)
    v, a = np.zeros(layer.w.shape), np.zeros(layer.w.shape)
    for t in range(len(inputs)):
        v = layer.alpha[:, None] * v + here.slope[t] * inputs[t]
        eps[t], epsa[t] = v, a
        a = layer.rho[:, None] * a + here.psi[t][:, None] * (v - layer.strength[:, None] * a)
    return eps, epsa


def _routes(stack: Stack, form: Form, index: int, last: int) -> Iterator[tuple[list[Array], list[float]]]:
    """Yield, for the layers above `index` up to `last`, masks over their neurons and the leak that stands for them."""
    choices = []
    for up in range(index + 1, last + 1):
        alpha = stack.layers[up].alpha
        groups = np.unique(alpha) if form.by_group else [alpha.mean()]
        choices.append([((alpha == leak) if form.by_group else np.ones(alpha.shape), leak) for leak in groups])
    for route in itertools.product(*choices):
        yield [mask for mask, _ in route], [float(leak) for _, leak in route]


def _signal(
    stack: Stack, past: list[Trajectory], form: Form, index: int, last: int, masks: list[Array], weight: Array | float
) -> Array:
    """Return the signal (T, n) that comes down to `index` from the readout of layer `last` by the masked neurons."""
    signal = _direct(stack, last) * past[last].psi * weight * masks[-1]
    for up in range(last, index, -1):
        if up < last:
            psi = past[up].psi
            signal = signal * (psi if form.psi_of_now else _running_mean(psi)) * masks[up - index - 1]
        if form.normalizer:
            normal = _normal(stack, past, up)
            signal = signal - signal.mean(axis=1, keepdims=True) - normal * np.mean(normal * signal, axis=1)[:, None]
        signal = signal @ stack.layers[up].w[:, : stack.n_below(up)]
    return signal


def _running_mean(psi: Array) -> Array:
    return _filtered(psi, np.full(len(psi), 1 - PSI_MEAN_RATE), np.full(len(psi), PSI_MEAN_RATE))


def _normal(stack: Stack, past: list[Trajectory], index: int) -> Array:
    """Return the current of each tick, mean 0 and variance 1 over the layer, (T, n)."""
    return past[index].centered * past[index].slope[:, None] / stack.gain


def _adapted(stack: Stack, past: list[Trajectory], last: int, trace: Array) -> Array:
    """Answer of the adaptation of layer `last` to a membrane that moved by `trace`, seen one tick later."""
    layer = stack.layers[last]
    adaptive = layer.strength > 0
    psi = _running_mean(past[last].psi)[:, adaptive].mean(axis=1)
    leaks = layer.rho[adaptive].mean() - layer.strength[adaptive].mean() * psi
    moved = _filtered(trace, leaks, psi)
    return np.concatenate([np.zeros((1, *moved.shape[1:])), moved[:-1]])
