"""The subject bootstrap against lists in which trials stand as often as they weigh."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mmbio.errors import MmbioError
from mmbio.measure import trial_bootstrap as module
from mmbio.measure.dcf import DEFAULT, Cost, min_dcf
from mmbio.measure.intervals import of_error_rate, wilson
from mmbio.measure.rates import eer, points
from mmbio.measure.trial_bootstrap import (
    STATISTICS,
    SortedTrials,
    Sums,
    eers,
    min_dcfs,
    percentiles,
    sums_of,
    trial_bootstrap,
    trial_bootstrap_draws,
)

COSTS = (Cost(0.3), Cost(0.01, 10, 1))


@dataclass(frozen=True)
class Trials:
    """A trial list as the bootstrap takes it."""

    scores: np.ndarray
    genuine: np.ndarray
    enrolment: np.ndarray
    probe: np.ndarray

    def args(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        return self.scores, self.genuine, self.enrolment, self.probe

    def at(self, index: np.ndarray) -> "Trials":
        return Trials(*(array[index] for array in self.args()))


def random_trials(seed: int, n_subjects: int = 5, n: int = 60, levels: int = 6, spread: float = 1.0) -> Trials:
    """Trials of few score levels, so that ties abound; each subject has an offset of its own."""
    rng = np.random.default_rng([seed, 99])
    enrolment = np.concatenate([np.arange(n_subjects), rng.integers(0, n_subjects, n)])
    genuine = np.arange(enrolment.size) % 2 == 0
    probe = np.where(genuine, enrolment, (enrolment + rng.integers(1, n_subjects, enrolment.size)) % n_subjects)
    offsets = rng.normal(0, spread, n_subjects)
    scores = rng.normal(genuine + offsets[enrolment] / 2 + offsets[probe] / 2)
    return Trials(np.round(scores * levels / 4), genuine, enrolment, probe)


def times(seed: int, draws: int, n_subjects: int) -> np.ndarray:
    return np.random.default_rng(seed).multinomial(n_subjects, np.full(n_subjects, 1 / n_subjects), size=draws)


def by_repetition(trials: Trials, weights: np.ndarray, costs: Sequence[Cost] = COSTS) -> tuple[float, float]:
    """EER and minDCF of the list in which each trial stands as often as it weighs; NaN where a kind is gone."""
    weigh = np.where(trials.genuine, weights[trials.enrolment], weights[trials.enrolment] * weights[trials.probe])
    scores, genuine = np.repeat(trials.scores, weigh), np.repeat(trials.genuine, weigh)
    if genuine.all() or not genuine.any():
        return np.nan, np.nan
    found = points(scores[genuine], scores[~genuine])
    return eer(found), float(np.mean([min_dcf(found, c.p_target, c.c_miss, c.c_fa) for c in costs]))


@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(0, 40), st.sampled_from([1, 4, 1000]))
@example(seed=0, n_subjects=9, n=4000, levels=4)
@example(seed=0, n_subjects=9, n=4000, levels=1000)
def test_equals_repeated_trials(seed: int, n_subjects: int, n: int, levels: int) -> None:
    trials = random_trials(seed, n_subjects, n, levels)
    drawn = trial_bootstrap_draws(*trials.args(), seed=seed, costs=COSTS, draws=8)
    expected = np.array([by_repetition(trials, weights) for weights in times(seed, 8, n_subjects)])
    np.testing.assert_allclose(drawn["eer"], expected[:, 0], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(drawn["min_dcf"], expected[:, 1], rtol=1e-12, atol=1e-15)


@given(st.integers(0, 10_000), st.integers(0, 300), st.sampled_from([1, 4, 1000]))
def test_sums_by_run_and_by_trial_tell_the_same(seed: int, n: int, levels: int) -> None:
    trials = SortedTrials.of(*random_trials(seed, 5, n, levels).args())
    weights = times(seed, 8, 5)
    sums = sums_of(trials, weights)
    of_trials = (
        weights[sums.kept].take(trials.genuine, 1),
        np.prod([weights[sums.kept].take(side, 1) for side in (trials.enrolment, trials.probe)], axis=0),
    )
    by_trial = Sums(sums.kept, *(np.cumsum(np.pad(of, ((0, 0), (1, 0))), axis=1) for of in of_trials))
    np.testing.assert_array_equal(eers(trials, sums), eers(trials, by_trial))
    runs = (trials.of_genuine, by_trial.genuine), (trials.of_impostor, by_trial.impostor)
    below = [sums[:, of.bounds[of.before[trials.corners]]] / sums[:, -1:] for of, sums in runs]
    plain = [(c.of_misses * below[0] + c.of_false_matches * (1 - below[1])).min(1) for c in COSTS]
    for of in (sums, by_trial):
        np.testing.assert_array_equal(min_dcfs(trials, of, COSTS), np.minimum(1.0, np.mean(plain, axis=0)))


def test_intervals_are_those_of_the_draws() -> None:
    trials = random_trials(0, 20, 400)
    found = trial_bootstrap(*trials.args(), seed=3, draws=100)
    drawn = trial_bootstrap_draws(*trials.args(), seed=3, draws=100)
    for name in STATISTICS:
        np.testing.assert_array_equal(found.draws[name], drawn[name])
        value = by_repetition(trials, np.ones(20, int), (DEFAULT,))[STATISTICS.index(name)]
        low, high = of_error_rate(value, drawn[name], 20)
        assert found.intervals[name] == pytest.approx((low, min(1.0, high)))
        assert found.methods[name] == "subject-bootstrap"
    assert found.n_left_out == 0


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_percentiles(level: float) -> None:
    assert percentiles(np.array([np.nan, *np.arange(101)]), level) == pytest.approx((50 - 50 * level, 50 + 50 * level))


@pytest.mark.parametrize("batch", [1, 500, 5000])
def test_batches_change_nothing(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    trials = random_trials(0, 8, 120)
    whole = trial_bootstrap_draws(*trials.args(), seed=0, draws=30)
    monkeypatch.setattr(module, "BATCH", batch)
    pieces = trial_bootstrap_draws(*trials.args(), seed=0, draws=30)
    for name in STATISTICS:
        np.testing.assert_array_equal(pieces[name], whole[name])


def test_order_sides_and_names_do_not_matter() -> None:
    trials = random_trials(0, 8, 120, levels=1000)
    other = trials.at(np.random.default_rng(0).permutation(trials.scores.size))
    a = trial_bootstrap_draws(*trials.args(), seed=0, draws=30)
    b = trial_bootstrap_draws(
        other.scores.astype(np.float32), other.genuine, other.probe * 10 + 7, other.enrolment * 10 + 7, seed=0, draws=30
    )
    for name in STATISTICS:
        np.testing.assert_array_equal(a[name], b[name])


def test_the_seed_decides() -> None:
    trials = random_trials(0, 8, 120)
    a, b = (trial_bootstrap_draws(*trials.args(), seed=seed, draws=30)["eer"] for seed in (0, 1))
    assert not np.array_equal(a, b)


@pytest.mark.parametrize("names", [("eer",), ("min_dcf",), ("min_dcf", "eer"), ()])
def test_only_what_is_asked_for(names: tuple[str, ...]) -> None:
    found = trial_bootstrap(*random_trials(0).args(), seed=0, statistics=names, draws=5)
    assert set(found.intervals) == set(found.draws) == set(names)


def one_pair() -> Trials:
    """Two subjects, one impostor trial: a draw of one subject alone has no impostor weight."""
    return Trials(np.array([2.0, 1, 0]), np.array([True, True, False]), np.array([0, 1, 0]), np.array([0, 1, 1]))


def test_draws_without_a_kind_are_left_out_and_counted() -> None:
    found = trial_bootstrap(*one_pair().args(), seed=0, draws=40)
    expected = (times(0, 40, 2) == 0).any(1)
    assert 0 < found.n_left_out == expected.sum() < 40
    np.testing.assert_array_equal(np.isnan(found.draws["eer"]), expected)


def ring(n_subjects: int, low: float = 0, high: float = 1) -> Trials:
    """One genuine trial of each subject, and one impostor trial with the next."""
    subjects = np.arange(n_subjects)
    genuine = np.repeat([True, False], n_subjects)
    probe = np.concatenate([subjects, (subjects + 1) % n_subjects])
    return Trials(np.where(genuine, high, low), genuine, np.tile(subjects, 2), probe)


def assert_none(found: module.TrialBootstrap, why: str) -> None:
    assert set(found.methods.values()) == {why}
    assert np.isnan([*found.intervals["eer"], *found.intervals["min_dcf"]]).all()


def test_no_interval_of_two_subjects() -> None:
    assert_none(trial_bootstrap(*one_pair().args(), seed=0, draws=40), "none: fewer than 3 subjects")


def test_no_interval_where_every_draw_is_left_out() -> None:
    seed = next(seed for seed in range(1000) if (times(seed, 1, 3) == 3).any())
    found = trial_bootstrap(*ring(3).args(), seed=seed, draws=1)
    assert found.n_left_out == 1
    assert_none(found, "none: no draw of subjects has both kinds of trials")


def test_one_subject_has_no_impostors() -> None:
    with pytest.raises(MmbioError, match="2 genuine and 0 impostor trials: expected at least one of each kind"):
        trial_bootstrap(np.array([0.0, 1]), np.array([True, True]), np.zeros(2), np.zeros(2), seed=0)


@pytest.mark.parametrize("n_subjects", [3, 8, 61])
def test_scores_that_part_have_wilsons_width_of_disjoint_pairs(n_subjects: int) -> None:
    perfect, inverted = (
        trial_bootstrap(*ring(n_subjects, *ends).args(), seed=0, draws=50) for ends in ((0, 1), (1, 0))
    )
    most = wilson(0, n_subjects // 2)[1]
    assert perfect.intervals == {"eer": (0, most), "min_dcf": (0, 1)}
    assert set(perfect.methods.values()) == {"wilson-by-subject"}
    assert inverted.intervals == {"eer": (1 - most, 1), "min_dcf": (1, 1)}
    assert inverted.methods == {"eer": "wilson-by-subject", "min_dcf": "subject-bootstrap"}


def test_one_enrolled_subject_is_one_pair() -> None:
    star = Trials(np.array([1.0, 0, 0, 0]), np.arange(4) == 0, np.zeros(4, int), np.arange(4))
    assert trial_bootstrap(*star.args(), seed=0, draws=50).intervals["eer"] == (0, wilson(0, 1)[1])


def test_the_most_that_a_cost_of_zero_may_be() -> None:
    found = trial_bootstrap(*ring(400).args(), seed=0, costs=(Cost(0.5), Cost(0.4)), draws=20)
    miss, match = wilson(0, 400)[1], wilson(0, 200)[1]
    assert found.intervals["min_dcf"] == pytest.approx((0, (miss + match + miss + 1.5 * match) / 2))


def test_errors_of_one_subject_are_not_taken_for_those_of_all() -> None:
    trials = ring(60)
    trials.scores[0] = -1.0  # of one genuine trial
    found = trial_bootstrap(*trials.args(), seed=0, draws=100)
    assert set(found.methods.values()) == {"wilson-by-subject"}
    assert found.intervals["eer"] == pytest.approx(wilson(30 / 60, 30))
    assert found.intervals["min_dcf"] == (0, 1)
    opposite = trial_bootstrap(-trials.scores, *trials.args()[1:], seed=0, draws=100)
    assert opposite.intervals["eer"] == pytest.approx(tuple(1 - end for end in reversed(found.intervals["eer"])))


def test_an_inverted_score_has_the_interval_mirrored() -> None:
    trials = random_trials(0, 30, 600, levels=1000)
    a, b = (trial_bootstrap(sign * trials.scores, *trials.args()[1:], seed=0, draws=100) for sign in (1, -1))
    assert b.intervals["eer"] == pytest.approx(tuple(1 - end for end in reversed(a.intervals["eer"])))


def test_scores_that_are_all_equal_have_one_eer() -> None:
    found = trial_bootstrap(*ring(9, 1, 1).args(), seed=0, draws=20)
    assert found.intervals == {"eer": (0.5, 0.5), "min_dcf": (1, 1)}


def uneven_subjects(rng: np.random.Generator, n_subjects: int = 40, each: int = 60) -> Trials:
    """Subjects who differ in how well they match themselves."""
    enrolment = np.repeat(np.arange(n_subjects), 2 * each)
    genuine = np.tile(np.arange(2 * each) < each, n_subjects)
    probe = np.where(genuine, enrolment, (enrolment + rng.integers(1, n_subjects, enrolment.size)) % n_subjects)
    match = rng.normal(2, 1, n_subjects)
    return Trials(rng.normal(genuine * match[enrolment]), genuine, enrolment, probe)


def test_spread_is_that_of_fresh_subjects_and_not_of_fresh_trials() -> None:
    rng = np.random.default_rng(0)

    def value(trials: Trials) -> float:
        return eer(points(trials.scores[trials.genuine], trials.scores[~trials.genuine]))

    trials = uneven_subjects(rng)
    n = trials.scores.size
    found = trial_bootstrap(*trials.args(), seed=0, draws=200)
    truth = np.std([value(uneven_subjects(rng)) for _ in range(200)])
    of_trials = np.std([value(trials.at(rng.integers(0, n, n))) for _ in range(200)])
    assert found.intervals["eer"][0] < value(trials) < found.intervals["eer"][1]
    assert np.std(found.draws["eer"]) == pytest.approx(truth, rel=0.35)
    assert of_trials < truth / 2


def test_paired_draws_see_a_difference_that_intervals_hide() -> None:
    trials = random_trials(0, 40, 4000, levels=1000)
    better = trials.scores + 40.0 * trials.genuine
    a, b = (
        trial_bootstrap(scores, trials.genuine, trials.enrolment, trials.probe, seed=0, draws=200)
        for scores in (trials.scores, better)
    )
    assert a.intervals["eer"][0] < b.intervals["eer"][1]
    assert percentiles(a.draws["eer"] - b.draws["eer"])[0] > 0
    assert percentiles(a.draws["eer"] - a.draws["eer"]) == (0, 0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"scores": [np.nan, 1, 0]}, "1 NaN and 0 infinite scores"),
        ({"genuine": [True, True, True], "probe": [0, 1, 0]}, "3 genuine and 0 impostor trials"),
        ({"genuine": [True, False, False]}, r"trial 2: impostor of one subject \(1 of 3 trials"),
        ({"probe": [1, 0, 1]}, r"trial 1: genuine between two subjects \(2 of 3 trials"),
    ],
)
def test_bad_trials(change: dict[str, list[float]], says: str) -> None:
    trials = Trials(**{**vars(one_pair()), **{name: np.array(values) for name, values in change.items()}})
    with pytest.raises(MmbioError, match=says):
        trial_bootstrap(*trials.args(), seed=0, draws=2)


def test_mistakes_of_callers() -> None:
    scores, genuine, enrolment, probe = one_pair().args()
    with pytest.raises(ValueError, match=r"expected statistics of .* got \['rocch'\] and 1 costs"):
        trial_bootstrap(scores, genuine, enrolment, probe, seed=0, statistics=("rocch",))
    with pytest.raises(ValueError, match="and 0 costs"):
        trial_bootstrap(scores, genuine, enrolment, probe, seed=0, costs=())
    with pytest.raises(ValueError, match=r"expected four \(T,\) arrays"):
        trial_bootstrap(scores, genuine, enrolment[:2], probe, seed=0)
    with pytest.raises(ValueError, match="genuine bool"):
        trial_bootstrap(scores, genuine.astype(int), enrolment, probe, seed=0)
