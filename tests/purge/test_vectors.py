"""Vectors of people are found to the bit wherever they stand in arrays, and nobody else's are."""

from collections.abc import Callable

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from mmbio.files import bytes_hash
from mmbio.purge import vectors
from mmbio.purge.vectors import Vectors, marks

RNG = np.random.default_rng(0)
ONE = RNG.standard_normal((1, 12)).astype(np.float32)
RELU = np.maximum(RNG.standard_normal((1, 40)), 0).astype(np.float32)
OTHERS = RNG.standard_normal((50, 12)).astype(np.float32)
FOUND: dict[str, tuple[np.ndarray, int | None]] = {
    "alone": (ONE, 0),
    "among others": (np.vstack([OTHERS, ONE, OTHERS]), 50),
    "first of a longer row": (np.hstack([np.vstack([OTHERS, ONE]), np.ones((51, 3), np.float32)]), 50),
    "last of a longer row": (np.hstack([np.zeros((51, 7), np.float32), np.vstack([OTHERS, ONE])]), 50),
    "in other shapes": (np.vstack([OTHERS, ONE]).reshape(51, 3, 4), 50),
    "over several rows": (np.vstack([OTHERS, ONE]).reshape(-1, 4), 150),
    "in one row": (np.vstack([OTHERS, ONE, OTHERS]).reshape(1, -1), 0),
    "in columns": (np.asfortranarray(np.vstack([OTHERS, ONE])), 50),
    "in other bytes": (np.vstack([OTHERS, ONE]).astype(">f4"), 50),
    "only a part of it": (ONE[:, 1:], None),
    "another": (OTHERS, None),
    "changed in a bit": (np.nextafter(ONE, np.inf), None),
    "not in this order": (ONE[:, ::-1], None),
    "nothing": (np.zeros((0, 12), np.float32), None),
    "no width": (np.zeros((5, 0), np.float32), None),
    "one value": (np.ones((5, 1), np.float32), None),
    "no numbers": (np.full((5, 30), np.nan), None),
    "too large": (np.full((5, 30), 1e300), None),
}


@pytest.mark.parametrize("where", FOUND)
@pytest.mark.parametrize("chunk", [1, 16, 1 << 20])
def test_where_it_stands(where: str, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "CHUNK", chunk)
    array, row = FOUND[where]
    if chunk == 1 and where == "over several rows":
        row = None  # rows that are longer than a piece are looked at one by one
    assert Vectors(marks(ONE)).find(array) == row


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("way", [lambda v: v, lambda v: np.hstack([v, v[:, :3]])])
def test_in_every_precision(kind: type, way: Callable[[np.ndarray], np.ndarray]) -> None:
    for one in (ONE, RELU):
        assert Vectors(marks(one)).find(way(one.astype(kind))) == 0


@pytest.mark.parametrize("row", [[0, 0, 1, 0], [0.5] * 20, [1, 2] * 10, [0.0] * 9 + [3]])
def test_what_has_few_values_is_looked_for_as_a_row_alone(row: list[float]) -> None:
    one = np.array([row], np.float32)
    sought = Vectors(marks(one))
    assert sought.find(np.vstack([np.full_like(one, 7), one])) == 1
    assert sought.find(np.hstack([one, one])) is None


def test_nothing_stands_for_what_is_of_nobody() -> None:
    assert list(marks(np.zeros((3, 8)))) == list(marks(np.full((3, 8), np.nan))) == []
    assert len(set(marks(np.full((1, 8), 1e9)))) == 1  # no float16 holds it


def test_no_value_stands_in_a_mark() -> None:
    for mark in marks(ONE):
        digest, length, place, code = mark.split(":")
        assert (len(digest), int(length), 0 <= int(place) < 11, 0 <= int(code) < 1 << 32) == (16, 12, True, True)


def test_the_marks_of_an_older_journal() -> None:
    sought = Vectors([bytes_hash(ONE.tobytes())])
    assert sought.find(np.vstack([OTHERS, ONE])) == 50
    assert sought.find(np.hstack([ONE, ONE])) is None


@settings(max_examples=60)
@given(
    n=st.integers(1, 40), width=st.integers(8, 30), before=st.integers(0, 20), after=st.integers(0, 20),
    row=st.integers(0, 39), seed=st.integers(0, 9), chunk=st.sampled_from([1, 37, 1 << 20]),
)  # fmt: skip
def test_anywhere(n: int, width: int, before: int, after: int, row: int, seed: int, chunk: int) -> None:
    rng = np.random.default_rng(seed)
    array = rng.standard_normal((n, before + width + after)).astype(np.float32)
    theirs = rng.standard_normal((3, width)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "CHUNK", chunk)
        assert Vectors(marks(theirs)).find(array) is None
        array[row % n, before : before + width] = theirs[1]
        assert Vectors(marks(theirs)).find(array) == row % n
