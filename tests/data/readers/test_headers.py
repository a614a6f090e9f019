"""Headers: what wfdb finds in good and garbled ones."""

from pathlib import Path

import pytest

from mmbio.data.readers.headers import read_header
from mmbio.errors import MmbioError

GOOD = """rec_1 2 500 100
rec_1.dat 16 200 12 0 -17 17532 0 ECG I
rec_1.dat 16 200 12 0 -23 2004 0 ECG I filtered
# Age: 25
# Sex: male
"""


def record(folder: Path, header: str | bytes = GOOD) -> Path:
    path = folder / "rec_1.hea"
    path.write_bytes(header if isinstance(header, bytes) else header.encode())
    return path


def test_rate_age_and_gender(tmp_path: Path) -> None:
    header = read_header(record(tmp_path))
    assert (header.rate, header.age, header.gender) == (500.0, 25, "M")


@pytest.mark.parametrize("comments", ["", "# age: n/a\n# sex: \n", "# Age: many\n# Sex: m/f\n"])
def test_unknown_age_and_sex_are_none(tmp_path: Path, comments: str) -> None:
    header = read_header(record(tmp_path, GOOD.split("#")[0] + comments))
    assert (header.age, header.gender) == (None, None)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (b"", "not a WFDB header"),
        (b"# a comment\n", "not a WFDB header"),
        (b"hello", "not a WFDB header"),
        (bytes(range(256)), "not a WFDB header"),
        (b"rec_1 2 500 100\n", "0 signals where 2 are promised"),
        ("\n".join(GOOD.split("\n")[:2]), "1 signals where 2 are promised"),
        (GOOD.replace("500", "0"), "at 0 Hz"),
    ],
)
def test_garbled_headers_are_one_sentence(tmp_path: Path, header: str | bytes, told: str) -> None:
    with pytest.raises(MmbioError, match=told):
        read_header(record(tmp_path, header))


def test_a_header_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match=r"rec_9\.hea: not there"):
        read_header(tmp_path / "rec_9.hea")


def test_the_signal_file_is_left_to_whoever_reads_it(tmp_path: Path) -> None:
    assert read_header(record(tmp_path, GOOD.replace("ECG I", "V1").replace(".dat 16", ".xyz 516"))).rate == 500
