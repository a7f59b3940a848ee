"""The same bytes by a Ray cluster of three nodes, and through kills of workers and of the driver: minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_all_ways_give_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason='needs the extra: pip install "synaptick[cluster]"')
    from ..benchmarks.many_runs import identical

    found = identical(tmp_path / "sweep", steps=6000, kill_every=7.0)
    assert set(found["same"].values()) == {True}
    assert found["files_compared"] == 25
    assert min(found["kills"].values()) >= 1


def test_a_cluster_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pytest.importorskip("ray", reason='needs the extra: pip install "synaptick[cluster]"')
    from synaptick.cli.main import main

    spec = tmp_path / "spec.yaml"
    spec.write_text("seeds: 0\n")
    code = main(["sweep", str(spec), "--out", str(tmp_path / "out"), "--ray", "127.0.0.1:1"])
    assert code == 2
    assert "start a cluster with `ray start --head`" in capsys.readouterr().err
