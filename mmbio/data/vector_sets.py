"""Vector sets: embeddings that somebody made elsewhere, and the simulated ones, as a folder.

    set.json       name, whether synthetic, dimensions, segment lengths, attributes, notes, and the content hash
    samples.csv    id, subject, gender, video, clip, part, a column for each modality: the row of its vector,
                   empty where the sample misses it; then the attributes
    face.npy       (n, 512) float32; with segment lengths one file each, such as voice-0.115.npy

`part` is dev or test, or empty where nothing is said; subjects of dev and test are different people.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from mmbio.data.numpy_files import BROKEN, mapped
from mmbio.data.spilled import pieces
from mmbio.errors import MmbioError
from mmbio.files import bytes_hash, content_hash, read_json, replacing, write_json
from mmbio.protocols import MODALITIES
from mmbio.words import plural

SCHEMA: Final = 1
MARKER: Final = "set.json"
COLUMNS: Final = ("id", "subject", "gender", "video", "clip", "part")
PARTS: Final = ("dev", "test", "")
CHUNK: Final = 65536  # rows read, checked and written at once

Vectors = Mapping[str, Mapping[str, np.ndarray]]  # modality -> segment length, or "" -> (n, d)


@dataclass(frozen=True)
class VectorSet:
    """A set of embeddings on disk."""

    folder: Path
    info: dict[str, Any]
    samples: pd.DataFrame  # text columns, but for the modalities' rows: int64, -1 where missing

    @property
    def name(self) -> str:
        return str(self.info["name"])

    @property
    def modalities(self) -> tuple[str, ...]:
        return tuple(self.info["modalities"])

    @property
    def attributes(self) -> tuple[str, ...]:
        return tuple(self.info["attributes"])


def is_set(folder: Path) -> bool:
    """True where a folder holds a vector set."""
    return (folder / MARKER).is_file()


def _others(folder: Path) -> list[Path]:
    """What lies in the folder of a set and is none of its files."""
    if not is_set(folder):
        return []
    own = {MARKER, "samples.csv", *(path.name for path in folder.glob("*.npy"))}  # where its own list is damaged
    with suppress(MmbioError):
        own = {MARKER, *read_json(folder / MARKER, "vector set").get("files", own)}
    return [entry for entry in folder.iterdir() if entry.name not in own]


def file_name(modality: str, segment: str) -> str:
    """The file of a modality's vectors."""
    return f"{modality}-{segment}.npy" if segment else f"{modality}.npy"


def write(
    folder: Path,
    name: str,
    samples: pd.DataFrame,
    vectors: Vectors,
    *,
    synthetic: bool = False,
    notes: tuple[str, ...] = (),
    made: Mapping[str, Any] | None = None,
) -> VectorSet:
    """Write a set whole or not at all; a set that stands there is replaced, and what else is in its folder stays.

    `samples` has COLUMNS, an int64 column for each modality (-1: missing) and attribute columns;
    `made` says what it was made from. Raises MmbioError for ids given twice, subjects in both parts, line breaks
    in names, and vectors that are no numbers; ValueError for segment lengths with vectors of different shapes and
    for rows that are not there.
    """
    check(samples, name)
    modalities = {}
    with replacing(folder) as scratch:
        scratch.mkdir()
        for modality in sorted(vectors, key=MODALITIES.index):
            files = vectors[modality]
            n, dim = _shape(files, modality)
            if samples[modality].max() >= n:
                raise ValueError(f"{modality}: row {samples[modality].max()} asked for, of {n} vectors")
            zeros = [_copy(a, scratch / file_name(modality, s), f"{name}: {modality}") for s, a in files.items()]
            modalities[modality] = {
                "dim": dim,
                "segments": sorted((s for s in files if s), key=float),
                "n": int((samples[modality] >= 0).sum()),
                "zeros": sum(zeros),
            }
        table = samples.copy()
        for modality in modalities:
            table[modality] = table[modality].astype("Int64").mask(table[modality] < 0)
        table.to_csv(scratch / "samples.csv", index=False, lineterminator="\n")
        attributes = [c for c in samples.columns if c not in (*COLUMNS, *modalities)]
        info: dict[str, Any] = {"schema": SCHEMA, "name": name, "synthetic": synthetic, "modalities": modalities}
        info |= {"attributes": attributes, "notes": list(notes), "made": dict(made or {})}
        info["files"] = {f.name: file_hash(f) for f in sorted(scratch.iterdir())}
        info["hash"] = content_hash(info)
        write_json(scratch / MARKER, info)
        for entry in _others(folder):
            (shutil.copytree if entry.is_dir() else shutil.copy2)(entry, scratch / entry.name)
    return read(folder)


def read(folder: Path) -> VectorSet:
    """Open a set; raises MmbioError where it is broken."""
    info = read_json(folder / MARKER, "vector set")
    if info.get("schema") != SCHEMA:
        raise MmbioError(f"{folder}: a vector set of another mmbio version; run mmbio import again")
    path = folder / "samples.csv"
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, index_col=False)
        for modality in info["modalities"]:
            table[modality] = _rows(table[modality], modality)
        if lacking := [name for name in (*COLUMNS, *info["attributes"]) if name not in table]:
            raise ValueError(f"no column {lacking[0]}")
        if not isinstance(info["modalities"], dict) or not isinstance(info["attributes"], list):
            raise ValueError(f"{MARKER} is not as mmbio wrote it")
        str(info["name"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MmbioError(f"{path}: not readable ({error}); run mmbio import again") from error
    return VectorSet(folder, info, table)


def _rows(texts: pd.Series, modality: str) -> np.ndarray:
    """The rows of a modality's vectors, -1 where a sample misses it; pandas's own way can end the process."""
    if not texts.str.fullmatch("[0-9]{0,18}").all():
        raise ValueError(f"column {modality} holds what is no row's number")
    return texts.mask(texts == "", "-1").to_numpy(str).astype(np.int64)


def check(samples: pd.DataFrame, name: str) -> None:
    """Refuse ids given twice, unknown parts, subjects who are in dev and in test, and line breaks in names."""
    for column in COLUMNS:
        broken = samples[column][samples[column].str.contains("\r", regex=False)]
        if len(broken):
            raise MmbioError(f"{name}: the {column} {broken.iloc[0]!r} has a line break in it; take it out")
    twice = samples["id"][samples["id"].duplicated()]
    if len(twice):
        raise MmbioError(f"{name}: the id '{twice.iloc[0]}' is given {len(twice) + 1} times; give each sample its own")
    other = samples["part"][~samples["part"].isin(PARTS)]
    if len(other):
        raise MmbioError(f"{name}: part '{other.iloc[0]}' of a subject; write dev or test, or leave it empty")
    parts = samples[samples["part"] != ""].groupby("subject", sort=False)["part"].nunique()
    both = parts.index[parts > 1]
    if len(both):
        raise MmbioError(
            f"{name}: {plural(len(both), 'subject is', 'subjects are')} in dev and in test, '{both[0]}' among them; put"
            " each in one of them"
        )


def load(path: Path, rows: np.ndarray, sha: str) -> np.ndarray:
    """Vectors (n, d) float32 of `rows` of a file, whose content must be that of `sha`; NaN for the row -1.

    They are read piece by piece into their place, so that nothing of their size is held beside them.
    """
    try:
        stat = path.stat()
        if _known_hash(path, stat.st_size, stat.st_mtime_ns) != sha:
            raise MmbioError(f"{path}: has changed since build-virtual read it; run mmbio build-virtual again")
        stored = mapped(path)
        found = np.full((len(rows), stored.shape[1]), np.nan, dtype=np.float32)
        for piece in pieces(*found.shape):
            there = rows[piece] >= 0
            found[piece][there] = stored[rows[piece][there]]
    except (*BROKEN, IndexError) as error:
        raise MmbioError(f"{path}: not readable ({error}); run mmbio import again") from error
    return found


def file_hash(path: Path) -> str:
    """16 hex digits that stand for a file's content, read in pieces."""
    return bytes_hash(*_pieces(path))


@lru_cache(maxsize=64)
def _known_hash(path: Path, _size: int, _time: int) -> str:
    return file_hash(path)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1 << 22):
            yield piece


def _shape(files: Mapping[str, np.ndarray], modality: str) -> tuple[int, int]:
    shapes = {array.shape for array in files.values()}
    if len(shapes) > 1:
        raise ValueError(f"{modality}: vectors of different shapes for its segment lengths: {sorted(shapes)}")
    n, dim = shapes.pop()
    return int(n), int(dim)


def _copy(array: np.ndarray, path: Path, what: str) -> int:
    """Write an array (n, d) as float32 piece by piece; returns how many vectors are zero.

    Raises MmbioError naming the first row with a value that is no number.
    """
    header = {"descr": "<f4", "fortran_order": False, "shape": array.shape}
    n_zero = 0
    with path.open("wb") as file:  # not mapped: a full disk is then an error, and no signal
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, len(array), CHUNK):
            with np.errstate(over="ignore"):  # what float32 cannot hold is refused as infinite
                piece = np.ascontiguousarray(array[start : start + CHUNK], dtype="<f4")
            bad = np.flatnonzero(~np.isfinite(piece).all(1))
            if len(bad):
                raise MmbioError(
                    f"{what}: row {start + bad[0] + 1} has NaN or infinite values; mend it or leave it out"
                )
            n_zero += int((~piece.any(1)).sum())
            file.write(piece.data)
    return n_zero
