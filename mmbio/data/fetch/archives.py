"""Archives: zip and tar files unpacked as what they are, files from strangers.

Nothing is written outside the target, no links or devices are made, what comes out is measured as it
comes out and not as headers say, and an archive that is refused anywhere leaves nothing behind.
"""

import json
import os
import shutil
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

from pooch.hashes import file_hash

from mmbio.data.fetch import tars, zips
from mmbio.data.fetch.arrival import arriving
from mmbio.data.fetch.contents import Content
from mmbio.data.fetch.limits import CURE, DEFAULT, Entry, Limits, Meter
from mmbio.data.fetch.names import Names
from mmbio.errors import MmbioError
from mmbio.files import Json, private_folder, write_json
from mmbio.report import Report, silent

__all__ = ["DEFAULT", "Limits", "brought", "is_archive", "note_of", "remember", "unpack"]

CHUNK: Final = 1 << 20
MAGIC: Final = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"Rar!\x1a\x07", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x28\xb5\x2f\xfd", "zst"),
)
SUFFIXES: Final = (".zip", ".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".rar", ".7z", ".tar.zst")
OTHER: Final = frozenset({"rar", "7z", "zst"})


def is_archive(path: Path) -> bool:
    """Whether a file is one that `unpack` takes, or tells what to do with, by its name."""
    return path.is_file() and path.name.lower().endswith(SUFFIXES)


def unpack(archive: Path, target: Path, limits: Limits = DEFAULT, report: Report = silent) -> list[Path]:
    """Unpack a zip, tar, tar.gz, tar.bz2 or tar.xz into a folder, whole or not at all; the files that it brought.

    A single folder at the archive's top that is called as the target is the target. All is unpacked beside
    the target first; then a new target appears in one step, and into one that is there the files move one by
    one, each replacing its namesake. Files are made 0600 and folders 0700, whatever the archive says.
    Raises MmbioError naming the archive, the entry, what is wrong with it, and the cure.
    """
    kind = _kind(archive)
    if target.exists() and not target.is_dir():
        raise MmbioError(f"{target}: a file where {archive.name} should be unpacked; move it away")
    with arriving(target) as scratch:
        private_folder(scratch)
        files = _without_top(scratch, target.name, _write_all(archive, kind, scratch, limits, report))
    return [target / file for file in files]


def note_of(archive: Path) -> Path:
    """Where it is noted what an archive brought."""
    return archive.with_name(f".{archive.name}.unpacked.json")


def remember(archive: Path, sha256: str, files: Iterable[Path]) -> None:
    """Note the files that an archive brought, so that it need not be kept; they lie below its folder."""
    held = {
        path.relative_to(archive.parent).as_posix(): Content(path.stat().st_size, file_hash(str(path), "sha256"))
        for path in files
    }
    noted: dict[str, Json] = {path: asdict(content) for path, content in sorted(held.items())}
    write_json(note_of(archive), {"sha256": sha256, "files": noted})


def brought(archive: Path) -> tuple[str, dict[str, Content]]:
    """The sha256 of an archive, and path below its folder -> content; empty where no note of it can be read."""
    try:
        note = json.loads(note_of(archive).read_text(encoding="utf-8"))
        files = {path: Content(int(each["size"]), str(each["sha256"])) for path, each in note["files"].items()}
        return str(note["sha256"]), files
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return "", {}


def _kind(archive: Path) -> str:
    try:
        with archive.open("rb") as handle:
            start = handle.read(512)
    except OSError as error:
        raise MmbioError(f"{archive}: cannot be read ({error.strerror}); give a zip or tar file") from error
    kind = next((kind for magic, kind in MAGIC if start.startswith(magic)), None)
    if kind in OTHER:
        raise MmbioError(f"{archive}: a .{kind} archive; unpack it with bsdtar, 7-Zip or unar and give the folder")
    if kind is None and (start[257:262] == b"ustar" or (len(start) == 512 and archive.suffix.lower() == ".tar")):
        return "tar"
    if kind is None:
        raise MmbioError(f"{archive}: neither a zip nor a tar file by its first bytes; {CURE}")
    return kind


def _write_all(archive: Path, kind: str, into: Path, limits: Limits, report: Report) -> list[Path]:
    size = archive.stat().st_size
    names = Names(str(archive), limits)
    meter = Meter(str(archive), size, limits)
    made: set[Path] = {into}
    files: list[Path] = []
    with _told(archive, kind), closing(_entries(archive, kind, limits)) as entries:
        for entry in entries:
            path = names.take(entry.name, entry.folder)
            if path is None:
                continue
            full = into / path
            _make_folders(full if entry.folder else full.parent, made)
            if not entry.folder:
                _write(entry, full, meter)
                files.append(Path(path))
                report(f"unpacking {archive.name}", meter.total, max(size, meter.total))
    if not files:
        raise MmbioError(f"{archive}: holds no files; {CURE}")
    return files


def _entries(archive: Path, kind: str, limits: Limits) -> Generator[Entry, None, None]:
    return zips.entries(archive, limits) if kind == "zip" else tars.entries(archive, kind, limits)


@contextmanager
def _told(archive: Path, kind: str) -> Iterator[None]:
    """Tell what is wrong with an archive's make in a sentence; the disk's own errors pass."""
    what = "zip" if kind == "zip" else "tar"
    try:
        yield
    except (*zips.BROKEN, *tars.BROKEN, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        words = " ".join(str(error).split()) or type(error).__name__
        raise MmbioError(f"{archive}: not a whole {what} file ({words}); {CURE}") from error


def _make_folders(folder: Path, made: set[Path]) -> None:
    missing = []
    while folder not in made:
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
        made.add(each)


def _write(entry: Entry, path: Path, meter: Meter) -> None:
    written = 0
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as out, entry.open() as source:
        while chunk := source.read(CHUNK):
            written += len(chunk)
            meter.add(len(chunk))
            meter.check_file(entry.name, written)
            out.write(chunk)
    if written != entry.size:
        raise MmbioError(
            f"{meter.archive}: {entry.name[:80]!a} is {written:,} bytes long where {entry.size:,} are promised; {CURE}"
        )


def _without_top(folder: Path, name: str, files: list[Path]) -> list[Path]:
    """Where all lies in one folder called `name`, let that take `folder`'s place; the files' paths from there."""
    seen = [entry for entry in folder.iterdir() if not entry.name.startswith((".", "__MACOSX"))]
    if len(seen) != 1 or not seen[0].is_dir() or seen[0].name.casefold() != name.casefold():
        return files
    top = seen[0].name
    aside = folder.with_name("top")
    seen[0].rename(aside)
    shutil.rmtree(folder)
    aside.rename(folder)
    return [Path(*file.parts[1:]) for file in files if file.parts[0] == top]
