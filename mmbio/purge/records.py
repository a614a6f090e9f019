"""Records: what mmbio download notes of each file at a data root, without people who went."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

from mmbio.data.fetch import archives, contents, lock
from mmbio.data.fetch.catalogue import CATALOGUE
from mmbio.data.readers.registry import READERS
from mmbio.files import locked, read_json, write_json, write_text
from mmbio.purge.marks import is_distinctive
from mmbio.purge.person import Person
from mmbio.purge.places import Place

NOTES = archives.note_of(Path("*")).name  # of what archives brought, beside them


def forget(root: Path, people: Iterable[Person], places: Iterable[Place]) -> None:
    """Drop the entries of people's files, by name, or by their place in their set where they are called 84."""
    asked, known = tuple(people), tuple(places)
    if asked and (root / lock.NAME).is_file():
        with locked(root / f".{lock.NAME}.lock"):
            _forget(root, asked, known)
    for note in {note for one in known for note in one.folder.glob(NOTES)}:
        found = read_json(note, "note of an archive")
        files = found.get("files")
        near = [one for one in known if one.folder == note.parent]
        kept = (
            {path: c for path, c in files.items() if not _is_of(path, asked, near)} if isinstance(files, dict) else {}
        )
        if isinstance(files, dict) and len(kept) < len(files):
            write_json(note, found | {"files": kept})


def _forget(root: Path, asked: tuple[Person, ...], known: tuple[Place, ...]) -> None:
    before = lock.read(root)
    after = {path: entry for path, entry in before.items() if not _is_of(path, asked, _at(root, path, known))}
    for path in sorted((root / contents.FOLDER).glob("*.csv")):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        near = [one for one in known if one.folder.name.lower() in _folders(path.stem)]
        kept = [line for line in lines if not _is_of(line.rsplit(",", 2)[0], asked, near)]
        if len(kept) < len(lines):
            text = "".join(kept)
            write_text(path, text)
            name, data = path.relative_to(root).as_posix(), text.encode()
            if name in after:
                after[name] = replace(after[name], sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    if after != before:
        files = {path: asdict(entry) for path, entry in sorted(after.items())}
        write_json(root / lock.NAME, {"version": lock.VERSION, "files": files})


def _is_of(path: str, asked: tuple[Person, ...], near: list[Place]) -> bool:
    parts = path.strip('"').split("/")
    return any(
        (is_distinctive(who.subject) and who.subject in parts)
        or any(one.is_of(path, who.subject) for one in near if one.name == who.set_name)
        for who in asked
    )


def _at(root: Path, path: str, known: tuple[Place, ...]) -> list[Place]:
    """The places that an entry of the record of downloads lies below."""
    return [one for one in known if (root / path).is_relative_to(one.folder)]


def _folders(name: str) -> set[str]:
    """What the folder of a set of the catalogue may be called."""
    reader = CATALOGUE[name].reader if name in CATALOGUE else None
    return {folder.lower() for folder in READERS[reader].folders} if reader else set()
