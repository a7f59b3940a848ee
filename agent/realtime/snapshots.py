"""Copies of the agent in memory that is allocated once, to go back to, and on their way to disk."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from ..agent import Agent
from ..arena.checkpoint import NEWEST_FILE, OLDER_FILE
from ..errors import ConfigError, StateError
from ..files import expanded
from .state_scan import bounds_of_controls
from .writer import Writer


class Snapshots:
    """A ring of copies of an agent's whole state.

    Taking one is a copy of `Agent.nbytes` bytes between two steps; nothing is allocated and nobody is waited for.

    Parameters
    ----------
    agent : Agent
    every : int
        Steps between two snapshots.
    keep : int
        Copies, at least 3: one that is being written, the one with the greatest running return, the newest.
    folder : path, optional
        Where snapshots are written, as the checkpoints ``agent.synaptick`` and ``agent.older.synaptick``.
    write_every : int
        Steps between two that are written. After one that could not be written, the next one is tried.

    Attributes
    ----------
    taken, written, failed : int
        Snapshots taken, brought to disk, and not brought to disk.
    last_written : int or None
        Step of the last one that was brought to disk.
    around : tuple of str
        What stands between the agent and its machine, and is in no file: kept in the notes of one, for who takes the
        agent elsewhere.

    Raises
    ------
    ConfigError
        If a number is impossible.
    StateError
        If the folder holds an agent that has learned for longer than this one, so that it would be lost.
    """

    def __init__(
        self,
        agent: Agent,
        every: int = 1000,
        keep: int = 4,
        folder: str | os.PathLike[str] | None = None,
        write_every: int = 60_000,
    ) -> None:
        for name, value, low in (("every", every, 1), ("keep", keep, 3), ("write_every", write_every, 1)):
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                raise ConfigError(f"snapshots: {name} is {value!r}; allowed: a whole number of {low} or more")
        self.agent, self.every = agent, every
        self._blocks = np.zeros((keep, agent.nbytes), np.uint8)
        self._blocks.fill(0)  # zeros alone would be given page by page, while the loop runs
        self._taken_at, self._levels, self._good = [-1] * keep, [-math.inf] * keep, [False] * keep
        if folder is not None:
            _refuse_to_replace(expanded(folder), agent)
        self._writer = None if folder is None else Writer(folder)
        self._write_every, self._write_due = write_every, 0
        self._writing = -1
        self._metadata = agent.describe()
        self._may_be_infinite = bounds_of_controls(agent.arena)
        self.taken = self.written = self.failed = 0
        self.last_written: int | None = None
        self.around: tuple[str, ...] = ()

    @staticmethod
    def load_newest(folder: str | os.PathLike[str]) -> Agent | None:
        """Return the agent that was last written to a folder, as `Agent.load_newest`; None if there is none."""
        return Agent.load_newest(folder)

    @property
    def folder(self) -> Path | None:
        """Where snapshots are written; None if they are not."""
        return None if self._writer is None else self._writer.folder

    @property
    def nbytes(self) -> int:
        """Bytes of all copies."""
        return int(self._blocks.nbytes)

    def take(self, step: int, level: float = -math.inf) -> None:
        """Copy the agent over the oldest copy, and begin to write it if that is due.

        Spared are a copy that is being written, and the one with the greatest `level`.

        Parameters
        ----------
        step : int
            Steps so far.
        level : float
            The running return; -inf if it is not known.
        """
        spared = {self._best()}
        if self._writer is not None and self._writer.busy:
            spared.add(self._writing)
        slot = min((slot for slot in range(len(self._blocks)) if slot not in spared), key=self._taken_at.__getitem__)
        np.copyto(self._blocks[slot], self.agent.arena.block)
        self._taken_at[slot], self._levels[slot], self._good[slot] = step, level, True
        self.taken += 1
        if self._writer is not None and step >= self._write_due and not self._writer.busy:
            self._writing, self._write_due = slot, step + self._write_every
            self._writer.write(step, self._blocks[slot], self._noted(step), lambda: self._is_sound(slot))

    def _noted(self, step: int) -> dict[str, Any]:
        around = {"around": list(self.around)} if self.around else {}
        return {**self._metadata, "notes": {"realtime": {"step": step, **around}}}

    def outcome(self) -> tuple[int, str] | None:
        """Return step and problem ("" for none) of a snapshot that the writer has done with, or None; each once."""
        if self._writer is None or not self._writer.outcomes:
            return None
        step, problem = self._writer.outcomes.popleft()
        if problem:
            self.failed += 1
            self._write_due = 0
        else:
            self.written += 1
            self.last_written = step
        return step, problem

    @property
    def steps(self) -> list[int]:
        """Steps of the copies that there are to go back to, oldest first."""
        return sorted(taken_at for taken_at, fine in zip(self._taken_at, self._good, strict=True) if fine)

    def _newest(self) -> int | None:
        good = [slot for slot, fine in enumerate(self._good) if fine]
        return max(good, key=self._taken_at.__getitem__, default=None)

    def _best(self) -> int | None:
        known = [slot for slot, fine in enumerate(self._good) if fine and self._levels[slot] > -math.inf]
        return max(known, key=self._levels.__getitem__, default=None)

    def forget_returns(self) -> None:
        """Take the running returns of all copies for unknown: the world has changed."""
        self._levels = [-math.inf] * len(self._levels)

    def _is_sound(self, slot: int) -> bool:
        """Return whether all numbers of a copy are finite, but for bounds of controls: these may be infinite."""
        arena, block = self.agent.arena, self._blocks[slot]
        reals_at, floats_at = arena.ints.nbytes, arena.ints.nbytes + arena.reals.nbytes
        reals, floats = block[reals_at:floats_at].view(np.float64), block[floats_at:].view(np.float32)
        fine = np.isfinite(reals)
        fine |= self._may_be_infinite & ~np.isnan(reals)
        return bool(fine.all()) and bool(np.isfinite(floats).all())

    def discard(self, step: int) -> None:
        """Never go back to the copy of this step again."""
        for slot, taken_at in enumerate(self._taken_at):
            if taken_at == step:
                self._good[slot] = False

    def restore(self, best: bool = False, exact: bool = False) -> tuple[int, float] | None:
        """Put the agent back to the newest sound copy, and return its step and level; None if there is none.

        Bit for bit, but for the random numbers: these go on from where they are now. With those of the snapshot the
        agent would draw the same actions again, and in a plant that answers in the same way, walk into the same failure
        again and again. The draws still follow from the seed and from what was met, so that a replay is the same.

        Parameters
        ----------
        best : bool
            True: to the copy with the greatest level, if it is known. The newest ones may be of a time when the agent
            had gone wrong already, and its running return had not yet followed.
        exact : bool
            True: the random numbers too.
        """
        slot = self._choice(best)
        while slot is not None and not self._is_sound(slot):
            self._good[slot] = False
            slot = self._choice(best)
        if slot is None:
            return None
        arena = self.agent.arena
        words = arena.random.copy()
        np.copyto(arena.block, self._blocks[slot])
        # Words that the generator cannot have made are part of what is broken.
        if not exact and words.any() and ((words >= 0) & (words < 2**32)).all():
            arena.random[:] = words
        return self._taken_at[slot], self._levels[slot]

    def _choice(self, best: bool) -> int | None:
        slot = self._best() if best else None
        return self._newest() if slot is None else slot

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until nothing is being written, for at most so many seconds; return whether that is so."""
        return self._writer is None or self._writer.wait(seconds)

    @property
    def on_its_way(self) -> int | None:
        """Step of the copy that is being written; None if none is."""
        return self._taken_at[self._writing] if self._writer is not None and self._writer.busy else None

    def close(self, step: int, level: float = -math.inf, last: bool = True) -> bool:
        """Write a last snapshot, if `last` and there is a folder, and end the thread; waits half a minute at most.

        Returns
        -------
        bool
            False if the disk has not answered by then.
        """
        if self._writer is None:
            return True
        if self._writer.wait(10.0) and last:
            self._write_due = 0
            self.take(step, level)
        self._writer.wait(10.0)
        return self._writer.close()


def _refuse_to_replace(folder: Path, agent: Agent) -> None:
    """Raise `StateError` if a folder holds an agent of more ticks, which this one cannot have come from."""
    for name in (NEWEST_FILE, OLDER_FILE):
        try:
            ticks = Agent.load(folder / name).ticks
        except (OSError, StateError):  # there is none, or none that could be used
            continue
        if ticks > agent.ticks:
            raise StateError(
                f"{folder / name} holds an agent of {ticks:,} ticks, which one of {agent.ticks:,} would replace; go on "
                f"with Snapshots.load_newest({str(folder)!r}), or give another folder"
            )
        return
