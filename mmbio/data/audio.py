"""Audio: a file to the speech around a moment in it, and noise on that speech."""

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from mmbio.errors import MmbioError

if TYPE_CHECKING:
    from soundfile import SoundFile

RATE: Final = 16_000  # Hz
AV_SUFFIXES: Final = frozenset({".m4a", ".mp4", ".aac"})  # read by av_files; soundfile reads all others
UNKNOWN_LENGTH: Final = 0x7FFF0000  # from here on, the length in a WAV header means that its writer did not know it
RATES: Final = (1_000, 1_000_000)  # Hz, from which to which a file may be sampled
PIECE: Final = 1 << 20  # samples read at once
BOMB: Final = 1 << 26  # samples that a file may hold, however small it is
RATIO: Final = 64  # samples a byte beyond that; the thriftiest codecs of speech take no more
CURE: Final = "take the file from the set's archive again, or leave it out"


def duration(path: Path) -> float:
    """Seconds of a file, from its header; MmbioError where that cannot be read."""
    if path.suffix.lower() in AV_SUFFIXES:
        from mmbio.data import av_files

        return av_files.duration(path)
    import soundfile

    try:
        return float(soundfile.info(str(path)).duration)
    except soundfile.LibsndfileError as error:
        raise _unreadable(path, error) from error


def segment(path: Path, centre_s: float, seconds: float) -> np.ndarray:
    """The `seconds` of speech around a moment of a file, in mono at 16 kHz: (round(16000 * seconds),) float32.

    Where it would stick out of the file it is moved inside. Channels are averaged.
    Raises MmbioError for a file that is shorter than `seconds`, cut short, or cannot be read.
    """
    n = round(seconds * RATE)
    if n < 1:
        raise ValueError(f"a segment of {seconds} s holds no sample")
    samples = samples_of(path)
    if len(samples) < n:
        raise MmbioError(
            f"{path}: {len(samples) / RATE:.3f} s long where segments of {seconds:g} s are cut;"
            " leave the file out, or ask for shorter segments"
        )
    start = min(max(0, round(centre_s * RATE - n / 2)), len(samples) - n)
    return samples[start : start + n].copy()


def samples_of(path: Path) -> np.ndarray:
    """All of a file in mono at 16 kHz: float32, read-only; the last file read is kept, for its next segment."""
    try:
        about = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    return _samples(path, about.st_mtime_ns, about.st_size)


def resample(samples: np.ndarray, rate: int) -> np.ndarray:
    """Float32 samples of `rate` Hz at 16 kHz."""
    from scipy.signal import resample_poly

    ratio = Fraction(RATE, rate).limit_denominator(1000)
    if ratio == 1:
        return samples
    return np.asarray(resample_poly(samples, ratio.numerator, ratio.denominator), dtype=np.float32)


def add_noise(samples: np.ndarray, snr_db: float, rng: np.random.Generator) -> np.ndarray:
    """Add white Gaussian noise `snr_db` decibels below the power of these float32 samples; silence stays silence."""
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    sigma = np.sqrt(power * 10 ** (-snr_db / 10))
    return np.asarray(samples + np.float32(sigma) * rng.standard_normal(samples.shape, dtype=np.float32))


@lru_cache(maxsize=1)
def _samples(path: Path, _modified: int, size: int) -> np.ndarray:
    if path.suffix.lower() in AV_SUFFIXES:
        from mmbio.data import av_files

        samples = av_files.audio(path)
    else:
        samples = resample(*_decoded(path, size))
    if not np.isfinite(samples).all():
        raise MmbioError(f"{path}: holds NaN or infinite samples where none may be; {CURE}")
    samples.flags.writeable = False
    return samples


def _decoded(path: Path, size: int) -> tuple[np.ndarray, int]:
    """A file's mono samples, float32, and their rate in Hz."""
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as file:
            promised, rate = file.frames, file.samplerate
            if not RATES[0] <= rate <= RATES[1]:
                raise MmbioError(f"{path}: sampled at {rate} Hz where {RATES[0]} to {RATES[1]} were expected; {CURE}")
            samples = np.concatenate([np.zeros(0, np.float32), *_pieces(file, path, size)])
    except soundfile.LibsndfileError as error:
        raise _unreadable(path, error) from error
    if len(samples) < promised or _wav_bytes(path) > size:
        raise MmbioError(f"{path}: holds less than its header promises, so it is cut short; {CURE}")
    return samples, rate


def _pieces(file: "SoundFile", path: Path, size: int) -> Iterator[np.ndarray]:
    """A file's mono samples piece by piece, as far as there are any: its header may promise what is not there."""
    n = 0
    while len(piece := file.read(PIECE, dtype="float32", always_2d=True)):
        n += len(piece)
        if n > max(BOMB, RATIO * size):
            raise MmbioError(f"{path}: unpacks to more than {n - 1} samples, too many for {size} bytes; {CURE}")
        yield piece.mean(axis=1, dtype=np.float32)


def _wav_bytes(path: Path) -> int:
    """The bytes that a WAV header promises, which soundfile does not mind; 0 for other files and unknown lengths."""
    with path.open("rb") as file:
        head = file.read(8)
    length = int.from_bytes(head[4:], "little")
    return length + 7 if head[:4] == b"RIFF" and length < UNKNOWN_LENGTH else 0  # 8, less a byte of padding


def _unreadable(path: Path, error: OSError | RuntimeError) -> MmbioError:
    """What to say of a file that the system (OSError) or libsndfile (RuntimeError) does not read."""
    if not path.is_file():
        return MmbioError(f"{path}: no such file; {CURE}")
    reason = str(getattr(error, "error_string", error)).removeprefix("Error : ").rstrip(".")
    return MmbioError(f"{path}: not readable as audio, or cut short ({reason}); {CURE}")
