"""Calibration by hand, against a naive pooling of adjacent violators, and what must hold of any scores."""

from collections.abc import Callable
from math import log

import numpy as np
import pytest

from mmbio.errors import MmbioError
from mmbio.measure.calibration import Affine, Pav, cllr, min_cllr, penalties, pooled_cllr, reliability
from mmbio.measure.dcf import Cost, act_dcf, min_dcf
from mmbio.measure.rates import points

SEEDS = range(5)


def scores(seed: int, decimals: int = 2, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Genuine and impostor scores with overlap and, by rounding, with ties."""
    rng = np.random.default_rng(seed)
    return np.round(rng.normal(1, 1, n), decimals), np.round(rng.normal(-0.5, 1, 3 * n), decimals)


def naive_pav(genuine: np.ndarray, impostor: np.ndarray, laplace: bool) -> list[tuple[float, int, int]]:
    """(least score, n_genuine, n_impostor) of each step, one pooling after another."""
    steps = [(s, int((genuine == s).sum()), int((impostor == s).sum())) for s in sorted({*genuine, *impostor})]
    steps = [(-np.inf, 1, 1), *steps, (np.inf, 1, 1)] if laplace else steps
    done: list[tuple[float, int, int]] = []
    for step in steps:
        done.append(step)
        while len(done) > 1 and done[-2][1] * done[-1][2] >= done[-1][1] * done[-2][2]:
            (start, g, i), (_, more_g, more_i) = done[-2:]
            done[-2:] = [(start, g + more_g, i + more_i)]
    return done


@pytest.mark.parametrize(
    ("genuine", "impostor", "expected"),
    [
        ([0, 0], [0], 1.0),
        ([log(3)], [-log(3)], log(4 / 3) / log(2)),
        ([log(3), -log(3)], [-log(3)], (log(4 / 3) + log(4)) / 2 / (2 * log(2)) + log(4 / 3) / (2 * log(2))),
        ([1e6], [-1e6], 0.0),
        ([-1e6], [0], 1e6 / (2 * log(2)) + 0.5),
        ([1e308], [1e308], 1e308 / (2 * log(2))),
    ],
)
def test_cllr_by_hand(genuine: list[float], impostor: list[float], expected: float) -> None:
    assert cllr(genuine, impostor) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("genuine", "impostor", "expected"),
    [
        ([1, 3], [0, 2], 0.5),  # steps of LLR -inf, 0 and inf
        ([1], [0, 1], (log(1.5) + 0.5 * log(3)) / (2 * log(2))),  # a = 1, b = 1/2 at score 1
        ([2, 3], [0, 1], 0.0),
        ([0, 1], [2, 3], 1.0),
        ([5, 5], [5], 1.0),
    ],
)
def test_min_cllr_by_hand(genuine: list[float], impostor: list[float], expected: float) -> None:
    assert min_cllr(genuine, impostor) == pytest.approx(expected)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("decimals", [0, 1, 6])
def test_min_cllr_is_the_cllr_of_naive_pav(seed: int, decimals: int) -> None:
    genuine, impostor = scores(seed, decimals)
    steps = naive_pav(genuine, impostor, laplace=False)
    starts = np.array([start for start, _, _ in steps])
    ends = {(1, 0): 700.0, (0, 1): -700.0}
    llrs = np.array([ends.get((g > 0, i > 0)) or log(g / i * impostor.size / genuine.size) for _, g, i in steps])
    at = [llrs[np.searchsorted(starts, s, side="right") - 1] for s in (genuine, impostor)]
    assert min_cllr(genuine, impostor) == pytest.approx(cllr(*at), abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("change", [np.exp, np.tanh, lambda s: 3 * s - 7, np.arctan, lambda s: s**3])
def test_min_cllr_is_the_least_of_monotone_maps(seed: int, change: Callable[[np.ndarray], np.ndarray]) -> None:
    genuine, impostor = scores(seed)
    least = min_cllr(genuine, impostor)
    mapped = change(genuine), change(impostor)
    assert min_cllr(*mapped) == pytest.approx(least)
    assert least <= cllr(*mapped)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cost", [Cost(), Cost(0.05), Cost(0.5), Cost(0.01, 10, 1)])
def test_no_threshold_costs_less_than_the_best(seed: int, cost: Cost) -> None:
    genuine, impostor = scores(seed)
    actual = act_dcf(genuine, impostor, cost.p_target, cost.c_miss, cost.c_fa)
    assert actual >= min_dcf(points(genuine, impostor), cost.p_target, cost.c_miss, cost.c_fa)


def test_weights_of_nothing_change_nothing() -> None:
    genuine, impostor = np.array([1, 0, 3, 0, 2]), np.array([2, 0, 1, 0, 0])
    kept = [0, 2, 4]
    assert pooled_cllr(genuine, impostor) == pooled_cllr(genuine[kept], impostor[kept])
    assert pooled_cllr(7 * genuine, 7 * impostor) == pytest.approx(pooled_cllr(genuine, impostor))


def test_affine_by_hand() -> None:
    genuine, impostor = np.array([0, 1, 1, 1]), np.array([0, 0, 0, 1])
    fitted = Affine.fit(genuine, impostor)
    assert (fitted.slope, fitted.offset) == pytest.approx((2 * log(3), -log(3)), abs=1e-6)
    np.testing.assert_allclose(fitted(np.array([0.0, 0.5, 1.0])), [-log(3), 0, log(3)], atol=1e-6)
    more = Affine.fit(genuine, np.tile(impostor, 10))  # the prior of dev does not count
    assert (more.slope, more.offset) == pytest.approx((fitted.slope, fitted.offset), abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_affine_is_the_best_of_its_neighbours(seed: int) -> None:
    genuine, impostor = scores(seed)
    fitted = Affine.fit(genuine, impostor)
    least = cllr(fitted(genuine), fitted(impostor))
    for slope, offset in ((0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01)):
        other = Affine(fitted.slope + slope, fitted.offset + offset)
        assert least < cllr(other(genuine), other(impostor))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_unit_of_scores_does_not_matter(scale: float) -> None:
    genuine, impostor = scores(0)
    plain, scaled = Affine.fit(genuine, impostor), Affine.fit(scale * genuine + scale, scale * impostor + scale)
    np.testing.assert_allclose(scaled(scale * genuine + scale), plain(genuine), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("fit", [Affine.fit, Pav.fit])
@pytest.mark.parametrize(("genuine", "impostor"), [([0.0, 0.1], [1.0, 0.9]), ([0.5], [0.5])])
def test_scores_are_never_turned_around(
    fit: Callable[..., Affine | Pav], genuine: list[float], impostor: list[float]
) -> None:
    np.testing.assert_allclose(fit(genuine, impostor)(np.array([-5.0, 0.5, 5.0])), 0, atol=1e-12)


def test_affine_of_scores_without_overlap_by_hand() -> None:
    fitted = Affine.fit([1, 1], [0, 0, 0])  # as if 1/4 of genuine trials were impostors, 1/5 of impostors genuine
    np.testing.assert_allclose(fitted(np.array([0, 1])), [log((1 / 5) / (4 / 5)), log((3 / 4) / (1 / 4))], atol=1e-6)
    touching = Affine.fit([1, 2], [0, 1])
    assert 0 < touching.slope < 10


@pytest.mark.parametrize("fit", [Affine.fit, Pav.fit])
@pytest.mark.parametrize("n", [1, 3, 400])
def test_scores_without_overlap_have_finite_llrs(fit: Callable[..., Affine | Pav], n: int) -> None:
    genuine, impostor = 0.7 + np.arange(n) / 1000, 0.1 - np.arange(n) / 1000
    fitted = fit(genuine, impostor)
    found = fitted(np.array([-1.0, 0.0, 0.8, 1.0]))
    assert np.isfinite(found).all()
    assert (found[:2] < 0).all()
    assert (found[2:] > 0).all()


@pytest.mark.parametrize(
    ("genuine", "impostor", "starts", "odds"),
    [
        ([1, 3], [0, 2], [0, 1, 3], [1 / 2, 1, 2]),  # shares 1/2 | 0 1 0 1 | 1/2 with the trials added
        ([1, 2], [-1, -2], [-2, 1], [1 / 3, 3]),
        ([0, 0], [1], [0], [3 / 2 / 2]),  # what was added below is a step alone, and no score is in it
    ],
)
def test_pav_by_hand(genuine: list[float], impostor: list[float], starts: list[float], odds: list[float]) -> None:
    fitted = Pav.fit(genuine, impostor)
    assert fitted.starts.tolist() == starts
    np.testing.assert_allclose(fitted.llrs, np.log(odds))


def test_pav_is_a_step_function() -> None:
    fitted = Pav.fit([1, 3], [0, 2])
    asked = np.array([-9.0, 0.0, 0.99, 1.0, 2.0, 2.99, 3.0, 99.0])
    np.testing.assert_allclose(fitted(asked), np.log([0.5, 0.5, 0.5, 1, 1, 1, 2, 2]))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("decimals", [0, 1, 6])
def test_pav_is_naive_pav(seed: int, decimals: int) -> None:
    genuine, impostor = scores(seed, decimals)
    fitted = Pav.fit(genuine, impostor)
    steps = naive_pav(genuine, impostor, laplace=True)
    starts = np.array([start for start, _, _ in steps])
    llrs = np.array([log(g / i * impostor.size / genuine.size) for _, g, i in steps])
    asked = np.concatenate([genuine, impostor])
    np.testing.assert_allclose(fitted(asked), llrs[np.searchsorted(starts, asked, side="right") - 1], atol=1e-12)
    assert (np.diff(fitted.starts) > 0).all()
    assert (np.diff(fitted.llrs) >= 0).all()


@pytest.mark.parametrize("fit", [Affine.fit, Pav.fit])
def test_float32_and_float64(fit: Callable[..., Affine | Pav]) -> None:
    genuine, impostor = (s.astype(np.float32) for s in scores(0))
    found = fit(genuine, impostor)(genuine)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, fit(genuine.astype(float), impostor.astype(float))(genuine), atol=1e-5)
    assert cllr(genuine, impostor) == pytest.approx(cllr(genuine.astype(float), impostor.astype(float)))
    assert min_cllr(genuine, impostor) == min_cllr(genuine.astype(float), impostor.astype(float))


@pytest.mark.parametrize("of", [cllr, min_cllr, act_dcf, Affine.fit, Pav.fit])
@pytest.mark.parametrize(
    ("genuine", "impostor", "words"),
    [
        ([0.1, float("nan")], [0.2], "1 NaN and 0 infinite scores in 2 genuine and 1 impostor trials"),
        ([0.1], [float("inf")], "0 NaN and 1 infinite scores"),
        ([], [0.2], "0 genuine and 1 impostor trials: expected at least one of each kind"),
        ([0.2], [], "1 genuine and 0 impostor trials: expected at least one of each kind"),
    ],
)
def test_scores_that_cannot_be_used(
    of: Callable[..., object], genuine: list[float], impostor: list[float], words: str
) -> None:
    with pytest.raises(MmbioError, match=words):
        of(genuine, impostor)


def test_penalties_are_of_either_kind() -> None:
    found = penalties(np.array([800.0, 800.0, 0.0], np.float32), np.array([True, False, True]))
    np.testing.assert_allclose(found, [0, 800, log(2)])


@pytest.mark.parametrize(
    ("probability", "correct", "bins", "expected"),
    [
        ([0.1, 0.2, 0.8, 0.9], [0, 1, 1, 1], 2, [[0.15, 0.85], [0.5, 1.0], [2, 2]]),
        ([0.9, 0.1, 0.8, 0.2], [1, 0, 1, 1], 2, [[0.15, 0.85], [0.5, 1.0], [2, 2]]),
        ([0.5] * 4, [0, 1, 1, 1], 3, [[0.5], [0.75], [4]]),
        ([0.1, 1.0, 1.0, 1.0], [0, 1, 1, 1], 4, [[0.1, 1.0], [0.0, 1.0], [1, 3]]),
        ([0.3], [1], 10, [[0.3], [1.0], [1]]),
    ],
)
def test_reliability_by_hand(
    probability: list[float], correct: list[int], bins: int, expected: list[list[float]]
) -> None:
    found = reliability(np.array(probability), np.array(correct, bool), bins)
    for array, by_hand in zip(found, expected, strict=True):
        np.testing.assert_allclose(array, by_hand)


@pytest.mark.parametrize("bins", [1, 7, 10])
def test_reliability_of_calibrated_probabilities(bins: int) -> None:
    rng = np.random.default_rng(0)
    probability = rng.random(20_000)
    mean, share, count = reliability(probability, rng.random(20_000) < probability, bins)
    assert count.sum() == 20_000
    assert np.ptp(count) <= 1
    assert (np.diff(mean) > 0).all()
    np.testing.assert_allclose(mean, share, atol=0.05)


@pytest.mark.parametrize(
    ("probability", "correct", "bins"),
    [([], [], 3), ([0.5], [True, False], 3), ([1.1], [True], 3), ([float("nan")], [True], 3), ([0.5], [True], 0)],
)
def test_reliability_of_something_else(probability: list[float], correct: list[bool], bins: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        reliability(np.array(probability), np.array(correct, bool), bins)
