"""An environment that does at random moments what no environment should, and what has to hold all the same.

``python -m tests.support.hostile FIRST COUNT FOLDER`` lives so many random histories in child processes, which are
forked from one that has loaded all that is slow, and prints what happened as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import mmap
import os
import random
import re
import signal
import struct
import sys
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces
from synaptick import Agent
from synaptick.cli.main import command

ENV_ID = "synaptick_tests/Hostile-v0"
STEPS = 90
EVERY = 20
LENGTH = 11
FOREVER = 600.0
# No stretch of a run may take so many seconds.
PATIENCE = 30.0


class Unspeakable(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("there are no words for it")

    __repr__ = __str__


class Escape(BaseException):
    """What no `except Exception` catches."""


class Treacherous:
    """A number, until it is read."""

    def __float__(self) -> float:
        raise SystemExit(0)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise SystemExit(0)


def recur() -> None:
    recur()


def raising(error: Callable[[], BaseException]) -> Callable[[], None]:
    def deed() -> None:
        raise error()

    return deed


# What an environment may raise, wherever it is called. Each ends the run with code 1.
RAISED: dict[str, Callable[[], None]] = {
    "raises Exception": raising(lambda: Exception("no more")),
    "raises an error of many lines": raising(lambda: ValueError("one\ntwo\n\tthree \udc80")),
    "raises an AssertionError without text": raising(AssertionError),
    "raises SystemExit": raising(SystemExit),
    "raises SystemExit of 0": raising(lambda: SystemExit(0)),
    "raises SystemExit with a text": raising(lambda: SystemExit("the window was closed")),
    "raises KeyboardInterrupt": raising(KeyboardInterrupt),
    "raises GeneratorExit": raising(GeneratorExit),
    "raises StopIteration": raising(StopIteration),
    "raises CancelledError": raising(asyncio.CancelledError),
    "raises MemoryError": raising(MemoryError),
    "raises what is no Exception": raising(lambda: Escape("away")),
    "raises what cannot be shown": raising(Unspeakable),
    "recurs without end": recur,
}

# What a step may return in place of a transition. Each ends the run with code 2, or 1 where an object misbehaves.
Step = tuple[Any, Any, bool, bool, dict[str, Any]]
RETURNED: dict[str, Callable[[Step], Any]] = {
    "returns four": lambda step: (step[0], step[1], step[2], step[4]),
    "returns None": lambda step: None,
    "returns a list": list,
    "returns another shape": lambda step: (step[0][:1], *step[1:]),
    "returns a scalar": lambda step: (0.5, *step[1:]),
    "returns words": lambda step: ("left", *step[1:]),
    "returns objects": lambda step: (np.array([None, None]), *step[1:]),
    "returns complex numbers": lambda step: (step[0] * 1j, *step[1:]),
    "returns NaN": lambda step: (step[0] * np.nan, *step[1:]),
    "returns infinity": lambda step: (step[0] + np.inf, *step[1:]),
    "rewards with NaN": lambda step: (step[0], float("nan"), *step[2:]),
    "rewards with None": lambda step: (step[0], None, *step[2:]),
    "rewards with a list": lambda step: (step[0], [1.0, 2.0], *step[2:]),
    "ends with an array": lambda step: (step[0], step[1], np.array([True, False]), *step[3:]),
    "truncates without an observation": lambda step: (None, step[1], False, True, {}),
    "rewards with what cannot be read": lambda step: (step[0], Treacherous(), *step[2:]),
    "shows what cannot be read": lambda step: (Treacherous(), *step[1:]),
}


def close_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.close()


def close_files_of_streams() -> None:
    os.close(1)
    os.close(2)


def close_other_files() -> None:
    os.closerange(3, 256)


def replace_streams() -> None:
    sys.stdout = sys.stderr = None  # type: ignore[assignment]


def fork() -> None:
    os.fork()


def leave_a_thread() -> None:
    threading.Thread(target=time.sleep, args=(FOREVER,), daemon=False).start()


def go_away() -> None:
    os.chdir("/")


def forget_the_surroundings() -> None:
    os.environ.clear()


def raise_floating_point_errors() -> None:
    np.seterr(all="raise")


def seed_everything() -> None:
    np.random.seed(0)  # noqa: NPY002
    random.seed(0)


def warn_by_raising() -> None:
    warnings.simplefilter("error")


# What an environment may do to the process. The run goes on to its end.
DONE: dict[str, Callable[[], None]] = {
    "goes to another folder": go_away,
    "closes the streams": close_streams,
    "closes the files of the streams": close_files_of_streams,
    "closes all other files": close_other_files,
    "replaces the streams": replace_streams,
    "forks": fork,
    "leaves a thread behind": leave_a_thread,
    "clears the variables of the environment": forget_the_surroundings,
    "raises floating point errors": raise_floating_point_errors,
    "seeds all random numbers": seed_everything,
    "turns warnings into errors": warn_by_raising,
    "turns off garbage collection": gc.disable,
    "sleeps": lambda: time.sleep(0.01),
}


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def eat_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    terminate()


def ignore_signals() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Hostile.terminated_later = True


def hang() -> None:
    terminate()
    time.sleep(FOREVER)


def spin() -> None:
    terminate()
    while True:
        pass


# What stops the run with code 143.
STOPPED: dict[str, Callable[[], None]] = {
    "is terminated": terminate,
    "eats a signal": eat_signals,
    "ignores signals, and is terminated after the next reset": ignore_signals,
    "is terminated and hangs": hang,
    "is terminated and never comes to an end": spin,
}
SECONDS = ("is terminated and hangs", "is terminated and never comes to an end")


class Hostile(gymnasium.Env[Any, Any]):
    """Episodes of `LENGTH` steps with the deeds of a stretch; good transitions are counted for all to see."""

    observation_space = spaces.Box(-9.0, 9.0, (2,), np.float64)
    action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)

    # Set before a process is forked: deeds by the number of good transitions before them.
    at_step: ClassVar[dict[int, str]] = {}
    at_reset: ClassVar[str] = ""
    at_close: ClassVar[str] = ""
    terminated_later: ClassVar[bool] = False
    process: ClassVar[int] = 0
    # Shared with the process that forked this one.
    good: ClassVar[mmap.mmap] = mmap.mmap(-1, 8)

    def __init__(self) -> None:
        self.time = 0
        self.returned: Any = np.zeros(2)

    @classmethod
    def count(cls, more: int = 0) -> int:
        """Return the number of good transitions, after adding to it."""
        number = int(struct.unpack("q", cls.good[:8])[0]) + more
        cls.good[:8] = struct.pack("q", number)
        return number

    def observe(self) -> Any:
        self.returned[:] = np.nan  # what was returned before is the agent's no longer
        self.returned = self.np_random.normal(size=2)
        return self.returned

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        if self.at_reset and self.count():
            RAISED[self.at_reset]()
        return self.observe(), {}

    def step(self, action: Any) -> Any:
        action[:] = np.nan
        if self.terminated_later and self.time % LENGTH == 0:
            terminate()
        self.time += 1
        done, odd = self.time % LENGTH == 0, self.time % 2 == 1
        step: Step = (self.observe(), float(self.time % 3), done and odd, done and not odd, {})
        deed = self.at_step.get(self.count(), "")
        if deed in RETURNED and done:  # of a last step of an episode little is looked at
            self.at_step[self.count() + 1], deed = deed, ""
        if deed in RETURNED:
            return RETURNED[deed](step)
        if deed:
            {**RAISED, **DONE, **STOPPED}[deed]()
        if os.getpid() == self.process:
            self.count(1)
        return step

    def close(self) -> None:
        if self.at_close:
            RAISED[self.at_close]()


gymnasium.register(ENV_ID, Hostile, disable_env_checker=True)


class Stretch:
    """One process of a history: what it is to do, and what has to come of it."""

    def __init__(self, draw: random.Random, last: bool) -> None:
        self.done = draw.sample(sorted(DONE), draw.randrange(3))
        if {"closes all other files"} < set(self.done) and any("streams" in deed for deed in self.done):
            self.done.pop()  # else nobody could say anything
        self.ending, self.place = "", "step"
        # With other files goes the pipe that an eaten signal is seen by.
        deaf = "closes all other files" in self.done
        kind = draw.randrange(8)
        if not last:
            self.ending = draw.choice(sorted(RAISED if kind < 3 else RETURNED if kind < 6 or deaf else STOPPED))
            if self.ending in RAISED and draw.randrange(4) == 0:
                self.place = "reset"
        self.closing = draw.choice(sorted(RAISED)) if draw.randrange(4) == 0 else ""
        self.offsets = sorted(draw.sample(range(LENGTH + 3), len(self.done)))
        self.offsets.append(draw.randrange(LENGTH + 3, 2 * LENGTH))

    def begin(self) -> None:
        """Tell the environment."""
        now = Hostile.count()
        deeds = [*self.done, self.ending if self.place == "step" else ""]
        Hostile.at_step = {now + offset: deed for offset, deed in zip(self.offsets, deeds, strict=True) if deed}
        Hostile.at_reset = self.ending if self.place == "reset" else ""
        Hostile.at_close = self.closing

    @property
    def deeds(self) -> list[str]:
        where = {"step": self.ending, "reset": f"{self.ending} in reset"}[self.place] if self.ending else ""
        return [*self.done, *filter(None, [where, self.closing and f"{self.closing} in close"])]

    @property
    def code(self) -> int:
        if self.ending in STOPPED:
            return 143
        unread = ("rewards with what cannot be read", "shows what cannot be read")
        return 0 if not self.ending else 2 if self.ending in RETURNED and self.ending not in unread else 1

    def wrong(self, code: int | None, out: str, err: str, path: Path) -> Iterator[str]:
        """Yield what is not as it has to be."""
        good = Hostile.count()
        if self.ending == "eats a signal" and good == STEPS:
            self.ending = ""  # all was done before the signal was seen
        if code != self.code:
            yield f"exit code {code}, not {self.code}"
        if "Traceback" in err + out:
            yield "a traceback"
        last = (err.splitlines() or [""])[-1]
        if not self.ending:
            if not re.search(rf"^{STEPS} steps, .* bytes of state\n{path}\n\Z", out, re.M):
                yield "no last lines of the result"
        elif self.ending in STOPPED:
            if not re.match(rf"synaptick: stopped by SIGTERM.* --resume {path}$", last):
                yield "no last line of the stop"
        elif not re.match(rf"synaptick: error: {ENV_ID} failed at step {good + 1} .* --resume {path}$", last):
            yield "no last line of the failure"
        if self.closing and self.ending not in SECONDS and "cannot be closed" not in err:
            yield "no word of the close that raised"
        summary = json.loads((path / "summary.json").read_text())
        steps = Agent.load(path / "agent.synaptick").ticks
        if not steps == summary["steps"] == good:
            yield f"{good} good steps, of which the checkpoint has {steps} and the summary {summary['steps']}"


def spawned(arguments: list[str], folder: Path) -> tuple[int | None, str, str]:
    """Run the command line in a process of its own; return its exit code (None: it did not end), output and error."""
    names = [folder / "out", folder / "err"]
    pid = os.fork()
    if not pid:
        Hostile.process = os.getpid()
        os.chdir(folder)
        for number, name in enumerate(names, 1):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        sys.stdout, sys.stderr = (open(number, "w", closefd=False) for number in (1, 2))  # noqa: SIM115
        sys.argv = ["synaptick", *arguments]
        try:
            command()
        except SystemExit as stop:
            threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter does: it waits for threads
            os._exit(stop.code if isinstance(stop.code, int) else 70)
        except BaseException:
            with open(folder / "err", "a") as file:
                traceback.print_exc(file=file)
        os._exit(70)
    code = waited(pid)
    return code, *(name.read_text(errors="replace") for name in names)


def waited(pid: int) -> int | None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def live(number: int, folder: Path) -> dict[str, Any]:
    """Live one history: stretches, each of which ends badly but the last; return its deeds, and what went wrong."""
    folder.mkdir()
    draw, path = random.Random(number), folder / "run"
    settings = ["--set", "layers=[8]", "--set", f"checkpoint_every={EVERY}", "--seed", str(number)]
    Hostile.count(-Hostile.count())
    deeds: list[str] = []
    wrong: list[str] = []
    stretches = [Stretch(draw, last) for last in (False, False, True)]
    for stretch in stretches:
        stretch.begin()
        fresh = not path.exists()
        start = ["run", ENV_ID, "--out", str(path), *settings] if fresh else ["run", "--resume", str(path)]
        code, out, err = spawned([*start, "--steps", str(STEPS)], folder)
        deeds += stretch.deeds
        try:
            found = list(stretch.wrong(code, out, err, path))
            if fresh and stretch.place == "step":
                found += lost(path, settings, folder)
        except Exception as error:
            found = [f"{type(error).__name__}: {error}"]
        wrong += [f"{number} {stretch.deeds}: {what}\n{err}" for what in found]
        if found or Hostile.count() == STEPS:
            break
    return {"deeds": deeds, "wrong": wrong}


def lost(path: Path, settings: list[str], folder: Path) -> list[str]:
    """Compare the agent with one that learned from the same transitions in peace."""
    steps = Hostile.count()
    if not steps:
        return []
    Hostile.at_step, Hostile.at_reset, Hostile.at_close = {}, "", ""
    calm = folder / "calm"
    spawned(["run", ENV_ID, "--out", str(calm), *settings, "--steps", str(steps), "--quiet"], folder)
    Hostile.count(steps - Hostile.count())
    one, other = (Agent.load(place / "agent.synaptick").snapshot() for place in (path, calm))
    return [] if (one == other).all() else ["learning was lost"]


def main() -> None:
    first, count, where = sys.argv[1:]
    Agent.compile()
    begun = time.monotonic()
    lives = [live(number, Path(where) / str(number)) for number in range(int(first), int(first) + int(count))]
    deeds = Counter(deed for each in lives for deed in each["deeds"])
    wrong = [what for each in lives for what in each["wrong"]]
    seconds = time.monotonic() - begun
    print(json.dumps({"histories": len(lives), "deeds": deeds, "wrong": wrong, "seconds": round(seconds, 1)}))


if __name__ == "__main__":
    main()
