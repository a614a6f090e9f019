"""mmbio purge: who goes, what goes, what stays; and a search of our own, of bytes, finds nothing of them afterwards."""

import csv
import io
import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from mmbio.cli.purge import command
from mmbio.data import manifest as manifests
from mmbio.data import vector_sets
from mmbio.data.synthetic.root import MARKER
from mmbio.errors import MmbioError
from mmbio.files import read_json
from mmbio.fuse import config
from mmbio.purge import order, remove
from mmbio.purge.proof import JOURNAL

Call = Callable[..., Result]
ECG, AV = "Person_03", "test03"


@pytest.fixture(scope="module")
def lived_in(good: Call, tiny_root: Path, av_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with manifests, vectors, checkpoints, results, an audit and samples of both protocols, and a set."""
    home = tmp_path_factory.mktemp("purged") / "runs"
    few = {name: replace(how, epochs=2, steps=2) for name, how in config.OPTIMISERS.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "OPTIMISERS", few)
        good("build-virtual", "--data", tiny_root, "--triplets", 5, "--folds", 2, "--out", home)
        good("train", "--modalities", "ecg,face", "--out", home)
        good("eval", "--out", home)
        good("audit", "--out", home)
        good("corrupt", "--noise", "ecg=0.1", "--number", 1, "--out", home)
        shutil.copytree(av_set, home / "tiny")
        good("train", "--protocol", "audiovisual", "--data", home / "tiny", "--out", home)
        good("eval", "--protocol", "audiovisual", "--out", home)
    return home


@pytest.fixture
def home(lived_in: Path, tmp_path: Path) -> Path:
    return shutil.copytree(lived_in, tmp_path / "runs")


def purge(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)


def told(*words: object) -> Any:
    result = purge(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def left(home: Path, marks: set[bytes]) -> set[bytes]:
    """Which of the marks the bytes of any file, or the names of files and folders, still hold."""
    blob = b"\n".join(p.read_bytes() for p in home.rglob("*") if p.is_file())
    blob += b"\n".join(str(p.relative_to(home)).encode() for p in home.rglob("*"))
    return {mark for mark in marks if mark in blob}


def of_ecg(home: Path) -> set[bytes]:
    """The name, the samples, their hashes, and the hash of the manifest."""
    folder = next((home / "manifests").glob("multitask-*"))
    rows = csv.DictReader(io.StringIO((folder / "samples.csv").read_text()))
    theirs = [row for row in rows if row["subject"] == f"ecg-id/{ECG}"]
    assert theirs
    texts = {ECG, manifests.read(folder).hash, *(row[c] for row in theirs for c in ("sample", "path", "sha"))}
    return {text.encode() for text in texts}


def of_av(home: Path) -> set[bytes]:
    """The name, the ids and the bytes of every vector."""
    found = vector_sets.read(home / "tiny")
    rows = found.samples.index[found.samples["subject"] == AV].to_numpy()
    arrays = [np.load(path)[rows] for path in (home / "tiny").glob("*.npy")]
    return {row.tobytes() for array in arrays for row in array} | {
        AV.encode(),
        *(name.encode() for name in found.samples["id"][rows]),
        "".join(f"{AV}/v0/c1").encode("utf-32-le"),  # as NumPy keeps texts
    }


@pytest.mark.parametrize(("subject", "marks"), [(ECG, of_ecg), (f"tiny:{AV}", of_av)])
def test_nothing_of_a_person_is_left(home: Path, subject: str, marks: Callable[[Path], set[bytes]]) -> None:
    before = marks(home)
    assert left(home, before) == before
    made = told(subject, "--yes", "--out", home)
    assert left(home, before) == set()
    assert made["proof"]["found"] == []
    assert made["proof"]["n_files"] > 5
    assert not (home / JOURNAL).exists()


def test_vectors_in_the_store_of_a_face(home: Path) -> None:
    found = manifests.read(next((home / "manifests").glob("multitask-*")))
    name = str(found.subjects["face"][0])
    rows = np.flatnonzero(found.items["subject"] == 0)
    stored = np.load(next((home / "store").glob("face-*")) / "vectors.npy")[rows]
    marks = {row.tobytes() for row in stored}
    assert left(home, marks) == marks
    assert told(name, "--yes", "--out", home)["people"] == [name.replace("/", ":")]
    assert left(home, marks) == set()


def test_what_goes_and_what_stays(home: Path) -> None:
    made = told(ECG, "--yes", "--out", home)
    whats = {thing["what"] for thing in made["goes"]} - {"logs", "note"}
    assert whats == {"audits", "corrupted samples", "result", "checkpoint", "store", "manifest", "7 rows"}
    assert {p.name.partition("-")[0] for p in (home / "checkpoints").glob("*.safetensors")} == {"audiovisual"}
    assert {p.name.partition("-")[0] for p in (home / "manifests").glob("[!.]*")} == {"audiovisual"}
    assert set(pd.read_csv(home / "results.csv")["protocol"]) == {"audiovisual"}
    assert len(list((home / "results").glob("[0-9a-f]*"))) == 1
    assert vector_sets.read(home / "tiny").samples["subject"].nunique() == 36
    commands = {thing["what"]: thing["again"] for thing in made["goes"]}
    assert commands["checkpoint"].startswith("mmbio train --protocol multitask --fusion concat --modalities ecg,face")
    assert commands["manifest"].startswith("mmbio build-virtual --protocol multitask --data ")
    assert all(str(home) in thing["again"] for thing in made["goes"] if thing["what"] in ("checkpoint", "manifest"))


def test_others_of_a_set_keep_their_vectors(home: Path) -> None:
    before = vector_sets.read(home / "tiny")
    kept = (before.samples["subject"] != AV).to_numpy()
    arrays = {path.name: np.load(path)[kept] for path in (home / "tiny").glob("*.npy")}
    told(f"tiny:{AV}", "--yes", "--out", home)
    after = vector_sets.read(home / "tiny")
    assert after.samples["id"].tolist() == before.samples["id"][kept].tolist()
    for name, array in arrays.items():
        np.testing.assert_array_equal(np.load(home / "tiny" / name), array)


def test_who_went_stays_away(home: Path, good: Call, tiny_root: Path) -> None:
    told(ECG, "--yes", "--out", home)
    good("build-virtual", "--data", tiny_root, "--triplets", 5, "--folds", 2, "--out", home)
    found = manifests.read(next((home / "manifests").glob("multitask-*")))
    assert found.n_subjects == 5
    assert f"ecg-id/{ECG}" not in set(found.subjects["ecg"])
    assert ECG.encode() not in (home / "excluded.json").read_bytes()


def test_the_commands_that_are_named_run(home: Path, good: Call, tiny_root: Path) -> None:
    good("build-virtual", "--data", tiny_root, "--triplets", 4, "--folds", 2, "--subjects", 4, "--out", home)
    who = manifests.read(manifests.newest(home, "multitask") or home).subjects["ecg"][0]
    few = {name: replace(how, epochs=2, steps=2) for name, how in config.OPTIMISERS.items()}
    columns = ["fusion", "modalities", "split", "scale", "train_condition", "test_condition", "weights"]

    def stands() -> set[tuple[str, ...]]:
        table = pd.read_csv(home / "results.csv", dtype=str, keep_default_na=False)
        return set(table[table["protocol"] == "multitask"][columns].itertuples(index=False, name=None))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "OPTIMISERS", few)
        for modalities, noise in (("ecg,finger", "ecg=0.2"), ("ecg", "ecg=0.1")):
            weights = ("--weights", "random") if "finger" in modalities else ()
            good("train", "--modalities", modalities, "--folds", 1, *weights, "--out", home)
            good("eval", "--noise", noise, "--out", home)
        before = stands()
        assert "\nnote: --subjects is repeated as it was given; " in purge(who, "--dry-run", "--out", home).stdout
        made = told(who, "--yes", "--out", home)
        kinds = [line.split()[1] for line in made["commands"]]
        assert kinds[0:2] == ["build-virtual", "audit"]  # of the newest manifest, so straight after its own
        commands = [line for line in made["commands"] if line.split()[1] != "audit"]
        kinds = [line.split()[1] for line in commands]
        assert kinds[:8] == ["build-virtual", "train", "eval", "build-virtual", *["train", "eval"] * 2]
        assert "--subjects 4" in commands[3]
        assert "--subjects" not in commands[0]  # as many as fit
        trained = [line for line in made["commands"] if line.split()[1] == "train"]
        assert all(re.search(r" --precision (fp32|bf16) --device \w+ ", line) for line in trained)
        for line in made["commands"]:
            good(*shlex.split(line)[1:])
    assert stands() == before
    assert len(before) == 3
    folders = (home / "manifests").glob("multitask-*")
    assert sorted((f.info["folds"], f.n_subjects) for f in map(manifests.read, folders)) == [(2, 4), (2, 5)]
    configs = [order.key_of(path)["config"] for path in (home / "checkpoints").glob("multitask-*.safetensors")]
    assert sorted(str(one["folds"]) for one in configs) == ["1", "1", "None"]


def test_a_virtual_subject_is_all_of_its_people(home: Path) -> None:
    folder = next((home / "manifests").glob("multitask-*"))
    row = manifests.read(folder).subjects.iloc[2]
    people = sorted(str(row[m]).replace("/", ":") for m in ("ecg", "face", "finger"))
    assert told(f"{folder.name}#2", "--dry-run", "--out", home)["people"] == people
    lines = purge(f"{folder.name.rpartition('-')[2]}#2", "--dry-run", "--out", home).stdout.splitlines()
    assert lines[0].startswith(", ".join(people))
    assert "cannot be told apart" in lines[1]


def test_a_virtual_subject_that_went_is_known(home: Path) -> None:
    folder = next((home / "manifests").glob("multitask-*")).name
    told(f"{folder}#2", "--yes", "--out", home)
    for name in (f"{folder}#2", f"{folder.rpartition('-')[2]}#2"):
        assert f"{name}: already purged" in purge(name, "--yes", "--out", home).stdout
    with pytest.raises(MmbioError, match="nobody of this name"):
        purge(f"{folder}#3", "--yes", "--out", home)


def test_no_home_is_made(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match="nosuch: no such folder; give the home folder"):
        purge(ECG, "--yes", "--out", tmp_path / "nosuch")
    assert not list(tmp_path.iterdir())


def test_a_dry_run_changes_nothing(home: Path) -> None:
    before = {p: p.read_bytes() for p in home.rglob("*") if p.is_file()}
    out = purge(ECG, "--dry-run", "--out", home).stdout
    assert {p: p.read_bytes() for p in home.rglob("*") if p.is_file()} == before
    assert f"ecg-id:{ECG}: in {home}" in out
    assert "again: mmbio train --protocol multitask" in out
    assert "stays: source files" not in out  # they are synthetic
    path = next((home / "manifests").glob("multitask-*")) / "manifest.json"
    path.write_text(path.read_text().replace('"synthetic": true', '"synthetic": false'))
    out = purge(ECG, "--dry-run", "--out", home).stdout
    assert re.search(r"stays: source files in .*ecg-id-database-1\.0\.0; remove them there, or add --data ROOT", out)


def test_source_files_go_where_their_root_is_named(home: Path, tiny_root: Path, tmp_path: Path) -> None:
    root = shutil.copytree(tiny_root, tmp_path / "root")
    (root / MARKER).unlink()
    ecg = root / "ecg-id-database-1.0.0"
    (ecg / "RECORDS").write_text(f"{ECG}/rec_1\nPerson_04/rec_1\n")
    (ecg / "genders.csv").write_text(f"subject,gender,age\n{ECG},F,20\nPerson_04,M,20\n")
    made = told(ECG, "--data", root, "--yes", "--out", home)
    assert not (ecg / ECG).exists()
    assert (ecg / "RECORDS").read_text() == "Person_04/rec_1\n"
    assert (ecg / "genders.csv").read_text() == "subject,gender,age\nPerson_04,M,20\n"
    assert len(made["sources"]) >= 4
    written = {Path(ecg.name) / name for name in ("RECORDS", "genders.csv")}
    kept = {p.relative_to(root) for p in root.rglob("*") if p.is_file()} - written | {Path(MARKER)}
    assert kept == {p.relative_to(tiny_root) for p in tiny_root.rglob("*") if p.is_file() and ECG not in p.parts}
    told(f"{AV}", "--data", home / "tiny", "--yes", "--out", tmp_path / "elsewhere")
    assert AV not in set(vector_sets.read(home / "tiny").samples["subject"])


def test_source_files_inside_the_home_go(home: Path, tiny_root: Path) -> None:
    (shutil.copytree(tiny_root, home / "data" / "mine") / MARKER).unlink()
    made = told(ECG, "--yes", "--out", home)
    assert not list((home / "data").rglob(ECG))
    assert len(list((home / "data/mine/ecg-id-database-1.0.0").iterdir())) == 5
    assert made["proof"]["found"] == []


def test_synthetic_roots_stay_and_hold_nobody(home: Path, good: Call, tiny_root: Path, tmp_path: Path) -> None:
    made = shutil.copytree(tiny_root, home / "data" / "synthetic")
    before = {p: p.read_bytes() for p in made.rglob("*") if p.is_file()}
    (shutil.copytree(tiny_root, tmp_path / "real") / MARKER).unlink()
    result = purge(f"ecg-id:{ECG}", "--data", tmp_path / "real", "--yes", "--out", home)
    assert result.exit_code == 0, result.output
    assert "synthetic roots hold nobody and stay" in result.stdout
    assert "loses rows" not in result.stdout  # the home's manifests are of those whom mmbio made
    assert re.search(
        r"gone: \d+ things, \d+ lists edited\n.*vectors of this person compared: [\d,]+; found: 0\n"
        r"looked for: names, .* inside longer rows .*\nnot looked for: vectors that were changed .*\n",
        result.stdout,
    )
    assert {p: p.read_bytes() for p in made.rglob("*") if p.is_file()} == before
    assert not list((tmp_path / "real").rglob(ECG))
    good("build-virtual", "--data", made, "--triplets", 5, "--folds", 2, "--out", home)
    found = manifests.read(next((home / "manifests").glob("multitask-*")))
    assert f"ecg-id/{ECG}" in set(found.subjects["ecg"])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("nobody --yes", "SUBJECT 'nobody': nobody of this name in .*; give the set's own name"),
        ("person_03 --yes", "nobody of this name in .*; did you mean 'Person_03', or else give the set's own name"),
        ("multitask#1 --yes", "nobody of this name"),
        ("{folder}#99 --yes", "has 6 subjects, from 0"),
        (ECG, "nobody can be asked here; add --yes, or --dry-run"),
        (f"{ECG} --data nowhere", "--data nowhere: no such folder"),
    ],
)
def test_refusals(home: Path, words: str, sentence: str) -> None:
    before = {p: p.read_bytes() for p in home.rglob("*") if p.is_file()}
    folder = next((home / "manifests").glob("multitask-*")).name
    with pytest.raises(MmbioError, match=sentence):
        purge(*words.format(folder=folder).split(), "--out", home)
    assert {p: p.read_bytes() for p in home.rglob("*") if p.is_file()} == before


def test_a_name_in_two_sets(home: Path) -> None:
    shutil.copytree(home / "tiny", home / "other")
    info = read_json(home / "other/set.json", "set")
    (home / "other/set.json").write_text(json.dumps(info | {"name": "other"}))
    with pytest.raises(MmbioError, match=rf"2 people of different sets have this name; give one of other:{AV}, tiny"):
        purge(AV, "--yes", "--out", home)
    result = purge(f"tiny:{AV}", "--yes", "--out", home)
    assert result.exit_code == 1  # the other set holds the same vectors
    assert "left: other/face.npy (a vector in row 18)" in result.stderr
    assert told(f"other:{AV}", "--yes", "--out", home)["people"] == [f"other:{AV}", f"tiny:{AV}"]
    assert left(home, {AV.encode()}) == set()


def test_what_cannot_be_removed_is_named(home: Path) -> None:
    (home / "mine.txt").write_text(f"notes on {AV}/v0/c1, done")
    result = purge(f"tiny:{AV}", "--yes", "--out", home)
    assert result.exit_code == 1
    assert "left: mine.txt" in result.stderr
    (home / "mine.txt").unlink()
    assert purge(f"tiny:{AV}", "--yes", "--out", home).exit_code == 0


def test_results_of_manifests_that_are_not_here(home: Path) -> None:
    shutil.rmtree(next((home / "manifests").glob("multitask-*")))
    result = purge(f"tiny:{AV}", "--yes", "--out", home)
    assert result.exit_code == 1
    assert result.stderr.count("nobody can tell of whom; add --unknown") == 2
    name = "tiny:test04"
    assert purge(name, "--yes", "--unknown", "--out", home).exit_code == 0
    assert not list((home / "checkpoints").glob("multitask*"))


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


STEPS = ("aside.gone", "_rewrite_results", "_without_rows", "write_json", "aside.empty", "Path.rename", "proof.prove")


@pytest.fixture(params=range(1, 40, 3))
def killed(request: pytest.FixtureRequest) -> Iterator[Callable[[], None]]:
    """Ends the run at the n-th step of a kind that changes something, half before the step and half after it."""
    patch = pytest.MonkeyPatch()
    count = 0

    def counting(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            if count == request.param:
                raise Killed
            made = function(*words, **named)
            count += 1
            if count == request.param:
                raise Killed
            return made

        return call

    for step in STEPS:
        inner, _, name = step.rpartition(".")
        owner = getattr(remove, inner) if inner else remove
        patch.setattr(owner, name, counting(getattr(owner, name)))
    yield patch.undo
    patch.undo()


@pytest.mark.parametrize(("subject", "marks"), [(ECG, of_ecg), (f"tiny:{AV}", of_av)])
def test_killed_and_run_again(
    home: Path, killed: Callable[[], None], subject: str, marks: Callable[[Path], set[bytes]]
) -> None:
    before = marks(home)
    try:
        purge(subject, "--yes", "--out", home)
        pytest.skip("has no so many steps")
    except Killed:
        killed()
    if (home / JOURNAL).exists():
        assert told(subject, "--yes", "--out", home)["proof"]["found"] == []
        assert left(home, before) == set()
        assert not (home / ".purging").exists()
    else:  # nothing had begun
        assert left(home, before) == before


def test_whom_mmbio_made_is_not_the_real_one_of_the_name(
    home: Path, good: Call, tiny_root: Path, tmp_path: Path
) -> None:
    root = shutil.copytree(tiny_root, tmp_path / "real")
    (root / MARKER).unlink()
    synthetic = next((home / "manifests").glob("multitask-*"))
    entries = [p for room in ("manifests", "checkpoints", "results") for p in (home / room).rglob("[!.]*")]
    stay = {p: p.read_bytes() for p in entries if p.is_file()}
    good("build-virtual", "--data", root, "--triplets", 4, "--folds", 2, "--out", home)
    real = next(p for p in (home / "manifests").glob("multitask-*") if p != synthetic)
    made = told(f"ecg-id:{ECG}", "--data", root, "--yes", "--out", home)
    assert [t["path"] for t in made["goes"] if t["what"] == "manifest"] == [str(real)]
    assert (real.exists(), made["proof"]["found"]) == (False, [])
    assert {p: p.read_bytes() for p in stay if p.exists()} == stay
    again = told(f"ecg-id:{ECG}", "--yes", "--out", home)
    assert (again["goes"], again["proof"]["found"]) == ([], [])
    assert synthetic.exists()
