"""`synaptick soak`: its gauges against their definitions, what it reports, and which bounds it finds violated."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synaptick import Agent
from synaptick.bench.soak import PARTS, violations
from synaptick.bench.support.gauges import Line, Scanner
from synaptick.cli.soak import soak_lines
from synaptick.metrics.process import descriptors, resident
from synaptick.realtime import Histogram

from ..support.runs import SMALL, Cli
from ..support.trouble import ENV_ID, Trouble, break_down

SHORT = ("--ticks", "1e4", *SMALL, "--set", "memory=0")
KEYS = [
    *("env", "seed", "ticks", "episodes", "mean_return_last_100", "seconds", "ticks_per_second", "state_bytes"),
    *("resident_bytes", "tick_us", "loop_cpu_us", "environment_us", "file_bytes", "descriptors", "scans"),
    *("non_finite", "denormal", "collections", "interpreter_blocks", "out", "versions", "violations"),
]


@pytest.mark.parametrize("share", [0.001, 0.5, 0.9, 0.999, 1.0])
@pytest.mark.parametrize("median", [3.0, 200.0, 3000.0, 1e9])
def test_quantiles_are_right_to_half_a_percent(median: float, share: float) -> None:
    sample = np.ceil(median * np.exp(np.random.default_rng(0).normal(size=5000))).astype(int)
    histogram = Histogram()
    for value in sample.tolist():
        histogram.add(value)
    assert histogram.count == 5000
    expected = np.quantile(sample, share, method="inverted_cdf")
    assert histogram.quantile(share) == pytest.approx(expected, rel=0.005)


def test_a_histogram_takes_anything_and_has_no_quantile_of_nothing() -> None:
    histogram = Histogram()
    assert histogram.quantile(0.5) is None
    for value in (0, 1, 2**30, 2**80):
        histogram.add(value)
    assert [histogram.quantile(share) for share in (0.25, 0.5)] == [0, 1]
    assert histogram.count == 4


def test_a_line_is_that_of_least_squares() -> None:
    rng, line = np.random.default_rng(0), Line()
    assert line.slope is None
    x = np.cumsum(rng.random(300))
    y = (10**12 + 50 * x + rng.normal(size=300) * 100).astype(int)
    for place, value in zip(x, y.tolist(), strict=True):
        line.add(float(place), value)
    assert line.slope == pytest.approx(np.polyfit(x, y - y[0], 1)[0], rel=1e-9)
    assert (line.first, line.last, line.least, line.greatest) == (y[0], y[-1], y.min(), y.max())


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("size", [10, 40_000, 70_001])
def test_a_scan_finds_every_odd_number(kind: Any, size: int) -> None:
    numbers = np.random.default_rng(0).normal(size=size).astype(kind)
    tiny = np.finfo(kind).tiny
    numbers[:3] = 0.0, -0.0, tiny
    scanner = Scanner()
    assert scanner.count(numbers) == (0, 0)
    numbers[[3, 4, 5, -1]] = tiny / 2, -np.finfo(kind).smallest_subnormal, np.nan, -np.inf
    assert scanner.count(numbers) == (2, 2)


def test_the_process_is_measured() -> None:
    before = descriptors()
    size, source = resident()
    assert source
    assert size is None or size > 10**6
    with tempfile.TemporaryFile():
        assert before is None or descriptors() == before + 1


def test_a_soak_reports_all_of_it_and_keeps_the_run_it_is_told_to(cli: Cli, tmp_path: Path) -> None:
    code, out, err = cli("soak", ENV_ID, *SHORT, "--seed", 3, "--out", "kept", "--quiet", "--json")
    assert (code, err, out.count("\n")) == (0, "", 1)
    result = json.loads(out)
    assert list(result) == KEYS
    assert (result["ticks"], result["episodes"], result["seed"], result["out"]) == (10_000, 10_000 // 7, 3, "kept")
    agent = Agent.load(tmp_path / "kept" / "agent.synaptick")
    assert agent.ticks == 10_000
    assert result["state_bytes"] == {"first": agent.nbytes, "last": agent.nbytes}
    for name in ("tick_us", "loop_cpu_us"):
        medians, tails = result[name]["median"], result[name]["p99.9"]
        assert len(medians) == len(tails) == PARTS
        assert all(0 < median <= tail for median, tail in zip(medians, tails, strict=True))
    assert len(result["environment_us"]) == PARTS
    assert all(mean > 0 for mean in result["environment_us"])
    assert (result["non_finite"], result["denormal"], result["scans"]) == (0, 0, 10)
    assert result["file_bytes"]["results.csv"] == (tmp_path / "kept" / "results.csv").stat().st_size
    assert result["file_bytes"]["all"] == sum(size for name, size in result["file_bytes"].items() if name != "all")
    summary = json.loads((tmp_path / "kept" / "summary.json").read_text())
    assert summary["ticks"] == 10_000


def test_it_is_the_run_that_run_makes(cli: Cli, tmp_path: Path) -> None:
    assert cli("soak", "CartPole-v1", *SHORT, "--out", "a")[0] == 0
    assert cli("run", "CartPole-v1", "--steps", 10_000, *SHORT[2:], "--out", "b")[0] == 0
    assert (tmp_path / "a" / "results.csv").read_bytes() == (tmp_path / "b" / "results.csv").read_bytes()
    states = [Agent.load(tmp_path / name / "agent.synaptick").snapshot() for name in "ab"]
    assert (states[0] == states[1]).all()


def test_with_all_that_can_look_at_it_the_agent_lives_the_same(cli: Cli, tmp_path: Path) -> None:
    code, out, err = cli("soak", ENV_ID, *SHORT, "--out", "seen", "--observed", "--quiet", "--json")
    assert (code, err) == (0, "")
    result = json.loads(out)
    assert set(result) == {*KEYS, "observed"}
    seen = result["observed"]
    assert seen["metrics_rows"] == 10_000
    assert seen["probe_rows"] == 10_000 + result["episodes"] + 1
    assert seen["telemetry"]["failures"] == 0
    assert seen["heard"]["steps"] + seen["heard"]["episodes"] + seen["telemetry"]["missed"] >= 10_000
    assert result["file_bytes"]["metrics.csv"] > 100_000
    assert cli("soak", ENV_ID, *SHORT, "--out", "unseen", "--quiet")[0] == 0
    states = [Agent.load(tmp_path / name / "agent.synaptick").snapshot() for name in ("seen", "unseen")]
    assert (states[0] == states[1]).all()
    assert any(line.startswith("observed: 10,000 rows of metrics") for line in soak_lines(result))


def test_without_out_nothing_is_left_and_the_table_has_a_row_a_tenth(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code, out, err = cli("soak", ENV_ID, *SHORT)
    assert (code, err.startswith(f"soak of {ENV_ID} seed 0: 10,000 steps, ")) == (0, True)
    assert list(tmp_path.iterdir()) == []
    lines = out.splitlines()
    assert lines[0].startswith(f"{ENV_ID}: 10,000 ticks, 1,428 episodes, ")
    assert [line.split()[0] for line in lines[3 : 3 + PARTS]] == [str(k) for k in range(1, PARTS + 1)]
    assert "in 10 scans of the state at most 0 numbers not finite, 0 denormal" in lines
    assert any(line.startswith("resident set: ") for line in lines)


def test_for_a_program_progress_is_not_in_the_result(cli: Cli) -> None:
    code, out, err = cli("soak", ENV_ID, *SHORT, "--json")
    assert (code, len(out.splitlines())) == (0, 1)
    assert json.loads(out)["ticks"] == 10_000
    assert err.startswith(f"soak of {ENV_ID} seed 0: 10,000 steps")


def test_a_shipped_configuration_is_made_for_it(cli: Cli) -> None:
    code, out, _ = cli("soak", "soak", "--ticks", 10_000, "--quiet", "--json")
    assert code == 0
    assert json.loads(out)["env"] == "synaptick/MemoryChain-v0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--ticks", "9999"), "--ticks 9999: allowed: 10000 or more"),
        (("--ticks", "many"), "argument --ticks: 'many' is not a whole number, such as 100000 or 1e5"),
        (("--ticks", "1.5"), "argument --ticks: '1.5' is not a whole number, such as 100000 or 1e5"),
        (("--set", "steps=5"), "--set steps: a soak has --ticks N instead"),
        (("--set", "discont=5"), "--set discont: there is no such key"),
    ],
)
def test_what_cannot_be_used_is_refused(cli: Cli, arguments: tuple[str, ...], message: str) -> None:
    code, out, err = cli("soak", ENV_ID, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_an_environment_that_fails_ends_it(cli: Cli) -> None:
    Trouble.at, Trouble.make = 1200, staticmethod(break_down)
    code, out, err = cli("soak", ENV_ID, *SHORT, "--quiet")
    assert (code, out) == (1, "")
    assert err == f"synaptick: error: {ENV_ID} failed at step 1200 (RuntimeError: the motor is on fire)\n"


def whole() -> dict[str, Any]:
    """Return a result that breaks no bound."""
    return {
        "ticks": 10**8,
        "resident_bytes": {"slope_per_1e6_ticks": 1000.0},
        "tick_us": {"median": [10.0] * 9 + [10.4], "p99.9": [20.0] * 9 + [23.0]},
        "non_finite": 0,
        "state_bytes": {"first": 5, "last": 5},
        "descriptors": {"first": 4, "last": 4},
    }


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "slope": ({"resident_bytes": {"slope_per_1e6_ticks": 1100.0}}, "the resident set grows by 1,100 bytes"),
    "median": ({"tick_us": {"median": [10.0, 10.6], "p99.9": [1.0, 1.0]}}, "the median time of a tick is 10.60 us"),
    "tail": ({"tick_us": {"median": [1.0, 1.0], "p99.9": [20.0, 25.0]}}, "the p99.9 time of a tick is 25.00 us"),
    "non-finite": ({"non_finite": 3}, "3 numbers of the state are not finite"),
    "state": ({"state_bytes": {"first": 5, "last": 6}}, "the state has 6 bytes and had 5"),
    "descriptors": ({"descriptors": {"first": 4, "last": 5}}, "5 files are open, 4 were after the warm-up"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_bound_is_checked(name: str) -> None:
    changes, message = BROKEN[name]
    assert violations(whole()) == []
    found = violations(whole() | changes)
    assert len(found) == 1
    assert found[0].startswith(message)


def test_what_a_system_does_not_tell_is_not_held_against_it() -> None:
    unknown = {"resident_bytes": {"slope_per_1e6_ticks": None}, "descriptors": {"first": None, "last": None}}
    assert violations(whole() | unknown) == []
    short = {"ticks": 10**5, "resident_bytes": {"slope_per_1e6_ticks": 80_000.0}}
    assert violations(whole() | short) == []  # two pages
    settling = {"ticks": 10**6, "resident_bytes": {"slope_per_1e6_ticks": 140_000.0}}
    assert violations(whole() | settling | {"observed": {}}) == []
    assert len(violations(whole() | settling)) == 1
    assert len(violations(whole() | settling | {"ticks": 10**7, "observed": {}})) == 1


def test_a_broken_bound_is_exit_code_one_only_when_checked(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synaptick.bench.soak.violations", lambda _: ["the sky is falling"])
    code, out, _ = cli("soak", ENV_ID, *SHORT)
    assert code == 0
    assert out.splitlines()[-1] == "violated: the sky is falling"
    code, out, err = cli("soak", ENV_ID, *SHORT, "--check", "--quiet", "--json")
    assert (code, err) == (1, "synaptick: soak: the sky is falling\n")
    assert json.loads(out)["violations"] == ["the sky is falling"]
