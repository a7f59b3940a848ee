"""The agent as its user sees it: start, step, end."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import compilation
from .arena import checkpoint
from .arena.arena import Arena
from .arena.dimensions import dimensions, is_rare
from .arena.initialize import build
from .arena.placement import Placement
from .arena.size import Size, size_of
from .config import Config
from .errors import ConfigError, DamagedError, InputError, PhaseError, StateError, SynaptickError, one_line
from .files import expanded
from .inspection import Inspection
from .kernels import tick as kernel
from .spaces import ActionSpec, ObservationSpec, as_reward


class Agent(Inspection):
    """A spiking actor-critic that learns from every step of one stream of experience, in a fixed block of memory.

    Parameters
    ----------
    config : Config
        Settings; only those of the network and of learning matter here, and `seed`.
    observation_space, action_space : gymnasium.spaces.Space
        Box, Discrete, MultiBinary, MultiDiscrete, and Dict and Tuple of them, nested up to 32 deep. An agent is one
        stream: of a vector environment give ``single_observation_space`` and ``single_action_space``, and make an agent
        for each stream. Its own spaces look like those of one environment with larger arrays, so that nothing here can
        tell (`run` can, and refuses the environment).
    seed : int, optional
        Seed of initial weights and of action sampling, 0 to 2^63 - 1; by default ``config.seed``, over which it takes
        precedence. Same seed and same inputs give the same bytes.
    buffer : writable buffer, optional
        Memory for the state, at least ``agent.nbytes`` bytes at an address divisible by 8; overwritten. Allocated if
        absent.

    Raises
    ------
    SpaceError
        If a space is not supported.
    ConfigError
        If `config` is no `Config`, or the seed not a whole number in its range.
    StateError
        If `buffer` is too small, read-only or misaligned, or if there is no memory for the state (see `size_of`).

    Examples
    --------
    >>> import gymnasium as gym
    >>> from synaptick import Agent, Config
    >>> env = gym.make("CartPole-v1")
    >>> agent = Agent(Config(seed=1), env.observation_space, env.action_space)
    >>> observation, _ = env.reset(seed=0)
    >>> action = agent.start(observation)
    >>> observation, reward, terminated, truncated, _ = env.step(action)
    >>> action = agent.step(reward, observation)
    """

    def __init__(
        self, config: Config, observation_space: Any, action_space: Any, seed: int | None = None, buffer: Any = None
    ) -> None:
        _check_config(config)
        seed = config.seed if seed is None else config.with_changes({"seed": seed}).seed
        self.config = config
        self.observation = ObservationSpec.from_space(observation_space)
        self.action = ActionSpec.from_space(action_space)
        self._attach(build(config, self.observation, self.action, seed, buffer))

    def __getstate__(self) -> dict[str, Any]:
        """Leave out views into the arena, so that a copy gets some into its own, and the step, with its probes."""
        return {key: value for key, value in vars(self).items() if key not in ("_staging", "_drawn", "_advance")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._attach(self.arena)

    def _attach(self, arena: Arena) -> None:
        self.arena = arena
        self._staging, self._drawn = arena.views["staging"], arena.views["action"]
        self._use(compilation.step_of(self.rare))

    @staticmethod
    def size_of(config: Config, observation_space: Any, action_space: Any) -> Size:
        """Return how many bytes the state of an agent takes, and what they are for; none of them are allocated.

        Raises
        ------
        SpaceError, ConfigError
            As for `Agent`.

        Examples
        --------
        >>> from gymnasium.spaces import Box, Discrete
        >>> from synaptick import Agent, Config
        >>> size = Agent.size_of(Config(), Box(-1.0, 1.0, (4,)), Discrete(2))
        >>> size.nbytes, size.advice()
        (331200, '')
        """
        _check_config(config)
        return size_of(config, ObservationSpec.from_space(observation_space), ActionSpec.from_space(action_space))

    def start(self, observation: Any, learn: bool = True, taken: Any = None) -> Any:
        """Begin an episode and return the first action, of the type that ``action_space.sample()`` gives.

        Neurons, eligibility and credit are cleared (unless ``config.keep_state``). An episode that is still running is
        abandoned: nothing is learned from its end.

        Parameters
        ----------
        observation : object
            First observation, as the observation space has it.
        learn : bool, optional
            False: act only, leave everything learned as it is.
        taken : object, optional
            An action that somebody else takes in this step in the place of the agent's; see `step`.

        Raises
        ------
        InputError
            If the observation, or `taken`, has the wrong shape or type or is not finite; the agent is unchanged.
        """
        self.observation.encode(observation, self._staging)
        compilation.make(self.rare)
        self._act(0.0, kernel.START, learn, taken)
        return self.last_action

    def step(self, reward: float, observation: Any, learn: bool = True, taken: Any = None) -> Any:
        """Learn from the outcome of the last action, then return the next one.

        Parameters
        ----------
        reward : float
            Reward that the last action brought; an array that holds one number will do.
        observation : object
            Observation it led to.
        learn : bool, optional
            False: act only. Learned ticks after acting-only ones begin with empty credit.
        taken : object, optional
            An action that somebody else takes in this step, a controller for instance, in the place of the agent's; it
            is returned, moved within the bounds of the space. The critic then learns what is to be had by what they do,
            and the actor to do the same (the gradient of the log-likelihood of their actions); a TD error of theirs
            changes no action. What the agent would have done is in `means` and `probabilities`; `stds` are 0.02 for the
            time being, in which their action is likely or not (`NARROW` of kernels/policy.py). A step with it and one
            without lay nothing to each other.

        Raises
        ------
        PhaseError
            If no episode is running.
        InputError
            If reward or observation does not fit or is not finite. After either error the agent is unchanged.
        """
        reward = as_reward(reward)
        self.observation.encode(observation, self._staging)
        self._act(reward, kernel.STEP, learn, taken)
        return self.last_action

    def end(self, reward: float, observation: Any = None, learn: bool = True) -> None:
        """Learn from the end of an episode.

        Parameters
        ----------
        reward : float
            Reward that the last action brought.
        observation : object, optional
            Give the last observation if the episode was cut off (truncated): its value is bootstrapped from. Without it
            the episode has terminated, and what follows is worth nothing.
        learn : bool, optional
            False: only close the episode.

        Raises
        ------
        PhaseError, InputError
            As for `step`; the agent is unchanged.
        """
        reward = as_reward(reward)
        if observation is None:
            self._tick(reward, kernel.TERMINATE, learn)
        else:
            self.observation.encode(observation, self._staging)
            self._tick(reward, kernel.TRUNCATE, learn)

    def act(self, observation: Any, deterministic: bool = False) -> Any:
        """Act without learning: return the action for an observation, of the type that `start` and `step` return.

        Begins an episode if none is running; else it is ``step(0.0, observation, learn=False)``. Nothing learned is
        changed, and learned ticks that follow begin with empty credit.

        Parameters
        ----------
        observation : object
        deterministic : bool, optional
            True: the most probable category of each discrete factor, the first of several, and the mean of each control
            within its bounds. False: a sample, as in training. Random numbers are drawn either way.

        Raises
        ------
        InputError
            As for `step`; the agent is unchanged.
        """
        action = self.step(0.0, observation, learn=False) if self.running else self.start(observation, learn=False)
        return self.choose_likeliest() if deterministic else action

    def choose_likeliest(self) -> Any:
        """Put the most probable action in the place of the one that was drawn last, and return it.

        Only after a call with ``learn=False``: what is learned from are samples. See `act` for what is most probable.
        """
        choices = self.action.choices
        factors = np.split(self.arena.views["probabilities"], np.cumsum(choices, dtype=np.int64)[:-1])
        # Without a factor there is one part all the same, which is empty.
        self._drawn[: len(choices)] = [factor.argmax() for factor in factors[: len(choices)]]
        self._drawn[len(choices) :] = self.means
        return self.last_action

    @property
    def last_action(self) -> Any:
        """The action that `start`, `step` or `act` returned last, again; it is part of the state."""
        if self.action.simple:
            return self.action.members[int(self._drawn[0])]
        return self.action.decode(self._drawn)

    def _act(self, reward: float, mode: int, learn: bool, taken: Any) -> None:
        if taken is None:
            self._tick(reward, mode, learn)
            return
        before = self._drawn.copy()
        try:
            self.action.encode(taken, self._drawn)
            self._tick(reward, mode + kernel.GIVEN, learn)
        except SynaptickError:
            self._drawn[:], self._staging[:] = before, 0.0
            raise

    def _tick(self, reward: float, mode: int, learn: bool) -> None:
        result = self._advance(self.arena.address, reward, mode, bool(learn))
        if result == 0:
            return
        if result == kernel.NOT_STARTED:
            raise PhaseError("no episode is running; call start(observation) before step or end")
        if result == kernel.BAD_REWARD:
            raise InputError(f"reward is {reward}; it must be a finite number")
        raise InputError("the observation holds a NaN or an infinite number; all of it must be finite")

    @staticmethod
    def compile(config: Config | None = None, load_only: bool = False, quiet: bool = False) -> None:
        """Compile the step, or load it if an earlier process has; after that, nothing can be compiled in a loop.

        Without it, the first `start` does the work, some 10 seconds, which is said on standard error. With it, a call
        that would compile raises `CompileError`: no call of an agent does, since all arguments are cast, but one of
        ``kernels.tick.tick`` in code of your own might. Calls from your own Numba code are cast to the one signature.
        Calling it again is harmless. With ``NUMBA_DISABLE_JIT=1`` in the environment nothing is compiled, here or
        later, and this does nothing.

        Parameters
        ----------
        config : Config, optional
            Of the agents that are to run. There are two steps, one without the parts of the rule that few
            configurations use, which compiles in two thirds of the time. Without it, both are made.
        load_only : bool, optional
            True: compiled code has to be there (`synaptick compile --out DIR`, ``SYNAPTICK_CACHE_DIR=DIR``).
        quiet : bool, optional
            True: nothing is said while it compiles.

        Raises
        ------
        CompileError
            If `load_only` and there is none for these sources, this version of Python and Numba, and this processor.
        """
        compilation.prepare((False, True) if config is None else (is_rare(config),), load_only, quiet)

    @contextmanager
    def in_two_threads(self) -> Iterator[None]:
        """Have actor and critic computed at a time, by this thread and another one, in a ``with`` statement.

        The agent's state, and what it does, are the same. The other thread spins all the while, which takes a processor
        of its own: without one to spare, steps become slower, and by milliseconds at times. `synaptick bench tick` says
        what is won. A compiled loop, and a process that is forked meanwhile, go on in one thread.

        Raises
        ------
        ConfigError
            If the configuration needs parts of the rule that there is no such step for (see `compile`).
        CompileError
            If ``NUMBA_DISABLE_JIT`` is set.
        """
        from .pair import Pair

        compilation.check_pair(self.rare)
        compilation.make_pair()
        alone = compilation.step_of(False)
        pair = Pair(self.arena.address, alone)
        self._exchange(pair)
        try:
            yield
        finally:
            self._exchange(alone)
            pair.close()

    def snapshot(self) -> NDArray[np.uint8]:
        """Return a copy of the whole state, `nbytes` bytes, for `restore`."""
        return self.arena.block.copy()

    def restore(self, snapshot: Any) -> None:
        """Go back to a state that `snapshot` returned (an array or its bytes).

        Raises
        ------
        StateError
            If it belongs to an agent of another shape or with other settings; nothing is changed.
        """
        self.arena.block[:] = self.arena.check(snapshot)

    def save(self, path: str | os.PathLike[str], notes: Any = None) -> None:
        """Write the whole agent to a file, atomically: the file is the old or the new one, never a part.

        `notes`, anything that JSON can hold, are kept in the file's description; `checkpoint.read` returns them.

        Raises
        ------
        OSError
            If the file cannot be written; a file that was there before is untouched.
        """
        metadata = {**self.describe(), **({} if notes is None else {"notes": notes})}
        checkpoint.write(path, metadata, self.arena.block)

    def describe(self) -> dict[str, Any]:
        """Return settings and spaces as plain data: what a checkpoint needs beside the state."""
        return {
            "config": self.config.to_dict(),
            "observation": self.observation.to_dict(),
            "action": self.action.to_dict(),
        }

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Agent:
        """Return the agent that `save` wrote; it goes on bit for bit as if it had never stopped.

        Nothing in the file is executed, and no more memory is taken than its size justifies.

        Raises
        ------
        StateError
            If the file is damaged, is not a checkpoint, or comes from a newer format.
        OSError
            If it cannot be read.
        """
        return cls.load_with_notes(path)[0]

    @classmethod
    def load_newest(cls, folder: str | os.PathLike[str]) -> Agent | None:
        """Return the agent that a run or `realtime.Snapshots` last wrote to a folder; None if there is none.

        If the newest file is damaged or missing, that is the one before it; of one that is damaged a warning tells. It
        has the configuration and spaces that it was made with, whatever the program says now.

        Raises
        ------
        StateError
            If there is one that cannot be used, and no other.
        """
        found = cls.load_newest_with_notes(folder)
        return None if found is None else found[0]

    @classmethod
    def load_newest_with_notes(cls, folder: str | os.PathLike[str]) -> tuple[Agent, Any] | None:
        """Return what `load_newest` returns, and the notes of its file; None if there is none."""
        names = (checkpoint.NEWEST_FILE, checkpoint.OLDER_FILE)
        there = [path for name in names if (path := expanded(folder) / name).exists()]
        damage = ""
        for path in there:
            try:
                found = cls.load_with_notes(path)
            except DamagedError as error:
                if path == there[-1]:
                    raise
                damage = str(error)
                continue
            if damage:
                warnings.warn(f"{damage}; the one before it is used, {found[0].ticks:,} ticks", stacklevel=3)
            return found
        return None

    @classmethod
    def load_with_notes(cls, path: str | os.PathLike[str]) -> tuple[Agent, Any]:
        """Return what `load` returns, and the notes that `save` was given (None if none), of one read of the file."""
        metadata, block = checkpoint.read(path)
        try:
            return cls._of(metadata, block), metadata.get("notes")
        except StateError as error:
            raise StateError(f"{path}: {error}") from error

    @classmethod
    def _of(cls, metadata: dict[str, Any], block: NDArray[np.uint8]) -> Agent:
        """Return the agent of a description, as `describe` has it, in the state `block`; or raise `StateError`."""
        agent = cls.__new__(cls)
        try:
            agent.config = Config.from_dict(metadata["config"])
            # Every entry of an observation and every part of an action has a number in the state.
            agent.observation = ObservationSpec.from_dict(metadata["observation"], block.size // 8)
            agent.action = ActionSpec.from_dict(metadata["action"], block.size // 8)
        except (KeyError, TypeError, ValueError) as error:
            raise StateError(f"its description does not fit this version of synaptick ({error})") from error
        needed = Placement.of(dimensions(agent.config, agent.observation, agent.action)).nbytes
        if block.size != needed:
            raise StateError(f"the state has {block.size} bytes; this network needs {needed}")
        agent._attach(build(agent.config, agent.observation, agent.action, seed=0))
        agent.restore(block)
        return agent


def _check_config(config: Any) -> None:
    if not isinstance(config, Config):
        raise ConfigError(
            f"config is {one_line(config)}; give a Config, such as Config(layers=(64,)), or Config.from_dict(...) of a "
            "mapping"
        )
