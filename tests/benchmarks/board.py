"""What an agent takes on an emulated microcontroller: ``python -m tests.benchmarks.board [--steps N]``, CSV on stdout.

Flash is code, constants and the initial state; RAM is the state and all else but the stack. Instructions are those of
one call that learns and chooses, counted by the emulator, not cycles. Needs gcc-arm-none-eabi and qemu-system-arm.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from synaptick import Agent, Config, run
from synaptick.versions import versions

from ..support.board import BOARDS, MISSING, build, on_board, on_host

NETWORKS = {
    **{f"1x{n}": {"layers": (n,), "memory": 0} for n in (16, 32, 64)},
    **{f"1x{n}, memory {n}": {"layers": (n,), "memory": n} for n in (16, 32, 64)},
}
STACK = 16 * 1024  # of mps2.ld


def main() -> None:
    """Measure every network on every board."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=1000, help="calls that are measured (default 1000)")
    options = parser.parse_args()
    if MISSING:
        parser.error(f"{' and '.join(MISSING)}: not installed")
    made_with = " ".join(f"{name} {version}" for name, version in versions().items())
    print(f"# python -m tests.benchmarks.board --steps {options.steps}; {made_with}")
    writer = csv.writer(sys.stdout)
    writer.writerow(
        ["network", "board", "flash", "ram", "state", "stack", "instructions", "p99", "same_actions", "same_bits"]
    )
    env: Any = gymnasium.make("CartPole-v1")
    for name, settings in NETWORKS.items():
        agent = Agent(Config(**settings), env.observation_space, env.action_space, seed=1)
        run(agent, env, 5000, seed=1)
        with tempfile.TemporaryDirectory() as folder:
            here = on_host(agent, Path(folder) / "here", options.steps)
            for board_name, board in BOARDS.items():
                program = build(agent, Path(folder) / "there", board, options.steps)
                there = on_board(program, board)
                sized = subprocess.run(["arm-none-eabi-size", program], capture_output=True, text=True, check=True)
                text, data, bss = map(int, sized.stdout.splitlines()[1].split()[:3])
                writer.writerow(
                    [
                        *(name, board_name, text + data, data + bss - STACK, there.state, there.stack),
                        *(round(np.quantile(there.instructions, share)) for share in (0.5, 0.99)),
                        *(there.actions == here.actions, there.checksum == here.checksum),
                    ]
                )
                sys.stdout.flush()


if __name__ == "__main__":
    main()
