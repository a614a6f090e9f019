"""SOCOFing: Real/12__F_Left_index_finger.BMP and its altered versions, one chosen finger of 600 subjects."""

import re
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Final

from mmbio.data.readers.counts import counted
from mmbio.data.readers.labels import Label
from mmbio.data.readers.listing import child, files, samples_of
from mmbio.data.samples import SampleSet
from mmbio.errors import MmbioError

FINGERS: Final = tuple(
    f"{hand}_{finger}" for hand, finger in product(("Left", "Right"), ("thumb", "index", "middle", "ring", "little"))
)
NAME: Final = re.compile(
    r"([0-9]+)__([FM])_((?:Left|Right)_(?:thumb|index|middle|ring|little))_finger(?:_(CR|Obl|Zcut))?\.bmp",
    re.IGNORECASE,
)


def read(folder: Path, finger: str = "Left_index") -> SampleSet:
    """Read one finger of every subject: the real impression first, then the altered from easy to hard.

    Gender stands in the file's name. Raises MmbioError for a finger that is not one of FINGERS.
    """
    if finger not in FINGERS:
        raise MmbioError(f"socofing: unknown finger '{finger}'; choose from {', '.join(FINGERS)}")
    real = child(folder, ["Real"])
    altered = child(folder, ["Altered"])
    levels = [child(altered, [f"Altered-{level}"]) for level in ("Easy", "Medium", "Hard")] if altered else []
    notes = [f"socofing: {finger} of each subject"]
    if not any(levels):
        notes.append("socofing: no Altered folder, so one impression a finger")
    impressions: dict[str, list[Path]] = {}
    labels: dict[str, Label] = {}
    for place in (real, *levels):
        for path in files(place, [".bmp"]) if place else []:
            match = NAME.fullmatch(path.name)
            if match and match[3].lower() == finger.lower():
                impressions.setdefault(match[1], []).append(path)
                labels[match[1]] = Label(match[2].upper())
    samples = [
        sample
        for person, paths in impressions.items()
        for sample in samples_of("finger", folder, f"{person}_{finger}", paths, labels[person])
    ]
    layout = f"Real/N__M_{finger}_finger.BMP"
    nouns = ("finger", "impression")
    found = counted("socofing", folder, samples, layout=layout, n_subjects=600, nouns=nouns, notes=notes)
    return replace(found, altered=True)
