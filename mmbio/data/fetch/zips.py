"""Zips: the entries of a zip file, checked before the first is read."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import IO, Final

from mmbio.data.fetch.limits import CURE, Entry, Limits
from mmbio.errors import MmbioError

BROKEN: Final = (
    *(zipfile.BadZipFile, zlib.error, EOFError, struct.error, ValueError, OverflowError),
    *(NotImplementedError, RuntimeError, IndexError),
)
ENTRY: Final = b"PK\x01\x02"
END: Final = b"PK\x05\x06"
END64: Final = b"PK\x06\x06"
TAIL: Final = 65_536 + 22 + 20 + 56  # bytes in which a zip's end and its comment stand
METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others are not decompressed in bounded memory


def entries(archive: Path, limits: Limits) -> Generator[Entry, None, None]:
    """The entries of a zip file in the order in which they lie, none of them reading another's bytes.

    What is wrong with the file's make, here or while an entry is read, is one of BROKEN.
    """
    _check_listing(archive, limits)
    with zipfile.ZipFile(archive) as opened:
        infos = sorted(opened.infolist(), key=lambda info: info.header_offset)
        for info in infos:
            _check(archive, info)
        _check_apart(archive, infos, opened.start_dir)
        for info in infos:
            yield Entry(info.filename, info.is_dir(), info.file_size, partial(_open, opened, info))


def _open(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    return opened.open(info)


def _check_listing(archive: Path, limits: Limits) -> None:
    """Refuse a list of entries that is too long to be read at once, by what the zip's end says of it."""
    with archive.open("rb") as handle:
        size = handle.seek(0, 2)
        tail = _from(handle, size - TAIL)
        end = tail.rfind(END)
        if end < 0 or len(tail) - end < 22:
            raise MmbioError(f"{archive}: not a whole zip file (no end of its list of entries); {CURE}")
        length = int.from_bytes(tail[end + 12 : end + 16], "little")
        if length == 0xFFFFFFFF or tail[end - 20 : end - 16] == b"PK\x06\x07":
            far = tail.rfind(END64, 0, end)
            length = int.from_bytes(tail[far + 40 : far + 48], "little") if far >= 0 else 1 << 63
        if length > min(size, limits.listing):
            raise MmbioError(f"{archive}: says that its list of entries is {length:,} bytes long; {CURE}")
        if _from(handle, size - TAIL - length).count(ENTRY) > limits.members:
            raise MmbioError(f"{archive}: has more than {limits.members:,} entries; {CURE}")


def _from(handle: IO[bytes], start: int) -> bytes:
    handle.seek(max(0, start))
    return handle.read()


def _check(archive: Path, info: zipfile.ZipInfo) -> None:
    """Refuse an entry that is encrypted, packed in a way of its own, no plain file, or two names in one."""
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode)
    shown = ascii(info.orig_filename)[:80]
    if info.flag_bits & 0x41:
        raise MmbioError(f"{archive}: {shown} is encrypted; unpack it with its password and give the folder")
    if info.compress_type not in METHODS:
        raise MmbioError(
            f"{archive}: {shown} is packed by method {info.compress_type}; unpack it with 7-Zip and give the folder"
        )
    if kind and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise MmbioError(f"{archive}: {shown} is a link or a device, which no data set needs; {CURE}")
    if "\0" in info.orig_filename:
        raise MmbioError(f"{archive}: the entry {shown} has a control character; {CURE}")
    if (info.is_dir() and info.file_size) or (stat.S_ISDIR(mode) and not info.is_dir()):
        raise MmbioError(f"{archive}: {shown} is a file and a folder in one; {CURE}")


def _check_apart(archive: Path, infos: list[zipfile.ZipInfo], listing: int) -> None:
    """Refuse entries whose bytes overlap, as a small archive of petabytes has them."""
    ends = [*(info.header_offset for info in infos), listing][1:]
    for info, end in zip(infos, ends, strict=True):
        length = 30 + len(info.orig_filename) + info.compress_size  # at least
        if info.header_offset < 0 or info.header_offset + length > end:
            raise MmbioError(f"{archive}: {ascii(info.orig_filename)[:80]} overlaps another entry; {CURE}")
