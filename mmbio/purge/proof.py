"""Proof: every file of a home searched for what stands for people, by name, by bytes and by vectors."""

import mmap
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np

from mmbio.data.numpy_files import BROKEN
from mmbio.purge.marks import Marks, digests, is_distinctive

JOURNAL: Final = ".purge.json"
LOCK: Final = ".purge.lock"
SHORT: Final = 8  # digits of a manifest's hash in names
ROWS: Final = 4096  # vectors looked at at once


@dataclass(frozen=True)
class Proof:
    """What was searched, and where something was left: (path below the home, what of it)."""

    n_files: int
    n_bytes: int
    n_vectors: int
    found: tuple[tuple[str, str], ...]


def prove(home: Path, marks: Marks) -> Proof:
    """Search every file below a home, but the purge's own journal."""
    search = Search(marks)
    files = [p for p in sorted(home.rglob("*")) if p.is_file() and p.name not in (JOURNAL, LOCK)]
    found = [(str(path.relative_to(home)), what) for path in files for what in search.file(path, home)]
    named = [(str(p.relative_to(home)), "its name") for p in home.rglob("*") if p.is_dir() and search.text(p.name)]
    return Proof(len(files), search.n_bytes, search.n_vectors, tuple(found + named))


class Search:
    """Looks for marks in files, and counts what it looked at."""

    def __init__(self, marks: Marks, more: Iterable[str] = ()) -> None:
        short = [h[:SHORT] for h in marks.manifests if is_distinctive(h[:SHORT])]  # as folders' names end
        texts = [*marks.names, *marks.samples, *marks.manifests, *marks.items, *short, *more]
        whole = rb"(?<![0-9A-Za-z_])", rb"(?![0-9A-Za-z_])"
        self._bytes = re.compile(_alternatives([t.encode() for t in texts], *whole))
        self._wide = re.compile(_alternatives([t.encode("utf-32-le") for t in texts]))  # as NumPy keeps texts
        self._vectors = frozenset(marks.vectors)
        self.n_bytes = self.n_vectors = 0

    def text(self, text: str) -> bool:
        """True where a text holds a name or hash."""
        return self._bytes.search(text.encode()) is not None

    def file(self, path: Path, home: Path) -> Iterator[str]:
        """What a file holds of the marks: its name, a text of it, or a vector."""
        if self.text(str(path.relative_to(home))):
            yield "its name"
        size = path.stat().st_size
        self.n_bytes += size
        if not size:
            return
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield from self._content(data)
        if path.suffix == ".npy":
            yield from self._array(path)
        elif path.suffix == ".npz":
            yield from self._archive(path)

    def _content(self, data: Any) -> Iterator[str]:
        for pattern in (self._bytes, self._wide):
            hit = pattern.search(data)
            if hit:
                yield f"{hit[0].decode(errors='replace')!r} at byte {hit.start()}".replace("\\x00", "")

    def _array(self, file: Any) -> Iterator[str]:
        try:
            array = np.load(file, mmap_mode="r" if isinstance(file, Path) else None, allow_pickle=False)
        except BROKEN:
            return
        if not isinstance(array, np.ndarray) or array.dtype.kind != "f" or array.ndim < 2:
            return
        for start in range(0, len(array), ROWS):
            piece = array[start : start + ROWS]
            self.n_vectors += len(piece)
            if not self._vectors.isdisjoint(digests(piece)):
                yield f"a vector in rows {start} to {start + len(piece) - 1}"
                return

    def _archive(self, path: Path) -> Iterator[str]:
        try:
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    data = archive.read(name)
                    yield from self._content(data)
                    yield from self._array(BytesIO(data))
        except BROKEN:
            return


def _alternatives(texts: list[bytes], before: bytes = b"", after: bytes = b"") -> bytes:
    """A pattern of any of some texts, the longest first; of none, one that matches nothing."""
    ordered = sorted({re.escape(text) for text in texts}, key=len, reverse=True)
    return before + b"(?:" + b"|".join(ordered) + b")" + after if ordered else b"(?!)"
