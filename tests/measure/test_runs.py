"""Sums over runs by hand, and against sums over single trials."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbio.measure.runs import Runs, runs_of

G, M = True, False  # genuine, impostor


@pytest.mark.parametrize(
    ("scores", "genuine", "ends", "has_genuine", "has_impostor"),
    [
        ([1, 2, 3, 4, 5], [M, M, G, G, M], [0, 2, 4, 5], [M, G, M], [True, False, True]),
        ([1, 1, 1], [G, M, G], [0, 3], [True], [True]),
        ([1, 1, 2, 2], [G, M, M, G], [0, 2, 4], [True, True], [True, True]),  # mixed tie groups stay apart
        ([1, 1, 2, 3, 3], [M, M, M, G, M], [0, 3, 5], [False, True], [True, True]),
        ([7], [G], [0, 1], [True], [False]),
    ],
)
def test_runs_by_hand(
    scores: list[float], genuine: list[bool], ends: list[int], has_genuine: list[bool], has_impostor: list[bool]
) -> None:
    found = runs_of(np.array(scores, float), np.array(genuine))
    assert [array.tolist() for array in found] == [ends, has_genuine, has_impostor]


def test_sums_by_hand() -> None:
    runs = Runs.of(np.array([0, 2, 2, 1]), 3, np.array([0, 1, 1, 4]))
    assert runs.before.tolist() == [0, 1, 1, 2]
    assert runs.bounds.tolist() == [0, 1, 4]
    found = runs.cumulated(np.array([[1, 2], [10, 20], [100, 200]]))
    assert found.tolist() == [[0, 1, 211], [0, 2, 422]]


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@given(seed=st.integers(0, 1000), n=st.integers(1, 40), n_draws=st.integers(1, 5))
def test_sums_are_those_over_single_trials(dtype: type[np.signedinteger], seed: int, n: int, n_draws: int) -> None:
    rng = np.random.default_rng(seed)
    member, weights = rng.integers(0, 6, n), rng.integers(0, 5, (6, n_draws)).astype(dtype)
    n_trials = np.append(np.sort(rng.integers(0, n + 1, 8)), n)
    n_trials[0] = 0
    runs = Runs.of(member, 6, n_trials)
    by_trial = np.zeros((n_draws, n + 1), dtype)
    np.cumsum(weights[member].T, axis=1, out=by_trial[:, 1:])
    found = runs.cumulated(weights)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found[:, runs.before], by_trial[:, n_trials])
    np.testing.assert_array_equal(runs.by_run(by_trial), found)
    np.testing.assert_array_equal(runs.by_run(found), found)


def test_sums_past_32_bits() -> None:
    runs = Runs.of(np.zeros(3, np.intp), 1, np.array([0, 2, 3]))
    assert runs.cumulated(np.array([[2**40]])).tolist() == [[0, 2**41, 3 * 2**40]]
