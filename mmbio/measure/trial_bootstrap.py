"""The subject bootstrap of verification figures: EER (linear) and minDCF.

Subjects are drawn with replacement; with w_i how often subject i was drawn, a genuine trial of i
weighs w_i and an impostor trial between i and j weighs w_i w_j. Trials of one subject are not
independent: drawing trials instead gives intervals several times too narrow.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mmbio.errors import MmbioError
from mmbio.measure.dcf import DEFAULT, Cost
from mmbio.measure.intervals import (
    DRAWS,
    LEVEL,
    NO_WIDTH,
    SUBJECT_BOOTSTRAP,
    WILSON_BY_SUBJECT,
    Interval,
    of_error_rate,
    wilson,
)
from mmbio.measure.least_cost import least_costs
from mmbio.measure.rates import checked
from mmbio.measure.runs import Runs, runs_of

STATISTICS: Final = ("eer", "min_dcf")
BATCH: Final = 1 << 21  # trials x draws worked on at once: a few tens of MB
LEAST_DRAWS: Final = 8  # at once, however long the list: one look at a run then serves them all
LEAST_SUBJECTS: Final = 3  # of two, a draw that keeps both kinds of trials is always the two
NO_ERRORS: Final = 0.1  # as many draws without errors tell that all errors are those of one or two subjects
TOO_FEW: Final = "none: fewer than 3 subjects"
NO_DRAWS: Final = "none: no draw of subjects has both kinds of trials"


@dataclass(frozen=True, eq=False)
class TrialBootstrap:
    """95 % intervals, the draws behind them, and how many draws were left out."""

    intervals: dict[str, tuple[float, float]]  # statistic -> (low, high), NaN where there is none
    methods: dict[str, str]  # statistic -> how its interval came about, or why there is none
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
) -> TrialBootstrap:
    """Intervals of statistics over draws of subjects; arguments and errors as `trial_bootstrap_draws`.

    `subject-bootstrap`: see `intervals.of_error_rate`. Where a tenth of the draws or more part without an error,
    errors are those of one or two subjects, and the interval is `wilson-by-subject` (see `_by_subject`).
    Of two subjects, and where all draws were left out, there is none: NaN, and the method says why.
    """
    trials = SortedTrials.of(scores, genuine, enrolment_subject, probe_subject)
    drawn = _drawn(trials, seed, statistics, costs, draws)
    whole = sums_of(trials, np.ones((1, trials.n_subjects), np.int64))
    values = {name: float(value[0]) for name, value in _statistics(trials, whole, drawn, costs).items()}
    found = {name: _interval(name, values[name], drawn[name], trials, costs) for name in drawn}
    return TrialBootstrap(
        intervals={name: (interval.low, interval.high) for name, interval in found.items()},
        methods={name: interval.method for name, interval in found.items()},
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
    trials = SortedTrials.of(scores, genuine, enrolment_subject, probe_subject)
    return _drawn(trials, seed, statistics, costs, draws)


def percentiles(values: np.ndarray, level: float = LEVEL) -> tuple[float, float]:
    """The percentile interval of draws, NaN ones left out; (NaN, NaN) where none is left."""
    kept = values[~np.isnan(values)]
    if not kept.size:
        return float("nan"), float("nan")
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _drawn(
    trials: "SortedTrials", seed: int, statistics: Collection[str], costs: Sequence[Cost], draws: int
) -> dict[str, np.ndarray]:
    unknown = set(statistics) - set(STATISTICS)
    if unknown or not costs:
        raise ValueError(
            f"expected statistics of {STATISTICS} and a cost, got {sorted(unknown)} and {len(costs)} costs"
        )
    found = {name: np.full(draws, np.nan) for name in STATISTICS if name in statistics}
    for part, sums in batches(trials, seed, draws):
        for name, values in _statistics(trials, sums, found, costs).items():
            found[name][part][sums.kept] = values
    return found


def _statistics(
    trials: "SortedTrials", sums: "Sums", names: Collection[str], costs: Sequence[Cost]
) -> dict[str, np.ndarray]:
    """Each statistic (D,) on the draws that are kept."""
    calls = {"eer": lambda: eers(trials, sums), "min_dcf": lambda: min_dcfs(trials, sums, costs)}
    return {name: calls[name]() for name in names}


def _interval(name: str, value: float, values: np.ndarray, trials: "SortedTrials", costs: Sequence[Cost]) -> Interval:
    if trials.n_subjects < LEAST_SUBJECTS:
        return Interval(math.nan, math.nan, TOO_FEW)
    kept = values[~np.isnan(values)]
    if not kept.size:
        return Interval(math.nan, math.nan, NO_DRAWS)
    if name == "eer" and value > 0.5:
        low, high, method = _interval(name, 1 - value, 1 - kept, trials, costs)
        return Interval(1 - high, 1 - low, method)
    if np.mean(kept < NO_WIDTH) >= NO_ERRORS:
        return Interval(*_by_subject(name, value, trials, costs), WILSON_BY_SUBJECT)
    low, high = of_error_rate(value, kept, trials.n_subjects)
    return Interval(low, min(1.0, high), SUBJECT_BOOTSTRAP)


def _by_subject(name: str, value: float, trials: "SortedTrials", costs: Sequence[Cost]) -> tuple[float, float]:
    """The interval of a statistic that none, one or two subjects keep from 0: Wilson's, a subject being one decision.

    There are as many decisions on misses as genuine subjects, and on false matches as there can be pairs without a
    common subject, at most half the subjects. An EER of 0 may then be the larger of both upper ends, a cost of 0 what
    both together cost: were the truth above it, there would be a threshold with an FNMR and
    an FMR above their ends, and scores part only if one of them is never seen there.
    """
    sides = [len(np.unique(side)) for side in (trials.enrolment, trials.probe)]
    n_pairs = min(*sides, len(np.union1d(trials.enrolment, trials.probe)) // 2)
    n_genuine = len(np.unique(trials.genuine))
    if name == "eer":
        n = min(n_genuine, n_pairs)
        return wilson(value * n, n)
    miss, match = wilson(0, n_genuine)[1], wilson(0, n_pairs)[1]
    most = float(np.mean([cost.of_misses * miss + cost.of_false_matches * match for cost in costs]))
    return 0.0, min(1.0, value + most)


@dataclass(frozen=True, eq=False)
class SortedTrials:
    """Trials by ascending score, in runs: a tie group of both kinds, or neighbours all of one kind.

    Between two neighbouring points of a run of one kind only one of the rates changes, so the ends of
    the runs carry the whole curve. Point r lies after the first r runs; subjects are indices into 0 .. S - 1.
    """

    n_subjects: int
    genuine: np.ndarray  # (G,) subject
    enrolment: np.ndarray  # (I,) subject of an impostor trial's one side
    probe: np.ndarray  # (I,) and of its other
    pairs: np.ndarray  # (2, P) two subjects of impostor trials, each pair once
    of_genuine: Runs  # the runs that have genuine trials, whose members are subjects
    of_impostor: Runs  # the runs that have impostor trials, whose members are pairs
    n_genuine: np.ndarray  # (R + 1,) how many of them come before point r
    n_impostor: np.ndarray  # (R + 1,)
    corners: np.ndarray  # points among which every detection cost has its minimum

    @property
    def n_points(self) -> int:
        return len(self.n_genuine)

    @classmethod
    def of(
        cls, scores: np.ndarray, genuine: np.ndarray, enrolment_subject: np.ndarray, probe_subject: np.ndarray
    ) -> "SortedTrials":
        arrays = (scores, genuine, enrolment_subject, probe_subject)
        if any(array.shape != scores.shape for array in arrays) or genuine.dtype != bool:
            raise ValueError(
                f"expected four (T,) arrays, genuine bool, got {[(a.shape, str(a.dtype)) for a in arrays]}"
            )
        checked(scores[genuine], scores[~genuine])
        _check_subjects(genuine, enrolment_subject, probe_subject)
        names, index = np.unique(np.concatenate([enrolment_subject, probe_subject]), return_inverse=True)
        order = np.argsort(scores)
        kind = genuine[order]
        enrolment, probe = index[: scores.size][order], index[scores.size :][order]
        ends, has_genuine, has_impostor = runs_of(scores[order], kind)
        n_genuine = np.concatenate([[0], np.cumsum(kind)])[ends]
        own, one, other = enrolment[kind], enrolment[~kind], probe[~kind]
        pairs, pair = np.unique(np.minimum(one, other) * len(names) + np.maximum(one, other), return_inverse=True)
        of_genuine = Runs.of(own, len(names), n_genuine)
        of_impostor = Runs.of(pair, len(pairs), ends - n_genuine)
        return cls(
            n_subjects=len(names),
            genuine=own,
            enrolment=one,
            probe=other,
            pairs=np.stack(np.divmod(pairs, len(names))),
            of_genuine=of_genuine,
            of_impostor=of_impostor,
            n_genuine=of_genuine.before,
            n_impostor=of_impostor.before,
            corners=np.flatnonzero(np.append(True, has_impostor) & np.append(has_genuine, True)),
        )


@dataclass(frozen=True, eq=False)
class Sums:
    """Weights summed over the runs of each kind by ascending score, for the draws of a batch that have both kinds."""

    kept: np.ndarray  # (B,) bool, of whom D are kept
    genuine: np.ndarray  # (D, G + 1) the weight of the first g runs that have genuine trials
    impostor: np.ndarray  # (D, I + 1) and of the first i that have impostor ones


def batches(trials: SortedTrials, seed: int, draws: int, width: int = 1) -> Iterator[tuple[slice, Sums]]:
    """The sums of draws of subjects, batch by batch; the same draws from one seed whatever the batches are.

    `width`: how many values the caller makes of a draw, where they may be more than the trials.
    """
    rng = np.random.default_rng(seed)
    n, size = trials.n_subjects, max(LEAST_DRAWS, BATCH // max(width, trials.genuine.size + trials.probe.size))
    for low in range(0, draws, size):
        part = slice(low, min(low + size, draws))
        yield part, sums_of(trials, rng.multinomial(n, np.full(n, 1 / n), size=part.stop - low))


def _check_subjects(genuine: np.ndarray, enrolment_subject: np.ndarray, probe_subject: np.ndarray) -> None:
    wrong = np.flatnonzero(genuine != (enrolment_subject == probe_subject))
    if wrong.size:
        first = "genuine between two subjects" if genuine[wrong[0]] else "impostor of one subject"
        raise MmbioError(
            f"trial {wrong[0] + 1}: {first} ({wrong.size} of {genuine.size} trials are at odds with their subjects);"
            " give a trial list and subjects that agree"
        )


def sums_of(trials: SortedTrials, weights: np.ndarray) -> Sums:
    """The sums of trials in which subjects (S,) weigh weights (B, S) int."""
    most = max(trials.genuine.size, trials.probe.size) * int(weights.max()) ** 2
    times = np.ascontiguousarray(weights.T, np.int32 if most < 2**31 else np.int64)
    one, other = trials.pairs
    genuine = trials.of_genuine.cumulated(times)
    impostor = trials.of_impostor.cumulated(times.take(one, 0) * times.take(other, 0))
    kept = genuine[:, -1].astype(bool) & impostor[:, -1].astype(bool)
    return Sums(kept, genuine, impostor) if kept.all() else Sums(kept, genuine[kept], impostor[kept])


def eers(trials: SortedTrials, sums: Sums) -> np.ndarray:
    """EERs (D,): bisect for the first point with FNMR >= FMR, then cross on the line to it."""
    genuine, impostor = trials.of_genuine.by_run(sums.genuine), trials.of_impostor.by_run(sums.impostor)
    rows = np.arange(len(genuine))
    n_genuine, n_impostor = (s[:, -1].astype(np.int64) for s in (genuine, impostor))

    def at(point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Misses, and FNMR - FMR in units of 1 / (n_genuine n_impostor), both exact."""
        misses = genuine[rows, trials.n_genuine[point]].astype(np.int64)
        matches = n_impostor - impostor[rows, trials.n_impostor[point]]
        return misses, misses * n_impostor - matches * n_genuine

    low, high = np.zeros(rows.size, np.intp), np.full(rows.size, trials.n_points - 1)
    while (high - low > 1).any():
        middle = (low + high) // 2
        beyond = at(middle)[1] >= 0
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    (misses, below), (misses_beyond, above) = at(low), at(high)
    return np.asarray((misses + (misses_beyond - misses) * (below / (below - above))) / n_genuine)


def min_dcfs(trials: SortedTrials, sums: Sums, costs: Sequence[Cost]) -> np.ndarray:
    """minDCFs (D,), the mean over costs."""
    genuine, impostor = trials.of_genuine.by_run(sums.genuine), trials.of_impostor.by_run(sums.impostor)

    def rates(corner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """FNMR and FMR (D, C) at corners (C,)."""
        point = trials.corners[corner]
        fnmr = genuine.take(trials.n_genuine[point], 1) / genuine[:, -1:]
        return fnmr, 1 - impostor.take(trials.n_impostor[point], 1) / impostor[:, -1:]

    least = least_costs(rates, len(trials.corners), [(cost.of_misses, cost.of_false_matches) for cost in costs])
    return np.asarray(np.minimum(1.0, np.mean(least, axis=0)))
