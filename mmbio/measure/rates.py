"""Error rates of verification scores: operating points, the EER in four conventions, DET points.

Score higher = more alike; accept where score >= t. FNMR(t) = #{genuine < t} / n_genuine and
FMR(t) = #{impostor >= t} / n_impostor, at distinct scores only and at +inf: equal scores are one
step, and the end points (FMR, FNMR) = (1, 0) and (0, 1) are both there.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from mmbio.errors import MmbioError
from mmbio.measure.least_cost import least_cost

DET_POINTS: Final = 1000
APART: Final = 1 << 18  # scores of each kind from which on both kinds are sorted at once
Counts = tuple[int, int]  # misses and false matches, as Python integers, which never overflow


@dataclass(frozen=True, eq=False)
class Points:
    """The operating points of a system: its scores in order, which answer for a point, or for all when asked."""

    genuine: np.ndarray  # (G,) ascending, float32 or float64
    impostor: np.ndarray  # (I,) ascending, in the same dtype

    @property
    def n_genuine(self) -> int:
        return self.genuine.size

    @property
    def n_impostor(self) -> int:
        return self.impostor.size

    @cached_property
    def thresholds(self) -> np.ndarray:
        """Distinct scores of both kinds (K + 1,), ascending, in their dtype, then +inf."""
        merged = np.concatenate([self.genuine, self.impostor, np.array([np.inf], self.genuine.dtype)])
        merged.sort()
        return np.asarray(merged[np.append(True, merged[1:] != merged[:-1])])

    @cached_property
    def misses(self) -> np.ndarray:
        """How many genuine scores lie below each threshold (K + 1,) int64."""
        return self.genuine.searchsorted(self.thresholds).astype(np.int64, copy=False)

    @cached_property
    def false_matches(self) -> np.ndarray:
        """How many impostor scores do not lie below each threshold (K + 1,) int64."""
        below = self.impostor.searchsorted(self.thresholds).astype(np.int64, copy=False)
        return np.subtract(self.n_impostor, below, out=below)

    @property
    def fnmr(self) -> np.ndarray:
        """False non-match rates (K + 1,), ascending from 0 to 1."""
        return np.asarray(self.misses / self.n_genuine)

    @property
    def fmr(self) -> np.ndarray:
        """False match rates (K + 1,), descending from 1 to 0."""
        return np.asarray(self.false_matches / self.n_impostor)

    def at(self, threshold: np.floating) -> Counts:
        """Misses and false matches at a threshold of the scores' dtype, without a look at the others."""
        below = self.impostor.searchsorted(threshold)
        return int(self.genuine.searchsorted(threshold)), self.n_impostor - int(below)

    def cheapest(self, miss: float, false_match: float, start: int = 0, stop: int | None = None) -> Counts:
        """The point of `least_cost`, of those with `start` to `stop` misses (all there are)."""
        last = self.n_genuine if stop is None else stop
        return least_cost(self.genuine, self.impostor, miss, false_match, start, last)


def checked(genuine: ArrayLike, impostor: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Scores of both classes, each (N,), in one dtype: float32 or float64 as given, anything else as float64.

    Raises MmbioError for NaN scores, for infinite ones (which no threshold but themselves can part)
    and where a class is empty, naming how many; ValueError for float32 beside float64, in which
    equal scores would no longer be ties.
    """
    both = _of_one_dtype(genuine, impostor)
    if not all(np.isfinite(scores).all() for scores in both):
        raise _not_finite(*both)
    return both


def points(genuine: ArrayLike, impostor: ArrayLike) -> Points:
    """Operating points of genuine (N,) and impostor (M,) scores, in O(n log n); raises as `checked` does."""
    found = Points(*_ascending(*_of_one_dtype(genuine, impostor)))
    ends = [scores[k] for scores in (found.genuine, found.impostor) for k in (0, -1)]
    if not np.isfinite(ends).all():  # infinite scores come first or last, NaN last
        raise _not_finite(found.genuine, found.impostor)
    return found


def det(points: Points, n: int = DET_POINTS) -> tuple[np.ndarray, np.ndarray]:
    """At most n operating points for a plot, as (fmr, fnmr): all where they are few, else spread by log odds.

    FMR descends and FNMR ascends; the end points (1, 0) and (0, 1) are kept. Raises ValueError for n < 2.
    """
    if n < 2:
        raise ValueError(f"expected n >= 2 points, got {n}")
    distinct = [1 + np.count_nonzero(scores[1:] != scores[:-1]) for scores in (points.genuine, points.impostor)]
    if max(distinct) < n and len(points.thresholds) <= n:
        return points.fmr, points.fnmr
    each = (n - 2) // 2
    by_misses = _least_with(points, points.genuine, _spread(points.n_genuine, each))
    by_matches = _least_with(points, points.impostor, points.n_impostor - _spread(points.n_impostor, each))
    ends = _least_with(points, points.genuine, np.array([0])), [np.inf]
    kept = np.unique(np.concatenate([by_misses, by_matches, *ends]).astype(points.genuine.dtype))
    matches = points.n_impostor - points.impostor.searchsorted(kept)
    return matches / points.n_impostor, points.genuine.searchsorted(kept) / points.n_genuine


def eer(points: Points, convention: str = "linear") -> float:
    """The equal error rate, as a fraction, in one of CONVENTIONS.

    On genuine .08 .19 .34 and impostor .13 .26: `linear` .5, the crossing of the two adjacent
    operating points (NIST-derived tools, WeSpeaker); `rocch` .4, on the ROC convex hull (BOSARIS, PYLLR);
    `nearest-mean` .583 (torchmetrics, SpeechBrain) and `nearest-max` .667 (voxceleb_trainer), at the
    point where the rates differ least, the higher threshold of two.
    """
    return CONVENTIONS[convention](points)


def _linear(points: Points) -> float:
    return _equal_on_line(points, *_crossing(points))


def _rocch(points: Points) -> float:
    """Narrow down the edge of the hull that crosses FNMR = FMR: the point farthest below it replaces an end."""
    left, right = (0, points.n_impostor), (points.n_genuine, 0)
    while True:
        fall, rise = left[1] - right[1], right[0] - left[0]
        found = points.cheapest(fall, rise, left[0], right[0])
        if fall * found[0] + rise * found[1] >= fall * left[0] + rise * left[1]:
            return _equal_on_line(points, left, right)
        left, right = (found, right) if _gap(points, found) < 0 else (left, found)


def _nearest_mean(points: Points) -> float:
    miss, match = _nearest(points)
    n, m = points.n_genuine, points.n_impostor
    return (miss * m + match * n) / (2 * n * m)


def _nearest_max(points: Points) -> float:
    miss, match = _nearest(points)
    return max(miss / points.n_genuine, match / points.n_impostor)


CONVENTIONS: Final[Mapping[str, Callable[[Points], float]]] = MappingProxyType(
    {"linear": _linear, "rocch": _rocch, "nearest-mean": _nearest_mean, "nearest-max": _nearest_max}
)


def _of_one_dtype(genuine: ArrayLike, impostor: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    both = _floats(genuine), _floats(impostor)
    if both[0].dtype != both[1].dtype:
        raise ValueError(f"expected scores of one dtype, got {both[0].dtype} genuine and {both[1].dtype} impostor")
    if not all(scores.size for scores in both):
        raise MmbioError(f"{_sizes(*both)}: expected at least one of each kind; give a trial list with both")
    return both


def _not_finite(*both: np.ndarray) -> MmbioError:
    n_nan, n_inf = (sum(int(np.count_nonzero(test(scores))) for scores in both) for test in (np.isnan, np.isinf))
    return MmbioError(
        f"{n_nan} NaN and {n_inf} infinite scores in {_sizes(*both)}: expected finite scores; mend them or leave them"
        " out"
    )


def _sizes(genuine: np.ndarray, impostor: np.ndarray) -> str:
    return f"{genuine.size} genuine and {impostor.size} impostor trials"


def _ascending(genuine: np.ndarray, impostor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sorted copies of both kinds, made on two threads where that pays (numpy sorts without Python's lock)."""
    if min(genuine.size, impostor.size) < APART:
        return np.sort(genuine), np.sort(impostor)
    with ThreadPoolExecutor(1) as other:
        of_genuine = other.submit(np.sort, genuine)
        of_impostor = np.sort(impostor)
        return of_genuine.result(), of_impostor


def _floats(scores: ArrayLike) -> np.ndarray:
    array = np.asarray(scores)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    if array.ndim != 1:
        raise ValueError(f"expected scores of shape (N,), got {array.shape}")
    return array


def _spread(n: int, size: int) -> np.ndarray:
    """`size` counts from 0 to n, equally far apart in the log odds of their rates."""
    limit = np.log(2.0 * n)
    return np.round(n / (1 + np.exp(-np.linspace(-limit, limit, size)))).astype(np.int64)


def _least_with(points: Points, scores: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The lowest thresholds that have at least so many of these scores below them."""
    floors = np.where(counts > 0, scores.take(counts - 1, mode="wrap"), -np.inf).astype(scores.dtype, copy=False)
    found = np.full(counts.shape, np.inf, scores.dtype)
    for kind in (points.genuine, points.impostor):
        above = kind.searchsorted(floors, side="right")
        there = above < kind.size
        found[there] = np.minimum(found[there], kind[above[there]])
    return found


def _gap(points: Points, counts: Counts) -> int:
    """FNMR - FMR at a point, in units of 1 / (n_genuine n_impostor): ascends strictly with the threshold."""
    return counts[0] * points.n_impostor - counts[1] * points.n_genuine


def _crossing(points: Points) -> tuple[Counts, Counts]:
    """The last point with FNMR < FMR and the next, the first with FNMR >= FMR."""
    kinds = points.genuine, points.impostor
    firsts = [bisect_left(scores, 0, key=lambda threshold: _gap(points, points.at(threshold))) for scores in kinds]
    reached = [scores[k] for scores, k in zip(kinds, firsts, strict=True) if k < scores.size]
    passed = [scores[k - 1] for scores, k in zip(kinds, firsts, strict=True) if k]
    return points.at(max(passed)), points.at(min(reached, default=points.genuine.dtype.type(np.inf)))


def _nearest(points: Points) -> Counts:
    """The point where the rates differ least; the higher threshold of two."""
    before, after = _crossing(points)
    return after if _gap(points, after) <= -_gap(points, before) else before


def _equal_on_line(points: Points, left: Counts, right: Counts) -> float:
    """The rate at which the line between two points crosses FNMR = FMR, rounded once."""
    below, above = _gap(points, left), _gap(points, right)
    return (left[0] * above - right[0] * below) / ((above - below) * points.n_genuine)
