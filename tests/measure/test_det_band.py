"""The band of a DET curve against lists in which trials stand as often as they weigh."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbio.measure import trial_bootstrap as module
from mmbio.measure.det_band import det_band, fnmr_at
from mmbio.measure.intervals import of_error_rate, wilson
from mmbio.measure.rates import eer, points

FMR = np.array([0, 0.001, 0.05, 0.25, 1 / 3, 0.5, 0.75, 1])
Trials = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def random_trials(seed: int, n_subjects: int, n: int, levels: int) -> Trials:
    """Scores, genuine and both subjects of trials with ties."""
    rng = np.random.default_rng([seed, 99])
    enrolment = np.concatenate([np.arange(n_subjects), rng.integers(0, n_subjects, n)])
    genuine = np.arange(enrolment.size) % 2 == 0
    probe = np.where(genuine, enrolment, (enrolment + rng.integers(1, n_subjects, enrolment.size)) % n_subjects)
    return np.round(rng.normal(genuine) * levels / 4), genuine, enrolment, probe


def on_the_line(scores: np.ndarray, genuine: np.ndarray, at: float) -> float:
    """FNMR at an FMR, step by step: the lowest of the points with that FMR, else on the line between two."""
    found = points(scores[genuine], scores[~genuine])
    k = int(np.flatnonzero(found.fmr <= at)[0])
    if k == 0:
        return 0.0
    share = (found.fmr[k - 1] - at) / (found.fmr[k - 1] - found.fmr[k])
    return float(found.fnmr[k - 1] + share * (found.fnmr[k] - found.fnmr[k - 1]))


def ends(curve: np.ndarray, curves: np.ndarray, n_subjects: int, n_genuine: int) -> np.ndarray:
    """The band (2, G) of the curve (G,) and those of draws (D, G), point by point."""
    found = []
    for value, drawn in zip(curve, curves.T, strict=True):
        few = np.mean(drawn == 0) >= 0.1
        found.append(wilson(value * n_genuine, n_genuine) if few else of_error_rate(value, drawn, n_subjects))
    low, high = np.clip(np.array(found).T, 0, 1)
    size = len(curve)
    return np.array([[low[k:].max() for k in range(size)], [high[: k + 1].min() for k in range(size)]])


@given(st.integers(0, 10_000), st.integers(3, 6), st.integers(0, 40), st.sampled_from([1, 4, 1000]))
def test_equals_repeated_trials(seed: int, n_subjects: int, n: int, levels: int) -> None:
    scores, genuine, enrolment, probe = random_trials(seed, n_subjects, n, levels)
    found = det_band(scores, genuine, enrolment, probe, seed, FMR, draws=8)
    curves = []
    for w in np.random.default_rng(seed).multinomial(n_subjects, np.full(n_subjects, 1 / n_subjects), size=8):
        times = np.where(genuine, w[enrolment], w[enrolment] * w[probe])
        if times[genuine].any() and times[~genuine].any():
            drawn = np.repeat(scores, times), np.repeat(genuine, times)
            curves.append([on_the_line(*drawn, at) for at in FMR])
    if not curves:
        assert np.isnan(found).all()
        return
    curve = np.array([on_the_line(scores, genuine, at) for at in FMR])
    expected = ends(curve, np.array(curves), n_subjects, len(np.unique(enrolment[genuine])))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("levels", [1, 4, 1000])
def test_the_curve_in_the_middle(levels: int) -> None:
    scores, genuine, *_ = random_trials(1, 5, 60, levels)
    expected = [on_the_line(scores, genuine, at) for at in FMR]
    np.testing.assert_allclose(fnmr_at(scores, genuine, FMR), expected, atol=1e-12)


def test_by_hand() -> None:
    scores = np.array([0.08, 0.19, 0.34, 0.13, 0.26])
    genuine = np.array([True, True, True, False, False])
    np.testing.assert_allclose(fnmr_at(scores, genuine, np.array([0, 0.25, 0.5, 1])), [2 / 3, 2 / 3, 1 / 3, 0])


def test_the_curve_meets_the_eer() -> None:
    scores, genuine, *_ = random_trials(2, 40, 2000, 1000)
    equal = eer(points(scores[genuine], scores[~genuine]))
    assert fnmr_at(scores, genuine, np.array([equal]))[0] == pytest.approx(equal)


def test_the_band_holds_the_curve_and_falls() -> None:
    trials = random_trials(3, 40, 2000, 1000)
    fmr = np.linspace(0.01, 1, 50)
    low, high = det_band(*trials, 0, fmr, draws=200)
    curve = fnmr_at(trials[0], trials[1], fmr)
    assert ((low <= curve) & (curve <= high)).all()
    assert (np.diff(low) <= 1e-12).all()
    assert (np.diff(high) <= 1e-12).all()
    assert (low[:-1] < high[:-1]).mean() > 0.9


def test_the_seed_decides_and_batches_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = random_trials(4, 8, 120, 1000)
    whole = det_band(*trials, 0, FMR, draws=30)
    assert not np.array_equal(whole, det_band(*trials, 1, FMR, draws=30))
    monkeypatch.setattr(module, "BATCH", 500)
    np.testing.assert_array_equal(whole, det_band(*trials, 0, FMR, draws=30))


def test_no_band_of_two_subjects() -> None:
    assert np.isnan(det_band(*random_trials(0, 2, 20, 4), 0, FMR, draws=20)).all()


@pytest.mark.parametrize(
    "fmr", [np.array([[0.5]]), np.array([-0.1]), np.array([1.1]), np.array([np.nan]), np.array([0.2, 0.1])]
)
def test_rates_that_cannot_be(fmr: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"expected ascending FMRs \(G,\) in \[0, 1\]"):
        det_band(*random_trials(0, 4, 20, 4), 0, fmr)
