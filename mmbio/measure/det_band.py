"""The band of a DET curve: FNMR at given FMRs on each draw of subjects."""

import numpy as np

from mmbio.measure.intervals import DRAWS, NO_WIDTH, of_error_rate, wilson
from mmbio.measure.trial_bootstrap import LEAST_SUBJECTS, NO_ERRORS, SortedTrials, Sums, batches, sums_of


def det_band(
    scores: np.ndarray,
    genuine: np.ndarray,
    enrolment_subject: np.ndarray,
    probe_subject: np.ndarray,
    seed: int,
    fmr: np.ndarray,
    draws: int = DRAWS,
) -> tuple[np.ndarray, np.ndarray]:
    """The pointwise 95 % interval of FNMR at ascending FMRs (G,) in [0, 1], as (low (G,), high (G,)).

    FNMR at an FMR lies on the line between the two operating points around it, as the linear EER does; of points with
    one FMR it is the lowest. Intervals as those of the EER: `intervals.of_error_rate`, and Wilson's by subject where a
    tenth of the draws or more have no miss. Ends fall as the curve does. 95 % hold at each FMR, not for the whole
    curve. NaN where there is no interval: of two subjects, or where no draw has both kinds of trials.
    Errors as `trial_bootstrap_draws`, and ValueError for FMRs that do not ascend in [0, 1].
    """
    if fmr.ndim != 1 or not ((fmr >= 0) & (fmr <= 1)).all() or not (np.diff(fmr) >= 0).all():
        raise ValueError(f"expected ascending FMRs (G,) in [0, 1], got {fmr.shape}: {fmr.min()} to {fmr.max()}")
    trials = SortedTrials.of(scores, genuine, enrolment_subject, probe_subject)
    drawn = np.concatenate([_fnmr(trials, sums, fmr) for _, sums in batches(trials, seed, draws, len(fmr))])  # (D, G)
    if trials.n_subjects < LEAST_SUBJECTS or not len(drawn):
        return np.full(fmr.shape, np.nan), np.full(fmr.shape, np.nan)
    curve = _fnmr(trials, sums_of(trials, np.ones((1, trials.n_subjects), np.int64)), fmr)[0]
    n_genuine = len(np.unique(trials.genuine))
    ends = [_ends(float(value), of, n_genuine, trials.n_subjects) for value, of in zip(curve, drawn.T, strict=True)]
    low, high = np.array(ends).reshape(-1, 2).T
    return np.maximum.accumulate(low[::-1])[::-1], np.minimum.accumulate(high)


def _ends(value: float, draws: np.ndarray, n_genuine: int, n_subjects: int) -> tuple[float, float]:
    if np.mean(draws < NO_WIDTH) >= NO_ERRORS:
        return wilson(value * n_genuine, n_genuine)
    low, high = of_error_rate(value, draws, n_subjects)
    return low, min(1.0, high)


def fnmr_at(scores: np.ndarray, genuine: np.ndarray, fmr: np.ndarray) -> np.ndarray:
    """FNMR (G,) of all trials at FMRs (G,): the curve in the middle of the band."""
    kinds = genuine.astype(np.intp)
    trials = SortedTrials.of(
        scores, genuine, np.zeros_like(kinds), 1 - kinds
    )  # any subjects will do: each trial weighs 1
    return np.asarray(_fnmr(trials, sums_of(trials, np.ones((1, trials.n_subjects), np.int64)), fmr)[0])


def _fnmr(trials: SortedTrials, sums: Sums, fmr: np.ndarray) -> np.ndarray:
    """FNMR (D, G): bisect for the first point with an FMR of at most what is asked, then go back on the line to it."""
    rows = np.arange(len(sums.genuine))[:, None]
    n_genuine, n_impostor = (s[:, -1:].astype(float) for s in (sums.genuine, sums.impostor))

    def at(point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        misses = sums.genuine[rows, trials.n_genuine[point]] / n_genuine
        return misses, (n_impostor - sums.impostor[rows, trials.n_impostor[point]]) / n_impostor

    shape = len(rows), len(fmr)
    low, high = np.zeros(shape, np.intp), np.full(shape, trials.n_points - 1)
    while (high - low > 1).any():
        middle = (low + high) // 2
        beyond = at(middle)[1] <= fmr
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    (miss_low, fmr_low), (miss_high, fmr_high) = at(low), at(high)
    rise = np.maximum(fmr_low - fmr_high, np.finfo(float).tiny)
    share = np.clip((fmr_low - fmr) / rise, 0, 1)  # of the way from `low` to `high`
    return np.asarray(miss_low + (miss_high - miss_low) * share)
