"""NumPy's files with embeddings and their ids, .npz and .npy; none that needs pickle is loaded."""

import math
import os
import re
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from mmbio.data.spilled import pieces, spilled
from mmbio.errors import MmbioError

# What numpy, zipfile and json raise of bytes that are not theirs.
BROKEN: Final = (
    *(OSError, EOFError, ValueError, TypeError, KeyError, SyntaxError, OverflowError, MemoryError, RuntimeError),
    SystemError,  # from texts whose characters are none
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError),
)
CONTROL: Final = re.compile("[\0-\x1f\x7f\ud800-\udfff]")
BOMB: Final = 1 << 26  # bytes that an archive may unpack to, whatever its size
RATIO: Final = 100  # times its size beyond that; noise and vectors hardly shrink
SAVED: Final = "np.savez(file, ids=np.array(ids, dtype=str), vectors=vectors)"


def npy(path: Path, ids: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """The ids and vectors (N, D) of an .npy, mapped, with its ids from another file."""
    if ids is None:
        raise MmbioError(f"{path}: an .npy holds no ids; give them with --ids, as an .npy of texts or one a line")
    try:
        with path.open("rb") as stream:
            two_dimensions(path, *_header(stream, path))
        vectors = np.lib.format.open_memmap(path, mode="r")
    except BROKEN as error:
        raise broken(path, "an .npy file", error) from error
    return ids_file(ids), vectors


def npz(path: Path, ids: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """The arrays `ids` and `vectors` (N, D) of an .npz; ids may come from another file where it has none."""
    try:
        with zipfile.ZipFile(path) as archive:
            held = [name.removesuffix(".npy") for name in archive.namelist()]
            if "vectors" not in held or ("ids" not in held and ids is None):
                arrays = ", ".join(map(repr, held[:5])) or "nothing"
                raise MmbioError(f"{path}: holds {arrays}, expected the arrays ids and vectors; write it with {SAVED}")
            if "ids" in held and ids is not None:
                raise MmbioError(f"{path}: holds ids of its own; leave --ids out")
            _refuse_bomb(archive, path)
            names = _ids_array(archive, "ids.npy", path) if ids is None else ids_file(ids)
            with archive.open("vectors.npy") as stream:
                return names, _vectors(stream, path)
    except BROKEN as error:
        raise broken(path, "an .npz file", error) from error


def loaded(path: Path) -> np.ndarray:
    """The array of an .npy, read whole; no more is allocated than the file holds.

    Raises what BROKEN lists, as for one that needs pickle.
    """
    with path.open("rb") as stream:
        return _array(stream, os.fstat(stream.fileno()).st_size)


def unpacked(data: bytes) -> np.ndarray:
    """The array of the bytes of an .npy, as they stand in an archive; raises what BROKEN lists."""
    return _array(BytesIO(data), len(data))


def mapped(path: Path) -> np.ndarray:
    """The array of an .npy, mapped; raises what BROKEN lists."""
    with path.open("rb") as stream:
        _head(stream)
    return np.lib.format.open_memmap(path, mode="r")


def _array(stream: IO[bytes], size: int) -> np.ndarray:
    """The array of an .npy of `size` bytes."""
    shape, _, dtype = _head(stream)
    held = size - stream.tell()
    promised = math.prod(shape) * dtype.itemsize
    if not dtype.hasobject and (promised > held or not dtype.itemsize or min(shape, default=0) < 0):
        raise ValueError(f"{held} bytes where its head promises {shape} of {dtype}")
    stream.seek(0)
    return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))


def ids_file(path: Path) -> np.ndarray:
    """Ids (N,) from an .npy of texts, or from a text file, one a line."""
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as stream:
                return _texts_of(stream, path)
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except BROKEN as error:
        raise broken(path, "a file of ids", error) from error
    while lines and not lines[-1].strip():
        lines.pop()
    return texts([line.strip() for line in lines], path)


def texts(values: list[Any], path: Path) -> np.ndarray:
    """Ids as an object array (N,) of str; raises MmbioError for one that is no text, empty, or cannot be written."""
    for row, value in enumerate(values, start=1):
        if not isinstance(value, str) or not value:
            raise MmbioError(
                f"{path}: row {row}: id {value!r}, expected a text that is not empty; give each row its id"
            )
        if not value.isprintable() and CONTROL.search(value):
            raise MmbioError(f"{path}: row {row}: id {value!r} has control characters; take them out")
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def two_dimensions(path: Path, shape: tuple[int, ...], _fortran: bool, dtype: np.dtype[Any]) -> None:
    """Refuse what is no table of floating-point numbers."""
    if dtype.kind != "f":
        raise MmbioError(f"{path}: vectors of type {dtype}, expected floating-point numbers; save them as float32")
    if len(shape) != 2:
        raise MmbioError(f"{path}: vectors of shape {shape}, expected (N, D), a row a vector; reshape them")
    if not shape[0] or not shape[1]:
        raise MmbioError(f"{path}: holds no vectors, its shape is {shape}; write it again")


def broken(path: Path, what: str, error: Exception) -> MmbioError:
    """The error for a file that its format's library cannot read."""
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return MmbioError(f"{path}: damaged, cut short or not {what} ({reason}); write it again")


def _refuse_bomb(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuse arrays that are far larger than the archive they come from."""
    for name in ("ids.npy", "vectors.npy"):
        size = archive.getinfo(name).file_size if name in archive.namelist() else 0
        if size > max(BOMB, RATIO * path.stat().st_size):
            raise MmbioError(
                f"{path}: {name} would unpack to {size:,} bytes, more than {RATIO} times the file;"
                " save real vectors, or an .npy"
            )


def _vectors(stream: IO[bytes], path: Path) -> np.ndarray:
    """The vectors of an .npy inside an archive, by way of a temporary file."""
    shape, fortran, dtype = _header(stream, path)
    two_dimensions(path, shape, fortran, dtype)
    if fortran:
        return np.frombuffer(stream.read(), dtype).reshape(shape, order="F")

    def blocks() -> Iterator[np.ndarray]:
        for rows in pieces(*shape):
            data = stream.read((rows.stop - rows.start) * shape[1] * dtype.itemsize)
            block = np.frombuffer(data, dtype).reshape(-1, shape[1])
            if len(block) != rows.stop - rows.start:
                raise ValueError(f"row {rows.start + len(block) + 1} of {shape[0]} is not there")
            yield block
        if stream.read(1):  # at the end the archive's checksum is compared
            raise ValueError("more bytes than its shape says")

    return spilled(blocks(), shape[1], dtype)


def _ids_array(archive: zipfile.ZipFile, name: str, path: Path) -> np.ndarray:
    with archive.open(name) as stream:
        return _texts_of(stream, path)


def _texts_of(stream: IO[bytes], path: Path) -> np.ndarray:
    """The texts (N,) of an .npy."""
    shape, _, dtype = _header(stream, path)
    if dtype.kind not in "US" or len(shape) != 1:
        raise MmbioError(f"{path}: ids of type {dtype} and shape {shape}, expected N texts; save ids.astype(str)")
    data = stream.read()
    if len(data) != shape[0] * dtype.itemsize:
        raise ValueError(f"{len(data)} bytes of ids where {shape[0] * dtype.itemsize} were expected")
    found = np.frombuffer(data, dtype) if dtype.itemsize else np.zeros(min(shape[0], 1), "U1")
    return texts(found.astype(str).tolist(), path)


def _header(stream: IO[bytes], path: Path) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, Fortran order and type of an .npy; raises MmbioError where it needs pickle."""
    shape, fortran, dtype = _head(stream)
    if dtype.hasobject:
        raise MmbioError(
            f"{path}: needs pickle, which mmbio never loads; save texts with dtype=str and vectors as float32: {SAVED}"
        )
    return shape, fortran, dtype


def _head(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, Fortran order and type of an .npy."""
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers that Python 2 wrote
            shape, fortran, dtype = read(stream)
    except MemoryError:
        raise ValueError("its head is nested too deeply") from None
    return shape, fortran, dtype
