"""Files: where a run writes, content hashes, atomic writes, locks."""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmbio.errors import MmbioError

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


def home(out: str | Path | None = None) -> Path:
    """The folder below which a run writes: `out`, else $MMBIO_HOME, else ./runs.

    Raises MmbioError where it cannot be written to.
    """
    folder = Path(out or os.environ.get("MMBIO_HOME") or "runs")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise MmbioError(
            f"{folder}: cannot be written to ({error.strerror}); give a writable folder with --out or MMBIO_HOME"
        ) from error
    return folder


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

    The block creates what it is given, as a file or as a folder. After an exception nothing
    is left and `path` is as it was; a folder already at `path` is replaced whole.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise MmbioError(f"{path}: a device or pipe, which would be replaced; give the name of a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as error:
        raise MmbioError(f"{path}: cannot be written ({error.strerror}); give a writable folder with --out") from error
    try:
        inner = scratch / path.name
        yield inner
        _sync(inner)
        _swap(inner, path, scratch / "replaced")
        _sync_entry(path.parent)
    except OSError as error:
        raise MmbioError(f"{path}: could not be written ({error.strerror or error}); nothing was changed") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a whole text file, or nothing."""
    with replacing(path) as scratch:
        scratch.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Json) -> None:
    """Write a JSON file, or nothing."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path, what: str) -> dict[str, Any]:
    """Read a JSON object that mmbio wrote; `what` names it in the error."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise MmbioError(f"{path}: not a readable {what} ({error}); write it again") from error
    if not isinstance(value, dict):
        raise MmbioError(f"{path}: expected a {what} (a JSON object); write it again")
    return value


def remember(folder: Path, name: str, target: Path) -> None:
    """Note `target`, an entry of `folder`, as the latest of its kind `name`."""
    write_text(folder / f".latest-{name}", target.name)


def remembered(folder: Path, name: str) -> Path | None:
    """The entry of `folder` that was remembered last under `name`, if it is still there."""
    note = folder / f".latest-{name}"
    text = note.read_text(encoding="utf-8", errors="replace").strip() if note.is_file() else ""
    target = folder / Path(text).name if text else None  # an entry of the folder, whatever the note says
    return target if target is not None and target.exists() else None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`; another process that wants it waits."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a")
    except OSError as error:
        raise MmbioError(f"{path.parent}: cannot be written to ({error.strerror}); give a writable folder") from error
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _swap(new: Path, path: Path, aside: Path) -> None:
    """Move `new` to `path`; a folder that stands there goes aside first, and back where the move fails."""
    if not path.is_dir():
        new.replace(path)
        return
    path.rename(aside)
    try:
        new.replace(path)
    except BaseException:
        aside.rename(path)
        raise


def _sync(path: Path) -> None:
    """Bring a file, or a folder and all in it, to the disk."""
    for entry in (path, *(path.rglob("*") if path.is_dir() else ())):
        _sync_entry(entry)


def _sync_entry(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
