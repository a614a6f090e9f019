"""mmbio audit: a table and a verdict, files beside, exit codes, and refusals in one sentence."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Call = Callable[..., Result]
Refused = Callable[..., None]

OURS = ("audit", "--protocol", "audiovisual")
WORDS = [
    ("audit --near 0", "--near 0: expected a cosine above 0 and at most 1"),
    ("audit --near 1.5", "--near 1.5: expected a cosine above 0 and at most 1"),
    ("audit --near nan", "--near nan: expected a cosine above 0 and at most 1"),
    ("audit --near x", "'--near': 'x' is not a valid float"),
    ("audit --manifest nowhere", "manifest.json: not a readable manifest"),
    ("audit --protocol nose", "'--protocol': 'nose' is not"),
    ("audit --trials x", "--trials: belongs to the protocol audiovisual"),
    ("audit --strip-suffix .wav", "--strip-suffix: belongs to the protocol audiovisual"),
    ("audit --missing-trials nose", "'--missing-trials': 'nose' is not one of"),
    ("audit --weights nofile", "--weights nofile: expected imagenet, random, or a file of weights"),
    ("audit --precision x", "'--precision': 'x' is not one of"),
    ("audit --device nowhere", "--device nowhere: not to be had on this machine"),
    ("audit --out {root}/synthetic.json/runs", "runs: cannot be written to .Not a directory"),
]


@pytest.fixture(scope="module")
def av_runs(good: Call, av_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audit") / "runs"
    good("build-virtual", "--protocol", "audiovisual", "--data", av_set, "--out", folder)
    return folder


@pytest.fixture(scope="module")
def runs(good: Call, tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audit") / "runs"
    good("build-virtual", "--data", tiny_root, "--triplets", 5, "--folds", 2, "--out", folder)
    return folder


@pytest.mark.parametrize(("text", "told"), WORDS)
def test_refusals(refused: Refused, runs: Path, tiny_root: Path, text: str, told: str) -> None:
    refused(told, text, runs, root=tiny_root)
    assert not (runs / "audits").exists()


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_fits(good: Call, runs: Path, av_runs: Path, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for words in (("audit", "--out", runs), (*OURS, "--out", av_runs)):
        lines = [
            line for line in good(*words).stdout.splitlines() if str(runs) not in line and str(av_runs) not in line
        ]
        assert max(map(len, lines)) <= columns
        assert sum("…" in line for line in lines) == 0
        (head,) = (line for line in lines if line.startswith("level"))
        assert head.split() == ["level", "modality", "between", "found", "sources", "verdict"]


def test_a_leak_is_told_and_written(good: Call, runs: Path) -> None:
    told = good("audit", "--out", runs).stdout
    assert "test items share a source image (face) with training" in told.replace("\n", " ")
    (folder,) = (runs / "audits").iterdir()
    text = (folder / "audit.txt").read_text()
    assert "of test items share a source image (face) with training: accuracy on this split measures" in text
    stored = json.loads((folder / "audit.json").read_text())
    assert folder.name == stored["manifest"][:8]
    assert json.loads(good("audit", "--out", runs, "--json").stdout) == stored
    assert good("audit", "--out", runs, "--quiet").output == ""
    shutil.rmtree(runs / "audits")


@pytest.mark.parametrize(("words", "code"), [((), 0), (("--strict",), 1)])
def test_exit_code(mmbio: Call, runs: Path, words: tuple[str, ...], code: int) -> None:
    assert mmbio("audit", "--out", runs, "--quiet", *words).exit_code == code
    shutil.rmtree(runs / "audits")


def test_nothing_to_be_strict_about(good: Call, av_runs: Path) -> None:
    told = good(*OURS, "--out", av_runs, "--strict").stdout
    assert "no leak was found" in told
    assert "test trials of 12 people" in told


LISTS = {
    "leak.txt": "1 test00/v0/c0 test00/v0/c1\n0 test00/v0/c0 test01/v0/c0\n",
    "unknown.txt": "1 test00/v0/c0 test00/v1/c0\n0 test00/v0/c0 nobody\n",
    "strangers.txt": "1 nobody noone\n",
    "suffixed.txt": "1 test00/v0/c0.wav test00/v1/c0.wav\n0 test00/v0/c0.wav test01/v0/c0.wav\n",
    "two.txt": "a b\n",
}


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    for name, text in LISTS.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_lists(mmbio: Call, good: Call, av_runs: Path, lists: Path) -> None:
    assert mmbio(*OURS, "--trials", lists / "leak.txt", "--out", av_runs, "--strict").exit_code == 1
    told = good(*OURS, "--trials", lists / "suffixed.txt", "--strip-suffix", ".wav", "--out", av_runs, "--json").stdout
    assert json.loads(told)["trials"]["list"]["n"] == 2
    told = good(*OURS, "--trials", lists / "unknown.txt", "--missing-trials", "skip", "--out", av_runs, "--json").stdout
    counted = json.loads(told)["trials"]["list"]
    assert (counted["n"], counted["n_unknown"]) == (1, 1)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--trials {lists}/unknown.txt", r"unknown.txt: 1 of 2 trials name ids that are not known \('nobody'"),
        ("--trials {lists}/strangers.txt", "1 of 1 trials name ids that are not known"),
        ("--trials {lists}/strangers.txt --missing-trials skip", "1 of 1 trials name ids that are not known"),
        ("--trials {lists}/two.txt", "two.txt: row 1: .* has 2 columns and is of no known form"),
        ("--trials {lists}/none.txt", "none.txt: cannot be read"),
        ("--strip-suffix .wav", "--strip-suffix .wav: is for the ids of a list; add --trials"),
    ],
)
def test_lists_that_cannot_be_used(refused: Refused, av_runs: Path, lists: Path, words: str, told: str) -> None:
    refused(told, " ".join([*OURS, words]), av_runs, lists=lists)


def test_files_that_are_gone(good: Call, refused: Refused, tiny_root: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_root, tmp_path / "root")
    good("build-virtual", "--data", tmp_path / "root", "--triplets", 5, "--folds", 2, "--out", tmp_path / "runs")
    gone = sorted((tmp_path / "root").rglob("*.hea"))[:2]
    for path in gone:
        path.unlink()
    refused(r"rec_\d.hea: gone, and with it 2 of the \d+ files of .*; put the data back", "audit", tmp_path / "runs")
