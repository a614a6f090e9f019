"""The subject bootstrap of calibration figures, on the draws of `trial_bootstrap`.

What was fitted on dev stays as it is: the intervals say how figures would differ with other test subjects.
"""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from mmbio.measure.calibration import pooled_cllr
from mmbio.measure.intervals import DRAWS, NO_WIDTH, SUBJECT_BOOTSTRAP, Interval, of_error_rate
from mmbio.measure.trial_bootstrap import LEAST_SUBJECTS, NO_DRAWS, TOO_FEW, SortedTrials, batches

NO_ERRORS: Final = "none: no draw of subjects has an error"


def mean_draws(
    costs: Mapping[str, np.ndarray],
    genuine: np.ndarray,
    enrolment_subject: np.ndarray,
    probe_subject: np.ndarray,
    seed: int,
    draws: int = DRAWS,
) -> dict[str, np.ndarray]:
    """Of figures that are a mean over genuine plus a mean over impostor trials, each on each draw of subjects (draws,).

    costs: figure -> what a trial costs (T,); genuine (T,) bool, subjects (T,) int. NaN where a draw has no genuine
    or no impostor weight. Trials cost w_i and w_i w_j times, so sums by subject and by pair of subjects will do.
    """
    from scipy.sparse import csr_array

    names, index = np.unique(np.concatenate([enrolment_subject, probe_subject]), return_inverse=True)
    n, pair = len(names), (index[: genuine.size][~genuine], index[genuine.size :][~genuine])
    own = index[: genuine.size][genuine]
    times = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws).astype(np.float64)  # (draws, S)

    def sums(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The weighted sums of both kinds, (draws,) each."""
        by_pair = csr_array((cost[~genuine], pair), shape=(n, n))
        of_genuine = times @ np.bincount(own, cost[genuine], n)
        return of_genuine, np.einsum("ds,ds->d", times @ by_pair, times)

    totals = [np.where(total > 0, total, np.nan) for total in sums(np.ones(genuine.size))]
    found = {}
    for name, cost in costs.items():
        of_genuine, of_impostor = sums(cost)
        found[name] = of_genuine / totals[0] + of_impostor / totals[1]
    return found


def min_cllr_draws(
    scores: np.ndarray,
    genuine: np.ndarray,
    enrolment_subject: np.ndarray,
    probe_subject: np.ndarray,
    seed: int,
    draws: int = DRAWS,
) -> np.ndarray:
    """min Cllr on each draw of subjects, (draws,); arguments, NaN and errors as `trial_bootstrap_draws`.

    No step of a PAV map ever ends but after an impostor and before a genuine trial, so the weights between these
    points are summed before, and every draw pools only what is left.
    """
    trials = SortedTrials.of(scores, genuine, enrolment_subject, probe_subject)
    bounds = np.union1d(trials.corners, [0, trials.n_points - 1])
    found = np.full(draws, np.nan)
    for part, sums in batches(trials, seed, draws):
        of_genuine = np.diff(sums.genuine.take(trials.n_genuine[bounds], 1), axis=1)
        of_impostor = np.diff(sums.impostor.take(trials.n_impostor[bounds], 1), axis=1)
        found[part][sums.kept] = [pooled_cllr(*draw) for draw in zip(of_genuine, of_impostor, strict=True)]
    return found


def interval(value: float, draws: np.ndarray, n_subjects: int) -> Interval:
    """The interval of a cost from its draws, as of an error rate; NaN where there is none, and the method says why.

    Where no draw has an error it would be 0 twice, which the test set cannot know.
    """
    if n_subjects < LEAST_SUBJECTS:
        return Interval(math.nan, math.nan, TOO_FEW)
    kept = draws[~np.isnan(draws)]
    if not kept.size:
        return Interval(math.nan, math.nan, NO_DRAWS)
    if kept.max() < NO_WIDTH:
        return Interval(math.nan, math.nan, NO_ERRORS)
    return Interval(*of_error_rate(value, kept, n_subjects), SUBJECT_BOOTSTRAP)
