"""Leads: which channel is lead I, and whether its signal file holds what the header promises."""

from pathlib import Path

import numpy as np
import pytest

from mmbio.data.signals import LEAD_I, read_lead
from mmbio.errors import MmbioError

GOOD = """rec_1 2 500 100
rec_1.dat 16 200 12 0 -17 17532 0 ECG I
rec_1.dat 16 200 12 0 -23 2004 0 ECG I filtered
"""


def record(folder: Path, header: str = GOOD, n_bytes: int = 400) -> Path:
    (folder / "rec_1.dat").write_bytes(bytes(n_bytes))
    path = folder / "rec_1.hea"
    path.write_text(header)
    return path


@pytest.mark.parametrize("names", [("ECG I filtered", "ECG I"), ("ii", "i"), ("I", "II"), ("Lead I", "V1")])
def test_lead_i_goes_by_its_usual_names(tmp_path: Path, names: tuple[str, str]) -> None:
    text = "rec_1 2 500 100\n" + "".join(f"rec_1.dat 16 200 12 0 0 0 0 {name}\n" for name in names)
    path = record(tmp_path, text)
    path.with_suffix(".dat").write_bytes(np.tile(np.array([1, 2], "<i2"), 100).tobytes())  # channel k is k + 1
    channel = next(k for k, name in enumerate(names) if name.lower() in LEAD_I)
    assert read_lead(path)[0].tolist() == [(channel + 1) / 200] * 100


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (GOOD.replace("ECG I", "ECG II"), "no lead I among the signals ecg ii, ecg ii filtered"),
        (GOOD.replace(".dat 16", ".dat 516"), "signal format 516 is not read"),
        (GOOD.replace("rec_1.dat", "other.dat"), r"other\.dat: not there"),
    ],
)
def test_a_record_without_a_lead_to_read(tmp_path: Path, header: str, told: str) -> None:
    with pytest.raises(MmbioError, match=told):
        read_lead(record(tmp_path, header))


@pytest.mark.parametrize(("n_bytes", "good"), [(0, False), (399, False), (400, True), (401, True)])
def test_a_signal_file_cut_short_is_named_with_its_bytes(tmp_path: Path, n_bytes: int, good: bool) -> None:
    path = record(tmp_path, n_bytes=n_bytes)
    if good:
        assert len(read_lead(path)[0]) == 100
    else:
        with pytest.raises(MmbioError, match=rf"rec_1\.dat: {n_bytes} bytes where rec_1\.hea promises 400"):
            read_lead(path)


@pytest.mark.parametrize(
    ("fmt", "n_bytes"),
    [("212", 300), ("16", 400), ("24", 600), ("80", 200), ("310", 267), ("16x2", 800), ("16+24", 424)],
)
def test_bytes_promised_by_each_format(tmp_path: Path, fmt: str, n_bytes: int) -> None:
    text = GOOD.replace(".dat 16", f".dat {fmt}")
    with pytest.raises(MmbioError, match=f"promises {n_bytes}, so it is cut short"):
        read_lead(record(tmp_path, text, n_bytes - 1))


def test_only_the_file_that_holds_lead_i_counts(tmp_path: Path) -> None:
    text = GOOD.replace("rec_1.dat 16 200 12 0 -23", "rec_1.xyz 16 200 12 0 -23")
    assert len(read_lead(record(tmp_path, text, 200))[0]) == 100
