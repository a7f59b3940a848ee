"""One page that tells a run: ``synaptick report``."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..config import Config
from ..config.kinds import kind_of
from ..errors import ConfigError, StateError, one_line
from ..training.run_folder import SUMMARY_FILE, VERSIONS_FILE
from .draw import figure_of
from .figure import write_file
from .page import Section, page, table
from .panels import drawable
from .runs import Group, Run, open_run
from .style import check_installed, styled
from .svg import SVG_SETTINGS, inline_svg

FORMATS = (".html", ".htm")
DEFAULT_NAME = "report.html"
# Inches of a figure, which is stretched to its column: small enough for letters to be read on a phone.
WIDTH = 4.2
# What is in summary.json, in words, and how its numbers are written.
_SUMMARY = {
    "steps": ("environment steps", ",d"),
    "episodes": ("episodes", ",d"),
    "mean_return_last_100": ("mean return of the last 100 episodes", ",.4g"),
    "steps_per_second": ("steps a second", ",.0f"),
    "state_bytes": ("bytes of state", ",d"),
    "rows_lost": ("rows of results lost", ",d"),
}


def report(path: Path, out: Path | None = None, replay: int = 0) -> dict[str, Any]:
    """Write a page about a run, and return ``out``, its ``bytes``, ``panels`` and ``left_out``, as `plot` does.

    The page is one file, asks for nothing from a network, and needs no script.

    Parameters
    ----------
    path : Path
        Folder of the run.
    out : Path, optional
        A file whose name ends in one of `FORMATS`; by default `DEFAULT_NAME` in the folder.
    replay : int, optional
        As for `plot`.

    Raises
    ------
    ConfigError
        If the name of the file is not one that is allowed, or matplotlib is not installed.
    StateError
        If the folder holds no run, or a file of it cannot be read or `out` not be written.
    """
    check_installed("report")
    out = out or path / DEFAULT_NAME
    if out.suffix.lower() not in FORMATS:
        raise ConfigError(f"--out {out}: allowed: a name that ends in {', '.join(FORMATS)}")
    run = open_run(path)
    figures, left_out = _figures(run, replay)
    title = f"{run.config.env}, seed {run.config.seed}"
    notes = [f"No figure of {name}: {why}." for name, why in left_out.items()]
    changed, others = _settings(run.config)
    sections = [
        Section("Summary", table(_summary(run), numbers=True)),
        Section("Figures", list(figures.values()), notes=notes, grid=True),
        Section(
            "Settings that differ from the default",
            table(changed, ("setting", "value", "default")) if changed else "",
            notes=[] if changed else ["None: this is the default configuration."],
        ),
        Section("All settings", table(others, ("setting", "value", "unit")), folded=True),
        Section("Versions", table(sorted(_mapping(path / VERSIONS_FILE).items()))),
        Section("Files", table(_files(path), ("file", "bytes"), numbers=True), notes=[f"In {path.resolve()}."]),
    ]
    content = page(title, sections).encode()
    write_file(out, content)
    return {"out": str(out), "bytes": len(content), "panels": list(figures), "left_out": left_out}


def _figures(run: Run, replay: int) -> tuple[dict[str, str], dict[str, str]]:
    """Return the figures by panel, and why others are missing."""
    group = Group(run.config.env, (run,))
    try:
        panels, left_out = drawable([group], replay=replay)
    except StateError as error:  # there is no data yet; the rest of the page still tells what the run is
        return {}, {"anything": str(error)}
    with styled(**SVG_SETTINGS):
        return {
            each.panel.name: inline_svg(
                figure_of([each], [group.label], width=WIDTH), each.panel.name, each.panel.title
            )
            for each in panels
        }, left_out


def _summary(run: Run) -> list[tuple[str, str]]:
    found = _mapping(run.path / SUMMARY_FILE)
    rows = [("environment", run.config.env), ("seed", str(run.config.seed))]
    if not found:
        return [*rows, ("state", "not finished: there is no summary yet")]
    for key, (words, form) in _SUMMARY.items():
        value = found.get(key)
        fits = isinstance(value, int) or (isinstance(value, float) and not form.endswith("d"))
        rows.append((words, format(value, form) if fits else "-"))
    rates = found.get("spike_rates")
    for net, values in rates.items() if isinstance(rates, dict) else ():
        rows.append((f"spikes a neuron a tick, {net}", ", ".join(f"{value:.3f}" for value in values)))
    return rows


def _settings(config: Config) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]:
    """Return name, value and default of the settings that differ from the default, and name, value and unit of all."""
    values, defaults = config.to_dict(), Config().to_dict()
    changed = [
        (name, _shown(value), _shown(defaults[name])) for name, value in values.items() if value != defaults[name]
    ]
    return changed, [(spec.name, _shown(values[spec.name]), kind_of(spec).unit) for spec in fields(config)]


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _mapping(path: Path) -> dict[str, Any]:
    """Return what a JSON file of a run holds; nothing if it is not there yet."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise StateError(
            f"{path}: cannot be read ({one_line(error, quoted=False)}); move it away to go without"
        ) from error
    return found if isinstance(found, dict) else {}


def _files(path: Path) -> list[tuple[str, str]]:
    files = (entry for entry in sorted(path.iterdir()) if entry.is_file() and not entry.name.startswith("."))
    return [(entry.name, f"{entry.stat().st_size:,}") for entry in files]
