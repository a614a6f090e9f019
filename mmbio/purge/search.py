"""Search: a file looked through for what stands for people: names, hashes and vectors, unpacked where it is packed."""

import bz2
import gzip
import html
import json
import lzma
import mmap
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError, safe_open

from mmbio.data.numpy_files import BROKEN, mapped, unpacked
from mmbio.purge.marks import Marks, is_distinctive
from mmbio.purge.vectors import Vectors
from mmbio.purge.words import Words

SHORT: Final = 8  # digits of a manifest's hash in names
PIECE: Final = 1 << 24  # bytes that are unpacked at once
OVERLAP: Final = 1 << 14  # bytes of a piece that are looked at again with the next one
PACKED: Final[Mapping[str, Callable[[str], Any]]] = MappingProxyType(
    {".gz": gzip.GzipFile, ".tgz": gzip.GzipFile, ".bz2": bz2.BZ2File, ".xz": lzma.LZMAFile, ".lzma": lzma.LZMAFile}
)
CLOSED: Final = (".7z", ".rar", ".zst", ".lz4", ".br", ".parquet", ".h5", ".hdf5", ".mat", ".pt", ".pth", ".pkl")


class Search:
    """Looks for marks in files, counts what it looked at, and keeps what it could not read."""

    def __init__(self, marks: Marks, more: Iterable[str] = ()) -> None:
        short = [h[:SHORT] for h in marks.manifests if is_distinctive(h[:SHORT])]  # as folders' names end
        texts = {*marks.names, *marks.samples, *marks.manifests, *marks.items, *short, *more}
        written = {way for text in texts for way in (text, json.dumps(text)[1:-1], html.escape(text))}
        self._words = (
            Words(written, "utf-8"),
            Words(texts, "utf-32-le", 4),  # as NumPy keeps texts
        )
        self._vectors = Vectors(marks.vectors)
        self.n_files = self.n_bytes = self.n_vectors = 0
        self.unread: list[tuple[Path, str]] = []

    def text(self, text: str) -> bool:
        """True where a text holds a name or hash."""
        return self._words[0].find(text.encode(errors="surrogateescape")) is not None

    def failed(self, path: Path, why: str) -> None:
        """Keep what could not be read."""
        self.unread.append((path, f"could not be searched: {why}"))

    def name(self, path: Path, base: Path) -> Iterator[str]:
        """What an entry's path below a folder holds, its last name included, and of a link what it leads to."""
        at = path.relative_to(base)
        if self.text(str(at)) and not self.text(str(at.parent)):
            yield "its name"
        if path.is_symlink() and self.text(os.fspath(path.readlink())):
            yield "what it links to"

    def entry(self, path: Path, base: Path) -> Iterator[str]:
        """What an entry below a folder holds of the marks: its name, and of a file a text of it, or a vector."""
        yield from self.name(path, base)
        try:
            if path.is_file():
                yield from self._file(path)
        except OSError as error:
            self.failed(path, error.strerror or str(error))

    def _file(self, path: Path) -> Iterator[str]:
        size = path.stat().st_size
        self.n_files += 1
        self.n_bytes += size
        if not size:
            return
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield from self._content(data)
            magic = data[:4]
        suffix = path.suffix.lower()
        try:
            if suffix in PACKED:
                yield from self._stream(PACKED[suffix](str(path)))
            elif magic == b"PK\3\4" or suffix in (".npz", ".zip"):
                yield from self._archive(path)
            elif suffix == ".npy":
                yield from self._rows(mapped(path))
            elif suffix == ".safetensors":
                yield from self._tensors(path)
            elif suffix in CLOSED:
                self.failed(path, f"no {suffix} file can be looked into")
        except (*BROKEN, SafetensorError, lzma.LZMAError) as error:
            self.failed(path, f"damaged ({' '.join(str(error).split())[:80] or type(error).__name__})")

    def _content(self, data: Any, offset: int = 0) -> Iterator[str]:
        for words in self._words:
            if hit := words.find(data):
                yield f"{hit[1]!r} at byte {offset + hit[0]}"

    def _stream(self, stream: Any) -> Iterator[str]:
        """The content of what is unpacked piece by piece, up to the first mark."""
        with stream:
            kept, offset = b"", 0
            while piece := stream.read(PIECE):
                data = kept + piece
                if hits := list(self._content(data, offset)):
                    yield from hits
                    return
                kept = data[-OVERLAP:]
                offset += len(data) - len(kept)

    def _archive(self, path: Path) -> Iterator[str]:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if self.text(name):
                    yield f"the name of {name!r} in it"
                yield from self._stream(archive.open(name))
                if name.endswith(".npy"):
                    yield from self._rows(unpacked(archive.read(name)))

    def _tensors(self, path: Path) -> Iterator[str]:
        with safe_open(path, "np") as file:
            for name in file.keys():  # noqa: SIM118 - it is no mapping
                yield from self._rows(file.get_tensor(name))

    def _rows(self, array: Any) -> Iterator[str]:
        if not isinstance(array, np.ndarray) or array.dtype.kind != "f" or not array.ndim:
            return
        rows = array if array.ndim > 1 else array.reshape(1, -1)
        self.n_vectors += len(rows)
        if (row := self._vectors.find(rows)) is not None:
            yield f"a vector in row {row}"
