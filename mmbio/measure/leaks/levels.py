"""Levels at which two sides of an experiment can share something: source, beat, session, subject, person.

A level numbers what each item takes: codes (N, k) int64, -1 where an item takes nothing or nothing is known.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from mmbio.data.manifest import Manifest
from mmbio.data.readers.listing import IMAGES

DATE: Final = re.compile(r"^#\s*ecg date:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Level:
    """What items take at a level; `codes` None: the data do not say, and `why`."""

    name: str
    modality: str
    codes: np.ndarray | None
    why: str = ""


def of_manifest(manifest: Manifest) -> list[Level]:
    """The levels of every modality, from the single file up to the person behind it, then the subject."""
    found = [level for modality in manifest.modalities for level in _of_modality(manifest, modality)]
    return [*found, Level("subject", "", manifest.items["subject"].to_numpy(np.int64)[:, None])]


def source_name(manifest: Manifest, modality: str) -> str:
    """What a modality's samples are: `source image`, `source record`, `source clip` or `source vector`."""
    if "vectors" in manifest.info["sources"][modality]:
        return "source vector"
    paths = manifest.samples["path"][manifest.samples["modality"] == modality]
    suffix = Path(next(iter(paths), "")).suffix.lower()
    return "source image" if suffix in IMAGES else "source record" if suffix == ".hea" else "source clip"


def sources(manifest: Manifest, modality: str) -> np.ndarray:
    """(N,) which source each item takes: a file, or a row of vectors."""
    names = manifest.items[f"{modality}_sample"]
    if "vectors" in manifest.info["sources"][modality]:
        names = names + manifest.items[f"{modality}_draw"]
    return _codes(names, manifest.has(modality))


def people(manifest: Manifest, modality: str) -> np.ndarray:
    """(S,) the public person behind each subject."""
    names = manifest.subjects[modality]
    return _codes(names, (names != "").to_numpy())


def sessions(manifest: Manifest, modality: str) -> tuple[np.ndarray | None, str]:
    """(N,) the video, chapter or day that each item's sample was taken on; None and why where it is not known."""
    items = manifest.items
    if modality == "ecg":
        return _days(manifest)
    if "video" not in items:
        return None, f"the data do not say when a {modality} was taken"
    if manifest.info["chimeric"] and source_name(manifest, modality) == "source image":
        return None, f"the data do not say when a {modality} was taken; a set of images may be one sitting"
    there = manifest.has(modality) & (items["video"] != "").to_numpy()
    if (items["video"] == items["clip"]).to_numpy()[there].all():
        return None, "the data name no videos"
    subject = items["subject"].astype(str)
    return _codes(subject + "/" + items["video"], there), ""


def _of_modality(manifest: Manifest, modality: str) -> Iterable[Level]:
    there = manifest.has(modality)
    taken = sources(manifest, modality)
    yield Level(source_name(manifest, modality), modality, taken[:, None])
    if modality == "ecg":
        yield Level("beat", modality, _beats(manifest, taken))
    codes, why = sessions(manifest, modality)
    yield Level("session", modality, None if codes is None else codes[:, None], why)
    person = people(manifest, modality)[manifest.items["subject"].to_numpy(np.int64)]
    yield Level("public person", modality, np.where(there, person, -1)[:, None])


def _beats(manifest: Manifest, records: np.ndarray) -> np.ndarray:
    """(N, 3) the beats that each item takes: their numbers in its record."""
    drawn = manifest.items["ecg_draw"].str.split(expand=True).astype(np.float64).fillna(-1).to_numpy(np.int64)
    return np.where(drawn >= 0, records[:, None] * (int(drawn.max(initial=0)) + 1) + drawn, -1)


def _days(manifest: Manifest) -> tuple[np.ndarray | None, str]:
    """(N,) person and day of each item's record, by the dates in the headers."""
    dates = {name: _date(path) for name, (path, _) in manifest.paths("ecg").items()}
    if not all(dates.values()):
        lacking = sum(not date for date in dates.values())
        return None, f"{lacking} of {len(dates)} ECG headers have no date"
    subjects = manifest.subjects["ecg"].to_numpy(str)[manifest.items["subject"].to_numpy(np.int64)]
    return _codes(pd.Series(subjects) + "/" + manifest.items["ecg_sample"].map(dates), manifest.has("ecg")), ""


def _date(path: Path) -> str:
    found = DATE.search(path.read_text(encoding="utf-8", errors="replace")) if path.suffix == ".hea" else None
    return found[1] if found and any(c.isdigit() for c in found[1]) else ""


def _codes(names: pd.Series, there: np.ndarray) -> np.ndarray:
    return np.where(there, pd.factorize(names)[0], -1).astype(np.int64)
