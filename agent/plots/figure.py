"""A figure of runs in a file: ``synaptick plot``."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import ConfigError, StateError
from ..files import write_atomically
from .draw import figure_of
from .panels import drawable
from .runs import Group, open_groups
from .style import check_installed, styled

FORMATS = (".png", ".svg", ".pdf")
DEFAULT_NAME = "plot.png"


def plot(
    paths: Sequence[Path], out: Path | None = None, only: Sequence[str] | None = None, replay: int = 0
) -> dict[str, Any]:
    """Draw runs and return what was drawn: ``out``, ``panels``, ``left_out`` (why, by panel), ``runs``, ``groups``.

    Runs that differ in nothing but their seed are one curve, their interquartile mean.

    Parameters
    ----------
    paths : sequence of Path
        Folders of runs, or of many, at least one.
    out : Path, optional
        A file whose name ends in one of `FORMATS`; by default `DEFAULT_NAME` in the first folder.
    only : sequence of str, optional
        Names of panels; by default all that have data.
    replay : int, optional
        Ticks for which the last agent acts in its environment, without learning, for a raster of its spikes; 0: none,
        unless that panel is asked for.

    Raises
    ------
    ConfigError
        If the name of the file, or that of a panel, is not one that is allowed, or matplotlib is not installed.
    StateError
        If a folder holds no run, or a file of it cannot be read or `out` not be written, or a panel has no data.
    """
    if not paths:
        raise ConfigError("plot: got no run; give the folder of at least one")
    check_installed("plot")
    out = out or paths[0] / DEFAULT_NAME
    if out.suffix.lower() not in FORMATS:
        raise ConfigError(f"--out {out}: allowed: a name that ends in {', '.join(FORMATS)}")
    groups = open_groups(paths)
    panels, left_out = drawable(groups, only, replay)
    with styled():
        figure = figure_of(panels, [group.label for group in groups], _heading(groups))
        buffer = io.BytesIO()
        figure.savefig(buffer, format=out.suffix[1:].lower())
    write_file(out, buffer.getvalue())
    return {
        "out": str(out),
        "panels": [each.panel.name for each in panels],
        "left_out": left_out,
        "runs": sum(len(group.runs) for group in groups),
        "groups": [group.label for group in groups],
    }


def write_file(path: Path, content: bytes) -> None:
    """Write a file; raise `StateError`, with the way out, if that cannot be."""
    try:
        write_atomically(path, content)
    except OSError as error:
        raise StateError(
            f"--out {path}: {error.strerror or error}; give a file in a folder that is there and can be written"
        ) from error


def _heading(groups: Sequence[Group]) -> str:
    """Return what the figure is of, and what its lines are if there are several runs."""
    runs = [run for group in groups for run in group.runs]
    envs = list(dict.fromkeys(run.config.env for run in runs))
    text = envs[0] if len(envs) == 1 else f"{len(envs)} environments"
    if len(runs) == 1:
        return f"{text}, seed {runs[0].config.seed}"
    if len(groups) == len(runs):
        return f"{text}, {len(runs)} runs"
    return f"{text}, {len(runs)} runs: interquartile means, 95 % bootstrap intervals of return and reward"
