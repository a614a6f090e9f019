"""Files: where a run writes, content hashes, atomic writes, locks."""

import errno
import fcntl
import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import IO, Any, Final

from mmbio.errors import MmbioError

FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
PRIVATE: Final = 0o700  # of folders: what is in them is of people
OWNER: Final = ".owner"  # in a scratch folder, locked for as long as somebody writes in it
ASIDE: Final = "replaced"
HOUR_S: Final = 3600.0
MANY: Final = 2000  # entries from which a folder is brought to the disk at once
_log: Final = logging.getLogger(__name__)
_swept: Final = set[Path]()  # folders in which this process has looked for what killed runs left
WRITING: Final = set[Path]()  # scratch folders of this process, for whoever ends it at once
_here: Final = defaultdict[Path, Lock](Lock)  # lock file -> among the threads of this process

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


def home(out: str | Path | None = None) -> Path:
    """The folder below which a run writes: `out`, else $MMBIO_HOME, else ./runs; nobody else may look into a new one.

    Raises MmbioError where it cannot be written to.
    """
    folder = Path(out or os.environ.get("MMBIO_HOME") or "runs")
    try:
        private_folder(folder)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise MmbioError(
            f"{folder}: cannot be written to ({error.strerror}); give a writable folder with --out or MMBIO_HOME"
        ) from error
    return folder


def private_folder(folder: Path) -> None:
    """Make a folder, and those above it, that only its owner may look into; one that stands there stays as it is."""
    absent = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(absent):
        path.mkdir(PRIVATE, exist_ok=True)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))


def content_hash(value: Json) -> str:
    """16 hex digits that stand for a JSON value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def bytes_hash(*chunks: bytes) -> str:
    """16 hex digits that stand for these bytes in a row."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()[:16]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file or folder beside `path` that takes its place when the block ends well.

    The block creates what it is given, as a file or as a folder (which becomes private). After an exception, or
    a kill at any moment, `path` is as it was or whole and new; a folder already at `path` is replaced whole. What
    killed runs left beside `path` is removed. Where the disk cannot exchange two folders in one step, a kill between
    the two leaves the old one aside, and the next run puts it back.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise MmbioError(f"{path}: a device or pipe, which would be replaced; give the name of a file")
    try:
        private_folder(path.parent)
        _sweep(path.parent)
        scratch, owner = _scratch(path)
    except OSError as error:
        raise MmbioError(f"{path}: cannot be written ({error.strerror}); give a writable folder with --out") from error
    try:
        with owner:
            inner = scratch / path.name
            yield inner
            if inner.is_dir():
                inner.chmod(PRIVATE)
            sync(inner)
            _swap(inner, path, scratch / ASIDE)
            sync_entry(path.parent)
    except OSError as error:
        cure = ": free some space and run the command again" if error.errno in FULL else ""
        why = error.strerror or error
        raise MmbioError(f"{path}: could not be written ({why}); nothing was changed{cure}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        WRITING.discard(scratch)


def write_text(path: Path, text: str) -> None:
    """Write a whole text file, or nothing."""
    with replacing(path) as scratch:
        scratch.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Json) -> None:
    """Write a JSON file, or nothing."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path, what: str, cure: str = "write it again") -> dict[str, Any]:
    """Read a JSON object that mmbio wrote; `what` names it in the error, `cure` says how to get it back."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise MmbioError(f"{path}: not a readable {what} ({error}); {cure}") from error
    if not isinstance(value, dict):
        raise MmbioError(f"{path}: expected a {what} (a JSON object); {cure}")
    return value


def remember(folder: Path, name: str, target: Path) -> None:
    """Note `target`, an entry of `folder`, as the latest of its kind `name`."""
    write_text(folder / f".latest-{name}", target.name)


def remembered(folder: Path, name: str) -> Path | None:
    """The entry of `folder` that was remembered last under `name`, if it is still there."""
    note = folder / f".latest-{name}"
    text = note.read_text(encoding="utf-8", errors="replace").strip() if note.is_file() else ""
    entry = Path(text).name  # of the folder, whatever the note says
    target = folder / entry if entry not in ("", "..") else None
    return target if target is not None and os.path.exists(target) else None  # noqa: PTH110  # False for impossible names


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`; another thread that wants it waits, another process says so and waits."""
    try:
        private_folder(path.parent)
        handle = path.open("a")
    except OSError as error:
        raise MmbioError(f"{path.parent}: cannot be written to ({error.strerror}); give a writable folder") from error
    with _here[path.resolve()], handle:
        _wait_for(handle, path)
        if os.fstat(handle.fileno()).st_nlink:
            yield
            return
    with locked(path):  # the file was removed while this run waited, and others lock the one in its place
        yield


@contextmanager
def shared(home: Path) -> Iterator[None]:
    """Let others write below a home folder too, but nobody have it alone: `alone` waits, or is waited for."""
    with _held(home, fcntl.LOCK_SH):
        yield


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Have a home folder alone: runs that write below it are waited for, and those that begin then wait."""
    with _held(home, fcntl.LOCK_EX):
        yield


@contextmanager
def _held(folder: Path, how: int) -> Iterator[None]:
    """Lock a folder itself, so that nothing is written; where its disk has no such locks, do without."""
    handle = -1
    try:
        with suppress(OSError):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            _take(handle, how, folder)
            while not os.path.samestat(os.fstat(handle), folder.stat()):  # exchanged while this run waited
                os.close(handle)
                handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
                _take(handle, how, folder)
        yield
    finally:
        if handle >= 0:
            os.close(handle)


def _wait_for(handle: IO[str], path: Path) -> None:
    try:
        _take(handle.fileno(), fcntl.LOCK_EX, _named(path))
    except OSError as error:
        raise MmbioError(f"{path}: cannot be locked ({error.strerror}); give a folder on another disk") from error


def _take(handle: int, how: int, what: Path) -> None:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        _log.warning("%s: another run is at work here; waiting for it to finish", what)
        fcntl.flock(handle, how)


def _named(lock: Path) -> Path:
    """What a lock file `.NAME.lock` stands for."""
    return lock.with_name(lock.name.removeprefix(".").removesuffix(".lock"))


def _scratch(path: Path) -> tuple[Path, IO[bytes]]:
    """A folder beside `path` to write in, and the file in it that is locked for as long as somebody does."""
    while True:
        scratch = path.parent / f".{path.name}.{os.urandom(4).hex()}"
        WRITING.add(scratch)
        scratch.mkdir(PRIVATE)
        owner = (scratch / OWNER).open("wb")
        fcntl.flock(owner, fcntl.LOCK_EX)
        if os.fstat(owner.fileno()).st_nlink:
            return scratch, owner
        owner.close()  # another run took it for one that was left behind


def _sweep(folder: Path) -> None:
    """Remove the scratch folders that killed runs left in a folder; a folder one of them held aside goes back.

    Each process looks once.
    """
    if (known := folder.resolve()) in _swept:
        return
    _swept.add(known)
    for scratch in folder.glob(".*.????????"):
        with suppress(OSError):
            path = folder / scratch.name[1:-9]
            entries = {entry.name for entry in scratch.iterdir()}
            if not entries and time.time() - scratch.stat().st_mtime > HOUR_S:  # killed before it began
                scratch.rmdir()
            if OWNER not in entries or not entries <= {OWNER, ASIDE, path.name}:
                continue
            with (scratch / OWNER).open("r+b") as owner:
                fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _put_back(scratch / ASIDE, path)
                shutil.rmtree(scratch)


def _put_back(aside: Path, path: Path) -> None:
    if aside.exists() and not path.exists():
        aside.rename(path)


def _swap(new: Path, path: Path, aside: Path) -> None:
    """Move `new` to `path`; a folder that stands there is exchanged for it in one step, where the disk can do that.

    Elsewhere it goes aside first, and back where the move fails.
    """
    if not (path.is_dir() and new.is_dir()):
        new.replace(path)
        return
    if _exchanged(new, path):
        return
    try:
        path.rename(aside)
        new.replace(path)
    except BaseException:
        _put_back(aside, path)
        raise


def _exchanged(one: Path, other: Path) -> bool:
    """Whether two entries of one disk changed places by Linux's renameat2, which Python does not have."""
    import ctypes

    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    here, exchange = -100, 2  # AT_FDCWD and RENAME_EXCHANGE
    return renameat2 is not None and renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0


def sync(path: Path) -> None:
    """Bring a file, or a folder and all in it, to the disk."""
    entries = [path, *(path.rglob("*") if path.is_dir() else ())]
    if len(entries) > MANY:
        os.sync()  # one for all, with what others have to write
        return
    for entry in entries:
        sync_entry(entry)


def sync_entry(path: Path) -> None:
    """Bring a file, or a folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
