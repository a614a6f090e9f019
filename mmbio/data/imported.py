"""Imported sets: embedding files of several modalities, and who their samples are of, as one table of samples."""

import csv
import io
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from mmbio.data.embedding_files import EmbeddingFile
from mmbio.data.spilled import taken
from mmbio.data.trial_lists import some
from mmbio.data.vector_sets import COLUMNS, PARTS
from mmbio.errors import MmbioError
from mmbio.protocols import MODALITIES

GENDERS: Final[Mapping[str, str]] = MappingProxyType(
    {"": "", "f": "F", "female": "F", "m": "M", "male": "M"}  # as written in lower case
)


@dataclass(frozen=True)
class Imported:
    """What a vector set is written from: its samples, vectors by modality and segment length, and a count."""

    samples: pd.DataFrame
    vectors: Mapping[str, Mapping[str, np.ndarray]]
    n_left_out: int  # rows of --subjects without any vector


def together(
    files: Mapping[str, Mapping[str, EmbeddingFile]], subjects: pd.DataFrame | None, suffixes: Iterable[str] = ()
) -> Imported:
    """Join files[modality][segment length, or ""] by their ids, the first of `suffixes` that fits taken off each.

    The samples are all ids of any modality, in the order of the modalities and their files. `subjects` is what
    `read_subjects` returns; None: the subject of an id is what stands before its first "/", the video what
    stands before its last. Raises MmbioError for ids that become the same, that differ between lengths of one
    modality or are not in `subjects`, and for dimensions that differ between lengths.
    """
    endings = tuple(suffixes)
    ids: dict[str, np.ndarray] = {}
    vectors: dict[str, dict[str, np.ndarray]] = {}
    for modality in sorted(files, key=MODALITIES.index):
        ids[modality], vectors[modality] = _one_modality(modality, files[modality], endings)
    union = pd.unique(np.concatenate(list(ids.values())))
    if subjects is None:
        samples, n_left_out = _read_off(union), 0
    else:
        samples, n_left_out = _looked_up(union, subjects, endings)
    for modality, names in ids.items():
        samples[modality] = pd.Index(names).get_indexer(pd.Index(union)).astype(np.int64)
    order = [*COLUMNS, *ids]
    return Imported(samples[[*order, *(c for c in samples.columns if c not in order)]], vectors, n_left_out)


def read_subjects(path: Path) -> pd.DataFrame:
    """A CSV with the columns id and subject, and optionally gender, video, clip, part and attributes, all text.

    Video and clip are the id where they are not given. Raises MmbioError naming the row (1 is the header).
    """
    try:
        raw = path.read_bytes()
        header = next(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True), [])
        _check_header(path, header)
        if b"\0" in raw:
            raise MmbioError(f"{path}: holds NUL characters, expected text; write it again")
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                io.BytesIO(raw), dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False
            )
    except pd.errors.ParserWarning as error:
        raise MmbioError(
            f"{path}: a row has more values than its header has columns; quote values that hold commas"
        ) from error
    except (OSError, ValueError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        raise MmbioError(f"{path}: not a readable CSV of subjects ({reason}); write it again") from error
    for column in ("gender", "video", "clip", "part"):
        if column not in table:
            table[column] = ""
    table["gender"] = table["gender"].str.lower().map(GENDERS)
    checks = {
        "id": (table["id"] == "", "has no id"),
        "subject": (table["subject"] == "", "has no subject"),
        "twice": (table["id"].duplicated(), "gives its id a second time"),
        "gender": (table["gender"].isna(), "has a gender other than F, M or nothing"),
        "part": (~table["part"].isin(PARTS), "has a part other than dev and test"),
    }
    for wrong, what in checks.values():
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise MmbioError(f"{path}: row {row + 2} (id {table['id'].iloc[row]!r}) {what}; mend the row")
    for column in ("video", "clip"):
        table[column] = table[column].mask(table[column] == "", table["id"])
    return table


def _check_header(path: Path, header: list[str]) -> None:
    if not header:
        raise MmbioError(f"{path}: empty, expected a CSV with the header id,subject; write it again")
    lacking = [column for column in ("id", "subject") if column not in header]
    if lacking:
        raise MmbioError(
            f"{path}: has no column {' and no column '.join(lacking)};"
            " write a CSV with the header id,subject and optionally gender, video, clip, part and attributes"
        )
    wrong = [c for c in header if not c or c in MODALITIES or header.count(c) > 1]
    if wrong:
        raise MmbioError(f"{path}: a column named {wrong[0]!r}; give each column a name of its own, and no modality's")


def _one_modality(
    modality: str, files: Mapping[str, EmbeddingFile], endings: tuple[str, ...]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The ids of a modality, and its vectors by segment length in one order."""
    first, *others = files.values()
    ids = _stripped(first.path, first.ids, endings)
    vectors = {next(iter(files)): first.vectors}
    for segment, file in zip(list(files)[1:], others, strict=True):
        if file.vectors.shape[1] != first.vectors.shape[1]:
            raise MmbioError(
                f"{file.path}: {file.vectors.shape[1]} dimensions where {first.path} has {first.vectors.shape[1]};"
                f" give all lengths of {modality} from one model"
            )
        names = _stripped(file.path, file.ids, endings)
        rows = pd.Index(names).get_indexer(pd.Index(ids))
        if len(names) != len(ids) or (rows < 0).any():
            raise MmbioError(
                f"--modality {modality}@{segment}: other ids than {first.path} ({_differ(ids, names)});"
                " give all lengths the same ids"
            )
        same = bool((rows == np.arange(len(rows))).all())
        vectors[segment] = file.vectors if same else taken(file.vectors, rows)
    return ids, vectors


def _read_off(ids: np.ndarray) -> pd.DataFrame:
    """Samples whose ids say whom they are of: SUBJECT/.../CLIP."""
    lacking = [name for name in ids if not name.partition("/")[0] or "/" not in name]
    if lacking:
        raise MmbioError(
            f"--modality: {len(lacking)} of {len(ids)} ids do not say their subject as SUBJECT/VIDEO/CLIP does"
            f" ({some(np.array(lacking, dtype=object))}); give --subjects, a CSV with the columns id and subject"
        )
    columns = {
        "id": ids,
        "subject": [name.partition("/")[0] for name in ids],
        "gender": "",
        "video": [name.rpartition("/")[0] for name in ids],
        "clip": ids,
        "part": "",
    }
    return pd.DataFrame(columns)


def _looked_up(ids: np.ndarray, subjects: pd.DataFrame, endings: tuple[str, ...]) -> tuple[pd.DataFrame, int]:
    """The rows of --subjects for some ids, and how many rows are for none."""
    known = _stripped(Path("--subjects"), subjects["id"].to_numpy(dtype=object), endings)
    rows = pd.Index(known).get_indexer(pd.Index(ids))
    if (rows < 0).any():
        raise MmbioError(
            f"--subjects: {int((rows < 0).sum())} of {len(ids)} ids with vectors are not in it"
            f" ({some(ids[rows < 0])}), where its ids are like {some(known)}; add them, or strip what they differ by"
            " with --strip-suffix"
        )
    samples = subjects.iloc[rows].reset_index(drop=True)
    samples["id"] = ids
    return samples, len(subjects) - len(ids)


def _stripped(path: Path, ids: np.ndarray, endings: tuple[str, ...]) -> np.ndarray:
    """Ids without the first ending that fits; raises MmbioError where two become the same."""
    if not endings:
        return ids
    found = np.array([_without(name, endings) for name in ids], dtype=object)
    twice = pd.Index(found).duplicated(keep=False)
    if twice.any():
        first, second = ids[found == found[twice][0]][:2]
        raise MmbioError(f"{path}: '{first}' and '{second}' become the same id; leave a --strip-suffix out")
    return found


def _without(name: str, endings: tuple[str, ...]) -> str:
    return next((name.removesuffix(end) for end in endings if name.endswith(end)), name)


def _differ(one: np.ndarray, other: np.ndarray) -> str:
    """Three ids of each side that the other has not."""
    return f"{some(one[~np.isin(one, other)])} here only, {some(other[~np.isin(other, one)])} there only"
