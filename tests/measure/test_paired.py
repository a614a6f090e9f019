"""Paired comparison: McNemar against scipy, draws against slow ones, and how often equal systems are told apart."""

import numpy as np
import pytest
from scipy.stats import binomtest

from mmbio.errors import MmbioError
from mmbio.measure.accuracy import correctness
from mmbio.measure.calibration import cllr, min_cllr
from mmbio.measure.dcf import Cost, act_dcf
from mmbio.measure.paired import (
    accuracy_draws,
    difference,
    mcnemar,
    right_by_most,
    score_draws,
)
from mmbio.measure.trial_bootstrap import trial_bootstrap_draws

COSTS = (Cost(0.01), Cost(0.1, 10, 1))


def decided(b: int, c: int, both: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Correctness of two systems, b times A's alone and c times B's."""
    kinds = np.repeat([0, 1, 2], [both, b, c])
    return kinds != 2, kinds != 1


def compared(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Scores, kinds and subjects of all pairs of two samples a subject, and LLRs."""
    rng = np.random.default_rng(seed)
    one, other = np.triu_indices(2 * n, 1)
    genuine = one // 2 == other // 2
    scores = rng.normal(2.0 * genuine, 1.0)
    return scores, genuine, (one // 2, other // 2), 1.5 * scores - 1


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 5), (5, 1), (4, 4), (0, 6), (13, 40), (0, 200)])
def test_mcnemar_is_the_exact_binomial_test(b: int, c: int) -> None:
    expected = binomtest(b, b + c).pvalue if b + c else 1.0
    found = mcnemar(*decided(b, c))
    assert found[:2] == (b, c)
    assert found.p == pytest.approx(expected, rel=1e-9)


def test_mcnemar_by_hand() -> None:
    assert mcnemar(*decided(1, 5)).p == pytest.approx(2 * (1 + 6) / 64)


@pytest.mark.parametrize("wrong", [np.array([True]), np.array([1.0, 0.0])])
def test_mcnemar_takes_two_equal_lengths_of_bool(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"two \(N,\) arrays of bool"):
        mcnemar(np.array([True, False]), wrong)


def test_correctness_is_unknown_where_a_fold_does_not_test() -> None:
    posteriors = np.array([[[0.2, 0.8], [0.6, 0.4]], [[np.nan, np.nan], [0.1, 0.9]]])
    np.testing.assert_array_equal(correctness(posteriors, np.array([1, 1])), [[1, 0], [np.nan, 1]])


def test_one_decision_of_several_fold_models() -> None:
    nan = np.nan
    correct = np.array([[1, 1, 0, nan], [1, 0, 0, 1], [0, nan, nan, nan], [1, nan, nan, nan]])
    assert right_by_most(correct).tolist() == [True, False, False, True]  # a tie is not more than half


def test_accuracy_on_each_draw() -> None:
    correct, subjects = np.array([1.0, 0.5, 0.0, 1.0, 0.25]), np.array([7, 7, 3, 3, 9])
    found = accuracy_draws(correct, subjects, seed=5, draws=200)
    times = np.random.default_rng(5).multinomial(3, [1 / 3] * 3, size=200)
    names = [3, 7, 9]
    items = [np.repeat(np.arange(5), row[np.searchsorted(names, subjects)]) for row in times]
    slow = [correct[drawn].mean() for drawn in items]
    np.testing.assert_allclose(found, slow)


def test_one_subject_cannot_be_drawn_from() -> None:
    with pytest.raises(MmbioError, match="1 subject in the test, where a bootstrap over subjects needs at least 2"):
        accuracy_draws(np.array([1.0, 0.0]), np.array([4, 4]), 0)
    scores, genuine, subjects, _ = compared(2, 0)
    with pytest.raises(MmbioError, match=r"2 subjects in the test, .* needs at least 3"):
        score_draws(scores, genuine, subjects, 0)


def test_score_draws_are_those_of_the_intervals() -> None:
    scores, genuine, subjects, _ = compared(8, 1)
    found = score_draws(scores, genuine, subjects, 3, COSTS, 60)
    expected = trial_bootstrap_draws(scores, genuine, *subjects, 3, costs=COSTS, draws=60)
    assert found.keys() == expected.keys() == {"eer", "min_dcf"}
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


def test_draws_of_llrs_against_trials_repeated() -> None:
    scores, genuine, (one, other), llr = compared(7, 2)
    found = score_draws(scores, genuine, (one, other), 3, COSTS, 40, llr)
    times = np.random.default_rng(3).multinomial(7, [1 / 7] * 7, size=40)
    for k, w in enumerate(times):
        often = np.where(genuine, w[one], w[one] * w[other])
        if not often[~genuine].any():
            assert np.isnan(found["cllr"][k])
            continue
        kinds = [np.repeat(llr[kind], often[kind]) for kind in (genuine, ~genuine)]
        of_scores = [np.repeat(scores[kind], often[kind]) for kind in (genuine, ~genuine)]
        assert found["cllr"][k] == pytest.approx(cllr(*kinds))
        assert found["min_cllr"][k] == pytest.approx(min_cllr(*of_scores))
        costs = [act_dcf(kinds[0], kinds[1], c.p_target, c.c_miss, c.c_fa) for c in COSTS]
        assert found["act_dcf"][k] == pytest.approx(np.mean(costs))


def test_a_difference_by_hand() -> None:
    apart = np.concatenate([[-1.0, 0.0], np.arange(1, 98)])  # 99 draws, of which two are not above 0
    found = difference(10.0, 20.0, np.zeros(99), apart)
    assert (found.a, found.b, found.value, found.n_draws) == (10, 20, 10, 99)
    assert found.p == pytest.approx(2 * 3 / 100)
    assert (found.low, found.high) == (0.0, 96.0)  # the second of each end: (99 + 1) x 0.025, cut
    assert not found.is_told


@pytest.mark.parametrize("draws", [39, 40, 100, 999, 1000])
@pytest.mark.parametrize("shift", [0.0, 1.5, 1.9, 2.0, 2.1, 5.0, -2.0])
def test_the_interval_holds_0_where_p_says_so(draws: int, shift: float) -> None:
    rng = np.random.default_rng([draws, 1])
    found = difference(0.0, shift, np.zeros(draws), rng.normal(shift, 1.0, draws))
    assert found.is_told == (found.p <= 0.05)
    assert found.low <= found.high


def test_systems_that_do_the_same() -> None:
    shares = np.random.default_rng(0).random(300)
    draws = shares[:299]
    found = difference(0.3, 0.1 + 0.2, draws, draws + 1e-16)  # rounding is no difference
    assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)
    assert found.is_nothing
    assert not found.is_told


def test_a_difference_without_width_is_told() -> None:
    found = difference(0.5, 0.6, np.full(100, 0.5), np.full(100, 0.6))
    assert found.low == found.high == pytest.approx(0.1)
    assert found.is_told
    assert not found.is_nothing


def test_draws_that_were_left_out() -> None:
    one = np.where(np.arange(100) < 30, np.nan, 0.1)
    assert difference(0.1, 0.2, one, one + 0.1).n_draws == 70
    with pytest.raises(MmbioError, match="0 of 100 draws of subjects have both kinds of trials"):
        difference(0.1, 0.2, one, one[::-1] * np.where(np.arange(100) < 70, np.nan, 1))


@pytest.mark.parametrize(("n", "m"), [(38, 38), (100, 99)])
def test_draws_that_cannot_be_compared(n: int, m: int) -> None:
    with pytest.raises(ValueError, match="as many draws of A as of B"):
        difference(0.0, 0.0, np.zeros(n), np.zeros(m))


def test_equal_systems_are_rarely_told_apart() -> None:
    """Two systems of one accuracy, which differ from subject to subject: about one in twenty pairs is told."""
    rng = np.random.default_rng(0)
    subjects = np.repeat(np.arange(58), 3)
    told = 0
    for seed in range(300):
        chance = np.clip(rng.normal(0.8, 0.2, (2, 58)), 0, 1)[:, subjects]
        systems = (rng.random(chance.shape) < chance).astype(float)
        a, b = (accuracy_draws(s, subjects, seed, 199) for s in systems)
        told += difference(systems[0].mean(), systems[1].mean(), a, b).is_told
    assert 3 <= told <= 30
