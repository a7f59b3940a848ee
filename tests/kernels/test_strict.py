"""Strict arithmetic: what the source says in the order it says it, and a cache of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from ..support.common import ROOT

_FOLDER = """
import json
from synaptick.kernels.base import jit
print(json.dumps([jit.ARITHMETIC, sorted(jit.FASTMATH), jit.CACHE_FOLDER]))
"""
_LIVE = """
import json
from tests.support.common import drive, make_agent
agent = make_agent(layers=(16, 16), memory=12)
actions = drive(agent, 15)
print(json.dumps([actions, agent.arena.floats.tolist()]))
"""
_VERSIONS = """
import json
from synaptick.training.run_folder import versions
print(json.dumps(versions()))
"""
_ROW = """
import json
import numpy as np
from synaptick.kernels.credit import credit_row
rng = np.random.default_rng(0)
w, credit, eps = rng.normal(size=(3, 400)).astype(np.float32)
numbers = [np.float32(x) for x in (0.01, 0.8, 0.7)]
ours = [part.copy() for part in (w, credit)]
theirs = [part.copy() for part in (w, credit)]
compiled = credit_row(*ours, *numbers, eps)
plain = credit_row.py_func(*theirs, *numbers, eps)
same = all((a == b).all() for a, b in zip(ours, theirs))
print(json.dumps([bool(same), float(compiled), float(plain)]))
"""


def elsewhere(code: str, arithmetic: str | None) -> Any:
    """Return what a process prints that is given this value of the variable, None for none."""
    environment = {key: value for key, value in os.environ.items() if key != "SYNAPTICK_ARITHMETIC"}
    if arithmetic is not None:
        environment["SYNAPTICK_ARITHMETIC"] = arithmetic
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_each_arithmetic_has_a_cache_of_its_own() -> None:
    usual, unset, empty, strict = (elsewhere(_FOLDER, value) for value in ("fast", None, "", "strict"))
    assert usual == unset == empty
    assert usual[:2] == ["fast", ["afn", "arcp", "contract", "nsz", "reassoc"]]
    assert strict[:2] == ["strict", []]
    assert strict[2] != usual[2]


def test_only_results_of_strict_arithmetic_are_marked() -> None:
    usual, strict = (elsewhere(_VERSIONS, value) for value in (None, "strict"))
    assert "arithmetic" not in usual
    assert strict == {**usual, "arithmetic": "strict"}


@pytest.mark.parametrize("value", ["Strict", " strict"])
def test_any_other_arithmetic_is_an_error(value: str) -> None:
    environment = {**os.environ, "SYNAPTICK_ARITHMETIC": value}
    done = subprocess.run(
        [sys.executable, "-c", "from synaptick import Agent"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode != 0
    last = done.stderr.splitlines()[-1]
    assert f"SYNAPTICK_ARITHMETIC is {value!r}; allowed: fast, strict" in last
    command = [sys.executable, "-m", "synaptick", "--version"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr.count("\n"), "allowed: fast, strict" in done.stderr) == (2, 1, True)


def test_strict_sums_are_those_of_the_interpreter_to_the_last_bit() -> None:
    same, compiled, plain = elsewhere(_ROW, "strict")
    assert same
    assert compiled == plain
    _, compiled, plain = elsewhere(_ROW, "fast")
    assert compiled != plain  # a sum that is reordered: this test can fail
    np.testing.assert_allclose(compiled, plain, rtol=1e-5)


def test_a_short_life_is_the_same_in_both_up_to_rounding() -> None:
    (actions, floats), (others, fast) = (elsewhere(_LIVE, value) for value in ("strict", "fast"))
    assert others == actions
    np.testing.assert_allclose(fast, floats, rtol=1e-3, atol=1e-4)
    assert fast != floats
