"""Standard streams that are closed or cannot show what is to be said, and paths and numbers as people write them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from synaptick.kernels.base.jit import CACHE_FOLDER

from ..support.common import ROOT
from ..support.runs import SMALL, Cli, assert_whole
from ..support.trouble import ENV_ID


def shell(line: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell in which $SYNAPTICK is the command line."""
    code = "import sys, tests.support.trouble, synaptick.cli.main as cli; cli.command()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHON": sys.executable, "CODE": code, **variables}
    line = line.replace("$SYNAPTICK", '"$PYTHON" -c "$CODE"')
    return subprocess.run(["/bin/sh", "-c", line], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_is_one_that_nobody_reads(tmp_path: Path, closed: str) -> None:
    done = shell(f"$SYNAPTICK run {ENV_ID} {' '.join(SMALL)} --steps 300 --out a {closed}", tmp_path)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert_whole(tmp_path / "a", 300)
    # No file of the run was taken for the stream.
    for name in ("config.yaml", "results.csv", "summary.json"):
        assert "mean return" not in (tmp_path / "a" / name).read_text()


def test_a_copy_whose_file_others_closed_goes_without_a_word() -> None:
    code = "import os; from synaptick.training.console import kept_streams\n"
    code += "with kept_streams(): os.closerange(3, 99)\n"
    code += (
        "print(len(os.listdir('/proc/self/fd')))\nwith kept_streams(): pass\nprint(len(os.listdir('/proc/self/fd')))"
    )
    done = subprocess.run([sys.executable, "-X", "dev", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "4\n4\n", "")


def test_what_an_encoding_cannot_show_is_escaped(tmp_path: Path) -> None:
    run = f"$SYNAPTICK run {ENV_ID} {' '.join(SMALL)} --steps 300 --out"
    done = shell(f"{run} ünï", tmp_path, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout.endswith("\n\\xfcn\\xef\n")) == (0, True)
    assert_whole(tmp_path / "ünï", 300)
    again = shell(f"{run} ünï", tmp_path, PYTHONIOENCODING="ascii")
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "\\xfcn\\xef already holds a run" in again.stderr
    # A name that is no text in any encoding.
    done = shell(f"{run} \"$(printf 'a\\377')\"", tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert_whole(Path(os.fsdecode(bytes(tmp_path) + b"/a\xff")), 300)


def test_standard_output_has_the_result_alone(tmp_path: Path) -> None:
    done = shell(f"$SYNAPTICK run {ENV_ID} {' '.join(SMALL)} --steps 300 --out a --json", tmp_path)
    assert json.loads(done.stdout)["steps"] == 300
    assert "300 steps" in done.stderr


def test_the_home_folder_and_numbers_as_people_write_them(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "SYNAPTICK_CACHE_DIR": str(CACHE_FOLDER)}
    run = f"$SYNAPTICK run {ENV_ID} {' '.join(SMALL)}"
    assert shell(f"{run} --steps 1e2 --out '~/a' --quiet", tmp_path, **home).returncode == 0
    assert_whole(tmp_path / "a", 100)
    done = shell("$SYNAPTICK run --resume '~/a' --steps 1_50 --quiet", tmp_path, **home)
    assert (done.returncode, done.stderr) == (0, "")
    assert_whole(tmp_path / "a", 150)
    assert shell("$SYNAPTICK eval '~/a' --episodes 1e0", tmp_path, **home).returncode == 0


@pytest.mark.parametrize("text", ["1.5", "1e-1", "1e400", "nan", "inf", "", "ten", "1e5e5", "²"])
def test_what_is_no_whole_number_is_refused_in_one_line(cli: Cli, text: str) -> None:
    code, out, err = cli("run", ENV_ID, f"--steps={text}")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "is not a whole number, such as 100000 or 1e5" in err
