"""Robustness curves: levels at their true distances, areas that can be compared, and what is refused."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbio.tables.plots.curve import Line, area, comparable_areas, draw

LEVELS = [0.0, 0.5, 0.97]
NULLS = ["clean", "voice=zeros", "face=0.3,voice=zeros"]


def line(name: str, x: Sequence[float] | Sequence[str] = LEVELS, last: float = 40.0) -> Line:
    y = np.array([99.0, 90.0, last])[: len(x)]
    return Line(name, x, y, y - 3, np.minimum(y + 3, 100))


def svg(folder: Path, *lines: Line) -> str:
    return draw(lines, "title", folder / "a.svg", "share of black pixels", "ID (%)", "higher")[0].read_text()


@pytest.mark.parametrize("x", [LEVELS, NULLS, [0.5]], ids=["levels", "texts", "one"])
@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_same_bytes_each_time(tmp_path: Path, x: list[float] | list[str], suffix: str) -> None:
    first, second = (
        draw([line("A", x), line("B", x, 60)], "t", tmp_path / name / f"a.{suffix}", "x", "y")[0] for name in "xy"
    )
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        ([0, 1], [1, 3], 2),
        ([0, 2], [1, 3], 2),  # by the width
        ([0, 9, 10], [0, 0, 1], 0.05),  # the last levels are close, so they weigh little
        ([1, 2, 3], [5, 5, 5], 5),
    ],
)
def test_area(x: list[float], y: list[float], expected: float) -> None:
    assert area(np.array(x, float), np.array(y, float)) == pytest.approx(expected)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9, unique=True), st.integers(0, 99))
def test_an_area_is_a_mean(levels: list[float], seed: int) -> None:
    x = np.sort(np.round(levels, 3))
    x = x + np.arange(len(x))
    y = np.random.default_rng(seed).random(len(x))
    assert y.min() - 1e-12 <= area(x, y) <= y.max() + 1e-12


def test_areas_stand_in_the_legend(tmp_path: Path) -> None:
    text = svg(tmp_path, line("A"), line("B", last=60))
    assert f"A ({area(np.array(LEVELS), np.array([99, 90, 40])):.1f})" in text
    assert "higher is better" in text


def test_all_levels_are_in_view(tmp_path: Path) -> None:
    text = svg(tmp_path, line("A"), line("B", last=60))
    assert [tick for tick in ("0.0", "0.8", "1.0") if f">{tick}<" not in text] == []
    assert ">-0." not in text


@pytest.mark.parametrize("x", [[0.0, 0.5], [0.1, 0.5, 0.97]])
def test_no_areas_of_lines_that_reach_elsewhere(tmp_path: Path, x: list[float]) -> None:
    assert comparable_areas([line("A"), line("B", x)]) == [None, None]
    assert "is better" not in svg(tmp_path, line("A"), line("B", x))


def test_no_area_of_texts_or_of_one_level(tmp_path: Path) -> None:
    assert "is better" not in svg(tmp_path, line("A", NULLS)) + svg(tmp_path, line("A", [0.5]))


def test_no_interval_leaves_a_gap(tmp_path: Path) -> None:
    none = np.full(3, np.nan)
    assert "A (" in svg(tmp_path, Line("A", LEVELS, np.array([3.0, 2.0, 1.0]), none, none))


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [line("A", [0.5, 0.5])],
        [line("A", [1.0, 0.5])],
        [line("A", [])],
        [line("A", ["a", "a"])],
        [line("A", LEVELS), line("B", NULLS)],
        [Line("A", LEVELS, np.zeros(2), np.zeros(3), np.zeros(3))],
    ],
)
def test_refused(tmp_path: Path, lines: list[Line]) -> None:
    with pytest.raises(ValueError, match="expected"):
        draw(lines, "title", tmp_path / "a.svg", "x", "y")
    assert not list(tmp_path.iterdir())
