"""Cosine: hand-worked pairs, zero vectors, and that blocks, threads and the order of trials change nothing."""

from pathlib import Path

import numpy as np
import pytest

from mmbio.embed import cosine as module
from mmbio.embed import inner
from mmbio.embed.cosine import cosine, pair_scores
from mmbio.embed.inner import SPAN
from mmbio.measure.dcf import min_dcf
from mmbio.measure.rates import eer, points


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


def plain(vectors: np.ndarray, rows_a: np.ndarray, rows_b: np.ndarray) -> np.ndarray:
    """The cosines as a reader would write them: everything widened, then one pair after the other."""
    wide = vectors.astype(np.float64)
    norms = np.sqrt((wide * wide).sum(1))
    return np.array([(wide[a] * wide[b]).sum() / (norms[a] * norms[b]) for a, b in zip(rows_a, rows_b, strict=True)])


def listed(n_subjects: int, each: int, dim: int, n_trials: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Clips of subjects (N, D) float32, and the rows of both sides of trials, half of them genuine, shuffled."""
    rng = np.random.default_rng(7)
    of = np.repeat(rng.standard_normal((n_subjects, dim)), each, axis=0)
    vectors = (of + rng.normal(0, 1.5, of.shape)).astype(np.float32)
    rows_a = rng.integers(0, len(of), n_trials)
    same = rows_a // each * each + rng.integers(0, each, n_trials)
    rows_b = np.where(rng.random(n_trials) < 0.5, same, rng.integers(0, len(of), n_trials))
    return vectors, rows_a, rows_b


def test_metrics_are_those_of_the_plain_path() -> None:
    vectors, rows_a, rows_b = listed(40, 20, 128, 20_000)
    genuine = rows_a // 20 == rows_b // 20
    fast, slow = pair_scores(vectors, vectors, rows_a, rows_b), plain(vectors, rows_a, rows_b)
    np.testing.assert_allclose(fast, slow, rtol=0, atol=1e-15)
    found = [points(scores[genuine], scores[~genuine]) for scores in (fast, slow)]
    for figure in (eer, min_dcf):
        assert abs(figure(found[0]) - figure(found[1])) < 1e-12


@pytest.mark.parametrize(
    "set_to",
    [
        {"ALONE": 0},
        {"ALONE": 0, "TRIALS": 100},
        {"REPEATS": 10**9},
        {"REPEATS": 0, "ALONE": 0},
        {"RESIDENT": 1},
        {"RESIDENT": 7 * 128, "REPEATS": 0},
        {"SPAN": 10**9},
    ],
)
@pytest.mark.parametrize("threads", [1, 3])
def test_threads_order_and_memory_change_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, set_to: dict[str, int], threads: int
) -> None:
    vectors, rows_a, rows_b = listed(10, 4, 128, 2000)
    expected = pair_scores(vectors, vectors, rows_a, rows_b)
    monkeypatch.setenv("MMBIO_THREADS", str(threads))
    for name, value in set_to.items():
        monkeypatch.setattr(module if hasattr(module, name) else inner, name, value)
    order = np.random.default_rng(0).permutation(2000)
    np.save(tmp_path / "v.npy", vectors)
    for of in (vectors, np.load(tmp_path / "v.npy", mmap_mode="r"), np.asfortranarray(vectors), vectors.astype(">f4")):
        assert pair_scores(of, of, rows_a, rows_b).tobytes() == expected.tobytes()
        assert pair_scores(of, of, rows_b[order], rows_a[order]).tobytes() == expected[order].tobytes()


@pytest.mark.parametrize("set_to", [{}, {"ALONE": 0}, {"ALONE": 0, "TRIALS": 100}, {"TILE": 1}, {"TILE": 7 * 128}])
@pytest.mark.parametrize("threads", [1, 3])
def test_nor_do_they_in_lists_that_torch_sums(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, set_to: dict[str, int], threads: int
) -> None:
    vectors, rows_a, rows_b = listed(10, 4, 128, 2000)
    few = pair_scores(vectors, vectors, rows_a, rows_b)
    monkeypatch.setattr(module, "MANY", 0)
    expected = pair_scores(vectors, vectors, rows_a, rows_b)
    np.testing.assert_allclose(few, expected, rtol=0, atol=1e-14)
    monkeypatch.setenv("MMBIO_THREADS", str(threads))
    for name, value in set_to.items():
        monkeypatch.setattr(module, name, value)
    order = np.random.default_rng(0).permutation(2000)
    np.save(tmp_path / "v.npy", vectors)
    for of in (vectors, np.load(tmp_path / "v.npy", mmap_mode="r"), np.asfortranarray(vectors), vectors.astype(">f4")):
        assert pair_scores(of, of, rows_a, rows_b).tobytes() == expected.tobytes()
        assert pair_scores(of, vectors[:], rows_b[order], rows_a[order]).tobytes() == expected[order].tobytes()


def test_torch_sums_long_lists_of_vectors_that_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, rows_a, rows_b = listed(10, 4, 128, 2000)
    called = []

    def by_torch(a: np.ndarray, b: np.ndarray, rows_a: np.ndarray, rows_b: np.ndarray) -> np.ndarray:
        called.append((a is b, len(a)))
        return inner_by_torch(a, b, rows_a, rows_b)

    inner_by_torch = inner.by_torch
    monkeypatch.setattr(inner, "by_torch", by_torch)
    n = len(np.union1d(rows_a, rows_b))
    for many, wide, expected in (
        (2000 * 128 + 1, n * 128, []),
        (2000 * 128, n * 128 - 1, []),
        (2000 * 128, n * 128, [(True, n)]),
    ):
        monkeypatch.setattr(module, "MANY", many)
        monkeypatch.setattr(module, "WIDE", wide)
        called.clear()
        pair_scores(vectors, vectors, rows_a, rows_b)
        assert called == expected


@pytest.mark.parametrize("many", [0, module.MANY])
@pytest.mark.parametrize("dim", [3, 512, 513, 2 * SPAN + 5])
def test_ties_are_exact(monkeypatch: pytest.MonkeyPatch, many: int, dim: int) -> None:
    monkeypatch.setattr(module, "MANY", many)
    rng = np.random.default_rng(dim)
    vectors = rng.standard_normal((6, dim)).astype(np.float32)
    vectors[3:] = vectors[:3]  # each twice
    rows_a, rows_b = (side.ravel() for side in np.meshgrid(np.arange(6), np.arange(6)))
    scores = pair_scores(vectors, vectors, rows_a, rows_b).reshape(6, 6)
    assert (scores == scores.T).all()
    assert (scores[:3, :3] == scores[3:, 3:]).all()
    assert (scores[:3, :3] == scores[:3, 3:]).all()
    np.testing.assert_allclose(np.diag(scores), 1, rtol=0, atol=1e-15)
    assert len(np.unique(scores[:3, :3][~np.eye(3, dtype=bool)])) == 3


def test_one_array_on_both_sides() -> None:
    vectors = np.array([[1, 0], [1, 1], [0, 0]], np.float32)
    scores = pair_scores(vectors, vectors, np.array([0, 1, 2, 2]), np.array([1, 1, 0, 2]))
    np.testing.assert_allclose(scores, [0.5**0.5, 1, 0, 0])


def test_no_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    none = np.array([], dtype=np.int64)
    for many in (module.MANY, 0):
        monkeypatch.setattr(module, "MANY", many)
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
