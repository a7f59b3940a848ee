"""What is cleared before an episode begins, and before learning goes on after ticks that only acted."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from .base.arrays import view
from .base.jit import kernel
from .base.vectors import fill
from .layout import clock_of, places_of
from .normalize import forget_episode

SETTINGS = ("keep_state",)


@kernel
def clear_traces(ints: NDArray, reals: NDArray, floats: NDArray) -> None:
    """Set credit, eligibility and what goes with them to 0, in place: what was done so far earns no more credit."""
    places = places_of(ints)
    fill(view(floats, places.traces), 0.0)
    fill(view(reals, places.credit_norms), 0.0)
    forget_episode(view(reals, places.returns))
    clock_of(ints).stale = 0


@kernel
def clear_episode(settings: Any, ints: NDArray, reals: NDArray, floats: NDArray) -> None:
    """Before an episode begins, set traces and neurons to 0, in place, unless they are to be kept."""
    if settings.keep_state == 0.0:
        clear_traces(ints, reals, floats)
        fill(view(floats, places_of(ints).neurons), 0.0)
