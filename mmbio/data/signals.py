"""Signals: an ECG record to the beats in it ("ECG preprocessing")."""

import math
import os
from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mmbio.data.readers.headers import Header, read_header
from mmbio.errors import MmbioError
from mmbio.protocols import BEAT_SAMPLES, MIN_BEATS, SAMPLING_RATE

LEAD_I: Final = ("ecg i", "i", "lead i")  # as ECG-ID, PTB and others name it, in any case
# Bits a sample takes in WFDB's uncompressed signal formats.
BITS: Final[Mapping[str, float]] = MappingProxyType(
    {"8": 8, "16": 16, "24": 24, "32": 32, "61": 16, "80": 8, "160": 16, "212": 12, "310": 32 / 3, "311": 32 / 3}
)


def read_lead(path: Path) -> tuple[NDArray[np.float64], float]:
    """Lead I of the record of a .hea file, in the record's unit (mV), and its sampling rate in Hz.

    Checksums are not looked at: eleven published ECG-ID headers carry wrong ones.
    Raises MmbioError for a header or signal file that cannot be read or is cut short, a missing
    lead I, and samples marked as invalid.
    """
    import wfdb

    header = read_header(path)
    channel = _lead_i(header)
    _check_data(header, channel)
    try:
        record = wfdb.rdrecord(str(path.with_suffix("")), channels=[channel])
    except (OSError, ValueError, TypeError, LookupError, OverflowError) as error:  # what wfdb raises of broken numbers
        raise MmbioError(
            f"{path}: its signal file cannot be read ({error}); take it from the set's archive again"
        ) from error
    signal = np.asarray(record.p_signal[:, 0], dtype=np.float64)
    invalid = int(np.count_nonzero(~np.isfinite(signal)))
    if invalid:
        raise MmbioError(
            f"{path}: {invalid} of {len(signal)} samples of lead I are marked invalid where none may be; "
            "leave the record out, for instance with --skip-unusable"
        )
    return signal, header.rate


def beats(path: Path) -> NDArray[np.float32]:
    """The whole beats of a record's lead I at 500 Hz, each min-max scaled to [0, 1]: float32 (n, 300).

    Raises MmbioError for fewer than MIN_BEATS, and what `read_lead` raises.
    """
    signal, rate = read_lead(path)
    found = cut_beats(resample(signal, rate))
    if len(found) < MIN_BEATS:
        raise MmbioError(
            f"{path}: {len(found)} whole beats found where at least {MIN_BEATS} are expected; "
            "leave the record out, for instance with --skip-unusable"
        )
    return found


def resample(signal: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """A signal of `rate` Hz at SAMPLING_RATE, its ends continued along its own line."""
    from scipy.signal import resample_poly

    ratio = (SAMPLING_RATE / Fraction(rate)).limit_denominator(1000)
    if ratio == 1:
        return signal
    return np.asarray(resample_poly(signal, ratio.numerator, ratio.denominator, padtype="line"), dtype=np.float64)


def cut_beats(signal: NDArray[np.float64]) -> NDArray[np.float32]:
    """Clean a signal at 500 Hz, find its R peaks and cut 150 samples on each side of each: float32 (n, 300).

    Beats that reach past an end are left out; each is scaled by `min_max`.
    """
    import neurokit2

    half = BEAT_SAMPLES // 2
    if len(signal) < SAMPLING_RATE or np.ptp(signal) == 0:  # NeuroKit2 wants a second or so, with something in it
        return np.zeros((0, BEAT_SAMPLES), np.float32)
    clean = np.asarray(neurokit2.ecg_clean(signal, sampling_rate=SAMPLING_RATE))
    _, info = neurokit2.ecg_peaks(clean, sampling_rate=SAMPLING_RATE)
    peaks = np.asarray(info["ECG_R_Peaks"], dtype=np.int64)
    whole = peaks[(peaks >= half) & (peaks + half <= len(clean))]
    return min_max(clean[whole[:, None] + np.arange(-half, half)])


def min_max(windows: NDArray[np.float64]) -> NDArray[np.float32]:
    """Scale each row of (n, L) to [0, 1]; a flat row becomes zeros."""
    low, high = windows.min(axis=1, keepdims=True), windows.max(axis=1, keepdims=True)
    span = np.where(high > low, high - low, 1.0)
    scaled: NDArray[np.float32] = np.asarray((windows - low) / span, dtype=np.float32)
    return scaled


def _lead_i(header: Header) -> int:
    """The channel of lead I."""
    names = [str(name or "").strip().lower() for name in header.record.sig_name]
    channel = next((names.index(name) for name in LEAD_I if name in names), None)
    if channel is None:
        raise MmbioError(
            f"{header.path}: no lead I among the signals {', '.join(names)}; "
            "name it 'I' in the header, or leave the record out, for instance with --skip-unusable"
        )
    return channel


def _check_data(header: Header, channel: int) -> None:
    """Check that the signal file of a channel holds all that the header promises."""
    path, record = header.path, header.record
    data = path.parent / record.file_name[channel]
    outside = [name for name in record.file_name if name in (".", "..") or not {"/", "\\"}.isdisjoint(name)]
    if outside:
        raise MmbioError(
            f"{path}: names the signal file {outside[0]!r}, expected one beside the header; take the record from the"
            " set's archive again"
        )
    unread = set(record.fmt) - set(BITS)
    if unread:
        raise MmbioError(
            f"{path}: signal format {', '.join(sorted(unread))} is not read; convert the record to format 16"
        )
    if not os.path.isfile(data):  # noqa: PTH113  # which is False for names that no file can have
        raise MmbioError(f"{data}: not there, though {path.name} names it; take it from the set's archive again")
    bits: dict[str, float] = defaultdict(float)
    for file_name, fmt, per_frame in zip(record.file_name, record.fmt, record.samps_per_frame, strict=True):
        bits[file_name] += BITS[fmt] * (per_frame or 1)
    promised = math.ceil((record.sig_len or 1) * bits[record.file_name[channel]] / 8) + (
        record.byte_offset[channel] or 0
    )
    actual = data.stat().st_size
    if actual < promised:
        raise MmbioError(
            f"{data}: {actual} bytes where {path.name} promises {promised}, so it is cut short; "
            "take it from the set's archive again, or leave the record out, for instance with --skip-unusable"
        )
