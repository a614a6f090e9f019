"""Intervals: Wilson and Clopper-Pearson against known values, the bootstrap against a slow one of its own."""

import numpy as np
import pytest
from scipy.stats import binomtest, bootstrap, norm

from mmbio.measure.intervals import clopper_pearson, of_accuracy, of_error_rate, subject_bootstrap, wilson


@pytest.mark.parametrize(
    ("n_correct", "n", "low", "high"),
    [
        (171, 174, 0.9506, 0.9941),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (81, 263, 0.2553, 0.3662),  # Newcombe (1998), his first example
        (15, 148, 0.0624, 0.1605),  # and his second
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson(n_correct: int, n: int, low: float, high: float) -> None:
    assert wilson(n_correct, n) == pytest.approx((low, high), abs=6e-5)


def test_wilson_ends_are_where_the_score_test_just_rejects() -> None:
    for n_correct, n in ((3, 7), (50, 58), (171, 174)):
        for end in wilson(n_correct, n):
            z = (n_correct / n - end) / np.sqrt(end * (1 - end) / n)
            assert abs(z) == pytest.approx(1.959964, abs=1e-6)


@pytest.mark.parametrize(("n_correct", "n"), [(0, 0), (5, 4), (-1, 4)])
def test_shares_that_cannot_be(n_correct: int, n: int) -> None:
    for interval in (wilson, clopper_pearson):
        with pytest.raises(ValueError, match=f"got {n_correct} of {n}"):
            interval(n_correct, n)


@pytest.mark.parametrize("design", [0.0, -1.0, np.nan, np.inf])
def test_design_effects_that_cannot_be(design: float) -> None:
    with pytest.raises(ValueError, match=f"1 of 2 with design {design}"):
        wilson(1, 2, design)


@pytest.mark.parametrize(("n_correct", "n"), [(0, 7), (3, 7), (7, 7), (171, 174)])
def test_intervals_of_scipy(n_correct: int, n: int) -> None:
    test = binomtest(n_correct, n)
    assert wilson(n_correct, n) == pytest.approx(tuple(test.proportion_ci(method="wilson")), abs=1e-12)
    assert clopper_pearson(n_correct, n) == pytest.approx(tuple(test.proportion_ci(method="exact")), abs=1e-9)


def test_clopper_pearson_is_wider_than_wilson() -> None:
    low, high = clopper_pearson(171, 174)
    assert (low, high) == pytest.approx((0.9504, 0.9964), abs=6e-5)
    assert low < wilson(171, 174)[0] < wilson(171, 174)[1] < high


def test_wilson_of_a_mean_over_folds_lies_between_whole_numbers() -> None:
    low, high = wilson(171.375, 174)
    assert wilson(171, 174)[0] < low < wilson(172, 174)[0]
    assert wilson(171, 174)[1] < high < wilson(172, 174)[1]


def test_a_design_effect_is_so_many_times_fewer_decisions() -> None:
    assert wilson(160, 200, design=4) == pytest.approx(wilson(40, 50))
    assert wilson(200, 200, design=4)[1] == 1.0
    assert wilson(0, 200, design=4)[0] == 0.0


@pytest.mark.parametrize(
    ("correct", "subjects", "method"),
    [
        ([1, 0, 1, 1], [0, 1, 2, 3], "wilson"),
        ([1, 1, 1, 1], [0, 1, 2, 3], "wilson"),
        ([1, 0.5, 0.9, 0.1, 1], [0, 1, 2, 3, 4], "subject-bootstrap"),  # folds that disagree
        ([1, 0, 1, 0, 1, 0, 1, 1, 1], [0, 0, 1, 1, 2, 2, 3, 3, 4], "subject-bootstrap"),
        ([1, 0, 1, 0, 1, 1, 1, 1, 1], [0, 0, 1, 1, 2, 2, 3, 3, 4], "wilson-by-subject"),  # two are ever wrong
        ([0, 1, 0, 1, 0, 0, 0, 0, 0], [0, 0, 1, 1, 2, 2, 3, 3, 4], "wilson-by-subject"),  # two are ever right
        ([1, 0.5, 1, 1], [0, 1, 2, 3], "wilson-by-subject"),
        ([1, 1, 1, 1], [0, 0, 2, 3], "wilson-by-subject"),
        ([0, 0, 0, 0], [0, 0, 2, 3], "wilson-by-subject"),
        ([0.5, 0.5], [0, 1], "wilson-by-subject"),
        ([1, 0, 0, 1], [0, 0, 1, 1], "wilson-by-subject"),
        ([1, 0], [3, 3], "none: one subject"),
        ([1], [3], "none: one subject"),
    ],
)
def test_which_interval(correct: list[float], subjects: list[int], method: str) -> None:
    values = np.array(correct, float)
    found = of_accuracy(values, np.array(subjects), 0)
    assert found.method == method
    n_subjects = len(set(subjects))
    expected = {
        "wilson": lambda: wilson(values.sum(), len(values)),
        "wilson-by-subject": lambda: wilson(values.mean() * n_subjects, n_subjects),
        "subject-bootstrap": lambda: subject_bootstrap(values, np.array(subjects), 0),
        "none: one subject": lambda: (np.nan, np.nan),
    }[method]()
    assert (found.low, found.high) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("correct", "subjects", "says"),
    [
        ([], [], "N > 0"),
        ([1, 0], [1], r"got \(2,\) and \(1,\)"),
        ([1, 1.5], [0, 1], "got 1.0 to 1.5"),
        ([1, np.nan], [0, 1], "got nan"),
    ],
)
def test_decisions_that_cannot_be(correct: list[float], subjects: list[int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        of_accuracy(np.array(correct, float), np.array(subjects), 0)


def clustered(n_subjects: int = 30, each: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Subjects of whom some are nearly always right and some nearly never."""
    rng = np.random.default_rng(0)
    rate = np.where(np.arange(n_subjects) % 3 > 0, 0.95, 0.2)
    return (rng.random((n_subjects, each)) < rate[:, None]).astype(float).ravel(), np.repeat(
        np.arange(n_subjects), each
    )


def test_the_seed_decides() -> None:
    correct, subjects = clustered()
    assert subject_bootstrap(correct, subjects, 1) == subject_bootstrap(correct, subjects, 1)
    assert subject_bootstrap(correct, subjects, 1) != subject_bootstrap(correct, subjects, 2)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_no_width_where_nothing_differs(value: float) -> None:
    assert subject_bootstrap(np.full(12, value), np.repeat(np.arange(4), 3), 0) == (value, value)


def test_one_subject_has_no_width() -> None:
    assert subject_bootstrap(np.array([0.0, 1.0]), np.array([5, 5]), 0) == (0.5, 0.5)


def test_names_and_order_of_subjects_do_not_matter() -> None:
    correct, subjects = clustered()
    order = np.random.default_rng(1).permutation(len(correct))
    found = subject_bootstrap(correct[order], subjects[order] * 10 + 7, 0)
    assert found == pytest.approx(subject_bootstrap(correct, subjects, 0))


def test_clustered_decisions_are_less_sure_than_wilson_says() -> None:
    correct, subjects = clustered()
    low, high = subject_bootstrap(correct, subjects, 0)
    wilson_low, wilson_high = wilson(int(correct.sum()), len(correct))
    assert low < correct.mean() < high
    assert high - low > 2 * (wilson_high - wilson_low)


def test_independent_decisions_are_as_sure_as_wilson_says() -> None:
    correct = (np.arange(400) % 5 > 0).astype(float)
    found = subject_bootstrap(correct, np.arange(400), 0)
    assert found == pytest.approx(wilson(320, 400), abs=0.01)


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_equals_the_bca_of_scipy(level: float) -> None:
    totals = np.random.default_rng(3).beta(5, 1, 25)
    expected = bootstrap(
        (totals,), np.mean, n_resamples=20_000, confidence_level=level, rng=np.random.default_rng(0), method="BCa"
    ).confidence_interval
    found = subject_bootstrap(totals, np.arange(25), 4, draws=20_000, level=level)
    assert found == pytest.approx(tuple(expected), abs=0.005)


def test_equals_a_loop_over_the_draws() -> None:
    rng = np.random.default_rng(3)
    subjects = np.sort(rng.integers(0, 9, 50))  # subjects of unequal size
    correct = rng.random(50)
    names = np.unique(subjects)
    means = []
    for draw in np.random.default_rng(4).multinomial(len(names), np.full(len(names), 1 / len(names)), size=200):
        items = [correct[subjects == name] for name, n in zip(names, draw, strict=True) for _ in range(n)]
        means.append(np.concatenate(items).mean())
    without = np.array([correct[subjects != name].mean() for name in names])
    bias = norm.ppf(np.mean(np.array(means) < correct.mean()))
    gaps = without.mean() - without
    skew = np.sum(gaps**3) / (6 * np.sum(gaps**2) ** 1.5)
    shares = [norm.cdf(bias + (bias + z) / (1 - skew * (bias + z))) for z in (-1.959964, 1.959964)]
    assert subject_bootstrap(correct, subjects, 4, draws=200) == pytest.approx(tuple(np.quantile(means, shares)))


def test_an_error_rate_on_the_log_scale() -> None:
    logs = np.random.default_rng(0).normal(-3, 0.2, 1000)
    value = float(np.exp(-2.9))
    half = 1.9842 * logs.std()  # Student's t with 98 degrees of freedom
    expected = np.exp([-5.8 - logs.mean() - half, -5.8 - logs.mean() + half])
    assert of_error_rate(value, np.exp(logs), 99) == pytest.approx(tuple(expected), rel=1e-4)


@pytest.mark.parametrize("shift", [0.2, 5.0])
def test_an_error_rate_lies_within_its_interval(shift: float) -> None:
    draws = np.random.default_rng(0).normal(0.1, 0.01, 200)
    for value in (0.1 * shift, 0.1 / shift):
        low, high = of_error_rate(value, draws, 50)
        assert low <= value <= high


def test_draws_without_an_error_count_as_the_lowest_other_one() -> None:
    draws = np.array([0.0, 0.01, 0.02, 0.04])
    assert of_error_rate(0.02, draws, 9) == of_error_rate(0.02, np.maximum(draws, 0.01), 9)


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_an_error_rate_that_no_draw_changes(value: float) -> None:
    assert of_error_rate(value, np.full(9, value), 9) == (value, value)
