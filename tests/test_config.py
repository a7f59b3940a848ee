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
    Seeds,
    Sizes,
    Switch,
    Text,
    Whole,
    description,
    kind_of,
)
from synaptick.config.settings import REMOVED, RENAMED
from synaptick.errors import one_line
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
    Seeds: [True, None, "a", "1-0", "1,1", "-1", 1.5, {}, [1.5], -1, 2**63],
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
    assert message == f"{name}: got {one_line(value, 120)}; allowed: {KINDS[name].allowed}"
    assert len(repr(value)) > 120 or repr(value) in message


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


def test_a_layer_that_may_be_left_out_is_not_too_small() -> None:
    assert [name for name, kind in NUMBERS.items() if kind.or_zero] == ["memory"]
    assert Config(memory=0).memory == 0
    for size in (1, 3, -1):
        with pytest.raises(ConfigError, match=r"^memory: got .*; allowed: 0, or a whole number from 4 to 65536$"):
            Config(memory=size)


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
    ("given_key", "meant"), [("discont", "discount"), ("layer", "layers"), ("lambda_polcy", "lambda_policy")]
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
        ("lambda", ["lambda_policy", "lambda_value"]),
        ("trace_lambda", ["lambda_policy", "lambda_value"]),
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
        (b"seed: 1\n\ndiscont: 0.9\n", r":3:1: discont: there is no such key; did you mean 'discount'\?"),
        (b"{seed: 1, discount: 1.1}\n", r":1:11: discount: got 1\.1; allowed: a number from 0 to 1"),
        (b"tau_min: 30\n", ":1:1: tau_min: got 30.0, which is above tau_max"),
        (b"- a\n- b\n", ": holds list; allowed"),
        (b"just words\n", ": holds str; allowed"),
        (b"a: [1\n", ":2:1: not valid YAML: while parsing a flow sequence: expected ',' or ']'"),
        (b"a: 1\n\tb: 2\n", ":2:1: not valid YAML: while scanning for the next token"),
        (b"!!python/object/apply:os.getcwd []\n", ":1:1: not valid YAML: could not determine a constructor"),
        (b"env: a\xff\n", r":1:7: not valid YAML: byte 6 is not utf-8 \(invalid start byte\)"),
        (b"seed: 2024-13-45\n", ":1:7: not valid YAML: '2024-13-45' cannot be read as timestamp"),
        (b"seed: " + b"9" * 5000, r":1:7: not valid YAML: '9+ \.\.\. cannot be read as int"),
        (b"seed: 0x" + b"f" * 5000, ":1:1: seed: got a number of 20000 bits; allowed: a whole number"),
        (b"seed: !!bool maybe\n", ":1:7: not valid YAML: 'maybe' cannot be read as bool"),
        (b"seed: !!int ''\n", ":1:7: not valid YAML: '' cannot be read as int"),
        (b"env: {{ENV}}\n", r":1:7: not valid YAML: the key {'ENV': None} is not a name \(braces"),
        (b"env: x\nyes: 1\n", ":2:1: not valid YAML: the key True is not a name$"),
        (b"seed: 1\nseed: 2\n", ":2:1: not valid YAML: seed is given twice"),
        (b"env_kwargs:\n  a: 1\n  a: 1\n", ":3:3: not valid YAML: a is given twice"),
        (b"env: a\0b\n", r":1:7: not valid YAML: the character U\+0000 is not allowed"),
        (b"a: &a [*a]\n", ":1:8: not valid YAML: a holds itself"),
        (b"<<: *a\n", ":1:5: not valid YAML: found undefined alias 'a'"),
        (b"<<: 5\n", ":1:5: not valid YAML: << takes a mapping or a list of mappings"),
        (b"env_kwargs: " + b"[" * 10**5, ":1:44: not valid YAML: more than 32 levels deep"),
        (b"- " * 10**5, ":1:65: not valid YAML: more than 32 levels deep"),
        (b"#" * 2**20 + b"\n", ": has 1,048,577 characters, at most 1,048,576 are allowed"),
        (b"layers: !!set {a, b}\n", r":1:1: layers: got {'a', 'b'}; allowed: a list"),
        (b"layers: [" + b"8, " * 300 + b"]\n", ":1:1: layers: got .*; allowed: a list, such as .*, of 1 to 256 whole"),
        (b"env: 2024-01-01\n", r":1:1: env: got datetime.date\(2024, 1, 1\); allowed: a non-empty string"),
        (b'env: "\\uD800"\n', r":1:1: env: got '\\ud800'; allowed: a non-empty string"),
        (b"env: !!binary aGk=\n", r":1:1: env: got b'hi'; allowed: a non-empty string"),
        (b'? "a\\nb"\n: 1\n', ": a b: there is no such key"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_an_error_names_the_file_and_the_place(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=said) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}:")
    assert len(str(caught.value).splitlines()) == 1


def test_aliases_that_stand_for_a_billion_strings_are_not_written_out(tmp_path: Path) -> None:
    levels = [b"a0: &a0 ha"]
    levels += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]".encode() for k in range(1, 10)]
    for content in (b"\n".join(levels), b"env_kwargs: {s: &s " + b"x" * 10**6 + b", t: [*s, *s, *s]}"):
        with pytest.raises(ConfigError, match="with each alias written out, there are more than 2,097,152 characters"):
            parse_config(content, "here")


def test_merge_keys_are_merged(tmp_path: Path) -> None:
    text = """
        env_kwargs:
          base: &base {a: 1, b: 2}
          more: &more {<<: *base, b: 3, c: 4}
          both: {<<: [*more, *base], d: 5}
          nested: {x: {<<: *more}}
        """
    found = parse_config(text, "here").env_kwargs
    assert found["more"] == {"a": 1, "b": 3, "c": 4}
    assert found["both"] == {"a": 1, "b": 3, "c": 4, "d": 5}
    assert found["nested"]["x"] == found["more"]
    # What is merged may be constructed before the mapping that it comes from is.
    early = parse_config("{env_kwargs: {z: {y: &y {<<: {a: 1}, a: 2}}, w: {<<: *y}}}", "here").env_kwargs
    assert early == {"z": {"y": {"a": 2}}, "w": {"a": 2}}
    with pytest.raises(ConfigError, match=r"^here:1:1\d: not valid YAML: << is given twice"):
        parse_config("{<<: {seed: 1}, <<: {seed: 2}}", "here")
    with pytest.raises(ConfigError, match=r"^here:1:6: discount: got 7"):
        parse_config("<<: {discount: 7}", "here")
    assert parse_config("{<<: {discount: 0.5, seed: 3}, seed: 4}", "here") == Config(discount=0.5, seed=4)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_editors_on_any_system_write_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes("env: Ä-v0\r\nseed: 3\r\n".encode(encoding))
    assert load_config(path) == Config(env="Ä-v0", seed=3)


def test_a_name_that_is_too_long_for_a_file_is_no_file() -> None:
    with pytest.raises(ConfigError, match=r"^x+ \.\.\.: there is no such file"):
        load_config("x" * 5000)


def test_a_configuration_too_long_to_be_read_again_is_not_written() -> None:
    with pytest.raises(ConfigError, match=r"the configuration has 2,00.* characters as YAML, at most 1,048,576"):
        dump_config(Config(env_kwargs={"a": "x" * 2_000_000}))


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "closed.yaml"
    path.write_text("")

    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)  # root may read everything, so file modes prove nothing
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
        ("env_kwargs={a: 1, a: 2}", "--set env_kwargs: '{a: 1, a: 2}' is not valid YAML: a is given twice"),
        ("env={{ENV}}", "--set env: '{{ENV}}' is not valid YAML: the key {'ENV': None} is not a name"),
        ("a\nb", "--set a b: has no '='"),
        ("x\ny=1", "--set x y: there is no such key"),
    ],
)
def test_a_bad_change_is_refused(pair: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        parse_changes([pair])


@pytest.mark.parametrize("name", REMOVED)
def test_a_setting_that_was_removed_is_said_to_be(name: str) -> None:
    assert name not in FIELDS
    with pytest.raises(ConfigError, match=f"^{name}: this setting was removed, and ") as caught:
        Config(**{name: 0.0})
    (decision,) = re.findall(r"docs/decisions/[\w-]+\.md", str(caught.value))
    assert (ROOT / decision).exists()
