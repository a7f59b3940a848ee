"""Configuration files that hold anything: a configuration, or one line that names the file."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from synaptick import Config, load_config
from synaptick.training.config_file import dump_config, parse_changes, parse_config

from ..support.common import ROOT
from .inputs import NUMBERS, TEXTS, budgets, changed_bytes, plain, refusal, within

SHIPPED = [path.read_bytes() for path in sorted((ROOT / "configs").glob("*.yaml"))]
NAMES = [spec.name for spec in fields(Config)]
WORDS = [b"&a ", b"*a ", b"<<: ", b"!!set ", b"!!binary ", b"!!python/object:os.system ", b"!!int ", b"!!bool ", b"? "]
WORDS += [
    b"!!timestamp ",
    b"!!omap ",
    b"!!float ",
    b"!!null ",
    b"!!merge ",
    b"= ",
    b"{",
    b"}",
    b"[",
    b"]",
    b"- ",
    b": ",
]
WORDS += [
    b"\t",
    b"\0",
    b"\r",
    b"\n",
    b"  ",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xc3\x28",
    b"\xe2\x80\xa8",
    b"'",
]
WORDS += [b'"', b'"\\ud800"', b"# ", b"---\n", b"...\n", b"%YAML 9.9\n", b"%TAG ! x\n", b"|\n", b">-\n", b"2024-13-45 "]
WORDS += [b"0x" + b"f" * 5000, b"9" * 5000, b"1e999", b".nan", b"-.inf", b"1:30:99", b"0o9", b"yes", b"~", b"[" * 99]
WORDS += [name.encode() + b": " for name in NAMES]


def bytes_of_any_kind(rng: random.Random) -> bytes:
    if rng.random() < 0.3:
        return rng.randbytes(rng.randrange(200))
    return b"".join(rng.choice(WORDS) for _ in range(rng.randrange(30)))


def changed_shipped(rng: random.Random) -> bytes:
    return changed_bytes(rng, rng.choice(SHIPPED[1:] if rng.random() < 0.9 else SHIPPED), WORDS)


def structure(rng: random.Random) -> bytes:
    values = {rng.choice([*NAMES, *TEXTS]): plain(rng) for _ in range(rng.randint(0, 4))}
    shared = plain(rng)
    values["env_kwargs"] = {"a": shared, "b": [shared, shared], "c": plain(rng)}
    if rng.random() < 0.2:
        values["env_kwargs"]["c"] = values  # holds itself
    try:
        return str(yaml.safe_dump(values, allow_unicode=rng.random() < 0.5)).encode("utf-8", "surrogatepass")
    except ValueError:  # an integer that has too many digits
        return b""


def aliases(rng: random.Random) -> bytes:
    lines = [f"env_kwargs: {{x0: &x0 {rng.choice(['1', '[1]', '{a: 1}', 'x' * 999])}"]
    for k in range(1, rng.randint(2, 12)):
        times = ", ".join([f"*x{rng.randrange(k)}"] * rng.randint(1, 12))
        lines.append(rng.choice([f"x{k}: &x{k} [{times}]", f"x{k}: &x{k} {{<<: [{times}], y{k}: 1}}"]))
    return (", ".join(lines) + "}").encode()


KINDS: list[Callable[[random.Random], bytes]] = [bytes_of_any_kind, changed_shipped, structure, aliases]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@budgets(120, 800)
def test_a_file_is_a_configuration_or_refused_in_one_line(
    tmp_path: Path, kind: Callable[[random.Random], bytes], count: int
) -> None:
    rng, path, read = random.Random(f"{kind.__name__} {count}"), tmp_path / "some.yaml", 0
    for number in range(count):
        content = kind(rng)
        path.write_bytes(content)
        found: list[Config] = []
        # PyYAML takes about 1 kB for a token of one or two characters.
        with within(2**22 + 2000 * len(content), number):
            said = refusal(lambda found=found: found.append(load_config(path)))
            if said:
                assert said.startswith(f"{path}:")
                continue
            read += 1
            text = dump_config(found[0])
            assert dump_config(parse_config(text, "here")) == text
            json.dumps(found[0].to_dict())
    assert 0 < read < count


@budgets(300, 5000)
def test_a_change_is_read_or_refused_in_one_line(count: int) -> None:
    rng, read = random.Random(count), 0
    for number in range(count):
        key = rng.choice([*NAMES, *TEXTS])
        value: Any = b"".join(
            rng.choice([*WORDS, *(str(n)[:99].encode() for n in NUMBERS)]) for _ in range(rng.randint(1, 3))
        )
        pair = f"{key}{rng.choice(['=', '=', '=', ''])}{value.decode('utf-8', 'surrogateescape')}"
        with within(2**22 + 2000 * len(pair), number):
            read += not refusal(lambda pair=pair: Config().with_changes(parse_changes([pair])))
    assert 0 < read < count
