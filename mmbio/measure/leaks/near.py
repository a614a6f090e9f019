"""Near-identical vectors of different subjects, found exactly and in bounded memory.

Vectors of frozen networks mostly point one way, so the mean of all is taken off before the cosine. Two unit
vectors of cosine t are sqrt(2 - 2t) apart, and no projection brings them further apart: where there are many
vectors, a tree on a few principal directions finds the pairs that can be near, and only these are compared.
Image vectors are of augmented images: two copies of one image may stay below the threshold.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mmbio.data.spilled import PIECE, pieces

NEAR: Final = 0.999
TOP: Final = 5  # pairs that are shown, of different pairs of subjects
DENSE: Final = 2048  # vectors that are simply all compared
DIRECTIONS: Final = 6  # with more a tree prunes worse than it tells apart
SAMPLE: Final = 500  # vectors that the principal directions are taken from
CANDIDATES: Final = 2_000_000  # pairs that a tree may give
ROUNDING: Final = 1e-6  # of a cosine in float32


@dataclass(frozen=True)
class Near:
    """Pairs of vectors of different subjects with a cosine of at least the threshold."""

    n: int  # vectors compared
    n_pairs: int
    n_items: int  # vectors in any of them
    n_subject_pairs: int
    top: tuple[tuple[float, int, int], ...]  # cosine and two rows, the nearest of each pair of subjects


def near(vectors: np.ndarray, subjects: np.ndarray, threshold: float = NEAR, top: int = TOP) -> Near:
    """The near pairs among vectors (N, ...) of subjects (N,); rows that are not finite or equal the mean are left out.

    Raises ValueError for a threshold outside (0, 1].
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"expected a threshold above 0 and at most 1, got {threshold}")
    flat = np.asarray(vectors, np.float32).reshape(len(vectors), math.prod(vectors.shape[1:]))
    rows = np.flatnonzero(np.isfinite(flat).all(axis=1))
    units, kept = _units(flat[rows])
    rows = rows[kept]
    limit = threshold - ROUNDING
    found = _Found(subjects[rows])
    for first, second, cosine in _near_pairs(units, limit):
        found.add(first, second, cosine)
    best = sorted(found.best.values(), key=lambda pair: (-pair[0], pair[1], pair[2]))[:top]
    shown = tuple((min(1.0, round(cosine, 6)), int(rows[i]), int(rows[j])) for cosine, i, j in best)
    return Near(len(rows), found.n, int(found.touched.sum()), len(found.best), shown)


class _Found:
    """Pairs so far: how many, of which rows, and the nearest of each pair of subjects."""

    def __init__(self, subjects: np.ndarray) -> None:
        self.subjects = np.unique(subjects, return_inverse=True)[1].reshape(-1)
        self.touched = np.zeros(len(subjects), dtype=bool)
        self.n = 0
        self.best: dict[int, tuple[float, int, int]] = {}

    def add(self, first: np.ndarray, second: np.ndarray, cosine: np.ndarray) -> None:
        other = self.subjects[first] != self.subjects[second]
        first, second, cosine = first[other], second[other], cosine[other]
        self.n += len(first)
        self.touched[first] = self.touched[second] = True
        one, two = np.sort([self.subjects[first], self.subjects[second]], axis=0)
        code = one * len(self.touched) + two
        order = np.lexsort((second, first, -cosine, code))
        names, at = np.unique(code[order], return_index=True)
        for name, k in zip(names.tolist(), order[at].tolist(), strict=True):
            pair = (float(cosine[k]), int(first[k]), int(second[k]))
            self.best[name] = max(self.best.get(name, (-1.0, 0, 0)), pair, key=lambda p: p[0])


def _units(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors of what is left without the mean, and which rows have anything left."""
    if not len(flat):
        return flat, np.zeros(0, dtype=np.int64)
    flat -= flat.mean(axis=0, dtype=np.float64).astype(np.float32)
    norms = np.linalg.norm(flat, axis=1)
    kept = np.flatnonzero(norms > 1e-6 * max(1e-30, float(norms.max())))
    return flat[kept] / norms[kept, None], kept


Chunk = tuple[np.ndarray, np.ndarray, np.ndarray]


def _near_pairs(units: np.ndarray, limit: float) -> Iterator[Chunk]:
    """(first, second, cosine) of every pair at or above the limit, first < second."""
    n, dim = units.shape
    candidates = _candidates(units, limit) if n > DENSE else None
    if candidates is None:
        yield from _dense(units, limit)
        return
    for piece in pieces(len(candidates), 2 * dim):
        first, second = candidates[piece].T
        cosine = np.einsum("nd,nd->n", units[first], units[second])
        close = cosine >= limit
        yield first[close], second[close], cosine[close]


def _dense(units: np.ndarray, limit: float) -> Iterator[Chunk]:
    step = max(1, PIECE // max(1, len(units)))
    for start in range(0, len(units), step):
        block = units[start : start + step] @ units[start:].T
        first, second = np.nonzero(block >= limit)
        later = second > first
        first, second = first[later], second[later]
        yield first + start, second + start, block[first, second]


def _candidates(units: np.ndarray, limit: float) -> Any | None:
    """Pairs (P, 2) that are near in their principal directions; None where there would be too many."""
    from scipy.spatial import cKDTree

    step = max(1, len(units) // SAMPLE)
    directions = np.linalg.svd(units[::step][:SAMPLE], full_matrices=False)[2][:DIRECTIONS]
    low = (units @ directions.T).astype(np.float64)
    radius = math.sqrt(max(0.0, 2 - 2 * limit)) + 1e-4
    probes = low[:: max(1, len(low) // 64)]
    share = np.mean([(np.square(low - probe).sum(axis=1) <= radius**2).mean() for probe in probes]) - 1 / len(low)
    if share * len(low) ** 2 / 2 > CANDIDATES:
        return None
    return cKDTree(low).query_pairs(radius, output_type="ndarray")
