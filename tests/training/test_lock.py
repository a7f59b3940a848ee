"""One process at a time writes to a folder, and one that is gone holds nothing."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import types
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from synaptick import StateError
from synaptick.training import lock as lock_module
from synaptick.training.lock import LOCK_FILE, FolderLock

from ..support.runs import SMALL, Cli, assert_whole
from ..support.trouble import ENV_ID

HOLD = "import sys, time; from synaptick.training.lock import FolderLock; from pathlib import Path\n"
HOLD += "lock = FolderLock(Path(sys.argv[1])); print('held', flush=True); time.sleep(600)"


@contextmanager
def held(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Let another process hold the lock of a folder."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_run_of_a_folder_is_refused_with_the_process_that_has_it(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    assert cli("run", ENV_ID, *SMALL, "--steps", 30, "--out", "a", "--quiet")[0] == 0
    with held(folder) as process:
        for arguments in (("--resume", "a", "--steps", 60), (ENV_ID, "--out", "a")):
            code, out, err = cli("run", *arguments, "--quiet")
            assert (code, out) == (2, "")
            assert f"is being written by another run (process {process.pid} on " in err
        assert cli("eval", "a", "--episodes", 2)[0] == 0  # reading is not writing
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert (folder / LOCK_FILE).exists()
    assert cli("run", "--resume", "a", "--steps", 60, "--quiet") == (0, "", "")
    assert_whole(folder, 60)
    assert not (folder / LOCK_FILE).exists()


def test_two_runs_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    open_before = len(os.listdir("/proc/self/fd"))
    one = FolderLock(tmp_path)
    with pytest.raises(StateError, match=f"process {os.getpid()}"):
        FolderLock(tmp_path)
    with pytest.raises(StateError, match=f"process {os.getpid()}"):  # the refusal has not given the lock back
        FolderLock(tmp_path)
    one.release()
    one.release()
    assert len(os.listdir("/proc/self/fd")) == open_before
    FolderLock(tmp_path).release()
    assert list(tmp_path.iterdir()) == []


def test_two_threads_exclude_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(*arguments: Any) -> None:
        time.sleep(0.2)
        fcntl.lockf(*arguments)

    monkeypatch.setattr(lock_module, "fcntl", types.SimpleNamespace(lockf=slowly, LOCK_EX=2, LOCK_NB=4))
    with ThreadPoolExecutor(2) as pool:
        errors = [future.exception() for future in [pool.submit(FolderLock, tmp_path) for _ in range(2)]]
    assert sorted(type(error).__name__ for error in errors) == ["BusyError", "NoneType"]


def test_a_lock_whose_file_was_removed_leaves_that_of_another(tmp_path: Path) -> None:
    one = FolderLock(tmp_path)
    (tmp_path / LOCK_FILE).unlink()
    with held(tmp_path):
        one.release()
        with pytest.raises(StateError):
            FolderLock(tmp_path)


def test_a_process_left_behind_holds_nothing(tmp_path: Path) -> None:
    """A child that is forked has the file open, and lives on when its parent is gone."""
    lock = FolderLock(tmp_path)
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    child.start()
    lock.release()
    FolderLock(tmp_path).release()
    child.kill()
    child.join()


def test_a_descriptor_that_others_closed_and_use_is_left_to_them(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    number = lock._file
    os.close(number)
    other = os.open(tmp_path / "other", os.O_RDWR | os.O_CREAT)
    assert other == number
    lock.release()
    assert os.write(other, b"x") == 1
    os.close(other)
    FolderLock(tmp_path).release()


RACE = """
import sys, time
from pathlib import Path
from synaptick import StateError
from synaptick.training.lock import FolderLock
folder, entered = Path(sys.argv[1]), 0
end = time.monotonic() + 1.0
while time.monotonic() < end:
    try:
        lock = FolderLock(folder)
    except StateError:
        continue
    inside = folder / "inside"
    inside.touch(exist_ok=False)
    inside.unlink()
    entered += 1
    lock.release()
print(entered)
"""


def test_never_two_at_a_time(tmp_path: Path) -> None:
    """Four processes take and give back as fast as they can; the file is removed and made anew all the time."""
    command = [sys.executable, "-c", RACE, str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
        assert int(out) > 0
