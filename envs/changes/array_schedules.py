"""Worlds that are arrays: permutations, signs, sets of entries, drawn so that a change always is one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

import gymnasium
import numpy as np

from ..arguments import checked_whole, listed
from ..random_streams import MOST_SEED, stream
from .changing import Changing
from .schedule import Worlds


class Deck:
    """Arrays by the number of their world; that of world 0 is given, the others are drawn.

    Where it is known how many worlds there are, no two arrays are alike; else each is unlike the one before it. What is
    drawn follows from seed and number alone, so that it need not be stored.

    Parameters
    ----------
    schedule : Worlds
        Which worlds there are.
    first : array
        That of world 0.
    draw : callable
        Draws another with a generator.
    kinds : int
        How many different ones it can draw.
    again : bool
        Whether it can draw the first one too.
    seed : int
    key : str
        Tells apart what has the same seed.

    Attributes
    ----------
    card : array
        That of the world of the last `turn`, at first of world 0.
    tries : int
        How many were drawn for it in vain.

    Raises
    ------
    ValueError
        If there are not as many that differ.
    """

    def __init__(
        self,
        schedule: Worlds,
        first: np.ndarray,
        draw: Callable[[np.random.Generator], np.ndarray],
        kinds: int,
        again: bool,
        seed: int,
        key: str,
    ) -> None:
        self._first, self._draw, self._key = first, draw, (seed, key, "deck")
        self.card, self.tries = first, 0
        self._tries: list[int] | None = None
        most = kinds if again else kinds + 1
        if schedule.most is None:
            if kinds < 2:
                raise ValueError(f"{schedule.name}: all worlds but the first would be alike; give worlds: {most}")
            return
        if schedule.most > most:
            raise ValueError(
                f"{schedule.name}: got worlds with numbers up to {schedule.most - 1}; allowed: up to {most - 1}, as no "
                "more of them differ"
            )
        self._tries = [0]
        seen = {_digest(first)}
        for number in range(1, schedule.most):
            tries = 0
            while (digest := _digest(self._drawn(number, tries))) in seen:
                tries += 1
            seen.add(digest)
            self._tries.append(tries)

    def _drawn(self, number: int, tries: int) -> np.ndarray:
        return self._draw(stream(*self._key, number, tries)) if number else self._first

    def turn(self, number: int, tries: int | None = None) -> None:
        """Make `card` that of a world; where worlds have no end, `tries` is what it was then, for one that was left."""
        if self._tries is not None:
            tries = self._tries[number]
        elif tries is None:
            tries = 0
            while number and np.array_equal(self._drawn(number, tries), self.card):
                tries += 1
        self.card, self.tries = self._drawn(number, tries), tries


def _digest(card: np.ndarray) -> bytes:
    return blake2b(card.tobytes(), digest_size=16).digest()


class Dealt(Changing):
    """A wrapper whose worlds are the arrays of a `Deck`; a subclass uses `card` in what it overrides.

    Parameters
    ----------
    env : gymnasium.Env
    schedule : mapping or int
        See `Worlds`.
    seed : int
    first, draw, kinds, again
        As of `Deck`.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        schedule: Any,
        seed: int,
        first: np.ndarray,
        draw: Callable[[np.random.Generator], np.ndarray],
        kinds: int,
        again: bool = True,
    ) -> None:
        title = type(self).__name__
        self._worlds = Worlds("schedule", schedule, checked_whole("seed", seed, 0, MOST_SEED), title)
        super().__init__(env, (self._worlds,))
        self._deck = Deck(self._worlds, first, draw, kinds, again, seed, title)
        self.enter()

    @property
    def card(self) -> np.ndarray:
        """What tells this world from others."""
        return self._deck.card

    def enter(self) -> None:
        """Take the array of the world it is now."""
        self._deck.turn(self._worlds.world)
        self.deal()

    def deal(self) -> None:
        """Prepare what is made of `card`."""

    def get_state(self) -> dict[str, Any]:
        """Return what `set_state` needs to go on from here: numbers, and lists and mappings of them."""
        return super().get_state() | {"tries": self._deck.tries}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from where `get_state` was called; the arguments of the wrapper have to be the same."""
        super().set_state(state)
        self._deck.turn(self._worlds.world, int(state["tries"]))
        self.deal()


def permutations(size: int) -> int:
    """Return how many permutations there are, or enough."""
    return math.factorial(min(size, 12))


def chosen(indices: Any, size: int, least: int, title: str) -> np.ndarray:
    """Return indices of entries, all by default, or raise `ValueError` unless they exist, differ and are enough."""
    given = list(range(size)) if indices is None else listed(indices)
    checked = [checked_whole("indices", index, 0, size - 1) for index in given]
    if len(set(checked)) < len(checked):
        raise ValueError(f"indices: got {given!r}; allowed: each entry once")
    if len(checked) < least:
        raise ValueError(f"{title} needs at least {least} entries; got {len(checked)}")
    return np.array(checked, dtype=np.intp)
