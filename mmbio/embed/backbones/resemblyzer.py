"""Voices by Resemblyzer: a segment of speech -> 256 numbers, a d-vector (Wan et al., "Generalized end-to-end loss").

It stands in for the audio-visual paper's own voice network, whose weights are not to be had. Of the package
`resemblyzer` only the file of weights is used: importing it takes webrtcvad, pkg_resources and librosa.
"""

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from mmbio.embed.global_rng import lent
from mmbio.errors import MmbioError
from mmbio.files import bytes_hash

NAME: Final = "resemblyzer"
DIM: Final = 256
BATCH: Final = 64  # every batch is padded to this, so that a vector does not depend on its company
LIBRARIES: Final = ("numpy", "resemblyzer", "scipy", "soundfile", "torch")  # between a file and its vector
WEIGHTS: Final = "39373b86598fa3da"  # what `weights_id` gives for resemblyzer 0.1.4
RATE: Final = 16_000  # Hz
WINDOW: Final = 400  # samples, 25 ms
HOP: Final = 160  # samples, 10 ms
MELS: Final = 40
FRAMES: Final = 160  # of one reading, 1.6 s
STEP: Final = 77  # frames from one reading of a long segment to the next: the package's 1.3 readings a second
COVERAGE: Final = 0.75  # of its last reading that must be speech
LOUDNESS: Final = 10 ** (-30 / 20)  # the package's -30 dBFS, as a root mean square


class Voice:
    """Resemblyzer's frozen encoder; `embed` maps segments of speech to vectors."""

    def __init__(self, device: str) -> None:
        """Load the network; raises MmbioError where the package is not installed or not the one we know."""
        weights_id()
        state = torch.load(_weights_file(), map_location="cpu", weights_only=True)["model_state"]
        self.device = torch.device(device)
        with lent():  # the layers' own initialisation draws nothing from the caller's
            self._lstm = nn.LSTM(MELS, DIM, num_layers=3, batch_first=True)
            self._linear = nn.Linear(DIM, DIM)
        for part, prefix in ((self._lstm, "lstm."), (self._linear, "linear.")):
            part.load_state_dict({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})
            part.to(self.device)

    def embed(self, segments: Sequence[np.ndarray]) -> np.ndarray:
        """Vectors (n, 256) float32 of unit length of segments (samples,) float32 at 16 kHz, of any lengths.

        The package's `embed_utterance`: silence fills a segment up to 1.6 s; the vectors of a longer one's windows are
        averaged. Of its `preprocess_wav` the volume is kept (a softer segment is raised to -30 dBFS), the cutting
        of pauses is not. Raises ValueError for a segment that is empty, not flat, or holds NaN or infinite values.
        """
        if not segments:
            return np.zeros((0, DIM), dtype=np.float32)
        readings = [_readings(_louder(_checked(segment))) for segment in segments]
        mels = torch.cat(readings)  # (R, 160, 40), at least one reading a segment
        vectors = torch.cat([self._batch(mels[i : i + BATCH]) for i in range(0, len(mels), BATCH)]).numpy()
        firsts = np.cumsum([0, *(len(reading) for reading in readings[:-1])])
        return np.asarray(normalize(torch.from_numpy(np.add.reduceat(vectors, firsts)), dim=1))

    @torch.inference_mode()
    def _batch(self, mels: Tensor) -> Tensor:
        padded = torch.zeros(BATCH, FRAMES, MELS)
        padded[: len(mels)] = mels
        # Without TF32, which would set a GPU's vectors apart from a CPU's.
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            _, (hidden, _) = self._lstm(padded.to(self.device))  # (3, B, 256)
            vectors = torch.relu(self._linear(hidden[-1]))
        return normalize(vectors, dim=1)[: len(mels)].cpu()


@cache
def weights_id() -> str:
    """16 hex digits of the file of weights.

    Raises MmbioError where the package is not installed, or its weights are not those of version 0.1.4.
    """
    path = _weights_file()
    try:
        found = bytes_hash(path.read_bytes())
    except OSError as error:
        raise MmbioError(
            f"{path}: cannot be read ({error.strerror}); run pip install --force-reinstall --no-deps resemblyzer==0.1.4"
        ) from error
    if found != WEIGHTS:
        raise MmbioError(
            f"{path}: not the weights of resemblyzer 0.1.4 (hash {found}, expected {WEIGHTS});"
            " run pip install --force-reinstall --no-deps resemblyzer==0.1.4"
        )
    return found


def mel_filters() -> np.ndarray:
    """Slaney's 40 triangles of equal area up to 8 kHz, over the bins of a spectrum: (40, 201) float32.

    As librosa's `filters.mel`: linear below 1 kHz (15 mels), logarithmic above.
    """
    linear, octave = 1000 / 15, np.log(6.4) / 27  # Hz a mel; log of the ratio between two mels
    mels = np.linspace(0, 15 + np.log(RATE / 2 / 1000) / octave, MELS + 2)
    edges = np.where(mels < 15, mels * linear, 1000 * np.exp((mels - 15) * octave))  # Hz
    low, peak, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    bins = np.linspace(0, RATE / 2, WINDOW // 2 + 1)
    triangles = np.minimum((bins - low) / (peak - low), (high - bins) / (high - peak)).clip(min=0)
    return np.asarray(triangles * 2 / (high - low), dtype=np.float32)


def mel_frames(samples: np.ndarray) -> Tensor:
    """The mel power spectrogram (1 + samples // 160, 40) of a waveform, silence beyond its ends; no logarithm."""
    spectrum = torch.stft(
        torch.from_numpy(samples),
        n_fft=WINDOW,
        hop_length=HOP,
        window=torch.hann_window(WINDOW),
        pad_mode="constant",
        return_complex=True,
    )
    return (_filters() @ spectrum.abs().square()).T


def _readings(samples: np.ndarray) -> Tensor:
    """The windows (R, 160, 40) that the encoder reads of a segment, as the package's `compute_partial_slices`."""
    n = len(samples)
    n_frames = n // HOP + 1
    starts = list(range(0, max(1, n_frames - FRAMES + STEP + 1), STEP))
    if len(starts) > 1 and n - starts[-1] * HOP < COVERAGE * FRAMES * HOP:
        del starts[-1]
    frames = mel_frames(np.pad(samples, (0, max(0, (starts[-1] + FRAMES) * HOP - n))))
    return torch.stack([frames[start : start + FRAMES] for start in starts])


def _louder(samples: np.ndarray) -> np.ndarray:
    """A segment raised to LOUDNESS where it is softer; silence stays as it is."""
    level = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    return samples * np.float32(LOUDNESS / level) if 0 < level < LOUDNESS else samples


def _checked(segment: np.ndarray) -> np.ndarray:
    samples = np.asarray(segment, dtype=np.float32)
    if samples.ndim != 1 or not samples.size or not np.isfinite(samples).all():
        raise ValueError(f"a segment is one row of finite samples, not an array of shape {samples.shape}")
    return samples


@cache
def _filters() -> Tensor:
    return torch.from_numpy(mel_filters())


def _weights_file() -> Path:
    """The package's file of weights, found without importing the package."""
    package = find_spec("resemblyzer")
    if package is None or not package.submodule_search_locations:
        raise MmbioError("voice: the package resemblyzer is not installed; run pip install 'mmbio[voice]'")
    return Path(next(iter(package.submodule_search_locations))) / "pretrained.pt"
