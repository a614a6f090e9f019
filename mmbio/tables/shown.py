"""shown: samples of a manifest as arrays to look at, clean or under noise."""

import numpy as np

from mmbio.data.manifest import Manifest


def first_of_subjects(manifest: Manifest, number: int) -> np.ndarray:
    """The row of the first test item of each of the first so many subjects."""
    test = manifest.items[manifest.items["split"] == "test"]
    return test.drop_duplicates("subject").index.to_numpy()[:number]


def samples(manifest: Manifest, modality: str, rows: np.ndarray, level: float) -> list[np.ndarray]:
    """The samples of items `rows` under a level of noise, 0 for none: beats (3, 300) or images (H, W, 3)."""
    from mmbio.data import corrupted
    from mmbio.embed.backbones import beats

    if modality == "ecg":
        return list(beats.embed(manifest, rows, level))
    paths = manifest.paths(modality)
    return [corrupted.image(manifest, modality, int(row), level, paths) for row in rows]
