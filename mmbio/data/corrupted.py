"""Samples under noise: the sample behind one item, degraded as its vector will see it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from mmbio.data import audio, av_files, noise
from mmbio.data.degrade import degrade
from mmbio.data.images import augment, load_image
from mmbio.data.manifest import Manifest, checked_bytes
from mmbio.data.readers.listing import IMAGES

Paths = Mapping[str, tuple[Path, str]]  # a manifest's of one modality: sample -> path, hash
Noise = tuple[str, float] | None  # kind and level


def image(manifest: Manifest, modality: str, row: int, level: float, paths: Paths) -> np.ndarray:
    """The image (H, W, 3) uint8 of triplet `row`, augmented and blackened.

    Noise comes after augmentation, at the image's own resolution. Raises MmbioError where the file has
    moved, changed, or does not decode.
    """
    path, sha, draw = _taken(manifest, modality, row, paths)
    clean = augment(load_image(path, checked_bytes(path, sha)), int(draw))
    return noise.blacken(clean, level, manifest.generator(row, modality)) if level else clean


def chip(
    manifest: Manifest, row: int, how: Noise, paths: Paths, align: Callable[[np.ndarray], np.ndarray | None]
) -> np.ndarray | None:
    """The aligned face (H, W, 3) uint8 of item `row`, then degraded; None where no face is found."""
    path, sha, draw = _taken(manifest, "face", row, paths)
    if path.suffix.lower() in IMAGES:
        frame = load_image(path, checked_bytes(path, sha))
    else:
        checked_bytes(path, sha)
        frame = av_files.frame(path, float(draw))
    found = align(frame)
    return found if found is None or how is None else degrade(found, *how, manifest.generator(row, "face"))


def speech(manifest: Manifest, row: int, seconds: float, how: Noise, paths: Paths) -> np.ndarray:
    """The speech (n,) float32 at 16 kHz around item `row`, with white noise where `how` says so."""
    path, sha, draw = _taken(manifest, "voice", row, paths)
    checked_bytes(path, sha)
    clean = audio.segment(path, float(draw), seconds)
    return clean if how is None else audio.add_noise(clean, how[1], manifest.generator(row, "voice"))


def _taken(manifest: Manifest, modality: str, row: int, paths: Paths) -> tuple[Path, str, str]:
    path, sha = paths[manifest.items[f"{modality}_sample"].to_numpy()[row]]
    return path, sha, str(manifest.items[f"{modality}_draw"].to_numpy()[row])
