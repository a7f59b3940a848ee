"""The C source of an agent is that agent: bit by bit in strict arithmetic, warning by warning, and error by error."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from synaptick import Agent, Config, ConfigError, StateError
from synaptick.arena.arena import sealed
from synaptick.bench.export import follow, new_agent
from synaptick.errors import CompilerError
from synaptick.export import export_c, saved_state, write_source
from synaptick.export.c.compiler import compile_c, find_compiler, section_bytes
from synaptick.export.c.native import CAgent
from synaptick.export.c.source import MARK
from synaptick.kernels import tick as kernel
from synaptick.kernels.base.records import index_of, names_of
from synaptick.kernels.layout import PLACES_AT, SETTINGS_AT, SIZES_AT, Sizes
from synaptick.kernels.settings import Settings
from synaptick.kernels.views import LAYERS_AT, LayerRow
from synaptick.realtime import Snapshots

from ..support.common import BOX, CONTROLS, PARTS, ROOT, SYMBOLS, assert_finite, make_agent, tiers
from ..support.runs import SMALL, Cli
from .cases import CASES, MUTANTS, SANITIZED, agent_of, compare, mutant, sanitized

OK, OTHER_SHAPE, OTHER_SETTINGS, DAMAGED = 0, -4, -5, -6
EXAMPLE = ROOT / "docs" / "examples" / "embed_in_c" / "main.c"
# All that the code may ask of a C library; what a compiler makes of sqrt and memcpy is its business.
LIBRARY = {"exp", "expf", "log", "sqrt", "memcpy", "memset"}
# Of the cases, those that together use nearly all of the source.
USUAL = (
    *("one layer", "odd sizes, three levels", "parts of an action", "factored, hop, reset path", "state kept"),
    *("deep", "tensor", "memory", "memory carried, tensor"),
)


@pytest.fixture(scope="session", autouse=True)
def _compiler() -> None:
    try:
        find_compiler()
    except CompilerError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", tiers(CASES, USUAL))
def test_every_byte_is_the_same_after_every_tick(name: str) -> None:
    found = compare(name, 800)
    assert found["wrong"] == [], f"tick {found['ticks']}"
    assert found["ticks"] == 800
    assert found["spikes"] > 0


@pytest.mark.parametrize("name", tiers(MUTANTS, list(MUTANTS)[:4]))
def test_a_small_mistake_in_the_source_is_noticed(name: str) -> None:
    case, *mistake = MUTANTS[name]
    assert compare(case, 400, mutant(*mistake))["wrong"]


@pytest.mark.parametrize("name", tiers(SANITIZED, SANITIZED[:1]))
def test_sanitizers_find_nothing_and_the_program_ends_in_the_same_state(name: str) -> None:
    assert sanitized(name, 300) == {"code": 0, "said": "", "wrong": []}


@pytest.mark.parametrize("name", ["one layer", "state kept"])
def test_an_agent_exported_in_an_episode_begins_the_next_one_as_it_would(name: str) -> None:
    found = compare(name, 300, before=310)
    assert found["wrong"] == [], f"tick {found['ticks']}"


def test_both_balance_the_pole_with_the_same_actions() -> None:
    found = follow(new_agent("1x32"), 3000)
    assert found == {"steps": 3000, "same_actions": True, "first_difference": None, "relative": 0.0, "greatest": 0.0}


@pytest.mark.parametrize(
    "network",
    [
        pytest.param("default", marks=pytest.mark.slow),
        *(pytest.param(name, marks=pytest.mark.long) for name in ("1x32", "1x64")),
    ],
)
def test_actions_are_the_same_over_1e5_steps_of_cartpole(network: str) -> None:
    found = follow(new_agent(network), 100_000)
    assert (found["steps"], found["same_actions"], found["first_difference"]) == (100_000, True, None)


@pytest.mark.slow
def test_the_bench_tells_bytes_bits_and_times(cli: Cli) -> None:
    code, out, _ = cli("bench", "export", "--steps", 1000, "--networks", "1x32", "--json")
    assert code == 0
    row = json.loads(out.splitlines()[-1])["networks"]["1x32"]
    assert row["bytes"]["state"] == 42_304
    assert row["strict"]["follow"]["steps"] == 1000
    assert row["fast"]["follow"]["steps"] > 0
    assert row["fast"]["step_us"].keys() == row["strict"]["step_us"].keys()
    code, out, _ = cli("bench", "export", "--steps", 1000, "--networks", "1x32")
    assert (code, "all actions the same" in out) == (0, True)


def test_random_settings_give_sources_without_warnings(tmp_path: Path) -> None:
    choices: dict[str, list[Any]] = {
        "layers": [(5,), (5, 4), (5, 4, 6)],
        "memory": [0, 5],
        "memory_layers": [1, 2],
        "memory_delay": [0, 2],
        "depth_filter": ["cascade", "factored", "none", "tensor"],
        "recurrent_hop": [False, True],
        "recurrent": [True, False],
        "reset_path": [False, True],
        "adaptive_fraction": [0.5, 0.0],
        "readout_share": [0.5, 0.0],
        "feedback": ["symmetric", "random", "adaptive"],
        "rate_regularization": [0.0, 0.1],
        "keep_state": [False, True],
        "normalize_rewards": [True, False],
        "lr_policy": [0.5, 0.0],
        "frozen_layers": [0, 1, 2],
        "spatial_signal": [True, False],
        "temporal_trace": [True, False],
        "readout": ["all", "top"],
    }
    rng = random.Random(0)
    for _ in range(30):
        settings = {name: rng.choice(values) for name, values in choices.items()}
        space = rng.choice([CONTROLS, PARTS, spaces.Discrete(3)])
        agent = Agent(Config(**settings), rng.choice([BOX, SYMBOLS]), space)
        export_c(agent, tmp_path, initial=rng.random() < 0.7)
        compile_c([tmp_path / "agent.c"], tmp_path / "agent.o", "-c", "-O0")  # raises, with the compiler's words


def wrong_calls(twin: CAgent) -> dict[str, tuple[Callable[[], int], int]]:
    """Calls that a running agent refuses, and the code of each."""
    nan, good = np.array([0.0, np.nan, 0.0], np.float32), np.zeros(3, np.float32)
    return {
        "start, nan": (lambda: twin.start(nan), kernel.BAD_OBSERVATION),
        "step, nan": (lambda: twin.step(0.0, nan), kernel.BAD_OBSERVATION),
        "step, infinite": (lambda: twin.step(0.0, nan * 0 + np.inf), kernel.BAD_OBSERVATION),
        "step, reward": (lambda: twin.step(np.nan, good), kernel.BAD_REWARD),
        "step, both": (lambda: twin.step(-np.inf, nan), kernel.BAD_REWARD),
        "end, reward": (lambda: twin.end(np.inf), kernel.BAD_REWARD),
        "cut off, nan": (lambda: twin.end(0.0, nan), kernel.BAD_OBSERVATION),
    }


def test_what_is_refused_leaves_every_byte_as_it_was() -> None:
    agent = make_agent()
    twin = CAgent(agent)
    good = np.ones(3, np.float32)
    before = twin.state.copy()
    assert twin.step(0.0, good) == twin.end(0.0) == twin.end(0.0, good) == kernel.NOT_STARTED
    assert (twin.state == before).all()
    assert twin.start(good) == OK
    assert twin.step(0.5, good) == OK
    before = twin.state.copy()
    for name, (call, code) in wrong_calls(twin).items():
        assert call() == code, name
        assert (twin.state == before).all(), name
    assert twin.step(1e300, good) == OK  # finite, and brought within what can be squared
    agent.restore(twin.save())
    assert_finite(agent)


def test_a_state_of_other_settings_or_another_shape_is_refused() -> None:
    agent = make_agent()
    twin = CAgent(agent)
    mine = twin.save()
    for changes in ({"discount": 0.5}, {"adapt_strength": 0.1}, {"tau_max": 30.0}, {"keep_state": True}):
        other = make_agent(**changes)
        assert other.nbytes == agent.nbytes
        assert twin.load(saved_state(other)) == OTHER_SETTINGS, changes
    for place, name in enumerate(names_of(Settings)):
        broken = agent.snapshot()
        broken[agent.arena.ints.nbytes + 8 * (SETTINGS_AT + place)] ^= 1
        assert twin.load(sealed(broken.tobytes())) == OTHER_SETTINGS, name
    sizes = (SIZES_AT + index_of(Sizes, name) for name in ("n_layers", "n_floats"))
    for entry in (*sizes, PLACES_AT, LAYERS_AT + index_of(LayerRow, "w")):
        broken = agent.snapshot()
        broken[8 * entry] ^= 1
        assert twin.load(sealed(broken.tobytes())) == OTHER_SHAPE, entry
    assert (twin.save() == mine).all()
    assert twin.load(saved_state(make_agent(seed=7))) == OK  # the same settings, other weights


def test_a_state_of_which_a_bit_has_changed_is_refused_on_both_sides() -> None:
    agent = make_agent()
    twin = CAgent(agent)
    mine, weights = twin.save(), agent.arena.views["actor/w"]
    assert mine.tobytes() == saved_state(agent)
    where = weights.ctypes.data - agent.arena.address
    for place in (where, where + weights.nbytes - 1, mine.size - 1):
        broken = mine.copy()
        broken[place] ^= 8
        assert twin.load(broken) == DAMAGED, place
        with pytest.raises(StateError, match="damaged: a bit of it has changed"):
            agent.restore(broken)
    assert (twin.save() == mine).all()
    agent.restore(mine)


def test_states_go_both_ways_in_the_middle_of_an_episode() -> None:
    agent = make_agent(memory=6)
    agent.start(np.zeros(3, np.float32))
    for k in range(20):
        agent.step(0.1, np.full(3, np.sin(k), np.float32))
    twin = CAgent(agent, initial=False)  # blank: it loads the snapshot
    assert not hasattr(twin.library, "agent_init")
    assert (twin.state == agent.arena.block).all()
    assert (twin.library.agent_value(twin.address), twin.library.agent_td_error(twin.address)) == (
        agent.value,
        agent.td_error,
    )
    assert twin.step(0.3, np.ones(3, np.float32)) == OK
    agent.restore(twin.save())
    assert (agent.ticks, agent.running) == (21, True)
    assert agent.last_action == int(twin.action[0])


def test_the_same_agent_gives_the_same_text_and_is_not_changed() -> None:
    agent = agent_of("parts of an action")
    before = agent.snapshot()
    source = write_source(agent)
    assert source == write_source(agent) == write_source(agent_of("parts of an action"))
    assert (agent.snapshot() == before).all()
    assert "//#" not in source.code + source.header
    assert "@" not in source.code + source.header


def test_only_the_parts_that_are_used_are_in_the_source() -> None:
    plain, whole = (write_source(agent_of(name)).code for name in ("one layer", "odd sizes, three levels"))
    assert "hop_row" in whole
    unused = "hold( learn_memory hop_row hops_row add_vectors reset_row normal( control_of PREFERENCE_DECAY"
    for word in unused.split():
        assert word not in plain, word


def test_the_name_is_in_all_names(tmp_path: Path) -> None:
    export_c(make_agent(), tmp_path, "left_motor")
    (tmp_path / "main.c").write_text(
        '#include "left_motor.h"\n#include "agent.h"\n'
        "static struct left_motor_memory a;\nstatic struct agent_memory b;\n"
        "int main(void) { left_motor_init(&a); agent_init(&b);\n"
        "return left_motor_bytes() == AGENT_BYTES && LEFT_MOTOR_OK == 0 ? 0 : 1; }\n"
    )
    export_c(make_agent(), tmp_path)  # both in one program
    files = [tmp_path / name for name in ("main.c", "left_motor.c", "agent.c")]
    built = compile_c(files, tmp_path / "main", "-O1", f"-I{tmp_path}")
    assert subprocess.run([str(built)]).returncode == 0


@pytest.mark.parametrize("name", ["", "2motors", "left-motor", "_agent", "größe", "a b", "x" * 32, "a/b", "agent\n"])
def test_a_name_that_c_has_not_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"--name .*allowed"):
        export_c(make_agent(), tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_the_code_needs_next_to_nothing(tmp_path: Path) -> None:
    export_c(agent_of("controls"), tmp_path)
    built = compile_c([tmp_path / "agent.c"], tmp_path / "agent.o", "-c", "-Os")
    if shutil.which("size") is None or shutil.which("nm") is None:
        pytest.skip("no binutils")
    found = section_bytes(built)
    assert found["data"] == found["bss"] == 0, "all memory is the caller's"
    assert found["text"] > 1000
    listed = subprocess.run(["nm", "-u", str(built)], capture_output=True, text=True, check=True).stdout
    used = {line.split()[-1].split("@")[0] for line in listed.splitlines()}
    assert {name for name in used if not name.startswith(("_GLOBAL_OFFSET_TABLE_", "__stack_chk"))} <= LIBRARY


def test_the_header_tells_what_goes_where() -> None:
    space = spaces.Dict(
        camera=spaces.Box(0, 255, (2,), np.uint8), mode=spaces.Discrete(3, start=5), speed=spaces.Box(-1, 1, ())
    )
    header = write_source(Agent(Config(layers=(8,)), space, PARTS)).header
    for line in (
        "[0] to [1]: observation['camera'], shape (2,), as (value - 0) / 255",
        "[2] to [4]: observation['mode'], 1 at the value less 5, 0 elsewhere",
        "[5]: observation['speed'], one, as it is",
        "control 0: action['turn'], from -1.0 to 1.0",
        "#define AGENT_INPUTS 6 ",
        "#define AGENT_CONTROLS 1 ",
    ):
        assert line in header, line
    shifted = Agent(Config(layers=(8,)), BOX, spaces.Discrete(3, start=-1))
    assert "factor 0: action, index 0 to 2, index 0 standing for -1" in write_source(shifted).header


@pytest.mark.parametrize("initial", [True, False])
@pytest.mark.parametrize("action", [spaces.Discrete(3), CONTROLS, PARTS], ids=["discrete", "controls", "parts"])
def test_the_example_of_the_header_is_c(tmp_path: Path, action: Any, initial: bool) -> None:
    header = write_source(make_agent(action=action), "motor", initial).header
    begin = header.index("static struct motor_memory")
    example = re.sub("//(.*)", r"/*\1 */", header[begin : header.index("Observation, in this order")])
    assert ("yours: a controller that it corrects, range" in example) == ("set_drive" in example)
    (tmp_path / "motor.h").write_text(header)
    (tmp_path / "main.c").write_text(
        '#include "motor.h"\nvoid read_sensors(double *);\nvoid set_switch(int);\nvoid set_drive(double);\n'
        "double reward_of(const double *);\nvoid wait(void);\nvoid report(void);\n"
        "extern const unsigned char saved[];\nvoid live(void);\nvoid live(void)\n{\n" + example + "}\n"
    )
    compile_c([tmp_path / "main.c"], tmp_path / "main.o", "-c", f"-I{tmp_path}")
    assert ("set_switch" in example, "set_drive" in example) == (
        not isinstance(action, spaces.Box),
        action in (CONTROLS, PARTS),
    )
    assert ("motor_init" in example) == initial


def test_somebody_elses_file_is_not_overwritten(tmp_path: Path) -> None:
    mine = tmp_path / "agent.c"
    mine.write_text("int main(void) { return 0; }\n")
    with pytest.raises(StateError, match=r"agent\.c is there already.*--out or --name"):
        export_c(make_agent(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["agent.c"]
    assert mine.read_text().startswith("int main")
    mine.unlink()
    export_c(make_agent(), tmp_path)
    first = mine.read_text()
    export_c(make_agent(seed=1), tmp_path)  # an export replaces an export
    assert mine.read_text() != first
    assert mine.read_text().startswith(MARK)


def test_the_command_exports_the_agent_of_a_run(cli: Cli, tmp_path: Path) -> None:
    code, _, err = cli("run", "CartPole-v1", "--steps", 200, *SMALL, "--set", "memory=0", "--out", "run", "--quiet")
    assert code == 0, err
    code, out, _ = cli("export", "c", "run", "--out", "c", "--name", "pole", "--json")
    result = json.loads(out)
    assert (code, result["inputs"], result["choices"]) == (0, 4, 1)
    assert result["state_bytes"] == Agent.load("run/agent.synaptick").nbytes
    compile_c([tmp_path / "c" / "pole.c"], tmp_path / "pole.o", "-c", "-O1")
    code, out, _ = cli("export", "c", "run", "--out", "blank", "--blank")
    assert (code, "agent.h" in out) == (0, True)
    assert "agent_init" not in (tmp_path / "blank" / "agent.h").read_text()
    assert "It had seen 200 steps" in (tmp_path / "c" / "pole.h").read_text()
    agent = make_agent()
    Snapshots(agent, folder="snapshots").close(0)
    code, out, _ = cli("export", "c", "snapshots", "--out", "loop", "--json")
    assert (code, json.loads(out)["state_bytes"]) == (0, agent.nbytes)
    Path("snapshots/agent.synaptick").write_bytes(b"")
    for arguments in (
        ("nowhere", "--out", "c"),
        ("snapshots", "--out", "c"),
        ("run", "--out", "c", "--name", "9"),
        ("run", "--out", "c", "--name", "Math"),
        ("run", "--out", "run/config.yaml"),
    ):
        code, _, err = cli("export", "c", *arguments)
        assert (code, len(err.splitlines())) == (2, 1), err


def test_without_a_compiler_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(CompilerError, match="install cc, gcc or clang"):
        find_compiler()


def test_the_example_learns_in_c_and_goes_on_from_its_file(tmp_path: Path) -> None:
    limits = np.array([4.8, np.inf, 0.42, np.inf], np.float32)
    agent = make_agent(observation=spaces.Box(-limits, limits), action=spaces.Discrete(2), layers=(32,))
    export_c(agent, tmp_path)
    program = compile_c([EXAMPLE, tmp_path / "agent.c"], tmp_path / "pole", "-O2", f"-I{tmp_path}")
    state = tmp_path / "pole.state"

    def balance(steps: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(program), str(steps), str(state)], capture_output=True, text=True, timeout=120)

    first = balance(30_000)
    assert first.returncode == 0, first.stderr
    lengths = [float(line.split()[-1]) for line in first.stdout.splitlines()]
    assert len(lengths) == 6
    assert lengths[-1] > 2 * lengths[0], "nothing was learned"
    agent.restore(state.read_bytes())
    assert agent.ticks == 30_000
    second = balance(1)
    assert second.returncode == 0, second.stderr
    agent.restore(state.read_bytes())
    assert agent.ticks == 30_001
    state.write_bytes(b"something else")
    third = balance(1)
    assert (third.returncode, "is not a state of this agent" in third.stderr) == (1, True)
