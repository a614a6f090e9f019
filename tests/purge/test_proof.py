"""The search of a home: what it finds in each kind of file, and what it does not take for a person."""

import gzip
import json
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from mmbio.purge import vectors
from mmbio.purge.marks import Marks, is_distinctive
from mmbio.purge.proof import prove

VECTORS = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float32)
MARKS = Marks(
    people=("ecg-id/Person_07",),
    names=("ecg-id/Person_07", "Person_07", "own/M\u00fcller & Co", "1_1.tif", "84/121/84-121-0001.flac"),
    samples=("0123456789abcdef",),
    vectors=tuple(vectors.marks(VECTORS[:1])),
    manifests=("fedcba9876543210",),
    items=("aaaabbbbccccdddd",),
)
FOUND: dict[str, Callable[[Path], object]] = {
    "text.csv": lambda p: p.write_text("a,Person_07,b\n"),
    "path.json": lambda p: p.write_text('{"path": "x/Person_07/rec_1.hea"}'),
    "in Person_07.txt": lambda p: p.write_text("x"),
    "sample.bin": lambda p: p.write_bytes(b"\0\x840123456789abcdef\0"),
    "folder-fedcba98": lambda p: p.write_text("x"),
    "key.json": lambda p: p.write_text('{"items": "aaaabbbbccccdddd"}'),
    "flac.txt": lambda p: p.write_text("84/121/84-121-0001.flac"),
    "ids.npy": lambda p: np.save(p, np.array(["x", "Person_07"])),
    "longer.npy": lambda p: np.save(p, np.array(["x", "clips/Person_07/v0"])),
    "vectors.npy": lambda p: np.save(p, np.vstack([np.ones((5000, 8), np.float32), VECTORS])),
    "double.npy": lambda p: np.save(p, VECTORS.astype(np.float64)),
    "half.npy": lambda p: np.save(p, VECTORS.astype(np.float16)),
    "fused.npy": lambda p: np.save(p, np.hstack([np.ones((3, 5), np.float32), VECTORS, VECTORS])),
    "flat.npz": lambda p: np.savez_compressed(p, all=VECTORS.astype(np.float16).reshape(-1)),
    "fused.safetensors": lambda p: save_file({"v": np.hstack([VECTORS[:, :2], VECTORS.astype(np.float64)])}, p),
    "beats.npy": lambda p: np.save(p, VECTORS.reshape(3, 2, 4)),
    "zipped.npz": lambda p: np.savez_compressed(p, vectors=VECTORS),
    "ids.npz": lambda p: np.savez_compressed(p, ids=np.array(["Person_07"])),
    "one.npy": lambda p: np.save(p, VECTORS[0]),
    "deep/x.safetensors": lambda p: save_file({"v": VECTORS}, make_parent(p)),
    "half.npz": lambda p: p.write_bytes(b"PK\3\4 and no more"),
    "broken.npy": lambda p: p.write_bytes(b"\x93NUMPY"),
    "log.gz": lambda p: p.write_bytes(gzip.compress(b"x" * 99 + b" Person_07\n")),
    "log.xz": lambda p: p.write_bytes(lzma.compress(b"Person_07")),
    "cut.gz": lambda p: p.write_bytes(gzip.compress(b"others" * 99)[:-9]),
    "of others.zst": lambda p: p.write_bytes(b"x"),
    "escaped.json": lambda p: p.write_text(json.dumps({"subject": "own/M\u00fcller & Co"})),
    "escaped.html": lambda p: p.write_text("<p>own/M\u00fcller &amp; Co</p>"),
    "after.csv": lambda p: p.write_text("Person_07_rec1,0.5\n"),
    "before.csv": lambda p: p.write_text("ecg_Person_07,0.5\n"),
    "hash.txt": lambda p: p.write_text("x0123456789abcdef 0123456789abcdef"),
    "deep/.purge.json": lambda p: make_parent(p).write_text("Person_07"),
    "to_nowhere": lambda p: p.symlink_to("/nowhere/Person_07/x"),
    "meta.safetensors": lambda p: save_file({"x": np.zeros(1)}, p, metadata={"mmbio": '["Person_07"]'}),
    ".hidden/deep/x.txt": lambda p: p.write_text("Person_07"),
}
NOT_FOUND: dict[str, Callable[[Path], object]] = {
    "others.csv": lambda p: p.write_text("Person_070,Person_0,xPerson_07\n10_1_1.tif,84,121\n"),
    "vectors.npy": lambda p: np.save(p, VECTORS[1:]),
    "part.npy": lambda p: np.save(p, VECTORS[:, :7]),
    "rounded.npy": lambda p: np.save(p, VECTORS.round(2)),
    "zeros.npy": lambda p: np.save(p, np.zeros((3, 8), np.float32)),
    "nan.npy": lambda p: np.save(p, np.full((3, 8), np.nan, np.float32)),
    "names.npy": lambda p: np.save(p, np.array(["Person_070", "xPerson_07"])),
    "empty.txt": lambda p: p.touch(),
    "numbers.npy": lambda p: np.save(p, np.arange(9)),
}


def make_parent(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    return path


def write(home: Path, name: str, make: Callable[[Path], object]) -> None:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    make(path)


@pytest.mark.parametrize("name", FOUND)
def test_finds(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, FOUND[name])
    made = prove(tmp_path, MARKS)
    assert {path for path, _ in made.found} == {name}
    if (tmp_path / name).is_file():
        assert made.n_files == 1
        assert made.n_bytes == (tmp_path / name).stat().st_size


@pytest.mark.parametrize("name", NOT_FOUND)
def test_is_of_others(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, NOT_FOUND[name])
    assert prove(tmp_path, MARKS).found == ()


def test_counts_and_a_folder_named_like_a_person(tmp_path: Path) -> None:
    (tmp_path / "Person_07").mkdir()
    np.save(tmp_path / "v.npy", VECTORS[1:])
    made = prove(tmp_path, MARKS)
    assert (made.n_files, made.n_vectors, made.found) == (1, 2, (("Person_07", "its name"),))


def test_links_are_followed_once_and_those_to_above_are_told(tmp_path: Path) -> None:
    home, other = tmp_path / "a" / "runs", tmp_path / "other"
    (home / "x").mkdir(parents=True)
    (other / "deep").mkdir(parents=True)
    (other / "deep" / "s.csv").write_text("Person_07")
    (home / "store").symlink_to(other)
    (home / "x" / "again").symlink_to(other)
    (home / "x" / "loop").symlink_to(home)
    made = prove(home, MARKS)
    assert [path for path, _ in made.found] == ["store/deep/s.csv"]
    (home / "up").symlink_to(tmp_path)
    assert ("up", "could not be searched: a link to a folder above") in prove(home, MARKS).found


def test_names_in_other_bytes_than_utf8(tmp_path: Path) -> None:
    for name in (b"\xff.log", b"\xff Person_07.log"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).touch()
    assert prove(tmp_path, MARKS).found == (("\ufffd Person_07.log", "its name"),)


def test_a_data_root_is_searched_by_name(tmp_path: Path) -> None:
    home, root = tmp_path / "runs", tmp_path / "root"
    (root / "Person_07").mkdir(parents=True)
    (root / "Person_07" / "rec.dat").write_bytes(b"Person_07")
    (root / "RECORDS").write_text("Person_07/rec_1")
    (root / "sound.wav").write_bytes(b"Person_07")
    home.mkdir()
    assert [path for path, _ in prove(home, MARKS, [root]).found] == ["root/Person_07", "root/RECORDS"]


@pytest.mark.parametrize(
    ("name", "whole"), [("Person_07", True), ("anna", True), ("84", False), ("F", False), ("1234567", False)]
)
def test_names_that_can_be_searched_for(name: str, whole: bool) -> None:
    assert is_distinctive(name) is whole
