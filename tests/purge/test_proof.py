"""The search of a home: what it finds in each kind of file, and what it does not take for a person."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from mmbio.purge.marks import Marks, digests, is_distinctive
from mmbio.purge.proof import prove

VECTORS = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float32)
MARKS = Marks(
    people=("ecg-id/Person_07",),
    names=("ecg-id/Person_07", "Person_07", "84/121/84-121-0001.flac"),
    samples=("0123456789abcdef",),
    vectors=tuple(digests(VECTORS[:1])),
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
    "beats.npy": lambda p: np.save(p, VECTORS.reshape(3, 2, 4)),
    "zipped.npz": lambda p: np.savez_compressed(p, vectors=VECTORS),
    "ids.npz": lambda p: np.savez_compressed(p, ids=np.array(["Person_07"])),
    "meta.safetensors": lambda p: save_file({"x": np.zeros(1)}, p, metadata={"mmbio": '["Person_07"]'}),
    ".hidden/deep/x.txt": lambda p: p.write_text("Person_07"),
}
NOT_FOUND: dict[str, Callable[[Path], object]] = {
    "others.csv": lambda p: p.write_text("Person_070,Person_0,xPerson_07,Person_07_b\n84,121\n"),
    "vectors.npy": lambda p: np.save(p, VECTORS[1:]),
    "zeros.npy": lambda p: np.save(p, np.zeros((3, 8), np.float32)),
    "nan.npy": lambda p: np.save(p, np.full((3, 8), np.nan, np.float32)),
    "broken.npy": lambda p: p.write_bytes(b"\x93NUMPY"),
    "broken.npz": lambda p: p.write_bytes(b"PK"),
    "empty.txt": lambda p: p.touch(),
    "numbers.npy": lambda p: np.save(p, np.arange(9)),
}


def write(home: Path, name: str, make: Callable[[Path], object]) -> None:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    make(path)


@pytest.mark.parametrize("name", FOUND)
def test_finds(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, FOUND[name])
    made = prove(tmp_path, MARKS)
    assert {path for path, _ in made.found} == {name}
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


@pytest.mark.parametrize(
    ("name", "whole"), [("Person_07", True), ("anna", True), ("84", False), ("F", False), ("1234567", False)]
)
def test_names_that_can_be_searched_for(name: str, whole: bool) -> None:
    assert is_distinctive(name) is whole
