"""Detection costs by hand, against every threshold, and on real scores."""

import re
from math import inf, log, nan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbio.errors import MmbioError
from mmbio.measure.dcf import PRESETS, Cost, act_dcf, min_dcf, min_dcf_preset, preset_text
from mmbio.measure.rates import points

FEW = st.lists(st.integers(-4, 4), min_size=1, max_size=12)
PRIORS = st.sampled_from([0.001, 0.01, 0.05, 0.3, 0.5, 0.9, 0.999])
COSTS = st.sampled_from([0.5, 1.0, 10.0])


def cost_at(genuine: list[int], impostor: list[int], t: float, p: float, c_miss: float, c_fa: float) -> float:
    """The normalised cost at one threshold, as its definition is written."""
    fnmr = sum(s < t for s in genuine) / len(genuine)
    fmr = sum(s >= t for s in impostor) / len(impostor)
    return (c_miss * p * fnmr + c_fa * (1 - p) * fmr) / min(c_miss * p, c_fa * (1 - p))


@pytest.mark.parametrize(
    ("genuine", "impostor", "cost", "expected"),
    [
        ([2, 3], [0, 1], (0.01, 1, 1), 0),
        ([0, 1], [2, 3], (0.01, 1, 1), 1),
        ([0, 0], [0, 0], (0.01, 1, 1), 1),
        ([1, 2, 3, 4], [0, 2], (0.01, 1, 1), 0.5),  # t = 3: two misses, no false match
        ([1, 2, 3, 4], [0, 2], (0.5, 1, 1), 0.5),  # t = 1 or 3
        ([1, 2, 3, 4], [0, 2], (0.99, 1, 1), 0.5),  # t = 1: no miss, one false match
        ([1, 2, 3, 4], [0, 2], (0.5, 1, 0.1), 0.5),
        ([1, 2, 3, 4], [0, 2], (0.5, 10, 9), 0.5),  # 10 x 0 + 9 / 2 against 9
    ],
)
def test_by_hand(genuine: list[int], impostor: list[int], cost: tuple[float, float, float], expected: float) -> None:
    assert min_dcf(points(genuine, impostor), *cost) == pytest.approx(expected, abs=1e-15)


@given(FEW, FEW, PRIORS, COSTS, COSTS)
def test_is_the_least_of_all_thresholds(
    genuine: list[int], impostor: list[int], p: float, c_miss: float, c_fa: float
) -> None:
    costs = [cost_at(genuine, impostor, t, p, c_miss, c_fa) for t in (*genuine, *impostor, inf)]
    found = min_dcf(points(genuine, impostor), p, c_miss, c_fa)
    assert found == pytest.approx(min(costs), rel=1e-12, abs=1e-15)
    assert 0 <= found <= 1


@given(FEW, FEW, PRIORS, COSTS, COSTS)
def test_actual_cost_is_that_of_one_threshold(
    genuine: list[int], impostor: list[int], p: float, c_miss: float, c_fa: float
) -> None:
    t = log(c_fa * (1 - p) / (c_miss * p))
    found = act_dcf(genuine, impostor, p, c_miss, c_fa)
    assert found == pytest.approx(cost_at(genuine, impostor, t, p, c_miss, c_fa), rel=1e-12, abs=1e-15)
    assert found >= min_dcf(points(genuine, impostor), p, c_miss, c_fa) - 1e-12


def test_actual_cost_by_hand() -> None:
    assert act_dcf([3, 5], [0, 4, 4.7], 0.01) == pytest.approx(0.5 + 99 / 3)  # t = log 99 = 4.595
    assert act_dcf([0, 1], [0, -1], 0.5) == pytest.approx(0 + 1 / 2)  # a score at t = 0 is accepted
    assert act_dcf([0.0, 0.0], [0.0], 0.01) == 1  # all rejected


def test_float32_scores_meet_the_threshold_itself() -> None:
    t = log(99)
    above, below = np.nextafter(np.float32(t), np.array([9, 0], np.float32))
    rounded = np.float32(t)
    accepted = [bool(s >= t) for s in (float(above), float(rounded), float(below))]
    found = [act_dcf(np.array([s]), np.array([0], np.float32), 0.01) == 0 for s in (above, rounded, below)]
    assert found == accepted


@pytest.mark.parametrize("p_target", [0, 1, -0.1, 1.5, nan, inf])
def test_priors_outside_0_and_1(p_target: float) -> None:
    found = points([1], [0])
    sentence = re.escape(f"--p-target {p_target}: expected a probability between 0 and 1")
    with pytest.raises(MmbioError, match=sentence):
        min_dcf(found, p_target)
    with pytest.raises(MmbioError, match=sentence):
        act_dcf([1], [0], p_target)


@pytest.mark.parametrize(("c_miss", "c_fa"), [(0, 1), (1, -1), (nan, 1), (1, inf)])
def test_costs_that_are_none(c_miss: float, c_fa: float) -> None:
    with pytest.raises(ValueError, match="expected positive costs"):
        Cost(0.01, c_miss, c_fa)


def test_bad_log_likelihood_ratios() -> None:
    with pytest.raises(MmbioError, match="0 NaN and 1 infinite scores in 2 genuine and 1 impostor trials"):
        act_dcf([1, inf], [0])


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (Cost(), "P=0.01 C=1,1"),
        (Cost(0.01, 10, 1), "P=0.01 C=10,1"),
        (Cost(0.005, 0.5, 1e6), "P=0.005 C=0.5,1e+06"),
        (Cost(1e-07), "P=1e-07 C=1,1"),
        (Cost(1e-300), "P=1e-300 C=1,1"),
        (Cost(0.0123456789), "P=0.0123456789 C=1,1"),
    ],
)
def test_text(cost: Cost, text: str) -> None:
    assert cost.text == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sre08", "P=0.01 C=10,1"),
        ("sre10", "P=0.001 C=1,1"),
        ("sre12", "mean of P=0.01 C=1,1 and P=0.001 C=1,1"),
        ("sre16", "mean of P=0.01 C=1,1 and P=0.005 C=1,1"),
        ("voxceleb", "P=0.05 C=1,1"),
    ],
)
def test_presets_name_their_parameters(name: str, text: str) -> None:
    assert preset_text(name) == text


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_the_mean_of_its_costs(name: str) -> None:
    rng = np.random.default_rng(0)
    found = points(rng.normal(3, 1, 500), rng.normal(0, 1, 5000))
    expected = [min_dcf(found, cost.p_target, cost.c_miss, cost.c_fa) for cost in PRESETS[name]]
    assert min_dcf_preset(found, name) == pytest.approx(np.mean(expected))


def test_golden_figures_on_real_scores(real_data: Path) -> None:
    scores = np.load(real_data / "voxceleb/scores/ghostvlad_scores.npy", allow_pickle=False)
    labels = np.load(real_data / "voxceleb/scores/ghostvlad_labels.npy", allow_pickle=False)
    found = points(scores[labels == 1], scores[labels == 0])
    assert min_dcf(found) == pytest.approx(0.3916, abs=5e-5)
    assert min_dcf_preset(found, "voxceleb") == pytest.approx(0.2540, abs=5e-5)
    assert min_dcf_preset(found, "sre08") == pytest.approx(0.2061, abs=5e-5)
