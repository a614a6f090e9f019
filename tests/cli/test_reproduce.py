"""mmbio reproduce: what it says, its exit codes, and what it leaves behind."""

import csv
import fcntl
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mmbio.files import OWNER, bytes_hash

Call = Callable[..., Result]
Listing = Callable[[Path], dict[str, bytes]]
Refused = Callable[..., None]


@pytest.fixture(scope="module")
def runs(good: Call, tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with an attention on heartbeats alone, tested clean and under noise."""
    folder = tmp_path_factory.mktemp("reproduced") / "runs"
    good("build-virtual", "--data", tiny_root, "--triplets", 5, "--folds", 2, "--out", folder)
    good("train", "--fusion", "attention", "--modalities", "ecg", "--out", folder)
    for noise in ((), ("--noise", "ecg=0.1")):
        good("eval", *noise, "--out", folder)
    return folder


@pytest.fixture(scope="module")
def result(runs: Path) -> str:
    """The hash of the result under noise."""
    rows = csv.DictReader((runs / "results.csv").read_text().splitlines())
    return next(row["result"] for row in rows if row["test_condition"] == "ecg=0.1")


@pytest.mark.parametrize("words", [(), ("--from-checkpoint",)])
def test_the_same_bytes(good: Call, runs: Path, result: str, listing: Listing, words: tuple[str, ...]) -> None:
    before = listing(runs)
    told = good("reproduce", result[:8], *words, "--out", runs).stdout.splitlines()
    head = "attention of ecg, synthetic data, trained under clean, tested under ecg=0.1"
    assert told[0] == f"{result[:8]}: {head}"
    assert told[1].startswith("made 20")
    assert re.fullmatch(r"Same bytes: 7 rows and \d+ arrays agree to the last bit\.", told[2])
    assert told[3] == "then and now: the same code, libraries, processor and number of threads"
    assert listing(runs) == before
    assert not (runs / "reproduced").exists()


def test_a_folder_as_json_and_kept(good: Call, runs: Path, result: str) -> None:
    words = (runs / "results" / result, "--from-checkpoint", "--keep", "--json", "--out", runs)
    told = json.loads(good("reproduce", *words).stdout)
    assert (told["result"], told["verdict"], told["columns"], told["changes"]) == (result, "same bytes", {}, {})
    kept = Path(told["kept"])
    assert kept.parents[2] == runs / "reproduced"
    assert (kept / "rows.csv").read_bytes() == (runs / "results" / result / "rows.csv").read_bytes()


def test_what_killed_reruns_left_goes_and_others_stay(good: Call, runs: Path, result: str) -> None:
    place = runs / "reproduced"
    names = ("0000aaaa-killed00", "1111bbbb-at_work0", "2222cccc-kept0000")
    for name in names:
        (place / name / "store").mkdir(parents=True)
    for name in names[:2]:
        (place / name / OWNER).touch()
    with (place / names[1] / OWNER).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        good("reproduce", result, "--from-checkpoint", "--quiet", "--out", runs)
    assert [(place / name).exists() for name in names] == [False, True, True]
    good("reproduce", result, "--from-checkpoint", "--quiet", "--out", runs)
    assert [(place / name).exists() for name in names] == [False, False, True]
    (place / names[2] / "store").rmdir()
    (place / names[2]).rmdir()


def test_quiet(good: Call, runs: Path, result: str) -> None:
    done = good("reproduce", result, "--from-checkpoint", "--quiet", "--out", runs)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_figure_that_differs(mmbio: Call, runs: Path, result: str) -> None:
    path = runs / "results" / result / "rows.csv"
    record = path.with_name("run.json")
    text, recorded = path.read_text(), record.read_text()
    try:
        path.write_text(text.replace(",synthetic,", ",others,"))
        told = json.loads(recorded)
        told["files"]["rows.csv"] = bytes_hash(path.read_bytes())  # as if another machine had found it
        record.write_text(json.dumps(told))
        done = mmbio("reproduce", result, "--from-checkpoint", "--out", runs)
        assert done.exit_code == 1
        assert "\nDifferent: data in 7 of 7 rows.\n" in done.stdout
        assert mmbio("reproduce", result, "--from-checkpoint", "--quiet", "--out", runs).exit_code == 1
    finally:
        path.write_text(text)
        record.write_text(recorded)


def test_another_library(good: Call, runs: Path, result: str) -> None:
    path = runs / "results" / result / "run.json"
    text = path.read_text()
    told = json.loads(text)
    told["environment"]["libraries"]["numpy"] = "0.1"
    try:
        path.write_text(json.dumps(told))
        lines = good("reproduce", result, "--from-checkpoint", "--out", runs).stdout.splitlines()
        assert lines[3].startswith("differs: libraries numpy: 0.1 then, ")
    finally:
        path.write_text(text)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("reproduce 0123456789abcdef", "RESULT 0123456789abcdef: no such result in .*, where there is [0-9a-f]{16}, "),
        ("reproduce nonsense", "RESULT nonsense: no such result in .*; give the first digits of one, or a folder"),
        ("reproduce abcd --out {home}/empty", "RESULT abcd: .*results holds no result; run mmbio eval first"),
        ("reproduce {result} --manifest {home}/nowhere", r"manifest\.json: not a readable manifest"),
        ("reproduce {result} --weights nofile", "--weights nofile: no ResNet-50 behind .*; leave --weights out"),
        ("reproduce {result} --device nowhere", "--device nowhere: not to be had on this machine"),
        ("reproduce", "Missing argument 'RESULT'"),
    ],
)
def test_bad_words(refused: Refused, runs: Path, result: str, listing: Listing, words: str, told: str) -> None:
    before = listing(runs)
    refused(told, words.replace("{result}", result), runs)
    assert listing(runs) == before
    assert not list((runs / "reproduced").glob("*/store"))
