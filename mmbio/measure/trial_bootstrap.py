"""The subject bootstrap of verification figures: EER (linear) and minDCF.

Subjects are drawn with replacement; with w_i how often subject i was drawn, a genuine trial of i
weighs w_i and an impostor trial between i and j weighs w_i w_j. Trials of one subject are not
independent: drawing trials instead gives intervals several times too narrow.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mmbio.errors import MmbioError
from mmbio.measure.dcf import DEFAULT, Cost
from mmbio.measure.intervals import DRAWS, LEVEL
from mmbio.measure.rates import checked

STATISTICS: Final = ("eer", "min_dcf")
BATCH: Final = 1 << 20  # trials x draws worked on at once: a few tens of MB


@dataclass(frozen=True, eq=False)
class TrialBootstrap:
    """Percentile intervals, the draws behind them, and how many draws were left out."""

    intervals: dict[str, tuple[float, float]]  # statistic -> (low, high), NaN where all draws were left out
    draws: dict[str, np.ndarray]  # statistic -> (draws,), NaN for a draw that was left out
    n_left_out: int  # draws without genuine or without impostor weight


def trial_bootstrap(
    scores: np.ndarray,
    genuine: np.ndarray,
    enrolment_subject: np.ndarray,
    probe_subject: np.ndarray,
    seed: int,
    statistics: Collection[str] = STATISTICS,
    costs: Sequence[Cost] = (DEFAULT,),
    draws: int = DRAWS,
    level: float = LEVEL,
) -> TrialBootstrap:
    """Percentile intervals of statistics over draws of subjects; arguments and errors as `trial_bootstrap_draws`."""
    drawn = trial_bootstrap_draws(
        scores, genuine, enrolment_subject, probe_subject, seed, statistics=statistics, costs=costs, draws=draws
    )
    return TrialBootstrap(
        intervals={name: percentiles(values, level) for name, values in drawn.items()},
        draws=drawn,
        n_left_out=max((int(np.isnan(values).sum()) for values in drawn.values()), default=0),
    )


def trial_bootstrap_draws(
    scores: np.ndarray,
    genuine: np.ndarray,
    enrolment_subject: np.ndarray,
    probe_subject: np.ndarray,
    seed: int,
    statistics: Collection[str] = STATISTICS,
    costs: Sequence[Cost] = (DEFAULT,),
    draws: int = DRAWS,
) -> dict[str, np.ndarray]:
    """Each statistic on each draw of subjects, (draws,), NaN where a draw has no genuine or no impostor weight.

    scores (T,), genuine (T,) bool, subjects (T,) int. `min_dcf` is the mean over `costs`, as presets
    with two priors are. Two systems on trials of the same subjects get the same draws from one seed, so their
    difference draw by draw is a paired test. Raises MmbioError for scores that `rates.checked` refuses
    and for a genuine trial between two subjects or an impostor trial of one; ValueError for unknown
    statistics or unequal lengths.
    """
    unknown = set(statistics) - set(STATISTICS)
    if unknown or not costs:
        raise ValueError(
            f"expected statistics of {STATISTICS} and a cost, got {sorted(unknown)} and {len(costs)} costs"
        )
    trials = _Trials.of(scores, genuine, enrolment_subject, probe_subject)
    found = {name: np.full(draws, np.nan) for name in STATISTICS if name in statistics}
    for part, weights in _weights(seed, draws, trials):
        sums = _sums(trials, weights)
        if "eer" in found:
            found["eer"][part][sums.kept] = _eer(trials, sums)
        if "min_dcf" in found:
            found["min_dcf"][part][sums.kept] = _min_dcf(trials, sums, costs)
    return found


def percentiles(values: np.ndarray, level: float = LEVEL) -> tuple[float, float]:
    """The percentile interval of draws, NaN ones left out; (NaN, NaN) where none is left."""
    kept = values[~np.isnan(values)]
    if not kept.size:
        return float("nan"), float("nan")
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@dataclass(frozen=True, eq=False)
class _Trials:
    """Trials by ascending score, in runs: a tie group of both kinds, or neighbours all of one kind.

    Between two neighbouring points of a run of one kind only one of the rates changes, so the ends of
    the runs carry the whole curve. Point r lies after the first r runs; subjects are indices into 0 .. S - 1.
    """

    n_subjects: int
    genuine: np.ndarray  # (G,) subject
    enrolment: np.ndarray  # (I,) subject of an impostor trial's one side
    probe: np.ndarray  # (I,) and of its other
    n_genuine: np.ndarray  # (R + 1,) genuine trials before point r
    n_impostor: np.ndarray  # (R + 1,) impostor trials before point r
    corners: np.ndarray  # points among which every detection cost has its minimum

    @classmethod
    def of(
        cls, scores: np.ndarray, genuine: np.ndarray, enrolment_subject: np.ndarray, probe_subject: np.ndarray
    ) -> "_Trials":
        arrays = (scores, genuine, enrolment_subject, probe_subject)
        if any(array.shape != scores.shape for array in arrays) or genuine.dtype != bool:
            raise ValueError(
                f"expected four (T,) arrays, genuine bool, got {[(a.shape, str(a.dtype)) for a in arrays]}"
            )
        checked(scores[genuine], scores[~genuine])
        _check_subjects(genuine, enrolment_subject, probe_subject)
        names, index = np.unique(np.concatenate([enrolment_subject, probe_subject]), return_inverse=True)
        order = np.argsort(scores, kind="stable")
        kind = genuine[order]
        enrolment, probe = index[: scores.size][order], index[scores.size :][order]
        ends, has_genuine, has_impostor = _runs(scores[order], kind)
        n_genuine = np.concatenate([[0], np.cumsum(kind)])[ends]
        after_impostor = np.concatenate([[True], has_impostor])
        before_genuine = np.concatenate([has_genuine, [True]])
        return cls(
            n_subjects=len(names),
            genuine=enrolment[kind],
            enrolment=enrolment[~kind],
            probe=probe[~kind],
            n_genuine=n_genuine,
            n_impostor=ends - n_genuine,
            corners=np.flatnonzero(after_impostor & before_genuine),
        )


@dataclass(frozen=True, eq=False)
class _Sums:
    """Weights summed over the trials by ascending score, for the draws of a batch that have both kinds."""

    kept: np.ndarray  # (B,) bool, of whom D are kept
    genuine: np.ndarray  # (D, G + 1) the weight of the first g genuine trials
    impostor: np.ndarray  # (D, I + 1)


def _check_subjects(genuine: np.ndarray, enrolment_subject: np.ndarray, probe_subject: np.ndarray) -> None:
    wrong = np.flatnonzero(genuine != (enrolment_subject == probe_subject))
    if wrong.size:
        first = "genuine between two subjects" if genuine[wrong[0]] else "impostor of one subject"
        raise MmbioError(
            f"trial {wrong[0] + 1}: {first} ({wrong.size} of {genuine.size} trials are at odds with their subjects);"
            " give a trial list and subjects that agree"
        )


def _runs(scores: np.ndarray, genuine: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where runs end (R + 1,), beginning with 0, and whether each (R,) holds genuine and impostor trials."""
    starts = np.flatnonzero(np.concatenate([[True], scores[1:] != scores[:-1]]))
    has_genuine = np.logical_or.reduceat(genuine, starts)
    has_impostor = np.logical_or.reduceat(~genuine, starts)
    same = (has_genuine[1:] == has_genuine[:-1]) & (has_impostor[1:] == has_impostor[:-1])
    mixed = has_genuine[1:] & has_impostor[1:]
    first = np.flatnonzero(np.concatenate([[True], ~same | mixed]))
    return np.append(starts[first], scores.size), has_genuine[first], has_impostor[first]


def _weights(seed: int, draws: int, trials: _Trials) -> Iterator[tuple[slice, np.ndarray]]:
    """How often each subject is drawn, (B, S), batch by batch; the same whatever the batches are."""
    rng = np.random.default_rng(seed)
    n, size = trials.n_subjects, max(1, BATCH // (trials.genuine.size + trials.probe.size))
    for low in range(0, draws, size):
        part = slice(low, min(low + size, draws))
        yield part, rng.multinomial(n, np.full(n, 1 / n), size=part.stop - low)


def _sums(trials: _Trials, weights: np.ndarray) -> _Sums:
    most = max(trials.genuine.size, trials.probe.size) * int(weights.max()) ** 2
    times: np.ndarray = weights.astype(np.int32 if most < 2**31 else np.int64)
    genuine = _cumulated(times.take(trials.genuine, 1))
    impostor = _cumulated(times.take(trials.enrolment, 1) * times.take(trials.probe, 1))
    kept = genuine[:, -1].astype(bool) & impostor[:, -1].astype(bool)
    return _Sums(kept, genuine, impostor) if kept.all() else _Sums(kept, genuine[kept], impostor[kept])


def _cumulated(weights: np.ndarray) -> np.ndarray:
    """Sums (D, N + 1) of the first 0 .. N weights (D, N)."""
    sums = np.zeros((len(weights), weights.shape[1] + 1), weights.dtype)
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums


def _eer(trials: _Trials, sums: _Sums) -> np.ndarray:
    """EERs (D,): bisect for the first point with FNMR >= FMR, then cross on the line to it."""
    rows = np.arange(len(sums.genuine))
    n_genuine, n_impostor = (s[:, -1].astype(np.int64) for s in (sums.genuine, sums.impostor))

    def at(point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Misses, and FNMR - FMR in units of 1 / (n_genuine n_impostor), both exact."""
        misses = sums.genuine[rows, trials.n_genuine[point]].astype(np.int64)
        matches = n_impostor - sums.impostor[rows, trials.n_impostor[point]]
        return misses, misses * n_impostor - matches * n_genuine

    low, high = np.zeros(rows.size, np.intp), np.full(rows.size, len(trials.n_genuine) - 1)
    while (high - low > 1).any():
        middle = (low + high) // 2
        beyond = at(middle)[1] >= 0
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    (misses, below), (misses_beyond, above) = at(low), at(high)
    return np.asarray((misses + (misses_beyond - misses) * (below / (below - above))) / n_genuine)


def _min_dcf(trials: _Trials, sums: _Sums, costs: Sequence[Cost]) -> np.ndarray:
    """minDCFs (D,), the mean over costs."""
    fnmr = sums.genuine.take(trials.n_genuine[trials.corners], 1) / sums.genuine[:, -1:]
    fmr = 1 - sums.impostor.take(trials.n_impostor[trials.corners], 1) / sums.impostor[:, -1:]
    least = [(cost.of_misses * fnmr + cost.of_false_matches * fmr).min(1) for cost in costs]
    return np.asarray(np.minimum(1.0, np.mean(least, axis=0)))
