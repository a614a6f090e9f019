"""FVC: which database is taken, and which finger an image belongs to."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mmbio.data.readers.fvc import read_fvc2000, read_fvc2002, read_fvc2004, read_fvc2006
from mmbio.data.samples import SampleSet
from mmbio.errors import MmbioError

DATA = Path(os.environ.get("MMBIO_TEST_DATA") or Path(__file__).parents[3].parent / "shared" / "data")
REAL = DATA / "fvc2000"


def impressions(folder: Path, fingers: range, n: int, suffix: str = ".tif") -> None:
    folder.mkdir(parents=True)
    for finger in fingers:
        for i in range(1, n + 1):
            (folder / f"{finger}_{i}{suffix}").write_bytes(b"x")


@pytest.mark.parametrize(
    ("read", "database", "fingers", "n"),
    [
        (read_fvc2000, "DB1_A", range(1, 101), 8),
        (read_fvc2002, "DB3_A", range(1, 101), 8),
        (read_fvc2004, "db1_b", range(101, 111), 8),
        (read_fvc2006, "DB1_A", range(1, 141), 12),
        (read_fvc2006, "DB1_B", range(141, 151), 12),
    ],
)
def test_a_whole_database_leaves_no_note(
    tmp_path: Path, read: Callable[[Path], SampleSet], database: str, fingers: range, n: int
) -> None:
    impressions(tmp_path / database, fingers, n)
    found = read(tmp_path)
    assert found.notes == ()
    assert len(found.samples) == len(fingers) * n


def test_fingers_are_subjects_without_gender(tmp_path: Path) -> None:
    impressions(tmp_path / "DB1_A", range(9, 11), 12, ".bmp")
    (tmp_path / "DB1_A" / "index.bmp").write_bytes(b"x")
    found = read_fvc2006(tmp_path)
    assert list(dict.fromkeys(sample.subject for sample in found.samples)) == ["9", "10"]
    last = found.samples[-1]
    assert (last.sample, last.order, last.path, last.gender) == ("DB1_A/10_12", 11, "DB1_A/10_12.bmp", None)
    assert found.notes == (
        "fvc2006: 1 image not named FINGER_IMPRESSION left out",
        "fvc2006: 2 fingers where the set has 140",
    )


@pytest.mark.parametrize(
    ("present", "taken"),
    [(("DB2_A", "DB1_B", "DB1_A"), "DB1_A"), (("DB2_A", "DB1_B"), "DB1_B"), (("DB3_B", "DB2_B"), "DB2_B")],
)
def test_of_several_databases_one_is_taken_and_said(tmp_path: Path, present: tuple[str, ...], taken: str) -> None:
    for database in present:
        impressions(tmp_path / database, range(1, 2), 1)
    found = read_fvc2000(tmp_path)
    assert found.samples[0].path == f"{taken}/1_1.tif"
    assert found.notes[0].startswith(f"fvc2000: {taken} is read, ")


@pytest.mark.parametrize(
    ("folder", "told"), [("other", "holds no DBn_A or DBn_B folder"), ("DB1_A", "holds no DB1_A/")]
)
def test_an_empty_folder(tmp_path: Path, folder: str, told: str) -> None:
    (tmp_path / folder).mkdir()
    with pytest.raises(MmbioError, match=told):
        read_fvc2000(tmp_path)


@pytest.mark.skipif(not REAL.is_dir(), reason="no real FVC2000 is there")
def test_the_real_set() -> None:
    found = read_fvc2000(REAL)
    assert found.notes == ()
    assert len(found.samples) == 80
