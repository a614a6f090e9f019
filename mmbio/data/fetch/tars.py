"""Tars: the entries of a tar file, compressed or not, read once from front to back."""

import lzma
import struct
import tarfile
import zlib
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import IO, Final, cast

from mmbio.data.fetch.limits import CURE, Entry, Limits, Meter
from mmbio.data.fetch.streams import BLOCK, TarStream, decompressed
from mmbio.errors import MmbioError

BROKEN: Final = (
    *(tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, struct.error),
    *(ValueError, OverflowError, RecursionError, IndexError),
)
KINDS: Final = (
    (tarfile.TarInfo.issym, "a symbolic link"),
    (tarfile.TarInfo.islnk, "a hard link"),
    (tarfile.TarInfo.isdev, "a device or pipe"),
)


def entries(archive: Path, kind: str, limits: Limits) -> Generator[Entry, None, None]:
    """The entries of a tar file; each is to be read before the next is asked for.

    What is wrong with the file's make, here or while an entry is read, is one of BROKEN, or an OSError of no number.
    """
    meter = Meter(str(archive), archive.stat().st_size, limits)
    with decompressed(archive, kind) as source:
        stream = TarStream(source, meter)
        stream.in_header(True)
        with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r:", errorlevel=2) as opened:
            while (member := _next(opened, stream)) is not None:
                _check(archive, member)
                yield Entry(member.name, member.isdir(), member.size, partial(_open, opened, member))
        if stream.last != bytes(BLOCK):
            raise EOFError("it ends too early")
        stream.drain()


def _next(opened: tarfile.TarFile, stream: TarStream) -> tarfile.TarInfo | None:
    stream.in_header(True)
    member = opened.next()
    vars(opened)["members"].clear()  # tarfile would keep them all
    stream.in_header(False)
    return member


def _open(opened: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    return cast("IO[bytes]", opened.extractfile(member))


def _check(archive: Path, member: tarfile.TarInfo) -> None:
    """Refuse all that is no plain file or folder, and what the standard library's data filter refuses."""
    shown = ascii(member.name)[:80]
    what = next((words for test, words in KINDS if test(member)), None)
    if what is None and member.issparse():
        what = "a sparse file"
    if what is None and not (member.isreg() or member.isdir()):
        what = f"of type {member.type.decode('latin-1')!a}"
    if what is not None:
        raise MmbioError(f"{archive}: {shown} is {what}, which no data set needs; {CURE}")
    if member.size < 0 or (member.isdir() and member.size):
        raise MmbioError(f"{archive}: {shown} says that it is {member.size:,} bytes long; {CURE}")
    try:
        tarfile.data_filter(member, str(archive.parent.resolve() / "nowhere"))
    except tarfile.FilterError as error:
        raise MmbioError(f"{archive}: the entry {shown} leads out of the folder ({error}); {CURE}") from error
