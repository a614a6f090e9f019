"""PTB: the layout by hand, and a real record where it is there."""

import os
from pathlib import Path

import pytest

from mmbio.data.readers.ptb import read
from mmbio.errors import MmbioError

DATA = Path(os.environ.get("MMBIO_TEST_DATA") or Path(__file__).parents[3].parent / "shared" / "data")
REAL = DATA / "ptbdb"


def test_missing_age_and_sex_are_none_and_counted(tmp_path: Path) -> None:
    for patient, comments in (("patient001", "# age: 81\n# sex: female\n"), ("patient002", "# age: n/a\n# sex: \n")):
        (tmp_path / patient).mkdir()
        text = f"s1_re 2 1000 2\ns1_re.dat 16 2000 16 0 0 0 0 i\ns1_re.xyz 16 2000 16 0 0 0 0 vx\n{comments}"
        (tmp_path / patient / "s1_re.hea").write_text(text)
        (tmp_path / patient / "s1_re.dat").write_bytes(bytes(4))
    found = read(tmp_path)
    assert [(sample.gender, sample.age) for sample in found.samples] == [("F", 81), (None, None)]
    assert found.notes == (
        "ptb: 1 subject without age or sex",
        "ptb: 2 subjects where the set has 290",
        "ptb: 2 records where the set has 549",
    )


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match="holds no patientNNN"):
        read(tmp_path)


@pytest.mark.skipif(not REAL.is_dir(), reason="no real PTB record is there")
def test_a_real_record() -> None:
    first = read(REAL).samples[0]
    assert (first.subject, first.sample, first.gender, first.age) == ("patient001", "patient001/s0010_re", "F", 81)
