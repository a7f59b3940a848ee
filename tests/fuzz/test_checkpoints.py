"""Checkpoints that hold anything, also with the right digest: an agent that can act and learn, or one line."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick import Agent
from synaptick.arena import checkpoint

from ..support.common import CONTROLS, PARTS, SYMBOLS, drive, make_agent
from ..support.harness import observed
from .inputs import budgets, changed_bytes, changed_plain, refusal, within

BEGIN = len(checkpoint.MAGIC) + 12
WORDS = [b"[" * 99, b'{"a":' * 99, b"NaN", b"Infinity", b"1e999", b'"\\ud800"', b"9" * 5000, b"null", b",", b'"', b"]"]
WORDS += [b'"kind": "tuple"', b"65536", b"10000000", b"-1", b"\xff", b"\0", b"0.5"]
WHOLE = spaces.Box(-3, 3, (2,), np.int8)
AGENTS: list[dict[str, Any]] = [
    {"layers": (4,)},
    {"layers": (4, 5), "observation": SYMBOLS, "action": PARTS, "memory": 8},
    {"layers": (4,), "observation": PARTS, "action": spaces.Tuple([CONTROLS, WHOLE]), "feedback": "random"},
]
Change = Callable[[random.Random, bytes, bytes], bytes]


def sealed(description: bytes, block: bytes, length: int | None = None) -> bytes:
    head = checkpoint.MAGIC + checkpoint.FORMAT.to_bytes(4, "little")
    body = head + (len(description) if length is None else length).to_bytes(8, "little") + description + block
    return body + hashlib.sha256(body).digest()


def any_bytes(rng: random.Random, description: bytes, block: bytes) -> bytes:
    content = sealed(description, block)
    kind = rng.randrange(4)
    if kind == 0:
        return content[: rng.randrange(len(content))]
    if kind == 1:  # two files in one
        return content[: rng.randrange(len(content))] + content[rng.randrange(len(content)) :]
    if kind == 2:
        return rng.randbytes(rng.randrange(200))
    return changed_bytes(rng, content, WORDS)


def text_of_the_description(rng: random.Random, description: bytes, block: bytes) -> bytes:
    length = rng.choice([None, None, None, 0, 1, 2**64 - 1, rng.randrange(2**16)])
    return sealed(changed_bytes(rng, description, WORDS), block, length)


def data_of_the_description(rng: random.Random, description: bytes, block: bytes) -> bytes:
    values = json.loads(description)
    for _ in range(rng.randint(1, 3)):
        values = changed_plain(rng, values)
    return sealed(json.dumps(values).encode(), block)


def numbers_of_the_state(rng: random.Random, description: bytes, block: bytes) -> bytes:
    changed = bytearray(block)
    for _ in range(rng.choice([1, 1, 4, 64])):
        # The header is small and decides a lot.
        first = 4 * rng.randrange(rng.choice([64, 512, len(changed) // 4]))
        some = [rng.randbytes(4), bytes(4), b"\xff" * 4, np.float32(rng.choice([1e38, -1e38, 1e-42, 3.0])).tobytes()]
        some += [np.float64(rng.choice([1e308, -1e300, -1.0, 0.5, 2.0])).tobytes(), np.int64(-1).tobytes()]
        value = rng.choice(some)
        changed[first : first + len(value)] = value
    return sealed(description, bytes(changed[: len(block)]))


def sizes_of_the_state(rng: random.Random, description: bytes, block: bytes) -> bytes:
    return sealed(description, changed_bytes(rng, block, WORDS, 1))


KINDS: list[Change] = [
    any_bytes,
    text_of_the_description,
    data_of_the_description,
    numbers_of_the_state,
    sizes_of_the_state,
]


def act(agent: Agent) -> None:
    """Lead an agent through a few episodes; what it does need not make sense."""
    rng = np.random.default_rng(0)

    def seen() -> Any:
        return observed(agent.observation.root, rng.normal(size=agent.observation.size), rng)

    if not agent.running:
        agent.start(seen())
    for _ in range(3):
        agent.step(float(rng.normal()), seen())
        agent.end(1.0, seen())
        agent.start(seen(), learn=False)
        agent.step(0.5, seen())
    assert agent.last_action is not None
    assert len(agent.stds) == agent.action.controls
    assert np.isfinite([agent.ticks, agent.episodes]).all()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@budgets(40, 1000)
def test_a_file_is_an_agent_or_refused_in_one_line(tmp_path: Path, kind: Change, count: int) -> None:
    rng, path, loaded = random.Random(f"{kind.__name__} {count}"), tmp_path / "agent", 0
    originals = []
    for settings in AGENTS:
        agent = make_agent(**settings)
        drive(agent, 40)
        originals.append((json.dumps(agent.describe()).encode(), agent.snapshot().tobytes()))
    for number in range(count):
        content = kind(rng, *rng.choice(originals))
        path.write_bytes(content)
        found: list[Agent] = []
        with within(2**21 + 40 * len(content), number):
            said = refusal(lambda found=found: found.append(Agent.load(path)))
        if said:
            assert said.startswith(f"{path}: ")
            continue
        loaded += 1
        refusal(lambda found=found: act(found[0]))
    assert loaded < count
    assert loaded > 0 or kind in (any_bytes, text_of_the_description)
