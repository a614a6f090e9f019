"""Score normalisation: a trial's score against what its two sides score with a cohort, people who are in no trial.

    z-norm   (s - m_e) / d_e                  m_e, d_e: of the enrolment's cosines with the cohort
    t-norm   (s - m_p) / d_p                  m_p, d_p: of the probe's
    s-norm   the mean of both
    as-norm  the mean of both, each of the `top` cohort vectors that are most like that side (adaptive symmetric;
             Matejka et al. 2017, Analysis of score normalization in multilingual speaker recognition, AS-norm1)

m is the mean and d the standard deviation, over n and not n - 1, as WeSpeaker has it. Where all cosines are the same,
as those of a vector of zeros are, there is no scale, and d counts as 1. Normalised scores have no fixed range.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Final

import numpy as np

from mmbio.data.spilled import pieces, spilled
from mmbio.embed.settings import threads
from mmbio.errors import MmbioError

NONE: Final = "none"
ADAPTIVE: Final = "as-norm"
SIDES: Final[Mapping[str, tuple[bool, bool]]] = MappingProxyType(  # whether enrolment and probe meet the cohort
    {"z-norm": (True, False), "t-norm": (False, True), "s-norm": (True, True), ADAPTIVE: (True, True)}
)
TOP: Final = 300  # cohort vectors a side, WeSpeaker's choice
ROWS: Final = 256  # vectors at once, filled up with zeros, so that no vector's sums depend on how many there are
COHORT: Final = 2**13  # vectors of the cohort at once
HELD: Final = 2**25  # numbers of the cohort in memory; a larger one goes to a temporary file
FLAT: Final = 1e-7  # a deviation below it is none: cosines of float32 vectors say no more
Moments = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]  # unit vectors (n, D) -> means and deviations (n,)


def check(name: str, top: int, n_cohort: int, what: str) -> None:
    """Refuse a cohort of fewer than two vectors, and a top of more than there are; `what` names the cohort."""
    if n_cohort < 2:
        raise MmbioError(f"--score-norm {name}: a cohort of {n_cohort} ({what}), expected at least 2; give more people")
    if name == ADAPTIVE and top > n_cohort:
        raise MmbioError(f"--top {top}: more than the cohort's {n_cohort} ({what}); give --top {n_cohort} or less")


def normalised(
    scores: np.ndarray,
    vectors_a: np.ndarray,
    vectors_b: np.ndarray,
    rows_a: np.ndarray,
    rows_b: np.ndarray,
    cohort: np.ndarray,
    name: str,
    top: int = TOP,
) -> np.ndarray:
    """The cosines (T,) of rows_a (T,) of vectors_a (N, D) with rows_b (T,) of vectors_b (M, D), normalised by `name`.

    `cohort` is (C, D) with C of at least 2, and `top` from 2 to C; any of the vectors may be memory-mapped.
    """
    if not vectors_a.shape[1] == vectors_b.shape[1] == cohort.shape[1]:
        raise ValueError(f"expected vectors of one dimension, got {vectors_a.shape}, {vectors_b.shape}, {cohort.shape}")
    if len(cohort) < 2 or (name == ADAPTIVE and not 2 <= top <= len(cohort)):
        raise ValueError(f"expected a cohort of at least 2 and a top of 2 to its size, got {len(cohort)} and {top}")
    moments = _of_the_top(cohort, top) if name == ADAPTIVE else _of_all(cohort)
    sides = [side for side, used in zip(((vectors_a, rows_a), (vectors_b, rows_b)), SIDES[name], strict=True) if used]
    if vectors_a is vectors_b:
        found = [_statistics(vectors_a, [rows for _, rows in sides], moments)] * len(sides)
    else:
        found = [_statistics(vectors, [rows], moments) for vectors, rows in sides]
    terms = np.zeros(len(scores))
    for (means, deviations), (_, rows) in zip(found, sides, strict=True):
        terms += (scores - means[rows]) / deviations[rows]
    return terms / len(sides)


def _statistics(vectors: np.ndarray, rows: list[np.ndarray], moments: Moments) -> np.ndarray:
    """Mean and deviation (2, N) of the cosines with the cohort, of the vectors (N, D) that any rows name."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    used = np.zeros(len(vectors), dtype=bool)
    for some in rows:
        used[some] = True
    wanted = np.flatnonzero(used)
    found = np.ones((2, len(vectors)))

    def work(start: int) -> None:
        at = wanted[start : start + ROWS]
        block = np.zeros((ROWS, vectors.shape[1]))
        block[: len(at)] = _units(vectors[at])
        means, deviations = moments(block)
        found[:, at] = means[: len(at)], np.where(deviations < FLAT, 1.0, deviations)[: len(at)]

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads()) as pool:
        list(pool.map(work, range(0, len(wanted), ROWS)))
    return found


def _of_the_top(cohort: np.ndarray, top: int) -> Moments:
    """Of the `top` largest cosines with the cohort."""
    n, dim = cohort.shape
    parts = (_units(cohort[piece]) for piece in pieces(n, dim))
    units = spilled(parts, dim, np.dtype(np.float64)) if n * dim > HELD else np.concatenate([*parts])

    def moments(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        most = np.empty((len(block), 0))
        for start in range(0, n, COHORT):
            cosines = block @ units[start : start + COHORT].T
            most = np.concatenate([most, cosines], axis=1) if start else cosines
            if most.shape[1] > top:
                most.partition(most.shape[1] - top, axis=1)
                most = most[:, -top:]
        return most.mean(1), most.std(1)

    return moments


def _of_all(cohort: np.ndarray) -> Moments:
    """Of the cosines with the whole cohort: they are linear in the vector, so two of the cohort's moments do."""
    n, dim = cohort.shape
    mean, covariance = np.zeros(dim), np.zeros((dim, dim))
    for piece in pieces(n, dim):
        mean += _units(cohort[piece]).sum(0) / n
    for piece in pieces(n, dim):
        away = _units(cohort[piece]) - mean
        covariance += away.T @ away / n

    def moments(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        variances = np.einsum("ij,ij->i", block @ covariance, block)
        return block @ mean, np.sqrt(np.maximum(variances, 0.0))

    return moments


def _units(vectors: np.ndarray) -> np.ndarray:
    """The vectors (n, D) at length 1, in float64; zero stays zero."""
    wide = np.ascontiguousarray(vectors, np.float64)
    norms = np.sqrt(np.einsum("ij,ij->i", wide, wide))[:, None]
    return np.asarray(np.divide(wide, norms, out=np.zeros_like(wide), where=norms > 0))
