"""Run folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from synaptick.plots.panels import NAMES
from synaptick.training.run import start_run

from .synthetic import settings, write_metrics, write_results

# Panels that most runs have something for.
USUAL = tuple(name for name in NAMES if name not in ("recovery", "raster"))
MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Return a function that makes the folder of a run whose tables are filled with numbers that were made up."""

    def make(name: str, metrics: bool = True, results: bool = True, **changes: Any) -> Path:
        config, folder = settings(**changes), tmp_path / name
        start_run(config, folder, quiet=True)
        (folder / "metrics.csv").unlink(missing_ok=True)
        if metrics:
            write_metrics(folder, config)
        if results:
            write_results(folder, config.seed)
        else:
            (folder / "results.csv").write_text("step,episode,return,length\n")
        return folder

    return make
