"""Every setting: what is accepted, what is refused and with which words; YAML files and ``--set``."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from collections.abc import Callable
from dataclasses import Field, FrozenInstanceError, fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from synaptick import Config, ConfigError, load_config
from synaptick.config.kinds import (
    Choice,
    Kind,
    PlainList,
    PlainMapping,
    Real,
    Sizes,
    Switch,
    Text,
    Whole,
    description,
    kind_of,
)
from synaptick.config.settings import REMOVED, RENAMED
from synaptick.training.config_file import dump_config, parse_changes, parse_config, shipped_names

from .support.common import ROOT

CONFIGS = ROOT / "configs"
FIELDS: dict[str, Field[Any]] = {spec.name: spec for spec in fields(Config)}
KINDS = {name: kind_of(spec) for name, spec in FIELDS.items()}
NUMBERS = {name: kind for name, kind in KINDS.items() if isinstance(kind, Real | Whole)}
ELSEWHERE: dict[str, list[str]] = {}
for _name, _spec in FIELDS.items():
    for _key in _spec.metadata["elsewhere"]:
        ELSEWHERE.setdefault(_key, []).append(_name)
# So that either end of the range of tau_min and tau_max can be tried alone.
WIDE = {"tau_min": {"tau_max": 1e9}, "tau_max": {"tau_min": 0.01}}

BAD_ANYWHERE = [True, None, "abc", "", float("nan"), float("inf"), -float("inf"), "nan", "inf", [1], {}, 1j]
BAD: dict[type[Kind[Any]], list[Any]] = {
    Real: [*BAD_ANYWHERE, "1e-3x"],
    Whole: [*BAD_ANYWHERE, 1.5, "1.5", 10**400],
    Switch: [1, 0, "true", "yes", None, 1.0, []],
    Choice: ["sideways", "", 1, None, True, []],
    Text: ["", 5, None, True, ["a"]],
    PlainMapping: [[], "a", 5, None, {1: 2}],
    PlainList: ["abc", b"abc", 5, None, {}, [object()], [{1: 2}], [{"a": object()}]],
    Sizes: [[], "64", 64, [64, 2.5], [64, 3], [65537], [True], ["a"], [None], [[64]], None, b"64"],
}


def cases() -> list[Any]:
    """Return field, bad value for every field and every bad value of its kind."""
    found = []
    for name, kind in KINDS.items():
        for value in BAD[type(kind)]:
            found.append(pytest.param(name, value, id=f"{name}-{str(value)[:8]}"))
    return found


@pytest.mark.parametrize(("name", "value"), cases())
def test_a_bad_value_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        Config(**{name: value})
    message = str(caught.value)
    assert message == f"{name}: got {value!r}; allowed: {KINDS[name].allowed}"


@pytest.mark.parametrize("name", NUMBERS)
def test_the_ends_of_a_range_are_allowed_and_nothing_beyond(name: str) -> None:
    kind = NUMBERS[name]
    low, high = kind.low, kind.high
    other = WIDE.get(name, {})
    assert getattr(Config(**{name: low}, **other), name) == low
    assert getattr(Config(**{name: high}, **other), name) == high
    margin = 1 if isinstance(kind, Whole) else 1e-3 * max(1.0, abs(high))
    zero = "0, or " if kind.or_zero else ""
    for beyond in (low - margin, high + margin):
        with pytest.raises(ConfigError, match=rf"^{name}: got .*; allowed: {zero}a (whole )?number from {low:g} to \d"):
            Config(**{name: beyond}, **other)


def test_no_reservoir_is_allowed_and_one_too_small_is_not() -> None:
    assert [name for name, kind in NUMBERS.items() if kind.or_zero] == ["reservoir"]
    assert Config(reservoir=0).reservoir == 0
    for size in (1, 3, -1):
        with pytest.raises(ConfigError, match=r"^reservoir: got .*; allowed: 0, or a whole number from 4 to 65536$"):
            Config(reservoir=size)


def test_large_whole_numbers_are_exact() -> None:
    assert Config(seed=2**63 - 1).seed == 2**63 - 1
    assert Config(seed=2**53 + 1).seed == 2**53 + 1


def test_values_take_the_type_of_their_field() -> None:
    config = Config(discount=1, steps=1e3, layers=[8, "9", 10.0], lr_value="1e-3", checkpoint_every="5e2")
    assert (config.discount, config.steps, config.layers) == (1.0, 1000, (8, 9, 10))
    assert (config.lr_value, config.checkpoint_every) == (0.001, 500)
    for name, kind in NUMBERS.items():
        assert type(getattr(config, name)) is (float if isinstance(kind, Real) else int), name
    assert all(type(n) is int for n in config.layers)


def ways(key: str) -> list[Callable[[], object]]:
    """Return every way to give a setting by the name of `key`."""
    return [
        lambda: Config(**{key: 1}),
        lambda: Config.from_dict({key: 1}),
        lambda: Config().with_changes({key: 1}),
        lambda: replace(Config(), **{key: 1}),
        lambda: parse_config(f"{key}: 1", "here"),
        lambda: parse_changes([f"{key}=1"]),
    ]


@pytest.mark.parametrize(
    ("given_key", "meant"), [("discont", "discount"), ("layer", "layers"), ("trace_lamda", "trace_lambda")]
)
def test_a_misspelled_key_brings_a_suggestion(given_key: str, meant: str) -> None:
    for act in ways(given_key):
        with pytest.raises(ConfigError, match=rf"\b{given_key}: there is no such key; did you mean '{meant}'\?$"):
            act()


@pytest.mark.parametrize("key", ["zzz", 5, None, ""])
def test_a_key_like_no_other_brings_the_list(key: Any) -> None:
    for act in (lambda: Config.from_dict({key: 1}), lambda: Config().with_changes({key: 1})):
        with pytest.raises(ConfigError, match=f"^{key}: there is no such key; allowed: env, .*{list(FIELDS)[-1]}$"):
            act()


def test_a_key_named_self_is_a_key_like_any_other() -> None:
    with pytest.raises(ConfigError, match=r"^self: there is no such key"):
        Config.from_dict({"self": 1})


def test_an_old_name_brings_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RENAMED, "discounting", "discount")
    for act in ways("discounting"):
        with pytest.raises(ConfigError, match=r"\bdiscounting: this setting is called 'discount' now$"):
            act()


def test_old_names_are_none_of_today_and_stand_for_some_of_today() -> None:
    assert not RENAMED.keys() & FIELDS.keys()
    assert set(RENAMED.values()) <= FIELDS.keys()


@pytest.mark.parametrize(
    ("key", "ours"),
    [
        ("gamma", ["discount"]),
        ("learning_rate", ["lr_policy", "lr_value"]),
        ("lr", ["lr_policy", "lr_value"]),
        ("lambda", ["trace_lambda"]),
        ("gae_lambda", ["trace_lambda"]),
        ("hidden_sizes", ["layers"]),
        ("net_arch", ["layers"]),
        ("total_timesteps", ["steps"]),
        ("ent_coef", ["entropy_bonus"]),
        ("env_id", ["env"]),
    ],
)
def test_a_name_of_other_libraries_stands_for_ours(key: str, ours: list[str]) -> None:
    assert ELSEWHERE[key] == ours


@pytest.mark.parametrize("key", ELSEWHERE)
def test_a_name_of_other_libraries_brings_ours(key: str) -> None:
    ours = " and ".join(f"'{name}'" for name in ELSEWHERE[key])
    verb = "settings here are" if len(ELSEWHERE[key]) > 1 else "setting here is"
    assert key not in FIELDS
    for act in ways(key):
        with pytest.raises(ConfigError, match=rf"\b{key}: there is no such key; the nearest {verb} {ours}$"):
            act()


def test_the_constructor_keeps_its_signature() -> None:
    assert list(inspect.signature(Config).parameters) == list(FIELDS)
    with pytest.raises(TypeError, match="multiple values"):
        Config("CartPole-v1", env="CartPole-v1")  # type: ignore[misc]
    with pytest.raises(TypeError, match="positional arguments"):
        Config(*Config().to_dict().values(), 1)


def test_copies_are_equal() -> None:
    config = Config(discount=0.5, env_kwargs={"a": [1]})
    assert pickle.loads(pickle.dumps(config)) == copy.deepcopy(config) == config


def test_tau_min_above_tau_max_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"tau_min: got 7\.0, which is above tau_max = 5\.0"):
        Config(tau_min=7, tau_max=5)
    assert Config(tau_min=5, tau_max=5).tau_min == 5
    with pytest.raises(ConfigError, match="tau_min"):
        Config(tau_max=5).with_changes({"tau_min": 6})


def test_it_is_frozen_and_changes_make_a_copy() -> None:
    config = Config()
    with pytest.raises(FrozenInstanceError):
        config.discount = 0.5  # type: ignore[misc]
    assert config.with_changes({"discount": "0.5"}).discount == 0.5
    assert config.discount == Config().discount


def test_env_kwargs_are_copied() -> None:
    given_kwargs = {"a": 1}
    config = Config(env_kwargs=given_kwargs)
    given_kwargs["b"] = 2
    assert config.env_kwargs == {"a": 1}


def test_the_docstring_documents_every_field() -> None:
    text = (inspect.getdoc(Config) or "").split("Attributes\n----------\n")[1]
    entries = re.findall(r"^(\w+) : (\S.*), default (.*)\n((?: {4}\S.*\n?)+)", text, flags=re.MULTILINE)
    assert [name for name, *_ in entries] == list(FIELDS)
    for name, annotation, default, meaning in entries:
        assert annotation == FIELDS[name].type
        assert default == repr(getattr(Config(), name))
        assert " ".join(meaning.split()) == description(FIELDS[name])
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("name", FIELDS)
def test_a_description_is_whole_sentences_and_has_range_and_unit(name: str) -> None:
    text, kind = description(FIELDS[name]), KINDS[name]
    assert text[0].isupper()
    assert text.endswith(".")
    assert ".." not in text
    assert "  " not in text
    if name in NUMBERS:
        assert text.endswith(f" Allowed: {kind.range} {kind.unit}".rstrip() + ".")
    for quoted in re.findall("`([a-z_]+)`", text):
        words = kind.words if isinstance(kind, Choice) else ()
        assert quoted in FIELDS or quoted in words, f"{quoted} is no setting"


# ---- YAML


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """Any valid configuration."""
    values: dict[str, Any] = {}
    for name, kind in KINDS.items():
        if isinstance(kind, Real):
            values[name] = draw(st.floats(kind.low, kind.high))
        elif isinstance(kind, Whole):
            whole = st.integers(int(kind.low), min(int(kind.high), 2**62))
            values[name] = draw(st.just(0) | whole if kind.or_zero else whole)
        elif isinstance(kind, Switch):
            values[name] = draw(st.booleans())
        elif isinstance(kind, Choice):
            values[name] = draw(st.sampled_from(kind.words))
        elif isinstance(kind, Sizes):
            values[name] = draw(st.lists(st.integers(4, 65536), min_size=1, max_size=4))
    values["env"] = draw(st.sampled_from(["CartPole-v1", "yes", "1e3", "a: b", "null", "module:Env/Ä-v0", "'", "#"]))
    values["env_kwargs"] = draw(
        st.dictionaries(st.text(min_size=1), st.none() | st.booleans() | st.integers() | st.text())
    )
    values["tau_min"], values["tau_max"] = sorted((values["tau_min"], values["tau_max"]))
    return Config(**values)


@given(configs())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_what_is_dumped_is_what_is_read(config: Config) -> None:
    assert parse_config(dump_config(config), "here") == config


def test_a_dump_has_every_key_in_order() -> None:
    assert list(yaml.safe_load(dump_config(Config()))) == list(FIELDS)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("lr_value: 1e-3\nlayers: [8, 9]\n# nothing\n", encoding="utf-8")
    assert load_config(path) == load_config(str(path)) == Config(lr_value=0.001, layers=(8, 9))
    path.write_text("# empty\n", encoding="utf-8")
    assert load_config(path) == Config()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"discont: 0.9\n", r"discont: there is no such key; did you mean 'discount'\?"),
        (b"discount: 1.1\n", r"discount: got 1\.1; allowed: a number from 0 to 1"),
        (b"tau_min: 30\n", "tau_min: got 30.0, which is above tau_max"),
        (b"- a\n- b\n", "holds list; allowed"),
        (b"just words\n", "holds str; allowed"),
        (b"a: [1\n", "not valid YAML"),
        (b"a: 1\n\tb: 2\n", "not valid YAML"),
        (b"!!python/object/apply:os.getcwd []\n", "not valid YAML"),
        (b"env: \xff\xfe\n", "cannot be read"),
        (b"seed: 2024-13-45\n", "not valid YAML"),
    ],
)
def test_an_error_names_the_file(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=said) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "closed.yaml"
    path.write_text("")

    def refuse(*_: Any, **__: Any) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)  # root may read everything, so file modes prove nothing
    with pytest.raises(ConfigError, match=r"closed\.yaml: cannot be read: .*Permission denied"):
        load_config(path)


@pytest.mark.parametrize("source", ["no/such.yaml", "nosuchname", "."])
def test_a_missing_file_brings_the_shipped_names(source: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(source)}: there is no such file; shipped .*: .*default"):
        load_config(source)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_configurations_load_by_name_and_by_path(path: Path) -> None:
    assert load_config(path.stem) == load_config(path)
    assert path.stem in shipped_names()


# ---- --set


def test_changes_are_read_as_yaml() -> None:
    changes = parse_changes(
        ["discount=0.98", "layers=[8, 9]", "recurrent=false", "lr_value=1e-3", "env=a=b", " seed =3"]
    )
    assert changes["layers"] == [8, 9]
    config = Config().with_changes(changes)
    assert config == Config(discount=0.98, layers=(8, 9), recurrent=False, lr_value=0.001, env="a=b", seed=3)


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("discount", "--set discount: has no '='; allowed: key=value"),
        ("discont=1", "--set discont: there is no such key; did you mean 'discount'?"),
        ("=1", "--set : there is no such key"),
        ("layers=[1", "--set layers: '[1' is not valid YAML"),
        ("seed=2024-13-45", "--set seed: '2024-13-45' is not valid YAML"),
    ],
)
def test_a_bad_change_is_refused(pair: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        parse_changes([pair])


@pytest.mark.parametrize("name", REMOVED)
def test_a_setting_that_was_removed_is_said_to_be(name: str) -> None:
    assert name not in FIELDS
    with pytest.raises(ConfigError, match=f"{name}: this setting was removed"):
        Config(**{name: 0.0})
