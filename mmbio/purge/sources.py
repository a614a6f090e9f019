"""Sources: the files of a data root that are of certain people, found by the same readers that read the sets."""

import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from mmbio.data.readers.listing import child
from mmbio.data.readers.registry import READERS, Reader, read_modality
from mmbio.data.samples import SampleSet
from mmbio.errors import MmbioError
from mmbio.files import write_text
from mmbio.purge import records, walk
from mmbio.purge.marks import is_distinctive
from mmbio.purge.person import Person

LISTS: Final = (".csv", ".txt", ".tsv", "")  # of a set, which may name people: RECORDS, genders.csv, SHA256SUMS.txt
Unread = tuple[str, str]  # a folder, and why it could not be read
LONGEST: Final = 1 << 24  # bytes of such a list


def inside(home: Path) -> list[Path]:
    """The data roots inside a home: its data folder, and those in it, such as the synthetic root."""
    data = home / "data"
    return [data, *sorted(p for p in data.iterdir() if p.is_dir())] if data.is_dir() else []


def sets(root: Path) -> list[SampleSet]:
    """All sets that lie at a root and can be read."""
    return read(root)[0]


def read(root: Path) -> tuple[list[SampleSet], list[Unread]]:
    """All sets that lie at a root, and the folders that none of their readers can read, each with why."""
    found: list[SampleSet] = []
    failed: dict[Path, str] = {}
    for name, reader in READERS.items():
        folder = _folder(root, reader)
        if folder is None:
            continue
        try:
            found += read_modality(root, reader.modality, name)
        except MmbioError as error:
            failed[folder] = f"could not be read, so nobody can tell who is in it: {error}"
    known = {one.folder.resolve() for one in found}  # of VoxCeleb, faces or voices may lie there alone
    alone = [f for f in failed if f.resolve() not in known and any(p.is_file() for p in walk.below(f))]
    return found, [(str(f), failed[f]) for f in alone]


def _folder(root: Path, reader: Reader) -> Path | None:
    """Where a set lies, at a root or as the root itself; None where it does not."""
    itself = root.resolve().name.lower() in {name.lower() for name in reader.folders}
    return root if itself else child(root, reader.folders)


def people(root: Path) -> set[Person]:
    """Everybody at a root."""
    return {Person(one.name, s.subject) for one in sets(root) for s in one.samples}


def files(root: Path, wanted: Iterable[Person]) -> list[Path]:
    """The files of people at a root: their samples, and what is beside them by the same name."""
    asked = set(wanted)
    found: set[Path] = set()
    for one in sets(root):
        for path in {one.folder / s.path for s in one.samples if Person(one.name, s.subject) in asked}:
            beside = path.parent.iterdir() if path.parent.is_dir() else ()
            found |= {p for p in beside if p.is_file() and (p == path or p.stem == path.stem)}
    return sorted(found)


def lists(root: Path, wanted: Iterable[Person]) -> list[Path]:
    """The lists of a root's sets with a line on one of the people."""
    names = [p.subject for p in wanted]
    above = {folder for one in sets(root) for folder in (one.folder, one.folder.parent)}
    folders = {folder for folder in above if folder.is_relative_to(root)}
    found = {p for f in folders for p in f.iterdir() if p.is_file() and p.suffix.lower() in LISTS}
    return sorted(p for p in found if p.stat().st_size < LONGEST and _without(p, names) is not None)


def remove(root: Path, wanted: Iterable[Person]) -> None:
    """Remove people's files at a root, their lines of lists, and folders that are then empty."""
    asked = tuple(wanted)
    named = lists(root, asked)  # before their samples go, by which sets are found
    for path in files(root, asked):
        path.resolve().unlink(missing_ok=True)  # of a link, what it leads to goes with it
        path.unlink(missing_ok=True)
        with suppress(OSError):
            path.parent.rmdir()
    for path in named:
        text = _without(path, [p.subject for p in asked])
        if text is not None:
            write_text(path.resolve(), text)
    records.forget(root, [p.subject for p in asked])


def _without(path: Path, names: list[str]) -> str | None:
    """A list without the lines on people; None where it has none, or is no text."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, ValueError):
        return None
    names = [name for name in names if is_distinctive(name) or path.suffix.lower() == ".csv"]
    kept = [line for line in lines if not any(_is_on(line, name) for name in names)]
    return "".join(kept) if len(kept) < len(lines) else None


def _is_on(line: str, name: str) -> bool:
    """True for a line that begins with a name, or has a path through it; a name such as 84 is no path."""
    words = re.split(r"[\s,;|]+", line.strip())
    through = is_distinctive(name) and any(name in word.split("/") for word in words if "/" in word)
    return words[0] == name or through
