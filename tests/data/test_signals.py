"""Signals: leads, beats, and records that have too few or none."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mmbio.data.signals import beats, cut_beats, min_max, read_lead, resample
from mmbio.errors import MmbioError

DATA = Path(os.environ.get("MMBIO_TEST_DATA") or Path(__file__).parents[2].parent / "shared" / "data")


def pulses(seconds: float, rate: int = 500, period: float = 0.8) -> NDArray[np.float64]:
    """A train of narrow R waves, the first after half a period, each with a broad T wave 0.25 s later, in mV."""
    time = np.arange(round(seconds * rate)) / rate
    phase = (time % period) - period / 2
    return np.exp(-0.5 * (phase / 0.012) ** 2) + 0.2 * np.exp(-0.5 * ((phase - 0.25) / 0.04) ** 2)


def write(folder: Path, signal: NDArray[np.float64], rate: int = 500, lead: str = "ECG I") -> Path:
    import wfdb

    other = np.cos(np.arange(len(signal)))
    wfdb.wrsamp(
        "rec_1",
        fs=rate,
        units=["mV", "mV"],
        sig_name=["V1", lead],
        p_signal=np.column_stack([other, signal]),
        fmt=["16", "16"],
        adc_gain=[1000.0, 1000.0],
        baseline=[0, 0],
        write_dir=str(folder),
    )
    return folder / "rec_1.hea"


def test_read_lead_gives_lead_one_in_millivolts(tmp_path: Path) -> None:
    signal, rate = read_lead(write(tmp_path, pulses(2)))
    assert rate == 500
    assert np.abs(signal - pulses(2)).max() <= 0.0005 + 1e-9


@pytest.mark.parametrize("rate", [250, 360, 500, 1000])
def test_beats_lie_around_their_peaks_whatever_the_rate(tmp_path: Path, rate: int) -> None:
    found = beats(write(tmp_path, pulses(20, rate), rate, lead="i"))
    assert found.dtype == np.float32
    assert found.shape == (25, 300)
    assert np.abs(found.argmax(axis=1) - 150).max() <= 2
    assert (found.min(axis=1) == 0).all()
    assert (found.max(axis=1) == 1).all()


def test_only_whole_beats_are_cut() -> None:
    late = pulses(10)[100:]  # the first R wave is 100 samples from the start
    assert len(cut_beats(pulses(10))) - len(cut_beats(late)) == 1


@pytest.mark.parametrize("signal", [np.zeros(5000), np.full(5000, 3.0), np.zeros(0), pulses(0.9)])
def test_a_flat_or_short_signal_has_no_beats(signal: NDArray[np.float64]) -> None:
    assert cut_beats(signal).shape == (0, 300)


def test_min_max_by_hand() -> None:
    scaled = min_max(np.array([[1.0, 3.0, 2.0], [5.0, 5.0, 5.0], [-1.0, 0.0, -2.0]]))
    assert scaled.tolist() == [[0.0, 1.0, 0.5], [0.0, 0.0, 0.0], [0.5, 1.0, 0.0]]
    assert scaled.dtype == np.float32


@pytest.mark.parametrize(("rate", "n"), [(500.0, 1000), (1000.0, 2000), (250.0, 500), (360.0, 720), (128.0, 256)])
def test_two_seconds_become_a_thousand_samples(rate: float, n: int) -> None:
    assert len(resample(np.ones(n), rate)) == 1000


def test_resampling_keeps_a_slow_wave_up_to_its_ends() -> None:
    def wave(rate: int) -> NDArray[np.float64]:
        return 1.0 + np.sin(2 * np.pi * np.arange(4 * rate) / rate)

    assert np.abs(resample(wave(1000), 1000.0) - wave(500)).max() < 0.02


def test_too_few_beats_name_record_number_and_cure(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match=r"rec_1\.hea: 10 whole beats found where at least 15 .*--skip-unusable"):
        beats(write(tmp_path, pulses(8)))


@pytest.mark.parametrize("signal", [np.zeros(5000), pulses(0.5)])
def test_a_flat_or_short_record_is_an_error(tmp_path: Path, signal: NDArray[np.float64]) -> None:
    with pytest.raises(MmbioError, match="0 whole beats found"):
        beats(write(tmp_path, signal))


def test_invalid_samples_are_counted(tmp_path: Path) -> None:
    signal = pulses(5)
    signal[7:9] = np.nan
    with pytest.raises(MmbioError, match="2 of 2500 samples of lead I are marked invalid"):
        read_lead(write(tmp_path, signal))


def test_a_missing_lead(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match="no lead I among the signals v1, ii"):
        read_lead(write(tmp_path, pulses(2), lead="II"))


@pytest.mark.parametrize("n_bytes", [0, 1, 3999])
def test_a_signal_file_cut_short(tmp_path: Path, n_bytes: int) -> None:
    path = write(tmp_path, pulses(2))
    data = path.with_suffix(".dat")
    data.write_bytes(data.read_bytes()[:n_bytes])
    with pytest.raises(MmbioError, match=rf"rec_1\.dat: {n_bytes} bytes where rec_1\.hea promises 4000"):
        read_lead(path)


def test_a_wrong_checksum_is_no_error(tmp_path: Path) -> None:
    path = write(tmp_path, pulses(2))
    data = path.with_suffix(".dat")
    data.write_bytes(bytes(8) + data.read_bytes()[8:])
    assert len(read_lead(path)[0]) == 1000


def test_a_header_without_length(tmp_path: Path) -> None:
    path = write(tmp_path, pulses(2))
    path.write_text(path.read_text().replace("rec_1 2 500 1000", "rec_1 2 500"))
    assert len(read_lead(path)[0]) == 1000
    path.with_suffix(".dat").write_bytes(b"")
    with pytest.raises(MmbioError, match=r"rec_1\.dat"):
        read_lead(path)


@pytest.mark.parametrize(
    ("name", "n"), [("ecg-id-database-1.0.0/Person_01/rec_1.hea", 20), ("ptbdb/patient001/s0010_re.hea", 52)]
)
def test_real_records(name: str, n: int) -> None:
    if not (DATA / name).is_file():
        pytest.skip(f"{name} is not there")
    assert abs(len(beats(DATA / name)) - n) <= 8


@pytest.mark.skipif(not (DATA / "ecg-id-database-1.0.0").is_dir(), reason="the real ECG-ID is not there")
def test_every_tenth_real_record_has_seventeen_beats() -> None:
    paths = sorted((DATA / "ecg-id-database-1.0.0").glob("Person_*/*.hea"))
    assert min(len(beats(path)) for path in paths[::10]) >= 17
