"""The doctor: says what is there, and finds each thing that it is to find."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synaptick import Agent
from synaptick.bench import doctor, self_test
from synaptick.bench.doctor import doctor_lines, extras
from synaptick.kernels.base import jit
from synaptick.versions import versions

from ..support.runs import Cli


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the self-test out: it is tested by itself."""
    monkeypatch.setattr(doctor, "self_test", lambda: iter(()))


def test_a_good_installation_has_nothing_wrong(cli: Cli) -> None:
    code, out, err = cli("doctor", "--json")
    assert (code, err.count("\n")) == (0, 1)
    found = json.loads(out)
    assert found["versions"] == versions()
    assert found["problems"] == []
    assert [check["name"] for check in found["self_test"]] == list(self_test.CHECKS)
    assert all(check["passed"] for check in found["self_test"])
    assert (found["cache"]["folder"], found["cache"]["writable"]) == (jit.CACHE_FOLDER, True)
    assert "common" in found["cache"]["steps"]
    assert found["cache"]["bytes"] > 100_000
    assert found["processor"]["cpus"] >= found["processor"]["usable_cpus"] >= 1
    lines = list(doctor_lines(found))
    assert lines[-1] == "nothing is wrong"
    assert f"synaptick {versions()['synaptick']}" in lines[0]


@pytest.mark.usefixtures("passed")
def test_extras_are_those_of_the_project_and_missing_ones_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = extras()
    declared = importlib.metadata.metadata("synaptick").get_all("Provides-Extra") or []
    assert set(found) == {name for name in declared if name != "test"}
    assert found["nir"] == {"missing": [], "install": 'pip install "synaptick[nir]"'}  # it is in the extra `test`
    asked = importlib.metadata.version

    def version(name: str) -> str:
        if name == "nir":
            raise importlib.metadata.PackageNotFoundError(name)
        return asked(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert extras()["nir"]["missing"] == ["nir"]


def test_extras_of_other_packages_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = {
        "synaptick": ["numpy", 'gym-thing[box,two]>=1; extra == "box"', 'other; extra == "else"'],
        "gym-thing": [
            'old; python_version < "3.4" and extra == "box"',
            'inner==2; python_version >= "3.4" and extra == "box"',
            'elsewhere; sys_platform == "nowhere" and extra == "box"',
            'second; extra == "two"',
        ],
    }
    monkeypatch.setattr(importlib.metadata, "requires", needs.get)
    installed = {"gym-thing": "1", "second": "1"}

    def version(name: str) -> str:
        if name not in installed:
            raise importlib.metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert list(doctor._missing("synaptick", "box")) == ["inner"]
    installed["inner"] = "2"
    assert list(doctor._missing("synaptick", "box")) == []


@pytest.mark.usefixtures("passed")
def test_a_cache_that_cannot_be_written_is_wrong(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(jit, "CACHE_FOLDER", None)
    code, out, _ = cli("doctor")
    assert code == 1
    assert "WRONG: compiled code cannot be kept (no folder can be written)" in out
    assert "mend it: set SYNAPTICK_CACHE_DIR to a folder that can be written" in out
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setattr(jit, "CACHE_FOLDER", str(empty))
    monkeypatch.setattr(doctor, "_writable", lambda _: False)
    assert f"compiled code cannot be kept ({empty})" in cli("doctor")[1]


@pytest.mark.usefixtures("passed")
def test_what_is_worth_knowing_is_no_fault(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "kept" / "numba-old").mkdir(parents=True)
    (tmp_path / "kept" / "numba-old" / "code.nbc").write_bytes(b"x" * 1000)
    (tmp_path / "kept" / "numba-now").mkdir()
    monkeypatch.setattr(jit, "CACHE_FOLDER", str(tmp_path / "kept" / "numba-now"))
    monkeypatch.setattr(doctor, "MANY_BYTES", 500)
    code, out, _ = cli("doctor")
    assert (code, out.splitlines()[-1]) == (0, "nothing is wrong")
    assert "note: 1,000 bytes of compiled code are of other versions of the sources; remove the other folders" in out


def test_a_check_that_fails_is_wrong_and_says_how_to_mend_it(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str:
        raise RuntimeError("weights are\nnot finite")

    monkeypatch.setattr(self_test, "CHECKS", {"restore": self_test.restores, "learn": broken})
    code, out, _ = cli("doctor")
    assert code == 1
    assert "self-test    restore  ok" in out
    assert "WRONG: self-test, learn: RuntimeError: weights are not finite" in out
    assert "NUMBA_CPU_NAME=generic" in out


def test_code_that_computes_something_else_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = self_test._weights()
    monkeypatch.setattr(self_test, "_weights", lambda: [weight + 0.01 for weight in honest])
    with pytest.raises(RuntimeError, match=r"weights differ by 0\.0\d+ of the greatest"):
        self_test.agrees()


def test_a_restore_that_loses_something_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    restore, calls = Agent.restore, []

    def forgetful(agent: Agent, snapshot: Any) -> None:
        restore(agent, snapshot)
        calls.append(1)
        if len(calls) == 2:
            agent.arena.views["actor/1/w"][0, 0] += 1e-3

    monkeypatch.setattr(Agent, "restore", forgetful)
    with pytest.raises(RuntimeError, match="gave other bytes"):
        self_test.restores()


def test_an_agent_that_does_not_learn_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_test, "PLAIN", {**self_test.PLAIN, "lr_value": 0.0, "lr_policy": 0.0})
    with pytest.raises(RuntimeError, match="no weight has changed"):
        self_test.learns()
    monkeypatch.setattr(self_test, "run", lambda agent, *_, **__: agent.arena.views["actor/1/w"].fill(np.nan))
    with pytest.raises(RuntimeError, match="weights are not finite"):
        self_test.learns()


def test_packages_that_do_not_fit_are_one_line(tmp_path: Path) -> None:
    """Then there is no doctor either."""
    (tmp_path / "numba.py").write_text("raise ImportError('Numba needs NumPy 2.9\\nor less')\n")
    code = "import sys; sys.path.insert(0, '.'); from synaptick.__main__ import command; command()"
    done = subprocess.run(
        [sys.executable, "-c", code, "doctor"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("synaptick: error: Numba needs NumPy 2.9 or less; ")
    assert "pip install" in line
