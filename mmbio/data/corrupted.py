"""Samples under noise: the image behind one triplet, augmented and blackened as its vector will see it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmbio.data import noise
from mmbio.data.images import augment, load_image
from mmbio.data.manifest import Manifest, checked_bytes


def image(
    manifest: Manifest, modality: str, row: int, level: float, paths: Mapping[str, tuple[Path, str]]
) -> np.ndarray:
    """The image (H, W, 3) uint8 of triplet `row`; `paths` are the manifest's of this modality.

    Noise comes after augmentation, at the image's own resolution. Raises MmbioError where the file has
    moved, changed, or does not decode.
    """
    path, sha = paths[manifest.triplets[f"{modality}_sample"].to_numpy()[row]]
    draw = int(manifest.triplets[f"{modality}_draw"].to_numpy()[row])
    clean = augment(load_image(path, checked_bytes(path, sha)), draw)
    return noise.blacken(clean, level, manifest.generator(row, modality)) if level else clean
