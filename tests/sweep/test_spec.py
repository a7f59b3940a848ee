"""What a sweep runs: how a file is read, what it comes to, and that it is written down so that it says the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from synaptick import ConfigError
from synaptick.sweep.spec import Spec, load_spec, numbered

WRAPPED = {"env": "CartPole-v1", "wrappers": ["synaptick.envs:MaskVelocities"], "steps": 77}


def spec_of(tmp_path: Path, **values: Any) -> Spec:
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    return load_spec(path)


def test_a_grid_is_environments_by_settings_by_seeds(tmp_path: Path) -> None:
    spec = spec_of(
        tmp_path,
        settings={"steps": 500, "layers": [8]},
        environments=["Acrobot-v1", WRAPPED],
        seeds="3-4",
        grid={"discount": [0.9, 0.99], "memory": [0, 4, 8]},
    )
    runs = list(numbered(spec.arms, spec.seeds))
    assert len(runs) == 2 * 6 * 2
    assert [seed for _, seed, _ in runs[:3]] == [3, 4, 3]
    assert runs[0][2] == "00-Acrobot-v1-discount=0.9-memory=0/seed3"
    assert runs[-1][2] == "11-CartPole-v1-discount=0.99-memory=8/seed4"
    assert len({name for *_, name in runs}) == len(runs)
    last = runs[-1][0].config
    assert (last.env, last.steps, last.discount, last.memory, last.layers) == ("CartPole-v1", 77, 0.99, 8, (8,))
    assert last.wrappers == ("synaptick.envs:MaskVelocities",)
    assert spec.varied == ["env", "wrappers", "steps", "discount", "memory"]
    assert runs[0][0].varied == {"env": "Acrobot-v1", "wrappers": [], "steps": 500, "discount": 0.9, "memory": 0}


def test_one_configuration_has_no_folder_of_its_own(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, config="cartpole_positions", seeds="0,5")
    assert [name for *_, name in numbered(spec.arms, spec.seeds)] == ["seed0", "seed5"]
    assert spec.arms[0].config.env == "synaptick/CartPolePositions-v0"


def test_a_list_is_taken_as_it_is(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, list=[{"discount": 0.9, "kappa_value": 2}, {}])
    assert [arm.config.discount for arm in spec.arms] == [0.9, 0.99]
    assert spec.varied == ["env", "discount", "kappa_value"]


def test_what_is_drawn_at_random_is_drawn_again(tmp_path: Path) -> None:
    settings = {
        "discount": {"low": 0.9, "high": 0.99},
        "kappa_value": {"low": 0.1, "high": 10, "log": True},
        "memory": {"low": 4, "high": 8, "whole": True},
        "layers": [[8], [8, 8]],
    }
    draws = {"samples": 200, "seed": 7, "settings": settings}
    spec = spec_of(tmp_path, random=draws)
    found = [arm.config for arm in spec.arms]
    assert all(0.9 <= config.discount <= 0.99 and 0.1 <= config.kappa_value <= 10 for config in found)
    assert {config.memory for config in found} == {4, 5, 6, 7, 8}
    assert {config.layers for config in found} == {(8,), (8, 8)}
    assert 60 < sum(config.kappa_value < 1 for config in found) < 140  # even odds by factors
    assert [arm.config for arm in spec_of(tmp_path, random=draws).arms] == found
    assert [arm.config for arm in spec_of(tmp_path, random={**draws, "seed": 8}).arms] != found


@pytest.mark.parametrize(
    "values",
    [
        {"grid": {"layers": [[8], [9]]}, "environments": ["Acrobot-v1", WRAPPED], "seeds": "1,4-6"},
        {"random": {"samples": 3, "settings": {"discount": [0.5]}}, "config": "hopper"},
        {"list": [{"memory": 0}], "settings": {"env": "Acrobot-v1", "env_kwargs": {"a": [1, {"b": None}]}}},
        {},
    ],
)
def test_what_is_written_down_says_the_same(tmp_path: Path, values: dict[str, Any]) -> None:
    spec = spec_of(tmp_path, **values)
    (tmp_path / "again.yaml").write_text(spec.record())
    again = load_spec(tmp_path / "again.yaml")
    assert again.record() == spec.record()
    assert list(numbered(again.arms, again.seeds)) == list(numbered(spec.arms, spec.seeds))


BAD: list[tuple[dict[str, Any], str]] = [
    ({"gird": {}}, "gird: there is no such key; allowed: config, settings"),
    ({"grid": {}, "list": []}, "grid and list are given; allowed: one of them"),
    ({"grid": {"discount": 0.9}}, "grid: discount: got 0.9; allowed: a list of values"),
    ({"grid": {"discont": [1]}}, "discont.*did you mean 'discount'"),
    ({"grid": {"discount": [0.9, 2]}}, "discount: got 2; allowed: a number from 0 to 1"),
    ({"grid": {"seed": [1]}}, "seed: each run has its own; give seeds"),
    ({"settings": {"seed": 1}}, "seed: each run has its own"),
    ({"environments": []}, r"environments: got \[\]"),
    ({"environments": [{"steps": 3}]}, "has no env"),
    ({"environments": [WRAPPED], "grid": {"steps": [5]}}, "steps is set by environments and by grid"),
    ({"list": [3]}, "list: got 3"),
    ({"random": {"settings": {}}}, "random: got"),
    ({"random": {"samples": 2, "settings": {"discount": {"low": 1, "high": 0}}}}, "discount: got .*low: a, high: b"),
    ({"random": {"samples": 2, "settings": {"kappa_value": {"low": 0, "high": 1, "log": True}}}}, "kappa_value: got"),
    ({"seeds": "x"}, "seeds: got 'x'"),
    ({"config": "no_such.yaml"}, "there is no such file"),
    ({"seeds": "0-999999", "grid": {"discount": [0.1, 0.2]}}, "more than 1,000,000 runs"),
]


@pytest.mark.parametrize(("values", "said"), BAD, ids=[said[:30] for _, said in BAD])
def test_what_cannot_be_used_is_said_with_the_file(tmp_path: Path, values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=rf"spec.yaml: .*{said}"):
        spec_of(tmp_path, **values)
