"""Embedding files: anybody's own vectors, from .npz, .npy, .safetensors, and Kaldi's .scp and .ark.

Nothing is unpickled and no command run. Vectors are mapped from the file, or from a temporary file where its
format does not allow it, and checked in pieces, so that files larger than memory can be read.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from mmbio.data import kaldi, numpy_files
from mmbio.data.numpy_files import BROKEN, broken
from mmbio.data.spilled import pieces, spilled, taken
from mmbio.errors import MmbioError
from mmbio.words import plural

Reader = Callable[[Path, Path | None], tuple[np.ndarray, np.ndarray]]
Entries = Iterator[tuple[str, np.ndarray]]

TINY: Final = 1e-150  # a norm below it is zero, as in mmbio.embed.cosine; only float64 has such numbers but 0
FLOATS: Final = MappingProxyType({"F16": "<f2", "F32": "<f4", "F64": "<f8"})  # safetensors' names


@dataclass(frozen=True)
class EmbeddingFile:
    """A file's embeddings: ids (N,) object array of str, each once, and vectors (N, D) of floats, all finite."""

    path: Path
    ids: np.ndarray
    vectors: np.ndarray
    n_repeated: int  # rows left out: their id was there before, with the same vector
    n_zeros: int  # vectors whose norm counts as zero, so that their cosines are 0
    n_zeros_single: int  # vectors of nothing but zeros once they are float32, as in a set


def read(path: Path, ids: Path | None = None) -> EmbeddingFile:
    """Read embeddings by the file's suffix; `ids` names the rows of a file that does not, .npy or text, one a line.

    Raises MmbioError, naming the row (1 is the first) and id, for NaN, infinite values, another dimension and
    ids given twice with different vectors; and for files that are empty, cut short or need pickle.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise MmbioError(f"{path}: unknown suffix '{path.suffix}'; give embeddings as one of {', '.join(READERS)}")
    for file in (path, ids):
        if file is not None:
            _probe(file)
    names, vectors = reader(path, ids)
    if len(names) != len(vectors):
        raise MmbioError(
            f"{ids or path}: {plural(len(names), 'id')} for {plural(len(vectors), 'vector')}; give each vector one id"
        )
    zeros = _finite(path, names, vectors)
    repeated = pd.Index(names).duplicated()
    if not repeated.any():
        return EmbeddingFile(path, names, vectors, 0, *zeros)
    _same(path, names, vectors, np.flatnonzero(repeated))
    kept = np.flatnonzero(~repeated)
    unique = taken(vectors, kept)
    return EmbeddingFile(path, names[kept], unique, int(repeated.sum()), *_finite(path, names[kept], unique))


def _probe(path: Path) -> None:
    """Refuse a file that is not there or empty."""
    try:
        with path.open("rb") as file:
            if file.read(1):
                return
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise MmbioError(f"{path}: cannot be read ({reason}); give a file of embeddings and ids") from error
    raise MmbioError(f"{path}: empty, expected embeddings or ids; write it again")


def _finite(path: Path, ids: np.ndarray, vectors: np.ndarray) -> tuple[int, int]:
    """How many vectors are zero, and are as float32; raises MmbioError for a value that is no finite float32."""
    n_zeros = n_single = 0
    for rows in pieces(*vectors.shape):
        with np.errstate(over="ignore", invalid="ignore"):
            piece = np.asarray(vectors[rows], dtype=np.float32)
        bad = np.flatnonzero(~np.isfinite(piece).all(1))
        if len(bad):
            row = rows.start + int(bad[0])
            value = vectors[row][~np.isfinite(piece[bad[0]])][0]
            where = f"{path}: row {row + 1} (id {ids[row]!r}) holds"
            if np.isfinite(value):
                raise MmbioError(
                    f"{where} {value:g}, too large for float32, which ends at {np.finfo(np.float32).max:g}; scale the"
                    " vectors or leave this one out"
                )
            raise MmbioError(f"{where} {value}, expected finite numbers; mend the vector or leave it out")
        maybe = rows.start + np.flatnonzero(~piece.any(1))  # where float32 has zeros, float64 may have numbers
        n_single += len(maybe)
        n_zeros += int((np.linalg.norm(np.asarray(vectors[maybe], np.float64), axis=1) < TINY).sum())
    return n_zeros, n_single


def _same(path: Path, ids: np.ndarray, vectors: np.ndarray, rows: np.ndarray) -> None:
    """Raises MmbioError where one of `rows` differs from the first vector of its id."""
    codes, _ = pd.factorize(ids)
    first = np.flatnonzero(~pd.Index(codes).duplicated())[codes]
    for piece in pieces(len(rows), vectors.shape[1]):
        at = rows[piece]
        differ = at[(vectors[at] != vectors[first[at]]).any(1)]
        if len(differ):
            row = differ[0]
            raise MmbioError(
                f"{path}: rows {first[row] + 1} and {row + 1} give id {ids[row]!r} different vectors; keep one"
            )


def _safetensors(path: Path, ids: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """A tensor (D,) an id, or one tensor `vectors` (N, D) with ids in the metadata or another file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            _known_types(path, {name: file.get_slice(name).get_dtype() for name in shapes})
            if len(shapes.get("vectors", ())) > 1:
                if len(shapes) > 1:
                    raise MmbioError(f"{path}: holds more tensors than 'vectors'; save it alone, and ids as metadata")
                names = _metadata_ids(path, file.metadata() or {}) if ids is None else numpy_files.ids_file(ids)
                return names, _mapped(path)
            if ids is not None:
                raise MmbioError(f"{path}: holds a tensor an id, whose names are the ids; leave --ids out")
            for name, shape in shapes.items():
                if len(shape) != 1:
                    raise MmbioError(
                        f"{path}: tensor {name!r} of shape {shape}, expected (D,) an id, or one tensor 'vectors' (N, D)"
                        " alone; reshape it"
                    )
            return _listed(path, ((name, file.get_tensor(name)) for name in shapes))
    except (SafetensorError, *BROKEN) as error:
        raise broken(path, "a safetensors file", error) from error


def _known_types(path: Path, types: Mapping[str, str]) -> None:
    for name, kind in types.items():
        if kind not in FLOATS:
            raise MmbioError(
                f"{path}: tensor {name!r} of type {kind}, expected {', '.join(FLOATS)}; save it as float32"
            )


def _mapped(path: Path) -> np.ndarray:
    """The tensor `vectors` of a safetensors file that is known to be whole."""
    with path.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        tensor = json.loads(stream.read(size))["vectors"]
    shape, dtype = tuple(tensor["shape"]), np.dtype(FLOATS[tensor["dtype"]])
    numpy_files.two_dimensions(path, shape, False, dtype)
    return np.memmap(path, dtype, "r", 8 + size + tensor["data_offsets"][0], shape)


def _metadata_ids(path: Path, metadata: Mapping[str, str]) -> np.ndarray:
    """The ids in a safetensors file's metadata, a JSON list or one a line."""
    if "ids" not in metadata:
        raise MmbioError(f"{path}: holds no ids; give them with --ids, or as metadata {{'ids': json.dumps(ids)}}")
    text = metadata["ids"]
    return numpy_files.texts(json.loads(text) if text.startswith("[") else text.splitlines(), path)


def _kaldi(entries: Callable[[Path], Entries], path: Path, ids: Path | None) -> tuple[np.ndarray, np.ndarray]:
    if ids is not None:
        raise MmbioError(f"{path}: holds ids of its own; leave --ids out")
    return _listed(path, entries(path))


def _listed(path: Path, entries: Entries) -> tuple[np.ndarray, np.ndarray]:
    """Ids and vectors that come one by one, in the type of the first vector."""
    first = next(entries, None)
    if first is None:
        raise MmbioError(f"{path}: holds no vectors; write it again")
    dim, names = len(first[1]), []

    def rows() -> Iterator[np.ndarray]:
        for name, vector in chain([first], entries):
            names.append(name)
            if len(vector) != dim:
                raise MmbioError(
                    f"{path}: row {len(names)} (id {name!r}) has {len(vector)} dimensions where row 1 has {dim};"
                    " give vectors of one model"
                )
            yield vector[None]

    vectors = spilled(rows(), dim, first[1].dtype)
    return numpy_files.texts(names, path), vectors


READERS: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        ".npz": numpy_files.npz,
        ".npy": numpy_files.npy,
        ".safetensors": _safetensors,
        ".scp": partial(_kaldi, kaldi.scp),
        ".ark": partial(_kaldi, kaldi.ark),
    }
)
