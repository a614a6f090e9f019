"""Imported sets: ids joined over modalities, and who they are of."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmbio.data.embedding_files import EmbeddingFile
from mmbio.data.imported import read_subjects, together
from mmbio.data.vector_sets import COLUMNS
from mmbio.errors import MmbioError


def embeddings(ids: str, dim: int = 2, path: str = "v.npz") -> EmbeddingFile:
    names = np.array(ids.split(), dtype=object)
    vectors = np.arange(len(names) * dim, dtype=np.float32).reshape(-1, dim)
    return EmbeddingFile(Path(path), names, vectors, 0, 0, 0)


def subjects(folder: Path, text: str) -> pd.DataFrame:
    (folder / "who.csv").write_text(text, encoding="utf-8")
    return read_subjects(folder / "who.csv")


def test_modalities_that_miss_samples() -> None:
    face, voice = embeddings("p/v/1 p/w/2 q/v/1"), embeddings("q/v/1 q/v/9", 3)
    made = together({"voice": {"": voice}, "face": {"": face}}, None)
    assert list(made.samples.columns) == [*COLUMNS, "face", "voice"]
    assert made.samples["id"].tolist() == ["p/v/1", "p/w/2", "q/v/1", "q/v/9"]
    assert made.samples["clip"].tolist() == ["p/v/1", "p/w/2", "q/v/1", "q/v/9"]
    assert made.samples["subject"].tolist() == ["p", "p", "q", "q"]
    assert made.samples["video"].tolist() == ["p/v", "p/w", "q/v", "q/v"]
    assert made.samples["face"].tolist() == [0, 1, 2, -1]
    assert made.samples["voice"].tolist() == [-1, -1, 0, 1]
    assert made.vectors["face"][""] is face.vectors


def test_suffixes_of_both_modalities_are_taken_off() -> None:
    files = {"face": {"": embeddings("p/v/1.jpg")}, "voice": {"": embeddings("p/v/1.wav")}}
    assert len(together(files, None).samples) == 2
    made = together(files, None, [".jpg", ".wav"]).samples
    assert made[["id", "face", "voice"]].to_numpy().tolist() == [["p/v/1", 0, 0]]


def test_lengths_come_into_one_order() -> None:
    files = {"voice": {"0.115": embeddings("p/1 p/2 q/1"), "1.015": embeddings("q/1 p/1 p/2")}}
    made = together(files, None)
    assert made.vectors["voice"]["1.015"].tolist() == [[2, 3], [4, 5], [0, 1]]
    assert made.samples["voice"].tolist() == [0, 1, 2]


def test_subjects_with_attributes(tmp_path: Path) -> None:
    who = "\ufeffsubject,id,beard,gender,part,clip\nQ,b.wav,NA,male,dev,\nP,a.wav,,F,test,c\nR,x.wav,1,,,\n"
    made = together({"face": {"": embeddings("a b")}}, subjects(tmp_path, who), [".wav"])
    assert list(made.samples.columns) == [*COLUMNS, "face", "beard"]
    assert made.samples.to_numpy().tolist() == [
        ["a", "P", "F", "a.wav", "c", "test", 0, ""],
        ["b", "Q", "M", "b.wav", "b.wav", "dev", 1, "NA"],
    ]
    assert made.n_left_out == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty, expected a CSV with the header id,subject"),
        ("id,name\na,1\n", "has no column subject; write a CSV"),
        ("a,1\n", "has no column id and no column subject"),
        ("id,subject,id\na,1,b\n", "a column named 'id'; give each column a name of its own"),
        ("id,subject,face\na,1,b\n", "a column named 'face'"),
        ("id,subject,\na,1,b\n", "a column named ''"),
        ("id,subject\na,1\na,2\n", r"row 3 \(id 'a'\) gives its id a second time"),
        ("id,subject\na,1\nb\n", r"row 3 \(id 'b'\) has no subject"),
        ("id,subject\n,1\n", r"row 2 \(id ''\) has no id"),
        ("id,subject,gender\na,1,x\n", r"row 2 \(id 'a'\) has a gender other than F, M or nothing"),
        ("id,subject,part\na,1,train\n", r"row 2 \(id 'a'\) has a part other than dev and test"),
        ("id,subject\na,1,2\n", "a row has more values than its header has columns"),
        ('id,subject\n"a,1\n', "not a readable CSV of subjects"),
        ("id,subject\na\0,1\n", "holds NUL characters"),
    ],
)
def test_subjects_that_are_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(MmbioError, match=f"who.csv: {told}"):
        subjects(tmp_path, text)


def test_subjects_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match=r"none\.csv: not a readable CSV of subjects .No such file"):
        read_subjects(tmp_path / "none.csv")


def test_ids_that_do_not_fit(tmp_path: Path) -> None:
    one = {"voice": {"0.115": embeddings("a/1 a/2", path="short.npz")}}
    who = subjects(tmp_path, "id,subject\na/1.wav,1\nb,2\nc,3\nd,4\n")
    short, other = embeddings("a/1 a/3", path="long.npz"), embeddings("a/1 a/2", 3, "long.npz")
    cases = [
        ({"face": {"": embeddings("a /b c/d")}}, None, (), r"2 of 3 ids do not say their subject .*\('a', '/b'\)"),
        (
            one,
            who,
            (),
            r"2 of 2 ids with vectors are not in it \('a/1', 'a/2'\), where its ids are like 'a/1.wav', 'b'",
        ),
        (one, who, (".wav",), r"1 of 2 ids with vectors are not in it \('a/2'\)"),
        ({"voice": one["voice"] | {"1.015": short}}, None, (), r"voice@1.015: other ids than short.npz \('a/2' here"),
        ({"voice": one["voice"] | {"1.015": other}}, None, (), r"long.npz: 3 dimensions where short.npz has 2"),
        ({"face": {"": embeddings("a/1.b a/1")}}, None, (".b",), r"'a/1.b' and 'a/1' become the same id"),
    ]
    for files, table, suffixes, told in cases:
        with pytest.raises(MmbioError, match=told):
            together(files, table, suffixes)
