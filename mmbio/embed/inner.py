"""inner: the inner products of pairs of rows, summed in float64, every sum over one pair alone."""

import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Final

import numpy as np

REPEATS: Final = 8  # trials a vector from which on it pays to widen it once
SPAN: Final = 8192  # numbers summed at once: of more than 10,000 BLAS makes sums that depend on its threads
Dots = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def in_blocks(a: np.ndarray, b: np.ndarray, rows_a: np.ndarray, rows_b: np.ndarray, step: int) -> np.ndarray:
    """The inner products (n,) of rows_a of `a`, in stretches of one row, with rows_b of `b`; `step` trials at once."""
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
            dots[start:stop] = sums(wide[: stop - start], a[rows_a[start:stop]].astype(np.float64, order="C"))
            continue
        run, last = of_block[block : block + 2]
        for row in a[rows_a[runs[run:last]]].astype(np.float64, order="C"):
            first, end = ends[run], ends[run + 1]
            np.vecdot(wide[first - start : end - start], row, out=dots[first:end])
            run += 1
    return dots


def sums(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The inner products (n,) of x (n, D) and y (n, D), both float64 and row by row in memory."""
    spans = [slice(start, start + SPAN) for start in range(0, max(1, x.shape[1]), SPAN)]
    return np.asarray(sum(np.vecdot(x[:, span], y[:, span]) for span in spans))


def by_torch(a: np.ndarray, b: np.ndarray, rows_a: np.ndarray, rows_b: np.ndarray) -> np.ndarray:
    """The inner products (n,) of rows_a of `a`, in stretches of ascending order, with rows_b of `b`, all float64.

    torch takes every row from where it lies, on one thread, and leaves the interpreter to other threads.
    """
    import torch

    torch.set_num_threads(1)
    dots, left, right = np.empty(len(rows_a)), torch.from_numpy(a), torch.from_numpy(b).T
    turns = np.flatnonzero(np.diff(rows_a) < 0) + 1
    most = np.arange(0, len(rows_a), max(1, len(a) * len(b)))  # torch refuses a matrix with more pairs than places
    with warnings.catch_warnings(action="ignore"):  # torch calls sparse matrices beta
        for some in (slice(*ends) for ends in pairwise([*np.union1d(turns, most).tolist(), len(rows_a)])):
            starts = torch.from_numpy(np.searchsorted(rows_a[some], np.arange(len(a) + 1)).astype(rows_b.dtype))
            columns, none = torch.from_numpy(rows_b[some]), torch.zeros(len(rows_b[some]), dtype=torch.float64)
            pairs = torch.sparse_csr_tensor(starts, columns, none, size=(len(a), len(b)), check_invariants=False)
            dots[some] = torch.sparse.sampled_addmm(pairs, left, right, beta=0).values()
    return dots
