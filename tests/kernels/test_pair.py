"""A step in two threads: the same bytes, whatever is done in between."""

from __future__ import annotations

import copy
import multiprocessing
import os
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick import Agent, ConfigError
from synaptick.compilation import make_pair
from synaptick.kernels import tick as kernel
from synaptick.kernels.halves import ACT, DONE, END, GONE, QUIT, WHAT, WORDS_BYTES
from synaptick.pair import Pair

from ..support.common import ROOT, drive, make_agent, state

CASES: dict[str, dict[str, Any]] = {
    "default": {},
    "plain": {"memory": 0, "layers": (12,)},
    "three layers": {"layers": (9, 8, 7), "memory": 5},
    "neurons live on": {"keep_state": True},
}
NAME = "synaptick critic"
ACTIONS = [spaces.Discrete(3), spaces.Box(-1.0, 1.0, (2,))]


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
@pytest.mark.parametrize("action", ACTIONS, ids=["index", "controls"])
def test_both_do_the_same(changes: dict[str, Any], action: Any) -> None:
    """In strict arithmetic, where the optimizer may not make other roundings of other code."""
    agent, other = make_agent(**changes, action=action), make_agent(**changes, action=action)
    drive(agent, 300)
    with other.in_two_threads():
        assert isinstance(other._advance, Pair)
        drive(other, 300)
    assert sum(agent.spike_rates["actor"]) > 0
    assert state(agent) == state(other)
    drive(agent, 20)
    drive(other, 20)
    assert state(agent) == state(other)


def test_a_probe_stays_where_it_is() -> None:
    agent, other = make_agent(), make_agent()
    with agent.probe("critic/0", "spike") as alone, other.probe("critic/0", "spike") as beside:
        drive(agent, 60)
        drive(other, 20)
        with other.in_two_threads():
            assert not isinstance(other._advance, Pair)
        other = make_agent()
        with other.in_two_threads(), other.probe("critic/0", "spike") as within:
            drive(other, 60)
        assert (within.raster() == alone.raster()).all()
        assert alone.raster().any()
        assert len(beside.ticks) == 20
    assert not isinstance(other._advance, Pair)


def test_the_thread_ends_with_the_statement_also_by_an_error() -> None:
    agent = make_agent()
    with suppress(KeyError), agent.in_two_threads():
        assert NAME in [thread.name for thread in threading.enumerate()]
        raise KeyError
    assert NAME not in [thread.name for thread in threading.enumerate()]


def test_the_thread_ends_in_the_middle_of_steps_of_another_one() -> None:
    """Of which none is lost, nor half done."""
    agent, alone = make_agent(), make_agent()
    for seed in range(20):
        with agent.in_two_threads():
            stepping = threading.Thread(target=drive, args=(agent, 400, seed), daemon=True)
            before = agent.ticks
            stepping.start()
            while agent.ticks < before + 20 and stepping.is_alive():
                pass
        stepping.join(60)
        assert not stepping.is_alive()
        drive(alone, 400, seed)
        assert state(agent) == state(alone)


def test_what_is_asked_beside_the_end_is_done_first_and_what_is_asked_later_by_who_asks() -> None:
    """Neither hides the other, in whatever order the two threads write."""
    agent, alone = make_agent(), make_agent()
    drive(agent, 20)
    drive(alone, 20)
    make_pair()
    words = np.zeros(WORDS_BYTES // 8, np.int64)
    words[END // 8], words[0] = QUIT, WHAT + ACT
    assert kernel.accompany(make_agent().arena.address, words.ctypes.data) == 0
    assert (words[DONE // 8], words[END // 8]) == (WHAT + ACT, GONE)
    agent._advance = lambda *given: kernel.paired_tick(*given, words.ctypes.data)
    drive(agent, 200)
    drive(alone, 200)
    assert state(agent) == state(alone)


@pytest.mark.parametrize("late", range(4))
def test_a_process_ends_while_a_thread_of_it_steps(late: int) -> None:
    code = f"""
import threading, time
from tests.support.common import drive, make_agent

agents = [make_agent() for _ in range(4)]
for agent in agents:
    agent.in_two_threads().__enter__()
    threading.Thread(target=lambda agent=agent: [drive(agent, 400) for _ in iter(int, 1)], daemon=True).start()
while min(agent.ticks for agent in agents) < 20:
    time.sleep(0.001)
time.sleep({0.003 * late})
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_copies_and_forked_processes_go_on_alone() -> None:
    agent, alone = make_agent(), make_agent()
    drive(alone, 100)
    with agent.in_two_threads():
        copied = copy.deepcopy(agent)
        assert not isinstance(copied._advance, Pair)
        drive(copied, 100)
        assert state(copied) == state(alone)
        if hasattr(os, "fork"):
            context = multiprocessing.get_context("fork")  # its arguments are not pickled
            here, there = context.Pipe()
            child = context.Process(target=_drive_and_tell, args=(agent, 100, there))
            child.start()
            assert here.poll(60)
            assert here.recv() == state(alone)
            child.join()
        drive(agent, 100)
    assert state(agent) == state(alone)


def _drive_and_tell(agent: Agent, ticks: int, pipe: Any) -> None:
    assert isinstance(agent._advance, Pair)
    drive(agent, ticks)
    pipe.send(state(agent))


def test_a_configuration_with_rare_parts_is_refused() -> None:
    with pytest.raises(ConfigError, match="one thread"), make_agent(reset_path=True).in_two_threads():
        pass
