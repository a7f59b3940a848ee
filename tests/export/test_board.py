"""An agent that was trained here goes on learning on an emulated microcontroller, and does what it would do here."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from synaptick import Agent, Config, run

from ..support.board import BOARDS, MISSING, Board, build, on_board, on_host

pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"{' and '.join(MISSING)}: not installed (Debian: gcc-arm-none-eabi, qemu-system-arm)"
)
STEPS = 300


@pytest.fixture(scope="module", params=[0, 16], ids=["no memory", "memory"])
def trained(request: pytest.FixtureRequest) -> Agent:
    env: Any = gymnasium.make("CartPole-v1")
    agent = Agent(Config(layers=(16,), memory=request.param), env.observation_space, env.action_space, seed=1)
    run(agent, env, 2000, seed=1)
    return agent


@pytest.mark.parametrize("board", BOARDS.values(), ids=list(BOARDS))
def test_a_board_does_what_this_computer_does(trained: Agent, board: Board, tmp_path: Path) -> None:
    here = on_host(trained, tmp_path / "here", STEPS)
    there = on_board(build(trained, tmp_path / "there", board, STEPS), board)
    assert there.actions == here.actions
    assert len(there.actions) == STEPS
    assert set(there.actions) == {0, 1}
    assert there.state == here.state == trained.nbytes
    assert 200 < there.stack < 4096
    assert 5_000 < np.median(there.instructions) < 1_000_000
    if "cortex-m7" in " ".join(board.flags):  # it has the same doubles, so the state has the same bits after learning
        assert there.checksum == here.checksum


def test_nothing_is_allocated_or_printed(trained: Agent, tmp_path: Path) -> None:
    program = build(trained, tmp_path, BOARDS["Cortex-M4F"], STEPS)
    names = subprocess.run(["arm-none-eabi-nm", program], capture_output=True, text=True, check=True).stdout
    found = {line.split()[-1] for line in names.splitlines()}
    assert {"agent_step", "main"} <= found
    assert not found & {"malloc", "_malloc_r", "free", "printf", "_sbrk", "_sbrk_r", "puts"}
