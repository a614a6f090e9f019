"""Beats pass through: the ECG branch is trained with the fusion network ("Feature extraction")."""

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from mmbio.data import noise, signals
from mmbio.data.manifest import Manifest, checked_bytes
from mmbio.errors import MmbioError

LIBRARIES: Final = ("neurokit2", "numpy", "scipy", "wfdb")  # between a record and its beats


def embed(manifest: Manifest, rows: np.ndarray, level: float) -> np.ndarray:
    """The beats (n, 3, 300) float32 of triplets `rows`, with Gaussian noise of this standard deviation.

    Raises MmbioError where a record has moved, changed, or cannot be read.
    """
    triplets = manifest.items.iloc[rows]
    names, draws = triplets["ecg_sample"].to_list(), triplets["ecg_draw"].to_list()
    records = _records(manifest, set(names))
    chosen = [[int(b) for b in draw.split()] for draw in draws]
    for name, beats in zip(names, chosen, strict=True):
        if max(beats) >= len(records[name]):
            raise MmbioError(
                f"{name}: {len(records[name])} beats were found, fewer than the manifest draws from;"
                " another NeuroKit2 built it, so run mmbio build-virtual again"
            )
    clean = np.stack([records[name][beats] for name, beats in zip(names, chosen, strict=True)])
    if not level:
        return clean
    generators = (manifest.generator(int(row), "ecg") for row in rows)
    return np.stack([noise.gaussian(b, level, rng) for b, rng in zip(clean, generators, strict=True)])


def _records(manifest: Manifest, wanted: set[str]) -> dict[str, np.ndarray]:
    found = {}
    for sample, (path, sha) in manifest.paths("ecg").items():
        if sample in wanted:
            checked_bytes(path, sha)
            found[sample] = _beats(path, sha)
    return found


@lru_cache(maxsize=1000)
def _beats(path: Path, _sha: str) -> np.ndarray:
    """The beats of a record of this content, cut once a run."""
    return signals.beats(path)
