"""Headers: what a WFDB header says, checked against its signal file."""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from mmbio.data.readers.labels import GENDERS, parse_age
from mmbio.errors import MmbioError

LEAD_I: Final = ("ecg i", "i", "lead i")  # as ECG-ID, PTB and others name it, in any case
# Bits a sample takes in WFDB's uncompressed signal formats.
BITS: Final[Mapping[str, float]] = MappingProxyType(
    {"8": 8, "16": 16, "24": 24, "32": 32, "61": 16, "80": 8, "160": 16, "212": 12, "310": 32 / 3, "311": 32 / 3}
)


@dataclass(frozen=True)
class Header:
    """A record's sampling rate in Hz, the channel of lead I, and its comments by lower-case key."""

    path: Path
    rate: float
    channel: int
    comments: Mapping[str, str]

    @property
    def gender(self) -> str | None:
        """ "F", "M", or None where the header does not say."""
        return GENDERS.get(self.comments.get("sex", "").lower())

    @property
    def age(self) -> int | None:
        """Years, or None where the header does not say."""
        return parse_age(self.comments.get("age", ""))


def read_header(path: Path) -> Header:
    """Read a .hea file and check that it has lead I and that the signal file holds all it promises.

    Checksums are not looked at: eleven published ECG-ID headers carry wrong ones.
    Raises MmbioError naming the file and the cure.
    """
    record = _parse(path)
    names = [str(name or "").strip().lower() for name in record.sig_name]
    channel = next((names.index(name) for name in LEAD_I if name in names), None)
    if channel is None:
        raise MmbioError(
            f"{path}: no lead I among the signals {', '.join(names)}; "
            "name it 'I' in the header, or leave the record out, for instance with --skip-unusable"
        )
    _check_data(path, record, channel)
    pairs = (line.partition(":") for line in record.comments)
    comments = {key.strip().lower(): value.strip() for key, _, value in pairs}
    return Header(path, float(record.fs), channel, MappingProxyType(comments))


def _parse(path: Path) -> Any:
    import wfdb

    try:
        record = wfdb.rdheader(str(path.with_suffix("")))
    except FileNotFoundError as error:
        raise MmbioError(f"{path}: not there; take it from the set's archive again") from error
    except (ValueError, IndexError) as error:  # wfdb's own HeaderSyntaxError; a header without a record line
        raise MmbioError(f"{path}: not a WFDB header ({error}); take it from the set's archive again") from error
    n_signals = len(getattr(record, "sig_name", None) or ())
    if n_signals == 0 or n_signals != record.n_sig or not record.fs or record.sig_len == 0:
        raise MmbioError(
            f"{path}: a WFDB header of {n_signals} signals where {record.n_sig} are promised, at {record.fs} Hz; "
            "take it from the set's archive again"
        )
    return record


def _check_data(path: Path, record: Any, channel: int) -> None:
    data = path.parent / record.file_name[channel]
    unread = set(record.fmt) - set(BITS)
    if unread:
        raise MmbioError(
            f"{path}: signal format {', '.join(sorted(unread))} is not read; convert the record to format 16"
        )
    if not data.is_file():
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
            "take it from the set's archive again"
        )
