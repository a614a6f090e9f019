"""Error rates of verification scores: operating points, the EER in four conventions, DET points.

Score higher = more alike; accept where score >= t. FNMR(t) = #{genuine < t} / n_genuine and
FMR(t) = #{impostor >= t} / n_impostor, at distinct scores only and at +inf: equal scores are one
step, and the end points (FMR, FNMR) = (1, 0) and (0, 1) are both there.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import neg
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from mmbio.errors import MmbioError

CHUNK: Final = 1 << 20  # operating points looked at in one go: keeps temporary arrays small
DET_POINTS: Final = 1000


@dataclass(frozen=True, eq=False)
class Points:
    """The operating points of a system, as counts, by ascending threshold."""

    thresholds: np.ndarray  # (K + 1,) in the scores' own float32 or float64: distinct scores, then +inf
    misses: np.ndarray  # (K + 1,) int64: genuine < t
    false_matches: np.ndarray  # (K + 1,) int64: impostor >= t
    n_genuine: int
    n_impostor: int

    @property
    def fnmr(self) -> np.ndarray:
        """False non-match rates (K + 1,), ascending from 0 to 1."""
        return np.asarray(self.misses / self.n_genuine)

    @property
    def fmr(self) -> np.ndarray:
        """False match rates (K + 1,), descending from 1 to 0."""
        return np.asarray(self.false_matches / self.n_impostor)

    def cheapest(self, miss: float, false_match: float, start: int = 0, stop: int | None = None) -> int:
        """The first index in [start, stop) with the least miss * misses + false_match * false_matches."""
        stop = len(self.misses) if stop is None else stop
        found, least = start, np.inf
        for low in range(start, stop, CHUNK):
            part = slice(low, min(low + CHUNK, stop))
            costs = miss * self.misses[part] + false_match * self.false_matches[part]
            k = int(costs.argmin())
            if costs[k] < least:
                found, least = low + k, costs[k]
        return found


def checked(genuine: ArrayLike, impostor: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Scores of both classes, each (N,), in one dtype: float32 or float64 as given, anything else as float64.

    Raises MmbioError for NaN scores, for infinite ones (which no threshold but themselves can part)
    and where a class is empty, naming how many; ValueError for float32 beside float64, in which
    equal scores would no longer be ties.
    """
    both = [_floats(genuine), _floats(impostor)]
    if both[0].dtype != both[1].dtype:
        raise ValueError(f"expected scores of one dtype, got {both[0].dtype} genuine and {both[1].dtype} impostor")
    counts = f"{both[0].size} genuine and {both[1].size} impostor trials"
    if not all(scores.size for scores in both):
        raise MmbioError(f"{counts}: expected at least one of each kind; give a trial list with both")
    if not all(np.isfinite(scores).all() for scores in both):
        n_nan, n_inf = (sum(int(np.count_nonzero(test(scores))) for scores in both) for test in (np.isnan, np.isinf))
        raise MmbioError(
            f"{n_nan} NaN and {n_inf} infinite scores in {counts}: expected finite scores; mend them or leave them out"
        )
    return both[0], both[1]


def points(genuine: ArrayLike, impostor: ArrayLike) -> Points:
    """Operating points of genuine (N,) and impostor (M,) scores, in O(n log n); raises as `checked` does."""
    genuine, impostor = checked(genuine, impostor)
    thresholds = _distinct(genuine, impostor)
    misses = _below(genuine, thresholds)
    false_matches = _below(impostor, thresholds)
    np.subtract(impostor.size, false_matches, out=false_matches)
    return Points(thresholds, misses, false_matches, genuine.size, impostor.size)


def det(points: Points, n: int = DET_POINTS) -> tuple[np.ndarray, np.ndarray]:
    """At most n operating points for a plot, as (fmr, fnmr): all where they are few, else spread by log odds.

    FMR descends and FNMR ascends; the end points (1, 0) and (0, 1) are kept. Raises ValueError for n < 2.
    """
    if n < 2:
        raise ValueError(f"expected n >= 2 points, got {n}")
    last = len(points.misses) - 1
    if last < n:
        return points.fmr, points.fnmr
    each = (n - 2) // 2
    by_misses = np.searchsorted(points.misses, _spread(points.n_genuine, each))
    by_matches = [bisect_left(points.false_matches, -c, key=neg) for c in _spread(points.n_impostor, each)]
    kept = np.unique(np.concatenate([by_misses, np.array([*by_matches, 0, last], np.intp)]))
    return points.false_matches[kept] / points.n_impostor, points.misses[kept] / points.n_genuine


def eer(points: Points, convention: str = "linear") -> float:
    """The equal error rate, as a fraction, in one of CONVENTIONS.

    On genuine .08 .19 .34 and impostor .13 .26: `linear` .5, the crossing of the two adjacent
    operating points (NIST-derived tools, WeSpeaker); `rocch` .4, on the ROC convex hull (BOSARIS, PYLLR);
    `nearest-mean` .583 (torchmetrics, SpeechBrain) and `nearest-max` .667 (voxceleb_trainer), at the
    point where the rates differ least, the higher threshold of two.
    """
    return CONVENTIONS[convention](points)


def _linear(points: Points) -> float:
    k = _crossing(points)
    return _equal_on_line(points, k - 1, k)


def _rocch(points: Points) -> float:
    """Narrow down the edge of the hull that crosses FNMR = FMR: the point farthest below it replaces an end."""
    left, right = 0, len(points.misses) - 1
    while True:
        (miss_l, match_l), (miss_r, match_r) = _counts(points, left), _counts(points, right)
        fall, rise = match_l - match_r, miss_r - miss_l
        k = points.cheapest(fall, rise, left, right + 1)
        miss, match = _counts(points, k)
        if fall * miss + rise * match >= fall * miss_l + rise * match_l:
            return _equal_on_line(points, left, right)
        left, right = (k, right) if _gap(points, k) < 0 else (left, k)


def _nearest_mean(points: Points) -> float:
    miss, match = _counts(points, _nearest(points))
    n, m = points.n_genuine, points.n_impostor
    return (miss * m + match * n) / (2 * n * m)


def _nearest_max(points: Points) -> float:
    miss, match = _counts(points, _nearest(points))
    return max(miss / points.n_genuine, match / points.n_impostor)


CONVENTIONS: Final[Mapping[str, Callable[[Points], float]]] = MappingProxyType(
    {"linear": _linear, "rocch": _rocch, "nearest-mean": _nearest_mean, "nearest-max": _nearest_max}
)


def _floats(scores: ArrayLike) -> np.ndarray:
    array = np.asarray(scores)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    if array.ndim != 1:
        raise ValueError(f"expected scores of shape (N,), got {array.shape}")
    return array


def _distinct(genuine: np.ndarray, impostor: np.ndarray) -> np.ndarray:
    """Distinct scores of both classes, ascending, then +inf."""
    merged = np.concatenate([genuine, impostor, np.array([np.inf], genuine.dtype)])
    merged.sort()
    new = np.ones(merged.size, bool)
    np.not_equal(merged[1:], merged[:-1], out=new[1:])
    return np.asarray(merged[new])


def _below(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """How many scores lie below each threshold."""
    return np.sort(scores).searchsorted(thresholds, side="left").astype(np.int64, copy=False)


def _spread(n: int, size: int) -> np.ndarray:
    """`size` counts from 0 to n, equally far apart in the log odds of their rates."""
    limit = np.log(2.0 * n)
    return np.round(n / (1 + np.exp(-np.linspace(-limit, limit, size)))).astype(np.int64)


def _counts(points: Points, k: int) -> tuple[int, int]:
    """Misses and false matches at a point, as Python integers, which never overflow."""
    return int(points.misses[k]), int(points.false_matches[k])


def _gap(points: Points, k: int) -> int:
    """FNMR - FMR at a point, in units of 1 / (n_genuine n_impostor): ascends strictly with k."""
    miss, match = _counts(points, k)
    return miss * points.n_impostor - match * points.n_genuine


def _crossing(points: Points) -> int:
    """The first point with FNMR >= FMR; never the point 0."""
    return bisect_left(range(len(points.misses)), 0, key=lambda k: _gap(points, k))


def _nearest(points: Points) -> int:
    """The point where the rates differ least; the higher threshold of two."""
    k = _crossing(points)
    return k if _gap(points, k) <= -_gap(points, k - 1) else k - 1


def _equal_on_line(points: Points, left: int, right: int) -> float:
    """The rate at which the line between two points crosses FNMR = FMR, rounded once."""
    below, above = _gap(points, left), _gap(points, right)
    miss_l, miss_r = _counts(points, left)[0], _counts(points, right)[0]
    return (miss_l * above - miss_r * below) / ((above - below) * points.n_genuine)
