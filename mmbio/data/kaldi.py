"""Kaldi archives of vectors: a bare .ark, or the .scp that points into some; binary (FV, DV) and text.

Our own reader: kaldiio 2.18 runs an scp's command pipes in a shell, unpickles what an archive tells it to,
and returns a vector that is cut short as a shorter one.
"""

import mmap
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import numpy as np

from mmbio.errors import MmbioError

Data = mmap.mmap

BINARY: Final = b"\0B"
VECTORS: Final[dict[bytes, np.dtype[Any]]] = {b"FV ": np.dtype("<f4"), b"DV ": np.dtype("<f8")}
KEY: Final = re.compile(rb"\s*(\S{1,4096})[ \t]")
END: Final = re.compile(rb"\s*\Z")
TEXT: Final = re.compile(rb"[ \t]*\[([^]]*)\]")
POINTER: Final = re.compile(r"(.+):([0-9]+)")
CURE: Final = "write it again, such as with copy-vector"


def ark(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """The ids and vectors (D,) of an archive, one after another.

    Raises MmbioError for a file that is empty, cut short or no archive, and for matrices.
    """
    with closing(_opened(path)) as data:
        at = 0
        while not END.match(data, at):
            key = KEY.match(data, at)
            if key is None:
                raise MmbioError(f"{path}: no Kaldi archive, or cut short at byte {at}; {CURE}")
            name = _decoded(key[1], path)
            vector, at = _vector(data, key.end(), f"{path}: id {name!r}")
            yield name, vector


def scp(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """The ids and vectors (D,) that an scp points to, in its order.

    Archives are looked for as written, then from the scp's own folder. Raises MmbioError for command pipes,
    which are never run, ranges, and what `ark` raises.
    """
    opened: tuple[Path, Data] | None = None
    try:
        for row, name, target in _entries(path):
            file, offset = _pointer(path, row, name, target)
            if opened is None or opened[0] != file:
                if opened is not None:
                    opened[1].close()
                opened = file, _opened(file)
            if offset >= len(opened[1]):
                raise MmbioError(f"{file}: id {name!r}: ends before byte {offset}, cut short; {CURE}")
            yield name, _vector(opened[1], offset, f"{file}: id {name!r}")[0]
    finally:
        if opened is not None:
            opened[1].close()


def _entries(path: Path) -> Iterator[tuple[int, str, str]]:
    """Row (1 is the first line), id and target of each line that is not blank."""
    try:
        with path.open(encoding="utf-8") as lines:
            for row, line in enumerate(lines, start=1):
                words = line.split(maxsplit=1)
                if len(words) == 1:
                    raise MmbioError(f"{path}: row {row}: expected ID FILE:OFFSET, such as a/1 vectors.ark:4; {CURE}")
                if words:
                    yield row, words[0], words[1].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise MmbioError(f"{path}: not a readable scp ({error}); {CURE}") from error


def _pointer(path: Path, row: int, name: str, target: str) -> tuple[Path, int]:
    """The archive and byte that an entry of an scp stands for."""
    where = f"{path}: row {row} (id {name!r})"
    if target.endswith("|") or target.startswith("|"):
        raise MmbioError(f"{where} is a command, which mmbio does not run; run it yourself and point to its .ark")
    if target.endswith("]"):
        raise MmbioError(f"{where} takes a range of a matrix, expected a whole vector; {CURE}")
    match = POINTER.fullmatch(target)
    named, offset = (match[1], int(match[2][-18:])) if match else (target, 0)
    for file in (Path(named), path.parent / named):
        try:
            if file.is_file():
                return file, offset
        except (OSError, ValueError):
            break
    raise MmbioError(f"{where}: no file {named} here or beside the scp; mend the paths in the scp")


def _opened(path: Path) -> Data:
    try:
        with path.open("rb") as file:
            if not path.stat().st_size:
                raise MmbioError(f"{path}: empty, expected a Kaldi archive; {CURE}")
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise MmbioError(f"{path}: cannot be read ({error}); give a Kaldi archive") from error


def _vector(data: Data, at: int, what: str) -> tuple[np.ndarray, int]:
    """The vector that begins at a byte, and the byte after it."""
    if data[at : at + 2] != BINARY:
        return _text(data, at, what)
    head, begin = data[at + 2 : at + 5], at + 10
    dtype = VECTORS.get(head)
    if dtype is None or data[at + 5 : at + 6] not in (b"\4", b""):
        kind = "a matrix" if head[1:2] == b"M" else "no vector of floating-point numbers"
        raise MmbioError(f"{what}: {kind}, expected one float vector an id (FV or DV); average or copy it first")
    size = int.from_bytes(data[at + 6 : begin], "little", signed=True)
    end = begin + size * dtype.itemsize
    if begin > len(data) or end > len(data):
        raise MmbioError(f"{what}: cut short, the file ends inside its vector; {CURE}")
    if size < 1:
        raise MmbioError(f"{what}: a vector of {size} numbers; {CURE}")
    return np.frombuffer(data[begin:end], dtype), end


def _text(data: Data, at: int, what: str) -> tuple[np.ndarray, int]:
    match = TEXT.match(data, at)
    if match is None:
        raise MmbioError(f"{what}: expected a binary vector or one in brackets, or it is cut short; {CURE}")
    if b"\n" in match[1].strip(b" \t"):
        raise MmbioError(f"{what}: a matrix, expected one float vector an id; average or copy it first")
    try:
        vector = np.array([float(word) for word in match[1].split()])
    except ValueError as error:
        raise MmbioError(f"{what}: expected numbers in its brackets ({error}); {CURE}") from error
    if not len(vector):
        raise MmbioError(f"{what}: a vector of 0 numbers; {CURE}")
    return vector, match.end()


def _decoded(key: bytes, path: Path) -> str:
    try:
        return key.decode()
    except UnicodeDecodeError as error:
        raise MmbioError(f"{path}: no Kaldi archive, the id {key[:40]!r} is not UTF-8; {CURE}") from error
