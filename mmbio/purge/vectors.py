"""Vectors: those of people found again in arrays of numbers, as float16, float32 or float64, in rows of any length.

What stands for a vector is text, `digest:length` or `digest:length:place:code`: a hash of its float32 bytes, and a
hash of two neighbouring values at a place, by which it is found inside longer rows. No value can be told from them.
"""

from collections.abc import Iterable, Iterator
from math import prod
from typing import Any, Final

import numpy as np

from mmbio.files import bytes_hash

LEAST: Final = 8  # different values of a vector that is looked for inside rows: a shorter one may stand there by chance
FACTORS: Final = (np.uint32(2654435761), np.uint32(2246822519))
BITS: Final = 20  # of a code, by which most places are passed over
ANY: Final = -1  # a width that is not known
CHUNK: Final = 1 << 20  # values looked at at once

Sought = tuple[int, int, str]  # the place of the code in a vector, its length, its digest


def marks(vectors: np.ndarray) -> Iterator[str]:
    """What stands for the rows of vectors (n, ...), and for them rounded to float16.

    Nothing stands for rows of zeros or of no numbers, which are of nobody.
    """
    flat = np.ascontiguousarray(vectors, dtype="<f4").reshape(len(vectors), prod(vectors.shape[1:]))
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = flat.astype("<f2").astype("<f4")
    for rows in (flat, rounded):
        kept = rows[np.isfinite(rows).all(1) & rows.any(1)]
        yield from (_mark(row) for row in kept)


def _mark(row: np.ndarray) -> str:
    whole = f"{bytes_hash(row.tobytes())}:{row.size}"
    clear = (row[:-1] != 0) & (row[1:] != 0) & (row[:-1] != row[1:])
    if not clear.any() or len(np.unique(row)) < LEAST:
        return whole
    place = int(clear.argmax())
    return f"{whole}:{place}:{int(_codes(row[place : place + 2])[0])}"


def _codes(values: np.ndarray) -> np.ndarray:
    """A number (n - 1,) uint32 for each pair of neighbours of float32 values (n,)."""
    bits = values.view("<u4")
    return bits[:-1] * FACTORS[0] + bits[1:] * FACTORS[1]


class Vectors:
    """Looks for marked vectors in arrays."""

    def __init__(self, marked: Iterable[str]) -> None:
        self._whole = set[str]()  # looked for as rows alone: `digest:length`, or the digest of an older mmbio's journal
        self._widths = set[int]()  # of these
        self._inside: dict[int, list[Sought]] = {}
        for one in marked:
            digest, *more = one.split(":")
            if len(more) == 3:
                length, place, code = map(int, more)
                self._inside.setdefault(code, []).append((place, length, digest))
            else:
                self._whole.add(one)
                self._widths.add(int(more[0]) if more else ANY)
        self._known = np.array(sorted(self._inside), dtype=np.uint32)
        self._table = np.zeros(1 << BITS, dtype=bool)
        self._table[self._known >> np.uint32(32 - BITS)] = True
        self._longest = max((length for of in self._inside.values() for _, length, _ in of), default=0)

    def find(self, array: np.ndarray) -> int | None:
        """The row of an array (n, ...) of floating-point numbers where one of the vectors begins; None without."""
        width = max(1, prod(array.shape[1:]))
        for first, values in _pieces(array, width, self._longest):
            place = self._begins(values)
            if place is not None:
                return (first + place) // width
            if self._widths & {width, ANY}:
                rows = values[: len(values) // width * width].reshape(-1, width)
                hits = (i for i, row in enumerate(rows) if self._is_one(row))
                if (hit := next(hits, None)) is not None:
                    return first // width + hit
        return None

    def _is_one(self, row: np.ndarray) -> bool:
        digest = bytes_hash(row.tobytes())
        return digest in self._whole or f"{digest}:{row.size}" in self._whole

    def _begins(self, values: np.ndarray) -> int | None:
        """The first place in a row of values (n,) where a vector begins."""
        if not self._inside:
            return None
        codes = _codes(values)
        places = np.flatnonzero(self._table[codes >> np.uint32(32 - BITS)])
        places = places[np.isin(codes[places], self._known)]
        for at in places.tolist():
            for place, length, digest in self._inside[int(codes[at])]:
                window = values[max(0, at - place) : at - place + length]
                if at >= place and len(window) == length and bytes_hash(window.tobytes()) == digest:
                    return int(at) - place
        return None


def _pieces(array: np.ndarray, width: int, longest: int) -> Iterator[tuple[int, np.ndarray]]:
    """Values in the order of rows as float32 (m,), each piece from a row's begin, with the number of its first value.

    A piece goes on into the next by as much as a vector may be long.
    """
    n, more = max(1, CHUNK // width), -(-longest // width)
    if len(array) == 1 or width > CHUNK:  # long rows one by one
        for i, row in enumerate(array):
            values: Any = row.reshape(-1)
            for start in range(0, len(values), CHUNK):
                yield i * width + start, _as_float32(values[start : start + CHUNK + longest])
        return
    for start in range(0, len(array), n):
        yield start * width, _as_float32(array[start : start + n + more]).reshape(-1)


def _as_float32(values: Any) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.ascontiguousarray(values, dtype="<f4")
