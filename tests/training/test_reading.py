"""A run is read while it is written: a reader finds a whole checkpoint at any moment."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from synaptick import Agent
from synaptick.training.run_folder import RunFolder

from ..support.runs import SMALL


def test_a_reader_finds_a_whole_checkpoint_at_any_moment(tmp_path: Path) -> None:
    """Agent and counts are of one moment, whatever the run does between two looks."""
    folder = tmp_path / "a"
    command = [sys.executable, "-m", "synaptick", "run", "CartPole-v1", *SMALL, "--steps", "1e9", "--quiet"]
    command += ["--set", "checkpoint_every=20", "--out", str(folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            deadline = time.monotonic() + 120
            while not (folder / "agent.older.synaptick").exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            seen = set()
            end = time.monotonic() + 2.0
            while time.monotonic() < end:
                moment = RunFolder.open(folder).load()
                assert moment.tally is not None
                assert moment.agent.ticks == moment.tally.steps
                seen.add(moment.agent.ticks)
        finally:
            process.kill()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert len(seen) > 10
    assert Agent.load(folder / "agent.synaptick").ticks >= max(seen)
