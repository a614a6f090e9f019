"""Error rates by hand, against counting at every threshold, against scikit-learn, and on real scores."""

from fractions import Fraction
from itertools import pairwise
from math import inf, nan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from sklearn.metrics import det_curve, roc_curve

from mmbio.errors import MmbioError
from mmbio.measure import rates
from mmbio.measure.rates import CONVENTIONS, Points, det, eer, points

EXAMPLE = ([0.08, 0.19, 0.34], [0.13, 0.26])
FEW = st.lists(st.integers(-4, 4), min_size=1, max_size=12)  # so few values that ties abound
Rates = list[tuple[Fraction, Fraction]]


def counted(genuine: list[int], impostor: list[int]) -> Rates:
    """(FNMR, FMR) at every distinct score and +inf, by counting."""
    return [
        (
            Fraction(sum(s < t for s in genuine), len(genuine)),
            Fraction(sum(s >= t for s in impostor), len(impostor)),
        )
        for t in [*sorted({*genuine, *impostor}), inf]
    ]


def crossing(a: tuple[Fraction, Fraction], b: tuple[Fraction, Fraction]) -> Fraction:
    """Where the line from a (FNMR <= FMR) to b (FNMR >= FMR) has equal rates."""
    share = (a[1] - a[0]) / ((a[1] - a[0]) + (b[0] - b[1])) if a != b else Fraction(0)
    return a[0] + share * (b[0] - a[0])


def linear_brute(at: Rates) -> Fraction:
    return next(crossing(a, b) for a, b in pairwise(at) if a[0] <= a[1] and b[0] >= b[1])


def rocch_brute(at: Rates) -> Fraction:
    """The lowest crossing of any chord between a point on one side and a point on the other."""
    return min(crossing(a, b) for a in at for b in at if a[0] <= a[1] and b[0] >= b[1])


def nearest_brute(at: Rates) -> tuple[Fraction, Fraction]:
    return min(reversed(at), key=lambda rates: abs(rates[0] - rates[1]))


@pytest.mark.parametrize(
    ("convention", "expected"), [("linear", 1 / 2), ("rocch", 2 / 5), ("nearest-mean", 7 / 12), ("nearest-max", 2 / 3)]
)
def test_the_worked_example(convention: str, expected: float) -> None:
    assert eer(points(*EXAMPLE), convention) == pytest.approx(expected, rel=1e-15)


def test_points_by_hand() -> None:
    found = points(*EXAMPLE)
    assert found.thresholds.tolist() == [0.08, 0.13, 0.19, 0.26, 0.34, inf]
    assert found.misses.tolist() == [0, 1, 1, 2, 2, 3]
    assert found.false_matches.tolist() == [2, 2, 1, 1, 0, 0]
    assert (found.n_genuine, found.n_impostor) == (3, 2)
    assert found.misses.dtype == found.false_matches.dtype == np.int64


@pytest.mark.parametrize(
    ("genuine", "impostor", "expected"),
    [
        ([2, 3], [0, 1], (0, 0, 0, 0)),
        ([0, 1], [2, 3], (1, 0.5, 1, 1)),
        ([0, 0, 0], [0, 0], (0.5, 0.5, 0.5, 1)),
        ([1, 0], [0, -1], (0.25, 0.25, 0.25, 0.5)),
        ([0, 1, 0, 1], [0, 0], (1 / 3, 1 / 3, 0.25, 0.5)),
        ([5], [5], (0.5, 0.5, 0.5, 1)),
        ([0.0], [-0.0], (0.5, 0.5, 0.5, 1)),
    ],
    ids=["perfect", "inverted", "all tied", "half tied", "half missing", "one of each", "signed zeros"],
)
def test_ends_and_ties(genuine: list[float], impostor: list[float], expected: tuple[float, ...]) -> None:
    found = points(genuine, impostor)
    assert [eer(found, name) for name in CONVENTIONS] == pytest.approx(expected)


@given(FEW, FEW)
def test_counts_are_those_of_a_loop(genuine: list[int], impostor: list[int]) -> None:
    found, at = points(genuine, impostor), counted(genuine, impostor)
    np.testing.assert_array_equal(found.fnmr, [float(fnmr) for fnmr, _ in at])
    np.testing.assert_array_equal(found.fmr, [float(fmr) for _, fmr in at])


@given(FEW, FEW)
def test_eers_are_those_of_exact_fractions(genuine: list[int], impostor: list[int]) -> None:
    found, at = points(genuine, impostor), counted(genuine, impostor)
    nearest = nearest_brute(at)
    expected = {
        "linear": linear_brute(at),
        "rocch": rocch_brute(at),
        "nearest-mean": sum(nearest) / 2,
        "nearest-max": max(nearest),
    }
    assert {name: eer(found, name) for name in CONVENTIONS} == {name: float(e) for name, e in expected.items()}


@given(FEW, FEW)
def test_float32_counts_as_float64(genuine: list[int], impostor: list[int]) -> None:
    single = [np.asarray(scores, np.float32) / np.float32(10) for scores in (genuine, impostor)]
    double = [scores.astype(np.float64) for scores in single]
    a, b = points(*single), points(*double)
    assert a.thresholds.dtype == np.float32
    assert b.thresholds.dtype == np.float64
    np.testing.assert_array_equal(a.misses, b.misses)
    np.testing.assert_array_equal(a.false_matches, b.false_matches)


@pytest.mark.parametrize("dtype", [np.float16, np.int8, np.int64, bool])
def test_other_numbers_become_float64(dtype: type) -> None:
    found = points(np.array([1, 1], dtype), np.array([0, 1], dtype))
    assert found.thresholds.dtype == np.float64
    assert eer(found) == 1 / 3


def normal(n: int = 300, digits: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(1, 1, n).round(digits), rng.normal(0, 1.5, 2 * n).round(digits)


def test_agrees_with_scikit_learn() -> None:
    genuine, impostor = normal()
    found = points(genuine, impostor)
    labels, scores = np.repeat([1, 0], [300, 600]), np.concatenate([genuine, impostor])
    fmr, tmr, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    np.testing.assert_array_equal(thresholds[::-1], found.thresholds)
    np.testing.assert_allclose(fmr[::-1], found.fmr, rtol=1e-14)
    np.testing.assert_allclose(1 - tmr[::-1], found.fnmr, atol=1e-14)
    fmr, fnmr, thresholds = det_curve(labels, scores)
    at = np.searchsorted(found.thresholds, thresholds)
    np.testing.assert_allclose(found.fmr[at], fmr, atol=1e-14)
    np.testing.assert_allclose(found.fnmr[at], fnmr, atol=1e-14)


@pytest.mark.parametrize("name", CONVENTIONS)
def test_order_and_rising_maps_change_nothing(name: str) -> None:
    genuine, impostor = normal()
    expected = eer(points(genuine, impostor), name)
    assert eer(points(genuine[::-1], np.random.default_rng(1).permutation(impostor)), name) == expected
    assert eer(points(np.exp(genuine), np.exp(impostor)), name) == expected


def test_the_hull_lies_below_the_curve() -> None:
    found = points(*normal())
    assert eer(found, "rocch") < eer(found, "linear")


def test_two_threads_sort_as_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = points(*normal())
    monkeypatch.setattr(rates, "APART", 1)
    found = points(*normal())
    np.testing.assert_array_equal(found.genuine, plain.genuine)
    np.testing.assert_array_equal(found.impostor, plain.impostor)


def curve(n: int) -> Points:
    """A curve whose every point lies on the hull: 1, 2, 3, ... genuine scores at a step, and as many impostor ones."""
    scores, times = np.arange(n - 1, dtype=float), np.arange(1, n)
    return Points(np.repeat(scores, times), np.repeat(scores, times[::-1]))


@pytest.mark.parametrize("n", [2, 3, 50, 51])
def test_where_all_points_lie_on_the_hull_it_is_the_curve(n: int) -> None:
    found = curve(n)
    assert eer(found, "rocch") == eer(found, "linear")


@pytest.mark.parametrize(
    ("genuine", "impostor", "says"),
    [
        ([nan, 1, nan], [0, nan], "3 NaN and 0 infinite scores in 3 genuine and 2 impostor trials"),
        ([-nan, 1], [0], "1 NaN and 0 infinite scores in 2 genuine and 1 impostor trials"),
        ([1, 2], [-inf, 0], "0 NaN and 1 infinite scores in 2 genuine and 2 impostor trials"),
        ([nan, inf, 1], [0], "1 NaN and 1 infinite scores in 3 genuine and 1 impostor trials"),
        ([1, inf], [-inf, 0, 1], "0 NaN and 2 infinite scores in 2 genuine and 3 impostor trials"),
        ([], [1, 2], "0 genuine and 2 impostor trials: expected at least one of each"),
        ([1], [], "1 genuine and 0 impostor trials: expected at least one of each"),
        ([], [], "0 genuine and 0 impostor trials"),
    ],
)
def test_bad_scores_are_counted(genuine: list[float], impostor: list[float], says: str) -> None:
    for refuse in (points, rates.checked):
        with pytest.raises(MmbioError, match=says):
            refuse(genuine, impostor)


@pytest.mark.parametrize(
    ("genuine", "impostor", "says"),
    [
        (np.ones(2, np.float32), np.ones(2), "one dtype, got float32 genuine and float64 impostor"),
        (np.ones((2, 1)), np.ones(2), r"shape \(N,\), got \(2, 1\)"),
        (1.0, np.ones(2), r"got \(\)"),
    ],
)
def test_mistakes_of_callers(genuine: ArrayLike, impostor: ArrayLike, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        points(genuine, impostor)


def test_scores_are_left_as_they_are() -> None:
    genuine, impostor = normal()
    before = genuine.copy(), impostor.copy()
    points(genuine, impostor)
    np.testing.assert_array_equal(genuine, before[0])
    np.testing.assert_array_equal(impostor, before[1])


@pytest.mark.parametrize("n", [2, 3, 10, 101, 100_000])
def test_det_points_are_few_and_reach_both_ends(n: int) -> None:
    found = points(*normal(2000, digits=9))
    fmr, fnmr = det(found, n)
    assert 2 <= len(fmr) == len(fnmr) <= min(n, len(found.misses))
    assert (fmr[0], fnmr[0], fmr[-1], fnmr[-1]) == (1, 0, 0, 1)
    assert (np.diff(fmr) <= 0).all()
    assert (np.diff(fnmr) >= 0).all()
    assert set(zip(fmr, fnmr, strict=True)) <= set(zip(found.fmr, found.fnmr, strict=True))


def test_det_points_lie_where_a_plot_shows_them() -> None:
    fmr, fnmr = det(points(*normal(20_000, digits=9)), 200)
    for rate in (fmr, fnmr):
        odds = np.sort(np.log(rate[(rate > 0) & (rate < 1)] / (1 - rate[(rate > 0) & (rate < 1)])))
        assert np.diff(odds).max() < 1  # 100 steps over 21 in log odds; 0.7 between the lowest two counts


def test_few_points_are_all_plotted() -> None:
    found = points(*EXAMPLE)
    np.testing.assert_array_equal(det(found), (found.fmr, found.fnmr))


def test_a_plot_of_less_than_its_ends() -> None:
    with pytest.raises(ValueError, match="n >= 2 points, got 1"):
        det(points(*EXAMPLE), 1)


@pytest.mark.parametrize(("convention", "percent"), [("linear", 3.9767), ("rocch", 3.9566)])
def test_golden_figures_on_real_scores(real_data: Path, convention: str, percent: float) -> None:
    scores = np.load(real_data / "voxceleb/scores/ghostvlad_scores.npy", allow_pickle=False)
    labels = np.load(real_data / "voxceleb/scores/ghostvlad_labels.npy", allow_pickle=False)
    found = points(scores[labels == 1], scores[labels == 0])
    assert 100 * eer(found, convention) == pytest.approx(percent, abs=5e-5)
