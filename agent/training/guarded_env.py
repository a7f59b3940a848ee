"""An environment that somebody else wrote: whatever it raises or does to the process, the run around it is in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

import gymnasium

from ..config import Config
from ..errors import EnvError, HookError, RunError, described
from . import env_state
from .console import warn
from .environment import make_env_of
from .interrupts import StopRequest


class EnvRaised(Exception):
    """Something came out of an environment; it is the cause of this error, and may be no `Exception`."""


def env_failure(error: BaseException, env_id: str, where: str, then: str = "") -> RunError:
    """Return the error of a run that an environment, what it returned, or a hook broke off; `where` says when."""
    if isinstance(error, HookError):
        return HookError(f"{error} at {where}{then}")
    return RunError(f"{env_id} failed at {where} ({error if isinstance(error, EnvRaised) else described(error)}){then}")


def cause_of(error: BaseException) -> BaseException | None:
    """Return what came out of the environment, or the error itself if it did not come from there."""
    return error.__cause__ if isinstance(error, EnvRaised) else error


class GuardedEnv:
    """The environment of a configuration, with its wrappers; a context, at whose end it is closed.

    What it raises becomes an `EnvRaised`: a SystemExit too, as of a window that was closed, and a KeyboardInterrupt,
    since only a signal asks to stop. A call that does not return is seen to by `stop`, and handlers of signals that the
    environment installs are replaced after the next reset.

    Parameters
    ----------
    config : Config
    stop : StopRequest

    Attributes
    ----------
    result : object
        What the last step returned, whatever that is.

    Raises
    ------
    EnvError
        If it cannot be made.
    """

    def __init__(self, config: Config, stop: StopRequest) -> None:
        self._config, self._stop, self._elsewhere = config, stop, stop.elsewhere
        self.result: Any = None
        self._make()

    def _make(self) -> None:
        try:
            self._env: Any = self._call(lambda: make_env_of(self._config))
            self.observation_space: gymnasium.Space[Any] = self._call(lambda: self._env.observation_space)
            self.action_space: gymnasium.Space[Any] = self._call(lambda: self._env.action_space)
        except EnvRaised as error:
            if isinstance(error.__cause__, EnvError):
                raise error.__cause__ from None
            raise EnvError(f"environment {self._config.env!r} cannot be used: {error}") from error.__cause__

    def _call(self, function: Callable[[], Any]) -> Any:
        """Call a function that leads to code that is not ours."""
        try:
            with self._elsewhere:
                return function()
        except BaseException as error:
            raise EnvRaised(described(error)) from error
        finally:
            self._stop.retake_signals()

    def reset(self, **arguments: Any) -> Any:
        """Return what the environment returns."""
        return self._call(lambda: self._env.reset(**arguments))

    def step(self, action: Any) -> Any:
        """Return what the environment returns."""
        elsewhere = self._elsewhere
        elsewhere.__enter__()  # a `with` costs twice as much, every step
        try:
            self.result = result = self._env.step(action)
            return result
        except BaseException as error:
            raise EnvRaised(described(error)) from error
        finally:
            elsewhere.__exit__()

    def render(self) -> Any:
        """Return what the environment returns."""
        return self._call(self._env.render)

    def state(self) -> dict[str, Any] | None:
        """Return its state (`env_state.capture`), or None if it cannot be restored."""
        try:
            state: dict[str, Any] | None = self._call(lambda: env_state.capture(self._env))
        except EnvRaised:  # not to be restored is no reason to stop a run
            return None
        return state

    def restore(self, state: Mapping[str, Any]) -> bool:
        """Put it into a state; if that cannot be, say why, make it anew, and return False."""
        try:
            self._call(lambda: env_state.restore(self._env, state))
        except EnvRaised as error:
            warn(f"{error}; a new episode begins")
            self.close()
            self._make()
            return False
        return True

    def restore_statistics(self, state: Mapping[str, Any] | None) -> None:
        """Give wrappers that normalize the statistics that they have in a state; say so if they begin with nothing."""
        names = ", ".join(self._call(lambda: env_state.wrappers_with_statistics(self._env)))
        if not names:
            return
        try:
            if state is not None:
                self._call(lambda: env_state.restore_statistics(self._env, state))
                return
        except EnvRaised as error:
            warn(str(error))
            self.close()
            self._make()
        warn(f"{names}: statistics begin with nothing, so that the agent sees other numbers than it has learned from")

    def close(self) -> None:
        """Close it; what that raises is a warning, since nothing of a run depends on it."""
        try:
            self._call(self._env.close)
        except EnvRaised as error:
            warn(f"{self._config.env} cannot be closed ({error})")

    def __enter__(self) -> GuardedEnv:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
