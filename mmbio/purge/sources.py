"""Sources: the files of a data root that are of certain people, found by the same readers that read the sets."""

from collections.abc import Collection, Iterable
from pathlib import Path

from mmbio.data.readers.listing import child
from mmbio.data.readers.registry import READERS, Reader, read_modality
from mmbio.data.samples import SampleSet
from mmbio.errors import MmbioError
from mmbio.files import write_text
from mmbio.purge import places, records, walk
from mmbio.purge.made import is_made
from mmbio.purge.person import Person
from mmbio.purge.places import Place

Unread = tuple[str, str]  # a folder, and why it could not be read


def inside(home: Path) -> list[Path]:
    """The data roots inside a home: its data folder, and those in it that mmbio did not make."""
    data = home / "data"
    return [data, *sorted(p for p in data.iterdir() if p.is_dir() and not is_made(p))] if data.is_dir() else []


def sets(root: Path, only: str | None = None) -> list[SampleSet]:
    """All sets that lie at a root and can be read, or those of one of the readers."""
    return read(root, only)[0]


def read(root: Path, only: str | None = None) -> tuple[list[SampleSet], list[Unread]]:
    """All sets that lie at a root, and the folders that none of their readers can read, each with why.

    A synthetic root holds nobody.
    """
    found: list[SampleSet] = []
    failed: dict[Path, str] = {}
    for name, reader in READERS.items():
        folder = _folder(root, reader) if only in (None, name) else None
        if folder is None or is_made(folder.resolve().parent) or is_made(folder):
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
    """The files of people at a root: their samples, what is beside them by the same name, and all in their folders."""
    asked = set(wanted)
    found: set[Path] = set()
    for one in sets(root):
        for path in {one.folder / s.path for s in one.samples if Person(one.name, s.subject) in asked}:
            beside = path.parent.iterdir() if path.parent.is_dir() else ()
            found |= {p for p in beside if p.is_file() and (p == path or p.stem == path.stem)}
        place = Place.of(one)
        found |= {p for person in asked if person.set_name == one.name for p in place.files(person.subject)}
    return sorted(found)


def lists(root: Path, wanted: Iterable[Person]) -> list[Path]:
    """The lists of a root's sets with a line on one of the people."""
    return places.lists(root, map(Place.of, sets(root)), wanted)


def remove(root: Path, wanted: Iterable[Person]) -> list[tuple[str, str]]:
    """Remove people's files and folders at a root, and their lines of lists; what is left of them, and where."""
    asked = tuple(wanted)
    known = [Place.of(one) for one in sets(root)]  # before their samples go, by which sets are found
    named = places.lists(root, known, asked)
    stay = {root.resolve(), *(one.folder.resolve() for one in known)}
    for path in files(root, asked):
        path.resolve().unlink(missing_ok=True)  # of a link, what it leads to goes with it
        path.unlink(missing_ok=True)
        _prune(path.parent, stay)
    for path in (p for one in known for who in asked if who.set_name == one.name for p in one.own(who.subject)):
        for folder in sorted((path, *(p for p in path.rglob("*") if p.is_dir())), reverse=True):
            _prune(folder, stay)
    for path in named:
        text = places.without(path, known, asked)
        if text is not None:
            write_text(path.resolve(), text)
    records.forget(root, asked, known)
    return places.left(root, known, asked)


def _prune(folder: Path, stay: Collection[Path]) -> None:
    """Remove a folder and those above it that are then empty, of links what they lead to too, up to those that stay."""
    for path in (folder, *folder.parents):
        target = path.resolve()
        if any(one.is_relative_to(target) for one in stay):
            return
        try:
            target.rmdir()
            path.unlink() if path.is_symlink() else None
        except OSError:
            return
