"""Place: what a user got by hand, recognised, verified, and put where the set's reader finds it."""

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pooch.hashes import file_hash

from mmbio.data.fetch import contents, hashes, layout, lock
from mmbio.data.fetch.archives import is_archive, unpack
from mmbio.data.fetch.arrival import alone, arriving
from mmbio.data.fetch.contents import Content
from mmbio.data.fetch.dataset import Dataset, File
from mmbio.data.fetch.layout import Found, size_of
from mmbio.data.fetch.space import amount, check_space
from mmbio.data.readers.labels import find_labels
from mmbio.data.readers.registry import READERS
from mmbio.data.readers.voxceleb import META
from mmbio.errors import MmbioError
from mmbio.report import Report, silent
from mmbio.words import plural

CHUNK: Final = 1 << 20
LISTED: Final = "sha256 list beside the files"
NEEDS_LABELS: Final = frozenset({"faces95", "faces96"})  # whose readers ask for a genders.csv
BY_PART: Final = {"voices": "voxceleb", "faces": "voxceleb-face"}  # the readers of a set of two modalities


@dataclass(frozen=True)
class Placed:
    """A set that was placed: where, how much of it, and what there is to say."""

    folder: Path
    n_files: int
    size: int  # bytes
    verified: str
    notes: tuple[str, ...]
    was_there: bool  # in its place already, so that nothing was copied

    def __str__(self) -> str:
        """Where, how much, and how verified."""
        there = ", in its place already" if self.was_there else ""
        return f"{self.folder} ({plural(self.n_files, 'file')}, {amount(self.size)}; {self.verified}{there})"


def place(dataset: Dataset, source: Path, root: Path, report: Report = silent) -> Placed:
    """Copy a set from a folder or an archive to its place below a data root, whole or not at all.

    The set may lie one level too deep or too high, as archives in a folder, or in its place already. Its files are
    counted, compared with the hashes that are known, and read by the set's own reader before they come into place.
    Raises MmbioError saying what is missing.
    """
    if not source.exists():
        raise MmbioError(f"{source}: no such file or folder; give the folder or archive that {dataset.title} came as")
    found = layout.find(dataset, source) if source.is_dir() else None
    with alone(root, dataset.folder):
        if found and _in_place(dataset, found.base, root):
            return _stay(dataset, found, root, report)
        return _copied(dataset, source, found, root, report)


def _in_place(dataset: Dataset, base: Path, root: Path) -> bool:
    """Whether a set lies where its reader looks, be it by another of the names that it knows."""
    names = READERS[dataset.reader].folders if dataset.reader else ()
    named = base.parent.resolve() == root.resolve() and base.name.lower() in {name.lower() for name in names}
    return base.resolve() == (root / dataset.folder).resolve() or named


def _copied(dataset: Dataset, source: Path, found: Found | None, root: Path, report: Report) -> Placed:
    """Bring a set to its place from a folder, or from archives where it was found in none."""
    target, shown = root / dataset.folder, str(found.base if found else source)
    with arriving(target) as scratch:
        move = found is None
        if found is None:
            unpacked = _unpacked(dataset, source, scratch.parent / "unpacked", report)
            found = layout.find(dataset, unpacked)
        if found is None:
            raise _not_found(dataset, source)
        _check(dataset, found, shown)
        if not move:
            check_space(target, sum(size_of(found.base / path) for path in found.files))
        held = _bring(found, scratch, move=move, report=report)
        verified = _compare(dataset, scratch, held, shown)
        contents.refuse_other(root, dataset.name, held)
        notes = _read(dataset, found.counts, scratch, target, shown)
    contents.record(root, dataset.name, held, source.resolve(), verified)
    return Placed(target, len(held), sum(c.size for c in held.values()), verified, notes, was_there=False)


def _stay(dataset: Dataset, found: Found, root: Path, report: Report) -> Placed:
    """Verify a set that is in its place."""
    target = found.base
    _check(dataset, found, str(target))
    held: dict[str, Content] = {}
    for n, path in enumerate(found.files, start=1):
        held[path] = _content(found.base / path)
        report(f"reading {dataset.name}", n, len(found.files))
    verified = _compare(dataset, target, held, str(target))
    contents.refuse_other(root, dataset.name, held)
    notes = _read(dataset, found.counts, target, target, str(target))
    contents.record(root, dataset.name, held, target.resolve(), verified)
    return Placed(target, len(held), sum(c.size for c in held.values()), verified, notes, was_there=True)


def _unpacked(dataset: Dataset, source: Path, into: Path, report: Report) -> Path:
    """Unpack an archive, or all archives of a folder, each into a folder of its own name."""
    archives = [source] if source.is_file() else sorted(path for path in source.iterdir() if is_archive(path))
    if not archives:
        raise _not_found(dataset, source)
    known = {file.path: file for file in (*dataset.files, *dataset.archives)}
    for archive in archives:
        file = known.get(archive.name)
        if file is not None:
            _check_hash(archive, file, str(archive))
        stem = archive.name.split(".")[0] or "archive"
        unpack(archive, into / (file.into if file and file.into else stem), report=report)
    return into


def _not_found(dataset: Dataset, source: Path) -> MmbioError:
    wanted = ", ".join(part.pattern.removeprefix("**/") for part in dataset.parts[:4])
    more = ", ..." if len(dataset.parts) > 4 else ""
    return MmbioError(
        f"{source}: holds nothing of {dataset.title} (looked for {wanted}{more}, and for archives of it); "
        f"see `mmbio datasets {dataset.name}` for what to get"
    )


def _check(dataset: Dataset, found: Found, shown: str) -> None:
    wrong = layout.missing(dataset.parts, found.counts)
    if wrong:
        raise MmbioError(
            f"{shown}: not the whole of {dataset.title}: {', '.join(wrong)}; take the rest from the set's archive, "
            "or use what is there with --data"
        )


def _bring(found: Found, into: Path, *, move: bool, report: Report) -> dict[str, Content]:
    """Copy, or move, the files of a set, and hash them on the way."""
    held: dict[str, Content] = {}
    into.mkdir(mode=0o700, exist_ok=True)
    for n, path in enumerate(found.files, start=1):
        source, target = found.base / path, into / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        held[path] = _content(source, None if move else target)
        if move:
            source.rename(target)
        report("copying", n, len(found.files))
    return held


def _content(source: Path, copy: Path | None = None) -> Content:
    """The size and hash of a file, copied where `copy` says."""
    if not source.is_file():
        raise MmbioError(
            f"{source}: a link that leads nowhere, a device or a pipe; take the file from the set's archive"
        )
    if not str(source).isprintable():
        raise MmbioError(f"{str(source)!a}: a name that is not printable text; rename the file")
    digest, size = hashlib.sha256(), 0
    try:
        with source.open("rb") as handle, (copy or Path("/dev/null")).open("wb") as out:
            while chunk := handle.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                out.write(chunk)
    except OSError as error:
        if error.filename == str(source):
            raise MmbioError(f"{source}: cannot be read ({error.strerror}); give a readable copy") from error
        raise
    return Content(size, digest.hexdigest())


def _compare(dataset: Dataset, folder: Path, held: Mapping[str, Content], shown: str) -> str:
    """Compare the files with the hashes that are known, and say how they were verified."""
    for file in dataset.files:
        if not file.unpack and file.path in held:
            _check_hash(folder / file.path, file, f"{shown}/{file.path}")
    if all(not file.unpack and file.hash for file in dataset.files) and dataset.files:
        return lock.OFFICIAL_MD5
    if dataset.sums is None or dataset.sums not in held:
        return lock.FIRST_USE
    known = hashes.parse((folder / dataset.sums).read_bytes(), f"{shown}/{dataset.sums}")
    other = [path for path, content in held.items() if path in known and known[path] != f"sha256:{content.sha256}"]
    if other:
        more = f", and {plural(len(other) - 1, 'more is', 'more are')} not" if len(other) > 1 else ""
        raise MmbioError(
            f"{shown}/{other[0]}: not the file that {dataset.sums} names{more}; take all of it from"
            f" {dataset.page} again"
        )
    return LISTED


def _check_hash(path: Path, file: File, shown: str) -> None:
    if file.hash is None:
        return
    algorithm, _, wanted = file.hash.partition(":")
    found = file_hash(str(path), algorithm)
    if found != wanted:
        raise MmbioError(
            f"{shown}: {algorithm} {found[:12]}... where the set's {file.path} has {wanted[:12]}...; download it again"
        )


def _read(dataset: Dataset, counts: Mapping[str, int], folder: Path, target: Path, shown: str) -> tuple[str, ...]:
    """Let the set's own reader read it, where nothing else is needed for that; its remarks."""
    if dataset.reader is None:
        return ()
    if dataset.reader in NEEDS_LABELS and find_labels(folder) is None:
        return (f"{dataset.name}: needs a genders.csv before it can be used",) if find_labels(target) is None else ()
    readers = {BY_PART.get(part.what, dataset.reader) for part in dataset.parts if counts.get(part.pattern)}
    beside = [target.parent / name for name in META if folder != target and (target.parent / name).is_file()]
    for path in beside:
        shutil.copyfile(path, folder.parent / path.name)
    try:
        read = [READERS[name].read(folder) for name in sorted(readers)]
    except MmbioError as error:
        raise MmbioError(str(error).replace(str(folder), shown)) from error
    return tuple(dict.fromkeys(note for each in read for note in each.notes))
