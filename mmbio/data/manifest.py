"""Manifest: the subjects, their samples and the items made of them, as a folder of CSV files.

    manifest.json   protocol, sources, split, scale, seed, counts, and the content hash
    subjects.csv    subject, gender, <modality>: the set's subject behind each modality
    samples.csv     modality, sample, subject, order, path, sha: every source file
    items.csv       item, subject, split, fold, <modality>_sample, <modality>_draw; of clips also id, video, clip
    trials.csv      part, enrolment, probe (items), genuine: for verification
    attributes.csv  id and what is known of the items beside, for the analysis of attention

An item is what a network gets at once: a triplet of ECG, face and fingerprint, or a frame with its speech.
A draw says what was taken from the sample: "3 7 11" are beats, a number is the seed of an image's
augmentation, a time is in seconds, "#7" is the row of a vector. An item that misses a modality has neither
sample nor draw. Rows of items.csv stand test first, so that a test alone reads one stretch.
"""

import csv
import io
import zlib
from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmbio.data import whole
from mmbio.data.splits import BLOCKS
from mmbio.errors import MmbioError
from mmbio.files import bytes_hash, content_hash, read_json, remembered, replacing, write_json
from mmbio.words import plural

SCHEMA = 2
TABLES = ("subjects", "samples", "items")
MORE = ("trials", "attributes")  # written where there are any
UNHASHED = frozenset({"hash", "sources", "notes", "version", "fingerprint", "asked"})


@dataclass(frozen=True)
class Partition:
    """Row numbers of items that train, tune and test one fold model."""

    train: np.ndarray
    dev: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Manifest:
    """What build-virtual wrote: the experiment's subjects, samples and items."""

    folder: Path
    info: dict[str, Any]
    subjects: pd.DataFrame
    samples: pd.DataFrame
    items: pd.DataFrame
    trials: pd.DataFrame = field(default_factory=pd.DataFrame)
    attributes: pd.DataFrame = field(default_factory=pd.DataFrame)
    _hashes: dict[str, str] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def hash(self) -> str:
        """Stands for every sample's content, every draw and every split; no path is in it."""
        return str(self.info["hash"])

    @property
    def modalities(self) -> tuple[str, ...]:
        return tuple(self.info["modalities"])

    @property
    def n_subjects(self) -> int:
        """How many subjects are tested."""
        return int(self.info["n_subjects"]["all"])

    @property
    def is_synthetic(self) -> bool:
        return all(source["synthetic"] for source in self.info["sources"].values())

    @cached_property
    def labels(self) -> dict[str, np.ndarray]:
        """(N,) int64 each: `identification`, the subject's number, and `gender`, 1 for F."""
        subject = self.items["subject"].to_numpy(np.int64)
        female = (self.subjects["gender"] == "F").to_numpy(np.int64)
        return {"identification": subject, "gender": female[subject]}

    def summary(self, paper: int) -> list[str]:
        """What was built, in lines for a person; `paper` is the paper's number of subjects."""
        info, n = self.info, self.info["n_subjects"]
        genders = ", ".join(f"{n[g]} {g}" for g in ("F", "M") if g in n)
        counts = self.items["split"].value_counts()
        blocks = ", ".join(f"{counts[b]} {b}" for b in BLOCKS if b in counts)
        folds = f", {info['folds']} folds" if info["split"] == "triplet" else ""
        tested = " to test" if "dev" in n else ""
        lines = [
            f"{plural(n['all'], 'subject')}{tested}"
            + (f": {genders}" if genders else "")
            + (f"; the paper has {paper}" if n["all"] != paper else ""),
            *([f"{plural(n['dev'], 'subject')} to train and tune on"] if "dev" in n else []),
            f"{len(self.items)} {info['noun']}: {blocks}{folds} ({info['split']} split)",
            *self._trial_lines(),
            *(
                f"{m}: {' + '.join(s['sets'])}{' (synthetic)' if s['synthetic'] else ''}"
                for m, s in info["sources"].items()
            ),
            *(f"left out: {count} x {why}" for why, count in info["dropped"].items()),
            *(f"note: {note}" for note in info.get("notes", ())),
        ]
        return [*lines, f"written: {self.folder}"]

    def _trial_lines(self) -> list[str]:
        if not len(self.trials):
            return []
        counts = self.trials.groupby(["part", "genuine"]).size()
        rules = {"test": self.info["trials"], "dev": self.info["dev_trials"]}
        return [
            f"{part} trials: {counts.get((part, 1), 0)} genuine ({rule}), {counts.get((part, 0), 0)} impostor"
            for part, rule in rules.items()
        ]

    def partitions(self, unseen: bool = False) -> list[Partition]:
        """One partition a fold model: all share the test rows, or, `unseen`, test subjects apart from training."""
        if unseen:
            return self._by_subject()
        split, fold = self.items["split"].to_numpy(), self.items["fold"].to_numpy()
        test = np.flatnonzero(split == "test")
        if self.info["split"] != "triplet":
            return [Partition(np.flatnonzero(split == "train"), np.flatnonzero(split == "dev"), test)]
        folds = range(int(self.info["folds"]))
        rest = split == "train"
        return [Partition(np.flatnonzero(rest & (fold != k)), np.flatnonzero(rest & (fold == k)), test) for k in folds]

    def _by_subject(self) -> list[Partition]:
        if self.n_subjects < 3:
            raise MmbioError(
                f"--unseen: {self.n_subjects} subjects in {self.folder} where training, tuning and testing on"
                " different ones takes at least 3; build a manifest of more"
            )
        n_folds = max(3, min(int(self.info["folds"]), self.n_subjects // 3))
        rank = self.subjects.sort_values(["gender", "subject"], kind="stable").index.to_numpy()
        fold_of_subject = np.empty(self.n_subjects, dtype=np.int64)
        fold_of_subject[rank] = np.arange(self.n_subjects) % n_folds
        fold = fold_of_subject[self.labels["identification"]]
        return [
            Partition(*(np.flatnonzero(rows) for rows in (~np.isin(fold, [k, after]), fold == after, fold == k)))
            for k, after in ((k, (k + 1) % n_folds) for k in range(n_folds))
        ]

    def generator(self, row: int, purpose: str) -> np.random.Generator:
        """The generator of one item's noise: the same item, seed and purpose always get the same noise."""
        item = int(self.items["item"].to_numpy()[row])
        return np.random.default_rng([int(self.info["seed"]), zlib.crc32(purpose.encode()), item])

    def items_hash(self, modality: str) -> str:
        """Stands for what the items take from a modality: the content of the samples and the draws, in order."""
        if modality not in self._hashes:
            shas = {name: sha for name, (_, sha) in self.paths(modality).items()}
            columns = ("item", f"{modality}_sample", f"{modality}_draw")
            rows = zip(*(self.items[c].tolist() for c in columns), strict=True)
            self._hashes[modality] = content_hash([[item, draw, shas.get(name, "")] for item, name, draw in rows])
        return self._hashes[modality]

    def has(self, modality: str) -> np.ndarray:
        """(N,) bool: which items have a sample of a modality."""
        return np.asarray(self.items[f"{modality}_sample"] != "")

    def n_distinct(self, rows: np.ndarray, modalities: Sequence[str]) -> int:
        """How many of these items differ in what they take from some modalities, before any noise."""
        columns = [f"{m}_{what}" for m in modalities for what in ("sample", "draw")]
        return len(self.items.iloc[rows].drop_duplicates(["subject", *columns]))

    def paths(self, modality: str) -> dict[str, tuple[Path, str]]:
        """sample -> (path of its file, hash of its content) of one modality."""
        rows = self.samples[self.samples["modality"] == modality]
        folder = Path(self.info["sources"][modality]["folder"])
        found = zip(rows["sample"], rows["path"], rows["sha"], strict=True)
        return {sample: (folder / path, sha) for sample, path, sha in found}


def sample_files(path: Path) -> tuple[Path, ...]:
    """The files of a sample: itself, and for a WFDB header its signal files."""
    if path.suffix != ".hea":
        return (path,)
    return (path, *sorted(p for p in path.parent.glob(f"{path.stem}.*") if p.suffix in (".dat", ".xyz")))


def sample_bytes(path: Path) -> tuple[bytes, ...]:
    """The content of a sample: a file's bytes, for a WFDB header those of its signal files too."""
    if path.exists() and not path.is_file():
        raise MmbioError(f"{path}: a folder, device or pipe where a sample should be; run mmbio build-virtual again")
    try:
        return tuple(p.read_bytes() for p in sample_files(path))
    except OSError as error:
        raise MmbioError(
            f"{path}: a sample of the manifest is not there ({error.strerror});"
            " put the file back or run mmbio build-virtual again"
        ) from error


def checked_bytes(path: Path, sha: str) -> bytes:
    """The content of a sample's file; raises MmbioError where it is gone or differs from build-virtual's hash."""
    data = sample_bytes(path)
    if bytes_hash(*data) != sha:
        raise MmbioError(f"{path}: has changed since build-virtual read it; run mmbio build-virtual again")
    return data[0]


def write(
    folder: Path,
    info: dict[str, Any],
    subjects: pd.DataFrame,
    samples: pd.DataFrame,
    items: pd.DataFrame,
    **more: pd.DataFrame,
) -> Manifest:
    """Write a manifest whole, or nothing; the hash is added to `info`. `more` are the tables of MORE."""
    order = items["split"].map({block: i for i, block in enumerate(BLOCKS[::-1])}).to_numpy()
    items = items.iloc[np.lexsort([items["item"].to_numpy(np.int64), order])].reset_index(drop=True)
    more = {name: table for name, table in more.items() if len(table)}
    tables = dict(zip(TABLES, (subjects, samples, items), strict=True)) | more
    texts = {name: table.to_csv(index=False, lineterminator="\n") for name, table in tables.items()}
    info = info | {"hash": _hash(info, texts, samples)}
    folder = folder.with_name(f"{folder.name}-{info['hash'][:8]}")
    with replacing(folder) as scratch:
        scratch.mkdir()
        for name, text in texts.items():
            (scratch / f"{name}.csv").write_text(text, encoding="utf-8")
        write_json(scratch / "manifest.json", info)
    return Manifest(folder, info, subjects, samples, items, **more)


def read(folder: Path) -> Manifest:
    """Read a manifest folder; raises MmbioError where a file is missing, broken, edited or from a newer mmbio."""
    info = read_json(folder / "manifest.json", "manifest")
    if info.get("schema") != SCHEMA:
        raise MmbioError(
            f"{folder / 'manifest.json'}: schema {info.get('schema')!r}, this mmbio reads {SCHEMA};"
            " run mmbio build-virtual again"
        )
    texts, tables = {}, {}
    for name in (*TABLES, *(more for more in MORE if (folder / f"{more}.csv").exists())):
        path = folder / f"{name}.csv"
        try:
            raw = path.read_bytes()
            texts[name] = raw.decode()
            tables[name] = pd.read_csv(
                io.BytesIO(raw),
                dtype=_text_columns(name, raw),
                keep_default_na=False,
                float_precision="round_trip",  # the other ways end in a segmentation fault on odd exponents
            )
        except (OSError, ValueError, csv.Error) as error:
            raise MmbioError(f"{path}: not readable ({error}); run mmbio build-virtual again") from error
    why = whole.wrong(info, tables)
    if not why:
        made = _hash(info, texts, tables["samples"])
        why = "" if made and info.get("hash") == made else "its hash"
    if why:
        raise MmbioError(f"{folder}: not as mmbio build-virtual wrote it, a file was edited; build it again ({why})")
    return Manifest(folder, info, **tables)


def _hash(info: Mapping[str, Any], texts: Mapping[str, str], samples: pd.DataFrame) -> str:
    """The content hash of a manifest's description and of its tables as CSV, without paths."""
    identity = {key: value for key, value in info.items() if key not in UNHASHED}
    identity["synthetic"] = {m: source["synthetic"] for m, source in info["sources"].items()}
    stripped = samples.drop(columns="path", errors="ignore").to_csv(index=False)
    rest = [texts[name] for name in ("subjects", "items", *MORE) if name in texts]
    try:
        return content_hash([identity, stripped, *rest])
    except ValueError:  # a number in it that is none, which mmbio does not write
        return ""


def newest(home: Path, protocol: str) -> Path | None:
    """The manifest of a protocol that mmbio build-virtual made last, or None."""
    return remembered(home / "manifests", protocol)


def made_from(home: Path, fingerprint: str) -> Manifest | None:
    """The manifest that was built from the same plan and the same, unchanged files, or None.

    One that is broken or was edited does not count, so that building again mends it.
    """
    for path in sorted((home / "manifests").glob("*/manifest.json")):
        with suppress(MmbioError):
            if read_json(path, "manifest").get("fingerprint") == fingerprint:
                return read(path.parent)
    return None


def of_hash(home: Path, wanted: str) -> Path:
    """The folder of the manifest with this hash; raises MmbioError where it is not below `home`."""
    found = sorted((home / "manifests").glob(f"*-{wanted[:8]}"))
    if not found:
        raise MmbioError(f"{home / 'manifests'}: manifest {wanted[:8]} is not there; build it again or give --manifest")
    return found[0]


def _text_columns(name: str, raw: bytes) -> dict[Hashable, type]:
    """Every column is text but those that count."""
    header = next(csv.reader(io.TextIOWrapper(io.BytesIO(raw), "utf-8", newline="")), [])
    counts = {"subjects": ("subject",), "samples": ("order",), "items": ("item", "subject", "fold")}
    counts["trials"] = ("enrolment", "probe", "genuine")
    return {column: str for column in header if column not in counts.get(name, ())}
