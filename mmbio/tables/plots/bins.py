"""Bins of a reliability diagram: as many decisions in each, with intervals that draw subjects."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mmbio.measure.intervals import LEVEL

BINS: Final = 10
LEAST: Final = 30  # decisions a bin, or there are fewer bins
DRAWS: Final = 200


@dataclass(frozen=True, eq=False)
class Bins:
    """Each bin's mean confidence, share of right decisions and its interval, and count, (B,) each."""

    confidence: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: np.ndarray

    @property
    def gap(self) -> float:
        """The expected calibration error: mean over decisions of how far their bin's confidence is from its share."""
        return float(np.average(np.abs(self.confidence - self.share), weights=self.n))


def equal_mass(confidence: np.ndarray, right: np.ndarray, subjects: np.ndarray, seed: int, draws: int = DRAWS) -> Bins:
    """Bins of decisions with confidence (N,) in [0, 1] that are right (N,) bool or not.

    subjects (N, 2) int: both sides of a trial, or one subject twice. Equal confidences are in one bin, so bins
    may be fewer and differ. A drawn decision weighs as in `trial_bootstrap`: w_i, or w_i w_j between two subjects.
    Raises ValueError for no decisions and for confidences outside [0, 1].
    """
    if not len(confidence) or not ((confidence >= 0) & (confidence <= 1)).all():
        raise ValueError(f"expected N > 0 confidences in [0, 1], got {len(confidence)}")
    wanted = min(BINS, max(1, len(confidence) // LEAST))
    edges = np.unique(np.quantile(confidence, np.arange(1, wanted) / wanted, method="higher"))
    _, index, n = np.unique(np.searchsorted(edges, confidence, side="right"), return_inverse=True, return_counts=True)
    low, high = _intervals(index, right, subjects, seed, draws)
    return Bins(np.bincount(index, confidence) / n, np.bincount(index, right) / n, low, high, n)


def _intervals(
    index: np.ndarray, right: np.ndarray, subjects: np.ndarray, seed: int, draws: int
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile intervals (B,) of the bins' shares, nan where no draw has any of a bin."""
    names, sides = np.unique(subjects, return_inverse=True)
    first, second = sides.reshape(subjects.shape).T
    same, size = first == second, int(index.max()) + 1
    rng = np.random.default_rng(seed)
    shares = np.full((draws, size), np.nan)
    for draw, times in enumerate(rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)):
        weights = times[first] * np.where(same, 1, times[second])
        total = np.bincount(index, weights, size)
        there = total > 0
        shares[draw, there] = np.bincount(index, weights * right, size)[there] / total[there]
    ends = np.full((2, size), np.nan)
    seen = ~np.isnan(shares).all(0)
    ends[:, seen] = np.nanquantile(shares[:, seen], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return ends[0], ends[1]
