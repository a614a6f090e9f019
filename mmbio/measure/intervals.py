"""Intervals of shares and error rates: subject bootstrap, Wilson, Clopper-Pearson, and which of them when.

How often each covers the truth, and why it is the one taken: docs/intervals.md.
"""

import math
from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np

DRAWS: Final = 2000
LEVEL: Final = 0.95
Z: Final = 1.959963984540054  # the normal quantile of (1 + LEVEL) / 2
NO_WIDTH: Final = 1e-12  # narrower is rounding
FEW: Final = 3  # errors of fewer subjects do not show how subjects differ

WILSON: Final = "wilson"
SUBJECT_BOOTSTRAP: Final = "subject-bootstrap"
WILSON_BY_SUBJECT: Final = "wilson-by-subject"
ONE_SUBJECT: Final = "none: one subject"


class Interval(NamedTuple):
    """A 95 % interval and how it came about; NaN ends where there is none, and the method says why."""

    low: float
    high: float
    method: str


def of_accuracy(correct: np.ndarray, subjects: np.ndarray, seed: int) -> Interval:
    """The interval of the mean of correct (N,) in [0, 1], such as correctness averaged over folds; subjects (N,) int.

    `wilson` where decisions are independent: one a subject, each 0 or 1. Else `subject-bootstrap`. But
    `wilson-by-subject` where fewer than three subjects are ever wrong (or right), or where none differs from another:
    a bootstrap of one or two has next to no width, and of none has none. Each
    subject is then taken as one decision, which is what a test set can show whose few errors may be
    those of one subject. Of one subject there is no interval: NaN, and the method says so.
    Raises ValueError for no items, for unequal lengths and outside [0, 1].
    """
    if correct.ndim != 1 or correct.shape != subjects.shape or not correct.size:
        raise ValueError(f"expected (N,) correct and subjects, N > 0, got {correct.shape} and {subjects.shape}")
    if not ((correct >= 0) & (correct <= 1)).all():
        raise ValueError(f"expected correctness in [0, 1], got {correct.min()} to {correct.max()}")
    n_subjects, totals, counts = _by_subject(correct, subjects)
    if n_subjects < 2:
        return Interval(math.nan, math.nan, ONE_SUBJECT)
    if n_subjects == correct.size and np.isin(correct, (0, 1)).all():
        return Interval(*wilson(float(correct.sum()), correct.size), WILSON)
    low, high = subject_bootstrap(correct, subjects, seed)
    n_wrong, n_right = np.count_nonzero(totals < counts), np.count_nonzero(totals > 0)
    if min(n_wrong, n_right) >= FEW and high - low > NO_WIDTH:
        return Interval(low, high, SUBJECT_BOOTSTRAP)
    return Interval(*wilson(float(correct.mean()) * n_subjects, n_subjects), WILSON_BY_SUBJECT)


def subject_bootstrap(
    values: np.ndarray, subjects: np.ndarray, seed: int, draws: int = DRAWS, level: float = LEVEL
) -> tuple[float, float]:
    """The BCa interval (Efron 1987) of a mean of items, subjects drawn with replacement.

    values (N,), such as correctness averaged over folds; subjects (N,) int. Decisions of one subject
    are not independent, and those of fold models tested on one common set even less: the subject is the unit.
    Bias-corrected and accelerated, because plain percentiles cover too rarely near 0 and 1. Where no
    subject differs from another the interval has no width, which says that the test set cannot show one, not that
    there is none.
    """
    n_subjects, totals, counts = _by_subject(values, subjects)
    value = totals.sum() / counts.sum()
    rng = np.random.default_rng(seed)
    times = rng.multinomial(n_subjects, np.full(n_subjects, 1 / n_subjects), size=draws)  # (draws, S)
    means = (times @ totals) / (times @ counts)
    if np.ptp(means) <= NO_WIDTH:
        return float(value), float(value)
    without = (totals.sum() - totals) / (counts.sum() - counts)
    low, high = np.quantile(means, _bca_shares(means, float(value), without, level))
    return float(low), float(high)


def _by_subject(values: np.ndarray, subjects: np.ndarray) -> tuple[int, np.ndarray, np.ndarray]:
    """How many subjects there are, and the sum and number of items of each."""
    _, index = np.unique(subjects, return_inverse=True)
    counts = np.bincount(index)
    return len(counts), np.bincount(index, weights=values), counts


def _bca_shares(draws: np.ndarray, value: float, without: np.ndarray, level: float) -> list[float]:
    """Which shares of the draws lie below the ends; without (S,): the statistic with each subject left out."""
    normal = NormalDist()
    below = (np.mean(draws < value - NO_WIDTH) + np.mean(draws <= value + NO_WIDTH)) / 2
    bias = normal.inv_cdf(float(np.clip(below, 1 / draws.size, 1 - 1 / draws.size)))
    skew = without.mean() - without
    acceleration = float((skew**3).sum() / (6 * ((skew**2).sum()) ** 1.5))
    ends = (bias + normal.inv_cdf(share) for share in ((1 - level) / 2, (1 + level) / 2))
    return [normal.cdf(bias + end / (1 - acceleration * end)) for end in ends]


def of_error_rate(value: float, draws: np.ndarray, n_subjects: int) -> tuple[float, float]:
    """The interval of an error rate or a cost >= 0 from its bootstrap draws (D,), all of them, over n_subjects.

    On the log scale, because errors multiply rather than add; shifted by the bias that the draws show,
    because what is least over thresholds is too low on the test set, and lower still on draws from it (percentiles of
    minDCF cover the truth in half to nine tenths of all cases); Student's t with n_subjects - 1. Draws of 0 count as
    the lowest other one. The value is always within.
    """
    from scipy.special import stdtrit

    if draws.max() - draws.min() <= NO_WIDTH or value <= 0:
        return value, value
    logs = np.log(np.maximum(draws, draws[draws > 0].min()))
    centre, half = 2 * math.log(value) - logs.mean(), stdtrit(n_subjects - 1, (1 + LEVEL) / 2) * logs.std()
    return min(value, math.exp(centre - half)), max(value, math.exp(centre + half))


def wilson(n_correct: float, n: float, design: float = 1.0) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share of independent decisions; 171 of 174 gives 0.951 to 0.994.

    n_correct may be a mean over folds, such as 171.4. `design`: the design effect, how many decisions
    tell as much as one independent one; the share stays, n becomes n / design.
    """
    if not 0 <= n_correct <= n or not 0 < n < math.inf or not 0 < design < math.inf:
        raise ValueError(
            f"expected 0 <= n_correct <= n, n > 0 and design > 0, got {n_correct} of {n} with design {design}"
        )
    p, m, z2 = n_correct / n, n / design, Z * Z
    centre = (p + z2 / (2 * m)) / (1 + z2 / m)
    half = Z / (1 + z2 / m) * math.sqrt(p * (1 - p) / m + z2 / (4 * m * m))
    # Exact at the ends, where rounding would leave 1e-17 beside them.
    return (0.0 if n_correct == 0 else max(0.0, centre - half)), (1.0 if n_correct == n else min(1.0, centre + half))


def clopper_pearson(n_correct: int, n: int) -> tuple[float, float]:
    """Clopper and Pearson's 95 % interval of a share of independent decisions; 171 of 174 gives 0.950 to 0.996.

    It covers at least 95 % whatever the truth is, and is wider than Wilson's for it.
    """
    from scipy.special import betaincinv

    if not 0 <= n_correct <= n or n == 0:
        raise ValueError(f"expected 0 <= n_correct <= n and n > 0, got {n_correct} of {n}")
    tail = (1 - LEVEL) / 2
    low = 0.0 if n_correct == 0 else float(betaincinv(n_correct, n - n_correct + 1, tail))
    high = 1.0 if n_correct == n else float(betaincinv(n_correct + 1, n - n_correct, 1 - tail))
    return low, high
