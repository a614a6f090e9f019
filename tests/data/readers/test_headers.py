"""Headers: what wfdb finds in good, garbled and cut-short records."""

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


def record(folder: Path, header: str | bytes = GOOD, n_bytes: int = 400) -> Path:
    path = folder / "rec_1.hea"
    path.write_bytes(header if isinstance(header, bytes) else header.encode())
    (folder / "rec_1.dat").write_bytes(bytes(n_bytes))
    return path


def test_rate_lead_age_and_gender(tmp_path: Path) -> None:
    header = read_header(record(tmp_path))
    assert (header.rate, header.channel, header.age, header.gender) == (500.0, 0, 25, "M")


@pytest.mark.parametrize(
    ("names", "channel"),
    [(("ECG I filtered", "ECG I"), 1), (("ii", "i"), 1), (("I", "II"), 0), (("Lead I", "V1"), 0)],
)
def test_lead_i_goes_by_its_usual_names(tmp_path: Path, names: tuple[str, str], channel: int) -> None:
    text = "rec_1 2 500 100\n" + "".join(f"rec_1.dat 16 200 12 0 0 0 0 {name}\n" for name in names)
    assert read_header(record(tmp_path, text)).channel == channel


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
        (GOOD.replace("ECG I", "ECG II"), "no lead I among the signals ecg ii, ecg ii filtered"),
        (GOOD.replace(".dat 16", ".dat 516"), "signal format 516 is not read"),
        (GOOD.replace("rec_1.dat", "other.dat"), r"other\.dat: not there"),
    ],
)
def test_garbled_headers_are_one_sentence(tmp_path: Path, header: str | bytes, told: str) -> None:
    with pytest.raises(MmbioError, match=told):
        read_header(record(tmp_path, header))


@pytest.mark.parametrize(("n_bytes", "good"), [(0, False), (399, False), (400, True), (401, True)])
def test_a_signal_file_cut_short_is_named_with_its_bytes(tmp_path: Path, n_bytes: int, good: bool) -> None:
    path = record(tmp_path, n_bytes=n_bytes)
    if good:
        assert read_header(path).rate == 500
    else:
        with pytest.raises(MmbioError, match=rf"rec_1\.dat: {n_bytes} bytes where rec_1\.hea promises 400"):
            read_header(path)


@pytest.mark.parametrize(
    ("fmt", "n_bytes"),
    [("212", 300), ("16", 400), ("24", 600), ("80", 200), ("310", 267), ("16x2", 800), ("16+24", 424)],
)
def test_bytes_promised_by_each_format(tmp_path: Path, fmt: str, n_bytes: int) -> None:
    text = GOOD.replace(".dat 16", f".dat {fmt}")
    assert read_header(record(tmp_path, text, n_bytes)).rate == 500
    with pytest.raises(MmbioError, match=f"promises {n_bytes}"):
        read_header(record(tmp_path, text, n_bytes - 1))


def test_only_the_file_that_holds_lead_i_counts(tmp_path: Path) -> None:
    text = GOOD.replace("rec_1.dat 16 200 12 0 -23", "rec_1.xyz 16 200 12 0 -23")
    assert read_header(record(tmp_path, text, 200)).channel == 0


def test_a_header_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match=r"rec_9\.hea: not there"):
        read_header(tmp_path / "rec_9.hea")
