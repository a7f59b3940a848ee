"""Whether arms may be compared: what differs between them beside what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..config.seeds import shown_seeds
from ..errors import ConfigError, StateError, one_line
from .evidence import Arm, Outcome

# What may differ, and what is done about it if that is allowed.
KINDS = {
    "environments": "only environments that all arms have are compared",
    "places": "arguments, wrappers and limits of environments differ",
    "steps": "runs are compared at the steps of the shortest in their environment",
    "seeds": "arms have other runs, or more of them",
    "tuned": "runs on seeds that their configuration was chosen on count, luck included",
    "unfinished": "runs that have not come to their end are compared as they stand",
}


def checked_arms(arms: Sequence[Arm], allowed: Sequence[str] = ()) -> tuple[list[Arm], list[str]]:
    """Return what is to be compared of arms, and notes on what is unequal and allowed.

    Parameters
    ----------
    arms : sequence of Arm
    allowed : sequence of str
        What may be unequal: names in `KINDS`.

    Raises
    ------
    ConfigError
        If something is unequal that is not allowed to be, or that is no kind.
    StateError
        If there is no environment that all arms have.
    """
    for kind in allowed:
        if kind not in KINDS:
            raise ConfigError(f"--unequal {kind}: allowed: {', '.join(KINDS)}")
    shared = [env for env in arms[0].envs if all(env in arm.envs for arm in arms)]
    found = {kind: list(lines) for kind, lines in _differences(arms, shared)}
    refused = [(kind, lines) for kind, lines in found.items() if lines and kind not in allowed]
    if refused:
        told = "; ".join(f"{kind}: {lines[0]}{_more(lines)}" for kind, lines in refused)
        kinds = " ".join([*allowed, *(kind for kind, _ in refused)])
        raise ConfigError(f"these arms are not equal ({told}); to compare them nevertheless: --unequal {kinds}")
    if not shared:
        raise StateError(f"no environment is in every arm; {found['environments'][0]}")
    notes = [f"{kind} differ: {line}; {KINDS[kind]}" for kind, lines in found.items() for line in lines]
    return [arm._replace(outcomes=tuple(o for env in shared for o in arm.of(env))) for arm in arms], notes


def _more(lines: Sequence[str]) -> str:
    return f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""


def _differences(arms: Sequence[Arm], shared: Sequence[str]) -> Iterator[tuple[str, Iterator[str]]]:
    yield "environments", _missing(arms)
    yield (
        "places",
        _unequal(arms, shared, lambda outcome: outcome.place, lambda places: one_line(places[0], 200, False)),
    )
    yield "steps", _unequal(arms, shared, lambda outcome: outcome.steps, _few)
    yield "seeds", _seeds(arms, shared)
    yield (
        "tuned",
        (
            f"{outcome.source}: its configuration was chosen on seed {outcome.seed}"
            for arm in arms
            for outcome in arm.outcomes
            if outcome.tuned
        ),
    )
    yield (
        "unfinished",
        (
            f"{outcome.source} has {outcome.steps:,} steps"
            for arm in arms
            for outcome in arm.outcomes
            if not outcome.complete
        ),
    )


def _missing(arms: Sequence[Arm]) -> Iterator[str]:
    every = dict.fromkeys(env for arm in arms for env in arm.envs)
    for arm in arms:
        lacking = [env for env in every if env not in arm.envs]
        if lacking:
            yield f"{arm.label} has no run in {', '.join(lacking)}"


def _unequal(
    arms: Sequence[Arm],
    shared: Sequence[str],
    value: Callable[[Outcome], Any],
    told: Callable[[list[Any]], str],
) -> Iterator[str]:
    """Yield a line for each environment in which runs have not all the same value."""
    for env in shared:
        values = {arm.label: sorted({value(outcome) for outcome in arm.of(env)} - {""}) for arm in arms}
        if len({each for found in values.values() for each in found}) > 1:
            yield f"in {env}, " + ", ".join(f"{label} has {told(found)}" for label, found in values.items() if found)


def _seeds(arms: Sequence[Arm], shared: Sequence[str]) -> Iterator[str]:
    for env in shared:
        seeds = {arm.label: [outcome.seed for outcome in arm.of(env)] for arm in arms}
        if any(found != seeds[arms[0].label] for found in seeds.values()):
            yield f"in {env}, " + ", ".join(f"{label} has {shown_seeds(found)}" for label, found in seeds.items())


def _few(numbers: Sequence[int]) -> str:
    """Return the first of numbers, and how many more there are."""
    told = ", ".join(f"{number:,}" for number in numbers[:4])
    return told + (f" and {len(numbers) - 4} more" if len(numbers) > 4 else "")
