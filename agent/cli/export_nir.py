"""The part of the command line that writes NIR graphs: ``synaptick export nir``."""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path
from typing import Any

from ..errors import StateError
from ..files import expanded
from .options import add_command, add_env, add_json, add_saved, whole

EXAMPLES = (
    "synaptick run CartPole-v1 --set memory=0 --set spikes=binary --out runs/plain",
    "synaptick export nir runs/plain --out agent.nir",
)


def add_nir(kinds: Any) -> None:
    """Add ``nir`` to what can be exported."""
    nir = add_command(kinds, "nir", "the actor as a NIR graph that acts without learning (extra: nir)", EXAMPLES)
    add_saved(nir)
    nir.add_argument(
        "--out", type=expanded, default=Path("agent.nir"), metavar="FILE", help="file to write (default agent.nir)"
    )
    nir.add_argument(
        "--exact",
        action="store_true",
        help="refuse to hold the slope of normalized currents, which NIR cannot express, at its mean: refuses every "
        "network of synaptick (default: hold it, and measure the difference)",
    )
    nir.add_argument(
        "--neurons",
        default="parts",
        metavar="KIND",
        help="nodes a neuron is made of: parts (LI, Threshold, Delay and Scale, exactly; default) or lif (one LIF, "
        "which needs adaptive_fraction 0)",
    )
    nir.add_argument(
        "--integration", default="exact", metavar="RULE", help="what the reader does: exact (default) or euler"
    )
    nir.add_argument(
        "--tick", type=float, default=1e-3, metavar="S", help="seconds a tick in the graph (default 0.001)"
    )
    nir.add_argument(
        "--steps", type=whole, default=10_000, metavar="N", help="steps to measure in, twice (default 10000)"
    )
    add_env(nir)
    nir.add_argument("--seed", type=whole, default=0, metavar="S", help="seed of the environment")
    add_json(nir)
    nir.set_defaults(command=_export_nir, show=_show_nir)


def _export_nir(options: argparse.Namespace) -> dict[str, Any]:
    from ..export.nir.write import export_nir
    from ..training.saved import in_env, load_saved

    _check_place(options.out)
    agent = load_saved(options.source).agent
    if options.env is not None and options.env != agent.config.env:
        agent.config = in_env(agent.config, options.env)
    return export_nir(
        agent,
        options.out,
        options.exact,
        options.neurons,
        options.integration,
        options.tick,
        options.steps,
        options.seed,
    )


def _check_place(path: Path) -> None:
    """Raise `StateError` if a file cannot be written there: before what is written is measured, which takes a while."""
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise StateError(
            f"--out {path}: {error.strerror or error}; give a file in a folder that is there and can be written"
        ) from error


def _show_nir(result: dict[str, Any]) -> None:
    print(
        f"{result['file']}: {result['nodes']} nodes, {result['file_bytes']:,} bytes; slopes of currents held "
        f"at {_listed(result['slopes'])}"
    )
    _show_differences("compared with the agent", result["differences"])
    if "differences_if_reset_to_zero" in result:
        _show_differences("a reader that sets membranes to v_reset", result["differences_if_reset_to_zero"])


def _show_differences(title: str, found: dict[str, Any]) -> None:
    wrong, rates = found["spikes_that_differ"], found["spike_rates"]
    for_each = [share / rate if rate else math.nan for share, rate in zip(wrong, rates, strict=True)]
    lines = [f"{title}, {found['steps']:,} steps, bottom layer first: of all neurons in all steps, "]
    lines[0] += f"{_listed(wrong)} differ (rates {_listed(rates)}): {_listed(for_each)} for each spike"
    if found["same_choice"]:
        lines.append(
            f"  same likeliest choice: {_listed(found['same_choice'])}; total variation of the "
            f"policy: {_listed(found['policy_distance'])}"
        )
    if found["mean_distance"]:
        lines.append(f"  distance of means, in stds: {_listed(found['mean_distance'])}")
    print("\n".join(lines))


def _listed(values: list[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in values)
