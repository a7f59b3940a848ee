"""When the agent itself has gone wrong: non-finite values or a collapsed return, and the way back."""

from __future__ import annotations

from collections.abc import Callable

from ..agent import Agent
from ..metrics.histogram import Histogram
from .clock import SECOND
from .faults import Spells
from .running_return import RunningReturn
from .snapshots import Snapshots
from .state_scan import StateScan
from .watchdog import Watchdog

# Nanoseconds after which a disk that takes as long for one snapshot is trouble.
LONG_ON_ITS_WAY = 60 * SECOND


class Recovery:
    """Takes snapshots while all is well, and goes back to one when it is not.

    Parameters
    ----------
    agent : Agent
    watchdog : Watchdog
    snapshots : Snapshots
    spells : Spells
    note : callable
        Given kind and text of each event.
    now : callable
        Returns nanoseconds.

    Attributes
    ----------
    scan : StateScan
    returns : RunningReturn
    anew : bool
        Whether the agent was put back, or comes from an earlier process, so that it has to begin an episode.
    gave_up : bool
        Whether no good snapshot is left; the agent is not to be asked any more.
    count : int
        Rollbacks.
    written_at : int or None
        When the last snapshot that was brought to disk was found to be, nanoseconds; None if there is none.
    """

    def __init__(
        self,
        agent: Agent,
        watchdog: Watchdog,
        snapshots: Snapshots,
        spells: Spells,
        note: Callable[[str, str], None],
        now: Callable[[], int],
    ) -> None:
        self._watchdog, self._snapshots, self._spells, self._note, self._now = watchdog, snapshots, spells, note, now
        self.scan = StateScan(agent, watchdog.scan)
        self.returns = RunningReturn(watchdog, agent.config.discount)
        self.copy_time = Histogram()
        self.anew = self.gave_up = False
        self.count = 0
        self.written_at: int | None = None
        self._restored = self._restored_at = -1
        self._undid_collapse = False
        self._on_its_way: tuple[int | None, int] = (None, 0)
        snapshots.take(0)
        self._due = snapshots.every

    # ---- while all is well

    def after_step(self, step: int, agent_acts: bool) -> None:
        """Take a snapshot if one is due and this is a time to go back to; pick up what became of earlier ones."""
        if step < self._due:
            return
        self._due = step + self._snapshots.every
        self.take_outcomes(step)
        if not agent_acts or self.returns.bad_for:
            return
        # The running return fell slowly, if it did fall: it has to be good for as long as that takes.
        if step - self._restored_at > 3 * self._watchdog.return_steps + self._watchdog.collapse_steps:
            self._undid_collapse = False
        begun = self._now()
        self._snapshots.take(step, self.returns.level)
        self.copy_time.add(self._now() - begun)

    def take_outcomes(self, step: int) -> None:
        """Note what became of snapshots on their way to disk."""
        while (outcome := self._snapshots.outcome()) is not None:
            at_step, problem = outcome
            if problem:
                what = (
                    f"the snapshot of step {at_step} cannot be written: {problem}; the loop goes on; make room, or "
                    "give a folder that can be written"
                )
                self._spells.say("disk", step, what)
            else:
                self.written_at = self._now()
                self._spells.end("disk", f"snapshots are written again: that of step {at_step}")
        on_its_way, now = self._snapshots.on_its_way, self._now()
        if on_its_way != self._on_its_way[0]:
            self._on_its_way = on_its_way, now
        elif on_its_way is not None and now - self._on_its_way[1] > LONG_ON_ITS_WAY:
            what = f"the snapshot of step {on_its_way} is still on its way; the loop goes on; look after the disk"
            self._spells.say("disk", step, what)

    # ---- when it is not

    def from_non_finite(self, step: int) -> bool:
        """Go back because a number is not finite; return False, and give up, if there is nothing to go back to."""
        names = self.scan.non_finite()
        what = f"not finite: {', '.join(names[:3])}{' and more' if len(names) > 3 else ''}"
        if self._restored >= 0 and step - self._restored_at < self._snapshots.every:
            self._snapshots.discard(self._restored)  # it did not last
        if self.go_back(step, "state", what):
            return True
        self.gave_up = True
        self._note("state", f"{what}: no good snapshot is left, the agent is not asked any more")
        return False

    def from_collapse(self, step: int) -> bool:
        """Go back because the return has collapsed; return False if what there is now has to be lived with."""
        returns = self.returns
        what = f"the running return is {returns.mean:.4g}, the best was {returns.best:.4g}"
        # If it falls again after a rollback, it is not the agent that has changed. To undo what it learns now, again
        # and again, would keep it from ever learning to live with that.
        wanted = not self._undid_collapse and self._watchdog.collapse != "report"
        if wanted and self.go_back(step, "collapse", what, best=True):
            self._undid_collapse = True
            return True
        again = ", again after a rollback" if self._undid_collapse else ""
        self._note("collapse", f"{what}{again}: report, and take this for the new normal")
        returns.begin_anew()
        self._snapshots.forget_returns()
        self._undid_collapse = False
        return False

    def go_back(self, step: int, kind: str, why: str, best: bool = False, exact: bool = False) -> bool:
        """Put the agent back to a snapshot (`Snapshots.restore`); return False if there is none."""
        found = self._snapshots.restore(best, exact)
        if found is None:
            return False
        self._restored, level = found
        self._restored_at = step
        self.count += 1
        if best:
            self.returns.go_back(level)
        self.anew = True
        self._note(kind, f"{why}: rollback to the snapshot of step {self._restored}")
        return True

    def close(self, step: int) -> None:
        """Write a last snapshot, if there is a folder and the agent is sound."""
        sound = not self.scan.non_finite()
        if not sound:
            self._note("state", "the agent is not sound: no last snapshot is written")
        answered = self._snapshots.close(step, self.returns.level, sound)
        self.take_outcomes(step)
        if not answered:
            self._note("disk", "the disk does not answer: the last snapshot may not be written")
