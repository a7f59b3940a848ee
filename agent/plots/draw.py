"""Panels on paper: each in a cell of a grid, its parts above each other, its legend beside the title."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .panels import Drawable, Lines, Part
from .raster import draw_raster
from .runs import READOUT
from .series import band_of, thinned
from .style import SHADE, THIN, format_sizes, format_steps, format_values, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec

# Inches of a panel.
WIDTH, HEIGHT = 5.2, 3.3
BINS = 40
# Points that a letter of a title and of a legend takes, a line of a legend beside its name, and what is no axes.
TITLE_LETTER, LETTER, SAMPLE, MARGIN = 6.4, 5.0, 38, 45
# From so small a share of the largest one weights are as good as 0.
SMALLEST = 1e-6


def figure_of(drawables: Sequence[Drawable], labels: Sequence[str], heading: str = "", width: float = WIDTH) -> Figure:
    """Return a figure of panels.

    Parameters
    ----------
    drawables : sequence of Drawable
    labels : sequence of str
        Of the groups; several are named in a legend of the figure.
    heading : str, optional
    width : float, optional
        Of a panel, in inches.
    """
    from matplotlib.figure import Figure

    columns = min(2, len(drawables))
    heading = textwrap.fill(heading, int(72 * width * columns / TITLE_LETTER))
    rows = math.ceil(len(drawables) / columns)
    # As many groups in a row as there is width for.
    beside = max(1, int(width * columns * 11 / (8 + max(map(len, labels)))))
    above = 0.4 * bool(heading) + 0.17 * heading.count("\n") + 0.2 * (len(labels) > 1) * math.ceil(len(labels) / beside)
    figure = Figure(figsize=(width * columns, HEIGHT * rows + above))
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.08, hspace=0.03, wspace=0.03)
    grid = figure.add_gridspec(rows, columns)
    for k, drawable in enumerate(drawables):
        _draw_panel(figure, grid[divmod(k, columns)], drawable, labels, width)
    if len(labels) > 1:
        _name_groups(figure, labels, heading, beside)
    elif heading:
        figure.suptitle(heading, fontsize=10.5, x=0.015, ha="left")
    return figure


def _name_groups(figure: Figure, labels: Sequence[str], heading: str, columns: int) -> None:
    from matplotlib.lines import Line2D

    handles = []
    for k, label in enumerate(labels):
        style = line_style(k, 0, len(labels), 1)
        handles.append(Line2D([], [], label=label, **{**style, "markevery": None}))
    figure.legend(
        handles=handles, title=heading or None, title_fontsize=10.5, alignment="left", loc="outside upper left",
        ncols=min(columns, len(labels)), borderpad=0.6,
    )  # fmt: skip


def _draw_panel(figure: Figure, cell: SubplotSpec, drawable: Drawable, labels: Sequence[str], width: float) -> None:
    panel, parts = drawable
    found = dict.fromkeys(line for _, lines in parts for _, line in lines if line)
    names = sorted(found, key=lambda line: (line == READOUT, "layers" in line))
    rows = cell.subgridspec(len(parts), 1)
    all_axes: list[Axes] = []
    for k, (part, lines) in enumerate(parts):
        axes = figure.add_subplot(rows[k], sharex=all_axes[0] if all_axes else None)
        all_axes.append(axes)
        if part.raster:
            draw_raster(axes, lines)
        elif part.histogram:
            _draw_histogram(axes, part, lines, labels, names)
        else:
            _draw_curves(axes, part, lines, labels, names, panel.change)
        # Read without turning the head, and with room for a unit.
        axes.set_ylabel(part.label, rotation=0, ha="left", va="bottom")
        axes.yaxis.set_label_coords(0, 1.03)
    first, last = all_axes[0], all_axes[-1]
    for axes in all_axes[:-1]:
        axes.tick_params(labelbottom=False)
    last.set_xlabel(panel.x_label)
    first.set_title(panel.title, loc="left", pad=18)
    if len(names) > 1 and not parts[0][0].raster:
        _name_lines(first, panel.title, names, len(labels), width)


def _name_lines(axes: Axes, title: str, names: Sequence[str], groups: int, width: float) -> None:
    from matplotlib.lines import Line2D

    handles = []
    for k, name in enumerate(names):
        style = line_style(0, k, groups, len(names))
        color = style["color"] if groups == 1 else "#777777"  # the color is the group's
        handles.append(Line2D([], [], label=name, color=color, linestyle=style["linestyle"]))
    room = 72 * width - MARGIN - TITLE_LETTER * len(title)
    columns = min(len(names), max(1, int(room / (SAMPLE + LETTER * max(map(len, names))))))
    axes.legend(
        handles=handles, loc="lower right", bbox_to_anchor=(1, 1), borderpad=0, ncols=columns,
        labelspacing=0.3, bbox_transform=_raised(axes),
    )  # fmt: skip


def _raised(axes: Axes) -> Any:
    """Return the coordinates of axes, raised by the line on which the label of the vertical one stands."""
    from matplotlib.transforms import ScaledTranslation

    return axes.transAxes + ScaledTranslation(0, 19 / 72, axes.figure.dpi_scale_trans)


def _draw_curves(
    axes: Axes, part: Part, lines: Lines, labels: Sequence[str], names: Sequence[str], change: bool
) -> None:
    for (label, line), curves in lines.items():
        style = _style(label, line, labels, names)
        if len(curves) > 1:
            band = band_of(curves, part.band)
            if part.band:
                for curve in curves:
                    axes.plot(*thinned(curve), color=style["color"], **THIN)
        else:
            band = None
        if band is None:
            for curve in curves:
                short = {"marker": "o", "markersize": 4, "markevery": None} if len(curve.steps) == 1 else {}
                axes.plot(*thinned(curve), **{**style, **short})
            continue
        if part.band:
            axes.fill_between(band.steps, band.low, band.high, color=style["color"], **SHADE)
        axes.plot(band.steps, band.mean, **style)
    format_steps(axes, change)
    drawn = np.concatenate([curve.values for curves in lines.values() for curve in curves])
    format_values(axes, drawn, part.low, part.high, part.wide)


def _draw_histogram(axes: Axes, part: Part, lines: Lines, labels: Sequence[str], names: Sequence[str]) -> None:
    """Layers differ by orders of magnitude, so that bins are even in the logarithm."""
    pooled = {key: np.abs(np.concatenate([curve.values for curve in curves])) for key, curves in lines.items()}
    greatest = max(float(sizes.max()) for sizes in pooled.values())
    least = max(min(float(sizes.min()) for sizes in pooled.values()), SMALLEST * greatest)
    edges = np.geomspace(least / 1.01, greatest * 1.01, BINS + 1)
    for (label, line), sizes in pooled.items():
        shares = np.histogram(sizes, edges)[0] / sizes.size
        axes.plot(np.sqrt(edges[1:] * edges[:-1]), shares, drawstyle="steps-mid", **_style(label, line, labels, names))
    format_sizes(axes)
    format_values(axes, shares, part.low, part.high, part.wide)


def _style(label: str, line: str, labels: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    if not line:
        return line_style(labels.index(label), 0, len(labels), 1)
    return line_style(labels.index(label), names.index(line), len(labels), len(names))
