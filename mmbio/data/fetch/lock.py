"""Lock: what was fetched to a data root, from where, and how far each file can be trusted."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mmbio.errors import MmbioError
from mmbio.files import locked, read_json, write_json

NAME: Final = "mmbio-lock.json"
VERSION: Final = 1

OFFICIAL_LIST: Final = "official sha256 list"  # came over TLS from the set's own address
OFFICIAL_MD5: Final = "published md5"  # by the owners, or for VoxCeleb's archives in public recipes
OFFICIAL_SHA256: Final = "official sha256"
MIRRORED_LIST: Final = "sha256 list of the mirror"
FIRST_USE: Final = "first use"
FOUND_HERE: Final = "found here"  # at first use: no server gave it
OWN_ADDRESS: Final = "fetched over TLS from its own address"  # of a list of hashes


@dataclass(frozen=True)
class Entry:
    """A file of a data root: whence, its content, when it came, and what it was compared with."""

    url: str
    sha256: str
    size: int  # bytes
    date: str  # ISO 8601, UTC
    verified: str


def now() -> str:
    """The time for an entry."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def read(root: Path) -> dict[str, Entry]:
    """Path below the root -> its entry; empty where nothing was fetched.

    Raises MmbioError for a file that is damaged: trust is not begun anew in silence.
    """
    path = root / NAME
    if not path.exists():
        return {}
    cure = "take it from a backup, or remove it, and what has no official hash is trusted anew"
    try:
        content = read_json(path, "record of downloads")
    except MmbioError as error:
        raise MmbioError(f"{str(error).removesuffix('; write it again')}; {cure}") from error
    files = content.get("files")
    if content.get("version") != VERSION or not isinstance(files, dict):
        raise MmbioError(f"{path}: not a record of downloads of version {VERSION}; {cure}")
    damaged = [name for name, value in files.items() if not _is_entry(value)]
    if damaged:
        raise MmbioError(f"{path}: the entry of '{damaged[0]}' is damaged; {cure}")
    return {name: Entry(**value) for name, value in files.items()}


def record(root: Path, entries: Mapping[str, Entry]) -> None:
    """Add entries, whoever else adds some at the same time."""
    if not entries:
        return
    with locked(root / f".{NAME}.lock"):
        files = {name: asdict(entry) for name, entry in (read(root) | dict(entries)).items()}
        write_json(root / NAME, {"version": VERSION, "files": dict(sorted(files.items()))})


def refuse_other(root: Path, path: str, known: Entry | None, sha256: str, url: str) -> None:
    """Refuse a file without an official hash that is another than the one recorded at first use."""
    if known is not None and known.sha256 != sha256:
        raise MmbioError(
            f"{url}: another file than on {known.date[:10]} (sha256 {sha256[:12]}..., recorded {known.sha256[:12]}...);"
            f" if the set was published anew, remove the entry '{path}' from {root / NAME}"
        )


def _is_entry(value: object) -> bool:
    if not isinstance(value, dict) or set(value) != {field.name for field in fields(Entry)}:
        return False
    texts = all(isinstance(value[name], str) for name in ("url", "sha256", "date", "verified"))
    return texts and isinstance(value["size"], int)
