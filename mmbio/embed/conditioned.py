"""embeddings_under: the one entrance from a manifest and a condition to embeddings.

Sample noise goes to the samples, nulls replace vectors (the system is not told), `missing` clears
the mask (the system is told).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmbio.conditions import Condition
from mmbio.data.manifest import Manifest
from mmbio.embed.backbones import beats
from mmbio.embed.extract import Job, extract
from mmbio.embed.settings import Settings
from mmbio.report import Report, silent


@dataclass(frozen=True)
class Embeddings:
    """Vectors of the triplets `rows` (n,), ascending: modality -> (n, ...), and who is there: present (n, M)."""

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


def embeddings_under(
    manifest: Manifest,
    condition: Condition,
    modalities: Sequence[str],
    rows: np.ndarray,
    settings: Settings,
    report: Report = silent,
) -> Embeddings:
    """The embeddings of triplets `rows` under a condition; modalities not asked for have a mask of 0 and no vectors.

    Raises MmbioError for files that moved, changed or cannot be read.
    """
    rows = np.unique(rows)
    vectors = {}
    present = np.zeros((len(rows), len(manifest.modalities)), dtype=bool)
    for index, modality in enumerate(manifest.modalities):
        if modality not in modalities or condition.missing(modality):
            continue
        present[:, index] = True
        vectors[modality] = _vectors(manifest, condition, modality, rows, settings, report)
    return Embeddings(rows, manifest.modalities, vectors, present)


def jobs(manifest: Manifest, condition: Condition, modalities: Sequence[str], settings: Settings) -> list[Job]:
    """The extraction jobs behind a condition: one for each image modality that is there."""
    wanted = [m for m in modalities if m != "ecg" and not condition.missing(m) and not condition.null(m)]
    return [Job(manifest, m, condition.noise(m), settings) for m in wanted]


def _vectors(
    manifest: Manifest,
    condition: Condition,
    modality: str,
    rows: np.ndarray,
    settings: Settings,
    report: Report,
) -> np.ndarray:
    null = condition.null(modality)
    if modality == "ecg" or null:
        shape: tuple[int, ...] = (3, 300) if modality == "ecg" else (2048,)
        if null is None:
            return beats.embed(manifest, rows, condition.noise(modality))
        return _null(null, manifest, modality, rows, shape)
    return extract(Job(manifest, modality, condition.noise(modality), settings), rows, report)


def _null(null: str, manifest: Manifest, modality: str, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Zeros, or standard-normal noise with one draw an item, seeded by the item."""
    if null == "zeros":
        return np.zeros((len(rows), *shape), dtype=np.float32)
    generators = (manifest.generator(int(row), f"null {modality}") for row in rows)
    return np.stack([rng.standard_normal(shape, dtype=np.float32) for rng in generators])
