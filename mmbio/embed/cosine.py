"""Cosine: the score of two embeddings, from -1 to 1, higher meaning more alike; 0 where one of them is zero.

Trials are put in an order in which of two vectors one, and in long lists both, are in the processor's caches already.
Every sum is over one pair of vectors alone, so that neither that order nor the number of threads changes a score.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Final

import numpy as np

from mmbio.data.spilled import pieces
from mmbio.embed import inner
from mmbio.embed.inner import Dots, sums
from mmbio.embed.settings import threads

BLOCK: Final = 2**16  # numbers worked on at once: as float64 they stay in the processor's cache
TRIALS: Final = 2**21  # that a thread puts in order at once
ALONE: Final = 2**22  # numbers up to which one thread does
MANY: Final = 2**30  # numbers of all trials from which on importing torch is earned back
WIDE: Final = 2**27  # numbers of both sides that may be held in float64
TILE: Final = 2**22  # numbers of one side that trials are of before they go on: they stay in the cache that cores share
PLACES: Final = 32  # bits of a trial's place among TRIALS; its tile and row have the others
RESIDENT: Final = 2**26  # numbers of a mapped file in memory at once
TINY: Final = 1e-150  # a norm below it counts as zero; float32's smallest number is 1e-45


@dataclass(frozen=True)
class _Side:
    """One side of all trials: vectors (N, D), which of them (N,) bool are named, the norms (N,), and rows (T,)."""

    vectors: np.ndarray
    rows: np.ndarray
    used: np.ndarray
    norms: np.ndarray


def cosine(enrolment: np.ndarray, probe: np.ndarray) -> np.ndarray:
    """The cosines (T,) float64 of enrolment (T, D) and probe (T, D), row by row."""
    if enrolment.shape != probe.shape or enrolment.ndim != 2:
        raise ValueError(f"expected two arrays (T, D), got {enrolment.shape} and {probe.shape}")
    rows = np.arange(len(enrolment))
    return pair_scores(enrolment, probe, rows, rows)


def pair_scores(
    vectors_a: np.ndarray, vectors_b: np.ndarray, rows_a: np.ndarray, rows_b: np.ndarray, block: int = BLOCK
) -> np.ndarray:
    """The cosines (T,) float64 of rows_a (T,) of vectors_a (N, D) with rows_b (T,) of vectors_b (M, D).

    All sums are in float64 and over one pair, so that neither the `block` of numbers worked on at once, nor the order
    of the trials, nor the number of threads changes anything; norms are computed once a vector. Lists of MANY numbers
    are summed by torch, whose scores are within 1e-14 of the others. Vectors may be memory-mapped, and the same array
    may be both; values are finite and in the range of float32.
    """
    if vectors_a.ndim != 2 or vectors_b.ndim != 2 or vectors_a.shape[1] != vectors_b.shape[1]:
        raise ValueError(f"expected vectors (N, D) and (M, D), got {vectors_a.shape} and {vectors_b.shape}")
    if rows_a.shape != rows_b.shape or rows_a.ndim != 1:
        raise ValueError(f"expected two arrays of rows (T,), got {rows_a.shape} and {rows_b.shape}")
    if min(rows_a.min(initial=0), rows_b.min(initial=0)) < 0:
        raise ValueError("expected rows that are there, got a row below 0")
    used_a, used_b = _used(vectors_a, rows_a), _used(vectors_b, rows_b)
    if vectors_a is vectors_b:
        norms_a = norms_b = _norms(vectors_a, used_a | used_b)
    else:
        norms_a, norms_b = _norms(vectors_a, used_a), _norms(vectors_b, used_b)
    a, b = _Side(vectors_a, rows_a, used_a, norms_a), _Side(vectors_b, rows_b, used_b, norms_b)
    if b.used.sum() < a.used.sum():  # products commute, so the side that repeats more may be the first
        a, b = b, a
    dim = vectors_a.shape[1]
    if len(rows_a) * dim >= MANY and _n_named(a, b) * dim <= WIDE:
        return _scores(*_widened(a, b), inner.by_torch, max(1, TILE // dim))
    dots = partial(inner.in_blocks, step=max(1, block // max(1, dim)))
    scores = np.empty(len(rows_a))
    for part, trials in _parts(b):
        scores[trials] = _scores(replace(a, rows=a.rows[trials]), part, dots, len(b.vectors))
    return scores


def _used(vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    used = np.zeros(len(vectors), dtype=bool)
    used[rows] = True
    return used


def _norms(vectors: np.ndarray, used: np.ndarray) -> np.ndarray:
    """The norms (N,) of the vectors (N, D) that are used, in their order on disk; infinity stands for zero."""
    wanted = np.flatnonzero(used)
    norms = np.full(len(vectors), np.inf)
    for piece in pieces(len(wanted), vectors.shape[1]):
        part = np.ascontiguousarray(vectors[wanted[piece]], np.float64)
        norms[wanted[piece]] = np.sqrt(sums(part, part))
    norms[norms < TINY] = np.inf
    return norms


def _n_named(a: _Side, b: _Side) -> int:
    """How many vectors the trials name; those of one array on both sides count once."""
    return int((a.used | b.used).sum() if a.vectors is b.vectors else a.used.sum() + b.used.sum())


def _widened(a: _Side, b: _Side) -> tuple[_Side, _Side]:
    """Two sides with the vectors alone that trials name, in float64; one array on both sides is held once."""
    if a.vectors is not b.vectors:
        return _wide(a), _wide(b)
    both = replace(a, used=a.used | b.used)
    wide = _wide(both)
    return wide, replace(wide, rows=_places(both.used)[b.rows])


def _wide(side: _Side) -> _Side:
    wanted = np.flatnonzero(side.used)
    vectors = np.empty((len(wanted), side.vectors.shape[1]))
    for piece in pieces(*vectors.shape):
        vectors[piece] = side.vectors[wanted[piece]]
    return _Side(vectors, _places(side.used)[side.rows], np.ones(len(wanted), bool), side.norms[wanted])


def _places(used: np.ndarray) -> np.ndarray:
    """Where a vector stands among those that are used, which are fewer than 2^31."""
    return np.cumsum(used, dtype=np.int32) - 1


def _parts(side: _Side) -> Iterator[tuple[_Side, np.ndarray | slice]]:
    """The side with its vectors in memory, row by row, and the trials (n,) that the rows (n,) are of.

    What is mapped from a file, or lies otherwise, is copied in its order, a part at once.
    """
    flags, dtype = side.vectors.flags, side.vectors.dtype
    if flags.c_contiguous and flags.aligned and dtype.isnative and not isinstance(side.vectors, np.memmap):
        yield side, slice(None)
        return
    wanted = np.flatnonzero(side.used)
    at = _places(side.used)[side.rows]
    step = max(1, RESIDENT // max(1, side.vectors.shape[1]))
    for start in range(0, len(wanted), step):
        part = wanted[start : start + step]
        trials = np.flatnonzero((at >= start) & (at < start + step))
        vectors = np.ascontiguousarray(side.vectors[part], dtype.newbyteorder("="))
        yield _Side(vectors, at[trials] - start, np.ones(len(part), bool), side.norms[part]), trials


def _scores(a: _Side, b: _Side, dots: Dots, tile: int) -> np.ndarray:
    """The cosines (n,) of the rows of two sides, in slices, on several threads where it is worth it.

    `tile` rows of b at once.
    """
    n = len(a.rows)
    scores = np.empty(n)

    def work(some: slice) -> None:
        order, rows_a, rows_b = _in_order(a, b, some, tile)
        found = dots(a.vectors, b.vectors, rows_a, rows_b)
        found /= a.norms[rows_a] * b.norms[rows_b]
        scores[some][order] = np.clip(found, -1.0, 1.0, out=found)

    at_once = threads() if n * a.vectors.shape[1] > ALONE else 1
    ends = np.linspace(0, n, 1 + at_once * -(-n // (at_once * TRIALS))).astype(np.int64).tolist()
    slices = [slice(*of) for of in pairwise(ends)]
    if at_once == 1:
        for some in slices:
            work(some)
    else:
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(work, slices))
    return scores


def _in_order(a: _Side, b: _Side, some: slice, tile: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where some trials (n,) stand tile by tile of b and in each by the row of a; their rows of a and of b.

    Sorted as one number, faster than argsort.
    """
    keys = b.rows[some].astype(np.int64)
    keys //= tile
    keys *= len(a.vectors)
    keys += a.rows[some]
    keys <<= PLACES
    keys |= np.arange(len(keys))
    keys.sort()
    order = keys & (2**PLACES - 1)
    return order, a.rows[some][order], b.rows[some][order]
