"""Samples under noise: augmentation first, then black pixels, the same for the same triplet."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmbio.data.corrupted import image
from mmbio.data.images import augment, load_image
from mmbio.data.manifest import Manifest
from mmbio.errors import MmbioError


def seen(manifest: Manifest, modality: str, row: int, level: float) -> np.ndarray:
    return image(manifest, modality, row, level, manifest.paths(modality))


@pytest.mark.parametrize("modality", ["face", "finger"])
def test_without_noise_it_is_the_augmented_file(tiny_manifest: Manifest, modality: str) -> None:
    triplet = tiny_manifest.triplets.iloc[5]
    path, _ = tiny_manifest.paths(modality)[triplet[f"{modality}_sample"]]
    expected = augment(load_image(path), int(triplet[f"{modality}_draw"]))
    assert np.array_equal(seen(tiny_manifest, modality, 5, 0.0), expected)


@pytest.mark.parametrize(("modality", "level", "shape"), [("face", 0.97, (200, 180)), ("finger", 0.05, (96, 96))])
def test_noise_comes_at_the_native_resolution(
    tiny_manifest: Manifest, modality: str, level: float, shape: tuple[int, int]
) -> None:
    clean, noisy = (seen(tiny_manifest, modality, 5, share) for share in (0.0, level))
    black = (noisy == 0).all(axis=2)
    n = round(level * shape[0] * shape[1])
    assert noisy.shape == (*shape, 3)
    assert n <= black.sum() <= n + (clean == 0).all(axis=2).sum()
    assert np.array_equal(noisy[~black], clean[~black])


def test_noise_belongs_to_the_triplet_and_the_seed(tiny_manifest: Manifest) -> None:
    other = replace(tiny_manifest, info=tiny_manifest.info | {"seed": 1})
    noisy = seen(tiny_manifest, "face", 5, 0.97)
    assert np.array_equal(noisy, seen(tiny_manifest, "face", 5, 0.97))
    assert not np.array_equal(noisy, seen(other, "face", 5, 0.97))


@pytest.mark.parametrize(
    ("content", "told"), [(None, "is not there .*put the file back"), (b"other", "has changed since build-virtual")]
)
def test_a_file_that_moved_or_changed(
    tiny_manifest: Manifest, tmp_path: Path, content: bytes | None, told: str
) -> None:
    sample = tiny_manifest.triplets["face_sample"][5]
    _, sha = tiny_manifest.paths("face")[sample]
    path = tmp_path / "a.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MmbioError, match=rf"a\.jpg: .*{told}"):
        image(tiny_manifest, "face", 5, 0.97, {sample: (path, sha)})
