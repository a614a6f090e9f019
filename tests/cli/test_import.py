"""mmbio import: a vector set from anybody's files."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from mmbio.cli.import_ import command
from mmbio.data import vector_sets
from mmbio.errors import MmbioError

Import = Callable[[str], Result]

FACE = np.arange(8, dtype=np.float32).reshape(4, 2)
VOICE = np.arange(9, dtype=np.float32).reshape(3, 3)
IDS = ["p/v/1", "p/w/1", "q/v/1", "q/w/2"]
WHO = "id,subject,gender,video,clip,part,hat\n" + "".join(f"{i},{i[0]},F,{i[:3]},{i},dev,x\n" for i in [*IDS, "z"])


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Import:
    """`mmbio import WORDS` beside face.npz (4 ids), face.npy, ids.txt, short.npz and long.npz (3 ids) and who.csv."""
    monkeypatch.chdir(tmp_path)
    np.savez("face.npz", ids=np.array(IDS), vectors=FACE)
    np.save("face.npy", FACE)
    Path("ids.txt").write_text("\n".join(f"{name}.jpg" for name in IDS))
    np.savez("short.npz", ids=np.array(IDS[1:]), vectors=VOICE)
    np.savez("long.npz", ids=np.array(IDS[:0:-1]), vectors=VOICE[::-1])
    np.savez("other.npz", ids=np.array(IDS[:3]), vectors=VOICE)
    np.savez("flat.npz", ids=np.array(list("pqr")), vectors=VOICE)
    Path("who.csv").write_text(WHO)
    Path("both.csv").write_text(WHO.replace("p/w/1,dev", "p/w/1,test"))

    def call(words: str) -> Result:
        return CliRunner().invoke(command, words.split(), catch_exceptions=False)

    return call


def test_two_modalities(make: Import) -> None:
    told = make("--modality voice=short.npz --modality face=face.npz --out sets/mine").stdout
    assert told.splitlines() == [
        "samples: 4 of 2 subjects in 4 videos, 3 with all modalities",
        "subjects: read off the ids, the text before the first '/'; videos: the text before the last",
        "face: 4 vectors of 2, 0 samples miss it, 0 zero vectors, 0 repeated rows left out",
        "voice: 3 vectors of 3, 1 sample misses it, 0 zero vectors, 0 repeated rows left out",
        "written: sets/mine; next:",
        "  mmbio train --protocol audiovisual --data sets/mine",
        "  mmbio tables --data sets/mine",
    ]
    made = vector_sets.read(Path("sets/mine"))
    assert (made.name, made.modalities, made.attributes) == ("mine", ("face", "voice"), ())
    assert made.samples["id"].tolist() == IDS
    assert made.samples["voice"].tolist() == [-1, 0, 1, 2]
    np.testing.assert_array_equal(np.load("sets/mine/face.npy"), FACE)


def test_lengths_and_subjects(make: Import) -> None:
    words = "--modality voice@1.0150=long.npz --modality voice@0.115=short.npz --subjects who.csv --out mine --json"
    told = json.loads(make(words).stdout)
    made = vector_sets.read(Path("mine"))
    assert made.info["modalities"]["voice"]["segments"] == ["0.115", "1.015"]
    np.testing.assert_array_equal(np.load("mine/voice-0.115.npy"), np.load("mine/voice-1.015.npy"))
    assert made.samples["hat"].tolist() == ["x"] * 3
    assert (told["set"], told["n_samples"], told["n_all_modalities"], told["n_left_out"]) == ("mine", 3, 3, 2)
    assert (told["n_subjects"], told["n_videos"], told["n_by_part"]) == (2, 3, {"dev": 3, "test": 0, "": 0})
    assert set(told["modalities"]) == {"voice@1.015", "voice@0.115"}


def test_an_npy_with_ids_and_a_suffix(make: Import) -> None:
    words = "--modality face=face.npy --ids face=ids.txt --modality voice=short.npz --strip-suffix .jpg --out mine"
    assert "3 with all modalities" in make(words).stdout
    assert vector_sets.read(Path("mine")).samples["id"].tolist() == IDS


def test_again_gives_the_same_bytes_and_replaces_an_older_set(make: Import) -> None:
    made = []
    for _ in range(2):
        assert make("--modality face=face.npz --out mine --quiet").output == ""
        made.append({path.name: path.read_bytes() for path in Path("mine").iterdir()})
    assert made[0] == made[1]


def test_a_set_from_its_own_files(make: Import) -> None:
    make("--modality face=face.npz --out mine")
    make("--modality face=mine/face.npy --ids face=ids.txt --out mine")
    np.testing.assert_array_equal(np.load("mine/face.npy"), FACE)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--modality nose=face.npz", r"--modality nose=\.\.\.: unknown modality 'nose'; choose from ecg, face"),
        ("--modality face", "--modality face: expected MODALITY=VALUE"),
        ("--modality face@x=face.npz", "--modality face@x=face.npz: expected MODALITY=FILE or MODALITY@SECONDS=FILE"),
        ("--modality face@0=face.npz", "expected MODALITY=FILE or MODALITY@SECONDS=FILE"),
        ("--modality voice@1=short.npz --modality voice@1.0=long.npz", "voice@1.0=long.npz: given twice"),
        ("--modality voice@1=short.npz --modality voice=long.npz", "voice: with and without a length"),
        ("--modality voice@1=short.npz --modality voice@2=other.npz", "voice@2: other ids than short.npz"),
        ("--modality voice@1=short.npz --modality voice@2=face.npz", "face.npz: 2 dimensions where short.npz has 3"),
        ("--modality face=none.npz", "none.npz: cannot be read"),
        ("--modality face=face.npz --ids voice=ids.txt", "--ids voice: no --modality voice is given"),
        ("--modality face=face.npy --ids face=none.txt", "none.txt: cannot be read"),
        ("--modality face=flat.npz", r"3 of 3 ids do not say their subject .*; give --subjects"),
        ("--modality face=flat.npz --subjects who.csv", r"3 of 3 ids with vectors are not in it \('p', 'q', 'r'\)"),
        ("--modality face=face.npz --subjects none.csv", "none.csv: not a readable CSV of subjects"),
        ("--modality face=face.npz --subjects both.csv", "mine: 1 subject is in dev and in test, 'p' among them"),
        ("--modality face=face.npz --strip-suffix 1 --subjects who.csv --out full", "full: holds other files"),
        ("--modality face=face.npz --out who.csv", "--out who.csv: a file; give the name of a folder"),
        ("--modality face=face.npz --out /", "--out /: has no name"),
        ("--modality face=face.npz --out who.csv/mine", "who.csv: cannot be written to"),
    ],
)
def test_bad_input(make: Import, tmp_path: Path, words: str, told: str) -> None:
    Path("full").mkdir()
    Path("full/letter").write_text("dear")
    before = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(MmbioError, match=told):
        make(words if "--out" in words else f"{words} --out mine")
    assert {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert not Path("mine").exists()


@pytest.mark.parametrize("words", ["", "--modality face=face.npz", "--out mine"])
def test_words_that_lack(make: Import, words: str) -> None:
    result = make(words)
    assert (result.exit_code, result.stderr.startswith("Usage: ")) == (2, True)
