"""Tables of a run as columns, and curves made of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synaptick.aggregate import interquartile_mean
from synaptick.errors import StateError
from synaptick.plots.panels import time_constant
from synaptick.plots.read import read_table
from synaptick.plots.series import Curve, band_of, thinned, trailing_mean


def test_a_cell_without_a_number_is_nan_and_a_row_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("step,x,y,z\n1,2,,\n2,,,5\n3,4,6,7\n4,5")
    table = read_table(tmp_path / "a.csv")
    np.testing.assert_array_equal(table["step"], [1, 2, 3])
    np.testing.assert_array_equal(table["x"], [2, np.nan, 4])
    np.testing.assert_array_equal(table["y"], [np.nan, np.nan, 6])
    np.testing.assert_array_equal(table["z"], [np.nan, 5, 7])


def test_a_file_that_is_missing_is_an_empty_table_and_one_without_rows_has_columns(tmp_path: Path) -> None:
    assert read_table(tmp_path / "a.csv") == {}
    (tmp_path / "a.csv").write_text("step,x\n")
    assert {name: len(column) for name, column in read_table(tmp_path / "a.csv").items()} == {"step": 0, "x": 0}


def test_the_full_file_comes_first_and_what_a_resumed_run_went_back_behind_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.older.csv").write_text("step,x\n1,1\n2,2\n")
    (tmp_path / "a.csv").write_text("step,x\n3,3\n4,4\n3,5\n5,6\n")
    table = read_table(tmp_path / "a.csv")
    np.testing.assert_array_equal(table["step"], [1, 2, 3, 5])
    np.testing.assert_array_equal(table["x"], [1, 2, 5, 6])


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"step,x\n1,2\n3,no\n", "line 3: '3,no'"),
        (b"step,x\n1,2,3\n", "line 2: '1,2,3'"),
        (b"step,x\n1,2\n3\n", "line 3: '3'"),
        (b"x,y\n1,2\n", "begins with 'x,y'"),
        (b"\xff\xfe\n", "cannot be read"),
    ],
)
def test_what_is_no_table_is_refused_by_line(content: bytes, named: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(StateError) as caught:
        read_table(tmp_path / "a.csv")
    assert named in str(caught.value)
    assert "a.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_trailing_mean_begins_with_what_there_is() -> None:
    values = np.arange(7.0)
    expected = [values[max(0, k - 2) : k + 1].mean() for k in range(7)]
    np.testing.assert_allclose(trailing_mean(values, 3), expected)


def test_fewer_points_keep_the_mean() -> None:
    steps = np.arange(1000.0)
    curve = thinned(Curve(steps, steps % 7), 100)
    assert len(curve.steps) == 100
    assert curve.values.mean() == pytest.approx((steps % 7).mean())
    short = Curve(steps[:9], steps[:9])
    assert thinned(short) is short


def test_a_band_is_the_interquartile_mean_where_all_curves_are() -> None:
    steps = np.linspace(0, 100, 11)
    curves = [Curve(steps + shift, np.full(11, float(level))) for shift, level in enumerate((1, 2, 3, 10))]
    band = band_of(curves, interval=True)
    assert band is not None
    assert (band.steps[0], band.steps[-1]) == (3, 100)
    np.testing.assert_allclose(band.mean, interquartile_mean([1, 2, 3, 10]))
    assert (band.low < band.mean).all()
    assert (band.high > band.mean).all()
    assert band_of([curves[0], Curve(steps + 200, steps)], interval=True) is None


def test_a_time_constant_is_that_of_an_exponential_with_none_for_all_or_nothing() -> None:
    found = time_constant(np.array([np.exp(-1 / 20), 0.0, 1.0, np.nan]))
    np.testing.assert_allclose(found, [20, np.nan, np.nan, np.nan])
