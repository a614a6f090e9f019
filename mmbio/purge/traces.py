"""Traces: what of a home has to go with the people that some marks stand for, and what nobody can tell of."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mmbio.data import manifest as manifest_room
from mmbio.data import vector_sets
from mmbio.errors import MmbioError
from mmbio.files import read_json
from mmbio.purge import again, order, person, walk
from mmbio.purge.aside import ASIDE
from mmbio.purge.marks import Marks
from mmbio.purge.order import key_of, record
from mmbio.purge.search import Search

DERIVED: Final = ("tables", "audits", "attention", "reproduced", "logs")  # of the entries, those that hold a mark go
NOTES: Final = (".made.json", "cells.json")  # what was made and computed, so that it is not made again
RESULTS: Final = "results.csv"


@dataclass(frozen=True)
class Thing:
    """What goes: a file or folder, or, where `rewritten`, some rows of it."""

    path: Path
    what: str
    again: str = ""  # the command that makes it anew
    rewritten: bool = False


@dataclass(frozen=True)
class Traces:
    """What goes, in the order of removal, and what no manifest here tells the people of."""

    things: tuple[Thing, ...]
    unknown: tuple[Thing, ...]
    made: tuple[str, ...] = ()  # names of the results and checkpoints that go


def find(home: Path, marks: Marks) -> Traces:
    """All traces in a home: first what was computed, then what it was computed from."""
    made_on = _made_on(home)
    gone = {path: thing for path, (thing, of) in made_on.items() if not of.isdisjoint(marks.manifests)}
    made = tuple(path.name.removesuffix(".safetensors") for path in gone)
    search = Search(marks, made)
    there = {person.hash_of(folder) for folder in person.manifests(home)} | set(marks.manifests)
    unknown = [thing for path, (thing, of) in made_on.items() if path not in gone and not of <= there]
    things = [
        *([Thing(home / ASIDE, "what an interrupted purge left")] if (home / ASIDE).exists() else []),
        *_derived(home, search, marks),
        *_rows(home, search),
        *gone.values(),
        *_stores(home, marks),
        *_manifests(home, marks),
        *_sets(home, marks),
        *_notes(home, search),
    ]
    return Traces(tuple(things), tuple(unknown), made)


def _made_on(home: Path) -> dict[Path, tuple[Thing, set[str]]]:
    """Results and checkpoints, each with the hashes of the manifests it was made on; of an unreadable one, `?`."""
    found = {}
    files = order.weight_files(home)
    for folder in sorted(p for p in (home / "results").glob("*") if p.is_dir() and not p.name.startswith(".")):
        key, ran = record(folder / "key.json"), record(folder / "run.json")
        told = _told(again.of_result, key, home, files)
        found[folder] = Thing(folder, "result", told), _hashes(key.get("checkpoint")) | _hashes(ran) or {"?"}
    for path in sorted((home / "checkpoints").glob("*.safetensors")):
        key = key_of(path)
        told = _told(again.of_checkpoint, key, home, files)
        found[path] = Thing(path, "checkpoint", told), _hashes(key) or {"?"}
    return found


def _told(tell: Callable[..., str], about: Any, home: Path, *more: Any) -> str:
    """The command that makes a thing anew; "" where what is known of it is damaged."""
    try:
        return tell(about, home, *more)
    except (KeyError, TypeError, ValueError, AttributeError):
        return ""


def _hashes(key: Any) -> set[str]:
    """The manifests that a key of a checkpoint, or the record of a run, names."""
    if not isinstance(key, Mapping):
        return set()
    members = key.get("members")
    inner = {h for one in members for h in _hashes(one)} if isinstance(members, list) else set()
    return inner | ({str(key["manifest"])} if "manifest" in key else set())


def _derived(home: Path, search: Search, marks: Marks) -> Iterator[Thing]:
    """Tables, audits, analyses, reruns, logs, pages and corrupted samples that hold a mark."""
    entries = [p for room in DERIVED for p in sorted((home / room).glob("*")) if p.name not in NOTES]
    for path in [*entries, *sorted(home.glob("*.html"))]:
        if not path.name.startswith(".") and _any(search, [path, *walk.below(path)], home):
            yield Thing(path, path.parent.name if path.parent != home else "page", _typed(path, home))
    if (home / "corrupted").is_dir() and marks.samples:  # which do not say of whom they are
        yield Thing(home / "corrupted", "corrupted samples", again.command(["corrupt"], home))


def _typed(path: Path, home: Path) -> str:
    if path.suffix == ".html":
        return again.command(["report"], home)
    room = {"audits": "audit", "attention": "attention"}.get(path.parent.name)
    return again.as_typed(path / "environment.json", home) or (again.command([room], home) if room else "")


def _any(search: Search, files: list[Path], home: Path) -> bool:
    return any(True for path in files for _ in search.entry(path, home))


def _rows(home: Path, search: Search) -> Iterator[Thing]:
    """results.csv where rows of it go."""
    path = home / RESULTS
    if path.is_file():
        n = sum(holds(search, row) for row in rows(path))
        if n:
            yield Thing(path, f"{n} rows", "", True)


def rows(path: Path) -> list[list[str]]:
    """The rows of results.csv, bytes that are no UTF-8 as surrogates; raises MmbioError where it is no CSV file."""
    try:
        return list(csv.reader(io.StringIO(path.read_bytes().decode(errors="surrogateescape"), newline="")))
    except (OSError, csv.Error) as error:
        raise MmbioError(f"{path}: not readable ({error}), so nobody can tell who is in it; remove it") from error


def holds(search: Search, row: list[str]) -> bool:
    """True where a row of results.csv holds a mark."""
    return search.text(",".join(row))


def _stores(home: Path, marks: Marks) -> Iterator[Thing]:
    """Stores of the manifests that go and of no other, and those that no manifest is there for."""
    kept: set[str] = set()
    files = order.weight_files(home)
    for folder in person.manifests(home):
        if person.hash_of(folder) not in marks.manifests:
            found = manifest_room.read(folder)
            kept |= {found.items_hash(m) for m in found.modalities}
    for folder in sorted(p for p in (home / "store").glob("*") if p.is_dir() and not p.name.startswith(".")):
        key = record(folder / "key.json")
        items = key.get("items")
        if items not in kept:
            why = "store" if items in marks.items else "store of no manifest here"
            yield Thing(folder, why, _told(again.of_store, key, home, files))


def _manifests(home: Path, marks: Marks) -> Iterator[Thing]:
    for folder in person.manifests(home):
        info = read_json(folder / "manifest.json", "manifest")
        if info.get("hash") in marks.manifests:
            yield Thing(folder, "manifest", _told(again.of_manifest, info, home))


def _sets(home: Path, marks: Marks) -> Iterator[Thing]:
    """Vector sets below the home with vectors of the people."""
    for folder in person.sets(home):
        n = len(rows_of(folder, marks))
        if n:
            yield Thing(folder, f"vector set, {n} samples", "", True)


def rows_of(folder: Path, marks: Marks) -> list[int]:
    """The rows of a vector set's samples that are of the people."""
    found = vector_sets.read(folder)
    theirs = found.samples["subject"].isin([p.subject for p in marks.persons if p.set_name == found.name])
    return [i for i, is_theirs in enumerate(theirs) if is_theirs]


def _notes(home: Path, search: Search) -> Iterator[Thing]:
    """Notes of what goes: the latest of a kind that is not there any more, and what was made and computed."""
    for path in sorted(home.glob("*/.latest-*")):
        target = path.with_name(path.read_text(encoding="utf-8", errors="replace").strip())
        if not target.exists():
            yield Thing(path, "note")
    for path in (p for name in NOTES for p in (home / name, home / "tables" / name) if p.is_file()):
        if _any(search, [path], home):
            yield Thing(path, "note")
