"""MOVER by a published case, by symmetry, and where an interval is missing."""

import math

import pytest

from mmbio.measure.intervals import wilson
from mmbio.tables.differences import Span, minus


def share(n_correct: int, n: int) -> Span:
    return Span(n_correct / n, *wilson(n_correct, n))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [  # Newcombe 1998, table II, method 10
        (share(56, 70), share(48, 80), (0.2, 0.0524, 0.3339)),
        (share(9, 10), share(3, 10), (0.6, 0.1705, 0.8090)),
        (share(6, 7), share(2, 7), (0.5714, 0.0582, 0.8062)),
        (share(5, 56), share(0, 29), (0.0893, -0.0381, 0.1926)),
    ],
)
def test_published(first: Span, second: Span, expected: tuple[float, float, float]) -> None:
    found = minus(first, second)
    assert (found.value, found.low, found.high) == pytest.approx(expected, abs=5e-5)


def test_the_other_way_round() -> None:
    first, second = share(171, 174), share(165, 174)
    there, back = minus(first, second), minus(second, first)
    assert (back.value, back.low, back.high) == pytest.approx((-there.value, -there.high, -there.low))


def test_nothing_from_itself() -> None:
    found = minus(share(171, 174), share(171, 174))
    assert found.value == 0
    assert found.low == pytest.approx(-found.high)
    assert found.holds_zero


def test_as_wide_as_the_other_where_one_has_no_width() -> None:
    assert minus(Span(0.75, 0.5, 0.875), Span(0.25, 0.25, 0.25)) == Span(0.5, 0.25, 0.625)


@pytest.mark.parametrize(("first", "second"), [(Span(0.5), share(1, 2)), (share(1, 2), Span(0.5)), (Span(1), Span(0))])
def test_no_interval(first: Span, second: Span) -> None:
    found = minus(first, second)
    assert found.value == first.value - second.value
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert not found.holds_zero
