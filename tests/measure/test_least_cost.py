"""Error rates and costs against a plain look at every threshold: the same numbers, to the last bit."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbio.measure import least_cost as module
from mmbio.measure.dcf import Cost, min_dcf
from mmbio.measure.least_cost import least_cost, least_costs
from mmbio.measure.rates import CONVENTIONS, Counts, det, eer, points

FEW = st.lists(st.integers(-4, 4), min_size=1, max_size=12)
PRIORS = (1e-12, 0.001, 0.01, 0.3, 0.5, 0.9, 1 - 1e-12)
COSTS = [Cost(p, *c) for p in PRIORS for c in ((1.0, 1.0), (10.0, 1.0), (0.5, 3.0))]
Scores = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Plain:
    """All operating points, each looked at."""

    thresholds: np.ndarray
    misses: np.ndarray
    false_matches: np.ndarray

    @classmethod
    def of(cls, genuine: np.ndarray, impostor: np.ndarray) -> "Plain":
        thresholds = np.append(np.unique(np.concatenate([genuine, impostor])), genuine.dtype.type(np.inf))
        below = [np.sort(scores).searchsorted(thresholds) for scores in (genuine, impostor)]
        return cls(thresholds, below[0], impostor.size - below[1])

    @property
    def sizes(self) -> Counts:
        return int(self.misses[-1]), int(self.false_matches[0])

    def at(self, k: int) -> Counts:
        return int(self.misses[k]), int(self.false_matches[k])

    def gap(self, k: int) -> int:
        (miss, match), (n, m) = self.at(k), self.sizes
        return miss * m - match * n

    def cheapest(self, miss: float, false_match: float, start: int = 0, stop: int | None = None) -> int:
        part = slice(start, stop)
        return start + int((miss * self.misses[part] + false_match * self.false_matches[part]).argmin())

    def on_line(self, left: int, right: int) -> float:
        below, above = self.gap(left), self.gap(right)
        return (self.at(left)[0] * above - self.at(right)[0] * below) / ((above - below) * self.sizes[0])

    def eers(self) -> dict[str, float]:
        n, m = self.sizes
        k = int(np.argmax(self.misses.astype(np.int64) * m >= self.false_matches.astype(np.int64) * n))
        miss, match = self.at(k if self.gap(k) <= -self.gap(k - 1) else k - 1)
        return {
            "linear": self.on_line(k - 1, k),
            "rocch": self.rocch(),
            "nearest-mean": (miss * m + match * n) / (2 * n * m),
            "nearest-max": max(miss / n, match / m),
        }

    def rocch(self) -> float:
        left, right = 0, len(self.misses) - 1
        while True:
            fall, rise = self.at(left)[1] - self.at(right)[1], self.at(right)[0] - self.at(left)[0]
            k = self.cheapest(fall, rise, left, right + 1)
            if fall * self.at(k)[0] + rise * self.at(k)[1] >= fall * self.at(left)[0] + rise * self.at(left)[1]:
                return self.on_line(left, right)
            left, right = (k, right) if self.gap(k) < 0 else (left, k)

    def min_dcf(self, cost: Cost) -> float:
        n, m = self.sizes
        miss, match = self.at(self.cheapest(cost.of_misses / n, cost.of_false_matches / m))
        return min(1.0, cost.of_misses * (miss / n) + cost.of_false_matches * (match / m))

    def det(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        last, kept = len(self.misses) - 1, np.arange(len(self.misses))
        if last >= n:
            ends = np.log(2.0 * np.array(self.sizes))
            spread = [1 / (1 + np.exp(-np.linspace(-end, end, (n - 2) // 2))) for end in ends]
            counts = [np.round(size * of) for size, of in zip(self.sizes, spread, strict=True)]
            by_matches = np.searchsorted(-self.false_matches, -counts[1])
            kept = np.unique(np.concatenate([np.searchsorted(self.misses, counts[0]), by_matches, [0, last]]))
        return self.false_matches[kept] / self.sizes[1], self.misses[kept] / self.sizes[0]


def normal(n_genuine: int, n_impostor: int, digits: int = 9, mean: float = 1.0) -> Scores:
    rng = np.random.default_rng([n_genuine, n_impostor, digits])
    return rng.normal(mean, 1, n_genuine).round(digits), rng.normal(0, 1, n_impostor).round(digits)


CASES: dict[str, Callable[[], Scores]] = {
    "one of each": lambda: (np.array([1.0]), np.array([0.0])),
    "one tie": lambda: (np.array([1.0]), np.array([1.0])),
    "one distinct score": lambda: (np.full(40, 0.3), np.full(70, 0.3)),
    "inverted": lambda: (np.arange(5.0), np.arange(5.0) + 9),
    "perfect": lambda: (np.arange(50.0) + 60, np.arange(50.0)),
    "every other": lambda: (np.arange(500.0), np.arange(500.0) + 0.5),  # all costs alike: nothing can be left out
    "signed zeros": lambda: (np.array([0.0, -0.0, 1, 0]), np.array([-0.0, 0.0, -1])),
    "lowest impostor": lambda: (np.array([1.0, 2, 3]), np.array([0.0, 0, 2.5])),
    "few genuine": lambda: normal(7, 3000),
    "few impostor": lambda: normal(3000, 7),
    "no skill": lambda: normal(2000, 2000, mean=0.0),
    "half tied at 0": lambda: (normal(999, 1)[0] * (np.arange(999) % 2), normal(1, 999)[1] * (np.arange(999) % 2)),
    "ties": lambda: normal(50_000, 50_000, 2),
    "few ties": lambda: normal(20_000, 80_000, 4, mean=3.0),
    "float32": lambda: (normal(50_000, 50_000)[0].astype(np.float32), normal(50_000, 50_000)[1].astype(np.float32)),
}


@pytest.mark.parametrize("name", CASES)
def test_is_what_a_look_at_every_threshold_finds(name: str) -> None:
    scores = CASES[name]()
    found, plain = points(*scores), Plain.of(*scores)
    assert {convention: eer(found, convention) for convention in CONVENTIONS} == plain.eers()
    for cost in COSTS:
        assert min_dcf(found, cost.p_target, cost.c_miss, cost.c_fa) == plain.min_dcf(cost)
        weights = cost.of_misses / found.n_genuine, cost.of_false_matches / found.n_impostor
        assert found.cheapest(*weights) == plain.at(plain.cheapest(*weights))
    for n in (2, 3, 10, 1000):
        for rates, expected in zip(det(found, n), plain.det(n), strict=True):
            np.testing.assert_array_equal(rates, expected)
    assert found.thresholds.dtype == scores[0].dtype
    for array in ("thresholds", "misses", "false_matches"):
        np.testing.assert_array_equal(getattr(found, array), getattr(plain, array))


@given(FEW, FEW, st.sampled_from(COSTS))
def test_of_few_scores(genuine: list[int], impostor: list[int], cost: Cost) -> None:
    scores = np.array(genuine, float), np.array(impostor, float)
    found, plain = points(*scores), Plain.of(*scores)
    assert {convention: eer(found, convention) for convention in CONVENTIONS} == plain.eers()
    assert min_dcf(found, cost.p_target, cost.c_miss, cost.c_fa) == plain.min_dcf(cost)
    assert [found.at(t) for t in plain.thresholds] == [plain.at(k) for k in range(len(plain.thresholds))]


@pytest.mark.parametrize("name", ["every other", "no skill", "half tied at 0"])
@pytest.mark.parametrize(("parts", "chunk"), [(2, 2), (3, 7), (16, 16)])
def test_pieces_change_nothing(name: str, parts: int, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PARTS", parts)
    monkeypatch.setattr(module, "CHUNK", chunk)
    test_is_what_a_look_at_every_threshold_finds(name)


@given(FEW, FEW, st.data())
def test_a_part_of_the_points(genuine: list[int], impostor: list[int], data: st.DataObject) -> None:
    scores = np.sort(np.array(genuine, float)), np.sort(np.array(impostor, float))
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, len(genuine))] * 2)))
    miss, false_match = data.draw(st.tuples(*[st.integers(0, 3)] * 2))
    ends = [*scores[0].tolist(), np.inf]
    matches = [int((scores[1] >= ends[j]).sum()) for j in range(start, stop + 1)]
    costs = [miss * j + false_match * match for j, match in zip(range(start, stop + 1), matches, strict=True)]
    k = int(np.argmin(costs))
    assert least_cost(*scores, miss, false_match, start, stop) == (start + k, matches[k])


@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 64, 65, 1000])
@pytest.mark.parametrize("levels", [3, 10_000])
def test_of_many_curves(n: int, levels: int) -> None:
    rng = np.random.default_rng([n, levels])
    misses, matches = (np.cumsum(rng.integers(0, levels, (7, n)), axis=1) for _ in range(2))
    fnmr, fmr = misses / (misses[:, -1:] + 1), 1 - matches / (matches[:, -1:] + 1)
    weights = [(1.0, 99.0), (1.0, 1.0), (5.0, 1.0)]
    looked: list[int] = []

    def rates(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        looked.extend(at.tolist())
        return fnmr[:, at], fmr[:, at]

    found = least_costs(rates, n, weights)
    np.testing.assert_array_equal(found, [(miss * fnmr + match * fmr).min(1) for miss, match in weights])
    assert set(looked) <= set(range(n))
