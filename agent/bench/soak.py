"""A long ordinary run that is measured while it goes on, to see whether anything grows, slows down or breaks."""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from ..agent import Agent
from ..config import Config
from ..errors import ConfigError, Interrupted, StateError
from ..metrics.episodes import Tally
from ..metrics.process import descriptors, resident
from ..realtime import Histogram
from ..training.display import Display, Lines, Silent
from ..training.environment import environment_seed
from ..training.guarded_env import GuardedEnv, cause_of, env_failure
from ..training.hooks import Functions
from ..training.interrupts import StopRequest
from ..training.loop import run
from ..training.results import HEADER, RESULTS_FILE
from ..training.run_folder import RunFolder
from ..versions import versions
from .support.gauges import Line, Scanner
from .support.observed import Observed

# The run is compared tenth by tenth; processor time is read once a block, because reading it costs a call.
PARTS = 10
BLOCK = 1000
MIN_TICKS = PARTS * BLOCK
# About so often in a run are the resident set read and the state scanned.
SAMPLES = 1000
PAGE = 4096
# What must hold at the end: bytes per 10^6 ticks, and the last tenth relative to the first.
MOST_SLOPE, MOST_MEDIAN, MOST_TAIL = 1024.0, 1.05, 1.20
# Bytes within which the rows of metrics that are kept settle: at most 4,096, some 1.2 MB, that come and go one by one.
SETTLING = 128 * 1024


class _TimedAgent(Agent):
    """An agent that keeps in `times` how long each tick takes: a step, or an episode's end and the start after it."""

    times: Histogram
    _ended = 0

    def start(self, observation: Any, learn: bool = True, taken: Any = None) -> Any:
        begun = time.perf_counter_ns()
        action = Agent.start(self, observation, learn, taken)
        if self._ended:
            self.times.add(time.perf_counter_ns() - begun + self._ended)
            self._ended = 0
        return action

    def step(self, reward: float, observation: Any, learn: bool = True, taken: Any = None) -> Any:
        begun = time.perf_counter_ns()
        action = Agent.step(self, reward, observation, learn, taken)
        self.times.add(time.perf_counter_ns() - begun)
        return action

    def end(self, reward: float, observation: Any = None, learn: bool = True) -> None:
        begun = time.perf_counter_ns()
        Agent.end(self, reward, observation, learn)
        self._ended = time.perf_counter_ns() - begun


class _TimedEnv:
    """An environment whose time is added up in `nanoseconds`, so that what it takes is not laid at the agent's door."""

    def __init__(self, env: Any) -> None:
        self._env = env
        self.nanoseconds = 0

    def reset(self, *, seed: int | None = None) -> Any:
        begun = time.perf_counter_ns()
        result = self._env.reset(seed=seed)
        self.nanoseconds += time.perf_counter_ns() - begun
        return result

    def step(self, action: Any) -> Any:
        begun = time.perf_counter_ns()
        result = self._env.step(action)
        self.nanoseconds += time.perf_counter_ns() - begun
        return result


class _Part:
    """What one tenth of the run took: ticks of the agent, processor time of whole blocks, the environment."""

    def __init__(self) -> None:
        self.ticks, self.blocks = Histogram(), Histogram()
        self.environment = 0


class _Soak:
    """One soak; everything it keeps is made before it begins."""

    def __init__(self, config: Config, env: GuardedEnv, path: Path, stop: StopRequest, observed: bool = False) -> None:
        self.config, self.env, self.stop = config, _TimedEnv(env), stop
        self.agent = _TimedAgent(config, env.observation_space, env.action_space)
        self.folder = RunFolder.create(path, self.agent)
        self.observed = Observed(self.agent, self.folder, config.steps) if observed else None
        self.tally = Tally()
        self.display: Display = Silent()
        self.parts = [_Part() for _ in range(PARTS)]
        self.part = self.parts[0]
        self.agent.times = self.part.ticks
        self.resident, self.source = Line(), ""
        self.scanner, self.scans, self.non_finite, self.denormal = Scanner(), 0, 0, 0
        views = self.agent.arena.views
        # A control without a bound is bounded by infinity: that is as it should be.
        self.unbounded = sum(int(np.isinf(views[name]).sum()) for name in ("control_low", "control_high"))
        self.every = BLOCK * max(1, config.steps // (BLOCK * SAMPLES))
        self.warm = -(-config.steps // (PARTS * BLOCK)) * BLOCK
        self.block_due, self.checkpoint_due = BLOCK, config.checkpoint_every
        self.processor = self.environment = 0
        self.nbytes = self.agent.nbytes
        self.descriptors: list[int | None] = [None, None]
        self.interpreter: list[int | None] = [None, None]

    def go(self, quiet: bool) -> dict[str, Any]:
        """Run, and return what was measured."""
        with self.stop.elsewhere:
            self.agent.compile(self.agent.config)
        before = [generation["collections"] for generation in gc.get_stats()]
        title = f"soak of {self.config.env} seed {self.config.seed}"
        begun = time.monotonic()
        self.processor = time.thread_time_ns()
        try:
            with Silent() if quiet else Lines(title, self.config.steps, self.nbytes) as self.display:
                self._live()
            seconds = time.monotonic() - begun
            self._look(1)
            after = [generation["collections"] for generation in gc.get_stats()]
            self.folder.write_checkpoint(self.agent, self.tally)
        except OSError as error:
            raise StateError(f"cannot write to {self.folder.path}: {error.strerror or error}; make room") from error
        except Interrupted:
            raise
        except BaseException as error:
            raise env_failure(error, self.config.env, f"step {self.tally.steps + 1}") from cause_of(error)
        finally:
            self.folder.close()
        collections = [now - then for then, now in zip(before, after, strict=True)]
        result = self._result(seconds, collections)
        self.folder.write_summary(result)
        return result

    def _live(self) -> None:
        own, observed = Functions(on_step=self._after_step, on_episode=self.folder.write_episode), self.observed
        with observed or nullcontext():
            run(
                self.agent,
                self.env,
                self.config.steps,
                seed=environment_seed(self.config.seed, 0),
                tally=self.tally,
                hooks=[own] if observed is None else [own, observed],
                log_every=0 if observed is None else observed.log_every,
            )

    def _after_step(self, tally: Tally) -> None:
        self.stop.check("a soak has no result before its end")
        if tally.steps < self.block_due:
            return
        self.part.blocks.add(time.thread_time_ns() - self.processor)
        self.block_due += BLOCK
        self.part.environment += self.env.nanoseconds - self.environment
        self.environment = self.env.nanoseconds
        self.part = self.parts[min(tally.steps * PARTS // self.config.steps, PARTS - 1)]
        self.agent.times = self.part.ticks
        if tally.steps == self.warm:
            self.folder.write_checkpoint(self.agent, tally)  # what the first one sets up is no growth
            self._look(0)
        if tally.steps % self.every == 0:
            self._sample(tally.steps > self.warm)
        self.display.update(tally)
        if tally.steps >= self.checkpoint_due:
            self.folder.write_checkpoint(self.agent, self.tally)
            self.checkpoint_due += self.config.checkpoint_every
        self.processor = time.thread_time_ns()

    def _look(self, which: int) -> None:
        """Note open files and blocks of the interpreter, after the warm-up (0) and at the end (1)."""
        count = descriptors()
        # The file of results is not open before the first rows are written.
        waiting = (self.folder.path / RESULTS_FILE).stat().st_size <= len(HEADER)
        self.descriptors[which] = None if count is None else count + waiting
        self.interpreter[which] = sys.getallocatedblocks()

    def _sample(self, warm: bool) -> None:
        size, self.source = resident()
        if size is not None and warm:
            self.resident.add(self.tally.steps / 1e6, size)
        arena = self.agent.arena
        found = [self.scanner.count(section) for section in (arena.reals, arena.floats)]
        self.scans += 1
        self.non_finite = max(self.non_finite, sum(count for count, _ in found) - self.unbounded)
        self.denormal = max(self.denormal, sum(denormal for _, denormal in found))

    def _result(self, seconds: float, collections: list[int]) -> dict[str, Any]:
        line = self.resident
        files = {entry.name: entry.stat().st_size for entry in sorted(self.folder.path.iterdir())}
        result = {
            "env": self.config.env,
            "seed": self.config.seed,
            "ticks": self.tally.steps,
            "episodes": self.tally.episodes,
            "mean_return_last_100": self.tally.mean_return,
            "seconds": seconds,
            "ticks_per_second": self.tally.steps / max(seconds, 1e-9),
            "state_bytes": {"first": self.nbytes, "last": self.agent.nbytes},
            "resident_bytes": {
                "slope_per_1e6_ticks": line.slope,
                **(
                    {name: getattr(line, name) for name in ("first", "last", "least", "greatest")}
                    if line.points
                    else {}
                ),
                "samples": line.points,
                "source": self.source,
            },
            "tick_us": _quantiles([part.ticks for part in self.parts], 1e3),
            "loop_cpu_us": _quantiles([part.blocks for part in self.parts], 1e3 * BLOCK),
            "environment_us": [part.environment / 1e3 / max(part.ticks.count, 1) for part in self.parts],
            "file_bytes": {"all": sum(files.values()), **files},
            "descriptors": dict(zip(("first", "last"), self.descriptors, strict=True)),
            "scans": self.scans,
            "non_finite": self.non_finite,
            "denormal": self.denormal,
            "collections": collections,
            "interpreter_blocks": dict(zip(("first", "last"), self.interpreter, strict=True)),
            "out": str(self.folder.path),
            "versions": versions(),
        }
        if self.observed is not None:
            result["observed"] = self.observed.to_dict()
        return {**result, "violations": violations(result)}


def _quantiles(histograms: list[Histogram], unit: float) -> dict[str, list[float | None]]:
    """Return median and p99.9 of each tenth, in units of so many nanoseconds."""
    found: dict[str, list[float | None]] = {}
    for name, share in (("median", 0.5), ("p99.9", 0.999)):
        values = [histogram.quantile(share) for histogram in histograms]
        found[name] = [None if value is None else value / unit for value in values]
    return found


def violations(result: dict[str, Any]) -> list[str]:
    """Return a line for each bound that the result of a soak breaks.

    A resident set is counted in pages, so a run so short that two pages more would break the bound on its slope is
    allowed these two, and one with rows of metrics what they take to settle.
    """
    found = []
    slope = result["resident_bytes"]["slope_per_1e6_ticks"]
    room = 2 * PAGE + (SETTLING if "observed" in result else 0)
    most = max(MOST_SLOPE, room / (result["ticks"] * (PARTS - 1) / PARTS / 1e6))
    if slope is not None and slope > most:
        found.append(f"the resident set grows by {slope:,.0f} bytes per 10^6 ticks; allowed: {most:,.0f}")
    for name, bound in (("median", MOST_MEDIAN), ("p99.9", MOST_TAIL)):
        first, last = result["tick_us"][name][0], result["tick_us"][name][-1]
        if first is not None and last is not None and last > bound * first:
            found.append(
                f"the {name} time of a tick is {last:.2f} us in the last tenth and {first:.2f} us in the first; "
                f"allowed: {100 * (bound - 1):.0f} % more"
            )
    if result["non_finite"]:
        found.append(f"{result['non_finite']} numbers of the state are not finite; allowed: none")
    size = result["state_bytes"]
    if size["first"] != size["last"]:
        found.append(f"the state has {size['last']:,} bytes and had {size['first']:,}; allowed: no change")
    files = result["descriptors"]
    if files["first"] is not None and files["last"] > files["first"]:
        found.append(f"{files['last']} files are open, {files['first']} were after the warm-up; allowed: no more")
    return found


def soak(config: Config, out: Path | None = None, quiet: bool = False, observed: bool = False) -> dict[str, Any]:
    """Run a configuration for ``config.steps`` ticks as `synaptick run` does, and return what was measured.

    Parameters
    ----------
    config : Config
    out : Path, optional
        Folder to write; by default a temporary one, whose size is measured all the same.
    quiet : bool
        Show no progress.
    observed : bool
        With all that can look at an agent meanwhile (`support.observed`).

    Returns
    -------
    dict
        Lists have an entry for each tenth of the run, in order; ``violations`` has a line for each
        bound that was violated.

    Raises
    ------
    ConfigError
        If there are too few steps for ten tenths.
    EnvError, RunError, SpaceError, StateError, Interrupted
        As for a run.
    """
    if config.steps < MIN_TICKS:
        raise ConfigError(f"--ticks {config.steps}: allowed: {MIN_TICKS} or more, a block of {BLOCK} for each tenth")
    with ExitStack() as stack:
        path = (out or Path(stack.enter_context(tempfile.TemporaryDirectory())) / "run").absolute()
        stop = stack.enter_context(StopRequest())
        env = stack.enter_context(GuardedEnv(config, stop))
        return {**_Soak(config, env, path, stop, observed).go(quiet), "out": None if out is None else str(out)}
