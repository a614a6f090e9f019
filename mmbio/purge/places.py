"""Places: where below a set's folder a person lies, be they called 84, which means other things anywhere else."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Final

from mmbio.data.samples import SampleSet
from mmbio.purge import walk
from mmbio.purge.marks import is_distinctive
from mmbio.purge.person import Person

LISTS: Final = (".csv", ".txt", ".tsv", "")  # of a set, which may name people: RECORDS, genders.csv, SHA256SUMS.txt
LONGEST: Final = 1 << 24  # bytes of such a list
SECOND: Final = "chapters.txt"  # of LibriSpeech: the chapter, then who reads it


@dataclass(frozen=True)
class Place:
    """A set's folder, and how the paths below it tell whose they are."""

    name: str
    folder: Path
    depths: frozenset[int]  # of people's own folders
    flat: frozenset[str]  # folders whose files begin with people's names: 101_1.tif

    @classmethod
    def of(cls, one: SampleSet) -> "Place":
        """The place of a set, by how its samples lie."""
        depths, flat = set[int](), set[str]()
        for sample in one.samples:
            *above, last = sample.path.split("/")
            if sample.subject in above:
                depths.add(above.index(sample.subject))
            elif _begins(last, sample.subject):
                flat.add("/".join(above))
        return cls(one.name, one.folder, frozenset(depths), frozenset(flat))

    def is_of(self, path: str, subject: str) -> bool:
        """True for a path below the set's folder, or that begins with its name, of a person's folder or file."""
        parts = [part for part in path.strip("\"'*").split("/") if part != "."]
        if parts and parts[0].lower() == self.folder.name.lower():
            del parts[0]
        through = any(depth < len(parts) and parts[depth] == subject for depth in self.depths)
        return through or (bool(parts) and "/".join(parts[:-1]) in self.flat and _begins(parts[-1], subject))

    def own(self, subject: str) -> list[Path]:
        """A person's folders, and files that begin with their name."""
        folders = {p for depth in self.depths for p in self.folder.glob("*/" * depth + escape(subject))}
        files = {p for f in self.flat for p in (self.folder / f).glob(f"{escape(subject)}[!0-9A-Za-z]*") if p.is_file()}
        return sorted(folders | files)

    def files(self, subject: str) -> Iterator[Path]:
        """All files of a person's folders, and those that begin with their name."""
        for path in self.own(subject):
            yield from (p for p in (path, *walk.below(path)) if p.is_symlink() or p.is_file())


def lists(root: Path, places: Iterable[Place], wanted: Iterable[Person]) -> list[Path]:
    """The lists of a root's sets with a line on one of the people."""
    asked, known = tuple(wanted), tuple(places)
    folders = {folder for one in known for folder in (one.folder, one.folder.parent) if folder.is_relative_to(root)}
    found = {p for f in folders if f.is_dir() for p in f.iterdir() if p.is_file() and p.suffix.lower() in LISTS}
    return sorted(p for p in found if p.stat().st_size < LONGEST and without(p, known, asked) is not None)


def without(path: Path, places: Iterable[Place], wanted: Iterable[Person]) -> str | None:
    """A list without the lines on people; None where it has none, or is no text."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, ValueError):
        return None
    known, asked = tuple(places), tuple(wanted)
    kept = [line for line in lines if not any(_is_on(line, path, person, known) for person in asked)]
    return "".join(kept) if len(kept) < len(lines) else None


def left(root: Path, places: Iterable[Place], wanted: Iterable[Person]) -> list[tuple[str, str]]:
    """What still stands at a root of people: (path, what of it)."""
    asked, known = tuple(wanted), tuple(places)
    theirs = {p for one in known for person in asked if person.set_name == one.name for p in one.own(person.subject)}
    found = [(str(path), "its name, by its place") for path in sorted(theirs)]
    return found + [(str(path), "a line on the person") for path in lists(root, known, asked)]


def _is_on(line: str, path: Path, person: Person, places: Iterable[Place]) -> bool:
    """True for a line that begins with a name, or has a path of theirs; 84 is a name in a set's own tables alone."""
    name, whole = person.subject, is_distinctive(person.subject)
    words = re.split(r"[\s,;|]+", line.strip())
    cells = re.split(r"\s*[,;|\t]\s*", line.strip())
    theirs = [one for one in places if one.name == person.set_name]
    if whole and (words[0] == name or any(name in word.split("/") for word in words if "/" in word)):
        return True
    table = path.suffix.lower() == ".csv" or any(one.folder == path.parent for one in theirs)
    column = int(path.name.lower() == SECOND)
    if table and len(cells) > column and cells[column].strip('"') == name:
        return True
    return any(one.is_of(word, name) for one in theirs for word in words if "/" in word)


def _begins(name: str, subject: str) -> bool:
    return re.match(re.escape(subject) + "[^0-9A-Za-z]", name) is not None
