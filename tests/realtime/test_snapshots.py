"""Copies of the agent to go back to, and on their way to disk."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synaptick import Agent, ConfigError, StateError
from synaptick.arena import checkpoint
from synaptick.arena.checkpoint import NEWEST_FILE, OLDER_FILE
from synaptick.realtime import Guard, Snapshots

from ..support.common import CONTROLS, drive, make_agent, state
from ..support.machines import MS, FakeClock, lead, said


def test_a_snapshot_is_bit_identical_and_leads_the_same_way_on() -> None:
    agent = make_agent(layers=(8, 8), memory=8)
    snapshots = Snapshots(agent)
    drive(agent, 200)
    before = state(agent)
    snapshots.take(200)
    ours = drive(agent, 100, seed=1)
    assert state(agent) != before
    assert snapshots.restore(exact=True) == (200, -np.inf)
    assert state(agent) == before
    assert drive(agent, 100, seed=1) == ours


def test_after_a_rollback_everything_is_as_it_was_but_the_random_numbers() -> None:
    agent = make_agent()
    snapshots = Snapshots(agent)
    drive(agent, 200)
    snapshots.take(200)
    saved = agent.snapshot()
    ours = drive(agent, 300, seed=1)
    words = agent.arena.random.copy()
    snapshots.restore()
    assert (agent.arena.random == words).all()
    agent.arena.random[:] = agent.arena.same_place(saved, agent.arena.random)
    assert state(agent) == saved.tobytes()
    agent.arena.random[:] = words
    assert drive(agent, 300, seed=1) != ours  # the same world, another way through it


def test_random_words_that_no_generator_made_are_not_kept() -> None:
    agent = make_agent()
    snapshots = Snapshots(agent)
    drive(agent, 50)
    snapshots.take(50)
    before = state(agent)
    for broken in ([0, 0, 0, 0], [-1, 1, 1, 1], [2**32, 1, 1, 1]):
        agent.arena.random[:] = broken
        snapshots.restore()
        assert state(agent) == before


def test_the_ring_keeps_the_newest_the_best_and_nothing_broken() -> None:
    agent = make_agent()
    snapshots = Snapshots(agent, keep=3)
    nbytes = snapshots.nbytes
    assert snapshots.restore() is None
    for step, level in enumerate((-np.inf, 5.0, 1.0, 2.0, 3.0), 1):
        agent.arena.running.delta = step
        snapshots.take(step, level)
    assert snapshots.steps == [2, 4, 5]
    assert snapshots.restore() == (5, 3.0)
    assert snapshots.restore(best=True) == (2, 5.0)
    assert agent.td_error == 2
    agent.arena.views["critic/w"][0, 3] = np.nan
    snapshots.take(6, 4.0)
    assert snapshots.restore() == (5, 3.0)
    assert snapshots.steps == [2, 5]
    snapshots.discard(5)
    assert snapshots.restore() == (2, 5.0)
    snapshots.forget_returns()
    snapshots.take(7, 0.0)
    assert snapshots.restore(best=True) == (7, 0.0)
    assert snapshots.nbytes == nbytes == 3 * agent.nbytes


def test_snapshots_are_written_by_a_thread_and_can_be_loaded(tmp_path: Path) -> None:
    agent = make_agent()
    snapshots = Snapshots(agent, folder=tmp_path / "new" / "run", write_every=10)
    for step in (0, 5, 10, 20):
        drive(agent, 20, seed=step)
        snapshots.take(step)
        snapshots.wait(30.0)
    expected = state(agent)
    assert [snapshots.outcome() for _ in range(4)] == [(0, ""), (10, ""), (20, ""), None]
    assert (snapshots.taken, snapshots.written, snapshots.failed, snapshots.last_written) == (4, 3, 0, 20)
    files = sorted(path.name for path in (tmp_path / "new" / "run").iterdir())
    assert files == ["agent.older.synaptick", "agent.synaptick"]
    assert state(Agent.load(tmp_path / "new" / "run" / "agent.synaptick")) == expected
    notes = checkpoint.read(tmp_path / "new" / "run" / "agent.older.synaptick")[0]["notes"]
    assert notes == {"realtime": {"step": 10}}
    drive(agent, 20)
    snapshots.close(33)
    assert state(Agent.load(tmp_path / "new" / "run" / "agent.synaptick")) == state(agent)


def test_a_copy_that_is_being_written_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agent, gate = make_agent(), threading.Event()
    real = checkpoint.write

    def slow(*arguments: Any) -> None:
        assert gate.wait(60.0)
        real(*arguments)

    monkeypatch.setattr(checkpoint, "write", slow)
    snapshots = Snapshots(agent, keep=3, folder=tmp_path, write_every=1)
    drive(agent, 20)
    expected = state(agent)
    snapshots.take(1)
    for step in range(2, 12):
        drive(agent, 5, seed=step)
        snapshots.take(step)
    assert not snapshots.wait(0.0)
    gate.set()
    assert snapshots.wait(60.0)
    assert state(Agent.load(tmp_path / "agent.synaptick")) == expected
    snapshots.close(12)


def test_the_home_folder_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    agent = make_agent()
    assert Snapshots(agent, folder="~/kept").close(0)
    found = Snapshots.load_newest("~/kept")
    assert found is not None
    assert state(found) == state(agent)
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept"]


def test_a_broken_agent_is_not_written(tmp_path: Path) -> None:
    agent = make_agent()
    snapshots = Snapshots(agent, folder=tmp_path)
    agent.arena.views["actor/credit"][0, 0] = np.inf
    snapshots.take(1)
    snapshots.wait(30.0)
    assert snapshots.outcome() == (1, "it holds a number that is not finite")
    assert not (tmp_path / "agent.synaptick").exists()
    snapshots.close(1, last=False)


@pytest.mark.parametrize("wrong", [{"every": 0}, {"keep": 2}, {"write_every": 1.5}, {"every": True}])
def test_impossible_settings_of_snapshots_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Snapshots(make_agent(), **wrong)


def test_what_is_infinite_is_not_sound_but_for_the_bounds_of_a_control() -> None:
    agent = make_agent(action=CONTROLS)
    assert np.isinf(agent.arena.views["control_high"]).any()
    snapshots = Snapshots(agent)
    snapshots.take(1)
    agent.arena.views["observation_m2"][0] = np.inf
    snapshots.take(2)
    assert snapshots.restore() == (1, -np.inf)


def test_a_thread_that_cannot_be_started_is_a_snapshot_that_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Any) -> None:
        raise RuntimeError("can't start new thread")

    snapshots = Snapshots(make_agent(), folder=tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        snapshots.take(1)
        assert snapshots.outcome() == (1, "can't start new thread")
    snapshots.take(2)
    assert snapshots.wait(60.0)
    assert snapshots.outcome() == (2, "")
    snapshots.close(2)


def test_a_disk_that_does_not_answer_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, clock = threading.Event(), FakeClock()
    real = checkpoint.write

    def hangs(*arguments: Any) -> None:
        assert gate.wait(60.0)
        real(*arguments)

    monkeypatch.setattr(checkpoint, "write", hangs)
    agent = make_agent()
    guard = Guard(agent, snapshots=Snapshots(agent, every=10, folder=tmp_path), clock=clock)
    for k in range(5):
        clock.time += 40_000 * MS
        lead(guard, 10, k)
    assert said(guard, "disk") == ["the snapshot of step 0 is still on its way; the loop goes on; look after the disk"]
    gate.set()
    assert guard.snapshots.wait(60.0)
    lead(guard, 10)
    assert said(guard, "disk")[1:] == ["snapshots are written again: that of step 0"]
    guard.close()
    assert state(Agent.load(tmp_path / "agent.synaptick")) == state(agent)


def test_parts_of_files_that_a_kill_has_left_do_not_pile_up(tmp_path: Path) -> None:
    for name in ("..agent.synaptick.part.12-34.part", ".agent.synaptick.part"):
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / ".other.part").write_bytes(b"somebody else's")
    snapshots = Snapshots(make_agent(), folder=tmp_path)
    snapshots.take(1)
    snapshots.close(1, last=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other.part", "agent.synaptick"]


def test_a_folder_that_is_removed_is_made_again(tmp_path: Path) -> None:
    snapshots = Snapshots(make_agent(), folder=tmp_path / "run", write_every=1)
    for step in (1, 2):
        snapshots.take(step)
        assert snapshots.wait(60.0)
        assert snapshots.outcome() == (step, "")
        shutil.rmtree(tmp_path / "run")
    (tmp_path / "run").write_bytes(b"no folder")
    snapshots.take(3)
    assert snapshots.wait(60.0)
    assert snapshots.outcome() == (3, "File exists")
    snapshots.close(3, last=False)


def test_an_agent_that_has_learned_for_longer_is_not_replaced(tmp_path: Path) -> None:
    agent = make_agent()
    drive(agent, 50)
    for name in (NEWEST_FILE, OLDER_FILE):
        agent.save(tmp_path / name)
        content = (tmp_path / name).read_bytes()
        with pytest.raises(
            StateError, match=f"holds an agent of {agent.ticks} ticks, which one of 0 would replace; go on with"
        ):
            Snapshots(make_agent(), folder=tmp_path)
        assert (tmp_path / name).read_bytes() == content
        Snapshots(Agent.load(tmp_path / name), folder=tmp_path)
        drive(younger := make_agent(), 50)
        Snapshots(younger, folder=tmp_path)
        (tmp_path / name).unlink()
    (tmp_path / NEWEST_FILE).write_bytes(b"nothing that could be used")
    agent.save(tmp_path / OLDER_FILE)
    with pytest.raises(StateError, match=OLDER_FILE):
        Snapshots(make_agent(), folder=tmp_path)
    assert Snapshots(make_agent(), folder=tmp_path / "none").taken == 0


def test_the_newest_snapshot_of_a_folder_is_loaded_or_the_one_before(tmp_path: Path) -> None:
    assert Snapshots.load_newest(tmp_path / "none") is None
    assert Snapshots.load_newest(tmp_path) is None
    older = make_agent()
    drive(older, 20)
    older.save(tmp_path / OLDER_FILE)
    newest = make_agent()
    drive(newest, 50)
    newest.save(tmp_path / NEWEST_FILE)

    def loaded() -> int:
        agent = Snapshots.load_newest(str(tmp_path))
        assert agent is not None
        Snapshots(agent, folder=tmp_path).close(0, last=False)  # a second start goes on
        return agent.ticks

    assert loaded() == newest.ticks > older.ticks
    (tmp_path / NEWEST_FILE).write_bytes((tmp_path / NEWEST_FILE).read_bytes()[:100])
    with pytest.warns(UserWarning, match=rf"{NEWEST_FILE}.*; the one before it is used, {older.ticks} ticks"):
        assert loaded() == older.ticks
    (tmp_path / OLDER_FILE).write_bytes(b"")
    with pytest.raises(StateError, match=OLDER_FILE):
        Snapshots.load_newest(tmp_path)
    newest.save(tmp_path / NEWEST_FILE)
    assert loaded() == newest.ticks
    (tmp_path / NEWEST_FILE).rename(tmp_path / OLDER_FILE)  # as a kill between two renames leaves it
    assert loaded() == newest.ticks
