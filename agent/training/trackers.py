"""Hooks that ship: stopping at a target, TensorBoard, Weights & Biases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..agent import Agent
from ..errors import ConfigError
from .episodes import Tally
from .hooks import StopRun

# Episodes whose mean counts as a target reached.
ENOUGH = 20


class StopAtReturn:
    """Ends a run once the mean return of the last 100 episodes, of at least 20, is `target` or more."""

    def __init__(self, target: float) -> None:
        self.target = target

    def on_episode(self, tally: Tally) -> None:
        """End the run if the target is reached."""
        mean = tally.mean_return
        if mean is not None and tally.episodes >= ENOUGH and mean >= self.target:
            raise StopRun(f"mean return {mean:.1f} of the last 100 episodes: the target, {self.target:g}, is reached")


class TensorBoard:
    """Writes rows of metrics and returns of episodes as event files of TensorBoard.

    Parameters
    ----------
    folder : Path
        For the event files; made if need be.

    Raises
    ------
    ConfigError
        If tensorboardX is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            raise ConfigError("--tensorboard needs tensorboardX: pip install synaptick[tensorboard]") from None
        self._writer = SummaryWriter(str(folder))

    def on_episode(self, tally: Tally) -> None:
        """Write the return of the episode that has ended."""
        self._writer.add_scalar("episode/return", tally.last_return, tally.steps)
        self._writer.add_scalar("episode/length", tally.last_length, tally.steps)

    def on_log(self, row: Mapping[str, float | None]) -> None:
        """Write a row."""
        for name, value in row.items():
            if value is not None and name != "step":
                self._writer.add_scalar(name, value, int(row["step"] or 0))

    def on_stop(self, tally: Tally) -> None:
        """Bring everything to disk."""
        self._writer.close()


class WeightsAndBiases:
    """Sends rows of metrics to Weights & Biases, or keeps them for it (``WANDB_MODE=offline``).

    Parameters
    ----------
    project : str
    folder : Path
        Where it keeps its files.

    Raises
    ------
    ConfigError
        If wandb is not installed.
    """

    def __init__(self, project: str, folder: Path) -> None:
        try:
            import wandb
        except ImportError:
            raise ConfigError("--wandb needs wandb: pip install synaptick[wandb]") from None
        self._wandb, self._project, self._folder = wandb, project, folder
        self._run: Any = None

    def on_start(self, agent: Agent, tally: Tally) -> None:
        """Begin a run of theirs with the configuration of ours."""
        self._run = self._wandb.init(project=self._project, dir=str(self._folder), config=agent.config.to_dict())

    def on_log(self, row: Mapping[str, float | None]) -> None:
        """Send a row."""
        found = {name: value for name, value in row.items() if value is not None and name != "step"}
        self._run.log(found, step=int(row["step"] or 0))

    def on_stop(self, tally: Tally) -> None:
        """End it."""
        if self._run is not None:
            self._run.finish()
