"""Arrays larger than memory: worked through in pieces, and gathered in a temporary file."""

import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any, Final

import numpy as np

from mmbio.errors import MmbioError

PIECE: Final = 2**22  # numbers in memory at once


def pieces(n: int, dim: int) -> Iterator[slice]:
    """The slices of n rows of `dim` numbers that fit a piece of memory each."""
    step = max(1, PIECE // max(1, dim))
    return (slice(start, min(n, start + step)) for start in range(0, n, step))


def spilled(blocks: Iterable[np.ndarray], dim: int, dtype: np.dtype[Any]) -> np.ndarray:
    """Blocks (n, dim) as one array (N, dim), mapped from a temporary file that goes with it."""
    n = 0
    with tempfile.TemporaryFile() as file:
        for block in blocks:
            _write(file, np.ascontiguousarray(block, dtype).tobytes())
            n += len(block)
        _write(file, b"")
        return np.memmap(file, dtype, "r", shape=(n, dim)) if n * dim else np.empty((n, dim), dtype)


def taken(vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The `rows` (n,) of vectors (N, D) in their order: (n, D), mapped from a temporary file."""
    dim = vectors.shape[1]
    return spilled((vectors[rows[piece]] for piece in pieces(len(rows), dim)), dim, vectors.dtype)


def _write(file: IO[bytes], data: bytes) -> None:
    """Write some bytes; none of them: bring all to the file."""
    try:
        file.write(data) if data else file.flush()
    except OSError as error:
        raise MmbioError(
            f"{tempfile.gettempdir()}: cannot be written ({error.strerror}); set TMPDIR to a folder with more room"
        ) from error
