"""Troubles that last or come again and again: said when they begin and when they are over, not in every step."""

from __future__ import annotations

from collections.abc import Callable

# A spell is over after so many steps without its trouble, so that one that flickers is one, and leaves room in the log.
QUIET = 100
# These end when they are said to, not when steps pass without them.
LASTING = ("disk",)


class Spells:
    """Open spells of trouble, one of a kind.

    Parameters
    ----------
    note : callable
        Given kind and text of each event.

    Attributes
    ----------
    steps : dict of str to int
        For each kind, how often it was met in all.
    """

    def __init__(self, note: Callable[[str, str], None]) -> None:
        self._note = note
        self._open: dict[str, list[int]] = {}  # how often it was met, and the last step in which it was
        self._look_at = 0
        self.steps: dict[str, int] = {}

    def say(self, kind: str, step: int, what: str) -> None:
        """Say that there is trouble in this step; noted if it is the first of a spell."""
        self.steps[kind] = self.steps.get(kind, 0) + 1
        spell = self._open.get(kind)
        if spell is not None:
            spell[0] += 1
            spell[1] = step
            return
        self._open[kind] = [1, step]
        self._look_at = step + QUIET
        self._note(kind, what)

    @property
    def now(self) -> list[str]:
        """Kinds of the spells that are open."""
        return list(self._open)

    def end(self, kind: str, what: str) -> None:
        """End a spell, if one is open, with this text."""
        if self._open.pop(kind, None) is not None:
            self._note(kind, what)

    def end_others(self, step: int) -> None:
        """End the spells that have not been met for `QUIET` steps."""
        if not self._open or step < self._look_at:
            return
        self._look_at = step + QUIET
        for kind, (count, last) in list(self._open.items()):
            if kind in LASTING:
                continue
            if last + QUIET <= step:
                del self._open[kind]
                self._note(kind, f"over: in {count} step{'s' * (count > 1)}, the last of them {last}")
            else:
                self._look_at = min(self._look_at, last + QUIET)
