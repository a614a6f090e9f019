"""Pairings: which public people each subject is made of, and which other manifests pair the same ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mmbio.data.manifest import Manifest
from mmbio.errors import MmbioError
from mmbio.files import content_hash, read_json


@dataclass(frozen=True)
class Pairing:
    """A manifest of the same protocol beside the audited one."""

    manifest: str
    split: str
    seed: int
    same: bool  # the same people behind the same subjects, of all subjects
    n_common: int  # subjects of the same people


def about(manifest: Manifest) -> dict[str, Any]:
    """The seed, generator and hash of a pairing, and what would make the same."""
    info = manifest.info
    told: dict[str, Any] = {"seed": info["seed"], "hash": content_hash(sorted(_pairs(manifest.subjects, manifest)))}
    if info["protocol"] != "multitask" and not info["chimeric"]:
        return told | {"generator": "", "same_by": "nobody is paired: each subject is one person of one set"}
    stream, choices = (0, "--subjects, --ages") if info["protocol"] == "multitask" else (10, "--subjects, --match")
    return told | {
        "generator": f"numpy default_rng([{info['seed']}, {stream}])",
        "same_by": f"the same data, --seed and {choices}, and a split that leaves the same people out",
    }


def beside(manifest: Manifest) -> list[Pairing]:
    """The other manifests of the protocol in the same folder; those that cannot be read are passed over."""
    own = _pairs(manifest.subjects, manifest)
    found = []
    for path in sorted(manifest.folder.parent.glob("*/manifest.json")):
        if path.parent.resolve() == manifest.folder.resolve():
            continue
        other = _other(path, manifest)
        if other is not None:
            info, pairs = other
            found.append(
                Pairing(path.parent.name, str(info["split"]), int(info["seed"]), pairs == own, len(pairs & own))
            )
    return found


def _other(path: Path, manifest: Manifest) -> tuple[dict[str, Any], set[tuple[str, ...]]] | None:
    try:
        info = read_json(path, "manifest")
        if info.get("protocol") != manifest.info["protocol"] or info.get("data") != manifest.info["data"]:
            return None
        table = pd.read_csv(path.with_name("subjects.csv"), dtype=str, keep_default_na=False)
        return info, _pairs(table, manifest)
    except (OSError, ValueError, KeyError, MmbioError):
        return None


def _pairs(subjects: pd.DataFrame, manifest: Manifest) -> set[tuple[str, ...]]:
    return set(zip(*(subjects[m].tolist() for m in manifest.modalities), strict=True))
