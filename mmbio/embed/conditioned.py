"""embeddings_under: the one entrance from a manifest and a condition to embeddings.

Sample noise goes to the samples, nulls replace vectors (the system is not told), `missing` clears
the mask (the system is told). Items that miss a sample, or whose sample gave nothing, have a mask of 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from mmbio.conditions import Condition
from mmbio.data import vector_sets
from mmbio.data.manifest import Manifest
from mmbio.data.spilled import pieces
from mmbio.embed.backbones import beats
from mmbio.embed.extract import Job, extract
from mmbio.embed.extractors import backbone_of, extractor
from mmbio.embed.settings import Settings
from mmbio.errors import MmbioError
from mmbio.protocols import BEAT_SAMPLES, BEATS_PER_INPUT
from mmbio.report import Report, silent


@dataclass(frozen=True)
class Embeddings:
    """Vectors of the items `rows` (n,), ascending: modality -> (n, ...), and who is there: present (n, M)."""

    rows: np.ndarray
    modalities: tuple[str, ...]  # the order of the columns of `present`
    vectors: dict[str, np.ndarray]
    present: np.ndarray

    def take(self, rows: np.ndarray) -> "Embeddings":
        """The embeddings of some of the rows; asking for others is a ValueError."""
        at = np.searchsorted(self.rows, rows)
        if np.any(at >= len(self.rows)) or np.any(self.rows[np.minimum(at, len(self.rows) - 1)] != rows):
            raise ValueError("rows asked for that were not embedded")
        vectors = {m: v[at] for m, v in self.vectors.items()}
        return Embeddings(rows, self.modalities, vectors, self.present[at])

    def only(self, modalities: Sequence[str]) -> "Embeddings":
        """The embeddings with every other modality masked out."""
        keep = np.array([m in modalities for m in self.modalities])
        vectors = {m: v for m, v in self.vectors.items() if m in modalities}
        return Embeddings(self.rows, self.modalities, vectors, self.present & keep)


def embeddings_under(
    manifest: Manifest,
    condition: Condition,
    modalities: Sequence[str],
    rows: np.ndarray,
    settings: Settings,
    report: Report = silent,
    side: str = "probe",
) -> Embeddings:
    """The embeddings of items `rows` under a condition; modalities not asked for have a mask of 0 and no vectors.

    `side` is that of a trial, for effects on one side. Raises MmbioError for files that moved, changed or cannot
    be read, and for sample noise where there are no samples.
    """
    rows = np.unique(rows)
    vectors = {}
    present = np.zeros((len(rows), len(manifest.modalities)), dtype=bool)
    for index, modality in enumerate(manifest.modalities):
        if modality not in modalities or condition.missing(modality, side):
            continue
        found = _vectors(manifest, condition, modality, rows, settings, report, side)
        present[:, index] = _cleared(found) & manifest.has(modality)[rows]
        vectors[modality] = found
    return Embeddings(rows, manifest.modalities, vectors, present)


def jobs(manifest: Manifest, condition: Condition, modalities: Sequence[str], settings: Settings) -> list[Job]:
    """The extraction jobs behind a condition: one for each modality whose samples are needed and not vectors yet."""
    found = []
    for modality in modalities:
        backbone = backbone_of(manifest, modality, settings)
        noise = condition.degraded(modality)
        if backbone == "vectors" and noise:
            raise MmbioError(
                f"condition '{condition}': {modality} is there as vectors, and sample noise needs samples;"
                f" use {modality}=random, {modality}=zeros or --missing {modality}"
            )
        replaced = all(condition.null(modality, s) or condition.missing(modality, s) for s in ("enrolment", "probe"))
        if backbone not in ("beats", "vectors") and not replaced:
            found.append(Job(manifest, modality, noise, settings))
    return found


def shape_of(manifest: Manifest, modality: str, settings: Settings) -> tuple[int, ...]:
    """The shape of one item's vector of a modality, before its branch."""
    backbone = backbone_of(manifest, modality, settings)
    if backbone == "beats":
        return BEATS_PER_INPUT, BEAT_SAMPLES
    if backbone == "vectors":
        return (int(manifest.info["sources"][modality]["vectors"]["dim"]),)
    return (extractor(manifest, modality, None, settings).dim,)


def _vectors(
    manifest: Manifest,
    condition: Condition,
    modality: str,
    rows: np.ndarray,
    settings: Settings,
    report: Report,
    side: str,
) -> np.ndarray:
    null = condition.null(modality, side)
    if null is not None:
        return _null(null, manifest, modality, rows, shape_of(manifest, modality, settings))
    backbone = backbone_of(manifest, modality, settings)
    if backbone == "beats":
        return beats.embed(manifest, rows, condition.noise(modality))
    if backbone == "vectors":
        jobs(manifest, condition, [modality], settings)
        return _ready(manifest, modality, rows, settings)
    return extract(Job(manifest, modality, condition.degraded(modality), settings), rows, report)


def _ready(manifest: Manifest, modality: str, rows: np.ndarray, settings: Settings) -> np.ndarray:
    """The vectors of a vector set, NaN where an item misses one."""
    source = manifest.info["sources"][modality]
    about = source["vectors"]
    name = vector_sets.file_name(modality, segment_name(about["segments"], settings.segment_s))
    draws = manifest.items[f"{modality}_draw"].to_numpy(str)[rows]
    at = np.full(len(rows), -1)
    at[draws != ""] = np.char.lstrip(draws[draws != ""], "#").astype(np.int64)
    return vector_sets.load(Path(source["folder"]) / name, at, about["files"][name])


def segment_name(segments: Sequence[str], seconds: float | None) -> str:
    """The segment length of a set that is meant by `seconds`; raises MmbioError where it has no such length."""
    if not segments:
        return ""
    found = [s for s in segments if seconds is not None and float(s) == seconds]
    if not found:
        raise MmbioError(f"--segment {seconds}: the set has segments of {', '.join(segments)} s; choose one of them")
    return found[0]


def _null(null: str, manifest: Manifest, modality: str, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Zeros, or standard-normal noise with one draw an item, seeded by the item."""
    if null == "zeros":
        return np.zeros((len(rows), *shape), dtype=np.float32)
    vectors = np.empty((len(rows), *shape), dtype=np.float32)
    for row, vector in zip(rows.tolist(), vectors, strict=True):
        manifest.generator(row, f"null {modality}").standard_normal(dtype=np.float32, out=vector)
    return vectors


def _cleared(vectors: np.ndarray) -> np.ndarray:
    """Which of the vectors (n, ...) are all numbers, (n,) bool; in the others what is none becomes 0, in place."""
    flat = vectors.reshape(len(vectors), prod(vectors.shape[1:]))
    whole = np.ones(len(flat), dtype=bool)
    for piece in pieces(*flat.shape):
        whole[piece] = np.isfinite(flat[piece]).all(1)
        if not whole[piece].all():
            np.nan_to_num(flat[piece], copy=False)
    return whole
