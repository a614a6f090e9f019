"""Calibration: scores -> log-likelihood ratios (LLRs, in nats), and what LLRs cost.

Maps are fitted on dev scores and applied to test scores. They never turn scores around: where more alike counts
as less on dev, LLRs are 0 (of PAV nearly, by Laplace's rule). LLRs have no prior in them: how many trials of
each kind dev happens to have changes nothing.

Cllr = [mean softplus(-genuine) + mean softplus(impostor)] / (2 ln 2): 0 of perfect LLRs, 1 of LLRs that are all 0,
more of misleading ones. min Cllr is that of the best non-decreasing map of these very scores (PAV), so it
tells of discrimination alone, and Cllr - min Cllr is what calibration loses. actDCF is in `dcf`.
"""

import math
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import ArrayLike

from mmbio.measure.rates import checked

GRADIENT: Final = 1e-8  # where the logistic regression stops
BITS: Final = 2 * math.log(2)


@dataclass(frozen=True)
class Affine:
    """LLR = slope * score + offset."""

    slope: float
    offset: float

    @classmethod
    def fit(cls, genuine: ArrayLike, impostor: ArrayLike) -> Self:
        """The affine map of the least Cllr on dev scores, slope >= 0: a logistic regression without a penalty.

        Each kind of trials weighs one half (prior-weighted), so the log odds are LLRs as they are. Scores without
        overlap have no best slope: then, as Platt (1999) does, one of N + 2 trials of each kind counts as
        the other kind. On one thread, whatever is set; raises as `rates.checked` does.
        """
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        kinds = [scores.astype(np.float64) for scores in checked(genuine, impostor)]
        if kinds[0].mean() <= kinds[1].mean():
            return cls(0.0, 0.0)  # where the cost ascends with the slope, and the prior is one half
        scores, sizes = np.concatenate(kinds), [kind.size for kind in kinds]
        centre, spread = float(scores.mean()), float(scores.std())
        parted = kinds[0].min() >= kinds[1].max()
        turned = np.repeat([1 / (n + 2) if parted else 0.0 for n in sizes], sizes)
        share = np.repeat([0.5 / n for n in sizes], sizes)
        labels = np.repeat([True, False], sizes)
        model = LogisticRegression(C=np.inf, tol=GRADIENT, max_iter=1000)
        with threadpool_limits(1):
            model.fit(
                np.tile((scores[:, None] - centre) / spread, (2, 1)),
                np.concatenate([labels, ~labels]),
                sample_weight=np.concatenate([share * (1 - turned), share * turned]),
            )
        slope = float(model.coef_[0, 0]) / spread
        return cls(slope, float(model.intercept_[0]) - slope * centre)

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """The LLRs (N,) float64 of scores (N,)."""
        return np.asarray(self.slope * scores.astype(np.float64) + self.offset)


@dataclass(frozen=True, eq=False)
class Pav:
    """LLR = a step function: a score gets the LLR of the greatest dev score that is not above it."""

    starts: np.ndarray  # (B,) ascending: the least dev score of each step
    llrs: np.ndarray  # (B,) ascending, finite

    @classmethod
    def fit(cls, genuine: ArrayLike, impostor: ArrayLike) -> Self:
        """The non-decreasing map of the least Cllr on dev scores (pool adjacent violators), but for its ends.

        Equal scores are one. As in BOSARIS, Laplace's rule of succession keeps LLRs finite: one more trial
        of each kind below all scores, and above. Scores beyond dev's get the LLR of the outermost
        step. LLR = logit(share of genuine in a step) - ln(n_genuine / n_impostor), the numbers being dev's own.
        Raises as `rates.checked` does.
        """
        genuine, impostor = checked(genuine, impostor)
        scores, of_genuine, of_impostor = _grouped(genuine, impostor)
        padded = [np.concatenate([[1], counts, [1]]) for counts in (of_genuine, of_impostor)]
        first = _blocks(padded[0], padded[1])
        sums = [np.add.reduceat(counts, first) for counts in padded]
        llrs = np.log(sums[0] / genuine.size) - np.log(sums[1] / impostor.size)
        starts = scores[np.minimum(np.maximum(first - 1, 0), scores.size - 1)]
        real = first <= scores.size  # not a step of the added trials above alone
        if real.size > 1 and first[1] == 1:  # nor one of those below alone
            real[0] = False
        return cls(starts[real], llrs[real])

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """The LLRs (N,) float64 of scores (N,)."""
        return np.asarray(self.llrs[np.maximum(np.searchsorted(self.starts, scores, side="right") - 1, 0)])


def cllr(genuine: ArrayLike, impostor: ArrayLike) -> float:
    """Cllr of LLRs (N,) and (M,), in nats; raises as `rates.checked` does."""
    genuine, impostor = checked(genuine, impostor)
    return float((penalties(genuine, True).mean() + penalties(impostor, False).mean()) / BITS)


def penalties(llrs: np.ndarray, genuine: np.ndarray | bool) -> np.ndarray:
    """softplus(-llr) of genuine trials, softplus(llr) of impostor ones, (N,) float64; never an overflow."""
    signed = llrs.astype(np.float64)
    return np.asarray(np.logaddexp(0.0, np.where(genuine, -signed, signed)))


def min_cllr(genuine: ArrayLike, impostor: ArrayLike) -> float:
    """The least Cllr that a non-decreasing map of these scores has: PAV with equal scores pooled.

    LLR = logit(share of genuine in a step) - ln(n_genuine / n_impostor), infinite at ends of one kind, where it
    costs nothing. Raises as `rates.checked` does.
    """
    genuine, impostor = checked(genuine, impostor)
    _, of_genuine, of_impostor = _grouped(genuine, impostor)
    return pooled_cllr(of_genuine, of_impostor)


def pooled_cllr(of_genuine: np.ndarray, of_impostor: np.ndarray) -> float:
    """min Cllr from the weights (K,) int of both kinds at ascending scores; a score may weigh nothing.

    A step with the shares a of all genuine and b of all impostor weight has the LLR ln(a / b) and costs
    a ln(1 + b / a) + b ln(1 + a / b).
    """
    there = (of_genuine + of_impostor) > 0
    of_genuine, of_impostor = of_genuine[there], of_impostor[there]
    first = _blocks(of_genuine, of_impostor)
    a = np.add.reduceat(of_genuine, first) / of_genuine.sum()
    b = np.add.reduceat(of_impostor, first) / of_impostor.sum()
    mixed = (a > 0) & (b > 0)
    a, b = a[mixed], b[mixed]
    return float((a * np.log1p(b / a) + b * np.log1p(a / b)).sum() / BITS)


def reliability(probability: np.ndarray, correct: np.ndarray, bins: int = 10) -> tuple[np.ndarray, ...]:
    """For a reliability diagram: (mean probability, share correct, count), each (B,), B <= bins, of equal-mass bins.

    probability (N,) in [0, 1], correct (N,) bool. Equal probabilities share a bin, so bins differ in size, and
    some may be left out, where there are many of them. Raises ValueError for no items, unequal
    lengths, probabilities outside [0, 1] or NaN, and bins < 1.
    """
    if probability.ndim != 1 or probability.shape != correct.shape or not probability.size or bins < 1:
        raise ValueError(f"expected (N,) twice and bins > 0, got {probability.shape}, {correct.shape} and {bins}")
    if not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError("expected probabilities in [0, 1]")
    _, group, size = np.unique(probability, return_inverse=True, return_counts=True)
    middle = np.cumsum(size) - size / 2  # of each group of equal probabilities, by rank
    number = np.minimum((middle * bins / probability.size).astype(np.int64), bins - 1)[group]
    counts = np.bincount(number, minlength=bins)
    kept = counts > 0
    sums = [np.bincount(number, x.astype(np.float64), bins)[kept] for x in (probability, correct)]
    return sums[0] / counts[kept], sums[1] / counts[kept], counts[kept]


def _grouped(genuine: np.ndarray, impostor: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct scores (K,), ascending, and how many trials of each kind have them, (K,) int64 twice."""
    scores, index = np.unique(np.concatenate([genuine, impostor]), return_inverse=True)
    counts = [np.bincount(part, minlength=scores.size) for part in (index[: genuine.size], index[genuine.size :])]
    return scores, counts[0], counts[1]


def _blocks(of_genuine: np.ndarray, of_impostor: np.ndarray) -> np.ndarray:
    """Where the steps (B,) of the isotonic regression begin; weights (K,) of both kinds, none of them 0 in both."""
    from scipy.optimize import isotonic_regression

    weights = (of_genuine + of_impostor).astype(np.float64)
    return np.asarray(isotonic_regression(of_genuine / weights, weights=weights).blocks[:-1])
