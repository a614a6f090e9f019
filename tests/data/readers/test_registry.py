"""Registry: which set is found where."""

from pathlib import Path

import pytest

from mmbio.data.readers.registry import READERS, read_modality
from mmbio.errors import MmbioError


def record(folder: Path, lead: str = "I") -> None:
    folder.mkdir(parents=True)
    (folder / "r_1.hea").write_text(f"r_1 1 500 1\nr_1.dat 16 200 12 0 0 0 0 {lead}\n# Age: 20\n# Sex: female\n")
    (folder / "r_1.dat").write_bytes(bytes(2))


def image(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")


def test_names_are_keys_and_folders_are_unique() -> None:
    assert all(name == reader.name for name, reader in READERS.items())
    folders = [(reader.modality, folder) for reader in READERS.values() for folder in reader.folders]
    assert len(set(folders)) == len(folders)


def test_all_ecg_sets_are_read(tmp_path: Path) -> None:
    record(tmp_path / "ECG-ID-database-1.0.0" / "Person_01")
    record(tmp_path / "ptbdb" / "patient001")
    assert [found.name for found in read_modality(tmp_path, "ecg")] == ["ecg-id", "ptb"]
    assert [found.name for found in read_modality(tmp_path, "ecg", "ptb")] == ["ptb"]


def test_of_other_sets_the_first_is_read(tmp_path: Path) -> None:
    image(tmp_path / "FVC2000" / "DB1_B" / "101_1.tif")
    image(tmp_path / "fvc2004" / "DB1_B" / "101_1.tif")
    image(tmp_path / "finger" / "a" / "1.png")
    assert [found.name for found in read_modality(tmp_path, "finger")] == ["fvc2004"]
    assert [found.name for found in read_modality(tmp_path, "finger", "finger-folders")] == ["finger-folders"]


def test_a_set_s_own_folder_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image(tmp_path / "FVC2000" / "DB1_B" / "101_1.tif")
    monkeypatch.chdir(tmp_path / "FVC2000")
    assert read_modality(Path(), "finger")[0].folder == Path()
    assert read_modality(tmp_path / "FVC2000", "finger")[0].folder == tmp_path / "FVC2000"


@pytest.mark.parametrize(
    ("where", "modality", "name", "told"),
    [
        ("none", "face", None, r"none: no such folder; .*--data.*--source face=synthetic.*mmbio download synthetic"),
        (".", "face", None, r"no face set there \(looked for the folders faces95, faces94, faces96, face, voxceleb, "),
        (".", "finger", "socofing", r"no finger set there \(looked for the folders socofing\)"),
        (".", "face", "faces93", "set 'faces93': no face set of this name; choose from faces95, "),
        (".", "face", "ptb", "set 'ptb': no face set of this name"),
    ],
)
def test_what_is_not_there(tmp_path: Path, where: str, modality: str, name: str | None, told: str) -> None:
    with pytest.raises(MmbioError, match=told):
        read_modality(tmp_path / where, modality, name)


def test_an_unknown_modality_is_the_caller_s_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nose"):
        read_modality(tmp_path, "nose")
