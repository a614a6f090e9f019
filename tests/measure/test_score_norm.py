"""Score normalisation: a case by hand, the formulas written out, memory and threads, flat cohorts, and refusals."""

import numpy as np
import pytest

from mmbio.embed.cosine import pair_scores
from mmbio.errors import MmbioError
from mmbio.measure import score_norm
from mmbio.measure.score_norm import ADAPTIVE, SIDES, check, normalised

COHORT = np.array([[1, 0], [0, 2], [-3, 0], [4, 3]], np.float32)  # cosines with (1, 0): 1, 0, -1, 0.8
ENROLMENT, PROBE = np.array([[2, 0]], np.float32), np.array([[0, 5]], np.float32)  # with (0, 1): 0, 1, 0, 0.6
ROW = np.array([0])


def on_each_side(name: str, top: int = 2) -> float:
    return float(normalised(np.array([0.5]), ENROLMENT, PROBE, ROW, ROW, COHORT, name, top)[0])


Z = (0.5 - 0.2) / np.std([1, 0, -1, 0.8])
T = (0.5 - 0.4) / np.std([0, 1, 0, 0.6])
NEAREST = ((0.5 - 0.9) / 0.1, (0.5 - 0.8) / 0.2)


@pytest.mark.parametrize(
    ("name", "expected"), [("z-norm", Z), ("t-norm", T), ("s-norm", (Z + T) / 2), (ADAPTIVE, sum(NEAREST) / 2)]
)
def test_by_hand(name: str, expected: float) -> None:
    assert on_each_side(name) == pytest.approx(expected, rel=1e-12)


def test_adaptive_with_the_whole_cohort_is_symmetric() -> None:
    assert on_each_side(ADAPTIVE, top=4) == pytest.approx(on_each_side("s-norm"), rel=1e-12)


def drawn(n: int = 40, size: int = 60, dim: int = 24) -> tuple[np.ndarray, ...]:
    """Vectors (n, dim), a cohort (size, dim), rows of both sides of 300 trials, and their cosines."""
    rng = np.random.default_rng(3)
    vectors, cohort = (rng.standard_normal((m, dim)).astype(np.float32) + 0.5 for m in (n, size))
    rows = rng.integers(0, n, (2, 300))
    return vectors, cohort, *rows, pair_scores(vectors, vectors, *rows)


def as_recipes_write_it(name: str, top: int) -> np.ndarray:
    """One trial after the other, all in float64."""
    vectors, cohort, *rows, scores = drawn()
    wide, others = (v.astype(np.float64) for v in (vectors, cohort))
    wide, others = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (wide, others))
    found = []
    for score, *sides in zip(scores, *rows, strict=True):
        terms = []
        for row, used in zip(sides, SIDES[name], strict=True):
            cosines = np.sort(others @ wide[row])[-top if name == ADAPTIVE else 0 :]
            terms += [(score - cosines.mean()) / cosines.std()] if used else []
        found.append(np.mean(terms))
    return np.array(found)


@pytest.mark.parametrize("name", SIDES)
@pytest.mark.parametrize("top", [2, 17, 60])
def test_the_loop_of_the_recipes(name: str, top: int) -> None:
    vectors, cohort, a, b, scores = drawn()
    found = normalised(scores, vectors, vectors, a, b, cohort, name, top)
    np.testing.assert_allclose(found, as_recipes_write_it(name, top), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ["s-norm", ADAPTIVE])
def test_sides_may_change_places(name: str) -> None:
    vectors, cohort, a, b, scores = drawn()
    one, other = (normalised(scores, vectors, vectors, *sides, cohort, name, 9) for sides in ((a, b), (b, a)))
    assert one.tobytes() == other.tobytes()
    apart = normalised(scores, vectors, vectors.copy(), a, b, cohort, name, 9)
    assert apart.tobytes() == one.tobytes()


@pytest.mark.parametrize("name", SIDES)
def test_threads_and_other_trials_change_nothing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    vectors, cohort, a, b, scores = drawn()
    monkeypatch.setattr(score_norm, "ROWS", 16)
    whole = normalised(scores, vectors, vectors, a, b, cohort, name, 9)
    monkeypatch.setenv("MMBIO_THREADS", "3")
    assert normalised(scores, vectors, vectors, a, b, cohort, name, 9).tobytes() == whole.tobytes()
    some = [4, 2, 90]
    few = normalised(scores[some], vectors, vectors, a[some], b[some], cohort, name, 9)
    np.testing.assert_allclose(few, whole[some], rtol=1e-12)


@pytest.mark.parametrize("name", SIDES)
def test_a_cohort_in_parts(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    vectors, cohort, a, b, scores = drawn()
    whole = normalised(scores, vectors, vectors, a, b, cohort, name, 9)
    for constant, value in {"HELD": 0, "COHORT": 7, "ROWS": 5}.items():
        monkeypatch.setattr(score_norm, constant, value)
    parts = normalised(scores, vectors, vectors, a, b, cohort, name, 9)
    np.testing.assert_allclose(parts, whole, rtol=1e-10)


@pytest.mark.parametrize("name", SIDES)
def test_without_a_scale_the_deviation_counts_as_one(name: str) -> None:
    vectors = np.array([[0, 0], [3, 4]], np.float32)
    alike = np.array([[1, 0], [2, 0], [7, 0]], np.float32)  # cosines with (3, 4): all 0.6
    rows = np.array([0, 1]), np.array([0, 1])
    found = normalised(np.array([0.0, 1.0]), vectors, vectors, *rows, alike, name, 2)
    np.testing.assert_allclose(found, [0, 0.4], atol=1e-12)


def test_no_trials() -> None:
    none = np.array([], dtype=np.int64)
    assert normalised(np.array([]), ENROLMENT, PROBE, none, none, COHORT, ADAPTIVE, 2).shape == (0,)


@pytest.mark.parametrize(
    ("name", "top", "n", "told"),
    [
        ("as-norm", 2, 1, r"--score-norm as-norm: a cohort of 1 \(c.npz\), expected at least 2; give more people"),
        ("z-norm", 300, 0, "--score-norm z-norm: a cohort of 0 "),
        ("as-norm", 300, 40, r"--top 300: more than the cohort's 40 \(c.npz\); give --top 40 or less"),
    ],
)
def test_cohorts_that_are_too_small(name: str, top: int, n: int, told: str) -> None:
    with pytest.raises(MmbioError, match=told):
        check(name, top, n, "c.npz")
    check("s-norm", 300, 40, "c.npz")


@pytest.mark.parametrize(
    ("cohort", "top", "told"),
    [(COHORT[:1], 2, "at least 2"), (COHORT, 5, "got 4 and 5"), (np.ones((4, 3)), 2, "one dimension")],
)
def test_a_callers_mistakes(cohort: np.ndarray, top: int, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        normalised(np.array([0.5]), ENROLMENT, PROBE, ROW, ROW, cohort, ADAPTIVE, top)
