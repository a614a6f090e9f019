"""Contents: what a set that was placed by hand holds, file by file, so that it can be compared with ever after.

They stand in a CSV file below the data root, for the record of downloads could not hold a million files;
that record has the CSV file's own hash, which `datasets --verify` compares.
"""

import csv
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pooch.hashes import file_hash

from mmbio.data.fetch import lock
from mmbio.errors import MmbioError
from mmbio.files import write_text
from mmbio.words import plural

FOLDER: Final = ".mmbio"
HEAD: Final = ("path", "size", "sha256")


@dataclass(frozen=True)
class Content:
    """A file's size in bytes and its SHA-256."""

    size: int
    sha256: str


def path_of(root: Path, name: str) -> Path:
    """Where the contents of a set stand."""
    return root / FOLDER / f"{name}.csv"


def read(root: Path, name: str) -> dict[str, Content]:
    """Path below the set's folder -> its content; empty where the set was not placed by hand.

    Raises MmbioError for a file that is damaged.
    """
    path = path_of(root, name)
    if not path.exists():
        return {}
    try:
        head, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
        if tuple(head) != HEAD:
            raise ValueError("another head line")
        return {name: Content(int(size), sha256) for name, size, sha256 in rows}
    except (OSError, ValueError, csv.Error) as error:
        raise MmbioError(
            f"{path}: a damaged list of what a set holds ({error}); remove it and place the set again"
        ) from error


def as_recorded(root: Path, name: str) -> bool:
    """Whether a set's contents are those that the record of downloads knows, which may be none."""
    path, entry = path_of(root, name), lock.read(root).get(f"{FOLDER}/{name}.csv")
    return (file_hash(str(path), "sha256") if path.exists() else None) == (entry.sha256 if entry else None)


def stand(folder: Path, files: Mapping[str, Content]) -> bool:
    """Whether all files are in a folder, in their sizes."""
    paths = ((folder / path, content.size) for path, content in files.items())
    try:
        return all(path.is_file() and path.stat().st_size == size for path, size in paths)
    except (OSError, ValueError):  # names that no disk can hold
        return False


def record(root: Path, name: str, files: Mapping[str, Content], source: Path, verified: str) -> None:
    """Add files to a set's contents, and note in the record of downloads whence they are."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows((path, c.size, c.sha256) for path, c in sorted((read(root, name) | dict(files)).items()))
    text = buffer.getvalue()
    write_text(path_of(root, name), text)
    data = text.encode()
    entry = lock.Entry(source.as_uri(), hashlib.sha256(data).hexdigest(), len(data), lock.now(), verified)
    lock.record(root, {f"{FOLDER}/{name}.csv": entry})


def refuse_other(root: Path, name: str, files: Mapping[str, Content]) -> None:
    """Refuse files that are others than those recorded when the set was placed first."""
    known = read(root, name)
    other = [path for path, content in files.items() if path in known and known[path] != content]
    if other:
        more = f", and {plural(len(other) - 1, 'more is', 'more are')} other too" if len(other) > 1 else ""
        raise MmbioError(
            f"{other[0]}: another file than the one placed before{more}; if the set was "
            f"published anew, remove {path_of(root, name)} and place it again"
        )
