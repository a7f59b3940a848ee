"""Spikes on paper: a row for each neuron, a layer above the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .panels import Lines
from .style import GRID, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A spike with a small payload is paler: shades of payloads up to each of these.
SHADES = ((0.25, 0.3), (0.5, 0.5), (0.75, 0.75), (np.inf, 1.0))
# Height of a spike, of the room that a neuron has.
HEIGHT = 0.86


def draw_raster(axes: Axes, lines: Lines) -> None:
    """Draw what the neurons of each layer send, (ticks, neurons), the lowest layer at the bottom.

    All spikes of a shade are one shape, and those of a neuron that follow each other one rectangle of it: a page shows
    it at once, where a mark for each of ten thousand spikes takes it seconds.
    """
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    bottom, middles, names = 0, [], []
    for (_, name), curves in lines.items():
        spikes = curves[0].values
        low = 0.0
        for high, alpha in SHADES:
            corners = _rectangles((spikes > low) & (spikes <= high), bottom)
            if len(corners):
                codes = np.tile([Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY], len(corners))
                shape = Path(corners.reshape(-1, 2), codes)
                axes.add_patch(PathPatch(shape, facecolor=INK, alpha=alpha, linewidth=0))
            low = high
        count = spikes.shape[1]
        middles.append(bottom + count / 2)
        names.append(f"{name}\n{(spikes > 0).mean():.0%} spike")
        bottom += count
        axes.axhline(bottom, color=GRID, linewidth=0.6)
    axes.set_xlim(0, len(spikes))
    axes.set_ylim(0, bottom)
    axes.set_yticks(middles, names)
    axes.tick_params(axis="y", length=0)
    axes.grid(False)


def _rectangles(fired: NDArray[np.bool_], bottom: int) -> NDArray[np.float64]:
    """Return the corners, the first one again at the end, of each row of spikes of a neuron, (rows, 5, 2)."""
    edges = np.diff(fired.astype(np.int8), axis=0, prepend=0, append=0)
    neurons, begins = np.nonzero(edges.T > 0)
    ends = np.nonzero(edges.T < 0)[1]
    low, high = bottom + neurons + (1 - HEIGHT) / 2, bottom + neurons + (1 + HEIGHT) / 2
    x = np.stack([begins, ends, ends, begins, begins], axis=1)
    y = np.stack([low, low, high, high, low], axis=1)
    return np.stack([x, y], axis=2).astype(np.float64)
