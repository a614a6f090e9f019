"""Streams: the bytes of a tar archive, decompressed in bounded memory and counted."""

import bz2
import gzip
import io
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

from mmbio.data.fetch.limits import CURE, MIB, Meter
from mmbio.errors import MmbioError

XZ_MEMORY: Final = 256 * MIB  # xz -9 needs 65 MiB; its header could ask for 4 GiB
CHUNK: Final = MIB
BLOCK: Final = 512  # bytes, the unit of a tar


class XzFile(io.RawIOBase):
    """An xz file decompressed in bounded memory, which the standard library's own reader does not bound."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._at_work = self._next()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while True:
            if self._at_work.eof:
                rest = self._at_work.unused_data.lstrip(b"\0") or self._raw.read(CHUNK).lstrip(b"\0")
                if not rest:
                    return 0
                self._at_work = self._next()
            else:
                rest = self._raw.read(CHUNK // 16) if self._at_work.needs_input else b""
                if not rest and self._at_work.needs_input:
                    raise EOFError("the file ends too early")
            found = self._at_work.decompress(rest, len(buffer))
            if found:
                buffer[: len(found)] = found
                return len(found)

    @staticmethod
    def _next() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)


class TarStream(io.RawIOBase):
    """What tarfile reads from: forward only, counted, and never much at once where it reads headers.

    A header's own size may ask tarfile for gigabytes, and a negative one may send it back.
    """

    def __init__(self, source: BinaryIO, meter: Meter) -> None:
        self._source = source
        self._meter = meter
        self._at = 0
        self._left: int | None = None  # bytes that may be read before the next entry
        self.last = b""

    def in_header(self, yes: bool) -> None:
        """Say whether headers are read from here on, which are small, or an entry's bytes."""
        self._left = self._meter.limits.header if yes else None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        if self._left is not None:
            self._left -= size
        if size < 0 or (self._left is not None and self._left < 0):
            raise MmbioError(
                f"{self._meter.archive}: a header that says it is {size:,} bytes long, or many in a row; {CURE}"
            )
        found = bytearray()
        while len(found) < size and (chunk := self._source.read(min(CHUNK, size - len(found)))):
            self._meter.add(len(chunk))
            found += chunk
        self._at += len(found)
        self.last = bytes(found[-BLOCK:])
        return bytes(found)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        if whence != 0 or offset < self._at:
            raise MmbioError(f"{self._meter.archive}: an entry of a size below zero; {CURE}")
        kept, self._left = self._left, None
        while self._at < offset and self.read(min(CHUNK, offset - self._at)):
            pass
        self._left = kept
        return self._at

    def drain(self) -> None:
        """Read to the end, where the compressed file's own check sum stands."""
        self.in_header(False)
        while self.read(CHUNK):
            pass


@contextmanager
def decompressed(archive: Path, kind: str) -> Iterator[BinaryIO]:
    """The tar inside a `gz`, `bz2`, `xz` or plain `tar` file."""
    with archive.open("rb") as raw:
        if kind == "gz":
            with gzip.open(raw, "rb") as unpacked:
                yield cast("BinaryIO", unpacked)
        elif kind == "bz2":
            with bz2.open(raw, "rb") as opened:
                yield cast("BinaryIO", opened)
        elif kind == "xz":
            yield io.BufferedReader(XzFile(raw))
        else:
            yield raw
