"""ECG-ID: the layout by hand, and the real set where it is there."""

import os
from collections import Counter
from pathlib import Path

import pytest

from mmbio.data.readers.ecg_id import read
from mmbio.errors import MmbioError

DATA = Path(os.environ.get("MMBIO_TEST_DATA") or Path(__file__).parents[3].parent / "shared" / "data")
REAL = DATA / "ecg-id-database-1.0.0"


def record(root: Path, person: str, name: str, comments: str = "# Age: 25\n# Sex: male\n") -> None:
    folder = root / person
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.hea").write_text(f"{name} 1 500 2\n{name}.dat 16 200 12 0 0 0 0 ECG I\n\n{comments}")
    (folder / f"{name}.dat").write_bytes(bytes(4))


def test_people_and_records(tmp_path: Path) -> None:
    for person, name in (("Person_02", "rec_10"), ("Person_02", "rec_2"), ("Person_01", "rec_1")):
        record(tmp_path, person, name)
    (tmp_path / "RECORDS").write_text("Person_01/rec_1\n")
    found = read(tmp_path)
    assert [sample.sample for sample in found.samples] == ["Person_01/rec_1", "Person_02/rec_2", "Person_02/rec_10"]
    assert [(sample.order, sample.gender, sample.age) for sample in found.samples] == [
        (0, "M", 25),
        (0, "M", 25),
        (1, "M", 25),
    ]
    assert found.notes == ("ecg-id: 2 subjects where the set has 90", "ecg-id: 3 records where the set has 310")


@pytest.mark.parametrize(
    ("comments", "line"),
    [("# Sex: male\n", "# Age: 25"), ("# Age: x\n# Sex: male\n", "# Age"), ("# Age: 25\n", "# Sex")],
)
def test_a_header_without_age_or_sex_is_named(tmp_path: Path, comments: str, line: str) -> None:
    record(tmp_path, "Person_01", "rec_1", comments)
    with pytest.raises(MmbioError, match=rf"Person_01/rec_1\.hea: no line such as '{line}"):
        read(tmp_path)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match=r"holds no Person_NN/rec_N\.hea"):
        read(tmp_path)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real ECG-ID is not there")
def test_the_real_set() -> None:
    found = read(REAL)
    assert found.notes == ()
    people = {sample.subject: sample for sample in found.samples if 13 <= (sample.age or 0) <= 39}
    assert len(found.samples) == 310
    assert Counter(sample.gender for sample in people.values()) == {"F": 39, "M": 34}
