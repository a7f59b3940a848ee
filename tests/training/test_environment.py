"""Making environments: ids, arguments and wrappers that work, and one line for each that does not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from synaptick import EnvError, make_env

VECTOR_ONLY, VECTOR_MADE = "VectorOnly-v0", "VectorMade-v0"


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
    monkeypatch.setattr(gymnasium.Wrapper, "close", lambda env: closed.append(env))
    with pytest.raises(EnvError):
        make_env("CartPole-v1", wrappers=["builtins:id"])
    assert len(closed) == 1
