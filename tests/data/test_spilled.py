"""Pieces and temporary files."""

import numpy as np
import pytest

from mmbio.data.spilled import pieces, spilled, taken
from mmbio.errors import MmbioError


@pytest.mark.parametrize(
    ("n", "dim", "expected"),
    [(5, 2, [(0, 2), (2, 4), (4, 5)]), (2, 9, [(0, 1), (1, 2)]), (3, 0, [(0, 3)]), (0, 2, [])],
)
def test_pieces(monkeypatch: pytest.MonkeyPatch, n: int, dim: int, expected: list[tuple[int, int]]) -> None:
    monkeypatch.setattr("mmbio.data.spilled.PIECE", 4)
    assert [(piece.start, piece.stop) for piece in pieces(n, dim)] == expected


def test_blocks_become_one_mapped_array_in_their_type() -> None:
    blocks = [np.ones((2, 3)), np.zeros((0, 3)), np.full((1, 3), 2.0)]
    found = spilled(iter(blocks), 3, np.dtype(np.float32))
    assert isinstance(found, np.memmap)
    assert found.dtype == np.float32
    assert found.tolist() == [[1, 1, 1], [1, 1, 1], [2, 2, 2]]
    assert spilled(iter([]), 3, np.dtype(np.float32)).shape == (0, 3)


def test_rows_are_taken_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmbio.data.spilled.PIECE", 4)
    vectors = np.arange(8, dtype=np.float32).reshape(4, 2)
    assert taken(vectors, np.array([3, 0, 0])).tolist() == [[6, 7], [0, 1], [0, 1]]


def test_a_full_disk() -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    class Full:
        write = flush = full

        def __enter__(self) -> "Full":
            return self

        def __exit__(self, *_: object) -> None: ...

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mmbio.data.spilled.tempfile.TemporaryFile", Full)
        with pytest.raises(MmbioError, match=r"cannot be written .No space left on device.; set TMPDIR"):
            spilled(iter([np.ones((1, 1))]), 1, np.dtype(np.float32))
