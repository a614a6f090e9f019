"""FVC2000, 2002, 2004 and 2006: DBn_X/FINGER_IMPRESSION.tif or .bmp, 8 or 12 impressions a finger."""

import re
from pathlib import Path
from typing import Final

from mmbio.data.readers.counts import counted
from mmbio.data.readers.listing import IMAGES, files, natural, samples_of, subfolders
from mmbio.data.samples import SampleSet
from mmbio.errors import MmbioError
from mmbio.words import plural

NAME: Final = re.compile(r"([0-9]+)_([0-9]+)")
PREFERRED: Final = ("DB1_A", "DB1_B")


def read_fvc2000(folder: Path) -> SampleSet:
    """Read one database of FVC2000; a subject is a finger."""
    return _read("fvc2000", folder, n_fingers=100, n_impressions=8)


def read_fvc2002(folder: Path) -> SampleSet:
    """Read one database of FVC2002; a subject is a finger."""
    return _read("fvc2002", folder, n_fingers=100, n_impressions=8)


def read_fvc2004(folder: Path) -> SampleSet:
    """Read one database of FVC2004; a subject is a finger."""
    return _read("fvc2004", folder, n_fingers=100, n_impressions=8)


def read_fvc2006(folder: Path) -> SampleSet:
    """Read one database of FVC2006; a subject is a finger."""
    return _read("fvc2006", folder, n_fingers=140, n_impressions=12)


def _read(name: str, folder: Path, n_fingers: int, n_impressions: int) -> SampleSet:
    databases = [entry for entry in subfolders(folder) if re.fullmatch(r"DB[1-4]_[AB]", entry.name, re.IGNORECASE)]
    if not databases:
        raise MmbioError(f"{folder}: holds no DBn_A or DBn_B folder, such as DB1_A; unpack the set's archive there")
    chosen = min(databases, key=lambda entry: (_rank(entry), natural(entry.name)))
    notes = []
    if len(databases) > 1:
        others = ", ".join(entry.name for entry in databases if entry != chosen)
        notes.append(f"{name}: {chosen.name} is read, {others} not")
    fingers: dict[str, list[Path]] = {}
    unnamed = 0
    for path in files(chosen, IMAGES):
        match = NAME.fullmatch(path.stem)
        if match:
            fingers.setdefault(match[1], []).append(path)
        else:
            unnamed += 1
    if unnamed:
        notes.append(f"{name}: {plural(unnamed, 'image')} not named FINGER_IMPRESSION left out")
    samples = [s for finger, paths in fingers.items() for s in samples_of("finger", folder, finger, paths)]
    return counted(
        name,
        folder,
        samples,
        layout=f"{chosen.name}/FINGER_IMPRESSION.tif or .bmp",
        n_subjects=n_fingers if chosen.name.upper().endswith("A") else 10,
        per_subject=n_impressions,
        nouns=("finger", "impression"),
        notes=notes,
    )


def _rank(database: Path) -> int:
    name = database.name.upper()
    return PREFERRED.index(name) if name in PREFERRED else len(PREFERRED)
