"""Vectors for an audit: those of a vector set or of any store that holds a manifest's items."""

import json
from dataclasses import replace
from typing import Any, Final

import numpy as np

from mmbio.conditions import Condition
from mmbio.data.manifest import Manifest
from mmbio.embed.conditioned import embeddings_under
from mmbio.embed.extractors import backbone_of, extractor
from mmbio.embed.settings import Settings
from mmbio.embed.store import Store
from mmbio.measure.leaks.near import near
from mmbio.report import Report

MOST: Final = 20_000  # vectors that are looked at: all of the test that fit, and others evenly spaced


def look(
    manifest: Manifest, modality: str, settings: Settings, threshold: float, extract: bool, report: Report
) -> dict[str, Any]:
    """Near pairs of one modality as JSON takes them, or why it was not looked at."""
    rows = _rows(manifest, modality)
    backbone = backbone_of(manifest, modality, settings)
    settings = replace(settings, segment_s=settings.segment_s or _longest(manifest))
    found = None
    if extract or backbone == "vectors":
        clean = embeddings_under(manifest, Condition(), [modality], rows, settings, report)
        column = clean.modalities.index(modality)
        found = clean.present[:, column], clean.vectors[modality]
    elif backbone != "beats":
        backbone, found = _stored(manifest, modality, rows, settings)
    told: dict[str, Any] = {"modality": modality, "backbone": backbone, "threshold": threshold}
    if found is None:
        why = "beats are cut from their records" if backbone == "beats" else "no vectors of them are in the store"
        return told | {"looked": False, "why": f"{why}; add --extract", "n_items": 0, "top": []}
    present, vectors = found
    rows = rows[present]
    subjects = manifest.items["subject"].to_numpy(np.int64)[rows]
    pairs = near(vectors[present], subjects, threshold)
    names = manifest.items[f"{modality}_sample"].to_numpy(str)[rows]
    draws = manifest.items[f"{modality}_draw"].to_numpy(str)[rows]
    return told | {
        "looked": True,
        "n": pairs.n,
        "of": int(manifest.has(modality).sum()),
        "n_pairs": pairs.n_pairs,
        "n_items": pairs.n_items,
        "n_subject_pairs": pairs.n_subject_pairs,
        "top": [
            {
                "cosine": cosine,
                "subjects": [int(subjects[i]), int(subjects[j])],
                "samples": [names[k] + (draws[k] if draws[k].startswith("#") else "") for k in (i, j)],
            }
            for cosine, i, j in pairs.top
        ],
    }


def _rows(manifest: Manifest, modality: str) -> np.ndarray:
    """The items with this modality: all, or those of the test and others evenly spaced, up to MOST."""
    rows = np.flatnonzero(manifest.has(modality))  # rows of the test stand first
    if len(rows) <= MOST:
        return rows
    n_test = int((manifest.items["split"].to_numpy()[rows] == "test").sum())
    first = min(n_test, MOST)
    others = np.linspace(first, len(rows) - 1, MOST - first).astype(np.int64)
    return np.concatenate([rows[:first], rows[others]])


def _longest(manifest: Manifest) -> float | None:
    return max((float(s) for s in manifest.info.get("segments", ())), default=None)


def _stored(
    manifest: Manifest, modality: str, rows: np.ndarray, settings: Settings
) -> tuple[str, tuple[np.ndarray, np.ndarray] | None]:
    """The backbone, which rows have a vector, and the vectors of the first complete store of clean samples."""
    wanted = {"items": manifest.items_hash(modality), "n": len(manifest.items), "noise": None}
    for path in sorted((settings.home / "store").glob(f"{modality}-*/key.json")):
        try:
            key = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if not isinstance(key, dict) or any(key.get(name) != value for name, value in wanted.items()):
            continue
        backbone = str(key["backbone"])
        if key.get("segment_s", settings.segment_s) != settings.segment_s:
            continue
        made = extractor(manifest, modality, None, replace(settings, backbones=((modality, backbone),)))
        store = Store(path.parent, len(manifest.items), made.dim, made.batch)
        if not store.missing(rows):
            vectors = store.read(rows)
            return f"{backbone}, {key['weights']}", (np.isfinite(vectors).all(axis=1), vectors)
    return backbone_of(manifest, modality, settings), None
