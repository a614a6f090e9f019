"""Intervals of accuracies and shares: subject bootstrap, Wilson, Clopper-Pearson, and which of them when."""

import math
from typing import Final, NamedTuple

import numpy as np

DRAWS: Final = 2000
LEVEL: Final = 0.95
Z: Final = 1.959963984540054  # the normal quantile of (1 + LEVEL) / 2
NO_WIDTH: Final = 1e-12  # narrower is rounding

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

    `wilson` where decisions are independent: one a subject, each 0 or 1. Else `subject-bootstrap`.
    `wilson-by-subject` where no subject differs from another, so that a bootstrap has no width: each
    subject is taken as one decision, because more decisions of a subject who might be the only one like
    that do not tell more about others. Of one subject there is no interval: NaN, and the method says so.
    Raises ValueError for no items, for unequal lengths and outside [0, 1].
    """
    if correct.ndim != 1 or correct.shape != subjects.shape or not correct.size:
        raise ValueError(f"expected (N,) correct and subjects, N > 0, got {correct.shape} and {subjects.shape}")
    if not ((correct >= 0) & (correct <= 1)).all():
        raise ValueError(f"expected correctness in [0, 1], got {correct.min()} to {correct.max()}")
    n_subjects = len(np.unique(subjects))
    if n_subjects < 2:
        return Interval(math.nan, math.nan, ONE_SUBJECT)
    if n_subjects == correct.size and np.isin(correct, (0, 1)).all():
        return Interval(*wilson(float(correct.sum()), correct.size), WILSON)
    low, high = subject_bootstrap(correct, subjects, seed)
    if high - low > NO_WIDTH:
        return Interval(low, high, SUBJECT_BOOTSTRAP)
    return Interval(*wilson(float(correct.mean()) * n_subjects, n_subjects), WILSON_BY_SUBJECT)


def subject_bootstrap(
    correct: np.ndarray, subjects: np.ndarray, seed: int, draws: int = DRAWS, level: float = LEVEL
) -> tuple[float, float]:
    """The percentile interval of a mean of items, subjects drawn with replacement.

    correct (N,) in [0, 1], such as correctness averaged over folds; subjects (N,) int.
    Decisions of one subject are not independent, and fold models tested on one common set even less:
    the subject is the unit. Where no item differs from another the interval has no width, which says
    that the test set cannot show one, not that there is none.
    """
    _, index = np.unique(subjects, return_inverse=True)
    n_subjects = int(index.max()) + 1
    totals = np.bincount(index, weights=correct, minlength=n_subjects)
    counts = np.bincount(index, minlength=n_subjects)
    rng = np.random.default_rng(seed)
    times = rng.multinomial(n_subjects, np.full(n_subjects, 1 / n_subjects), size=draws)  # (draws, S)
    means = (times @ totals) / (times @ counts)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


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
