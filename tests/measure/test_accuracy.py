"""Accuracy: each item once, however many folds test it."""

from math import nan

import numpy as np
import pytest

from mmbio.measure.accuracy import accuracy, majority
from mmbio.measure.intervals import of_accuracy, wilson

SUBJECTS = np.array([0, 0, 1, 1])


def test_folds_on_one_common_test_set() -> None:
    correct = np.array([[1, 0, 1, 1], [1, 1, 1, 1], [1, 0, 0, 1]], dtype=float)
    subjects = np.array([0, 1, 2, 2])
    found = accuracy(correct, subjects, seed=3)
    assert found.n == 4  # never 12
    assert found.folds == pytest.approx((0.75, 1.0, 0.5))
    assert found.value == pytest.approx(0.75)
    assert (found.low, found.high, found.method) == of_accuracy(np.array([1, 1 / 3, 2 / 3, 1]), subjects, 3)


def test_an_interval_of_fold_averaged_correctness() -> None:
    correct = np.random.default_rng(0).random((8, 60)) < 0.8
    found = accuracy(correct.astype(float), np.repeat(np.arange(20), 3), seed=0)
    assert found.method == "subject-bootstrap"
    assert 0.7 < found.low < found.value < found.high < 0.9


def test_folds_that_test_different_items() -> None:
    correct = np.array([[1, 0, nan, nan], [nan, nan, 1, 1]])
    found = accuracy(correct, SUBJECTS, seed=0)
    assert found.n == 4
    assert found.folds == (0.5, 1.0)
    assert found.value == 0.75


def test_each_item_counts_once_where_folds_differ_in_size() -> None:
    found = accuracy(np.array([[1, 1, 1, nan], [1, nan, nan, 0]]), SUBJECTS, seed=0)
    assert found.value == 0.75
    assert found.folds == (1.0, 0.5)


def test_an_item_that_no_fold_tests_is_left_out() -> None:
    found = accuracy(np.array([[1, nan, 0, nan], [1, nan, nan, nan]]), SUBJECTS, seed=0)
    assert (found.n, found.value, found.folds) == (2, 0.5, (0.5, 1.0))


def test_one_fold_always_right() -> None:
    found = accuracy(np.ones((1, 4)), SUBJECTS, seed=0)
    assert (found.value, found.n, found.folds, found.method) == (1.0, 4, (1.0,), "wilson-by-subject")
    assert (found.low, found.high) == wilson(2, 2)


def test_one_subject_has_an_accuracy_without_an_interval() -> None:
    found = accuracy(np.array([[1.0, 0, 1, 1]]), np.zeros(4, int), seed=0)
    assert (found.value, found.method) == (0.75, "none: one subject")
    assert np.isnan([found.low, found.high]).all()


@pytest.mark.parametrize(
    ("labels", "share"), [([0, 0, 1], 2 / 3), ([1, 1, 1], 1.0), ([0, 1], 0.5), ([0], 1.0), ([1, 0, 1, 1], 0.75)]
)
def test_majority(labels: list[int], share: float) -> None:
    assert majority(np.array(labels)) == pytest.approx(share)
