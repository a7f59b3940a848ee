"""The part of the command line that measures a long run: ``synaptick soak``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from ..bench.support.tables import table, wrapped
from ..errors import ConfigError
from ..files import expanded
from ..training.config_file import parse_changes, resolve_config
from .options import add_command, add_json, check_at_least, whole


def add_soak(commands: Any) -> None:
    """Add ``soak`` to the commands of the parser."""
    soak = add_command(
        commands,
        "soak",
        "a long run, measured: memory, time of a tick, files, non-finite values",
        ["synaptick soak soak --ticks 1e6 --check", "synaptick soak CartPole-v1 --ticks 1e5 --out runs/soak"],
    )
    soak.add_argument("source", metavar="CONFIG_OR_ENV_ID", help="as for run; made for this: soak")
    soak.add_argument("--ticks", type=whole, default=10**6, metavar="N", help="environment steps (default 1e6)")
    soak.add_argument("--seed", type=whole, metavar="S", help="seed of weights, actions and environment")
    soak.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="changes", help="change a setting"
    )
    soak.add_argument(
        "--out", type=expanded, metavar="DIR", help="keep the folder of the run here (default: thrown away)"
    )
    soak.add_argument(
        "--observed",
        action="store_true",
        help="with all that can look at an agent: metrics.csv, a probe, telemetry with hooks",
    )
    soak.add_argument("--check", action="store_true", help="exit code 1 if memory or time grow beyond the bounds")
    soak.add_argument("--quiet", action="store_true", help="show no progress")
    add_json(soak)
    soak.set_defaults(command=_soak, show=_show_soak, failed=_failed)


def _soak(options: argparse.Namespace) -> dict[str, Any]:
    from ..bench.soak import MIN_TICKS, soak

    changes = parse_changes(options.changes)
    if "steps" in changes:
        raise ConfigError("--set steps: a soak has --ticks N instead")
    if options.seed is not None:
        changes["seed"] = options.seed
    check_at_least("ticks", options.ticks, MIN_TICKS)
    config = resolve_config(options.source).with_changes({**changes, "steps": options.ticks})
    result = soak(config, options.out, options.quiet, options.observed)
    if options.check:
        for line in result["violations"]:
            print(f"synaptick: soak: {line}", file=sys.stderr)
    return result


def _failed(options: argparse.Namespace, result: dict[str, Any]) -> bool:
    return bool(options.check and result["violations"])


def _show_soak(result: dict[str, Any]) -> None:
    print("\n".join(soak_lines(result)))


def soak_lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield the report of a soak line by line."""
    yield from wrapped(
        f"{result['env']}: {result['ticks']:,} ticks, {result['episodes']:,} episodes, {result['seconds']:,.0f} s, "
        f"{result['ticks_per_second']:,.0f} ticks/s",
        "",
    )
    tick, loop = result["tick_us"], result["loop_cpu_us"]
    yield "microseconds of the agent, the processor (means of 1000 ticks), the environment"
    yield from table(
        ("tenth", "agent median", "p99.9", "loop CPU median", "p99.9", "environment mean"),
        [
            [
                str(k + 1),
                *(f"{times[share][k]:.2f}" for times in (tick, loop) for share in ("median", "p99.9")),
                f"{environment:.2f}",
            ]
            for k, environment in enumerate(result["environment_us"])
        ],
        "",
    )
    for line in _counts(result):
        yield from wrapped(line, "")


def _counts(result: dict[str, Any]) -> Iterator[str]:
    size = result["resident_bytes"]
    if size["slope_per_1e6_ticks"] is None:
        yield f"resident set: not measured ({size['source']})"
    else:
        yield (
            f"resident set: {size['slope_per_1e6_ticks']:,.0f} bytes per 10^6 ticks; first {size['first']:,}, "
            f"last {size['last']:,}, least {size['least']:,}, greatest {size['greatest']:,} ({size['source']})"
        )
    for label, name in (("bytes of state", "state_bytes"), ("open files", "descriptors")):
        yield f"{label}: first {_number(result[name]['first'])}, last {_number(result[name]['last'])}"
    files = result["file_bytes"]
    each = ", ".join(f"{name} {count:,}" for name, count in files.items() if name != "all")
    yield f"bytes of files: {files['all']:,} ({each})"
    yield (
        f"in {result['scans']:,} scans of the state at most {result['non_finite']:,} numbers not finite, "
        f"{result['denormal']:,} denormal"
    )
    if "observed" in result:
        seen, heard = result["observed"], result["observed"]["heard"]
        yield (
            f"observed: {seen['metrics_rows']:,} rows of metrics, {seen['probe_rows']:,} rows of a probe of "
            f"{seen['probe_bytes']:,} bytes; hooks of telemetry heard {heard.get('steps', 0):,} steps, "
            f"{heard.get('episodes', 0):,} episodes, {heard.get('rows', 0):,} rows; "
            f"{seen['telemetry']['missed']:,} calls missed"
        )
    blocks = result["interpreter_blocks"]
    yield (
        f"collections of garbage: {', '.join(map(str, result['collections']))} (by generation); "
        f"blocks of the interpreter: first {_number(blocks['first'])}, last {_number(blocks['last'])}"
    )
    yield from (f"violated: {line}" for line in result["violations"])


def _number(value: int | None) -> str:
    return "not told by this system" if value is None else f"{value:,}"
