"""One figure of a comparison: what is reached, how likely it is more, by how many runs, and after how many steps."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..plots.style import INK, SHADE, format_steps, line_style, styled
from .compare import Comparison
from .show import shortened
from .statistics import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Inches, and pairs of arms of which the figure shows how likely one is better; the table has all.
WIDTH, HEIGHT, MOST_PAIRS = 10.4, 3.1, 8
LABEL = 34


def figure_of(found: Comparison, kind: str = "png") -> bytes:
    """Return the figure as a file of a kind that matplotlib writes."""
    from matplotlib.figure import Figure

    labels = [arm.label for arm in found.arms]
    pairs = _pairs(found)
    with styled():
        tall = max(HEIGHT, 0.9 + 0.34 * max(len(labels), len(pairs)))
        figure = Figure(figsize=(WIDTH, tall + HEIGHT + 0.5))
        figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.08, hspace=0.04, wspace=0.04)
        grid = figure.add_gridspec(2, 2, height_ratios=[tall, HEIGHT])
        unit = "scaled score" if found.ranges else "mean return of the last 100 episodes"
        _intervals(
            figure.add_subplot(grid[0, 0]),
            "Interquartile mean",
            unit,
            [(shortened(label, LABEL), found.iqm[label, ""], k) for k, label in enumerate(labels)],
            len(labels),
        )
        axes = figure.add_subplot(grid[0, 1])
        told = [
            (f"{shortened(a, LABEL)}\nover {shortened(b, LABEL - 5)}", found.improvement[a, b, ""], labels.index(a))
            for a, b in pairs
        ]
        _intervals(axes, "Probability of improvement", "share of pairs of runs", told, len(labels))
        axes.axvline(0.5, color=INK, linewidth=0.9)
        axes.set_xlim(-0.02, 1.02)
        axes = figure.add_subplot(grid[1, 0])
        _curves(axes, "Performance profile", found.levels, found.profiles, labels)
        axes.set_ylabel("share of runs above", rotation=0, ha="left", va="bottom")
        axes.set_xlabel(unit)
        axes.set_ylim(-0.02, 1.02)
        axes = figure.add_subplot(grid[1, 1])
        _curves(axes, "Sample efficiency", found.steps, found.curves, labels)
        axes.set_ylabel(f"interquartile mean: {unit}", rotation=0, ha="left", va="bottom")
        axes.set_xlabel("environment steps")
        format_steps(axes)
        for axes in figure.axes[2:]:
            axes.yaxis.set_label_coords(0, 1.03)
        figure.legend(
            *figure.axes[2].get_legend_handles_labels(), title=_heading(found), title_fontsize=10.5,
            alignment="left", loc="outside upper left", ncols=max(1, min(len(labels), 4)), borderpad=0.6,
        )  # fmt: skip
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind)
    return buffer.getvalue()


def _heading(found: Comparison) -> str:
    where = found.envs[0] if len(found.envs) == 1 else f"{len(found.envs)} environments"
    return f"{where}: {sum(len(arm.outcomes) for arm in found.arms)} runs, 95 % stratified bootstrap intervals"


def _pairs(found: Comparison) -> list[tuple[str, str]]:
    """Return pairs of arms, all or those with the first."""
    pairs = list(dict.fromkeys((ours, theirs) for ours, theirs, _ in found.improvement))
    first = found.arms[0].label
    return pairs if len(pairs) <= MOST_PAIRS else [pair for pair in pairs if pair[1] == first]


def _intervals(axes: Axes, title: str, unit: str, told: Sequence[tuple[str, Estimate, int]], arms: int) -> None:
    """Draw a point with its interval in each line, the first on top."""
    for place, (_, estimate, arm) in enumerate(told):
        style = _style(arm, arms)
        value, low, high = map(float, estimate)
        if np.isfinite(low):
            axes.plot([low, high], [place, place], color=style["color"], linewidth=5, alpha=0.35, solid_capstyle="butt")
        axes.plot(value, place, color=style["color"], marker=style["marker"], markersize=7, linestyle="none")
    axes.set_title(title, loc="left")
    axes.set_yticks(range(len(told)), [label for label, *_ in told])
    axes.set_ylim(len(told) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(True, axis="x")
    axes.set_xlabel(unit)


def _curves(axes: Axes, title: str, x: Any, curves: dict[str, Estimate], labels: Sequence[str]) -> None:
    for k, label in enumerate(labels):
        style = _style(k, len(labels))
        if not len(x):
            continue
        if np.isfinite(curves[label].low).all():
            axes.fill_between(x, curves[label].low, curves[label].high, color=style["color"], **SHADE)
        axes.plot(x, curves[label].value, label=shortened(label, LABEL), **style)
    axes.set_title(title, loc="left", pad=18)


def _style(arm: int, arms: int) -> dict[str, Any]:
    return line_style(arm, 0, max(arms, 2), 1)
