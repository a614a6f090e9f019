"""Everyday use of verification: one's own embeddings, imported, trained on, tested, looked into, and made tables of."""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import compress
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from mmbio.fuse import config
from mmbio.measure.evaluate import Evaluator

Call = Callable[..., Result]
Listing = Callable[[Path], dict[str, bytes]]
Rows = list[dict[str, str]]

PARTS = {"test": 8, "dev": 10}  # subjects, each with six samples in three videos
N_GENUINE, N_IMPOSTOR = 96, 2016  # of 8 subjects: 12 pairs of different videos; 6 samples with 42 of the others
OURS = ("--protocol", "audiovisual")


@pytest.fixture(scope="module", autouse=True)
def quickly() -> Iterator[None]:
    """Two epochs of two batches."""
    few = replace(config.OPTIMISERS["audiovisual"], epochs=2, steps=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "OPTIMISERS", {**config.OPTIMISERS, "audiovisual": few})
        yield


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Faces, voices of two lengths and who they are of; gaps.npz lacks the face of the first test sample."""
    folder = tmp_path_factory.mktemp("own")
    rng = np.random.default_rng(0)
    people = [(part, f"{part}{i}", "FM"[i % 2]) for part, n in PARTS.items() for i in range(n)]
    ids = np.array([f"{name}/v{i // 2}/c{i % 2}" for _, name, _ in people for i in range(6)])

    def vectors(dim: int, noise: float) -> np.ndarray:
        means = np.repeat(rng.standard_normal((len(people), dim)), 6, axis=0)
        return (means + noise * rng.standard_normal(means.shape)).astype(np.float32)

    faces = vectors(10, 0.8)
    np.savez(folder / "face.npz", ids=ids, vectors=faces)
    np.savez(folder / "gaps.npz", ids=ids[1:], vectors=faces[1:])
    np.savez(folder / "short.npz", ids=ids, vectors=vectors(6, 1.5))
    np.savez(folder / "long.npz", ids=ids, vectors=vectors(6, 0.9))
    rows = [f"{ids[6 * k + i]},{name},{sex},{name}/v{i // 2},{part},{i % 2}\n"
            for k, (part, name, sex) in enumerate(people) for i in range(6)]  # fmt: skip
    (folder / "who.csv").write_text("id,subject,gender,video,part,Smiling\n" + "".join(rows))
    return folder


def imported(good: Call, files: Path, out: Path, face: str = "face.npz") -> Path:
    named = (f"face={files / face}", f"voice@0.115={files / 'short.npz'}", f"voice@1.015={files / 'long.npz'}")
    words = [word for name in named for word in ("--modality", name)]
    good("import", *words, "--subjects", files / "who.csv", "--out", out)
    return out


@pytest.fixture(scope="module")
def mine(good: Call, files: Path) -> Path:
    return imported(good, files, files / "mine")


@pytest.fixture(scope="module")
def runs(good: Call, mine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a manifest and a trained attention."""
    folder = tmp_path_factory.mktemp("runs") / "runs"
    good("build-virtual", *OURS, "--data", mine, "--out", folder)
    good("train", *OURS, "--out", folder)
    return folder


@pytest.fixture(scope="module")
def table(good: Call, mine: Path, runs: Path) -> Result:
    """What `mmbio tables --data mine` printed."""
    return good("tables", "--data", mine, "--out", runs)


def read(path: Path) -> Rows:
    return list(csv.DictReader(path.read_text().splitlines()))


def found(good: Call, home: Path, *words: object) -> Rows:
    """The rows of results.csv that an eval wrote, as text."""
    told = json.loads(good("eval", *OURS, *words, "--out", home, "--json").stdout)
    rows = [row for row in read(home / "results.csv") if row["result"] == told[0]["result"]]
    assert [float(row["value"]) for row in rows] == [row["value"] for row in told]
    return rows


def figures(rows: Rows) -> list[tuple[str, ...]]:
    """What was measured, whatever the trials are called."""
    return [tuple(r[c] for c in ("metric", "convention", "value", "low", "high", "n", "given")) for r in rows]


def lists(home: Path, folder: Path) -> dict[str, Path]:
    """The manifest's own test trials as lists in other forms, by the name of the form."""
    (manifest,) = (home / "manifests").glob("audiovisual-*")
    items = {row["item"]: row["id"] for row in read(manifest / "items.csv")}
    trials = [(items[r["enrolment"]], items[r["probe"]], r["genuine"])
              for r in read(manifest / "trials.csv") if r["part"] == "test"]  # fmt: skip
    kinds = {"1": "target", "0": "nontarget"}
    texts = {
        "voxceleb": (voxceleb := "".join(f"{g} {a} {b}\n" for a, b, g in trials)),
        "kaldi": "".join(f"{a} {b} {kinds[g]}\n" for a, b, g in trials),
        "csv": "enrolment,probe,genuine\n" + "".join(f"{a},{b},{g}\n" for a, b, g in trials),
        "wav": "".join(f"{g} {a}.wav {b}.wav\n" for a, b, g in trials),
        "longer": voxceleb + "0 test0/v0/c0 nobody\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    return {name: folder / name for name in texts}


def test_build_virtual_and_train(good: Call, mine: Path, runs: Path) -> None:
    told = good("build-virtual", *OURS, "--data", mine, "--out", runs).stdout.splitlines()
    assert told[:2] == ["8 subjects to test: 4 F, 4 M; the paper has 120", "10 subjects to train and tune on"]
    assert told[3] == f"test trials: {N_GENUINE} genuine (of different videos or chapters), {N_IMPOSTOR} impostor"
    written = {p.name for p in Path(told[-1].removeprefix("written: ")).iterdir()}
    assert written == {"manifest.json", "subjects.csv", "samples.csv", "items.csv", "trials.csv", "attributes.csv"}
    first, second, last = good("train", *OURS, "--out", runs).stdout.splitlines()
    assert first == "attention of face, voice for verification, trained under clean, segments of 1.015 s"
    assert second.startswith("1 network, ")
    assert Path(last.removeprefix("written: ")).is_file()


@pytest.mark.parametrize(
    ("words", "condition", "n_imputed"),
    [
        ((), "clean", 0),
        (("--noise", "voice=random"), "voice=random", 0),
        (("--noise", "voice=random@probe"), "voice=random@probe", 0),
        (("--noise", "face=zeros@enrolment,voice=random@probe"), "face=zeros@enrolment,voice=random@probe", 0),
        (("--missing", "face"), "missing=face", N_GENUINE + N_IMPOSTOR),
    ],
)
def test_eval(good: Call, runs: Path, words: tuple[str, ...], condition: str, n_imputed: int) -> None:
    rows = [r for r in found(good, runs, *words) if not r["given"]]
    shown = [f"{r['metric']} {r['convention']}" for r in rows]
    of_errors = ["eer linear", "eer rocch", "min_dcf P=0.01 C=1,1"]
    assert shown == [*of_errors, "act_dcf P=0.01 C=1,1, logistic", "cllr logistic", "cllr pav", "min_cllr "]
    for row in rows:
        assert float(row["value"]) >= 0
        assert float(row["value"]) <= 1 or row["metric"] in ("act_dcf", "cllr")
        counts = [int(row[c]) for c in ("n", "n_genuine", "n_impostor", "n_imputed", "n_missing")]
        assert counts == [N_GENUINE + N_IMPOSTOR, N_GENUINE, N_IMPOSTOR, n_imputed, 0]
        assert (row["task"], row["fold"], row["segment_s"], row["weights"]) == ("verification", "mean", "1.015", "")
        assert (row["test_condition"], row["trials"]) == (condition, "of different videos or chapters")


def test_eval_says_what_it_found(good: Call, runs: Path) -> None:
    result = good("eval", *OURS, "--missing", "face", "--out", runs)
    told = result.stdout.splitlines()
    assert result.stderr.startswith(f"checkpoint: {runs / 'checkpoints'}")
    assert told[0] == "attention of face+voice, mine data, 8 subjects, subject split, 1.015 s of speech"
    assert told[1] == "trained under clean, tested under missing=face"
    assert told[4] == f"{N_GENUINE} genuine and {N_IMPOSTOR} impostor trials"
    names = [line.split("│")[1].strip() for line in told if line.startswith("│")]
    assert names == ["EER", "EER", "minDCF", "actDCF", "Cllr", "Cllr", "min Cllr"]
    assert told[-2] == "2112 of 2112 trials miss a modality on a side, and the system is told"
    assert told[-1].startswith(f"written: {runs / 'results'}")


def test_a_null_on_one_side_is_not_one_on_both(good: Call, runs: Path) -> None:
    noises = ("voice=random", "voice=random@probe", "voice=random@enrolment")
    scores = [np.load(runs / "results" / found(good, runs, "--noise", n)[0]["result"] / "scores.npy") for n in noises]
    assert len({s.tobytes() for s in scores}) == 3


def test_by_gender(good: Call, runs: Path) -> None:
    rows = [r for r in found(good, runs, "--by-gender") if r["metric"] == "min_dcf"]
    assert [(r["given"], r["n_genuine"], r["n_impostor"]) for r in rows] == [
        ("", "96", "2016"),
        ("gender=F", "48", "432"),  # 3 of 7 others are of the same gender: 24 samples x 18
        ("gender=M", "48", "432"),
    ]


@pytest.mark.parametrize(
    ("words", "first", "cost"),
    [
        (("--eer", "nearest-max"), "nearest-max", "P=0.01 C=1,1"),
        (("--preset", "sre08"), "linear", "P=0.01 C=10,1"),
        (("--preset", "sre12"), "linear", "mean of P=0.01 C=1,1 and P=0.001 C=1,1"),
        (("--p-target", "0.05"), "linear", "P=0.05 C=1,1"),
    ],
)
def test_conventions(good: Call, runs: Path, words: tuple[str, ...], first: str, cost: str) -> None:
    rows = [r for r in found(good, runs, *words) if not r["given"]]
    assert rows[0]["convention"] == first
    of_calibration = {f"{cost}, logistic", "logistic", "pav", ""}
    assert {r["convention"] for r in rows} == {first, "linear", "rocch", cost} | of_calibration
    assert cost in good("eval", *OURS, *words, "--out", runs).stdout


@pytest.mark.parametrize(
    ("form", "words"), [("voxceleb", ()), ("kaldi", ()), ("csv", ()), ("wav", ("--strip-suffix", ".wav"))]
)
def test_the_same_trials_as_a_list(good: Call, runs: Path, tmp_path: Path, form: str, words: tuple[str, ...]) -> None:
    rows = found(good, runs, "--trials", lists(runs, tmp_path)[form], *words)
    assert {r["trials"] for r in rows} == {f"list {form}"}
    assert figures(rows) == figures(found(good, runs))


def test_trials_left_out_are_counted(good: Call, runs: Path, tmp_path: Path) -> None:
    words = ("--trials", lists(runs, tmp_path)["longer"], "--missing-trials", "skip")
    rows = found(good, runs, *words)
    assert {r["n_missing"] for r in rows if not r["given"]} == {"1"}
    assert figures(rows) == figures(found(good, runs))
    assert "1 of 2113 trials were left out: they cannot be scored" in good("eval", *OURS, *words, "--out", runs).stdout


def test_samples_that_miss_a_modality(good: Call, files: Path, tmp_path: Path) -> None:
    gaps = imported(good, files, tmp_path / "gaps", "gaps.npz")
    good("train", *OURS, "--data", gaps, "--fusion", "score-logistic", "--out", tmp_path)
    row = found(good, tmp_path)[0]
    n, n_imputed, n_missing = (int(row[name]) for name in ("n", "n_imputed", "n_missing"))
    assert (n, n_missing) == (N_GENUINE + N_IMPOSTOR, 0)
    good("train", *OURS, "--fusion", "cosine", "--modalities", "face", "--out", tmp_path)
    alone = found(good, tmp_path, "--missing-trials", "skip")[0]
    assert int(alone["n_missing"]) == n_imputed > 0
    assert int(alone["n"]) == n - n_imputed


def test_a_zeroed_modality_leaves_the_other(good: Call, mine: Path, tmp_path: Path) -> None:
    good("train", *OURS, "--data", mine, "--fusion", "score-logistic", "--segment", "0.115", "--out", tmp_path)
    fused = found(good, tmp_path, "--noise", "voice=zeros")
    good("train", *OURS, "--fusion", "cosine", "--modalities", "face", "--out", tmp_path)
    assert fused[0]["segment_s"] == "0.115"
    alone = figures(found(good, tmp_path))
    of_order = [row[0] in ("eer", "min_dcf", "min_cllr") for row in alone]  # nulls change calibration
    assert sum(of_order) == 4
    assert [f[:5] for f in compress(figures(fused), of_order)] == [f[:5] for f in compress(alone, of_order)]


def test_the_other_verbs_find_the_same(good: Call, mine: Path, files: Path, tmp_path: Path) -> None:
    good("train", *OURS, "--data", mine, "--fusion", "cosine", "--modalities", "face", "--out", tmp_path)
    row = found(good, tmp_path)[0]
    trials = lists(tmp_path, tmp_path)["kaldi"]
    scored = tmp_path / "scores.csv"
    good("score", "--embeddings", files / "face.npz", "--trials", trials, "--out", scored)
    ours = np.load(tmp_path / "results" / row["result"] / "scores.npy")
    np.testing.assert_allclose(ours, [float(r["score"]) for r in read(scored)], atol=1e-6)
    assert json.loads(good("metrics", scored, "--json").stdout)["eer"]["linear"] == pytest.approx(float(row["value"]))


def test_attention(good: Call, runs: Path) -> None:
    told = json.loads(good("attention", "--permutations", 50, "--out", runs, "--json").stdout)
    assert (told["condition"], told["n"], told["n_left_out"]) == ("clean", 48, 0)
    assert sum(told["mean_weights"].values()) == pytest.approx(1)
    shown = [(row["attribute"], row["modality"], row["n"]) for row in told["rows"]]
    assert shown == [("Smiling", "face", 24), ("Smiling", "voice", 24)]
    assert [Path(f).is_file() for f in told["files"]] == [True]


def test_attention_by_attributes_of_ones_own(good: Call, runs: Path, tmp_path: Path) -> None:
    rows = [f"test{k}/v{i // 2}/c{i % 2},{i},{'red' if k % 2 else 'fair'}\n" for k in range(7) for i in range(6)]
    (tmp_path / "own.csv").write_text("id,yaw,hair\n" + "".join(rows))
    levels = ("--levels", "clean voice=zeros voice=random")
    words = ["attention", "--attributes", tmp_path / "own.csv", "--permutations", 20, *levels, "--out", runs]
    told = json.loads(good(*words, "--json").stdout)
    assert {row["attribute"] for row in told["rows"]} >= {"yaw:0-30", "hair=fair", "hair=red"}
    assert list(told["levels"]) == ["clean", "voice=zeros", "voice=random"]
    assert [Path(f).name for f in told["files"]] == ["attention.csv", "weights.png"]
    assert "note: 6 of 48 test samples have no attributes and count as not known" in good(*words).stdout


def test_tables(runs: Path, table: Result) -> None:
    folder = runs / "tables" / "mine-8-subject-whole"
    assert "Person verification by face and voice (measured)" in table.stdout
    assert "Data: mine; 8 subjects test (4 F, 4 M), 10 train and tune" in table.stdout
    assert f"written: {folder}" in table.stdout
    assert "audiovisual-table3a: left out, for the data come without its attributes" in table.stderr
    assert "audiovisual-table3b: 11 rows left out" in table.stderr
    names = {"audiovisual-calibration", *(f"audiovisual-table{k}" for k in ("1", "2", "3b"))}
    ends = (".txt", ".md", ".tex", ".csv", ".json", "-cells.csv", "-rows.csv")
    written = {name + end for name in names for end in ends} | {"audit.json", "audit.txt", "environment.json"}
    assert {p.name for p in folder.iterdir() if p.is_file()} == written
    entries = json.loads((folder / "figures" / "figures.json").read_text())
    drawn = {entry[kind] for entry in entries for kind in ("svg", "png")}
    assert {p.name for p in (folder / "figures").iterdir()} == {"figures.json", *drawn} > {"figures.json"}


def test_a_second_run_reuses_everything(
    good: Call, mine: Path, runs: Path, table: Result, listing: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(Evaluator, "run", never)
    monkeypatch.setattr("mmbio.fuse.run.train_fold", never)
    before = listing(runs)
    good("build-virtual", *OURS, "--data", mine, "--out", runs)
    good("train", *OURS, "--out", runs)
    assert good("tables", "--data", mine, "--out", runs).stdout == table.stdout
    assert listing(runs) == before
    told = good("tables", "--data", mine, "--explain", "--out", runs).stdout.splitlines()[-1].split()
    assert told[0] == told[2]


def test_another_home_gives_the_same_bytes(
    good: Call, files: Path, runs: Path, table: Result, listing: Listing, tmp_path: Path
) -> None:
    again, home, null = imported(good, files, tmp_path / "mine"), tmp_path / "runs", ("--noise", "voice=random")
    assert listing(again) == listing(files / "mine")
    good("tables", "--data", again, "--out", home)
    assert listing(home / "tables") == listing(runs / "tables")
    good("train", *OURS, "--data", again, "--out", home)
    assert found(good, home, *null) == found(good, runs, *null)
