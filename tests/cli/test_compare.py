"""mmbio compare: evaluations of an imported set, and results written by hand, as a person and a program see them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from mmbio.cli.compare import sentence
from mmbio.fuse import config
from mmbio.measure.compared import Compared
from mmbio.measure.paired import Difference, McNemar

Call = Callable[..., Result]
Listing = Callable[[Path], dict[str, bytes]]
Refused = Callable[..., None]

N = 20  # subjects, each with two items
# Of how many subjects the first item is taken for another's: by both fold models, and of how many more by one.
WRONG = {"aaaa": (12, 0), "bbbb": (2, 0), "cccc": (0, 5), "dddd": (12, 0)}


@pytest.fixture
def results(write_result: Callable[..., Path], tmp_path: Path) -> Path:
    """A home with classifications of the same items; the last has one subject less."""
    for name, (by_both, by_one) in WRONG.items():
        right = np.ones((2, 2 * N))
        right[:, : 2 * by_both : 2] = 0
        right[0, 2 * by_both : 2 * (by_both + by_one) : 2] = 0
        arrays: dict[str, Any] = {"id": np.arange(2 * N).astype(str), "subject": np.arange(2 * N) // 2}
        for task in ("identification", "gender"):
            arrays |= {f"posterior_{task}": np.stack([1 - right, right], 2), f"label_{task}": np.ones(2 * N, np.int64)}
        if name == "dddd":
            arrays = {k: v[:, 2:] if k.startswith("posterior") else v[2:] for k, v in arrays.items()}
        fusion = {"fusion": "sum", "test_condition": "ecg=0.1"} if name == "cccc" else {}
        write_result(name * 4, arrays, ("identification", "gender"), n_subjects=N, n=2 * N, **fusion)
    return tmp_path


@pytest.fixture(scope="module")
def verified(good: Call, av_set: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A home with two evaluations of the cosine: as it is, and with every voice replaced."""
    home = tmp_path_factory.mktemp("compared") / "runs"
    few = replace(config.OPTIMISERS["audiovisual"], epochs=2, steps=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "OPTIMISERS", {**config.OPTIMISERS, "audiovisual": few})
        av = ("--protocol", "audiovisual", "--out", home)
        good("train", *av, "--data", av_set, "--fusion", "cosine")
        told = [good("eval", *av, "--json", *noise).stdout for noise in ((), ("--noise", "voice=random"))]
    return home, [json.loads(text)[0]["result"] for text in told]


def test_what_a_person_sees(good: Call, results: Path, listing: Listing) -> None:
    before = listing(results)
    told = good("compare", "aaaa", "bbbb", "--out", results).stdout
    for part in ("A  aaaaaaaa  concat of ecg+face, trained and tested under clean", "B  bbbbbbbb  concat",
                 "they differ in nothing", "synthetic data, 20 subjects, triplet split, 40 decisions",
                 "0 : 10, p 0.002", "1000 draws of the 20 subjects", "by more than half of 2 fold models"):  # fmt: skip
        assert part in told
    assert told.splitlines()[-2].startswith("B identifies 25.0 points more than A [1")
    assert told.splitlines()[-1].startswith("B tells gender 25.0 points more often than A [1")
    assert told.splitlines()[-1].endswith(": more than chance allows (p = 0.002).")
    assert listing(results) == before


def test_what_cannot_be_told_apart(good: Call, results: Path) -> None:
    told = good("compare", "bbbb", "cccc", "--out", results).stdout
    assert "warning: they differ in fusion and test condition at once, so" in told
    assert "A and B cannot be told apart in gender on these 40 decisions: the difference of -1.2 points [-" in told
    told = good("compare", "bbbb", results / "results" / ("bbbb" * 4), "--out", results).stdout
    assert "A and B are one and the same result" in told
    assert "in gender on these 40 decisions: no draw of subjects makes a difference." in told


def test_what_a_program_sees(good: Call, results: Path) -> None:
    words = ("compare", "aaaa", "cccc", "--draws", 500, "--seed", 3, "--json", "--out", results)
    found = json.loads(good(*words).stdout)
    assert (found["a"], found["b"], found["draws"], found["seed"]) == ("aaaa" * 4, "cccc" * 4, 500, 3)
    assert found["differ_in"] == {"fusion": ["concat", "sum"], "test condition": ["clean", "ecg=0.1"]}
    figure = found["figures"][0]
    assert (figure["task"], figure["metric"], figure["n"], figure["n_subjects"]) == (
        "identification",
        "accuracy",
        40,
        20,
    )
    assert (figure["a"], figure["b"], figure["difference"]) == pytest.approx((0.7, 0.9375, 0.2375))
    assert figure["mcnemar"]["b"] == 0
    assert figure["low"] < figure["difference"] < figure["high"]
    assert good(*words).stdout == good(*words).stdout
    assert good("compare", "aaaa", "cccc", "--quiet", "--out", results).stdout == ""


def test_trials(good: Call, verified: tuple[Path, list[str]]) -> None:
    home, (clean, noisy) = verified
    told = good("compare", clean[:6], noisy[:6], "--out", home).stdout
    assert "they differ in test condition: clean | voice=random" in told
    assert "EER linear" in told
    assert "McNemar" not in told
    assert "12 subjects" in told
    assert "B is worse than A in EER by" in told


def test_trials_of_a_list_are_others(mmbio: Call, good: Call, verified: tuple[Path, list[str]], tmp_path: Path) -> None:
    home, (clean, _) = verified
    (tmp_path / "list").write_text("1 test00/v0/c0 test00/v1/c0\n1 test01/v0/c0 test01/v1/c0\n"
                                   "0 test00/v0/c0 test01/v1/c0\n0 test02/v0/c0 test01/v1/c0\n")  # fmt: skip
    words = ("--protocol", "audiovisual", "--trials", tmp_path / "list", "--json", "--out", home)
    other = json.loads(good("eval", *words).stdout)[0]["result"]
    told = mmbio("compare", clean, other, "--out", home)
    assert told.exit_code == 2
    assert "and B on 4 trials" in told.stderr
    assert told.stderr.count("\n") == 1


REFUSED = [
    ("compare aaaa dddd", r"A rests on 40 and B on 38 items, 38 of them the same \(only A has 0, 1\); evaluate both"),
    ("compare aaaa beef", r"RESULT beef: no such result in .*, where there is aaaa.*, bbbb.*, cccc.*, \.\.\.; give"),
    ("compare aa bbbb", "RESULT aa: fewer than 4 digits, such as aaaaaaaaaaaaaaaa; give more digits"),
    ("compare aaaa {home}", "RESULT .*: a folder without rows.csv"),
    ("compare aaaa bbbb --draws 10", "'--draws': 10 is not in the range"),
    ("compare aaaa bbbb --draws x", "'--draws': 'x' is not a valid integer"),
    ("compare aaaa bbbb --seed -1", "'--seed': -1 is not in the range"),
    ("compare aaaa", "Missing argument 'RESULT_B'"),
    ("compare aaaa bbbb --out {home}/results/aaaaaaaaaaaaaaaa/rows.csv", "rows.csv: cannot be written to"),
    ("compare aaaa bbbb --out {home}/empty", "results holds no result; run mmbio eval first, or give --out"),
]


@pytest.mark.parametrize(("words", "told"), REFUSED)
def test_refused(refused: Refused, results: Path, words: str, told: str) -> None:
    refused(told, words, results)


def one(metric: str, value: float, low: float, high: float, p: float, task: str = "verification") -> Compared:
    mcnemar = McNemar(0, 1, 1.0) if metric == "accuracy" else None
    return Compared(task, metric, "", 174, 58, Difference(0.5, 0.5 + value, value, low, high, p, 1000), mcnemar)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (one("accuracy", 0.034, 0.012, 0.058, 0.002, "identification"),
         "B identifies 3.4 points more than A [1.2, 5.8]: more than chance allows (p = 0.002)."),
        (one("accuracy", -0.034, -0.058, -0.012, 0.0001, "gender"),
         "B tells gender 3.4 points less often than A [1.2, 5.8]: more than chance allows (p < 0.001)."),
        (one("accuracy", 0.006, -0.011, 0.022, 0.61, "identification"),
         "A and B cannot be told apart in identification on these 174 decisions: the difference of 0.6 points"
         " [-1.1, 2.2] holds 0 (p = 0.610)."),
        (one("eer", -0.012, -0.02, -0.004, 0.002),
         "B is better than A in EER by 1.20 points [0.40, 2.00]: more than chance allows (p = 0.002)."),
        (one("min_dcf", 0.1, 0.01, 0.2, 0.04),
         "B is worse than A in minDCF by 0.100 [0.010, 0.200]: more than chance allows (p = 0.040)."),
        (one("cllr", 0.1, 0.00001, 0.2, 0.04),
         "B is worse than A in Cllr by 0.10000 [0.00001, 0.20000]: more than chance allows (p = 0.040)."),
        (one("accuracy", 0.0, 0.0, 0.0, 1.0, "gender"),
         "A and B cannot be told apart in gender on these 174 decisions: no draw of subjects makes a difference."),
    ],
)  # fmt: skip
def test_sentences(found: Compared, told: str) -> None:
    assert sentence(found) == told
