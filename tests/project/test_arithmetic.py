"""What is marked `any_arithmetic`, in fast arithmetic, which is what users have, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ..support.common import ROOT


@pytest.mark.parametrize(
    "tier", ["not slow and not long and not learning", pytest.param("slow and not long", marks=pytest.mark.slow)]
)
def test_what_holds_in_any_arithmetic_holds_in_the_fast_one(tier: str) -> None:
    """`conftest` leaves out what is not marked."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-m", tier],
        cwd=ROOT,
        env={**environment, "SYNAPTICK_ARITHMETIC": "fast"},
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
