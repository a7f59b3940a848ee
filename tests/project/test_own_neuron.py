"""docs/howto/own-neuron.md and its example: each change is told, and each one that is left out shows."""

from __future__ import annotations

import importlib.util
import re
from typing import Any

import pytest

from ..support.common import ROOT
from .test_stems import OF_KERNELS, OF_TEMPLATES, OF_TWINS

PAGE = (ROOT / "docs" / "howto" / "own-neuron.md").read_text(encoding="utf-8")
FILE = ROOT / "docs" / "examples" / "own_neuron.py"


@pytest.fixture(scope="module")
def example() -> Any:
    spec = importlib.util.spec_from_file_location("own_neuron", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("left_out", "neurons", "eligibility"),
    [("", True, True), ("eligibility", True, False), ("sign", False, True), ("rest", True, False)],
)
def test_every_change_is_needed(example: Any, left_out: str, neurons: bool, eligibility: bool) -> None:
    found = example.mismatch_with(*(name for name in example.EDITS if name != left_out))
    for value, fits in zip(found, (neurons, eligibility), strict=True):
        assert value < 1e-5 if fits else value > 0.1, found


def test_the_script_fails_if_the_model_does_or_a_wrong_one_passes(
    example: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right, wrong = (1e-7, 1e-7), (1e-7, 1.0)
    for of_model, of_others, code in ((right, wrong, 0), (wrong, wrong, 1), (right, right, 1)):
        found = lambda *names, a=of_model, b=of_others: a if len(names) == len(example.EDITS) else b  # noqa: E731
        monkeypatch.setattr(example, "mismatch_with", found)
        monkeypatch.setattr("sys.argv", ["own_neuron.py"])
        if code:
            with pytest.raises(SystemExit, match="has to fail"):
                example.main()
        else:
            example.main()
        assert capsys.readouterr().out.count("FAIL") == (4 * (of_others == wrong) + (of_model == wrong))


def test_a_wrong_factor_shows(example: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file, old, new = example.EDITS["eligibility"]
    wrong = new.replace(f"real({example.COUPLING})", "real(0.19)")
    assert wrong != new
    monkeypatch.setitem(example.EDITS, "eligibility", (file, old, wrong))
    assert example.mismatch_with(*example.EDITS)[1] > 1e-3


def test_the_page_tells_the_changes_and_the_table_of_the_example(example: Any) -> None:
    for _, old, new in example.EDITS.values():
        changed = [line for line in new.splitlines() if line not in old.splitlines()]
        assert len(changed) == 1
        assert changed[0] in PAGE or changed == ["        return False"]
    assert re.findall(r"^\| ([^|`]+) \| \d\.\de", PAGE, re.MULTILINE) == list(example.TRIED)


def test_the_page_names_functions_where_they_are() -> None:
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|([^|]*)\|$", PAGE, re.MULTILINE)
    assert len(rows) == 5
    for name, twins, in_c in rows:
        assert name in OF_KERNELS["neuron"]
        assert set(re.findall(r"`(\w+)`", twins)) <= OF_TWINS["neuron"]
        assert set(re.findall(r"`(\w+)`", in_c)) - {"FIRE"} <= OF_TEMPLATES["neuron"]
