"""How figures look: colors that the color-blind can tell, lines that grey can tell, sizes for a screen and a page."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Of text and axes; a page replaces it by the color of its own text.
INK = "#1a1a1b"
GRID = "#8a8a8b"
# Okabe and Ito (2008) without yellow, which white paper swallows; neighbors differ in lightness.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", INK)
DASHES: tuple[Any, ...] = (
    "solid",
    (0, (5, 2)),
    (0, (1, 1.3)),
    (0, (6, 2, 1, 2)),
    (0, (3, 1, 1, 1, 1, 1)),
    (0, (9, 3)),
    (0, (2, 2)),
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# Single runs behind what they have in common, and its interval.
THIN: dict[str, Any] = {"linewidth": 0.6, "alpha": 0.45}
SHADE: dict[str, Any] = {"alpha": 0.22, "linewidth": 0}
# From so great a ratio of the largest value to the median on an axis is logarithmic.
WIDE = 20.0

_SETTINGS = {
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.labelsize": 9.0,
    "legend.fontsize": 8.5,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": GRID,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "legend.columnspacing": 1.2,
    "legend.borderaxespad": 0.0,
    "savefig.dpi": 100,
    "figure.dpi": 100,
    "pdf.fonttype": 42,
    # Names of settings and environments are no formulas.
    "text.parse_math": False,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK),
}


def check_installed(what: str) -> None:
    """Raise `ConfigError` unless matplotlib is there; `what` needs it."""
    if importlib.util.find_spec("matplotlib") is None:
        raise ConfigError(f"{what} needs the package matplotlib; install it with pip install 'synaptick[plot]'")


@contextmanager
def styled(**settings: Any) -> Iterator[None]:
    """Draw in this style, whatever the user's own settings are."""
    import matplotlib.style

    with matplotlib.style.context(["default", {**_SETTINGS, **settings}]):
        yield


def line_style(group: int, line: int, groups: int, lines: int) -> dict[str, Any]:
    """Return color, dashes and marker of a line, by the numbers of its group and of the line among those of its axes.

    Several groups differ in color and marker, lines of each in their dashes; where there is only one of either, dashes
    and color go together.
    """
    color = line if groups == 1 else group
    dash = line if lines > 1 else group
    style = {"color": COLORS[color % len(COLORS)], "linestyle": DASHES[dash % len(DASHES)]}
    if groups > 1:
        spread = (0.03 + 0.13 * group / groups, 0.16)
        style |= {"marker": MARKERS[group % len(MARKERS)], "markersize": 4.5, "markevery": spread}
    return style


def format_steps(axes: Axes, change: bool = False) -> None:
    """Write steps as 20k or 1.5M; begin at 0, or mark it as that of a change."""
    from matplotlib.ticker import EngFormatter, MaxNLocator

    axes.margins(x=0.01)
    if change:
        axes.axvline(0, color=INK, linewidth=0.9)
    else:
        axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_major_locator(MaxNLocator(6))


def format_sizes(axes: Axes) -> None:
    """Make the horizontal axis logarithmic, with plain numbers."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.01)


def format_values(axes: Axes, values: np.ndarray, low: float | None, high: float | None, wide: bool) -> None:
    """Bound the vertical axis, make it logarithmic if values need that, and choose ticks for its height."""
    from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullFormatter

    few = axes.get_subplotspec().get_gridspec().nrows > 1  # type: ignore[union-attr]
    if wide and values.min() > 0 and values.max() > WIDE * np.median(values):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(numticks=5))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_ylim(low, high)
        axes.yaxis.set_major_locator(MaxNLocator(4 if few else 6))
    if wide or np.abs(values).max() >= 1e4:
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))
