"""Proof: every file of a home searched for what stands for people, and what of it could not be searched."""

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mmbio.purge import made, walk
from mmbio.purge.marks import Marks
from mmbio.purge.search import Search

JOURNAL: Final = ".purge.json"
LOCK: Final = ".purge.lock"
TEXTS: Final = frozenset({"", ".csv", ".tsv", ".txt", ".json", ".hea", ".md", ".html", ".xml"})  # of a data root
LOOKED_FOR: Final = (
    "names, hashes of samples, and vectors with the same values, as float16, float32 or float64, alone or inside longer"
    " rows of .npy, .npz and .safetensors files"
)
NOT_LOOKED_FOR: Final = (
    "vectors that were changed (normalised, projected, summed, quantised), numbers written as text or in files of other"
    " kinds, networks trained elsewhere, and anything outside these folders"
)


@dataclass(frozen=True)
class Proof:
    """What was searched, and where something was left: (path below the home, what of it)."""

    n_files: int
    n_bytes: int
    n_vectors: int
    found: tuple[tuple[str, str], ...]


def prove(home: Path, marks: Marks, roots: Sequence[Path] = (), others: Collection[Path] = ()) -> Proof:
    """Search every file below a home, but the purge's own journal; of data roots all names, and what is text.

    Links are followed; what mmbio made people for is not searched, nor `others`, manifests of theirs. What could not be
    read, unpacked or followed is told as found.
    """
    search = Search(marks)
    found = [(_shown(path, home), what) for path, what in _in_home(search, home, others)]
    found += [(_shown(path, root.parent), what) for root in roots for path, what in _in_root(search, root)]
    failed = [(_shown(path, home), why) for path, why in search.unread]
    return Proof(search.n_files, search.n_bytes, search.n_vectors, (*found, *failed))


def _in_home(search: Search, home: Path, others: Collection[Path]) -> Iterator[tuple[Path, str]]:
    own = {home / JOURNAL, home / LOCK}
    for path in walk.below(home, search.failed, lambda folder: folder in others or made.is_made(folder)):
        if path not in own:
            yield from ((path, what) for what in search.entry(path, home))


def _in_root(search: Search, root: Path) -> Iterator[tuple[Path, str]]:
    for path in walk.below(root, search.failed, made.is_made) if not made.is_made(root) else ():
        found = search.entry(path, root) if path.suffix.lower() in TEXTS else search.name(path, root)
        yield from ((path, what) for what in found)


def _shown(path: Path, home: Path) -> str:
    """A path below a home where it is there; in bytes that are no UTF-8 each is shown as U+FFFD."""
    told = path.relative_to(home) if path.is_relative_to(home) else path
    return os.fsencode(told).decode(errors="replace")
