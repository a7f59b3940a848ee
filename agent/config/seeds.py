"""Lists of seeds as a few characters: ``0-9``, ``1,4,7-9``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from ..errors import ConfigError, one_line

ALLOWED = "whole numbers from 0 and ranges of them, each seed once, such as 0-9 or 1,4,7-9"
MOST = 1_000_000
GREATEST = 2**63 - 1


def read_seeds(given: Any) -> tuple[int, ...]:
    """Return the seeds that a text, a number or a list of numbers names, in ascending order.

    Raises
    ------
    ConfigError
        If it names none, one of them twice, more than a million, or anything else.
    """
    words = given if isinstance(given, Sequence) and not isinstance(given, str | bytes) else str(given).split(",")
    seeds: list[int] = []
    if not words:
        raise ConfigError(f"seeds: got {one_line(given)}; allowed: {ALLOWED}")
    for word in words:
        first, last = _ends(given, str(word).strip())
        if len(seeds) + last - first >= MOST:
            raise ConfigError(f"seeds: {one_line(given, quoted=False)} are too many; allowed: at most {MOST:,}")
        seeds.extend(range(first, last + 1))
    seeds.sort()
    for one, other in pairwise(seeds):
        if one == other:
            raise ConfigError(f"seeds: {one_line(given, quoted=False)}: {one} is given twice; give each seed once")
    return tuple(seeds)


def _ends(given: Any, word: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,19})(?:\s*-\s*([0-9]{1,19}))?", word)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if not first <= last <= GREATEST:
        raise ConfigError(f"seeds: got {one_line(given)}; allowed: {ALLOWED}")
    return first, last


def overlap(given: Any, seeds: Iterable[int]) -> tuple[int, ...]:
    """Return those of the seeds that are among the ones given, as for `read_seeds`, or empty for none."""
    return tuple(sorted(set(read_seeds(given)) & set(seeds))) if given else ()


def shown_seeds(seeds: Iterable[int]) -> str:
    """Return seeds as `read_seeds` reads them, as short as it can be."""
    spans: list[list[int]] = []
    for seed in sorted(set(seeds)):
        if spans and seed == spans[-1][1] + 1:
            spans[-1][1] = seed
        else:
            spans.append([seed, seed])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in spans)
