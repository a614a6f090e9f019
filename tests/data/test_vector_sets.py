"""Vector sets: what is written is read back, and what is wrong is refused with nothing left behind."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmbio.data import vector_sets
from mmbio.data.vector_sets import VectorSet, load, read, write
from mmbio.errors import MmbioError

RNG = np.random.default_rng(0)
VECTORS: dict[str, dict[str, np.ndarray]] = {
    "voice": {"1.015": RNG.standard_normal((2, 3)), "0.115": np.zeros((2, 3), np.float32)},
    "face": {"": np.array([[1, 0], [0, 0]])},
}


def table(**changes: object) -> pd.DataFrame:
    columns: dict[str, object] = {
        "id": ["NA", 'b,"c"', " "],
        "subject": ["001", "nan", "2"],
        "gender": ["F", "", "M"],
        "video": ["v", "", ""],
        "clip": ["1", "line\nbreak", ""],
        "part": ["dev", "test", ""],
        "face": [0, -1, 1],
        "voice": [-1, 1, 0],
        "Wearing Hat": ["1", "", "0"],
        "yaw": ["-12.50", "NaN", "007"],
    }
    return pd.DataFrame(columns | changes)


@pytest.fixture
def made(tmp_path: Path) -> VectorSet:
    return write(tmp_path / "set", "mine", table(), VECTORS, synthetic=True, notes=("one",), made={"a": 1})


def test_what_is_written_is_read(made: VectorSet) -> None:
    again = read(made.folder)
    assert again.samples.astype(object).to_dict() == table().astype(object).to_dict()
    assert again.samples["face"].dtype == again.samples["voice"].dtype == np.int64
    assert (again.name, again.modalities, again.attributes) == ("mine", ("face", "voice"), ("Wearing Hat", "yaw"))
    assert again.info == made.info
    assert again.info["modalities"] == {
        "face": {"dim": 2, "segments": [], "n": 2, "zeros": 1},
        "voice": {"dim": 3, "segments": ["0.115", "1.015"], "n": 2, "zeros": 2},
    }
    assert [again.info[key] for key in ("synthetic", "notes", "made")] == [True, ["one"], {"a": 1}]
    assert sorted(p.name for p in made.folder.iterdir()) == [
        "face.npy",
        "samples.csv",
        "set.json",
        "voice-0.115.npy",
        "voice-1.015.npy",
    ]


@pytest.mark.parametrize("damage", [False, True])
def test_what_else_is_in_its_folder_stays(made: VectorSet, damage: bool) -> None:
    (made.folder / "notes.txt").write_text("mine")
    (made.folder / "more").mkdir()
    (made.folder / "more" / "a.txt").write_text("a")
    if damage:
        (made.folder / "set.json").write_text("{")
    faces = table()[["id", "subject", "gender", "video", "clip", "part", "face"]]
    write(made.folder, "mine", faces, {"face": VECTORS["face"]})
    names = sorted(p.relative_to(made.folder).as_posix() for p in made.folder.rglob("*"))
    assert names == ["face.npy", "more", "more/a.txt", "notes.txt", "samples.csv", "set.json"]
    assert sorted(read(made.folder).info["files"]) == ["face.npy", "samples.csv"]


@pytest.mark.parametrize("rows", [[1, 0, 1], [], [0]])
def test_load(made: VectorSet, rows: list[int]) -> None:
    path = made.folder / vector_sets.file_name("voice", "1.015")
    found = load(path, np.array(rows, np.int64), made.info["files"][path.name])
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, VECTORS["voice"]["1.015"].astype(np.float32)[rows].reshape(-1, 3))


def test_a_row_that_is_missing_is_nan(made: VectorSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmbio.data.spilled.PIECE", 1)  # a row at a time
    path, rows = made.folder / "face.npy", np.array([-1, 1, 0, -1])
    found = load(path, rows, made.info["files"][path.name])
    assert np.isnan(found[rows < 0]).all()
    assert np.array_equal(found[1:3], np.load(path)[[1, 0]])


def test_the_hash_is_of_the_content(tmp_path: Path, made: VectorSet) -> None:
    def hash_of(samples: pd.DataFrame, **changes: np.ndarray) -> str:
        vectors = VECTORS | {m: {"": v} for m, v in changes.items()}
        return str(
            write(tmp_path / "b", "mine", samples, vectors, synthetic=True, notes=("one",), made={"a": 1}).info["hash"]
        )

    assert hash_of(table()) == made.info["hash"]
    assert hash_of(table(gender=["F", "", ""])) != made.info["hash"]
    assert hash_of(table(), face=np.ones((2, 2))) != made.info["hash"]


def test_large_arrays_are_written_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_sets, "CHUNK", 3)
    vectors = RNG.standard_normal((10, 4), np.float32)
    vectors[[2, 3, 9]] = 0
    made = write(tmp_path / "set", "mine", table(), VECTORS | {"face": {"": vectors}})
    assert made.info["modalities"]["face"]["zeros"] == 3
    np.testing.assert_array_equal(
        load(made.folder / "face.npy", np.arange(10), made.info["files"]["face.npy"]), vectors
    )
    vectors[7, 1] = np.nan
    with pytest.raises(MmbioError, match="mine: face: row 8 has NaN or infinite values"):
        write(tmp_path / "set", "mine", table(), VECTORS | {"face": {"": vectors}})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": ["a", "b", "a"]}, "the id 'a' is given 2 times; give each sample its own"),
        ({"part": ["dev", "train", ""]}, "part 'train' of a subject; write dev or test, or leave it empty"),
        ({"subject": ["p", "p", "q"]}, "1 subject is in dev and in test, 'p' among them; put each in one of them"),
        ({"id": ["a", "b\rc", "d"]}, r"the id 'b\\rc' has a line break in it; take it out"),
    ],
)
def test_tables_that_are_refused(tmp_path: Path, changes: dict[str, list[str]], message: str) -> None:
    with pytest.raises(MmbioError, match=f"mine: {message}"):
        write(tmp_path / "set", "mine", table(**changes), VECTORS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_values_that_are_refused_leave_the_old_set(made: VectorSet, value: float) -> None:
    bad = np.ones((2, 2))
    bad[1, 0] = value
    with pytest.raises(MmbioError, match="mine: face: row 2 has NaN or infinite values; mend it or leave it out"):
        write(made.folder, "mine", table(), VECTORS | {"face": {"": bad}})
    assert read(made.folder).info == made.info
    assert list(made.folder.parent.iterdir()) == [made.folder]


@pytest.mark.parametrize(
    ("voice", "message"),
    [
        ({"0.115": np.ones((2, 3)), "1.015": np.ones((3, 3))}, "voice: vectors of different shapes"),
        ({"0.115": np.ones((1, 3))}, "voice: row 1 asked for, of 1 vectors"),
    ],
)
def test_callers_mistakes(tmp_path: Path, voice: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write(tmp_path / "set", "mine", table(), VECTORS | {"voice": voice})
    assert list(tmp_path.iterdir()) == []


def test_a_subject_without_a_part_may_be_anywhere(tmp_path: Path) -> None:
    write(tmp_path / "set", "mine", table(subject=["p", "q", "p"]), VECTORS)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("set.json", "{", "not a readable vector set"),
        ("set.json", '{"schema": 99}', "a vector set of another mmbio version; run mmbio import again"),
        ("samples.csv", "", r"samples.csv: not readable .*; run mmbio import again"),
        ("samples.csv", "id,subject\na,b\n", r"samples.csv: not readable .*; run mmbio import again"),
        ("samples.csv", "id,face,voice\na,x,1\n", r"samples.csv: not readable .*; run mmbio import again"),
    ],
)
def test_broken_sets(made: VectorSet, file: str, text: str, message: str) -> None:
    (made.folder / file).write_text(text)
    with pytest.raises(MmbioError, match=message):
        read(made.folder)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: p.unlink(), "not readable"),
        (lambda p: p.write_bytes(p.read_bytes()[:-1]), "has changed since build-virtual read it"),
    ],
)
def test_vectors_that_changed(made: VectorSet, damage: object, message: str) -> None:
    path = made.folder / "face.npy"
    assert callable(damage)
    damage(path)
    with pytest.raises(MmbioError, match=f"face.npy: {message}"):
        load(path, np.array([0]), made.info["files"]["face.npy"])


def test_rows_that_are_not_there(made: VectorSet) -> None:
    with pytest.raises(MmbioError, match=r"face.npy: not readable .*; run mmbio import again"):
        load(made.folder / "face.npy", np.array([2]), made.info["files"]["face.npy"])


def test_is_set(made: VectorSet) -> None:
    assert vector_sets.is_set(made.folder)
    assert not vector_sets.is_set(made.folder.parent)
