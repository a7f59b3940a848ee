"""Making environments: ids, arguments and wrappers that work, and one line for each that does not."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from synaptick import EnvError, make_env
from synaptick.errors import StateError, described
from synaptick.training.plugins import registering_modules

from ..support.runs import Cli

VECTOR_ONLY, VECTOR_MADE, MADE = "VectorOnly-v0", "VectorMade-v0", "Made-v0"


@pytest.fixture(autouse=True)
def _registered() -> Any:
    gymnasium.register(VECTOR_ONLY, vector_entry_point="no_such_module:Env")
    gymnasium.register(VECTOR_MADE, lambda **_: gymnasium.make_vec("CartPole-v1", num_envs=2))
    yield
    for name in (VECTOR_ONLY, VECTOR_MADE):
        del gymnasium.registry[name]


@pytest.mark.parametrize(
    ("env_id", "kwargs", "said"),
    [
        ("CartPoel-v1", {}, "cannot be made: .*CartPoel"),
        ("CartPole-v99", {}, "cannot be made"),
        ("not an id", {}, "cannot be made"),
        ("synaptick/NoSuch-v0", {}, "cannot be made"),
        ("no_such_module:Env-v0", {}, "needs a module that is not installed: .*no_such_module"),
        ("CartPole-v1", {"no_such": 1}, "cannot be made with env_kwargs {'no_such': 1}: .*no_such"),
        ("FrozenLake-v1", {"map_name": "nowhere"}, "cannot be made with env_kwargs .*nowhere"),
        (VECTOR_ONLY, {}, "is a vector environment, several streams; an agent is one stream: give the id of a single"),
        (VECTOR_MADE, {}, "is a vector environment, several streams; an agent is one stream: give the id of a single"),
    ],
)
def test_an_environment_that_cannot_be_made_says_why(env_id: str, kwargs: dict[str, Any], said: str) -> None:
    with pytest.raises(EnvError, match=f"^environment '{env_id}' {said}") as caught:
        make_env(env_id, kwargs)
    assert len(str(caught.value).splitlines()) == 1


# ---- modules that register


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that installs a package: module, what its metadata says beside name and version, its source."""
    (tmp_path / "site").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "site")

    def install(module: str, metadata: str, source: str = "") -> None:
        monkeypatch.delitem(sys.modules, module, raising=False)
        (tmp_path / "site" / f"{module}.py").write_text(source)
        information = tmp_path / "site" / f"{module}-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n{metadata}\n")
        (information / "top_level.txt").write_text(f"{module}\n")

    return install


REGISTER = """
import gymnasium
gymnasium.register("highway-fast-v0", "gymnasium.envs.classic_control:CartPoleEnv")
"""


def test_an_id_of_an_installed_package_is_told_the_module_that_may_register_it(installed: Callable[..., None]) -> None:
    before = set(registering_modules())
    with pytest.raises(EnvError, match=r"doesn't exist. \(an id that a package registers .* is written module:id"):
        make_env("highway-fast-v0")
    installed("highway_env", "Requires-Dist: gymnasium (>=1.0)", REGISTER)
    installed("robots", "Requires-Dist: gym==0.26")
    installed("unrelated", "Requires-Dist: gym-notices\nRequires-Dist: numpy")
    assert set(registering_modules()) == {*before, "highway_env", "robots"}
    said = r"doesn't exist. \(if highway_env registers it, write highway_env:highway-fast-v0\)$"
    with pytest.raises(EnvError, match=f"^environment 'highway-fast-v0' cannot be made: .*{said}"):
        make_env("highway-fast-v0")
    with pytest.raises(EnvError, match=r"package for Robots\? \(if robots registers it, write robots:Robots/Arm-v1\)$"):
        make_env("Robots/Arm-v1")
    with pytest.raises(EnvError, match=r"module:id; packages installed here that may: .*highway_env,.* robots"):
        make_env("Unheard-of-v0")
    with pytest.raises(EnvError, match=r"Did you mean: `CartPole`\?$"):
        make_env("CartPoel-v1")
    try:
        make_env("highway_env:highway-fast-v0").close()
    finally:
        gymnasium.registry.pop("highway-fast-v0", None)


def test_a_module_in_the_working_directory_is_found_after_all_that_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: Callable[..., None]
) -> None:
    installed("both_places", "", REGISTER.replace("highway-fast", "Installed"))
    monkeypatch.setattr(sys, "path", list(sys.path))  # it stays at the end, so that later imports find what lies there
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    (here / "both_places.py").write_text("raise ImportError('from here')\n")
    (here / "own_helper.py").write_text("from gymnasium.envs.classic_control import CartPoleEnv\n")
    (here / "own_env.py").write_text(
        "import gymnasium\n"
        "def make(**kwargs):\n"
        "    from own_helper import CartPoleEnv\n"
        "    return CartPoleEnv(**kwargs)\n"
        "class Same(gymnasium.Wrapper):\n"
        "    pass\n"
        "gymnasium.register('Own-v0', make)\n"
    )
    before = list(sys.path)
    try:
        make_env("both_places:Installed-v0").close()
        with pytest.raises(EnvError, match="No module named 'not_even_here'"):
            make_env("not_even_here:Own-v0")
        assert sys.path == before
        env = make_env("own_env:Own-v0", wrappers=["own_env:Same"])
        assert type(env).__name__ == "Same"
        env.close()
        assert sys.path == [*before, str(here)]
    finally:
        for name in ("Own-v0", "Installed-v0"):
            gymnasium.registry.pop(name, None)
        for name in ("own_env", "own_helper", "both_places"):
            sys.modules.pop(name, None)


def test_without_a_working_directory_a_module_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(EnvError, match=r"needs a module that is not installed: No module named 'not_even_here'$"):
        make_env("not_even_here:Own-v0")


# ---- what is no single environment of Gymnasium


def of_package(name: str, package: str) -> type:
    """Return a class that another library may have."""
    return type(name, (), {"__module__": package})


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (
            of_package("AECEnv", "pettingzoo.utils.env"),
            r"has several agents \(PettingZoo\); synaptick is one agent: give",
        ),
        (of_package("ParallelEnv", "own"), r"has several agents \(PettingZoo\)"),
        (
            of_package("Env", "gym.core"),
            r"is of the old package gym; .* pip install .shimmy\[gym-v26\]. .* {env_id: ID}",
        ),
        (of_package("Wrapper", "gym.core"), "is of the old package gym"),
        (of_package("DummyVecEnv", "stable_baselines3"), "made a stable_baselines3.Sub; allowed: a gymnasium.Env"),
        (of_package("VecEnv", "stable_baselines3"), "is a vector environment, several streams"),
        (int, "made a test_environment.Sub; allowed: a gymnasium.Env"),
    ],
)
def test_what_is_no_environment_of_gymnasium_is_named(kind: type, said: str) -> None:
    sub = type("Sub", (kind,), {"__module__": "test_environment" if kind is int else kind.__module__})
    gymnasium.register(MADE, lambda **_: sub())
    try:
        with pytest.raises(EnvError, match=f"^environment 'Made-v0' {said}"):
            make_env(MADE)
    finally:
        del gymnasium.registry[MADE]


def test_an_id_of_pettingzoo_is_of_several_agents(installed: Callable[..., None]) -> None:
    installed("pettingzoo", "Requires-Dist: gymnasium")
    try:
        with pytest.raises(EnvError, match=r"^environment 'pettingzoo:knights_v10' has several agents"):
            make_env("pettingzoo:knights_v10")
    finally:
        sys.modules.pop("pettingzoo", None)


def test_an_id_is_a_text() -> None:
    with pytest.raises(EnvError, match=r"^environment 3: allowed: an id, such as 'CartPole-v1' or 'module:id'$"):
        make_env(3)  # type: ignore[arg-type]


# ---- whatever foreign code raises

LEAVING = [
    SystemExit,
    GeneratorExit,
    AssertionError,
    MemoryError,
    RecursionError,
    type("Own", (BaseException,), {}),
]


@pytest.mark.parametrize("kind", LEAVING, ids=lambda kind: kind.__name__)
def test_whatever_a_constructor_raises_is_named_with_the_place(kind: type[BaseException]) -> None:
    def fail(**_: Any) -> None:
        raise kind

    gymnasium.register(MADE, fail)
    line = fail.__code__.co_firstlineno + 1
    try:
        with pytest.raises(
            EnvError, match=rf"'Made-v0' cannot be made: {kind.__name__} \(.*test_environment.py:{line}\)$"
        ):
            make_env(MADE)
    finally:
        del gymnasium.registry[MADE]
    vars(sys.modules[__name__])["Failing"] = lambda env, **_: fail()
    with pytest.raises(EnvError, match=rf"cannot be applied: {kind.__name__} \(.*test_environment.py:{line}\)$"):
        make_env("CartPole-v1", wrappers=[f"{__name__}:Failing"])


@pytest.mark.parametrize("what", ["leaving:Env-v0", "CartPole-v1"])
def test_a_module_that_exits_on_import_is_refused(what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "leaving.py").write_text("import sys\n\nsys.exit()\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EnvError, match=r"cannot be (made|imported): SystemExit \(.*leaving.py:3\)$"):
        make_env(what, wrappers=["leaving:Any"])


def test_the_command_line_says_so_in_one_line(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "leaving.py").write_text("raise SystemExit(0)\n")
    monkeypatch.setattr(sys, "path", list(sys.path))
    code, out, err = cli("run", "leaving:Env-v0")
    assert (code, out) == (2, "")
    assert err == "synaptick: error: environment 'leaving:Env-v0' cannot be made: SystemExit: 0\n"


def test_an_interruption_by_the_user_is_not_laid_at_the_door_of_the_environment() -> None:
    gymnasium.register(MADE, lambda **_: signal.raise_signal(signal.SIGINT))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            make_env(MADE)
    finally:
        signal.signal(signal.SIGINT, before)
        del gymnasium.registry[MADE]


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise SystemExit(3)


def test_errors_are_described_whatever_they_do() -> None:
    assert described(StateError("of ours")) == "of ours"
    assert described(ValueError("two\n  lines")) == "ValueError: two lines"
    assert described(KeyError("name")) == "KeyError: 'name'"
    assert described(AssertionError()) == "AssertionError"
    assert described(Unspeakable()) == "Unspeakable"
    assert described(StateError()) == "StateError"
    with pytest.raises(Unspeakable) as caught:
        raise Unspeakable
    line = test_errors_are_described_whatever_they_do.__code__.co_firstlineno + 8
    assert described(caught.value) == f"Unspeakable ({__file__}:{line})"


# ---- extras


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pip install some-extra", "a package that is not installed: pip install some-extra$"),
        ("pip install gymnasium[other]\nand more", r"not installed: pip install gymnasium\[other\] and more$"),
        ('Box2D is not installed, run `pip install "gymnasium[box2d]"`', r'run: pip install "synaptick\[box2d\]"$'),
        ('MuJoCo is not installed, run `pip install "gymnasium[mujoco]"`', r'run: pip install "synaptick\[mujoco\]"$'),
    ],
)
def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch, text: str, said: str) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise gymnasium.error.DependencyNotInstalled(text)

    monkeypatch.setattr(gymnasium, "make", fail)
    with pytest.raises(EnvError, match=f"^environment 'LunarLander-v3' .*{said}"):
        make_env("LunarLander-v3")


@pytest.mark.parametrize(
    ("env_id", "module", "extra"),
    [
        ("MiniGrid-Empty-5x5-v0", "minigrid", "minigrid"),
        ("BabyAI-GoToRedBallGrey-v0", "minigrid", "minigrid"),
        ("minigrid:MiniGrid-Empty-5x5-v0", "minigrid", "minigrid"),
        ("ALE/Pong-v5", "ale_py", "atari"),
        ("popgym-RepeatPreviousEasy-v0", "popgym", "popgym"),
    ],
)
def test_an_id_of_a_missing_module_is_told_its_extra(
    monkeypatch: pytest.MonkeyPatch, env_id: str, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    with pytest.raises(EnvError, match=rf'a module that is not installed; run: pip install "synaptick\[{extra}\]"$'):
        make_env(env_id)
    with pytest.raises(EnvError, match=rf"^wrapper '{module}:Any' .* pip install .synaptick\[{extra}\].$"):
        make_env("CartPole-v1", wrappers=[f"{module}:Any"])


def test_an_extra_does_not_help_where_its_module_lacks_another(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise ModuleNotFoundError("No module named 'mazelib'", name="mazelib")

    monkeypatch.setattr("importlib.import_module", fail)
    with pytest.raises(EnvError, match=r"needs a module that is not installed: No module named 'mazelib'$"):
        make_env("popgym-RepeatPreviousEasy-v0")


def test_a_failing_import_of_what_is_installed_is_not_called_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "too_new.py").write_text("raise ImportError('needs mujoco<3')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EnvError, match=r"^environment 'too_new:Env-v0' cannot be made: ImportError: needs mujoco<3$"):
        make_env("too_new:Env-v0")
    with pytest.raises(EnvError, match=r"^wrapper 'too_new:B' cannot be imported: ImportError: needs mujoco<3$"):
        make_env("CartPole-v1", wrappers=["too_new:B"])


# ---- wrappers


def test_wrappers_are_applied_in_order_the_first_innermost() -> None:
    env = make_env(
        "CartPole-v1",
        wrappers=[
            {"gymnasium.wrappers:TimeAwareObservation": {"flatten": False}},
            {"gymnasium.wrappers:FilterObservation": {"filter_keys": ["obs"]}},
            "gymnasium.wrappers:FlattenObservation",
        ],
    )
    names = [type(layer).__name__ for layer in (env, env.env, env.env.env)]
    assert names == ["FlattenObservation", "FilterObservation", "TimeAwareObservation"]
    plain = make_env("CartPole-v1")
    np.testing.assert_array_equal(env.reset(seed=1)[0], plain.reset(seed=1)[0])
    with pytest.raises(EnvError, match=r"'gymnasium.wrappers:FilterObservation' cannot be applied with .*filter_keys"):
        make_env("CartPole-v1", wrappers=[{"gymnasium.wrappers:FilterObservation": {"filter_keys": ["obs"]}}])


@pytest.mark.parametrize(
    ("wrappers", "said"),
    [
        ("a:B", "^wrappers: got 'a:B'; allowed: a list whose items are"),
        ({"a:B": {}}, "^wrappers: got {'a:B': {}}; allowed: a list"),
        (None, "^wrappers: got None; allowed: a list"),
        ([3], '^wrappers: got 3; allowed: "module:Class" or'),
        (["a.B"], "^wrappers: got 'a.B'; allowed"),
        ([{"a:B": {}, "c:D": {}}], "^wrappers: got {.*}; allowed"),
        ([{}], "^wrappers: got {}; allowed"),
        ([{"a:B": 3}], "^wrapper 'a:B' has the arguments 3; allowed: a mapping"),
        ([{"a:B": {1: 2}}], "^wrapper 'a:B' has the arguments {1: 2}; allowed: a mapping"),
        (["no_such:B"], "^wrapper 'no_such:B' needs a module that is not installed: No module named 'no_such'$"),
        (["gymnasium.wrappers:Nope"], "^wrapper 'gymnasium.wrappers:Nope' cannot be found: .* has no Nope$"),
        (["gymnasium.wrappers:TimeLimit"], "^wrapper .* cannot be applied: TypeError: .*max_episode_steps"),
        (["builtins:id"], "^wrapper 'builtins:id' made a int; allowed: a gymnasium.Env"),
    ],
)
def test_a_wrapper_that_cannot_be_used_says_why(wrappers: Any, said: str) -> None:
    with pytest.raises(EnvError, match=said) as caught:
        make_env("CartPole-v1", wrappers=wrappers)
    assert len(str(caught.value).splitlines()) == 1


def test_an_environment_is_closed_when_a_wrapper_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Any] = []

    def close(env: Any) -> None:
        closed.append(env)
        raise SystemExit

    monkeypatch.setattr(gymnasium.Wrapper, "close", close)
    with pytest.raises(EnvError, match="made a int"):
        make_env("CartPole-v1", wrappers=["builtins:id"])
    assert len(closed) == 1
