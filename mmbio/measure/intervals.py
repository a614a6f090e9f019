"""Intervals: subject bootstrap and Wilson."""

import math
from typing import Final

import numpy as np

DRAWS: Final = 2000
LEVEL: Final = 0.95
Z: Final = 1.959963984540054  # the normal quantile of (1 + LEVEL) / 2


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


def wilson(n_correct: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share of independent decisions; 171 of 174 gives 0.951 to 0.994."""
    if not 0 <= n_correct <= n or n == 0:
        raise ValueError(f"expected 0 <= n_correct <= n and n > 0, got {n_correct} of {n}")
    p, z2 = n_correct / n, Z * Z
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
