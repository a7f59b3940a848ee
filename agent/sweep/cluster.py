"""Calls as tasks of a Ray cluster (extra: ``cluster``)."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ..errors import ConfigError
from .engine import Died, Raised

# How often Ray itself makes a call again whose process or machine is gone.
RETRIES = 3


class Cluster:
    """An `Engine` of the processors of a Ray cluster; a call takes one.

    Nothing large goes through Ray: an item is a few settings, what is returned a few words; files are written where all
    machines see them.

    Parameters
    ----------
    address : str
        Of the cluster, ``host:port``; ``auto``: the one that this machine is part of.

    Raises
    ------
    ConfigError
        If Ray is not installed, or there is no such cluster.
    """

    def __init__(self, address: str) -> None:
        try:
            import ray
        except ImportError:
            raise ConfigError("--ray needs ray: pip install synaptick[cluster]") from None
        self._ray: Any = ray
        try:
            ray.init(address=address, log_to_driver=False, logging_level="error", ignore_reinit_error=True)
        except (ConnectionError, ValueError, RuntimeError) as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ConfigError(
                f"--ray {address}: {first}; start a cluster with `ray start --head`, and give its address or auto"
            ) from error
        self._call = ray.remote(num_cpus=1, max_retries=RETRIES)(_call)
        self._items: dict[Any, Any] = {}

    @property
    def processes(self) -> int:
        """Processors that the cluster has now; it may grow."""
        return max(int(self._ray.cluster_resources().get("CPU", 0)), 1)

    @property
    def ahead(self) -> int:
        """As many again: what waits is what a cluster that can grow grows by."""
        return self.processes

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop what is going on, as Ctrl-C does, and leave the cluster."""
        for reference in self._items:
            with suppress(Exception):
                self._ray.cancel(reference)
        if self._items:
            self._ray.wait(list(self._items), num_returns=len(self._items), timeout=10.0)
        self._ray.shutdown()

    def submit(self, function: Callable[[Any], Any], item: Any) -> None:
        """Hand a call to Ray."""
        self._items[self._call.remote(function, item, os.getcwd())] = item

    def ended(self, seconds: float) -> list[tuple[Any, Any]]:
        """Return what has ended."""
        ready, _ = self._ray.wait(list(self._items), num_returns=1, timeout=seconds)
        return [(self._items.pop(reference), self._value(reference)) for reference in ready]

    def _value(self, reference: Any) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except errors.RayTaskError as error:
            return Raised(error.cause if isinstance(error.cause, Exception) else error)
        except errors.RayError as error:  # of a process or machine that is gone, for the last time
            return Died(1, " ".join(f"{type(error).__name__}: {error}".split())[:200])


def _call(function: Callable[[Any], Any], item: Any, folder: str) -> Any:
    """Make a call where the driver is, if this machine sees that folder: relative paths then mean the same."""
    with suppress(OSError):
        os.chdir(folder)
    return function(item)
