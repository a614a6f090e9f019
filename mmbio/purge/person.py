"""Person: whom SUBJECT means, of all people that a home folder names."""

import csv
import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mmbio.data import excluded as excluded_people
from mmbio.data import vector_sets
from mmbio.data.readers.registry import READERS
from mmbio.errors import MmbioError
from mmbio.files import read_json
from mmbio.protocols import MODALITIES
from mmbio.purge import walk
from mmbio.purge.aside import ASIDE
from mmbio.purge.made import is_made

FEW: Final = 6  # names in a sentence
NUMBERED: Final = "#"  # stands for the set of a virtual subject, in the list of who is excluded


@dataclass(frozen=True, order=True)
class Person:
    """A subject of a public or imported set."""

    set_name: str
    subject: str

    def __str__(self) -> str:
        return f"{self.set_name}:{self.subject}"

    @property
    def name(self) -> str:
        """As manifests write it."""
        return f"{self.set_name}/{self.subject}"

    @classmethod
    def of(cls, name: str) -> "Person":
        """The person that a manifest names; the inverse of `name`."""
        return cls(*name.split("/", 1))


def virtual(folder: Path, modalities: Iterable[str] = MODALITIES) -> list[set[Person]]:
    """The people behind each subject of a manifest, which may be edited or of another version."""
    path = folder / "subjects.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise MmbioError(
            f"{path}: not readable ({error}), so nobody can tell who is in it; remove its folder"
        ) from error
    return [{Person.of(row[m]) for m in modalities if "/" in (row.get(m) or "")} for row in rows]


def named(folder: Path, people: Iterable[Person], real: Iterable[Person]) -> list[set[Person]]:
    """Of people, those behind each subject of a manifest; whom mmbio made is not the `real` person of that name."""
    wanted, others = set(people), set(real)
    sources = read_json(folder / "manifest.json", "manifest").get("sources", {})
    made = [m for m, source in sources.items() if source.get("synthetic") is True]
    recorded = virtual(folder, [m for m in MODALITIES if m not in made])
    return [wanted & ((all_of - others) | kept) for all_of, kept in zip(virtual(folder), recorded, strict=True)]


def namesakes(home: Path, people: Iterable[Person], real: Iterable[Person]) -> list[Path]:
    """The manifest folders that name people, but nobody of them beside those whom mmbio made."""
    wanted, others = set(people), set(real)
    folders = [f for f in manifests(home) if any(subject & wanted for subject in virtual(f))]
    return [f for f in folders if not any(named(f, wanted, others))]


def manifests(home: Path) -> list[Path]:
    """The manifest folders of a home."""
    return sorted(path.parent for path in (home / "manifests").glob("*/manifest.json"))


def sets(*roots: Path) -> list[Path]:
    """The vector sets below some folders, or there themselves, of people whom mmbio did not make."""
    found = {
        path.parent
        for root in roots
        for path in (walk.below(root, stays=is_made) if not is_made(root) else ())
        if path.name == vector_sets.MARKER and not any(part.startswith(ASIDE) for part in path.parts)
    }
    return sorted(found)


def known(home: Path, *roots: Path) -> set[Person]:
    """Everybody that a home's manifests and vector sets name, and vector sets below other roots."""
    people = {p for folder in manifests(home) for subject in virtual(folder) for p in subject}
    return people | {p for folder in sets(home, *roots) for p in known_in(folder)}


def synthetic(home: Path, real: Iterable[Person]) -> set[Person]:
    """Those whom manifests name as mmbio's own, and neither `real` nor any manifest as anybody else."""
    made, others = set[Person](), set(real)
    for folder in manifests(home):
        for modality, source in read_json(folder / "manifest.json", "manifest").get("sources", {}).items():
            kind = made if source.get("synthetic") is True else others
            kind.update(p for subject in virtual(folder, [modality]) for p in subject)
    return made - others


def known_in(folder: Path) -> Iterator[Person]:
    """The people of a vector set."""
    found = vector_sets.read(folder)
    return (Person(found.name, subject) for subject in found.samples["subject"].unique())


def meant(text: str, home: Path, people: set[Person]) -> tuple[Person, ...]:
    """The one person whom a text means, or all of a virtual subject, MANIFEST#NUMBER.

    A person is the set's own name for them, or SET:NAME. Raises MmbioError where nobody or several are meant.
    """
    if "#" in text and (found := _virtual(text, home)):
        return found
    names = [p for p in people if text in (p.subject, str(p), p.name)]
    if len(names) == 1:
        return tuple(names)
    if names:
        told = ", ".join(str(p) for p in sorted(names)[:FEW])
        raise MmbioError(f"SUBJECT '{text}': {len(names)} people of different sets have this name; give one of {told}")
    raise MmbioError(
        f"SUBJECT '{text}': nobody of this name in {home};{_alike(text, people)} give the set's own name, SET:NAME, or"
        " MANIFEST#NUMBER for a virtual subject, and --data ROOT where only source files are left"
    )


def _alike(text: str, people: Iterable[Person]) -> str:
    """A question after the name that is most like a text, upper and lower case aside; "" where none is."""
    names = {form.lower(): form for p in sorted(people) for form in (str(p), p.subject)}
    close = difflib.get_close_matches(text.lower(), names, 1, 0.75)
    return f" did you mean '{names[close[0]]}', or else" if close else ""


def excluded(text: str, home: Path, people: Iterable[Person]) -> tuple[Person, ...]:
    """Whom a text means of those that a home excludes, where it means nobody who is still there."""
    everybody = set(people)
    if any(text in (p.subject, str(p), p.name) for p in everybody):
        return ()
    names = {*READERS, home.resolve().name, *(p.set_name for p in everybody)}  # a home may be a set itself
    guesses = {Person(name, text) for name in names}
    guesses |= {Person(*text.split(mark, 1)) for mark in ":/" if mark in text}
    return tuple(sorted(p for p in guesses if excluded_people.holds(home, p.set_name, p.subject)))


def forms(text: str, home: Path) -> tuple[str, ...]:
    """All ways to name a virtual subject of a manifest that is here; none where a text names no such."""
    if "#" not in text or not _virtual(text, home):
        return ()
    name, _, number = text.rpartition("#")
    folder = next(f.name for f in manifests(home) if f.name == name or f.name.endswith(f"-{name}"))
    parts = folder.split("-")
    return tuple(f"{'-'.join(parts[i:])}#{int(number)}" for i in range(len(parts)))


def _virtual(text: str, home: Path) -> tuple[Person, ...]:
    name, _, number = text.rpartition("#")
    folders = [f for f in manifests(home) if f.name == name or f.name.endswith(f"-{name}")]
    if len(folders) != 1 or not number.isdecimal():
        return ()
    subjects = virtual(folders[0])
    if int(number) >= len(subjects):
        raise MmbioError(f"SUBJECT '{text}': {folders[0].name} has {len(subjects)} subjects, from 0; give one of these")
    return tuple(sorted(subjects[int(number)]))


def folders(home: Path, people: Iterable[Person]) -> list[Path]:
    """Where manifests say that the source files of people lie, outside the home."""
    wanted, found = set(people), set[Path]()
    for folder in manifests(home):
        names = {p.set_name for subject in virtual(folder) for p in subject & wanted}
        sources = read_json(folder / "manifest.json", "manifest").get("sources", {})
        found |= {Path(s["folder"]) for s in sources.values() if names & set(s["sets"]) and not s["synthetic"]}
    return sorted(p for p in found if not p.is_relative_to(home.resolve()))


def hash_of(folder: Path) -> str:
    """The hash that a manifest folder says it has."""
    return str(read_json(folder / "manifest.json", "manifest").get("hash"))
