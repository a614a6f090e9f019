"""Resemblyzer: its filters, windows and vectors against the package's own, and what embedding promises."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import numpy as np
import pytest
import torch

from mmbio.embed.backbones import resemblyzer
from mmbio.embed.backbones.resemblyzer import DIM, Voice, mel_filters, mel_frames, weights_id
from mmbio.errors import MmbioError

DATA = Path(os.environ.get("MMBIO_TEST_DATA") or Path(__file__).parents[3].parent / "shared" / "data")
REAL = DATA / "LibriSpeech" / "test-clean"
MISSING = find_spec("resemblyzer") is None

# The package's own vectors of `speech(n)` (resemblyzer 0.1.4, librosa 0.11.0): their five largest entries.
GOLDEN: Final[Mapping[int, Mapping[int, float]]] = {
    1840: {20: 0.27927, 78: 0.26889, 58: 0.23226, 62: 0.21685, 9: 0.21584},
    16240: {20: 0.23095, 58: 0.21832, 9: 0.21693, 89: 0.19113, 172: 0.18437},
    25601: {105: 0.20084, 15: 0.19275, 200: 0.18681, 175: 0.18388, 199: 0.17323},
    45000: {15: 0.21985, 175: 0.18721, 200: 0.18584, 105: 0.17245, 199: 0.16894},
}


def speech(n: int, seed: int = 0) -> np.ndarray:
    """A buzz of 120 Hz with wandering harmonics and a little noise, (n,) float32."""
    time = np.arange(n) / 16_000
    waves = sum(
        np.sin(2 * np.pi * 120 * k * time + np.sin(2 * np.pi * (2 + 0.3 * k) * time + seed)) / k for k in range(1, 30)
    )
    noise = np.random.default_rng(seed).normal(0, 0.01, n)
    return np.asarray(0.1 * waves + noise, dtype=np.float32)


@pytest.fixture(scope="module")
def voice() -> Voice:
    if MISSING:
        pytest.skip("the package resemblyzer is not installed")
    return Voice("cpu")


def test_the_filters_are_slaneys() -> None:
    filters = mel_filters()
    assert filters.shape == (40, 201)
    assert filters.dtype == np.float32
    assert (filters >= 0).all()
    np.testing.assert_allclose(filters[10:].sum(axis=1) * 40, 1, atol=0.05)  # unit area, bins 40 Hz apart
    rising = np.diff(filters.argmax(axis=1))
    assert (rising > 0).all()


def test_frames_by_hand() -> None:
    assert mel_frames(np.zeros(1840, np.float32)).shape == (12, 40)
    time = np.arange(16_000) / 16_000
    frames = mel_frames(np.sin(2 * np.pi * 1000 * time).astype(np.float32)).numpy()
    spectrum = np.zeros(201)  # of a periodic Hann window, 25 whole periods: 1, 1/2 and 1/2 of a quarter of 400
    spectrum[[24, 25, 26]] = [50.0, 100.0, 50.0]
    np.testing.assert_allclose(frames[50], mel_filters() @ spectrum**2, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("n", "readings"),
    [(1, 1), (1840, 1), (16_240, 1), (25_600, 1), (32_000, 2), (31_000, 1), (45_000, 3), (160_000, 12)],
)
def test_long_segments_are_read_in_windows(n: int, readings: int) -> None:
    assert resemblyzer._readings(speech(n)).shape == (readings, 160, 40)


@pytest.mark.parametrize(("level", "expected"), [(0.001, 10**-1.5), (10**-1.5, 10**-1.5), (0.5, 0.5), (0.0, 0.0)])
def test_soft_segments_are_raised(level: float, expected: float) -> None:
    found = resemblyzer._louder(np.tile([level, -level], 50).astype(np.float32))
    np.testing.assert_allclose(np.sqrt(np.mean(found**2)), expected, rtol=1e-5)


@pytest.mark.parametrize("n", [1840, 16_240, 25_601, 45_000])
def test_vectors_are_the_packages_own(voice: Voice, n: int) -> None:
    found = voice.embed([speech(n)])[0]
    for index, value in GOLDEN[n].items():
        assert found[index] == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize("lengths", [(1840,), (1840,) * 3, (16_240, 1840, 45_000, 1, 25_600)])
def test_vectors_have_unit_length(voice: Voice, lengths: tuple[int, ...]) -> None:
    vectors = voice.embed([speech(n, seed) for seed, n in enumerate(lengths)])
    assert vectors.shape == (len(lengths), DIM)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    assert (vectors >= 0).all()


def test_a_vector_does_not_depend_on_its_company(voice: Voice) -> None:
    segments = [speech(n, seed) for seed, n in enumerate([1840, 45_000, 16_240] * 17)]  # more than a batch of readings
    together = voice.embed(segments)
    assert together.tobytes() == voice.embed(segments).tobytes()
    np.testing.assert_allclose(together[::-1][:9], voice.embed(segments[::-1][:9]), atol=1e-5)
    np.testing.assert_allclose(together[-1:], voice.embed(segments[-1:]), atol=1e-5)


def test_no_segments(voice: Voice) -> None:
    assert voice.embed([]).shape == (0, DIM)


def test_silence_has_a_vector(voice: Voice) -> None:
    assert np.isfinite(voice.embed([np.zeros(1840, np.float32)])).all()


@pytest.mark.parametrize(
    "segment", [np.zeros(0), np.zeros((2, 100)), np.array([0.0, np.nan]), np.array([np.inf]), np.float32(1)]
)
def test_a_segment_that_is_none(voice: Voice, segment: np.ndarray) -> None:
    with pytest.raises(ValueError, match="one row of finite samples"):
        voice.embed([segment])


@pytest.mark.skipif(MISSING, reason="the package resemblyzer is not installed")
def test_the_weights_are_named_by_their_content() -> None:
    assert weights_id() == resemblyzer.WEIGHTS


@pytest.mark.parametrize("found", [None, SimpleNamespace(submodule_search_locations=None)])
def test_without_the_package(monkeypatch: pytest.MonkeyPatch, found: object) -> None:
    weights_id.cache_clear()
    monkeypatch.setattr(resemblyzer, "find_spec", lambda name: found)
    for call in (weights_id, lambda: Voice("cpu")):
        with pytest.raises(MmbioError, match=r"resemblyzer is not installed; run pip install 'mmbio\[voice\]'"):
            call()


@pytest.mark.parametrize(("content", "told"), [(None, "cannot be read"), (b"other", "not the weights of resemblyzer")])
def test_other_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, told: str) -> None:
    weights_id.cache_clear()
    monkeypatch.setattr(
        resemblyzer, "find_spec", lambda name: SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    )
    if content is not None:
        (tmp_path / "pretrained.pt").write_bytes(content)
    with pytest.raises(MmbioError, match=rf"pretrained\.pt: {told}.* run pip install --force-reinstall"):
        Voice("cpu")


@pytest.mark.skipif(not REAL.is_dir(), reason="no real LibriSpeech is there")
def test_real_speakers_are_told_apart(voice: Voice) -> None:
    from mmbio.data.audio import duration, segment

    speakers = sorted(REAL.iterdir())[:8]
    clips = [path for speaker in speakers for path in sorted(speaker.glob("*/*.flac"))[:2]]
    vectors = voice.embed([segment(path, duration(path) / 2, 1.6) for path in clips])
    scores = vectors[::2] @ vectors[1::2].T
    own, others = np.diag(scores), scores[~np.eye(len(speakers), dtype=bool)]
    assert np.median(own) > np.quantile(others, 0.9)


def test_no_gradient_is_kept(voice: Voice) -> None:
    voice.embed([speech(1840)])
    assert torch.is_grad_enabled()
