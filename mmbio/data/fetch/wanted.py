"""Wanted: the files of a set, and which of them are here and whole."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pooch.hashes import file_hash, hash_algorithm, hash_matches

from mmbio.data.fetch import contents, lock, sums
from mmbio.data.fetch.addresses import address, quoted
from mmbio.data.fetch.archives import brought
from mmbio.data.fetch.dataset import Dataset, File
from mmbio.data.fetch.parts import Part
from mmbio.data.fetch.whence import Options

BY_HAND: Final = "placed by hand"
State = Literal["whole", "packed", "absent", "damaged"]  # packed: an archive that is here and not unpacked


@dataclass(frozen=True)
class Wanted:
    """A file of a set: where it is asked for, where it goes, and what it is compared with."""

    file: File
    path: str  # below the data root
    url: str
    verified: str  # as the lock says it


@dataclass(frozen=True)
class Standing:
    """What is here of a file; `size` and `sha256` of one that is whole, `part` in bytes."""

    wanted: Wanted
    state: State
    sha256: str = ""
    size: int = 0
    part: int = 0
    found_here: bool = False  # without a hash or an entry to compare it with
    by_hand: bool = False  # an archive whose content a user placed, so that the archive itself is not known

    @property
    def verified(self) -> str:
        """What it is compared with, as the lock says it."""
        if self.by_hand:
            return BY_HAND
        return lock.FOUND_HERE if self.found_here and not self.to_come else self.wanted.verified

    @property
    def to_come(self) -> bool:
        """Whether it has to be fetched."""
        return self.state in ("absent", "damaged")


def wanted(dataset: Dataset, root: Path, options: Options, write: bool = True) -> tuple[Wanted, ...]:
    """The files of a set; its own list of hashes is fetched first where it has one, and placed if `write`.

    Raises MmbioError for a list that is hostile or another than the one recorded.
    """
    files, listed = dataset.files, ""
    if dataset.sums is not None:
        found, listed = sums.listed(dataset, dataset.sums, root, options, write)
        files += tuple(File(path, quoted(path), hash=digest) for path, digest in found.items() if path != dataset.sums)
    return tuple(
        Wanted(
            file, f"{dataset.folder}/{file.path}", address(dataset.base, file.url, options.base), listed or _how(file)
        )
        for file in files
    )


def standing(item: Wanted, root: Path, entry: lock.Entry | None) -> Standing:
    """What is here of a file, by its content."""
    target = root / item.path
    known = item.file.hash or (f"sha256:{entry.sha256}" if entry else None)
    found_here = item.file.hash is None and (entry is None or entry.verified == lock.FOUND_HERE)
    if item.file.unpack and entry is not None and _unpacked(target, entry.sha256):
        return Standing(item, "whole", entry.sha256, entry.size, found_here=found_here)
    if not target.is_file():
        return Standing(item, "absent", part=Part(target).size)
    size = target.stat().st_size
    if size != (size if item.file.size is None else item.file.size) or not hash_matches(str(target), known):
        return Standing(item, "damaged", part=Part(target).size)
    sha256 = str(known)[7:] if known and hash_algorithm(known) == "sha256" else file_hash(str(target), "sha256")
    return Standing(item, "packed" if item.file.unpack else "whole", sha256, size, found_here=found_here)


def _unpacked(archive: Path, sha256: str) -> bool:
    """Whether all that an archive of this content brought is here, by its size."""
    noted, files = brought(archive)
    return noted == sha256 and contents.stand(archive.parent, files)


def _how(file: File) -> str:
    if file.hash is None:
        return lock.FIRST_USE
    return lock.OFFICIAL_MD5 if file.hash.startswith("md5:") else lock.OFFICIAL_SHA256
