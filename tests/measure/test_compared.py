"""Two stored results: matched by ids whatever their order, compared, or refused with what differs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbio.errors import MmbioError
from mmbio.measure import rates
from mmbio.measure.compared import compare, differences
from mmbio.measure.decisions import Decisions, matched
from mmbio.measure.stored import Stored, read

Write = Callable[..., Path]
OfItems = Callable[..., Stored]

N = 12  # subjects, each with two items


def items(right: np.ndarray, **change: Any) -> dict[str, Any]:
    """Arrays of a classification whose fold models are right (K, N), NaN where they do not test an item."""
    subject = np.arange(right.shape[1]) // 2
    posteriors = np.where(np.isnan(right)[:, :, None], np.nan, np.stack([1 - right, right], 2))
    arrays = {
        "posterior_identification": posteriors,
        "label_identification": np.ones(right.shape[1], np.int64),
        "item": np.arange(right.shape[1]),
        "id": [f"{i}" for i in range(right.shape[1])],
        "subject": subject,
    }
    return arrays | change


def trials(seed: int, strength: float = 2.0, **change: Any) -> dict[str, Any]:
    """Arrays of a verification: all pairs of two items of N subjects."""
    rng = np.random.default_rng(seed)
    one, other = np.triu_indices(2 * N, 1)
    genuine = one // 2 == other // 2
    arrays = {
        "scores": rng.normal(strength * genuine, 1.0),
        "genuine": genuine,
        "enrolment": one,
        "probe": other,
        "item": np.arange(2 * N),
        "id": [f"s{i // 2:02d}/{i % 2}" for i in range(2 * N)],
        "subject": np.arange(2 * N) // 2,
    }
    return arrays | change


@pytest.fixture
def stored(write_result: Write, tmp_path: Path) -> Callable[..., Stored]:
    """A result of these arrays."""

    def make(arrays: dict[str, Any], **fields: Any) -> Stored:
        name = f"{len(list(tmp_path.glob('results/*'))):016x}"
        verifies = "scores" in arrays
        tasks = {"tasks": ("verification",), "protocol": "audiovisual"} if verifies else {}
        return read(write_result(name, arrays, **{**tasks, **fields}), tmp_path)

    return make


def right(seed: int, share: float, n_models: int = 3) -> np.ndarray:
    return (np.random.default_rng(seed).random((n_models, 2 * N)) < share).astype(float)


def renamed(arrays: dict[str, Any], seed: int = 0) -> dict[str, Any]:
    """The same trials in another order, with other numbers for items and subjects."""
    rng = np.random.default_rng(seed)
    number, person = rng.permutation(100)[: 2 * N], rng.permutation(N)
    order = np.argsort(number)
    rows = rng.permutation(len(arrays["scores"]))
    return {
        "scores": arrays["scores"][rows],
        "genuine": arrays["genuine"][rows],
        "enrolment": number[arrays["enrolment"][rows]],
        "probe": number[arrays["probe"][rows]],
        "item": number[order],
        "id": np.array(arrays["id"])[order],
        "subject": person[arrays["subject"][order]],
    }


def test_accuracies(stored: Callable[..., Stored]) -> None:
    a, b = right(0, 0.6), right(1, 0.9)
    (found,) = compare(stored(items(a)), stored(items(b), fusion="sum"))
    assert (found.task, found.metric, found.n, found.n_subjects, found.n_models) == (
        "identification",
        "accuracy",
        24,
        12,
        (3, 3),
    )
    assert (found.found.a, found.found.b) == pytest.approx((a.mean(), b.mean()))
    assert found.found.is_told
    one, other = (x.mean(0) > 0.5 for x in (a, b))
    assert found.mcnemar is not None
    assert found.mcnemar[:2] == ((one & ~other).sum(), (~one & other).sum())


def test_a_result_and_itself(stored: Callable[..., Stored]) -> None:
    for result in (stored(items(right(0, 0.7))), stored(trials(0))):
        found = compare(result, result)
        assert all(one.found.is_nothing and one.found.p == 1 for one in found)
        assert not differences(result, result)
    assert [one.metric for one in found] == ["eer", "min_dcf"]


def test_both_ways_round_are_opposite(stored: Callable[..., Stored]) -> None:
    a, b = stored(trials(0)), stored(trials(1, 3.0))
    for one, other in zip(compare(a, b), compare(b, a), strict=True):
        assert (one.found.value, one.found.low, one.found.p) == pytest.approx(
            (-other.found.value, -other.found.high, other.found.p)
        )


def test_figures_of_trials(stored: Callable[..., Stored]) -> None:
    arrays = trials(0)
    llr = arrays["scores"] * 2
    found = compare(stored(arrays | {"llr": llr}), stored(trials(1, llr=-llr)))
    assert [one.metric for one in found] == ["eer", "min_dcf", "cllr", "min_cllr", "act_dcf"]
    points = rates.points(arrays["scores"][arrays["genuine"]], arrays["scores"][~arrays["genuine"]])
    assert found[0].found.a == pytest.approx(rates.eer(points))
    assert found[2].found.is_told
    assert found[1].parameters == "P=0.01 C=1,1"


def test_the_costs_are_those_of_a(stored: Callable[..., Stored]) -> None:
    key = {"options": {"preset": "", "cost": {"p_target": 0.5, "c_miss": 1.0, "c_fa": 1.0}}}
    a, b = stored(trials(0), key=key), stored(trials(1))
    assert [compare(x, y)[1].parameters for x, y in ((a, b), (b, a))] == ["P=0.5 C=1,1", "P=0.01 C=1,1"]


def test_other_numbers_and_another_order_are_no_difference(stored: Callable[..., Stored]) -> None:
    a, b = trials(0), trials(1)
    expected = compare(stored(a), stored(b))
    assert compare(stored(a), stored(renamed(b), manifest="other")) == expected
    result = stored(b)
    found = compare(result, stored(renamed(b)))
    assert all(one.found.is_nothing for one in found)


def test_folds_over_subjects(stored: Callable[..., Stored]) -> None:
    a, b = right(0, 0.6, 2), right(1, 0.9, 2)
    for correct in (a, b):
        correct[0, :N], correct[1, N:] = np.nan, np.nan
    (found,) = compare(stored(items(a)), stored(items(b)))
    assert (found.n, found.n_models) == (2 * N, (1, 1))
    b[0, -1] = np.nan
    with pytest.raises(MmbioError, match="A tests 24 and B 23 items"):
        compare(stored(items(a)), stored(items(b)))


def cut(arrays: dict[str, Any], rows: np.ndarray) -> dict[str, Any]:
    return arrays | {name: arrays[name][rows] for name in ("scores", "genuine", "enrolment", "probe")}


WHOLE = trials(0)
OTHER: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "fewer": (
        lambda: cut(trials(1), np.arange(3, 276)),
        r"A rests on 276 and B on 273 trials, 273 of them the same, of whose 24 and 24 samples 24 are common"
        r" \(only A has s00/0-s00/1, s00/0-s01/0, s00/0-s01/1\); evaluate both on the same trials",
    ),
    "twice": (
        lambda: cut(trials(1), np.append(np.arange(276), 5)),
        r"A rests on 276 and B on 277 trials, 276 of them the same, .* \(some stand there twice\)",
    ),
    "ids": (
        lambda: trials(1, id=[f"p{i}" for i in range(24)]),
        r"0 of them the same, of whose 24 and 24 samples 0 are common"
        r" \(only A has s00/0-s00/1, s00/0-s01/0, s00/0-s01/1, \.\.\.; only B has p0-p1, p0-p2, p0-p3, \.\.\.\)",
    ),
    "truth": (
        lambda: trials(1, genuine=~trials(1)["genuine"]),
        r"A and B differ in the truth of 276 of 276 trials \(s00/0-s00/1, .*\.\.\.\); evaluate both with the same",
    ),
    "subjects": (
        lambda: trials(1, subject=np.arange(24) // 4),
        "A and B agree on the ids of 276 trials and not on whose they are",
    ),
    "items": (lambda: trials(1, item=np.arange(1, 25)), "item.npy: some items of its trials are not in it"),
    "lengths": (lambda: trials(1, probe=np.arange(5)), "enrolment, probe, genuine are of different lengths"),
    "older": (lambda: {k: v for k, v in trials(1).items() if k != "id"}, "id.npy: not there, an older mmbio"),
}  # fmt: skip


@pytest.mark.parametrize("what", OTHER)
def test_trials_that_are_not_the_same(stored: Callable[..., Stored], what: str) -> None:
    arrays, told = OTHER[what]
    with pytest.raises(MmbioError, match=told) as caught:
        compare(stored(WHOLE), stored(arrays()))
    assert "\n" not in str(caught.value)


LAST = np.arange(24) // 23


@pytest.mark.parametrize(
    ("arrays", "fields", "told"),
    [
        (items(right(1, 0.5)), {"manifest": "ffff" * 4}, "A rests on the manifest abcdabcd and B on ffffffff"),
        (items(right(1, 0.5)), {"tasks": ("gender",)}, "A was tested on identification and B on gender; compare two"),
        (trials(1), {}, "A is of the protocol multitask and B of audiovisual; compare two results of one"),
        (items(right(1, 0.5)[:, :8]), {}, r"24 and B on 8 items, 8 of them the same \(only A has 8, 9, 10, \.\.\.\)"),
        (items(right(1, 0.5), label_identification=LAST), {}, r"the truth of 23 of 24 items \(0, 1, 2, \.\.\.\)"),
    ],
)  # fmt: skip
def test_items_that_are_not_the_same(
    stored: Callable[..., Stored], arrays: dict[str, Any], fields: dict[str, Any], told: str
) -> None:
    with pytest.raises(MmbioError, match=told):
        compare(stored(items(right(0, 0.5))), stored(arrays, **fields))


def test_one_subject(stored: Callable[..., Stored]) -> None:
    result = stored(items(right(0, 0.5)[:, :2]))
    with pytest.raises(MmbioError, match="1 subject in the test, where a bootstrap over subjects needs at least 2"):
        compare(result, result)


def test_one_kind_of_trials(stored: Callable[..., Stored]) -> None:
    result = stored(cut(WHOLE, np.flatnonzero(WHOLE["genuine"])))
    with pytest.raises(MmbioError, match="12 genuine and 0 impostor trials"):
        compare(result, result)


def test_what_differs(stored: Callable[..., Stored]) -> None:
    a = stored(items(right(0, 0.5)), rule_weights="ecg=1")
    b = stored(items(right(0, 0.5)), fusion="score-sum", rule_weights="ecg=2", test_condition="ecg=0.1")
    assert differences(a, b) == {"fusion": ("concat", "score-sum"), "test condition": ("clean", "ecg=0.1")}
    assert differences(a, a) == {}


def test_samples_of_one_id(stored: Callable[..., Stored]) -> None:
    """Several frames of a clip have the clip's id."""
    arrays = trials(0, id=[f"s{i // 2:02d}" for i in range(2 * N)])
    a, b = (Decisions.of(stored(x), "verification") for x in (arrays, renamed(arrays)))
    rows = matched(a, b)
    for side in (0, 1):
        np.testing.assert_array_equal(a.ids[a.at[side][rows[0]]], b.ids[b.at[side][rows[1]]])


def test_the_hash_of_decisions(stored: Callable[..., Stored]) -> None:
    one = Decisions.of(stored(trials(0)), "verification").hash
    assert Decisions.of(stored(trials(1)), "verification").hash == one
    assert Decisions.of(stored(renamed(trials(0))), "verification").hash != one
