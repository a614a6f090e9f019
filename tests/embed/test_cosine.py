"""Cosine: hand-worked pairs, zero vectors, and that blocks change nothing."""

from pathlib import Path

import numpy as np
import pytest

from mmbio.embed.cosine import cosine, pair_scores


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1, 0], [0, 1], 0),
        ([3, 4], [6, 8], 1),
        ([3, 4], [-3, -4], -1),
        ([3, 4], [4, 3], 24 / 25),
        ([0, 0], [1, 2], 0),
        ([0, 0], [0, 0], 0),
        ([1e-30, 0], [1e30, 1e30], 0.5**0.5),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_by_hand(a: list[float], b: list[float], expected: float, dtype: type) -> None:
    for one, other in ((a, b), (b, a)):
        score = cosine(np.array([one], dtype), np.array([other], dtype))
        assert score.dtype == np.float64
        np.testing.assert_allclose(score, [expected], rtol=1e-7)


def test_scores_stay_between_minus_one_and_one() -> None:
    vectors = np.random.default_rng(0).standard_normal((500, 33)).astype(np.float32)
    assert cosine(vectors, vectors).max() <= 1
    assert cosine(vectors, -vectors).min() >= -1
    np.testing.assert_allclose(cosine(vectors, vectors * 7), 1)


@pytest.mark.parametrize("dim", [1, 3, 128, 600])
def test_blocks_layouts_and_maps_change_nothing(tmp_path: Path, dim: int) -> None:
    rng = np.random.default_rng(dim)
    a, b = rng.standard_normal((40, dim)).astype(np.float32), rng.standard_normal((30, dim)).astype(np.float32)
    rows_a, rows_b = rng.integers(0, 40, 700), rng.integers(0, 30, 700)
    scores = pair_scores(a, b, rows_a, rows_b)
    np.save(tmp_path / "a.npy", a)
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    for block in (1, 7 * dim, 64 * dim, 10**7):
        assert pair_scores(a, b, rows_a, rows_b, block).tobytes() == scores.tobytes()
    assert pair_scores(mapped, np.asfortranarray(b), rows_a, rows_b).tobytes() == scores.tobytes()
    assert pair_scores(b, a, rows_b, rows_a).tobytes() == scores.tobytes()
    assert cosine(a[rows_a], b[rows_b]).tobytes() == scores.tobytes()
    assert [pair_scores(a, b, rows_a[[i]], rows_b[[i]])[0] for i in range(50)] == scores[:50].tolist()
    expected = (a @ b.T)[rows_a, rows_b] / np.linalg.norm(a, axis=1)[rows_a] / np.linalg.norm(b, axis=1)[rows_b]
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_one_array_on_both_sides() -> None:
    vectors = np.array([[1, 0], [1, 1], [0, 0]], np.float32)
    scores = pair_scores(vectors, vectors, np.array([0, 1, 2, 2]), np.array([1, 1, 0, 2]))
    np.testing.assert_allclose(scores, [0.5**0.5, 1, 0, 0])


def test_no_trials() -> None:
    none = np.array([], dtype=np.int64)
    assert pair_scores(np.ones((2, 3)), np.ones((2, 3)), none, none).shape == (0,)


@pytest.mark.parametrize(
    ("shape", "rows", "told"),
    [
        ((2, 4), [0], r"\(2, 3\) and \(2, 4\)"),
        ((3,), [0], r"\(2, 3\) and \(3,\)"),
        ((2, 3), [0, 1], "two arrays of rows"),
        ((2, 3), [-1], "a row below 0"),
    ],
)
def test_a_callers_mistakes(shape: tuple[int, ...], rows: list[int], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        pair_scores(np.ones((2, 3)), np.ones(shape), np.array([0]), np.array(rows))
    with pytest.raises(ValueError, match="two arrays"):
        cosine(np.ones((2, 3)), np.ones((3, 3)))
