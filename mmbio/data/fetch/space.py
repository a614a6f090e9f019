"""Space: how many bytes are to come, how many a disk has, and whether they fit."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mmbio.data.fetch.dataset import Dataset
from mmbio.data.fetch.wanted import Standing, Wanted
from mmbio.errors import MmbioError

MARGIN: Final = 64 * 2**20  # bytes left free on a disk


@dataclass
class Expected:
    """How many bytes a run fetches in all, better known with every file that comes."""

    total: int = 0
    n_unknown: int = 0  # files that no source gives the size of
    known: int = 0  # bytes to come by the sources' sizes
    n_came: int = 0  # of those that no source gives the size of
    came_bytes: int = 0

    @classmethod
    def of(cls, found: Iterable[Standing], guess: int) -> "Expected":
        """`guess` holds until the first files are here."""
        each = [one for one in found if one.to_come]
        sizes = [one.wanted.file.size for one in each]
        return cls(guess, sizes.count(None), sum(size or 0 for size in sizes))

    def came(self, wanted: Wanted, size: int) -> None:
        """Take in that a file came whole; others are thought to be as large as the mean."""
        if wanted.file.size is None:
            self.n_came += 1
            self.came_bytes += size
            self.total = self.known + round(self.came_bytes / self.n_came * self.n_unknown)


def bytes_to_come(dataset: Dataset, found: Iterable[Standing]) -> tuple[int, int]:
    """Bytes still to be fetched, and bytes of disk that this and unpacking take; sizes not known are shared out of
    the set's own.
    """
    each = list(found)
    known = sum(one.wanted.file.size or 0 for one in each)
    n_unknown = sum(one.wanted.file.size is None for one in each)
    share = max((dataset.size or 0) - known, 0) // n_unknown if n_unknown else 0
    here = [one.size for one in each if not one.to_come]
    share = max(share, sum(here) // len(here) if here else 0)
    fetched = disk = 0
    for one in each:
        size = share if one.wanted.file.size is None else one.wanted.file.size
        fetched += max(size - one.part, 0) if one.to_come else 0
        disk += max(size - one.part, 0) if one.to_come else 0
        disk += size if one.wanted.file.unpack and one.state != "whole" else 0
    return fetched, disk


def free_space(folder: Path) -> int:
    """Bytes free on the disk that a folder is on, or a link leads to, whether or not it is made yet."""
    whole = folder.resolve()
    return shutil.disk_usage(next(path for path in (whole, *whole.parents) if path.is_dir())).free


def check_space(folder: Path, needed: int) -> None:
    """Refuse to begin what will not fit."""
    free = free_space(folder)
    if needed and needed + MARGIN > free:
        raise MmbioError(
            f"{folder}: about {amount(needed)} are needed and {amount(free)} are free;"
            " free some space, or give a folder on another disk with --to"
        )


def amount(n: int) -> str:
    """Bytes in words."""
    size, units = float(n), ["bytes", "kB", "MB", "GB", "TB"]
    while size >= 999.5 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.0f} {units[0]}" if size >= 10 or units[0] == "bytes" else f"{size:.1f} {units[0]}"
