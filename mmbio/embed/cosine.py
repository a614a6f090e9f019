"""Cosine: the score of two embeddings, from -1 to 1, higher meaning more alike; 0 where one of them is zero."""

from typing import Final

import numpy as np

from mmbio.data.spilled import pieces

BLOCK: Final = 2**17  # numbers of each side worked on at once: they stay in the processor's cache
TINY: Final = 1e-150  # a norm below it counts as zero; float32's smallest number is 1e-45


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

    All sums are in float64 and over one row, so that the `block` worked on at once changes nothing; norms are
    computed once a vector. Vectors may be memory-mapped, and the same array may be both; values are finite
    and in the range of float32.
    """
    if vectors_a.ndim != 2 or vectors_b.ndim != 2 or vectors_a.shape[1] != vectors_b.shape[1]:
        raise ValueError(f"expected vectors (N, D) and (M, D), got {vectors_a.shape} and {vectors_b.shape}")
    if rows_a.shape != rows_b.shape or rows_a.ndim != 1:
        raise ValueError(f"expected two arrays of rows (T,), got {rows_a.shape} and {rows_b.shape}")
    if min(rows_a.min(initial=0), rows_b.min(initial=0)) < 0:
        raise ValueError("expected rows that are there, got a row below 0")
    if vectors_a is vectors_b:
        norms_a = norms_b = _norms(vectors_a, rows_a, rows_b)
    else:
        norms_a, norms_b = _norms(vectors_a, rows_a), _norms(vectors_b, rows_b)
    scores = np.empty(len(rows_a))
    step = max(1, block // max(1, vectors_a.shape[1]))
    for start in range(0, len(rows_a), step):
        a, b = rows_a[start : start + step], rows_b[start : start + step]
        scores[start : start + step] = _dot(vectors_a[a], vectors_b[b]) / (norms_a[a] * norms_b[b])
    return np.clip(scores, -1.0, 1.0, out=scores)


def _norms(vectors: np.ndarray, *rows: np.ndarray) -> np.ndarray:
    """The norms (N,) of vectors (N, D) that any rows name, in their order on disk; infinity stands for zero."""
    used = np.zeros(len(vectors), dtype=bool)
    for some in rows:
        used[some] = True
    wanted = np.flatnonzero(used)
    norms = np.full(len(vectors), np.inf)
    for piece in pieces(len(wanted), vectors.shape[1]):
        part = vectors[wanted[piece]]
        norms[wanted[piece]] = np.sqrt(_dot(part, part))
    norms[norms < TINY] = np.inf
    return norms


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The inner products (n,) of rows, summed in float64."""
    products = np.multiply(a, b, dtype=np.float64, order="C")
    return np.asarray(products.sum(axis=1))
