"""Limits: what an archive says it holds, and how much that may be, measured while it is unpacked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Final

from mmbio.errors import MmbioError

MIB: Final = 1 << 20
CURE: Final = "download it again from the set's page"


@dataclass(frozen=True)
class Limits:
    """What no data set comes near: VoxCeleb2's development part has 1.24 million entries in 60 GB."""

    members: int = 1_500_000
    total: int = 1 << 40  # bytes in all
    file: int = 1 << 36  # bytes in one file
    ratio: int = 100  # bytes out for a byte of the archive
    slack: int = 16 * MIB  # bytes that a small archive may hold whatever the ratio
    depth: int = 32  # folders above a file
    path: int = 1024  # bytes of a name with its folders
    listing: int = 256 * MIB  # bytes of a zip's list of entries, which is read at once
    header: int = MIB // 8  # bytes before one entry of a tar


DEFAULT: Final = Limits()


@dataclass(frozen=True)
class Entry:
    """A file or folder of an archive, in the archive's own words, none of them checked."""

    name: str
    folder: bool
    size: int  # bytes
    open: Callable[[], IO[bytes]]


class Meter:
    """Counts the bytes that come out of an archive of `size` bytes, and stops at the limits."""

    def __init__(self, archive: str, size: int, limits: Limits) -> None:
        self.archive = archive
        self.limits = limits
        self.total = 0
        self._most = min(limits.total, limits.ratio * size + limits.slack)

    def add(self, n: int) -> None:
        """Count `n` bytes more; raises MmbioError where they are too many for the archive's size, or at all."""
        self.total += n
        if self.total > self._most:
            raise MmbioError(
                f"{self.archive}: unpacks to more than {self._most:,} bytes, which no data set of its size does; {CURE}"
            )

    def check_file(self, name: str, n: int) -> None:
        """Raise MmbioError where one file has come to more than its limit."""
        if n > self.limits.file:
            raise MmbioError(f"{self.archive}: '{name}' unpacks to more than {self.limits.file:,} bytes; {CURE}")
