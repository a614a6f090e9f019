"""A folder per subject, for each modality."""

from pathlib import Path

import pytest

from mmbio.data.readers.folders import read, reader
from mmbio.errors import MmbioError


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


@pytest.mark.parametrize("place", ["face", "."])
def test_faces_with_labels_in_the_folder_or_beside_it(tmp_path: Path, place: str) -> None:
    root = tmp_path / "root"
    write(root / "face", "anna/10.png", "anna/2.JPG", "anna/2.pgm", "anna/notes.txt", "bob/a.tif")
    (root / place / "genders.csv").write_text("subject,gender,age\nanna,female,30\nbob,m,\n")
    found = read(root / "face", "face")
    assert [(s.sample, s.order, s.gender, s.age) for s in found.samples] == [
        ("anna/2.JPG", 0, "F", 30),
        ("anna/2.pgm", 1, "F", 30),
        ("anna/10.png", 2, "F", 30),
        ("bob/a.tif", 0, "M", None),
    ]
    assert found.name == "face-folders"


def test_faces_without_labels_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "root" / "face", "anna/1.png")
    with pytest.raises(MmbioError, match=r"genders\.csv: not there"):
        reader("face")(tmp_path / "root" / "face")
    assert (tmp_path / "root" / "face" / "genders-template.csv").is_file()


def test_fingerprints_may_lack_labels(tmp_path: Path) -> None:
    write(tmp_path / "finger", "f1/1.bmp")
    (tmp_path / "finger" / "empty").mkdir()
    found = reader("finger")(tmp_path / "finger")
    assert [(sample.subject, sample.gender) for sample in found.samples] == [("f1", None)]
    assert found.notes == ("finger-folders: 1 folder without a usable file left out (empty)",)


def test_records(tmp_path: Path) -> None:
    folder = tmp_path / "ecg" / "anna"
    folder.mkdir(parents=True)
    (folder / "a.hea").write_text("a 1 250 2\na.dat 16 200 12 0 0 0 0 I\n")
    (folder / "a.dat").write_bytes(bytes(4))
    (tmp_path / "ecg" / "genders.csv").write_text("subject,gender,age\nanna,F,30\n")
    sample = reader("ecg")(tmp_path / "ecg").samples[0]
    assert (sample.sample, sample.path, sample.gender, sample.age) == ("anna/a", "anna/a.hea", "F", 30)
    (folder / "a.hea").write_text("hello")
    with pytest.raises(MmbioError, match=r"a\.hea: not a WFDB header"):
        reader("ecg")(tmp_path / "ecg")


@pytest.mark.parametrize("modality", ["ecg", "face", "finger"])
def test_an_empty_folder(tmp_path: Path, modality: str) -> None:
    (tmp_path / modality).mkdir()
    with pytest.raises(MmbioError, match="holds no <subject>/ folder with "):
        reader(modality)(tmp_path / modality)
