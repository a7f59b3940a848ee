"""The settings that kernels read, as a record: each kernel names its own in ``SETTINGS``.

Names are those of `Config`, values float64: of a switch 0 or 1, of a choice the number of its word. What belongs to the
settings is this type: restore checks, the C export and tests are derived from it.
"""

from __future__ import annotations

import numpy as np

from . import (
    clearing,
    credit,
    feedback,
    forward,
    memory,
    neuron,
    normalize,
    policy,
    rate_regularization,
    spike,
    step_size,
)

_KERNELS = (
    *(forward, spike, neuron, memory, rate_regularization, credit, feedback, step_size, policy, normalize, clearing),
)
# In this order, each once: two models of neurons may read the same.
Settings = np.dtype([(name, np.float64) for name in dict.fromkeys(n for module in _KERNELS for n in module.SETTINGS)])
