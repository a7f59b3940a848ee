"""Twin of `kernels/rate_regularization.py`."""

from __future__ import annotations

from typing import Any

from .vectors import Array


def regularize_rates(config: Any, rate: Array, e: Array) -> Array:
    """-strength (f_i - target) e_ij, a change of weights."""
    found: Array = -config.rate_regularization * (rate - config.target_rate)[:, None] * e
    return found
