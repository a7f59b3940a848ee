"""Hooks that ship: stopping at a target, TensorBoard, Weights & Biases, the Rerun viewer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..agent import Agent
from ..errors import ConfigError
from ..metrics.episodes import ENOUGH, Tally
from ..metrics.hooks import StopRun

# Rows after which every other one is written.
MOST_ROWS = 4096


@dataclass(frozen=True)
class Chosen:
    """Hooks of a run that were asked for: called with its folder, it makes them; it can be sent to another process.

    Attributes
    ----------
    stop_at : float, optional
        For `StopAtReturn`.
    tensorboard : bool
    wandb : str, optional
        Project.
    rerun : Path, optional
        File; an empty path for the viewer.
    """

    stop_at: float | None = None
    tensorboard: bool = False
    wandb: str | None = None
    rerun: Path | None = None

    def __call__(self, folder: Path) -> list[Any]:
        """Return the hooks of the run in a folder."""
        found: list[Any] = [] if self.stop_at is None else [StopAtReturn(self.stop_at)]
        if self.tensorboard:
            found.append(TensorBoard(folder / "tensorboard"))
        if self.wandb:
            found.append(WeightsAndBiases(self.wandb, folder))
        if self.rerun is not None:
            found.append(Rerun(None if self.rerun == Path() else self.rerun))
        return found


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
    """Writes rows of metrics as event files of TensorBoard: all of the first 4,096, every other one of as many after.

    So it goes on; a file that can only grow grows ever more slowly.

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
        self._kind, self._folder = SummaryWriter, folder
        self._writer: Any = None
        self._rows, self._apart = 0, 1

    def on_start(self, agent: Agent, tally: Tally) -> None:
        """Open an event file."""
        self._writer = self._kind(str(self._folder))

    def on_log(self, row: Mapping[str, float | None]) -> None:
        """Write a row, if it is its turn."""
        self._rows += 1
        if self._rows % self._apart:
            return
        if self._rows >= MOST_ROWS * self._apart:
            self._rows, self._apart = 0, 2 * self._apart
        for name, value in row.items():
            if value is not None and name != "step":
                self._writer.add_scalar(name, value, int(row["step"] or 0))

    def on_stop(self, tally: Tally) -> None:
        """Bring everything to disk."""
        if self._writer is not None:
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


class Rerun:
    """Streams rows of metrics, and the spikes of every layer at the time of a row, to the Rerun viewer or to a file.

    Parameters
    ----------
    file : Path, optional
        An ``.rrd`` file to write, which the viewer opens; without it a viewer is started.

    Raises
    ------
    ConfigError
        If rerun-sdk is not installed.
    """

    def __init__(self, file: Path | None = None) -> None:
        try:
            import rerun
        except ImportError:
            raise ConfigError("--rerun needs rerun-sdk: pip install synaptick[rerun]") from None
        self._rerun, self._file = rerun, file
        self._spikes: dict[str, Any] = {}

    def on_start(self, agent: Agent, tally: Tally) -> None:
        """Open the stream."""
        self._rerun.init("synaptick", spawn=self._file is None)
        if self._file is not None:
            self._rerun.save(str(self._file))
        views = agent.arena.views
        self._spikes = {name.removesuffix("/z"): view for name, view in views.items() if name.endswith("/z")}

    def on_log(self, row: Mapping[str, float | None]) -> None:
        """Send a row and the spikes of now."""
        self._rerun.set_time("step", sequence=int(row["step"] or 0))
        for name, value in row.items():
            if value is not None and name != "step":
                self._rerun.log(name, self._rerun.Scalars(float(value)))
        for name, spikes in self._spikes.items():
            self._rerun.log(f"{name}/spikes", self._rerun.BarChart(spikes.astype(float)))

    def on_stop(self, tally: Tally) -> None:
        """Bring everything to where it goes."""
        self._rerun.disconnect()
