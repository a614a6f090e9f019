"""Headers: what a WFDB header says, before its signal file is looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from mmbio.data.readers.labels import GENDERS, parse_age
from mmbio.errors import MmbioError

RATES: Final = (50, 100_000)  # Hz, from which to which a record may be sampled


@dataclass(frozen=True)
class Header:
    """A header as wfdb parses it, and its comments by lower-case key."""

    path: Path
    record: Any  # wfdb.Record
    comments: Mapping[str, str]

    @property
    def rate(self) -> float:
        """The sampling rate in Hz."""
        return float(self.record.fs)

    @property
    def gender(self) -> str | None:
        """ "F", "M", or None where the header does not say."""
        return GENDERS.get(self.comments.get("sex", "").lower())

    @property
    def age(self) -> int | None:
        """Years, or None where the header does not say."""
        return parse_age(self.comments.get("age", ""))


def read_header(path: Path) -> Header:
    """Read a .hea file; whether its signal file fits is seen where the signal is read.

    Raises MmbioError naming the file and the cure.
    """
    record = _parse(path)
    pairs = (line.partition(":") for line in record.comments)
    comments = {key.strip().lower(): value.strip() for key, _, value in pairs}
    return Header(path, record, MappingProxyType(comments))


def _parse(path: Path) -> Any:
    import wfdb

    try:
        record = wfdb.rdheader(str(path.with_suffix("")))
    except FileNotFoundError as error:
        raise MmbioError(f"{path}: not there; take it from the set's archive again") from error
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise MmbioError(f"{path}: not a WFDB header ({error}); take it from the set's archive again") from error
    n_signals = len(getattr(record, "sig_name", None) or ())
    if n_signals == 0 or n_signals != record.n_sig or not _is_rate(record.fs) or record.sig_len == 0:
        raise MmbioError(
            f"{path}: a WFDB header of {n_signals} signals where {record.n_sig} are promised, at {record.fs} Hz; "
            "take it from the set's archive again"
        )
    return record


def _is_rate(found: object) -> bool:
    return isinstance(found, int | float) and RATES[0] <= found <= RATES[1]
