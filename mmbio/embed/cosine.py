"""Cosine: the score of two embeddings, from -1 to 1, higher meaning more alike; 0 where one of them is zero.

Trials are put in the order of one side's rows, so that of two vectors one is in the processor's cache already; the
other is fetched, widened to float64 and multiplied there. Every sum is over one pair of vectors alone, so that neither
the order of the trials nor the number of threads changes a score.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from mmbio.data.spilled import pieces
from mmbio.embed.settings import threads

BLOCK: Final = 2**16  # numbers worked on at once: as float64 they stay in the processor's cache
TRIALS: Final = 2**22  # that a thread puts in order at once
ALONE: Final = 2**22  # numbers up to which one thread does
PLACES: Final = 32  # bits of a trial's place among TRIALS; a row has the others
REPEATS: Final = 8  # trials a vector from which on it pays to widen it once
RESIDENT: Final = 2**26  # numbers of a mapped file in memory at once
SPAN: Final = 8192  # numbers summed at once: of more than 10,000 BLAS makes sums that depend on its threads
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
    of the trials, nor the number of threads changes anything; norms are computed once a vector. Vectors may be
    memory-mapped, and the same array may be both; values are finite and in the range of float32.
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
    step = max(1, block // max(1, vectors_a.shape[1]))
    scores = np.empty(len(rows_a))
    for part, trials in _parts(b):
        scores[trials] = _scores(replace(a, rows=a.rows[trials]), part, step)
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
        norms[wanted[piece]] = np.sqrt(_sums(part, part))
    norms[norms < TINY] = np.inf
    return norms


def _parts(side: _Side) -> Iterator[tuple[_Side, np.ndarray | slice]]:
    """The side with its vectors in memory, row by row, and the trials (n,) that the rows (n,) are of.

    What is mapped from a file, or lies otherwise, is copied in its order, a part at once.
    """
    flags, dtype = side.vectors.flags, side.vectors.dtype
    if flags.c_contiguous and flags.aligned and dtype.isnative and not isinstance(side.vectors, np.memmap):
        yield side, slice(None)
        return
    wanted = np.flatnonzero(side.used)
    at = (np.cumsum(side.used) - 1)[side.rows]
    step = max(1, RESIDENT // max(1, side.vectors.shape[1]))
    for start in range(0, len(wanted), step):
        part = wanted[start : start + step]
        trials = np.flatnonzero((at >= start) & (at < start + step))
        vectors = np.ascontiguousarray(side.vectors[part], dtype.newbyteorder("="))
        yield _Side(vectors, at[trials] - start, np.ones(len(part), bool), side.norms[part]), trials


def _scores(a: _Side, b: _Side, step: int) -> np.ndarray:
    """The cosines (n,) of the rows of two sides, in slices, on several threads where it is worth it."""
    n = len(a.rows)
    scores = np.empty(n)

    def work(some: slice) -> None:
        order, rows_a = _in_order(a.rows[some])
        rows_b = b.rows[some][order]
        found = _dots(a.vectors, b.vectors, rows_a, rows_b, step)
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


def _in_order(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the rows (n,) stand in ascending order, and the rows in it: sorted as one number, faster than argsort."""
    keys = rows.astype(np.int64) << PLACES
    keys |= np.arange(len(rows))
    keys.sort()
    return keys & (2**PLACES - 1), keys >> PLACES


def _dots(a: np.ndarray, b: np.ndarray, rows_a: np.ndarray, rows_b: np.ndarray, step: int) -> np.ndarray:
    """The inner products (n,) of rows_a of `a`, in ascending order, with rows_b of `b`; `step` trials at once."""
    n, dim = len(rows_a), b.shape[1]
    starts = np.arange(0, n, step)
    changes = np.flatnonzero(np.diff(rows_a)) + 1
    repeated = n >= REPEATS * (len(changes) + 1) and dim <= SPAN
    runs = np.union1d(changes, starts)  # where trials of another row, or another block of trials, begin
    ends, of_block = [*runs.tolist(), n], [*np.searchsorted(runs, starts).tolist(), len(runs)]
    dots, narrow, wide = np.empty(n), np.empty((min(n, step), dim), b.dtype), np.empty((min(n, step), dim))
    for block, start in enumerate(starts.tolist()):
        stop = min(n, start + step)
        np.take(b, rows_b[start:stop], axis=0, out=narrow[: stop - start], mode="clip")  # others buffer what they take
        np.copyto(wide[: stop - start], narrow[: stop - start])
        if not repeated:
            dots[start:stop] = _sums(wide[: stop - start], a[rows_a[start:stop]].astype(np.float64, order="C"))
            continue
        run, last = of_block[block : block + 2]
        for row in a[rows_a[runs[run:last]]].astype(np.float64, order="C"):
            first, end = ends[run], ends[run + 1]
            np.vecdot(wide[first - start : end - start], row, out=dots[first:end])
            run += 1
    return dots


def _sums(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The inner products (n,) of x (n, D) and y (n, D), both float64 and row by row in memory."""
    spans = [slice(start, start + SPAN) for start in range(0, max(1, x.shape[1]), SPAN)]
    return np.asarray(sum(np.vecdot(x[:, span], y[:, span]) for span in spans))
