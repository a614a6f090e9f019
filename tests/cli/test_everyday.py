"""Everyday use: what each verb writes, says and prints as JSON, and that the same words give the same bytes."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from mmbio.cli.main import VERBS
from mmbio.data.synthetic import root as synthetic
from mmbio.fuse.config import OPTIMISERS, Optimiser
from mmbio.measure.evaluate import Evaluator
from mmbio.tables.spec import spec_folder

Call = Callable[..., Result]
Listing = Callable[[Path], dict[str, bytes]]

SPEC = """
protocol = "multitask"
name = "own"
title = "My own"
keys = ["what"]
cost = true
[base]
modalities = ["ecg"]
tasks = ["identification"]
[[columns]]
key = "id"
header = "ID (%)"
task = "identification"
metric = "accuracy"
[[rows]]
key = { what = "feature level" }
[[rows]]
key = { what = "score level" }
set = { fusion = "score-sum" }
"""
SHAPES = {"face": (200, 180), "finger": (96, 96)}  # height, width


WRITE_NOTHING = ("compare", "datasets", "doctor")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, tiny_root: Path) -> list[str]:
    """The words that run a small spec of one's own."""
    path = tmp_path_factory.mktemp("spec") / "own.toml"
    path.write_text(SPEC)
    return ["tables", str(path), "--data", str(tiny_root), "--folds", "1"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, av_set: Path) -> Path:
    """Embeddings, a trial list and scores of one's own."""
    folder = tmp_path_factory.mktemp("files")
    ids = [f"s{i}/v{j}/c" for i in range(6) for j in range(3)]
    np.savez(folder / "face.npz", ids=np.array(ids), vectors=np.random.default_rng(0).standard_normal((18, 4)))
    (folder / "trials").write_text("1 s0/v0/c s0/v1/c\n0 s0/v0/c s1/v0/c\n")
    (folder / "scores.csv").write_text("score,genuine\n.08,1\n.19,1\n.13,0\n")
    return folder


@pytest.fixture(scope="module")
def repeated(
    home: Path, good: Call, tiny_root: Path, own: list[str], files: Path, av_set: Path
) -> dict[str, list[str]]:
    """Words for each verb that find done what they ask for, but for those that cost little."""
    short = {"audiovisual": Optimiser(batch=20, epochs=2, steps=2)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mmbio.fuse.config.OPTIMISERS", {**OPTIMISERS, **short})
        good("train", "--protocol", "audiovisual", "--data", av_set, "--out", home)
    made = home / "data" / "synthetic"
    made.mkdir(parents=True)
    marker = synthetic._description(0, synthetic.N_SUBJECTS, synthetic.SPREADS)
    (made / synthetic.MARKER).write_text(json.dumps(marker))
    good(*own, "--out", home)
    rows = next(home.glob("tables/*/own-rows.csv")).read_text().splitlines()
    results = [row["result"] for row in csv.DictReader(rows)]
    words = {
        "download": ["synthetic"],
        "build-virtual": ["--data", str(tiny_root), "--triplets", "5", "--folds", "2"],
        "extract": [],
        "train": ["--fusion", "attention"],
        "eval": [],
        "reproduce": [results[0], "--from-checkpoint", "--keep"],
        "compare": results,
        "audit": [],
        "report": [],
        "corrupt": ["--noise", "face=0.97", "--number", "1"],
        "tables": own[1:],
        "attention": ["--permutations", "10"],
        "metrics": [str(files / "scores.csv")],
        "doctor": [],
        "datasets": ["--data", str(tiny_root)],
        "purge": ["Person_01", "--dry-run"],
    }
    trials = ["--embeddings", str(files / "face.npz"), "--trials", str(files / "trials")]
    elsewhere = {
        "import": ["import", "--modality", f"face={files / 'face.npz'}", "--out", str(home / "mine")],
        "score": ["score", *trials, "--out", str(home / "scores.csv")],
    }
    return {verb: [verb, *more, "--out", str(home)] for verb, more in words.items()} | elsewhere


def accuracies(home: Path, condition: str) -> list[dict[str, str]]:
    """The rows of results.csv that hold the mean accuracies under a test condition."""
    rows = csv.DictReader(io.StringIO((home / "results.csv").read_text()))
    return [r for r in rows if (r["test_condition"], r["fold"], r["metric"]) == (condition, "mean", "accuracy")]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_build_virtual_says_what_it_built(good: Call, home: Path, tiny_root: Path) -> None:
    told = good("build-virtual", "--data", tiny_root, "--triplets", 5, "--folds", 2, "--out", home).stdout.split("\n")
    assert told[0] == "6 subjects: 3 F, 3 M; the paper has 58"
    assert "30 triplets: 24 train, 6 test, 2 folds (triplet split)" in told
    assert "face: faces95 (synthetic)" in told
    folder = Path(told[-2].removeprefix("written: "))
    assert {p.name for p in folder.iterdir()} == {"manifest.json", "subjects.csv", "samples.csv", "items.csv"}


def test_train_says_what_it_trained(good: Call, home: Path) -> None:
    first, second, last = good("train", "--fusion", "attention", "--out", home).stdout.splitlines()
    assert first == "attention of ecg, face, finger for identification and gender, trained under clean"
    assert second.startswith("2 networks, ")
    assert Path(last.removeprefix("written: ")).is_file()


@pytest.mark.parametrize(
    ("words", "condition", "n_imputed"),
    [
        ((), "clean", "0"),
        (("--noise", "face=0.97"), "face=0.97", "0"),
        (("--noise", "face=0.97", "--missing", "ecg"), "missing=ecg,face=0.97", "6"),
        (("--noise", "ecg=0.1,face=zeros"), "ecg=0.1,face=zeros", "0"),
    ],
)
def test_eval(good: Call, home: Path, words: tuple[str, ...], condition: str, n_imputed: str) -> None:
    result = good("eval", *words, "--out", home)
    assert "identification" in result.stdout
    assert f"written: {home / 'results'}" in result.stdout
    assert result.stderr.startswith(f"checkpoint: {home / 'checkpoints'}")
    rows = accuracies(home, condition)
    assert [(r["task"], r["n"], r["n_imputed"]) for r in rows if r["split"] == "triplet"] == [
        ("identification", "6", n_imputed),
        ("gender", "6", n_imputed),
    ]
    posterior = np.load(home / "results" / rows[0]["result"] / "posterior_identification.npy")
    assert posterior.shape == (2, 6, 6)
    np.testing.assert_allclose(posterior.sum(2), 1, rtol=1e-5)


def test_eval_on_people_not_trained_on(good: Call, home: Path) -> None:
    assert "triplet-unseen" in good("eval", "--unseen", "--out", home).stdout
    (row,) = [r for r in accuracies(home, "clean") if r["split"] == "triplet-unseen"]
    assert (row["task"], row["n"]) == ("gender", "30")


def test_extract_is_done_once(good: Call, home: Path) -> None:
    words = ["extract", "--noise", "finger=0.05", "--json", "--out", home]
    first, second = (json.loads(good(*words).stdout) for _ in range(2))
    assert [w["modality"] for w in first] == ["face", "finger"]
    assert [w["n"] for w in first] == [30, 30]
    assert [w["extracted"] for w in first] == [0, 30]
    assert [w["extracted"] for w in second] == [0, 0]
    for done in first:
        assert np.load(Path(done["store"]) / "vectors.npy").shape == (30, 2048)


def test_corrupt_writes_samples_and_pictures(good: Call, home: Path, tmp_path: Path) -> None:
    result = good("corrupt", "--noise", "paper", "--number", 3, "--to", tmp_path / "pictures", "--out", home)
    condition = "ecg=0.1,face=0.97,finger=0.05"
    assert result.stdout == (
        f"written: {tmp_path / 'pictures'} (3 samples of ecg, face, finger under {condition}, and a picture of each)\n"
    )
    written = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert len(written) == 3 * 3 + 3
    for modality, size in SHAPES.items():
        assert pixels(tmp_path / "pictures" / f"{modality}.png").shape[1] > 400
        for path in (tmp_path / "pictures").glob(f"{modality}-*.png"):
            assert pixels(path).shape == (*size, 3)
    black = pixels(next((tmp_path / "pictures").glob("face-*.png"))).max(2) == 0
    assert abs(black.mean() - 0.97) < 0.01
    beats = [np.loadtxt(path, delimiter=",") for path in (tmp_path / "pictures").glob("ecg-*.csv")]
    assert [b.shape for b in beats] == [(3, 300)] * 3


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_corruption_gives_the_same_bytes(
    good: Call, home: Path, tmp_path: Path, listing: Listing, suffix: str
) -> None:
    for name in "ab":
        good("corrupt", "--noise", "ecg=0.1", "--format", suffix, "--to", tmp_path / name, "--out", home)
    assert listing(tmp_path / "a") == listing(tmp_path / "b")
    assert f"ecg.{suffix}" in listing(tmp_path / "a")


def test_own_table(good: Call, home: Path, own: list[str], repeated: object) -> None:
    told = good(*own, "--out", home).stdout
    folder = home / "tables" / "synthetic-6-triplet-quick-folds1"
    assert "My own (measured)" in told
    assert "Data: synthetic; 6 subjects (3 F, 3 M)" in told
    assert f"written: {folder} (11 files)" in told
    names = {f"own{end}" for end in (".csv", ".json", ".md", ".tex", ".txt", "-cells.csv", "-cost.json", "-rows.csv")}
    assert {p.name for p in folder.glob("[!.]*")} == names | {"audit.json", "audit.txt", "environment.json"}
    assert (folder / "own.txt").read_text() in told


def test_a_finished_table_computes_nothing(
    good: Call, home: Path, own: list[str], repeated: object, listing: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(Evaluator, "run", never)
    monkeypatch.setattr("mmbio.fuse.run.train", never)
    before = listing(home)
    good(*own, "--out", home)
    assert listing(home) == before


def test_explain(good: Call, home: Path, own: list[str], repeated: object) -> None:
    assert good(*own, "--explain", "--out", home).stdout.endswith("2 of 2 cells are finished\n")
    other = good(*own, "--explain", "--seed", "1", "--out", home).stdout
    assert other.endswith("0 of 2 cells are finished\n")


def test_the_same_words_give_the_same_bytes(
    good: Call, home: Path, tmp_path: Path, own: list[str], repeated: object, listing: Listing, tiny_root: Path
) -> None:
    good(*own, "--out", tmp_path / "again")
    first, again = (listing(h / "tables" / "synthetic-6-triplet-quick-folds1") for h in (home, tmp_path / "again"))
    other = {name for name in first if again[name] != first[name]}
    assert other <= {"own-cost.json", "audit.json", "audit.txt"}  # seconds, and the pairings that stand beside
    audits = [json.loads(found["audit.json"]) | {"pairings": []} for found in (first, again)]
    assert audits[0] == audits[1]
    for name in "ab":
        good("build-virtual", "--data", tiny_root, "--triplets", 5, "--folds", 2, "--out", tmp_path / name)
        good("train", "--modalities", "ecg", "--out", tmp_path / name)
        good("eval", "--noise", "ecg=0.1", "--out", tmp_path / name)
    assert (tmp_path / "a" / "results.csv").read_bytes() == (tmp_path / "b" / "results.csv").read_bytes()


def test_reported_tables_are_the_committed_ones(good: Call, tmp_path: Path, listing: Listing) -> None:
    told = good("tables", "--reported-only", "--out", tmp_path).stdout
    committed = listing(spec_folder() / "rendered" / "reported")
    assert len(committed) == 24
    assert listing(tmp_path / "tables" / "reported") == committed
    assert f"written: {tmp_path / 'tables' / 'reported'} (24 files)" in told


def test_download_makes_the_root_once(good: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "generate", partial(synthetic.generate, n_subjects=1, spreads={"finger": 1.0}))
    monkeypatch.setattr(synthetic, "N_SUBJECTS", 1)
    monkeypatch.setattr(synthetic, "SPREADS", {"finger": 1.0})
    words = ["download", "synthetic", "--to", tmp_path / "root", "--out", tmp_path / "runs"]
    assert [good(*words).stdout.split(":")[0] for _ in range(2)] == ["written", "already there"]
    n_files = sum(path.is_file() for path in (tmp_path / "root").rglob("*"))
    assert f"{tmp_path / 'root'} ({n_files} files, seed 0, synthetic)" in good(*words).stdout


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_as_json(good: Call, repeated: dict[str, list[str]], verb: str) -> None:
    result = good(*repeated[verb], "--json")
    assert json.loads(result.stdout)
    assert result.stderr == ""


@pytest.mark.parametrize("more", ["--reported-only", "--explain"])
def test_other_tables_as_json(good: Call, repeated: dict[str, list[str]], more: str) -> None:
    assert json.loads(good(*repeated["tables"], more, "--json").stdout)


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_quiet(good: Call, repeated: dict[str, list[str]], verb: str) -> None:
    result = good(*repeated[verb], "--quiet")
    assert (result.stdout, result.stderr) == ("", "")


@pytest.mark.parametrize(
    "verb", [verb for verb in VERBS if verb not in ("compare", "datasets", "doctor")]
)  # they write nothing
def test_what_a_summary_names_is_there(good: Call, home: Path, repeated: dict[str, list[str]], verb: str) -> None:
    words = good(*repeated[verb]).stdout.replace("\n", " ").split(" ")
    named = [Path(word.rstrip(";")) for word in words if word.startswith(str(home))]
    assert named
    assert all(path.exists() for path in named)


def test_no_progress_where_nobody_watches(home: Path) -> None:
    mmbio = Path(sys.executable).with_name("mmbio")
    words = ["train", "--modalities", "ecg", "--fusion", "sum", "--out", str(home)]
    done = subprocess.run([mmbio, *words], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.count("\n") == 3
    told = [line for line in done.stderr.splitlines() if "; log: " not in line]  # on a busy machine it may take long
    assert len(told) == 1
    assert told[0].startswith("manifest: ")
    assert "\x1b" not in done.stdout + done.stderr
