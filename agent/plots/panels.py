"""What the panels of a figure show: data only, no drawing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..arena.placement import NET_NAMES
from ..errors import ConfigError, EnvError, RunError, StateError
from ..metrics import METRICS_FILE
from ..metrics.episodes import RECENT
from ..training.changes import CHANGES_FILE
from ..training.results import RESULTS_FILE
from ..training.run_folder import CHECKPOINTS
from .read import STEP, Column
from .recovery import returns_after_changes, rewards_after_changes
from .replay import TICKS, checked_ticks, spikes_of
from .runs import Group, Run, layer_names
from .series import Curve, curve_of, trailing_mean

# Curves of each run, by group and line.
Lines = dict[tuple[str, str], list[Curve]]


class Part(NamedTuple):
    """One pair of axes.

    Attributes
    ----------
    label : str
        What the vertical axis shows, and its unit.
    curves : callable
        From a run to its curves by the name of the line, "" if there is only one; of a histogram, to its values.
    low, high : float or None
        Bounds of the vertical axis.
    wide : bool
        Whether values, all positive, may need a logarithmic axis.
    band : bool
        Whether the interquartile mean of several runs has its interval behind it.
    histogram, raster : bool
        Whether it is a histogram of values, or shows the spikes of each layer, (ticks, neurons).
    """

    label: str
    curves: Callable[[Run], Mapping[str, Curve]]
    low: float | None = None
    high: float | None = None
    wide: bool = False
    band: bool = False
    histogram: bool = False
    raster: bool = False


class Panel(NamedTuple):
    """Axes that share their horizontal one.

    Attributes
    ----------
    name : str
        As ``--only`` has it.
    title : str
    source : str
        The file of a run folder that it is drawn from.
    parts : tuple of Part
        From top to bottom.
    x_label : str
    change : bool
        Whether steps are counted from a change at 0.
    special : bool
        Whether most runs have nothing for it, so that it is left out in silence unless it is asked for.
    """

    name: str
    title: str
    source: str
    parts: tuple[Part, ...]
    x_label: str = "environment steps"
    change: bool = False
    special: bool = False


class Drawable(NamedTuple):
    """A panel with data, and those of its parts that have some."""

    panel: Panel
    parts: tuple[tuple[Part, Lines], ...]


def _returns(run: Run) -> dict[str, Curve]:
    if not run.results:
        return {}
    returns = run.results["return"]
    # Of a short run a hundred episodes are all that was learned in.
    window = min(RECENT, max(1, len(returns) // 10))
    return {"": curve_of(run.results[STEP], trailing_mean(returns, window))}


def _columns(names: Mapping[str, str]) -> Callable[[Run], dict[str, Curve]]:
    """Return what makes curves of columns of the metrics, which are given by the name of their line."""
    return lambda run: {line: _metric(run, column) for line, column in names.items()}


def _layers(column: str, nets: Iterable[str] = NET_NAMES) -> Callable[[Run], dict[str, Curve]]:
    """Return what makes a curve of a column that each layer has; its line is named by the network too if of several."""
    nets = tuple(nets)

    def curves(run: Run) -> dict[str, Curve]:
        return {
            f"{net} {name}" if len(nets) > 1 else name: _metric(run, f"{net}/{index}/{column}")
            for net in nets
            for index, name in enumerate(layer_names(run.config))
        }

    return curves


def _time_constants(run: Run) -> dict[str, Curve]:
    curves = _layers("retention")(run)
    return {line: curve_of(curve.steps, time_constant(curve.values)) for line, curve in curves.items()}


def time_constant(retention: Column) -> Column:
    """Return in how many ticks a cell fades to 1/e if so much of it is left after one; NaN if it keeps all or none."""
    inside = (retention > 0) & (retention < 1)
    return np.where(inside, -1 / np.log(np.where(inside, retention, 0.5)), np.nan)


def _weights(net: str) -> Callable[[Run], dict[str, Curve]]:
    def values(run: Run) -> dict[str, Curve]:
        found = {name.removeprefix(f"{net} "): each for name, each in run.weights.items() if name.startswith(net)}
        return {name: curve_of(np.zeros(each.size), each.astype(np.float64)) for name, each in found.items()}

    return values


def _metric(run: Run, column: str) -> Curve:
    table = run.metrics
    return curve_of(table[STEP], table[column]) if column in table else Curve(np.empty(0), np.empty(0))


PANELS = (
    Panel(
        "return",
        "Return",
        RESULTS_FILE,
        (Part(f"mean of a tenth of the episodes, {RECENT} at most", _returns, band=True),),
    ),
    Panel(
        "reward",
        "Reward",
        METRICS_FILE,
        (Part("reward a step", _columns({"recent": "reward_rate", "slow mean": "reward_rate_slow"}), band=True),),
    ),
    Panel(
        "value",
        "Value and TD error",
        METRICS_FILE,
        (
            Part("value (normalized reward)", _columns({"": "value"})),
            Part("mean |TD error| (normalized reward)", _columns({"": "td_error"}), low=0),
            Part("lag-1 autocorrelation of the TD error", _columns({"": "td_error_correlation"})),
        ),
    ),
    Panel(
        "spikes",
        "Spike rates",
        METRICS_FILE,
        tuple(Part(f"{net}: spikes a neuron a tick", _layers("spike_rate", [net]), low=0) for net in NET_NAMES),
    ),
    Panel(
        "payload",
        "Payloads",
        METRICS_FILE,
        tuple(Part(f"{net}: mean payload (0 to 1)", _layers("payload", [net]), low=0) for net in NET_NAMES),
    ),
    Panel(
        "retention",
        "Memory",
        METRICS_FILE,
        (
            Part("share of a cell left after a tick", _layers("retention")),
            Part("time constant of that share (ticks)", _time_constants, wide=True),
        ),
    ),
    Panel(
        "weights",
        "Weights",
        CHECKPOINTS[0],
        tuple(Part(f"{net}: share of a layer's weights", _weights(net), low=0, histogram=True) for net in NET_NAMES),
        "size of a weight (those that are 0 left out)",
    ),
    Panel(
        "latency",
        "Latency",
        METRICS_FILE,
        (
            Part(
                "time of a step, environment included (µs)",
                _columns({"median": "tick_us_p50", "99th percentile": "tick_us_p99"}),
                low=0,
                wide=True,
            ),
        ),
    ),
    Panel("speed", "Speed", METRICS_FILE, (Part("ticks a second", _columns({"": "ticks_per_second"}), low=0),)),
    Panel(
        "recovery",
        "Recovery after changes",
        CHANGES_FILE,
        (
            Part("return of an episode", returns_after_changes, band=True),
            Part("reward a step", rewards_after_changes, band=True),
        ),
        "steps since a change of the world",
        change=True,
        special=True,
    ),
)
RASTER = "raster"
NAMES = (*(panel.name for panel in PANELS), RASTER)


def raster_panel(ticks: int) -> Panel:
    """Return the panel of what the last agent does when it acts for so many ticks (`replay`)."""
    part = Part("what the last agent sends, not learning", lambda run: spikes_of(run, ticks), raster=True)
    return Panel(RASTER, "Raster of the actor", CHECKPOINTS[0], (part,), "ticks")


def drawable(
    groups: Sequence[Group], only: Sequence[str] | None = None, replay: int = 0
) -> tuple[list[Drawable], dict[str, str]]:
    """Return the panels that have data, and why each of the others has none.

    Parameters
    ----------
    groups : sequence of Group
    only : sequence of str, optional
        Names of the panels to draw; each of them must have data then.
    replay : int, optional
        Ticks for which agents are to act in their environments, for a raster; 0: only if that panel is asked for.

    Raises
    ------
    ConfigError
        If there is no panel of such a name.
    StateError
        If a panel that is asked for has no data, or if none has.
    """
    for name in only or ():
        if name not in NAMES:
            raise ConfigError(f"--only {name}: there is no such panel; allowed: {', '.join(NAMES)}")
    found, left_out = [], {}
    panels = list(PANELS)
    if replay or RASTER in (only or ()):
        panels.append(raster_panel(checked_ticks(replay or TICKS)))
    for panel in panels:
        if only and panel.name not in only:
            continue
        try:
            parts = [(part, _collected(part, groups)) for part in panel.parts]
        except (StateError, EnvError, RunError) as error:
            parts, why = [], str(error)
        else:
            why = _why_empty(panel, [run for group in groups for run in group.runs])
        parts = [(part, lines) for part, lines in parts if lines]
        if parts:
            found.append(Drawable(panel, tuple(parts)))
        elif only or not panel.special:
            left_out[panel.name] = why
    if only and left_out:
        raise StateError("; ".join(f"panel {name} cannot be drawn: {why}" for name, why in left_out.items()))
    if not found:
        raise StateError(f"nothing can be drawn: {'; '.join(dict.fromkeys(left_out.values()))}")
    return found, left_out


def _collected(part: Part, groups: Sequence[Group]) -> Lines:
    lines: Lines = {}
    if part.raster and sum(len(group.runs) for group in groups) > 1:
        raise StateError("spikes are shown of one run at a time")
    for group in groups:
        for run in group.runs:
            for line, curve in part.curves(run).items():
                if len(curve.values):
                    lines.setdefault((group.label, line), []).append(curve)
    return lines


def _why_empty(panel: Panel, runs: Sequence[Run]) -> str:
    without = [run for run in runs if not (run.path / panel.source).exists()]
    if len(without) == len(runs):
        return f"{runs[0].path if len(runs) == 1 else 'each of the runs'} is without {panel.source}"
    return f"{panel.source} has no values for it (yet)"
