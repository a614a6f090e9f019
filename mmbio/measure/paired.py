"""Paired comparison of two systems A and B on the same decisions: exact McNemar, and differences by subject bootstrap.

Differences are B minus A. Both systems get the same draws of subjects, so that what is hard about the subjects
drawn is hard for both and leaves the difference.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from mmbio.errors import MmbioError
from mmbio.measure.calibrated import spent
from mmbio.measure.calibration import BITS, penalties
from mmbio.measure.calibration_bootstrap import mean_draws, min_cllr_draws
from mmbio.measure.dcf import DEFAULT, Cost
from mmbio.measure.intervals import LEVEL, NO_WIDTH
from mmbio.measure.trial_bootstrap import LEAST_SUBJECTS, trial_bootstrap_draws

DRAWS: Final = 1000  # as many as stand behind the interval of a verification figure
LEAST_DRAWS: Final = math.ceil(2 / (1 - LEVEL)) - 1  # of fewer, no draw lies outside a 95 % interval
FEW_SUBJECTS: Final = 10  # of fewer, a bootstrap's interval is too narrow to be believed


class McNemar(NamedTuple):
    """McNemar's exact test of decisions that A and B made on the same items."""

    b: int  # A right, B wrong
    c: int  # A wrong, B right
    p: float


@dataclass(frozen=True)
class Difference:
    """A figure of A and of B, B minus A with its 95 % interval, and the two-sided p of the bootstrap."""

    a: float
    b: float
    value: float
    low: float
    high: float
    p: float
    n_draws: int  # that had both kinds of trials in them

    @property
    def is_told(self) -> bool:
        """True where the interval does not hold 0, which is where p is at most 0.05."""
        return self.low > 0 or self.high < 0

    @property
    def is_nothing(self) -> bool:
        """True where A and B do the same for each subject drawn."""
        return self.low == self.value == self.high == 0


def mcnemar(a_correct: np.ndarray, b_correct: np.ndarray) -> McNemar:
    """Exact McNemar on correctness (N,) bool of two systems: p = min(1, 2 P[Bin(b + c, 1/2) <= min(b, c)]).

    It takes the items as independent; where a subject has several it is too sure, and the subject bootstrap beside
    it is the one to go by. Raises ValueError for unequal lengths and anything but bool.
    """
    from scipy.stats import binom

    if a_correct.shape != b_correct.shape or a_correct.dtype != bool or b_correct.dtype != bool:
        raise ValueError(f"expected two (N,) arrays of bool, got {a_correct.shape} and {b_correct.shape}")
    b, c = int((a_correct & ~b_correct).sum()), int((~a_correct & b_correct).sum())
    return McNemar(b, c, min(1.0, 2 * float(binom.cdf(min(b, c), b + c, 0.5))))


def right_by_most(correct: np.ndarray) -> np.ndarray:
    """(N,) bool: right by more than half of the fold models that test an item; correctness (K, N), NaN for the others.

    McNemar needs one decision an item, where K fold models make K.
    """
    return np.asarray(np.nanmean(correct, axis=0) > 0.5)


def accuracy_draws(correct: np.ndarray, subjects: np.ndarray, seed: int, draws: int = DRAWS) -> np.ndarray:
    """The accuracy on each draw of subjects (draws,); correct (N,) in [0, 1], averaged over folds, subjects (N,) int.

    Two systems tested on the same subjects get the same draws from one seed. Raises MmbioError for a single subject.
    """
    names, index = np.unique(subjects, return_inverse=True)
    check_subjects(len(names), 2)
    totals, counts = np.bincount(index, weights=correct), np.bincount(index)
    n = len(names)
    times = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws)  # (draws, S)
    return np.asarray((times @ totals) / (times @ counts))


def score_draws(
    scores: np.ndarray,
    genuine: np.ndarray,
    subjects: tuple[np.ndarray, np.ndarray],
    seed: int,
    costs: Sequence[Cost] = (DEFAULT,),
    draws: int = DRAWS,
    llr: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """`eer` and `min_dcf` on each draw of subjects (draws,), and of `llr` also `cllr`, `min_cllr` and `act_dcf`.

    scores (T,), genuine (T,) bool, the subjects (T,) of enrolments and probes, llr (T,) in nats;
    drawn as `trial_bootstrap_draws` does. Raises MmbioError for fewer than three subjects, of
    whom each draw with both kinds of trials would be the same.
    """
    check_subjects(len(np.unique(np.concatenate(subjects))), LEAST_SUBJECTS)
    found = trial_bootstrap_draws(scores, genuine, *subjects, seed, costs=costs, draws=draws)
    if llr is not None:
        costs_of = {"cllr": penalties(llr, genuine) / BITS, "act_dcf": spent(llr, genuine, costs)}
        found |= mean_draws(costs_of, genuine, *subjects, seed, draws)
        found["min_cllr"] = min_cllr_draws(scores, genuine, *subjects, seed, draws)
    return found


def difference(a: float, b: float, a_draws: np.ndarray, b_draws: np.ndarray) -> Difference:
    """B minus A from their figures and their draws (draws,), NaN for a draw that was left out.

    p = min(1, 2 (1 + least) / (1 + draws)), `least` being the number of draws at or below 0 or of those at or above 0,
    whichever is less. The interval's ends are the draws between which p > 0.05, so that it holds 0 where p says so.
    Raises ValueError for unequal lengths and for too few draws to have a 95 % interval, MmbioError where
    all were left out.
    """
    if a_draws.shape != b_draws.shape or len(a_draws) < LEAST_DRAWS:
        raise ValueError(f"expected as many draws of A as of B, at least {LEAST_DRAWS}, got {a_draws.shape}")
    apart = b_draws - a_draws
    apart = np.sort(_mended(apart[~np.isnan(apart)]))
    if apart.size < LEAST_DRAWS:
        raise MmbioError(
            f"{apart.size} of {a_draws.size} draws of subjects have both kinds of trials, too few for an interval;"
            " compare on trials between more subjects"
        )
    least = min(int((apart <= 0).sum()), int((apart >= 0).sum()))
    outside = int((1 - LEVEL) / 2 * (apart.size + 1) + NO_WIDTH)
    return Difference(
        a=a,
        b=b,
        value=float(_mended(np.array(b - a))),
        low=float(apart[outside - 1]),
        high=float(apart[-outside]),
        p=min(1.0, 2 * (1 + least) / (1 + apart.size)),
        n_draws=int(apart.size),
    )


def check_subjects(n_subjects: int, least: int) -> None:
    """Refuse so few subjects that a bootstrap over them says nothing; raises MmbioError."""
    if n_subjects < least:
        raise MmbioError(
            f"{n_subjects} subject{'s' if n_subjects > 1 else ''} in the test, where a bootstrap over subjects needs at"
            f" least {least}; compare results on more"
        )


def _mended(differences: np.ndarray) -> np.ndarray:
    """Rounding is no difference."""
    return np.where(np.abs(differences) < NO_WIDTH, 0.0, differences)
