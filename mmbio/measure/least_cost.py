"""The operating point at which errors cost least, found without looking at all of them.

Only the thresholds at a genuine score and at +inf need looking at: raise any other to the next of these, and it has
the same misses and no more false matches. From one of them to the next misses rise and false matches fall, so what
lies between two costs no less than the misses of the lower and the false matches of the higher. A stretch where that
is more than the least cost found so far is left out, and the others are divided again (branch and bound). Rounding
keeps order, so the point found is that of a look at every threshold, to the last bit.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

PARTS: Final = 16  # into which a stretch is divided
CHUNK: Final = 1 << 20  # points looked at in one go: keeps temporary arrays small
STEP: Final = 32  # points in a stretch of the curves of draws


def least_cost(
    genuine: np.ndarray, impostor: np.ndarray, miss: float, false_match: float, start: int, stop: int
) -> tuple[int, int]:
    """The point with the least miss * misses + false_match * false_matches, as (misses, false_matches).

    genuine (G,) and impostor (I,) are ascending, in one dtype. Misses lie in [start, stop], 0 <= start <= stop <= G;
    of equal costs the fewest misses win. A few thousand points are looked at where scores are spread as normal ones
    are, all G + 1 at worst: O(G log I).
    """
    least, found = np.inf, (stop, 0)
    width = PARTS
    while width < stop - start:
        width *= PARTS
    waiting = [(np.array([start]), width)]
    while waiting:
        lows, width = waiting.pop()
        width //= PARTS
        misses = np.minimum(lows[:, None] + width * np.arange(PARTS + 1), stop)  # (stretches, PARTS + 1)
        below = impostor.searchsorted(genuine.take(misses, mode="clip"))
        matches = np.where(misses < genuine.size, impostor.size - below, 0)
        costs = miss * misses + false_match * matches
        k = np.unravel_index(costs.argmin(), costs.shape)
        if costs[k] < least or (costs[k] == least and misses[k] < found[0]):
            least, found = costs[k], (int(misses[k]), int(matches[k]))
        if width > 1:
            floor = miss * (misses[:, :-1] + 1) + false_match * matches[:, 1:]
            lows = misses[:, :-1][(floor < least) | ((floor == least) & (misses[:, :-1] < found[0]))]
            waiting += [(lows[at : at + CHUNK // PARTS], width) for at in range(0, len(lows), CHUNK // PARTS)]
    return found


def least_costs(
    rates: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], n: int, weights: Sequence[tuple[float, float]]
) -> list[np.ndarray]:
    """For each (miss, false_match) the least miss * FNMR + false_match * FMR of each of D curves, (D,).

    rates: FNMR and FMR (D, P) at points (P,), indices below n by ascending threshold. Every STEP-th point is looked
    at, then those of the stretches between that may cost less on some curve.
    """
    some = np.append(np.arange(0, n - 1, STEP), n - 1)
    fnmr, fmr = rates(some)
    found = []
    for miss, false_match in weights:
        least = (miss * fnmr + false_match * fmr).min(1)
        floors = miss * fnmr[:, :-1] + false_match * fmr[:, 1:]
        starts = some[:-1][(floors < least[:, None]).any(0)]
        inner = rates(np.minimum(starts[:, None] + np.arange(1, STEP), n - 1).ravel())
        found.append(np.minimum(least, (miss * inner[0] + false_match * inner[1]).min(1, initial=np.inf)))
    return found
