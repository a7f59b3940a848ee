"""Credit: what each synapse had to do with what was done and is valued now, TD(lambda)'s z; and its use.

::

    W_ij      <- W_ij + step delta credit_ij              credit as of the tick before
    credit_ij <- discount lambda credit_ij + sum of signals times eligibility

The signals of a neuron (`signals.py`) meet the eligibility of its synapses as it is (`neuron.py`) or as it has been
filtered by the layers above (`depth.py`), or what it became of it there (`tensor.py`). Where eligibility is 0 the rows
of most layers are at rest (`rest.py`).
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from .base.arrays import row, span
from .base.jit import kernel
from .base.rare import RARE
from .base.vectors import add_scaled, scale
from .credit_row import credit_row
from .depth import add_cascade, add_vectors, advance_filters, fold_signals, weigh_levels, weigh_vectors
from .neuron import eligibility_row
from .rest import awake_row, resting_row
from .tensor import add_tensor
from .views import Layer, Net

SETTINGS = ("discount", "lambda_policy", "lambda_value")


@kernel
def learn_rows(layer: Layer, change: float, keep: float, e: NDArray) -> float:
    """`learn_layer` where rows may rest."""
    norm = 0.0
    for i in range(layer.n):
        if layer.psi[i] == 0.0:
            norm += resting_row(layer, i, change, keep)
        else:
            norm += awake_row(layer, i, row(layer.eps, i % layer.groups, layer.m), change, keep, e)
    return norm


@kernel
def learn_all_rows(
    settings: Any, layer: Layer, change: float, keep: float, e: NDArray, total: NDArray, factors: NDArray
) -> float:
    """`learn_layer` where every row is brought up to date in every tick."""
    m, one = layer.m, layer.w.dtype.type(1.0)
    norm = 0.0
    for i in range(layer.n):
        group = i % layer.groups
        eps, signal, source = row(layer.eps, group, m), layer.signals[i], e
        if layer.vectors > 0:
            weigh_vectors(settings, layer, i, factors, total)
        eligibility_row(settings, layer, i, eps, e)
        if layer.vectors > 0:
            add_scaled(total, signal, e)
            add_vectors(layer, group, factors, total)
            signal, source = one, total
        elif layer.levels > 0:
            scale(e, signal, total)
            add_cascade(layer, i, e, total)
            signal, source = one, total
        elif layer.n_above > 0:
            scale(e, signal, total)
            add_tensor(layer, i, factors, total)
            signal, source = one, total
        norm += credit_row(row(layer.w, i, m), row(layer.credit, i, m), change, keep, signal, source)
    return norm


@kernel
def learn_layer(
    settings: Any,
    layer: Layer,
    leak: NDArray,
    slope: NDArray,
    step: float,
    decay: float,
    e: NDArray,
    total: NDArray,
    factors: NDArray,
) -> float:
    """Change the weights of a layer by the credit of the tick before, then bring credit and traces up to date.

    leak, slope : (layers,) mean leak and slope of the layers above, nearest first, or of this one if there is none.
    step : float
        Step size times TD error.
    e, total : (m,) work rows
    factors : (vectors + n_above,) array
        A work row; with the tensor, what `tensor.weigh_tensor` wrote.

    Returns
    -------
    float
        L1 norm of the credit.
    """
    real = layer.w.dtype.type
    change, keep = real(step), real(decay)
    if RARE and layer.vectors > 0:
        fold_signals(layer, leak, slope)
        norm = learn_all_rows(settings, layer, change, keep, e, total, factors)
        advance_filters(layer, leak, slope)
        return norm
    if layer.levels > 0:
        weigh_levels(layer, leak, slope)
    if RARE and layer.rests == 0:
        return learn_all_rows(settings, layer, change, keep, e, total, factors)
    return learn_rows(layer, change, keep, e)


@kernel
def learn_readout(head: Net, step: float, decay: float) -> float:
    """Change the readout's weights, then add ``g_k z_j`` to its credit, in place; return the L1 norm of the credit."""
    real = head.w.dtype.type
    features, outputs = head.n_features, head.n_outputs
    norm = 0.0
    for k in range(outputs):
        first = head.bias if k >= outputs - head.n_free else 0
        size = features - first
        w, credit = span(head.w, k * features + first, size), span(head.credit, k * features + first, size)
        norm += credit_row(w, credit, real(step), real(decay), head.gradient[k], span(head.features, first, size))
    return norm
