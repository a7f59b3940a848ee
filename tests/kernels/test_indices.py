"""No kernel reads or writes outside its arrays: parity with checked indices, on configurations drawn at random."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick.config import Config
from synaptick.config.kinds import Choice, Switch, kind_of
from synaptick.kernels import distributions, forward
from synaptick.kernels.base import vectors

from ..support import checked_indices
from ..support.common import ROOT
from ..support.harness import DoubleAgent, assert_parity, script, twin_of
from ..support.mutants import put
from ..support.random_configs import random_config
from . import test_parity as parity

TICKS = 40
OBSERVATIONS = (parity.BOX, parity.SYMBOLS, parity.SEEN)
ACTIONS = (
    *(parity.THREE, spaces.MultiDiscrete([3, 1, 4]), spaces.MultiBinary(2), parity.BOUNDED, parity.ONE_SIDED),
    *(parity.UNBOUNDED, parity.MIXED),
)
# Configurations, by the seed they are drawn with.
USUAL, MORE = range(5), range(9, 59)
# Deep stacks by each filter, and tensors with what they meet elsewhere: those that are drawn have up to three layers.
FORMS: tuple[dict[str, Any], ...] = (
    {"depth_filter": "cascade", "recurrent_hop": True},
    {"depth_filter": "factored", "recurrent_hop": True, "leak_groups": 3},
    {"depth_filter": "tensor", "reset_path": True},
    {"depth_filter": "tensor", "frozen_layers": 1, "leak_groups": 3},
    {"depth_filter": "tensor", "memory": 5, "memory_layers": 2, "rate_regularization": 0.01, "reset_path": True},
    {"depth_filter": "factored", "memory": 7, "memory_layers": 3, "memory_delay": 2, "leak_groups": 3},
)


def drawn(seed: int) -> tuple[Config, Any, Any]:
    """Return a configuration, a space of observations and one of actions."""
    rng = np.random.default_rng(seed)
    return random_config(rng), OBSERVATIONS[rng.integers(len(OBSERVATIONS))], ACTIONS[rng.integers(len(ACTIONS))]


def compare(config: Config, observations: Any, actions: Any) -> None:
    """Run an agent beside its twin, which has the kernels' approximation of a tail."""
    agent = DoubleAgent(config, observations, actions)
    assert not hasattr(agent.advance, "py_func"), "compiled"
    with pytest.MonkeyPatch.context() as patch:
        put(patch, "distributions.tail_hazard", distributions.tail_hazard)
        put(patch, "distributions.log_tail", distributions.log_tail)
        events = script(TICKS, agent.observation, seed=3, truncate=True)
        assert assert_parity(agent, twin_of(agent), events, tolerance=1e-8, stretch=1) == TICKS


def deep(number: int) -> tuple[Config, Any, Any]:
    """Return a configuration of a deep stack, a space of observations and one of actions."""
    return Config(**{"layers": (5, 4, 6, 4, 5), "memory": 0} | FORMS[number]), parity.BOX, parity.THREE


def interpreted(program: str, *arguments: Any) -> list[str]:
    """Run a program without a compiler and return the lines that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\nfrom tests.kernels import test_indices as tests\n{program}"]
        + [str(argument) for argument in arguments],
        cwd=ROOT,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


CHECKED = """
tests.checked_indices.check_indices()
for seed in sys.argv[2:]:
    print(seed, flush=True)
    tests.compare(*getattr(tests, sys.argv[1])(int(seed)))
"""


@pytest.mark.parametrize("seeds", [USUAL, pytest.param(MORE, marks=pytest.mark.long)], ids=len)
def test_indices_of_random_configurations_lie_inside(seeds: range) -> None:
    assert interpreted(CHECKED, drawn.__name__, *seeds) == [str(seed) for seed in seeds]


def test_indices_of_deep_stacks_lie_inside() -> None:
    assert interpreted(CHECKED, deep.__name__, *range(len(FORMS))) == [str(number) for number in range(len(FORMS))]


def test_the_random_configurations_have_every_option() -> None:
    configs = [drawn(seed)[0] for seed in (*USUAL, *MORE)]
    for spec in fields(Config):
        kind = kind_of(spec)
        values = {getattr(config, spec.name) for config in configs if isinstance(kind, Choice | Switch)}
        assert len(values) == (len(kind.words) if isinstance(kind, Choice) else 2 * isinstance(kind, Switch))
    assert {len(config.layers) for config in configs} == {1, 2, 3}
    assert {bool(config.memory) for config in configs} == {False, True}
    assert {1, 2, 3} <= {config.n_memory for config in configs}


# ---- negative controls

# Function, what stands there and what a slip would make of it. A spike beyond the layer below is overwritten by the
# observation; an index from -1 on takes the last element first.
SLIPS = {
    "a span too long": (forward.gather_inputs, "span(below, 0, n_below)", "span(below, 0, n_below + 1)"),
    "an index below 0": (vectors.fill, "range(out.shape[0])", "range(-1, out.shape[0] - 1)"),
}


def slip(name: str) -> None:
    """Put a kernel with a slip in the place of the true one."""
    true, before, after = SLIPS[name]
    source = inspect.getsource(true)
    assert source.count(before) == 1
    made: dict[str, Any] = {}
    exec(source.replace(before, after), vars(inspect.getmodule(true)), made)
    checked_indices.replace(true, made[true.__name__])


SLIPPED = """
tests.slip(sys.argv[1])
config = tests.Config(layers=(16, 8), memory=0)
tests.compare(config, tests.parity.BOX, tests.parity.THREE)
print("agrees")
tests.checked_indices.check_indices()
try:
    tests.compare(config, tests.parity.BOX, tests.parity.THREE)
except IndexError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("name", "message"),
    [("a span too long", "numbers 0 to 17 of 16"), ("an index below 0", "index -1 of")],
)
def test_a_slip_that_changes_nothing_is_found(name: str, message: str) -> None:
    """The twin agrees all the same; checked indices do not."""
    agrees, error = interpreted(SLIPPED, name)
    assert agrees == "agrees"
    assert error.startswith(message)
