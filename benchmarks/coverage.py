"""How often do intervals cover the truth?

    OMP_NUM_THREADS=1 python benchmarks/coverage.py [--times 2000] [--processes 2]

Draws subjects, decisions and scores from models whose truth is known, as often as `--times` says, and prints Markdown
tables: how often each interval holds the truth, in %, and in brackets how wide it is on average, in points.
"""

import argparse
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import Pool
from typing import Final, Protocol

import numpy as np

from mmbio.measure.accuracy import accuracy
from mmbio.measure.dcf import DEFAULT
from mmbio.measure.det_band import det_band
from mmbio.measure.intervals import clopper_pearson, of_error_rate, wilson
from mmbio.measure.trial_bootstrap import SortedTrials, Sums, eers, min_dcfs, percentiles, trial_bootstrap

DRAWS: Final = 500  # of a bootstrap of trials; mmbio takes 1,000
TRIAL_DRAWS: Final = 100  # of single trials: only their spread is used
MANY: Final = 10**6  # degrees of freedom where trials are taken for independent
FMRS: Final = np.array([0.001, 0.01, 0.1])
MAIN: Final = (120, 600)  # subjects, and trials of each, of which the design effect is told

Measured = Callable[["Case"], list[dict[str, np.ndarray]]]
Found = dict[str, tuple[float, float, float]]  # method -> low, high, and a figure to average


class Case(Protocol):
    """A model, a size, and the intervals of one sample from it."""

    @property
    def text(self) -> str: ...
    @property
    def truths(self) -> tuple[float, ...]: ...
    def sample(self, seed: int) -> tuple[Found, ...]: ...


@dataclass(frozen=True)
class Decisions:
    """Beta-binomial: each subject has a chance of being decided right of its own."""

    n_subjects: int
    each: int
    accuracy: float
    alike: float  # correlation of two decisions of a subject
    folds: int = 1

    @property
    def text(self) -> str:
        unit = f"{self.n_subjects} subjects x {self.each}" if self.each > 1 else f"{self.n_subjects} independent"
        return f"{unit}{f', {self.folds} folds' if self.folds > 1 else ''} | {100 * self.accuracy:g}"

    @property
    def truths(self) -> tuple[float, ...]:
        return (self.accuracy,)

    def sample(self, seed: int) -> tuple[Found, ...]:
        rng = np.random.default_rng([seed, self.n_subjects, self.each, self.folds, round(1000 * self.accuracy)])
        subjects = np.repeat(np.arange(self.n_subjects), self.each)
        chance = _beta(rng, np.full(self.n_subjects, self.accuracy), self.alike)[subjects]
        if self.folds > 1:  # models that mostly agree on an item
            chance = _beta(rng, chance, 0.5)
        correct = (rng.random((self.folds, subjects.size)) < chance).astype(float)
        found, n = accuracy(correct, subjects, seed), subjects.size
        by_subject = float(found.method == "wilson-by-subject")
        drawn = correct.mean(0).reshape(self.n_subjects, -1).mean(1)
        times = rng.multinomial(self.n_subjects, np.full(self.n_subjects, 1 / self.n_subjects), size=DRAWS)
        n_right = round(found.value * n)
        of: Found = {
            "mmbio": (found.low, found.high, by_subject),
            "percentiles": (*percentiles(times @ drawn / self.n_subjects), 0),
            "Wilson": (*wilson(found.value * n, n), 0),
            "Clopper-Pearson": (*clopper_pearson(n_right, n), 0),
        }
        if self.folds > 1:
            of["Wilson, folds x decisions"] = (*wilson(correct.sum(), correct.size), 0)
        return (of,)


@dataclass(frozen=True)
class Scores:
    """Normal scores: a subject has a genuine mean and a readiness to match others of its own, a pair a likeness."""

    n_subjects: int
    each: int  # trials, half of them genuine
    eer: float
    spread: tuple[float, float, float]  # of genuine means, of readiness, of likeness; one trial has 1
    bands: bool = False

    @property
    def text(self) -> str:
        model = "alike" if self.spread == ALIKE else "different"
        return f"{self.n_subjects} x {self.each}, {model} | {100 * self.eer:g}"

    @property
    def sds(self) -> tuple[float, float]:
        own, ready, like = self.spread
        return math.hypot(1, own), math.sqrt(1 + 2 * ready**2 + like**2)

    @property
    def mean(self) -> float:
        """The genuine mean that gives the EER."""
        from scipy.special import ndtri

        return float(-ndtri(self.eer) * sum(self.sds))

    @property
    def truths(self) -> tuple[float, ...]:
        return _truths(self)

    def sample(self, seed: int) -> tuple[Found, ...]:
        scores, genuine, enrolment, probe = self.drawn(seed)
        if self.bands:
            low, high = det_band(scores, genuine, enrolment, probe, seed, FMRS, DRAWS)
            return tuple({"mmbio": (*ends, 0.0)} for ends in zip(low.tolist(), high.tolist(), strict=True))
        found = trial_bootstrap(scores, genuine, enrolment, probe, seed, draws=DRAWS)
        trials = SortedTrials.of(scores, genuine, enrolment, probe)
        once = _of_sums(trials, _sums(trials, np.ones((1, genuine.size), np.int64)))
        single = _trial_draws(trials, np.random.default_rng([seed, 1]))
        of: list[Found] = []
        for name, drawn in found.draws.items():
            by_trial = of_error_rate(float(once[name][0]), single[name], MANY)
            of.append(
                {
                    "mmbio": (*found.intervals[name], float(np.nanstd(drawn))),
                    "percentiles": (*percentiles(drawn), float(once[name][0])),
                    "single trials": (by_trial[0], min(1.0, by_trial[1]), float(single[name].std())),
                }
            )
        return tuple(of)

    def drawn(self, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Scores, genuine and both subjects of trials."""
        rng = np.random.default_rng([seed, self.n_subjects, self.each, round(10_000 * self.eer)])
        n = self.n_subjects
        own, ready = rng.normal(0, self.spread[0], n), rng.normal(0, self.spread[1], n)
        like = rng.normal(0, self.spread[2], (n, n))
        enrolment = np.repeat(np.arange(n), self.each)
        genuine = np.tile(np.arange(self.each) < self.each // 2, n)
        probe = np.where(genuine, enrolment, (enrolment + rng.integers(1, n, enrolment.size)) % n)
        pair = like[np.minimum(enrolment, probe), np.maximum(enrolment, probe)]
        means = np.where(genuine, self.mean + own[enrolment], ready[enrolment] + ready[probe] + pair)
        return means + rng.normal(size=means.size), genuine, enrolment, probe


ALIKE: Final = (0.6, 0.35, 0.3)
DIFFERENT: Final = (1.2, 0.5, 0.3)
INDEPENDENT: Final = [Decisions(174, 1, share, 0.0) for share in (0.8, 0.95, 0.98)]
CORRELATED: Final = [
    Decisions(*size, share, 0.3, folds)
    for size, folds in (((58, 3), 1), ((120, 3), 1), ((120, 3), 8), ((120, 15), 1))
    for share in (0.8, 0.95, 0.98, 0.99, 0.995)
]
TRIALS: Final = [
    Scores(*MAIN, 0.04, ALIKE),
    *(Scores(120, 120, eer, DIFFERENT) for eer in (0.04, 0.01, 0.002)),
    *(Scores(n, 120, 0.04, DIFFERENT) for n in (58, 30)),
]
BANDS: Final = [Scores(120, 120, 0.04, DIFFERENT, bands=True), Scores(58, 120, 0.04, DIFFERENT, bands=True)]


@cache
def _truths(case: Scores) -> tuple[float, ...]:
    """EER and minDCF, or FNMR at FMRS, of infinitely many subjects."""
    from scipy.special import ndtr, ndtri

    genuine, impostor = case.sds
    if case.bands:
        return tuple(ndtr((-ndtri(FMRS) * impostor - case.mean) / genuine).tolist())
    t = np.linspace(-10, 20, 300_001)
    costs = DEFAULT.of_misses * ndtr((t - case.mean) / genuine) + DEFAULT.of_false_matches * ndtr(-t / impostor)
    return case.eer, min(1.0, float(costs.min()))


def _beta(rng: np.random.Generator, means: np.ndarray, alike: float) -> np.ndarray:
    """Beta variates with means and a variance of `alike` times that of a single decision."""
    if alike == 0:
        return means
    k = 1 / alike - 1
    inner = (means > 0) & (means < 1)
    safe = np.where(inner, means, 0.5)
    return np.where(inner, rng.beta(np.maximum(safe * k, 1e-12), np.maximum((1 - safe) * k, 1e-12)), means)


def _sums(trials: SortedTrials, weights: np.ndarray) -> Sums:
    """The sums of trials that weigh (B, T), genuine ones first."""
    zeros = np.zeros((len(weights), 1), weights.dtype)
    kinds = np.split(weights, [trials.genuine.size], axis=1)
    genuine, impostor = (np.hstack([zeros, np.cumsum(kind, axis=1)]) for kind in kinds)
    return Sums(np.ones(len(weights), bool), genuine, impostor)


def _trial_draws(trials: SortedTrials, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """EER and minDCF on draws of single trials, each kind by itself, as if all were independent."""
    found = []
    for _ in range(TRIAL_DRAWS // 10):
        kinds = []
        for n in (trials.genuine.size, trials.probe.size):
            at = rng.integers(n, size=(10, n)) + n * np.arange(10)[:, None]
            kinds.append(np.bincount(at.ravel(), minlength=10 * n).reshape(10, n))
        found.append(_of_sums(trials, _sums(trials, np.hstack(kinds))))
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def _of_sums(trials: SortedTrials, sums: Sums) -> dict[str, np.ndarray]:
    return {"eer": eers(trials, sums), "min_dcf": min_dcfs(trials, sums, (DEFAULT,))}


def run(case: Case, times: int, pool_map: Callable[..., list[tuple[Found, ...]]]) -> list[dict[str, np.ndarray]]:
    """For each figure of a case: method -> (times, 4): covered, width, the truth above the interval, the figure."""
    samples = pool_map(case.sample, range(times))
    found: list[dict[str, np.ndarray]] = []
    for k, truth in enumerate(case.truths):
        of: dict[str, np.ndarray] = {}
        for method in samples[0][k]:
            low, high, figure = np.array([sample[k][method] for sample in samples]).T
            of[method] = np.stack([(low <= truth) & (truth <= high), high - low, truth > high, figure], axis=1)
        found.append(of)
    return found


def table(head: str, methods: Sequence[str], rows: list[tuple[str, dict[str, np.ndarray], str]]) -> None:
    """Print a row a case: coverage in % (mean width in points) of each method, and what else is to be told."""
    print(f"\n| {head} |\n|{'---|' * (head.count('|') + 1)}")
    for text, of, more in rows:
        cells = [f"{100 * of[m][:, 0].mean():.1f} ({100 * of[m][:, 1].mean():.3g})" if m in of else "" for m in methods]
        print(f"| {text} | {' | '.join(cells)}{more} |", flush=True)


def independent(of: Measured) -> None:
    """Print the table of independent decisions."""
    rows = [(case.text, of(case)[0], "") for case in INDEPENDENT]
    table("decisions | accuracy | Wilson | Clopper-Pearson", ["mmbio", "Clopper-Pearson"], rows)


def correlated(of: Measured) -> None:
    """Print the table of several decisions a subject."""
    rows = []
    for case in CORRELATED:
        found = of(case)[0]
        rows.append((case.text, found, f" | {100 * found['mmbio'][:, 3].mean():.0f}"))
    head = "decisions | accuracy | mmbio | percentiles | Wilson | Wilson, folds x decisions | by subject, %"
    table(head, ["mmbio", "percentiles", "Wilson", "Wilson, folds x decisions"], rows)


def verification(of: Measured) -> None:
    """Print the tables of EER and minDCF, and how spread out subjects and single trials make them."""
    measured = [(case, of(case)) for case in TRIALS]
    for k, (name, truth) in enumerate((("EER", "EER"), ("minDCF", "EER | minDCF x 100"))):
        rows = []
        for case, found in measured:
            by_subject, by_trial = (found[k][m][:, 3].mean() for m in ("mmbio", "single trials"))
            spreads = [100 * sd for sd in (found[k]["percentiles"][:, 3].std(), by_subject, by_trial)]
            more = "".join(f" | {sd:.3f}" for sd in spreads) + f" | {by_subject / by_trial:.1f}"
            rows.append((case.text if k == 0 else f"{case.text} | {100 * case.truths[k]:.1f}", found[k], more))
        head = f"{name}: subjects x trials | {truth} | mmbio | percentiles | single trials"
        head += " | SD of samples | of subject draws | of trial draws | ratio"
        table(head, ["mmbio", "percentiles", "single trials"], rows)


def bands(of: Measured) -> None:
    """Print the table of DET bands."""
    rows = []
    for case in BANDS:
        for fmr, truth, found in zip(FMRS, case.truths, of(case), strict=True):
            rows.append((f"{case.text} | {100 * fmr:g} | {100 * truth:.1f}", found, ""))
    table("DET band: subjects x trials | EER | FMR | FNMR | mmbio", ["mmbio"], rows)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=2000)
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    start = time.perf_counter()
    with Pool(args.processes) as pool:
        for show in (independent, correlated, verification, bands):
            show(partial(run, times=args.times, pool_map=partial(pool.map, chunksize=10)))
    print(f"\n{args.times} times, {args.processes} processes, {time.perf_counter() - start:.0f} s.")


if __name__ == "__main__":
    main()
