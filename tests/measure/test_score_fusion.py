"""Score rules by hand, and what missing modalities and zero posteriors do to them."""

from math import nan

import numpy as np
import pytest
from numpy.typing import ArrayLike

from mmbio.fuse.config import SCORE_RULES
from mmbio.measure.score_fusion import RULES, fuse

A, B = [0.5, 0.3, 0.2], [0.1, 0.8, 0.1]


def of_two(rule: str, weights: ArrayLike, a: ArrayLike = A, b: ArrayLike = B, there: ArrayLike = (1, 1)) -> np.ndarray:
    posteriors = np.array([[a], [b]], dtype=np.float64)
    fused = fuse(rule, posteriors, np.asarray(weights, dtype=np.float64), np.array([there], dtype=bool))
    return np.asarray(fused[0])


def shares(*values: float) -> np.ndarray:
    given = np.array(values)
    return np.asarray(given / given.sum())


def test_rules_are_those_of_the_configuration() -> None:
    assert tuple(RULES) == SCORE_RULES


@pytest.mark.parametrize(
    ("rule", "weights", "expected"),
    [
        ("score-sum", (0.5, 0.5), shares(0.3, 0.55, 0.15)),
        ("score-sum", (0.8, 0.2), shares(0.42, 0.4, 0.18)),
        ("score-product", (1, 1), shares(0.05, 0.24, 0.02)),
        ("score-product", (0.5, 0.5), shares(0.05**0.5, 0.24**0.5, 0.02**0.5)),
        ("score-product", (2, 1), shares(0.025, 0.072, 0.004)),
        ("score-max", (0.5, 0.5), shares(0.25, 0.4, 0.1)),
        ("score-max", (0.8, 0.2), shares(0.4, 0.24, 0.16)),
    ],
)
def test_by_hand(rule: str, weights: tuple[float, float], expected: np.ndarray) -> None:
    np.testing.assert_allclose(of_two(rule, weights), expected)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("there", [(1, 0), (0, 1)])
def test_a_missing_modality_has_no_say(rule: str, there: tuple[int, int]) -> None:
    alone = A if there[0] else B
    np.testing.assert_allclose(of_two(rule, (1, 1), there=there), alone)
    np.testing.assert_allclose(of_two(rule, there), alone)  # as one of weight 0 has none


@pytest.mark.parametrize("rule", RULES)
def test_nobody_there_gives_equal_posteriors(rule: str) -> None:
    np.testing.assert_allclose(of_two(rule, (0.5, 0.5), there=(0, 0)), 1 / 3)


@pytest.mark.parametrize(
    ("rule", "expected"), [("score-sum", (0.5, 0.5, 0)), ("score-max", (0.5, 0.5, 0)), ("score-product", (0.5, 0.5, 0))]
)
def test_zero_posteriors(rule: str, expected: tuple[float, ...]) -> None:
    found = of_two(rule, (0.5, 0.5), a=[1, 0, 0], b=[0, 1, 0])
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_product_of_many_small_ones_does_not_vanish() -> None:
    posteriors = np.full((3, 1, 2), [[1e-11, 2e-11]])
    np.testing.assert_allclose(fuse("score-product", posteriors, np.full(3, 100.0), np.ones((1, 3), bool))[0, 1], 1.0)


@pytest.mark.parametrize("rule", RULES)
def test_float32_items_are_fused_each_for_itself(rule: str) -> None:
    rng = np.random.default_rng(0)
    posteriors = rng.dirichlet(np.ones(58), size=(3, 20)).astype(np.float32)
    present = rng.random((20, 3)) > 0.3
    weights = np.array([0.5, 0.25, 0.25])
    fused = fuse(rule, posteriors, weights, present)
    assert fused.shape == (20, 58)
    np.testing.assert_allclose(fused.sum(1), 1.0, rtol=1e-12)
    for i in range(20):
        one = fuse(rule, posteriors[:, i : i + 1].astype(np.float64), weights, present[i : i + 1])
        np.testing.assert_allclose(fused[i], one[0])


@pytest.mark.parametrize("rule", RULES)
def test_what_a_fold_does_not_test_stays_untested(rule: str) -> None:
    posteriors = np.array([[[nan, nan], A[:2]], [[nan, nan], B[:2]]])
    fused = fuse(rule, posteriors, np.array([0.5, 0.5]), np.ones((2, 2), bool))
    assert np.isnan(fused[0]).all()
    assert np.isfinite(fused[1]).all()
