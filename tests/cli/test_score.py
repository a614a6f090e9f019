"""mmbio score: cosines of a trial list, counted, ready for mmbio metrics."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from mmbio.cli.score import NORMS, command
from mmbio.errors import MmbioError
from mmbio.measure.score_norm import NONE, SIDES

Score = Callable[..., Result]

TRIALS = "1 a/1.wav a/2.wav\n0 a/1.wav b/1.wav\n0 b/1.wav z/1.wav\n"
VECTORS = np.array([[3, 4], [6, 8], [4, -3], [0, 0]], np.float32)
NORMALISED = "--embeddings v.npz --trials trials.txt --score-norm"
WRITTEN = "enrolment,probe,score,genuine\na/1.wav,a/2.wav,1.0,1\na/1.wav,b/1.wav,0.0,0\n"


@pytest.fixture
def score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Score:
    """`mmbio score WORDS` beside v.npz (a/1, a/2, b/1, z/1 .wav), v.npy with stripped ids.txt, trials.txt, c.npz."""
    monkeypatch.chdir(tmp_path)
    ids = np.array(["a/1.wav", "a/2.wav", "b/1.wav", "z/1.wav"])
    np.savez("v.npz", ids=ids, vectors=VECTORS)
    np.savez("few.npz", ids=ids[:3], vectors=VECTORS[:3])
    np.save("v.npy", VECTORS)
    np.savez("c.npz", ids=np.array(["p", "q", "r"]), vectors=np.array([[1, 0], [0, 1], [1, 1]], np.float32))
    Path("ids.txt").write_text("a/1\na/2\nb/1\nz/1\n")
    Path("trials.txt").write_text(TRIALS)

    def call(words: str) -> Result:
        return CliRunner().invoke(command, words.split(), catch_exceptions=False)

    return call


@pytest.mark.parametrize("words", ["--embeddings v.npz", "--embeddings v.npy --ids ids.txt --strip-suffix .wav"])
def test_what_is_written(score: Score, words: str) -> None:
    told = score(f"{words} --trials trials.txt --out new/s.csv").stdout
    assert Path("new/s.csv").read_text() == WRITTEN + "b/1.wav,z/1.wav,0.0,0\n"
    assert told.splitlines() == [
        "trials: 3 expected, 3 scored (1 genuine, 2 impostor), 0 missing",
        "embeddings: 4, 1 of them zero vectors, 0 repeated rows left out",
        "written: new/s.csv; next: mmbio metrics new/s.csv",
    ]


@pytest.mark.parametrize(
    ("words", "told", "n"),
    [
        ("z-norm", "scores: z-norm by a cohort of 3", 3),
        ("as-norm --top 2", "scores: as-norm by the 2 nearest of a cohort of 3", 2),
    ],
)
def test_normalised_scores(score: Score, words: str, told: str, n: int) -> None:
    given = f"--embeddings v.npz --trials trials.txt --cohort c.npz --score-norm {words} --out s.csv"
    shown = score(given).stdout.splitlines()
    assert shown[2:] == [told, "written: s.csv; next: mmbio metrics s.csv"]
    of_the_same = np.loadtxt("s.csv", delimiter=",", skiprows=1, usecols=2)[0]
    cosines = np.array([0.6, 0.8, 1.4 / 2**0.5])[-n:]  # of both sides, (3, 4) and (6, 8), with the cohort
    assert of_the_same == pytest.approx((1 - cosines.mean()) / cosines.std())
    again = json.loads(score(f"{given} --json").stdout)
    assert (again["score_norm"], again["n_cohort"]) == (words.split()[0], 3)
    assert ("top" in again) == ("--top" in words)


def test_a_cohort_of_zeros_is_refused_and_its_ids_have_a_name_of_their_own(score: Score) -> None:
    given = "--embeddings v.npz --trials trials.txt --score-norm s-norm --out s.csv"
    np.savez("zeros.npz", ids=np.array(["p", "q"]), vectors=np.array([[1, 0], [0, 0]], np.float32))
    with pytest.raises(MmbioError, match=r"--cohort zeros\.npz: 1 of its 2 vectors are zeros"):
        score(f"{given} --cohort zeros.npz")
    Path("c.txt").write_text("p\nq\nr\n")
    with pytest.raises(MmbioError, match="leave --cohort-ids out"):
        score(f"{given} --cohort c.npz --cohort-ids c.txt")
    assert not Path("s.csv").exists()


def test_every_normalisation_can_be_chosen() -> None:
    assert (NONE, *SIDES) == NORMS


def test_missing_trials_are_skipped_and_counted(score: Score) -> None:
    told = json.loads(score("--embeddings few.npz --trials trials.txt --missing-trials skip --out s.csv --json").stdout)
    assert Path("s.csv").read_text() == WRITTEN
    assert (told["n_expected"], told["n_scored"], told["n_missing"]) == (3, 2, 1)
    assert (told["n_genuine"], told["n_impostor"], told["n_zero_vectors"], told["n_repeated"]) == (1, 1, 0, 0)


def test_repeated_trials_are_scored_and_counted_and_contradictions_refused(score: Score) -> None:
    Path("again.txt").write_text("1 a/1.wav a/2.wav\n" * 3 + "0 a/1.wav b/1.wav\n")
    words = "--embeddings v.npz --trials again.txt --out s.csv"
    assert score(words).stdout.splitlines()[1] == "repeated: 2 trials, scored before and scored again"
    assert Path("s.csv").read_text().count("\n") == 5
    told = json.loads(score(f"{words} --json").stdout)
    assert (told["n_scored"], told["n_repeated_trials"]) == (4, 2)
    Path("again.txt").write_text("1 a/1.wav a/2.wav\n0 a/1.wav a/2.wav\n")
    with pytest.raises(MmbioError, match=r"again\.txt: row 1: '1 a/1.wav a/2.wav' and row 2: '0 .*': one trial as gen"):
        score(words)


def test_quiet_says_nothing(score: Score) -> None:
    assert score("--embeddings v.npz --trials trials.txt --out s.csv --quiet").output == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--embeddings few.npz --trials trials.txt --out s.csv", r"1 of 3 trials name ids .* \('z/1.wav'\)"),
        ("--embeddings v.npy --ids ids.txt --trials trials.txt --missing-trials skip --out s.csv", "3 of 3 trials"),
        ("--embeddings v.npy --trials trials.txt --out s.csv", "an .npy holds no ids; give them with --ids"),
        ("--embeddings v.npy --ids none --trials trials.txt --out s.csv", r"none: cannot be read"),
        ("--embeddings v.npz --ids ids.txt --trials trials.txt --out s.csv", "leave --ids out"),
        ("--embeddings none.npz --trials trials.txt --out s.csv", r"none\.npz: cannot be read .No such file"),
        ("--embeddings v.npz --trials none --out s.csv", "none: cannot be read"),
        ("--embeddings v.npz --trials trials.txt --out .", r"--out \.: a folder; give the name of a CSV file"),
        ("--embeddings v.npz --trials trials.txt --out v.npz/s.csv", "v.npz: cannot be written to"),
        (f"{NORMALISED} z-norm --out s.csv", "--score-norm z-norm: takes a cohort"),
        ("--embeddings v.npz --trials trials.txt --cohort c.npz --out s.csv", "--cohort c.npz: nothing is normalised"),
        ("--embeddings v.npz --trials trials.txt --cohort-ids c --out s.csv", "--cohort-ids c: are of a cohort"),
        (f"{NORMALISED} z-norm --cohort c.npz --top 2 --out s.csv", "--top 2: belongs to as-norm"),
        (f"{NORMALISED} as-norm --cohort c.npz --top 4 --out s.csv", r"--top 4: more than the cohort's 3 .c.npz."),
        (f"{NORMALISED} as-norm --cohort none.npz --out s.csv", "none.npz: cannot be read"),
        (f"{NORMALISED} as-norm --cohort c.npz --out c.npz", "--out c.npz: one of the files read"),
        (f"{NORMALISED} as-norm --cohort v.npz --out s.csv", "4 of its embeddings are in the trials, 'a/1.wav' among"),
        (f"{NORMALISED} as-norm --cohort ../wide.npz --out s.csv", "vectors of 3 dimensions, where v.npz has 2"),
        ("--embeddings v.npz --trials ids.txt --out s.csv", "ids.txt: row 1: 'a/1' has 1 column"),
        ("--embeddings v.npz --trials trials.txt --strip-suffix 1.wav --out s.csv", None),
        ("--embeddings v.npz --trials trials.txt --strip-suffix /1.wav --out s.csv", None),
    ],
)
def test_bad_input(score: Score, tmp_path: Path, words: str, told: str | None) -> None:
    np.savez(tmp_path.parent / "wide.npz", ids=np.array(["p", "q"]), vectors=np.ones((2, 3)))
    before = {path.name for path in tmp_path.iterdir()}
    if told is None:
        score(words)
        assert Path("s.csv").read_text() == WRITTEN + "b/1.wav,z/1.wav,0.0,0\n"
        return
    with pytest.raises(MmbioError, match=told):
        score(words)
    assert {path.name for path in tmp_path.iterdir()} == before


def test_ids_that_become_the_same(score: Score) -> None:
    np.savez("two.npz", ids=np.array(["a/1.wav", "a/1"]), vectors=VECTORS[:2])
    with pytest.raises(MmbioError, match=r"--strip-suffix .wav: 'a/1.wav' and 'a/1' become the same id"):
        score("--embeddings two.npz --trials trials.txt --strip-suffix .wav --out s.csv")


@pytest.mark.parametrize("words", ["", "--embeddings v.npz", "--embeddings v.npz --trials t --missing-trials x"])
def test_words_that_lack(score: Score, words: str) -> None:
    result = score(words)
    assert (result.exit_code, result.stderr.startswith("Usage: ")) == (2, True)
