"""A process that is told to stop stops within a second, wherever it is, and says what became of what was learned."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from synaptick import Agent
from synaptick.training.run_folder import RunFolder

from ..support.common import ROOT
from ..support.runs import SMALL, Cli, assert_whole

STOP = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
# A mutex that is locked twice: no signal interrupts that, as one does a sleep.
FOREVER = "import ctypes; c, m = ctypes.{}(None), bytes(128); c.pthread_mutex_lock(m); c.pthread_mutex_lock(m)"
# What an environment does at its 50th step, having said so.
STUCK = {
    "sleeps": "import time; time.sleep(600)",
    "loops": "while True: pass",
    "waits in C": FOREVER.format("CDLL"),
    "holds the interpreter in C": FOREVER.format("PyDLL"),
}
MODULE = """
import os
import gymnasium
from gymnasium.envs.classic_control import CartPoleEnv

class Stuck(CartPoleEnv):
    steps = 0
    def step(self, action):
        Stuck.steps += 1
        if Stuck.steps == 50 and os.environ.get("STUCK"):
            print("stuck", flush=True)
            exec(os.environ["STUCK"])
        return super().step(action)
    def close(self):
        if os.environ.get("STUCK_IN_CLOSE"):
            print("stuck", flush=True)
            exec(os.environ["STUCK_IN_CLOSE"])

gymnasium.register("Stuck-v0", Stuck, disable_env_checker=True)
"""


def started(folder: Path, *arguments: str, command: str = "run", **variables: str) -> subprocess.Popen[str]:
    (folder / "stuck.py").write_text(MODULE)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), **variables}
    return subprocess.Popen(
        [sys.executable, "-m", "synaptick", command, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("how", STUCK)
def test_an_environment_that_does_not_return_is_given_up(cli: Cli, tmp_path: Path, how: str) -> None:
    run = ("stuck:Stuck-v0", *SMALL, "--set", "checkpoint_every=20", "--steps", "100", "--out", "a", "--quiet")
    number, code = signal.SIGTERM, 143
    with started(tmp_path, *run, STUCK=STUCK[how]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "stuck\n"
        process.send_signal(number)
        begun = time.monotonic()
        _, err = process.communicate(timeout=60)
        seconds = time.monotonic() - begun
    assert seconds < 10.0  # it says within one; the rest is for a machine that is busy
    if how == "holds the interpreter in C":
        assert process.returncode == -signal.SIGKILL
        assert "steps after the last checkpoint are lost" in err
        steps = 40
    else:
        assert (process.returncode, err.count("\n")) == (code, 1)
        assert "stopped by SIGTERM in a call that did not return; all steps before it are in a" in err
        assert_whole(tmp_path / "a", 49)
        steps = 49
    assert err.endswith("continue with: synaptick run --resume a\n")
    assert Agent.load(tmp_path / "a" / "agent.synaptick").ticks == steps
    with started(tmp_path, "--resume", "a", "--quiet", STUCK="") as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, ""), err
    assert_whole(tmp_path / "a", 100)


@pytest.mark.parametrize("fails", [False, True])
def test_an_environment_that_does_not_close_is_given_up_and_what_was_saved_stays(tmp_path: Path, fails: bool) -> None:
    """Its state is in the checkpoint, or the reason why the run ended before is told."""
    run = ("stuck:Stuck-v0", *SMALL, "--steps", "60", "--out", "a", "--quiet")
    stuck = {"STUCK": "1 / 0"} if fails else {}
    with started(tmp_path, *run, STUCK_IN_CLOSE=STUCK["sleeps"], **stuck) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(1 + fails)][-1] == "stuck\n"
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 143
    assert err.startswith("synaptick: stopped by SIGTERM while the environment was being closed; ")
    assert (
        "Stuck-v0 failed at step 50 (ZeroDivisionError: division by zero); everything before is in a" in err
    ) == fails
    assert err.endswith("continue with: synaptick run --resume a\n")
    assert_whole(tmp_path / "a", 49 if fails else 60)
    assert (RunFolder.open(tmp_path / "a").load().env is None) == fails


def test_an_evaluation_that_is_given_up_says_nothing_of_learning(tmp_path: Path) -> None:
    run = ("stuck:Stuck-v0", *SMALL, "--steps", "30", "--out", "a", "--quiet")
    with started(tmp_path, *run) as process:
        assert process.wait(60) == 0
    with started(tmp_path, "a", command="eval", STUCK=STUCK["sleeps"]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "stuck\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "synaptick: stopped by SIGINT in a call that did not return\n")


def test_ctrl_c_while_modules_are_loaded_ends_in_silence() -> None:
    code = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "numba":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Finder())
from synaptick.__main__ import command
command()
"""
    done = subprocess.run([sys.executable, "-c", code, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_a_wakeup_descriptor_that_was_closed_meanwhile_is_no_error() -> None:
    """As one of an event loop in which a run was started."""
    code = """
import os, signal
from synaptick.training.interrupts import StopRequest
read, write = os.pipe()
os.set_blocking(write, False)
signal.set_wakeup_fd(write)
with StopRequest():
    os.close(write)
print(signal.set_wakeup_fd(-1))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "-1\n", "")


@pytest.mark.parametrize(("number", "code"), STOP)
def test_a_compilation_is_given_up(tmp_path: Path, number: int, code: int) -> None:
    cache = tmp_path / "cache"
    run = ("CartPole-v1", *SMALL, "--out", "a")
    with started(tmp_path, *run, SYNAPTICK_CACHE_DIR=str(cache)) as process:
        assert process.stderr is not None
        assert "compiling the step" in process.stderr.readline()
        time.sleep(0.5)
        process.send_signal(number)
        begun = time.monotonic()
        _, err = process.communicate(timeout=60)
        seconds = time.monotonic() - begun
    assert (process.returncode, err.count("\n")) == (code, 1)
    assert f"stopped by {signal.Signals(number).name} in a call that did not return" in err
    assert seconds < 10.0
    assert Agent.load(tmp_path / "a" / "agent.synaptick").ticks == 0


def test_a_hangup_that_is_ignored_stays_so(tmp_path: Path) -> None:
    """As under nohup."""
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); from synaptick.training import interrupts\n"
    code += "with interrupts.StopRequest('') as stop: signal.raise_signal(signal.SIGHUP); print(stop.number)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


def test_a_child_that_is_terminated_does_not_stop_its_parent(tmp_path: Path) -> None:
    """A signal of a forked process reaches that one alone, and ends it."""
    code = """
import multiprocessing, signal, time
from synaptick.training.interrupts import StopRequest
with StopRequest("") as stop:
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    child.start()
    child.terminate()
    child.join(10)
    time.sleep(0.3)
    print(child.exitcode, stop.number)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "-15 0\n", "")


def test_everything_is_as_before_afterwards() -> None:
    code = """
import os, signal, threading
from synaptick.training.interrupts import SIGNALS, StopRequest
before = [signal.getsignal(number) for number in SIGNALS], threading.active_count(), len(os.listdir("/proc/self/fd"))
for _ in range(3):
    with StopRequest("") as stop:
        pass
after = [signal.getsignal(number) for number in SIGNALS], threading.active_count(), len(os.listdir("/proc/self/fd"))
assert before == after, (before, after)
assert signal.set_wakeup_fd(-1) == -1
try:
    os.wait()
except ChildProcessError:
    print("no child")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "no child\n", "")


def test_what_an_environment_leaves_behind_does_not_keep_the_process(tmp_path: Path) -> None:
    (tmp_path / "leaving.py").write_text(
        "import multiprocessing, threading, time, gymnasium\n"
        "from gymnasium.envs.classic_control import CartPoleEnv\n"
        "class Leaving(CartPoleEnv):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "        multiprocessing.get_context('fork').Process(target=time.sleep, args=(600,)).start()\n"
        "gymnasium.register('Leaving-v0', Leaving, disable_env_checker=True)\n"
    )
    with started(tmp_path, "leaving:Leaving-v0", *SMALL, "--steps", "30", "--out", "a") as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out.count("\n"), err.count("\n")) == (0, 3, 1), err
    assert "Traceback" not in err
