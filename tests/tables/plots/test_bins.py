"""Bins of a reliability diagram: equal mass, ties in one bin, intervals that draw subjects."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbio.tables.plots.bins import BINS, equal_mass


def twice(subjects: np.ndarray) -> np.ndarray:
    return np.stack([subjects, subjects], axis=1)


def test_by_hand() -> None:
    confidence = np.repeat([0.2, 0.8], 40)
    right = np.arange(80) % 5 == 0  # a fifth of each
    found = equal_mass(confidence, right, twice(np.arange(80)), seed=0)
    assert found.confidence == pytest.approx([0.2, 0.8])
    assert found.share == pytest.approx([0.2, 0.2])
    assert found.n.tolist() == [40, 40]
    assert found.gap == pytest.approx(0.3)


@given(st.integers(1, 400), st.integers(1, 50), st.integers(0, 99))
def test_every_decision_is_in_one_bin(n: int, levels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    confidence = rng.integers(0, levels + 1, n) / levels
    right = rng.random(n) < confidence
    found = equal_mass(confidence, right, twice(rng.integers(0, 5, n)), seed, draws=20)
    assert found.n.sum() == n
    assert len(found.n) <= BINS
    assert (found.n * found.share).sum() == pytest.approx(right.sum())
    assert (found.n * found.confidence).sum() == pytest.approx(confidence.sum())
    assert (np.diff(found.confidence) > 0).all()


def test_equal_mass_of_distinct_confidences() -> None:
    confidence = np.random.default_rng(0).permutation(1000) / 1000
    assert equal_mass(confidence, confidence > 0.5, twice(np.arange(1000) % 30), 0).n.tolist() == [100] * 10


def test_intervals_are_wider_where_subjects_decide() -> None:
    rng = np.random.default_rng(0)
    subjects = np.repeat(np.arange(20), 50)
    of_subject = np.repeat(rng.random(20) < 0.7, 50)
    alone = rng.random(1000) < 0.7
    confidence = rng.random(1000)
    widths = [
        (found.high - found.low).mean()
        for found in (equal_mass(confidence, right, twice(subjects), 0) for right in (of_subject, alone))
    ]
    assert widths[0] > 1.5 * widths[1]


def test_an_impostor_trial_weighs_both_sides() -> None:
    # Of two subjects, only a draw of both has the trial between them.
    pairs = np.array([[0, 1]] * 40 + [[0, 0]] * 40)
    confidence = np.repeat([0.1, 0.9], 40)
    found = equal_mass(confidence, np.repeat([False, True], 40), pairs, 0)
    assert found.low.tolist() == found.high.tolist() == found.share.tolist() == [0, 1]


def test_no_draw_of_a_bin_leaves_nan() -> None:
    found = equal_mass(np.repeat([0.1, 0.9], 40), np.ones(80, bool), np.array([[0, 1]] * 40 + [[0, 0]] * 40), 0, 0)
    assert np.isnan(found.low).all()


def test_the_same_seed_gives_the_same_intervals() -> None:
    rng = np.random.default_rng(0)
    confidence, subjects = rng.random(200), twice(rng.integers(0, 9, 200))
    first, second, other = (equal_mass(confidence, confidence > 0.3, subjects, seed).low for seed in (0, 0, 1))
    assert first.tolist() == second.tolist() != other.tolist()


@pytest.mark.parametrize("confidence", [np.array([]), np.array([1.1]), np.array([np.nan])])
def test_refused(confidence: np.ndarray) -> None:
    with pytest.raises(ValueError, match="confidences in"):
        equal_mass(confidence, confidence > 0, twice(np.zeros(len(confidence), int)), 0)
