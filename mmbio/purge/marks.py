"""Marks: what stands for people in the files of a home: names, hashes of samples, vectors by hash, manifests."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from mmbio.data import manifest as manifest_room
from mmbio.data import vector_sets
from mmbio.data.manifest import Manifest
from mmbio.data.numpy_files import mapped
from mmbio.errors import MmbioError
from mmbio.files import read_json
from mmbio.purge import person, vectors
from mmbio.purge.person import Person

LEAST: Final = 4  # characters of a name that is searched for by itself; it also has a letter


@dataclass(frozen=True)
class Marks:
    """All texts; vectors as what stands for them, so that the journal holds no biometric data."""

    people: tuple[str, ...]  # set/subject
    names: tuple[str, ...]  # of people, where they are distinctive, and of their samples
    samples: tuple[str, ...]  # hashes of the content of sample files
    vectors: tuple[str, ...]
    manifests: tuple[str, ...]
    items: tuple[str, ...]  # what stores of these manifests are keyed by

    def to_json(self) -> dict[str, Any]:
        """As plain values; `from_json` is the inverse."""
        return {name: list(texts) for name, texts in asdict(self).items()}

    @classmethod
    def from_json(cls, value: Any) -> "Marks":
        """The marks that a journal holds."""
        return cls(**{f.name: tuple(map(str, value[f.name])) for f in fields(cls)})

    def and_of(self, other: "Marks") -> "Marks":
        """The marks of both."""
        mine, theirs = self.to_json(), other.to_json()
        return Marks(**{name: tuple(sorted({*mine[name], *theirs[name]})) for name in mine})

    @property
    def persons(self) -> tuple[Person, ...]:
        return tuple(map(Person.of, self.people))


def of(
    people: Sequence[Person], home: Path, others: Iterable[Person], *roots: Path, real: Iterable[Person] = ()
) -> Marks:
    """The marks of people in a home, and in vector sets below other roots; `others` are all that are named there.

    Whom mmbio made is not the `real` person of that name.
    """
    wanted = {p.name for p in people}
    names, samples, standing, hashes, items = set(wanted), set[str](), set[str](), set[str](), set[str]()
    taken = {p.subject for p in others if p not in people}
    names |= {p.subject for p in people if is_distinctive(p.subject) and p.subject not in taken}
    for folder in person.manifests(home):
        numbers = {i for i, subject in enumerate(person.named(folder, people, real)) if subject}
        if not numbers:
            continue
        hashes.add(person.hash_of(folder))
        for row in _rows(folder / "samples.csv"):
            if row["subject"] in wanted:
                names |= {row["sample"], row["path"]}
                samples.add(row["sha"])
        for row in _rows(folder / "items.csv"):
            if row["subject"].isdecimal() and int(row["subject"]) in numbers:
                names |= {row[c] for c in ("id", "video", "clip") if c in row and "/" in row[c]}
        try:
            found = manifest_room.read(folder)
        except MmbioError:
            continue  # it was edited, so that no store is known to be its own
        for modality in found.modalities:
            items.add(found.items_hash(modality))
            standing |= _stored(home, found, modality, people)
    for folder in person.sets(home, *roots):
        standing |= _in_set(folder, people)
        names |= _ids(folder, people)
    names = {name for name in names if "/" in name or is_distinctive(name)}
    return Marks(*(tuple(sorted(s)) for s in (wanted, names, samples, standing, hashes, items)))


def is_distinctive(name: str) -> bool:
    """False for a name such as 84 or F, which means other things elsewhere."""
    return len(name) >= LEAST and not name.isdecimal() and any(c.isalpha() for c in name)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
    except (OSError, ValueError, csv.Error) as error:
        raise MmbioError(
            f"{path}: not readable ({error}), so nobody can tell who is in it; remove its folder"
        ) from error


def _stored(home: Path, found: Manifest, modality: str, people: Sequence[Person]) -> set[str]:
    """The vectors of people in the stores of a manifest."""
    named = found.subjects[modality].to_numpy(str)
    theirs = np.flatnonzero(np.isin(named, [p.name for p in people]))
    rows = np.flatnonzero(np.isin(found.items["subject"].to_numpy(np.int64), theirs))
    digest: set[str] = set()
    for key in (home / "store").glob(f"{modality}-*/key.json"):
        path = key.with_name("vectors.npy")
        if read_json(key, "key of a store").get("items") == found.items_hash(modality) and path.is_file():
            digest |= set(vectors.marks(np.asarray(mapped(path)[rows])))
    return digest


def _in_set(folder: Path, people: Sequence[Person]) -> set[str]:
    found = vector_sets.read(folder)
    theirs = found.samples[found.samples["subject"].isin([p.subject for p in people if p.set_name == found.name])]
    digest: set[str] = set()
    for modality in found.modalities:
        rows = theirs[modality].to_numpy(np.int64)
        for segment in found.info["modalities"][modality]["segments"] or [""]:
            path = folder / vector_sets.file_name(modality, segment)
            digest |= set(vectors.marks(mapped(path)[rows[rows >= 0]]))
    return digest


def _ids(folder: Path, people: Sequence[Person]) -> set[str]:
    """The names of a vector set's samples, videos and clips of people."""
    found = vector_sets.read(folder)
    theirs = found.samples[found.samples["subject"].isin([p.subject for p in people if p.set_name == found.name])]
    return {str(name) for column in ("id", "video", "clip") for name in theirs[column] if name}
