"""Faces94, 95 and 96: gender by folder or by genders.csv, images in capture order."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from mmbio.data.readers.faces import read_faces94, read_faces95, read_faces96
from mmbio.data.samples import SampleSet
from mmbio.errors import MmbioError

DATA = Path(os.environ.get("MMBIO_TEST_DATA") or Path(__file__).parents[3].parent / "shared" / "data")
REAL = DATA / "faces94"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def images(folder: Path, n: int) -> None:
    folder.mkdir(parents=True)
    for i in range(1, n + 1):
        (folder / f"{folder.name}.{i}.jpg").write_bytes(b"x")


def test_faces94_takes_gender_from_the_folder(tmp_path: Path) -> None:
    root = tmp_path / "faces94"
    for group, subject in (("female", "anna"), ("male", "bob"), ("malestaff", "carl")):
        images(root / group / subject, 20)
    found = read_faces94(root)
    assert {sample.subject: sample.gender for sample in found.samples} == {"anna": "F", "bob": "M", "carl": "M"}
    assert [sample.sample for sample in found.samples[8:11]] == [f"female/anna/anna.{i}" for i in (9, 10, 11)]
    assert found.notes == ("faces94: 3 subjects where the set has 153",)


def test_faces94_lets_a_genders_file_win(tmp_path: Path) -> None:
    root = tmp_path / "faces94"
    images(root / "male" / "kim", 20)
    (root / "genders.csv").write_text("subject,gender,age\nkim,F,22\nnobody,M,\n")
    found = read_faces94(root)
    assert (found.samples[0].gender, found.samples[0].age) == ("F", 22)
    assert found.notes[0] == f"faces94: genders from {root / 'genders.csv'}"


def test_faces94_refuses_one_name_in_two_groups(tmp_path: Path) -> None:
    root = tmp_path / "faces94"
    images(root / "male" / "kim", 1)
    images(root / "female" / "kim", 1)
    with pytest.raises(MmbioError, match="kim: a second folder of this name"):
        read_faces94(root)


@pytest.mark.parametrize(("read", "n"), [(read_faces95, 72), (read_faces96, 152)])
def test_faces95_and_96_need_a_genders_file(tmp_path: Path, read: Callable[[Path], SampleSet], n: int) -> None:
    root = tmp_path / "data" / "faces"
    images(root / "anna", 20)
    images(root / "bob", 19)
    with pytest.raises(MmbioError, match=r"fill in F or M in .*genders-template\.csv"):
        read(root)
    (root / "genders.csv").write_text("subject,gender\nanna,F\nbob,M\n")
    found = read(root)
    assert {sample.subject: sample.gender for sample in found.samples} == {"anna": "F", "bob": "M"}
    assert found.notes[1].endswith(f"2 subjects where the set has {n}")
    assert found.notes[2].endswith("1 subject with other than 20 images (bob: 19)")


@pytest.mark.parametrize("read", [read_faces94, read_faces95, read_faces96])
def test_an_empty_folder(tmp_path: Path, read: Callable[[Path], SampleSet]) -> None:
    (tmp_path / "faces").mkdir()
    with pytest.raises(MmbioError, match="holds no "):
        read(tmp_path / "faces")


def test_an_image_of_zero_bytes(tmp_path: Path) -> None:
    images(tmp_path / "faces94" / "male" / "bob", 2)
    (tmp_path / "faces94" / "male" / "bob" / "bob.2.jpg").write_bytes(b"")
    with pytest.raises(MmbioError, match=r"bob\.2\.jpg: zero bytes"):
        read_faces94(tmp_path / "faces94")


@pytest.mark.skipif(not REAL.is_dir(), reason="the real Faces94 is not there")
def test_the_real_set() -> None:
    found = read_faces94(REAL)
    assert found.notes == ("faces94: 152 subjects where the set has 153",)
    genders = {sample.subject: sample.gender for sample in found.samples}
    assert Counter(genders.values()) == {"F": 19, "M": 133}
