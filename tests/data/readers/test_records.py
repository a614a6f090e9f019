"""Records: WFDB records in subject folders, as samples."""

from pathlib import Path

import pytest

from mmbio.data.readers.records import record_samples
from mmbio.data.samples import Sample
from mmbio.errors import MmbioError


def record(folder: Path, name: str, sex: str) -> None:
    folder.mkdir(exist_ok=True)
    text = f"{name} 1 500 1\n{name}.dat 16 200 12 0 0 0 0 I\n# Age: 20\n# Sex: {sex}\n"
    (folder / f"{name}.hea").write_text(text)
    (folder / f"{name}.dat").write_bytes(bytes(2))


def test_records_count_in_natural_order(tmp_path: Path) -> None:
    for name in ("r10", "r2"):
        record(tmp_path / "anna", name, "female")
    assert record_samples(tmp_path, [tmp_path / "anna"]) == [
        Sample("ecg", "anna", "anna/r2", 0, "anna/r2.hea", "F", 20),
        Sample("ecg", "anna", "anna/r10", 1, "anna/r10.hea", "F", 20),
    ]


@pytest.mark.parametrize(("second", "fits"), [("female", True), ("n/a", True), ("male", False)])
def test_records_of_a_subject_must_not_differ_in_sex(tmp_path: Path, second: str, fits: bool) -> None:
    record(tmp_path / "anna", "r1", "female")
    record(tmp_path / "anna", "r2", second)
    if fits:
        assert len(record_samples(tmp_path, [tmp_path / "anna"])) == 2
    else:
        with pytest.raises(MmbioError, match=r"r2\.hea: sex M where other records"):
            record_samples(tmp_path, [tmp_path / "anna"])
