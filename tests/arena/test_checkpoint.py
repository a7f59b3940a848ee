"""Checkpoint files: exact, whole or refused, written atomically, and never executed."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import struct
import sys
import tracemalloc
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from gymnasium import spaces
from synaptick import Agent, StateError
from synaptick.arena import checkpoint as file_format
from synaptick.metrics.episodes import Tally
from synaptick.training.run_folder import RunFolder

from ..support.common import CONTROLS, PARTS, SIZE, SYMBOLS, drive, make_agent, state
from ..support.harness import observed

HEAD = struct.Struct("<IQ")
START = len(file_format.MAGIC) + HEAD.size
Saved: TypeAlias = tuple[Path, Agent]
KINDS: dict[str, dict[str, Any]] = {
    "default": {"layers": (8, 9)},
    "discrete": {"observation": SYMBOLS, "action": spaces.Discrete(2, start=-1), "seed": 5},
    "controls": {"layers": (8, 9), "action": CONTROLS},
    "free controls": {"action": CONTROLS, "std": "free"},
    "parts": {"action": PARTS, "seed": 5},
    "memory": {"memory": 6, "memory_layers": 2, "memory_delay": 3, "feedback": "random"},
    "memory, carried": {"memory": 6, "memory_layers": 2, "depth_filter": "tensor"},
}


def seal(head_and_body: bytes) -> bytes:
    """Append the right digest."""
    return head_and_body + hashlib.sha256(head_and_body).digest()


def forge(metadata: Any, block: bytes, version: int = file_format.FORMAT) -> bytes:
    """Return a file that is whole, with any description and state."""
    description = metadata if isinstance(metadata, bytes) else json.dumps(metadata).encode()
    return seal(file_format.MAGIC + HEAD.pack(version, len(description)) + description + block)


def describe(agent: Agent) -> dict[str, Any]:
    """Return the description in a file of `agent`."""
    return {
        "config": agent.config.to_dict(),
        "observation": agent.observation.to_dict(),
        "action": agent.action.to_dict(),
    }


@pytest.fixture
def saved(tmp_path: Path) -> Saved:
    agent = make_agent(layers=(8, 9))
    drive(agent, 50)
    agent.save(tmp_path / "agent")
    return tmp_path / "agent", agent


@pytest.mark.any_arithmetic
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("inside", [True, False])
def test_what_is_loaded_goes_on_as_if_never_stopped(tmp_path: Path, kind: str, inside: bool) -> None:
    agent = make_agent(**KINDS[kind])
    drive(agent, 200)
    if not inside:
        agent.end(1.0)
    assert agent.running is inside
    agent.save(tmp_path / "agent")
    loaded = Agent.load(tmp_path / "agent")
    assert state(loaded) == state(agent)
    assert describe(loaded) == describe(agent)
    assert drive(loaded, 400, seed=1) == drive(agent, 400, seed=1)
    assert state(loaded) == state(agent)
    loaded.save(tmp_path / "again")
    agent.save(tmp_path / "agent")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "agent").read_bytes()


def test_the_noise_of_a_control_is_part_of_the_state(tmp_path: Path) -> None:
    """It lasts from tick to tick, so that without it the next action would be another one."""
    agent = make_agent(action=CONTROLS, noise_correlation=0.9)
    drive(agent, 50)
    agent.save(tmp_path / "agent")
    loaded, silenced = Agent.load(tmp_path / "agent"), Agent.load(tmp_path / "agent")
    assert np.abs(agent.arena.views["slow_noise"]).min() > 0.0
    silenced.arena.views["slow_noise"][:] = 0.0
    expected = agent.step(0.0, np.zeros(SIZE))
    np.testing.assert_array_equal(loaded.step(0.0, np.zeros(SIZE)), expected)
    assert (silenced.step(0.0, np.zeros(SIZE)) != expected).any()


@pytest.mark.parametrize("kind", KINDS)
def test_the_action_that_is_due_is_part_of_the_state(tmp_path: Path, kind: str) -> None:
    agent = make_agent(**KINDS[kind])
    action = agent.start(observed(agent.observation.root, np.zeros(agent.observation.size), np.random.default_rng(0)))
    agent.save(tmp_path / "agent", {"any": ["notes"]})
    loaded = Agent.load(tmp_path / "agent")
    for found in (agent.last_action, loaded.last_action):
        assert type(found) is type(action)
        assert repr(found) == repr(action)
    assert file_format.read(tmp_path / "agent")[0]["notes"] == {"any": ["notes"]}


def test_saving_changes_nothing(saved: Saved) -> None:
    path, agent = saved
    before = state(agent)
    agent.save(str(path))
    assert state(agent) == before
    assert [entry.name for entry in path.parent.iterdir()] == ["agent"]


def test_the_home_folder_is_understood(saved: Saved, monkeypatch: pytest.MonkeyPatch) -> None:
    path, agent = saved
    monkeypatch.setenv("HOME", str(path.parent))
    agent.save("~/another")
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["agent", "another"]
    assert state(Agent.load("~/another")) == state(agent)


def assert_damaged(path: Path, content: bytes, said: str | None = None) -> None:
    path.write_bytes(content)
    with pytest.raises(StateError, match=said) as caught:
        Agent.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value).splitlines()) == 1


def test_a_truncated_file_is_refused_at_any_length(saved: Saved) -> None:
    path, _ = saved
    content = path.read_bytes()
    early, later = range(START + 200), range(START + 200, len(content), 997)
    for length in (*early, *later, len(content) - 33, len(content) - 32, len(content) - 1):
        assert_damaged(path, content[:length], "damaged" if length >= len(file_format.MAGIC) else "not a synaptick")


def test_one_flipped_bit_is_refused_anywhere(saved: Saved) -> None:
    path, _ = saved
    content = path.read_bytes()
    for number, place in enumerate((*range(START + 50), *range(START + 50, len(content), 499), len(content) - 1)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << number % 8
        assert_damaged(path, bytes(damaged))
    assert_damaged(path, content + b"\0", "damaged")


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(99), b"synaptick", b"Synaptick\n" + bytes(99)])
def test_a_foreign_file_is_named_as_such(tmp_path: Path, content: bytes) -> None:
    assert_damaged(tmp_path / "foreign", content, "not a synaptick checkpoint")


def test_a_newer_format_asks_for_an_update(saved: Saved) -> None:
    path, agent = saved
    newer = forge(describe(agent), state(agent), file_format.FORMAT + 1)
    said = f"written in format {file_format.FORMAT + 1}, .* reads format {file_format.FORMAT}; update synaptick"
    assert_damaged(path, newer, said)
    assert_damaged(path, newer[:-40], said)  # a newer format may end in anything


def test_an_older_format_asks_for_the_version_that_wrote_it(saved: Saved) -> None:
    path, agent = saved
    older = forge(describe(agent), state(agent), file_format.FORMAT - 1)
    said = f"written in format {file_format.FORMAT - 1}, .* reads format {file_format.FORMAT}; use the version"
    assert_damaged(path, older, said)
    assert_damaged(path, older[:-40], "damaged")


class Bomb:
    """Makes a file when unpickled."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


def test_pickled_bytes_are_never_executed(saved: Saved) -> None:
    path, agent = saved
    mark = path.parent / "executed"
    bomb = pickle.dumps(Bomb(mark))
    pickle.loads(bomb)
    assert mark.exists()
    mark.unlink()
    files = [bomb, forge(bomb, state(agent)), forge(describe(agent), bomb), file_format.MAGIC + bomb]
    files += [forge({**describe(agent), "config": bomb.decode("latin-1")}, state(agent))]
    for content in files:
        assert_damaged(path, content)
    assert not mark.exists()


def test_a_whole_file_whose_state_does_not_fit_is_refused(saved: Saved) -> None:
    path, agent = saved
    swapped, good = make_agent(layers=(9, 8)), describe(agent)
    assert_damaged(path, forge(good, state(swapped)), "another shape|bytes; this network needs")
    assert_damaged(path, forge(good, state(agent)[:-64]), "bytes; this network needs")
    assert_damaged(path, forge(good, b""), "observation has 3 entries, at most 0 are allowed")
    assert_damaged(path, forge(describe(swapped), state(agent)), "another shape|bytes; this network needs")
    for section, key, value in (
        ("config", "layers", [8]),
        ("config", "layers", []),
        ("config", "no_such_key", 1),
        ("config", "discount", 2),
        ("observation", "shape", [SIZE + 20]),
        ("observation", "shape", 3),
        ("action", "high", [8]),
        ("action", "high", ["many"]),
    ):
        assert_damaged(path, forge({**good, section: {**good[section], key: value}}, state(agent)))
    for description in ({}, [], 5, b"{", b"\xff\xff", {"config": []}, {**good, "action": None}):
        assert_damaged(path, forge(description, state(agent)))
    path.write_bytes(forge(good, state(agent)))
    assert state(Agent.load(path)) == state(agent)


def test_a_description_is_sized_before_anything_is_allocated(saved: Saved) -> None:
    path, agent = saved
    good = describe(agent)

    def with_section(section: str, **changes: Any) -> Any:
        return {**good, section: {**good[section], **changes}}

    leaf = {"kind": "discrete", "shape": [], "dtype": "int64", "low": [0], "high": [9_000_000]}
    large = {"shape": [9_000_000], "low": [0.0], "high": [1.0]}
    deep = b'{"config": {}, "observation": ' + b'{"kind":"tuple","keys":[0],"parts":[' * 300 + b"]}" * 300 + b"}"
    cases: list[tuple[Any, str]] = [
        (with_section("config", layers=[65536] * 3), r"has \d+ bytes; this network needs 56\d{10}$"),
        (with_section("config", layers=[4] * 257), "layers: got .*; allowed: a list, such as .*, of 1 to 256"),
        (with_section("config", seed=10**400), "seed: got 1000.*; allowed"),
        (with_section("config", discount=float("nan")), "discount: got nan; allowed"),
        (with_section("config", env="\ud800"), r"env: got '\\ud800'; allowed"),
        (
            with_section("config", env_kwargs={"a": "b" * 10**6, "": [[[]]] * 99, "c": float("inf")}) | {"action": 1},
            "ac",
        ),
        (with_section("observation", **large), "observation has 9000000 entries, at most .* are allowed"),
        (with_section("action", **{**leaf, "kind": "multidiscrete", "shape": [9_000_000]}), "at most"),
        (with_section("observation", **leaf), "observation has 9000001 entries, at most"),
        (with_section("action", **leaf), "action has 9000001 entries, at most"),
        (b"[" * 100_000, "its description cannot be read"),
        (deep, "deep, at most 32|cannot be read"),
        (b'{"config": {"seed": ' + b"9" * 5000 + b"}}", "its description cannot be read"),
        (b'{"config": {"env_kwargs": {"a": ' + b"[" * 900 + b"]" * 900 + b"}}}", "env_kwargs: got|cannot be read"),
    ]
    for description, said in cases:
        content = forge(description, state(agent))
        tracemalloc.start()
        assert_damaged(path, content, said)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2**22 + 30 * len(content), said


def test_a_description_longer_than_its_file_is_refused(saved: Saved) -> None:
    path, agent = saved
    for length in (2**63, 10**6):
        head = file_format.MAGIC + HEAD.pack(file_format.FORMAT, length)
        assert_damaged(path, seal(head + b"{}" + state(agent)[:1000]), f"said to have {length} bytes")


def test_a_state_that_is_not_finite_is_refused(saved: Saved) -> None:
    path, agent = saved
    agent.arena.views["actor/w"][0, 0] = np.nan
    agent.save(path)
    assert_damaged(path, path.read_bytes(), "the state is damaged: actor/w cannot be what a run has left")


def test_agent_and_notes_come_of_one_read(saved: Saved, monkeypatch: pytest.MonkeyPatch) -> None:
    path, agent = saved
    notes = {"many": [1, None, "x"], "infinite": float("inf")}
    agent.save(path, notes)
    reads: list[Any] = []
    real = file_format.read
    monkeypatch.setattr(file_format, "read", lambda path: (reads.append(path), real(path))[1])
    loaded, found = Agent.load_with_notes(path)
    assert (state(loaded), found, reads) == (state(agent), notes, [path])
    agent.save(path)
    assert Agent.load_with_notes(path)[1] is None


@pytest.mark.parametrize(("key", "value"), [("shape", [4]), ("shape", ["a"]), ("low", [0, 0])])
def test_a_description_that_contradicts_itself_is_refused(saved: Saved, key: str, value: Any) -> None:
    path, agent = saved
    good = describe(agent)
    assert_damaged(path, forge({**good, "observation": {**good["observation"], key: value}}, state(agent)))


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Agent.load(tmp_path / "none")
    with pytest.raises(OSError, match="none"):
        make_agent().save(tmp_path / "none" / "agent")


@pytest.mark.parametrize("culprit", ["replace", "fsync"])
@pytest.mark.parametrize(
    "failure", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["error", "stop"]
)
def test_a_failure_while_writing_leaves_the_old_file(
    saved: Saved, monkeypatch: pytest.MonkeyPatch, culprit: str, failure: BaseException
) -> None:
    path, agent = saved
    before = path.read_bytes()
    agent.step(1.0, np.ones(SIZE))

    def fail(*_: Any, **__: Any) -> None:
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(os, culprit, fail)
        with pytest.raises(type(failure)):
            agent.save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["agent"]
    agent.save(path)
    assert state(Agent.load(path)) == state(agent)


def test_the_file_is_on_disk_before_it_takes_the_name(saved: Saved, monkeypatch: pytest.MonkeyPatch) -> None:
    path, agent = saved
    order: list[str] = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *given, real=real, name=name: (order.append(name), real(*given))[1])
    agent.save(path)
    assert order[:2] == ["fsync", "replace"]


def test_the_file_takes_the_permissions_of_any_new_file(saved: Saved) -> None:
    path, _ = saved
    path.with_name("other").touch()
    assert path.stat().st_mode == path.with_name("other").stat().st_mode


@pytest.mark.parametrize("layers", [(6, 5), (6, 5, 4), (7, 6, 5, 4)])
def test_writing_one_leaves_nothing_in_memory(layers: tuple[int, ...], tmp_path: Path) -> None:
    """Objects that are free but kept for reuse count too: a run writes millions of checkpoints.

    What leaks does so in each round; the other threads of a test worker come and go in some.
    """
    agent = make_agent(layers=layers)
    folder, tally = RunFolder.create(tmp_path / "run", agent), Tally()
    growth = []
    for _ in range(4):
        blocks = sys.getallocatedblocks()
        for _ in range(60):
            folder.write_checkpoint(agent, tally)
        growth.append(sys.getallocatedblocks() - blocks)
    assert min(growth) < 20
