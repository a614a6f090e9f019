"""A synthetic set in the on-disk layout of the ECG-ID database: `Person_01/rec_1.hea` and `.dat`.

The beats are those of ECGSYN (McSharry et al., 2003), which lays five waves P, Q, R, S, T
around one heart cycle. A subject is a place, height and width of each wave; a session (a
date) moves them slightly; a record has a heart rate and disturbances of its own. ECGSYN is
evaluated in closed form: NeuroKit2 0.2.13 solves its differential equation in steps that
jump over QRS complexes, and left one beat in ten with a step in its baseline.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mmbio.protocols import SAMPLING_RATE

FOLDER: Final = "ecg-id-database-1.0.0"
N_SUBJECTS: Final = 72
IDENTITY_SPREAD: Final = 0.739  # benchmarks/calibrate_synthetic.py

SECONDS: Final = 20  # a record's length, as in ECG-ID
GAIN: Final = 200  # adu/mV, as in ECG-ID
N_YOUNG: Final = 64  # the first subjects lie inside the paper's age band, the rest above it
YOUNG: Final = (13, 39)  # years, ends included
OLD: Final = (40, 75)
HEART_RATES: Final = (56.0, 92.0)  # per minute; 20 s at the lowest still hold 17 whole beats
SESSION_SHARE: Final = 0.3  # how far a session moves the waves, as a share of the spread
NEW_DATE: Final = 0.5  # chance that a record is of another date than the one before it

# A column a wave: P, Q, R, S, T, seen in lead I.
TIMES: Final = np.array([-135.0, -27.0, 0.0, 27.0, 235.0])  # ms from the R peak
HEIGHTS: Final = np.array([0.12, -0.07, 1.0, -0.16, 0.30])  # of the R wave's
MOST: Final = np.array([0.3, 0.3, 1.0, 0.7, 0.85])  # limits of heights either way, so that R stays what is detected
WIDTHS: Final = np.array([19.0, 8.0, 10.0, 9.0, 38.0])  # ms, standard deviation of a Gaussian
RISE: Final = np.array([1.0, 1.0, 1.0, 1.0, 1.3])  # a T wave rises more slowly than it falls
# What a spread of 1 means: standard deviations, of times in ms, else of natural logarithms.
TIME_SCATTER: Final = np.array([16.0, 3.0, 0.0, 3.0, 18.0])
HEIGHT_SCATTER: Final = np.array([0.45, 0.50, 0.0, 0.70, 0.40])
WIDTH_SCATTER: Final = np.array([0.20, 0.15, 0.12, 0.20, 0.15])
# How women's waves lie from the mean, men's the other way, in units of the scatters: a later and lower T wave
# (a longer QT), a narrower QRS. The directions are the known ones, the sizes are ours.
SEX_TIMES: Final = np.array([0.0, 0.0, 0.0, 0.0, 0.8])
SEX_HEIGHTS: Final = np.array([0.0, 0.0, 0.0, 0.6, -0.8])
SEX_WIDTHS: Final = np.array([0.0, -0.4, -0.8, -0.4, 0.0])

_KEY: Final = 0xEC6  # keeps these streams apart from other modalities' of the same seed and index
_SUBJECT, _SESSION, _RECORD = 1, 2, 3  # never 0: numpy takes a seed list's trailing zeros for none

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Waves:
    """The five waves of a heart cycle: ms from the R peak, heights (R = 1), widths in ms; each (5,)."""

    times: Floats
    heights: Floats
    widths: Floats

    def moved(self, rng: np.random.Generator, spread: float, centre: "Floats | float" = 0.0) -> "Waves":
        """These waves scattered by `spread` around `centre` (3, 5); an rng draws the same directions for any."""
        steps = spread * (centre + rng.standard_normal((3, 5)).clip(-2.5, 2.5))
        return Waves(
            self.times + TIME_SCATTER * steps[0],
            (self.heights * np.exp(HEIGHT_SCATTER * steps[1])).clip(-MOST, MOST),
            self.widths * np.exp(WIDTH_SCATTER * steps[2]),
        )


def write_subject(folder: Path, index: int, seed: int, spread: float = IDENTITY_SPREAD) -> None:
    """Write subject `index` (from 0) as `folder/Person_NN/rec_{1..n}.{hea,dat}`, 2 or 3 records.

    `spread` says how far the subjects' waves lie apart. Even indices are women; the first
    64 are aged 13-39. The same (index, seed, spread) writes the same bytes.
    Raises ValueError for a negative index or spread.
    """
    if index < 0 or spread < 0:
        raise ValueError(f"index and spread must not be negative: {index}, {spread}")
    rng = _rng(seed, index, _SUBJECT)
    age = int(rng.integers(*(YOUNG if index < N_YOUNG else OLD), endpoint=True))
    heart_rate = float(np.clip(rng.normal(70.0, 8.0), *HEART_RATES))
    height = float(0.8 * np.exp(rng.normal(0.0, 0.25)))  # of the R wave, mV
    dates = _dates(rng)
    sex = np.stack([SEX_TIMES, SEX_HEIGHTS, SEX_WIDTHS]) * (-1 if index % 2 else 1)
    subject = Waves(TIMES, HEIGHTS, WIDTHS).moved(rng, spread, sex)
    person = folder / f"Person_{index + 1:02d}"
    person.mkdir(parents=True, exist_ok=True)
    for number, day in enumerate(dates, start=1):
        session = subject.moved(_rng(seed, index, _SESSION, 1 + dates.index(day)), SESSION_SHARE * spread)
        raw = record(session, heart_rate, height, _rng(seed, index, _RECORD, number))
        comments = [f"Age: {age}", f"Sex: {'male' if index % 2 else 'female'}", f"ECG date: {day:%d.%m.%Y}"]
        _write(person, f"rec_{number}", raw, comments)


def record(waves: Waves, heart_rate: float, height: float, rng: np.random.Generator) -> Floats:
    """Lead I in mV, (10000,), of a subject's mean heart rate per minute and R wave's height in mV."""
    rate = float(np.clip(heart_rate * np.exp(rng.normal(0.0, 0.06)), *HEART_RATES))
    clean = _ecgsyn(_at_rate(waves, rate / heart_rate), rate, rng)
    return height * clean + _wander(rng) + _mains(rng) + _muscle(rng)


def _at_rate(waves: Waves, ratio: float) -> Waves:
    """The T wave comes earlier in a faster heart: by the square root of the rate (Bazett)."""
    times = waves.times.copy()
    times[-1] /= np.sqrt(ratio)
    return Waves(times, waves.heights, waves.widths)


def _ecgsyn(waves: Waves, rate: float, rng: np.random.Generator) -> Floats:
    """ECGSYN's lead on its limit cycle, without its pull to the baseline; about 1 at an R peak."""
    omega = 2 * np.pi * rate / 60_000  # radians a ms
    slow, breathing = _band(rng, 0.07, 0.13), _band(rng, 0.2, 0.3)  # the Mayer waves' and breathing's part
    pace = 1 + rng.uniform(0.02, 0.05) * (np.sqrt(1 / 3) * slow + np.sqrt(2 / 3) * breathing)
    phase = omega * 1000 / SAMPLING_RATE * np.cumsum(pace) + 2 * np.pi * rng.random()
    apart = (phase[:, None] - omega * waves.times + np.pi) % (2 * np.pi) - np.pi  # (10000, 5)
    widths = omega * waves.widths * np.where(apart < 0, RISE, 1 / RISE)
    return np.asarray((waves.heights * np.exp(-0.5 * (apart / widths) ** 2)).sum(axis=1), dtype=np.float64)


def _wander(rng: np.random.Generator) -> Floats:
    """Breathing and slow drift of the electrodes, mV."""
    breathing = 0.05 * rng.uniform(0.3, 1.5) * np.sin(2 * np.pi * (rng.uniform(0.18, 0.33) * _seconds() + rng.random()))
    drift = _band(rng, 0.02, 0.7)
    return np.asarray(breathing + 0.05 * rng.uniform(0.3, 1.5) * drift, dtype=np.float64)


def _mains(rng: np.random.Generator) -> Floats:
    """50 Hz and its third harmonic, mV."""
    turns = 50.0 * _seconds() + rng.random()
    wave = np.sin(2 * np.pi * turns) + 0.2 * np.sin(6 * np.pi * turns)
    return np.asarray(np.exp(rng.uniform(np.log(0.005), np.log(0.2))) * wave, dtype=np.float64)


def _muscle(rng: np.random.Generator) -> Floats:
    """Muscle noise that swells and ebbs, mV."""
    swell = np.exp(0.4 * _band(rng, 0.05, 0.5))
    return np.asarray(0.018 * np.exp(rng.normal(0.0, 0.35)) * swell * _band(rng, 5.0, 120.0), dtype=np.float64)


def _band(rng: np.random.Generator, low: float, high: float) -> Floats:
    """Gaussian noise between two frequencies in Hz, of unit standard deviation."""
    spectrum = np.fft.rfft(rng.standard_normal(SECONDS * SAMPLING_RATE))
    frequencies = np.fft.rfftfreq(SECONDS * SAMPLING_RATE, 1 / SAMPLING_RATE)
    spectrum[(frequencies < low) | (frequencies > high)] = 0
    noise = np.fft.irfft(spectrum)
    return np.asarray(noise / noise.std(), dtype=np.float64)


def _seconds() -> Floats:
    return np.arange(SECONDS * SAMPLING_RATE) / SAMPLING_RATE


def _dates(rng: np.random.Generator) -> list[date]:
    """A date for each of 2 or 3 records, in order."""
    days = [date(2004, 12, 1) + timedelta(days=int(rng.integers(120)))]
    for _ in range(int(rng.integers(1, 3))):
        days.append(days[-1] + timedelta(days=int(rng.integers(1, 60)) if rng.random() < NEW_DATE else 0))
    return days


def _write(folder: Path, name: str, raw: Floats, comments: list[str]) -> None:
    import wfdb
    from scipy.signal import butter, sosfiltfilt

    filtered = sosfiltfilt(butter(2, (0.5, 40.0), "bandpass", fs=SAMPLING_RATE, output="sos"), raw)
    wfdb.wrsamp(
        name,
        fs=SAMPLING_RATE,
        units=["mV", "mV"],
        sig_name=["ECG I", "ECG I filtered"],
        d_signal=np.rint(GAIN * np.stack([raw, filtered], axis=1)).clip(-32767, 32767).astype(np.int64),
        fmt=["16", "16"],
        adc_gain=[GAIN, GAIN],
        baseline=[0, 0],
        comments=comments,
        write_dir=str(folder),
    )


def _rng(seed: int, index: int, *stream: int) -> np.random.Generator:
    return np.random.default_rng([seed, index, _KEY, *stream])
