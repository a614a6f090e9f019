"""Audio: segments of files of all kinds, broken files, and noise."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbio.data import audio
from mmbio.data.audio import RATE, add_noise, duration, resample, segment
from mmbio.errors import MmbioError

DATA = Path(os.environ.get("MMBIO_TEST_DATA") or Path(__file__).parents[2].parent / "shared" / "data")
REAL = DATA / "LibriSpeech" / "test-clean"
BOTH = pytest.mark.parametrize("name", ["clip.wav", "clip.flac"])


def write(path: Path, samples: np.ndarray, rate: int = RATE, **kind: Any) -> Path:
    import soundfile

    soundfile.write(str(path), samples, rate, **kind)
    return path


def ramp(n: int) -> np.ndarray:
    """Samples that tell where they come from: sample i is i / 32768, exact in 16 bits."""
    return np.arange(n) / 32768


def tone(rate: int, seconds: float, hertz: float = 440.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


@BOTH
@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
def test_duration_stands_in_the_header(tmp_path: Path, name: str, rate: int) -> None:
    assert duration(write(tmp_path / name, tone(rate, 1.5), rate)) == pytest.approx(1.5)


@BOTH
@pytest.mark.parametrize(
    ("centre", "seconds", "first", "n"),
    [
        (0.5, 0.115, 8000 - 920, 1840),
        (0.5, 1.0, 0, 16_000),
        (0.0, 0.5, 0, 8000),
        (0.1, 0.5, 0, 8000),
        (-3.0, 0.5, 0, 8000),
        (1.0, 0.5, 12_000, 8000),
        (1.9, 0.5, 12_000, 8000),
        (99.0, 1.015, 20_000 - 16_240, 16_240),
        (0.3, 1.25, 0, 20_000),
    ],
)
def test_a_segment_lies_around_its_centre_and_inside_the_file(
    tmp_path: Path, name: str, centre: float, seconds: float, first: int, n: int
) -> None:
    found = segment(write(tmp_path / name, ramp(20_000)), centre, seconds)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, ramp(20_000)[first : first + n].astype(np.float32))


@given(centre=st.floats(-5, 5), seconds=st.floats(0.001, 1.0))
def test_a_segment_is_whole_wherever_it_is_asked_for(
    tmp_path_factory: pytest.TempPathFactory, centre: float, seconds: float
) -> None:
    path = tmp_path_factory.getbasetemp() / "whole.wav"
    if not path.exists():
        write(path, ramp(RATE))
    found = segment(path, centre, seconds)
    assert len(found) == round(seconds * RATE)
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100, 48_000])
def test_other_rates_become_16_khz(tmp_path: Path, rate: int) -> None:
    found = segment(write(tmp_path / "clip.wav", tone(rate, 2.0), rate), 1.0, 0.5)
    assert np.abs(found - tone(RATE, 2.0)[12_000:20_000]).max() < 0.01


def test_resampling_leaves_16_khz_alone() -> None:
    samples = ramp(100).astype(np.float32)
    assert resample(samples, RATE) is samples


def test_channels_are_averaged(tmp_path: Path) -> None:
    stereo = np.stack([ramp(4000), np.full(4000, 0.5)], axis=1)
    np.testing.assert_allclose(
        segment(write(tmp_path / "clip.wav", stereo), 0.1, 0.25), (ramp(4000) + 0.5) / 2, atol=1e-7
    )


def test_a_segment_is_the_callers_own(tmp_path: Path) -> None:
    path = write(tmp_path / "clip.wav", ramp(4000))
    segment(path, 0.1, 0.1)[:] = 9.0
    assert segment(path, 0.1, 0.1).max() < 1


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path / "clip.wav", ramp(4000))
    assert segment(path, 0.1, 0.1).any()
    assert not segment(write(path, np.zeros(5000)), 0.1, 0.1).any()


@BOTH
def test_a_file_shorter_than_the_segment(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, ramp(1839))
    with pytest.raises(MmbioError, match=rf"{name}: 0\.115 s long where segments of 0\.115 s are cut"):
        segment(path, 0.05, 0.115)


@pytest.mark.parametrize("name", ["clip.wav", "clip.flac", "clip.m4a"])
def test_a_missing_file(tmp_path: Path, name: str) -> None:
    for read in (duration, lambda path: segment(path, 0.1, 0.1)):
        with pytest.raises(MmbioError, match=name.replace(".", r"\.")):
            read(tmp_path / name)


@BOTH
@pytest.mark.parametrize("content", [b"", b"RIFF", b"fLaC", bytes(4000), b"no audio at all " * 100])
def test_what_is_no_audio(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    for read in (duration, lambda path: segment(path, 0.1, 0.1)):
        with pytest.raises(MmbioError, match=rf"{name}: not readable as audio, or cut short \(.+\); take the file"):
            read(tmp_path / name)


@BOTH
@pytest.mark.parametrize("share", [0.5, 0.9, 0.999])
def test_a_file_cut_short_wherever_one_reads(tmp_path: Path, name: str, share: float) -> None:
    path = write(tmp_path / name, np.random.default_rng(0).normal(0, 0.1, 32_000))
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(MmbioError, match="cut short"):
        segment(path, 0.1, 0.1)


@pytest.mark.parametrize("length", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_wav_that_was_streamed_has_no_length_and_is_read(tmp_path: Path, length: int) -> None:
    path = write(tmp_path / "clip.wav", ramp(4000))
    content = bytearray(path.read_bytes())
    content[4:8] = length.to_bytes(4, "little")
    path.write_bytes(content)
    assert len(segment(path, 0.1, 0.25)) == 4000


def test_samples_that_are_no_numbers(tmp_path: Path) -> None:
    samples = ramp(4000)
    samples[7] = np.nan
    path = write(tmp_path / "clip.wav", samples, subtype="FLOAT")
    with pytest.raises(MmbioError, match="NaN or infinite"):
        segment(path, 0.1, 0.1)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e-9, float("nan")])
def test_a_segment_of_nothing_is_the_callers_mistake(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(ValueError, match=r"no sample|NaN"):
        segment(write(tmp_path / "clip.wav", ramp(4000)), 0.1, seconds)


@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 10.0, 40.0])
def test_noise_has_the_power_asked_for(snr_db: float) -> None:
    clean = tone(RATE, 4.0).astype(np.float32)
    noisy = add_noise(clean, snr_db, np.random.default_rng(0))
    assert noisy.dtype == np.float32
    measured = 10 * np.log10(np.mean(clean**2) / np.mean((noisy - clean) ** 2))
    assert measured == pytest.approx(snr_db, abs=0.1)


def test_the_same_seed_gives_the_same_noise() -> None:
    clean = tone(RATE, 0.115).astype(np.float32)
    first, again, other = (add_noise(clean, 10.0, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes() != other.tobytes()


def test_silence_stays_silence() -> None:
    assert not add_noise(np.zeros(100, np.float32), 10.0, np.random.default_rng(0)).any()


def test_m4a_goes_to_the_reader_of_videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    av_files = pytest.importorskip("mmbio.data.av_files")
    monkeypatch.setattr(av_files, "audio", lambda path: ramp(4000).astype(np.float32))
    monkeypatch.setattr(av_files, "duration", lambda path: 0.25)
    path = tmp_path / "clip.M4A"
    path.write_bytes(b"x")
    assert duration(path) == 0.25
    assert segment(path, 0.125, 0.1)[0] == np.float32((2000 - 800) / 32768)


@pytest.mark.skipif(not REAL.is_dir(), reason="no real LibriSpeech is there")
def test_real_clips() -> None:
    audio._samples.cache_clear()
    for path in sorted(REAL.glob("*/*/*.flac"))[::20]:
        length = duration(path)
        assert length > 2
        found = segment(path, length / 2, 1.015)
        assert found.shape == (16_240,)
        assert 1e-4 < found.std() < 0.5
