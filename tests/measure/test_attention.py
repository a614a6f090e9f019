"""Attention analysis: by hand, against slow twins, its error rates on simulations, and bad input."""

import csv
import io
import itertools
from dataclasses import replace
from math import inf, nan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbio.errors import MmbioError
from mmbio.measure.attention import COLUMNS, Analysis, analyse, clustered, holm_adjusted, permutation_p, to_csv, wald

AV = ("face", "voice")
# Mean 0.5: above are samples 0, 1, 2 and 5.
FACE = np.array([0.9, 0.7, 0.6, 0.3, 0.2, 0.6, 0.4, 0.3])
WEIGHTS = np.stack([FACE, 1 - FACE], 1)
SUBJECTS = np.array(["a", "a", "a", "b", "b", "c", "c", "d"])
HAT = np.array([1, 1, 0, 1, 0, 1, nan, 0])


def simulated(
    n_subjects: int = 40, each: int = 40, seed: int = 0, n_sessions: int = 5, spread: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits of face weights, subjects and sessions, both of which move the logits by `spread`."""
    rng = np.random.default_rng(seed)
    subject = np.repeat(np.arange(n_subjects), each)
    session = rng.integers(0, n_sessions, len(subject))
    effects = (
        rng.normal(0, spread, n_subjects)[subject] + rng.normal(0, spread, (n_subjects, n_sessions))[subject, session]
    )
    return effects + rng.normal(0, 1, len(subject)), subject, session


def of(logits: np.ndarray) -> np.ndarray:
    face = 1 / (1 + np.exp(-logits))
    return np.stack([face, 1 - face], 1)


def test_by_hand() -> None:
    found = analyse(WEIGHTS, AV, SUBJECTS, {"hat": HAT})
    face, voice = found.rows
    assert (face.attribute, face.modality, face.share, face.n, face.n_subjects) == ("hat", "face", 0.75, 4, 3)
    assert (voice.modality, voice.share) == ("voice", 0.25)
    half = 1.96 * sqrt(0.75 * 0.25 / 4)
    assert (face.wald_low, face.wald_high) == pytest.approx((0.75 - half, 0.75 + half))
    assert (found.n, found.n_nan, found.n_masked) == (8, 0, 0)
    assert found.means == pytest.approx({"face": 0.5, "voice": 0.5})
    assert found.above == {"face": 0.5, "voice": 0.5}
    assert not face.listed


def test_the_papers_half_width() -> None:
    low, high = wald(0.7489, 447)
    assert (high - low) / 2 == pytest.approx(0.0402, abs=5e-5)  # table 3b, Bald


def test_rows_left_out_count_for_nothing() -> None:
    weights = np.vstack([WEIGHTS, [[nan, nan], [1.0, 0.0], [nan, 1.0]]])
    present = np.array([[True, True]] * 9 + [[True, False], [False, True]])
    subjects, hat = np.append(SUBJECTS, ["e", "e", "e"]), np.append(HAT, [1, 1, 1])
    found = analyse(weights, AV, subjects, {"hat": hat}, present=present)
    assert found == replace(analyse(WEIGHTS, AV, SUBJECTS, {"hat": HAT}), n_nan=2, n_masked=1)


@pytest.mark.parametrize("a", [np.zeros(8), np.full(8, nan), np.where(HAT == 1, nan, 0)])
def test_nobody_has_it(a: np.ndarray) -> None:
    for row in analyse(WEIGHTS, AV, SUBJECTS, {"hat": a}).rows:
        assert (row.n, row.n_subjects, row.listed, row.listed_clustered) == (0, 0, False, False)
        assert np.isnan([row.share, row.wald_low, row.clustered_low, row.p, row.p_holm]).all()


def test_everybody_has_it() -> None:
    for row in analyse(WEIGHTS, AV, SUBJECTS, {"hat": np.ones(8)}).rows:
        assert (row.n, row.n_subjects, row.share) == (8, 4, 0.5)
        assert np.isnan([row.p, row.p_holm]).all()


def test_equal_weights_are_not_above_their_mean() -> None:
    found = analyse(np.full((8, 2), [0.7, 0.3]), AV, SUBJECTS, {"hat": HAT})
    assert found.above == {"face": 0.0, "voice": 0.0}
    assert [row.p for row in found.rows] == [1.0, 1.0]


@given(st.lists(st.floats(0, 1, width=32), min_size=8, max_size=8), st.integers(0, 255))
def test_two_modalities_are_complements_up_to_ties(face: list[float], having: int) -> None:
    alpha = np.array(face, dtype=np.float32)
    a = np.array([having >> i & 1 for i in range(8)], dtype=float)
    found = analyse(np.stack([alpha, 1 - alpha], 1), AV, SUBJECTS, {"hat": a}, permutations=20)
    ties = np.abs(alpha.astype(float) - found.means["face"]) < 1e-6
    if not ties.any() and a.any():
        one, other = found.rows
        assert one.share + other.share == pytest.approx(1.0)
        assert one.clustered_low == pytest.approx(1 - other.clustered_high, nan_ok=True)
        assert (one.p, one.p_holm) == pytest.approx((other.p, other.p_holm), nan_ok=True)


def test_three_modalities_are_no_complements() -> None:
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(3), 600)
    hat = (weights[:, 0] > 0.4).astype(float)
    rows = analyse(weights, ("ecg", "face", "finger"), np.arange(600) % 30, {"hat": hat}).rows
    assert [row.modality for row in rows] == ["ecg", "face", "finger"]
    assert [row.share > 0.6 for row in rows] == [True, False, False]
    assert sum(row.share for row in rows) != pytest.approx(1.0, abs=0.1)
    assert all(row.listed and row.listed_clustered for row in rows)  # the rule speaks of the attribute
    assert max(row.p for row in rows) < 0.01


def test_an_attribute_does_not_depend_on_the_others() -> None:
    other = {"other": np.array([0, 0, 1, 1, 0, 1, 0, 1.0])}
    alone = analyse(WEIGHTS, AV, SUBJECTS, {"hat": HAT}).rows
    assert [row.p for row in analyse(WEIGHTS, AV, SUBJECTS, other | {"hat": HAT}).rows[2:]] == [row.p for row in alone]


def test_the_seed_decides() -> None:
    logits, subject, session = simulated()
    hat = {"hat": (session > 2).astype(float)}
    found = [
        analyse(of(logits), AV, subject, hat, sessions=session, seed=seed, permutations=500) for seed in (0, 0, 1, 2)
    ]
    assert found[0] == found[1]
    assert len({one.rows[0].p for one in found}) > 1


# Clustered intervals


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        ({}, (nan, nan)),
        ({"a": [1, 0, 1]}, (nan, nan)),
        ({"a": [1], "b": [1]}, (0.025**0.5, 1.0)),
        ({"a": [0, 0], "b": [0, 0], "c": [0, 0]}, (0.0, 1 - 0.025 ** (1 / 3))),
        ({"a": [1, 1, 1], "b": [0, 0, 0]}, (0.0, 1.0)),  # t on one degree of freedom is 12.7
        # Shares 1, 1, 1, 0: residual sums 1/2, 1/2, 1/2, -3/2; sqrt(4/3 * 3) / 8 = 1/4; t on 3 is 3.1824.
        ({"a": [1, 1], "b": [1, 1], "c": [1, 1], "d": [0, 0]}, (0.0, 1.0)),
        # Eight such subjects: sqrt(8/7 * 6) / 16 = 0.163663, t on 7 is 2.364624.
        ({i: [i % 4 > 0] * 2 for i in range(8)}, (0.75 - 0.387002, 1.0)),
        # Everyone half right: no spread between subjects, so the binomial error sqrt(1/4 / 16) = 1/8 stands in.
        ({i: [0, 1] for i in range(8)}, (0.5 - 2.364624 / 8, 0.5 + 2.364624 / 8)),
    ],
)
def test_clustered_by_hand(decisions: dict[str, list[int]], expected: tuple[float, float]) -> None:
    above = np.array([d for each in decisions.values() for d in each], dtype=bool)
    subjects = np.array([str(name) for name, each in decisions.items() for _ in each])
    assert clustered(above, subjects) == pytest.approx(expected, abs=1e-5, nan_ok=True)


def test_stray_decisions_make_no_subjects() -> None:
    """Two people's decisions are not 32 people's because 30 more have one each."""
    above, subjects = np.repeat([True, False, True], [100, 100, 15]), np.repeat([0, 1], 100)
    above, subjects = np.append(above, [False] * 15), np.append(subjects, np.arange(2, 32))
    low, high = clustered(above, subjects)
    assert high - low > 0.9


def test_clustered_covers_the_truth_and_wald_does_not() -> None:
    rng = np.random.default_rng(5)
    covered = []
    for _ in range(400):
        subjects = np.repeat(np.arange(12), rng.integers(5, 60, 12))
        above = rng.random(len(subjects)) < rng.beta(1, 1, 12)[subjects]
        intervals = clustered(above, subjects), wald(float(above.mean()), len(above))
        covered.append([low <= 0.5 <= high for low, high in intervals])
    by_subject, by_decision = np.mean(covered, axis=0)
    assert 0.92 <= by_subject <= 0.985
    assert by_decision < 0.5


# Permutations


def slow_p(above: np.ndarray, a: np.ndarray, orders: list[list[int]]) -> float:
    """The share of these orders of labels that are at least as far as the labels given."""
    far = [abs((a[order] * (above - above.mean())).sum()) for order in orders]
    return float(np.mean([f >= abs((a * (above - above.mean())).sum()) - 1e-9 for f in far]))


def test_constant_within_subjects_equals_all_permutations_of_subjects() -> None:
    subjects = np.repeat(np.arange(6), 3)
    above = np.array([1, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], dtype=bool)
    a = np.repeat([1.0, 1, 0, 0, 0, 0], 3)
    orders = [[3 * s + i for s in order for i in range(3)] for order in itertools.permutations(range(6))]
    found = permutation_p(above[:, None], a, subjects, permutations=20_000)
    assert found[0] == pytest.approx(slow_p(above, a, orders), abs=0.01)


def test_equal_shares_of_subjects_equal_all_permutations_within() -> None:
    subjects = np.repeat([0, 1], 4)
    above = np.array([1, 1, 0, 0, 1, 1, 1, 0], dtype=bool)
    a = np.array([1, 1, 0, 0, 1, 1, 0, 0], dtype=float)
    within = list(itertools.permutations(range(4)))
    orders = [[*one, *(4 + i for i in two)] for one in within for two in within]
    found = permutation_p(above[:, None], a, subjects, permutations=20_000)
    assert found[0] == pytest.approx(slow_p(above, a, orders), abs=0.01)


def test_constant_within_sessions_equals_all_permutations_of_sessions() -> None:
    subjects, sessions = np.repeat([0, 1], 8), np.tile(np.repeat(np.arange(4), 2), 2)
    above = np.array([1, 1, 1, 0, 0, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 1], dtype=bool)
    a = np.repeat([1.0, 1, 0, 0, 1, 1, 0, 0], 2)
    within = list(itertools.permutations(range(4)))
    orders = [[2 * s + i for s in (*one, *(4 + t for t in two)) for i in range(2)] for one in within for two in within]
    found = permutation_p(above[:, None], a, subjects, sessions, permutations=20_000)
    assert found[0] == pytest.approx(slow_p(above, a, orders), abs=0.01)


@pytest.mark.parametrize("n_true", [1, 5])
def test_two_subjects_or_less_show_nothing(n_true: int) -> None:
    above = np.repeat([True, False], 5)[:, None]
    a = np.where(np.arange(10) < 5, 1.0, 0.0)
    assert permutation_p(above, a, np.repeat([0, 1], 5)).tolist() == [1.0]
    assert permutation_p(above[:5], np.ones(5), np.zeros(5)) == pytest.approx([nan], nan_ok=True)


def test_p_is_never_0() -> None:
    logits, subject, _ = simulated()
    above = logits[:, None] > 0
    assert permutation_p(above, above[:, 0].astype(float), subject, permutations=99).tolist() == [0.01]


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),  # R: p.adjust(p, "holm")
        ([0.5, nan, 0.02], [0.5, nan, 0.04]),
        ([0.6, 0.6], [1.0, 1.0]),
        ([nan], [nan]),
        ([], []),
    ],
)
def test_holm(p: list[float], expected: list[float]) -> None:
    np.testing.assert_allclose(holm_adjusted(np.array(p)), expected)


# Error rates


def rates(found: Analysis) -> tuple[float, float, float, float]:
    """Shares of the attributes: listed, listed by subjects, p at most 0.05, any Holm p at most 0.05."""
    rows = found.rows[::2]
    listed, by_subject, small = (
        float(np.mean(hits))
        for hits in ([r.listed for r in rows], [r.listed_clustered for r in rows], [r.p <= 0.05 for r in rows])
    )
    return listed, by_subject, small, float(any(r.p_holm <= 0.05 for r in rows))


def test_null_attributes_of_subjects_fool_wald_and_not_the_permutations() -> None:
    found = []
    for seed in range(8):
        logits, subject, _ = simulated(seed=seed, spread=1.5)
        rng = np.random.default_rng([seed, 1])
        nulls = {str(k): (rng.random(40) < 0.2)[subject].astype(float) for k in range(40)}
        found.append(rates(analyse(of(logits), AV, subject, nulls, permutations=1999)))
    listed, by_subject, small, _ = np.mean(found, axis=0)
    assert listed > 0.1
    assert by_subject <= 0.025
    assert small <= 0.075
    assert sum(holm for *_, holm in found) <= 1


@pytest.mark.parametrize("kind", ["mostly of subjects", "of samples", "of sessions"])
def test_the_permutations_keep_their_level_where_an_attribute_varies(kind: str) -> None:
    small = []
    for seed in range(8):
        logits, subject, session = simulated(seed=seed)
        rng = np.random.default_rng([seed, 2])
        size = (50, len(subject))
        nulls = {
            "mostly of subjects": np.where(rng.random(size) < 0.03, 1, (rng.random((50, 40)) < 0.2)[:, subject]),
            "of samples": rng.random(size) < 0.2,
            "of sessions": (rng.random((50, 40, 5)) < 0.2)[:, subject, session],
        }[kind].astype(float)
        columns = {str(k): a for k, a in enumerate(nulls)}
        small.append(rates(analyse(of(logits), AV, subject, columns, sessions=session, permutations=199))[2])
    assert np.mean(small) <= 0.075


def test_without_sessions_their_attributes_look_surer_than_they_are() -> None:
    logits, subject, session = simulated(seed=3, spread=1.5)
    rng = np.random.default_rng(3)
    nulls = {str(k): (rng.random((40, 5)) < 0.2)[subject, session].astype(float) for k in range(200)}
    told = rates(analyse(of(logits), AV, subject, nulls, sessions=session, permutations=199))[2]
    untold = rates(analyse(of(logits), AV, subject, nulls, permutations=199))[2]
    assert told <= 0.09
    assert untold > told


@pytest.mark.parametrize("kind", ["of subjects", "of sessions", "of samples"])
def test_planted_effects_are_found_among_nulls(kind: str) -> None:
    logits, subject, session = simulated(n_subjects=60)
    rng = np.random.default_rng(7)

    def drawn() -> np.ndarray:
        tables: dict[str, np.ndarray] = {
            "of subjects": (rng.random(60) < 0.3)[subject],
            "of sessions": (rng.random((60, 5)) < 0.3)[subject, session],
            "of samples": rng.random(len(subject)) < 0.3,
        }
        return np.where(tables[kind], 1.0, 0.0)

    columns = {"planted": drawn()} | {str(k): drawn() for k in range(20)}
    columns["planted"][::50] = nan
    shifted = logits - 2.5 * np.nan_to_num(columns["planted"])
    found = analyse(of(shifted), AV, subject, columns, sessions=session)
    face, voice = found.rows[:2]
    assert max(face.p_holm, voice.p_holm) < 0.05
    assert voice.listed
    assert voice.listed_clustered
    assert voice.share > 0.7
    assert face.share < 0.3
    assert sum(row.p <= 0.05 for row in found.rows[2::2]) <= 4  # of 20; P(more) = 0.3 %


# What comes out, what is refused


def test_csv() -> None:
    rows = analyse(WEIGHTS, AV, SUBJECTS, {"hat, red": HAT, "none": np.zeros(8)}).rows
    read = list(csv.DictReader(io.StringIO(to_csv(rows))))
    assert tuple(read[0]) == COLUMNS
    assert [(r["attribute"], r["modality"], r["n"]) for r in read][1:3] == [
        ("hat, red", "voice", "4"),
        ("none", "face", "0"),
    ]
    assert float(read[0]["clustered_low"]) == rows[0].clustered_low
    assert (read[0]["listed"], read[2]["share"], read[2]["p_holm"], read[2]["listed"]) == ("false", "", "", "false")
    assert to_csv([replace(rows[0], listed=True)]).rstrip().endswith("true,false")


def test_no_attributes_no_rows() -> None:
    assert analyse(WEIGHTS, AV, SUBJECTS, {}).rows == ()


@pytest.mark.parametrize(("weights", "present"), [(np.full((8, 2), nan), None), (WEIGHTS, np.eye(2)[[0] * 8])])
def test_no_sample_has_all_weights(weights: np.ndarray, present: np.ndarray | None) -> None:
    with pytest.raises(MmbioError, match="none of the 8 test samples has a weight for each of face, voice"):
        analyse(weights, AV, SUBJECTS, {"hat": HAT}, present=present)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"modalities": ("face",)}, r"shape \(8, 1\), got \(8, 2\)"),
        ({"weights": FACE}, r"shape \(8, 2\), got \(8,\)"),
        ({"present": np.ones((7, 2))}, r"shape \(8, 2\)"),
        ({"subjects": SUBJECTS[1:]}, "subjects: expected 8 values"),
        ({"sessions": SUBJECTS[1:]}, "sessions: expected 8 values"),
        ({"attributes": {"hat": HAT[1:]}}, "hat: expected 8 values"),
        ({"attributes": {"hat": np.full(8, -1.0)}}, "hat: expected 1, 0 or nan"),
        ({"attributes": {"hat": np.full(8, inf)}}, "hat: expected 1, 0 or nan"),
    ],
)
def test_refused(changed: dict[str, np.ndarray], message: str) -> None:
    given = {"weights": WEIGHTS, "modalities": AV, "subjects": SUBJECTS, "attributes": {"hat": HAT}} | changed
    with pytest.raises(ValueError, match=message):
        analyse(**given)  # type: ignore[arg-type]
