"""SOCOFing: one chosen finger, real before altered."""

from pathlib import Path

import pytest

from mmbio.data.readers.socofing import read
from mmbio.errors import MmbioError

NAMES = (
    "Real/12__F_Left_index_finger.BMP",
    "Real/2__M_Left_index_finger.BMP",
    "Real/2__M_Right_thumb_finger.BMP",
    "Real/notes.BMP",
    "Altered/Altered-Hard/12__F_Left_index_finger_CR.BMP",
    "Altered/Altered-Easy/12__F_Left_index_finger_Zcut.BMP",
    "Altered/Altered-Easy/12__F_Left_index_finger_CR.BMP",
    "Altered/Altered-Medium/12__F_Left_index_finger_Obl.BMP",
)


def write(root: Path, names: tuple[str, ...] = NAMES) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def test_one_finger_of_each_subject(tmp_path: Path) -> None:
    write(tmp_path)
    found = read(tmp_path)
    assert [(s.subject, s.order, s.gender, s.path) for s in found.samples] == [
        ("2_Left_index", 0, "M", NAMES[1]),
        ("12_Left_index", 0, "F", NAMES[0]),
        ("12_Left_index", 1, "F", NAMES[6]),
        ("12_Left_index", 2, "F", NAMES[5]),
        ("12_Left_index", 3, "F", NAMES[7]),
        ("12_Left_index", 4, "F", NAMES[4]),
    ]
    assert found.notes == ("socofing: Left_index of each subject", "socofing: 2 fingers where the set has 600")


def test_another_finger(tmp_path: Path) -> None:
    write(tmp_path)
    assert [sample.path for sample in read(tmp_path, finger="Right_thumb").samples] == [NAMES[2]]


def test_a_set_without_altered_impressions_says_so(tmp_path: Path) -> None:
    write(tmp_path, NAMES[:3])
    assert "socofing: no Altered folder, so one impression a finger" in read(tmp_path).notes


def test_an_unknown_finger(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match="unknown finger 'Left_toe'; choose from Left_thumb, "):
        read(tmp_path, finger="Left_toe")


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match=r"holds no Real/N__M_Left_index_finger\.BMP"):
        read(tmp_path)
