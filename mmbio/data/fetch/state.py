"""State: which sets are at a data root, whether they are whole, and who is in them."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pooch.hashes import hash_matches

from mmbio.data.fetch import contents, hashes, layout, lock
from mmbio.data.fetch.archives import brought
from mmbio.data.fetch.dataset import Dataset, Subjects
from mmbio.data.fetch.place import BY_PART
from mmbio.data.readers.listing import child
from mmbio.data.readers.registry import READERS
from mmbio.errors import MmbioError
from mmbio.report import Report, silent
from mmbio.words import plural

SHOWN: Final = 5  # faults that are told one by one


@dataclass(frozen=True)
class State:
    """What is here of a set: `faults` say what it is not whole by, `checked` how that was seen."""

    folder: Path | None = None
    n_files: int = 0
    size: int = 0  # bytes
    faults: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()  # those that are here, "DB1_B: 80"
    n_parts: int = 0  # of the set
    checked: str = ""
    subjects: Subjects | None = None  # as the set's reader finds them
    notes: tuple[str, ...] = ()
    readable: bool = True  # its files, and by the set's reader

    @property
    def present(self) -> bool:
        """Whether anything of the set is here."""
        return self.folder is not None

    @property
    def whole(self) -> bool:
        """Whether all parts of it are here and nothing that is known of them is missing or other."""
        return self.present and not self.faults and len(self.parts) == self.n_parts


@dataclass(frozen=True)
class _Expected:
    size: int | None
    hash: str | None  # "sha256:..." or "md5:..."


def look(dataset: Dataset, root: Path, *, verify: bool = False, report: Report = silent) -> State:
    """What is here of a set, by names, counts and sizes; with `verify` by every hash that is known.

    Raises MmbioError for a root that cannot be listed and a record of downloads that is damaged.
    """
    found = _found(dataset, root)
    if found is None:
        return State()
    faults = layout.missing(dataset.parts, found.counts)
    tops = {path.split("/")[0] for path in found.files}
    expected = {path: want for path, want in _expected(dataset, found.base, root).items() if path.split("/")[0] in tops}
    sizes = {path: layout.size_of(found.base / path) for path in found.files}
    faults += [f"{path}: zero bytes" for path, size in sizes.items() if size == 0]
    faults += _differing(found.base, expected)
    closed = [path for path in found.files if not os.access(found.base / path, os.R_OK)]
    faults += [f"{path}: cannot be read; give yourself the right to" for path in closed if (found.base / path).exists()]
    n_hashes = 0
    if verify and not contents.as_recorded(root, dataset.name):
        where = contents.path_of(root, dataset.name).relative_to(root)
        faults.append(f"{where}: not the list that was recorded; place the set again with --from")
    if verify:
        hashed = {path: want.hash for path, want in expected.items() if want.hash and (found.base / path).is_file()}
        n_hashes = len(hashed)
        for n, (path, digest) in enumerate(hashed.items(), start=1):
            if not hash_matches(str(found.base / path), digest):
                faults.append(f"{path}: another content than its hash says")
            report(f"hashing {dataset.name}", n, n_hashes)
    sized = any(want.size is not None for want in expected.values())
    checked = f"the hashes of {plural(n_hashes, 'file')}" if n_hashes else f"names and {'sizes' if sized else 'counts'}"
    subjects, notes, broken = (None, (), ()) if closed else _people(dataset, found)
    told = (*faults[:SHOWN], *((f"and {len(faults) - SHOWN:,} more",) if len(faults) > SHOWN else ()), *broken)
    parts = tuple(f"{p.what}: {found.counts[p.pattern]:,}" for p in dataset.parts if found.counts.get(p.pattern))
    return State(found.base, len(sizes), sum(sizes.values()), told, parts, len(dataset.parts), checked, subjects, notes,
                 not (broken or closed))  # fmt: skip


def _found(dataset: Dataset, root: Path) -> layout.Found | None:
    """Where the set lies: at its own place, or in another folder that its reader knows."""
    if not root.is_dir():
        return None
    known = READERS[dataset.reader].folders if dataset.reader else ()
    beside = root / dataset.folder
    places = [beside, *(child(root, [name]) for name in known)]
    if beside.parent != root and beside.parent.is_dir():
        places.append(child(beside.parent, [beside.name]))
    for place in dict.fromkeys(path for path in places if path is not None and path.is_dir()):
        found = layout.find(dataset, place)
        if found is not None:
            return found
    return None


def _expected(dataset: Dataset, base: Path, root: Path) -> dict[str, _Expected]:
    """What is known of the files: from the set's own list, the record of downloads, and the contents placed by hand."""
    known: dict[str, _Expected] = {}
    if dataset.sums and (base / dataset.sums).is_file():
        listed = hashes.parse((base / dataset.sums).read_bytes(), str(base / dataset.sums))
        known |= {path: _Expected(None, digest) for path, digest in listed.items() if not path.startswith(".")}
    archives = {f"{dataset.folder}/{file.path}" for file in dataset.files if file.unpack}
    own = {f"{dataset.folder}/{file.path}" for file in dataset.files}
    for path, entry in lock.read(root).items():
        if path in archives:
            known |= {name: _Expected(c.size, f"sha256:{c.sha256}") for name, c in brought(root / path)[1].items()}
        elif path in own or (dataset.sums and path.startswith(f"{dataset.folder}/")):
            known[path.removeprefix(f"{dataset.folder}/")] = _Expected(entry.size, f"sha256:{entry.sha256}")
    placed = contents.read(root, dataset.name)
    return known | {path: _Expected(c.size, f"sha256:{c.sha256}") for path, c in placed.items()}


def _differing(base: Path, expected: dict[str, _Expected]) -> list[str]:
    faults = []
    for path, want in expected.items():
        file = base / path
        if not file.is_file():
            faults.append(f"{path}: missing")
        elif want.size is not None and file.stat().st_size != want.size:
            faults.append(f"{path}: {file.stat().st_size:,} bytes where it had {want.size:,}")
    return faults


def _people(dataset: Dataset, found: layout.Found) -> tuple[Subjects | None, tuple[str, ...], tuple[str, ...]]:
    """The subjects by gender, the reader's remarks, and what it cannot read."""
    if dataset.reader is None:
        return None, (), ()
    readers = {BY_PART.get(part.what, dataset.reader) for part in dataset.parts if found.counts.get(part.pattern)}
    genders: dict[str, str | None] = {}
    notes: list[str] = []
    tops = {path.split("/")[0] for path in found.files}
    try:
        for name in sorted(readers & set(READERS)):
            read = READERS[name].read(found.base)
            own = [sample for sample in read.samples if sample.path.split("/")[0] in tops]
            genders |= {sample.subject: sample.gender for sample in own}
            notes += read.notes if len(own) == len(read.samples) else ()  # else they are of other sets too
    except MmbioError as error:
        return None, (), (f"cannot be read: {error}",)
    counted = Counter(genders.values())
    known = counted["F"] + counted["M"] > 0
    people = Subjects(
        len(genders), counted["F"] if known else None, counted["M"] if known else None, dataset.subjects.noun
    )
    return people, tuple(dict.fromkeys(notes)), ()
