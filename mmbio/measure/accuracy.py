"""Accuracy of decisions, per fold and as the mean over folds on distinct items."""

from dataclasses import dataclass

import numpy as np

from mmbio.measure.intervals import of_accuracy


@dataclass(frozen=True)
class Accuracy:
    """A mean over distinct items, its interval, and the accuracy of each fold."""

    value: float
    low: float  # NaN where there is no interval
    high: float
    n: int  # distinct items: never folds x items
    folds: tuple[float, ...]
    method: str  # of the interval, or why there is none


def correctness(posteriors: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Correctness (K, N) in {0, 1} of K fold models' posteriors (K, N, C), NaN where a fold does not test an item."""
    untested = np.isnan(posteriors).all(2)
    decided = np.where(untested, -1, np.nan_to_num(posteriors, nan=-1.0).argmax(2))
    return np.where(untested, np.nan, decided == truth)


def accuracy(correct: np.ndarray, subjects: np.ndarray, seed: int) -> Accuracy:
    """Accuracy from correctness (K, N) of K fold models on N items, NaN where a fold does not test an item.

    Each item counts once, with its correctness averaged over the folds that test it; the interval is
    that of `intervals.of_accuracy` with subjects (N,).
    """
    tested = ~np.isnan(correct).all(0)
    per_item = np.nanmean(correct[:, tested], axis=0)
    found = of_accuracy(per_item, subjects[tested], seed)
    folds = tuple(float(np.nanmean(row)) for row in correct)
    return Accuracy(float(per_item.mean()), found.low, found.high, int(tested.sum()), folds, found.method)


def majority(labels: np.ndarray) -> float:
    """The accuracy of always answering the most frequent label."""
    return float(np.bincount(labels).max() / len(labels))
