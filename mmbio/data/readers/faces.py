"""Faces94, 95 and 96: <subject>/<subject>.N.jpg, 20 images a subject; Faces94 below female, male and malestaff."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from mmbio.data.readers.counts import counted
from mmbio.data.readers.labels import Label, find_labels, read_labels, require_labels
from mmbio.data.readers.listing import child, files, samples_of, subfolders
from mmbio.data.samples import SampleSet
from mmbio.errors import MmbioError

JPEG: Final = frozenset({".jpg", ".jpeg"})
N_IMAGES: Final = 20
GROUPS: Final[Mapping[str, str]] = MappingProxyType({"female": "F", "male": "M", "malestaff": "M"})


def read_faces94(folder: Path) -> SampleSet:
    """Read Faces94; gender is the folder a subject lies in, unless a genders.csv says otherwise."""
    labels: dict[str, Label] = {}
    subjects: list[Path] = []
    for group, gender in GROUPS.items():
        below = child(folder, [group])
        for subject in subfolders(below) if below else []:
            if subject.name in labels:
                raise MmbioError(
                    f"{subject}: a second folder of this name in {folder.name}; rename one of the subjects"
                )
            labels[subject.name] = Label(gender)
            subjects.append(subject)
    given = find_labels(folder)
    notes = []
    theirs = {subject: label for subject, label in (read_labels(given) if given else {}).items() if subject in labels}
    if theirs:
        labels |= theirs
        notes.append(f"faces94: genders from {given}")
    layout = "{female,male,malestaff}/<subject>/<subject>.N.jpg"
    return _read("faces94", folder, subjects, n_subjects=153, layout=layout, labels=labels, notes=notes)


def read_faces95(folder: Path) -> SampleSet:
    """Read Faces95; gender comes from a genders.csv."""
    return _labelled("faces95", folder, 72)


def read_faces96(folder: Path) -> SampleSet:
    """Read Faces96; gender comes from a genders.csv."""
    return _labelled("faces96", folder, 152)


def _labelled(name: str, folder: Path, n_subjects: int) -> SampleSet:
    subjects = [entry for entry in subfolders(folder) if files(entry, JPEG)]
    labels: dict[str, Label] = {}
    notes = []
    if subjects:
        labels, path = require_labels(folder, [subject.name for subject in subjects])
        notes.append(f"{name}: genders from {path}")
    layout = "<subject>/<subject>.N.jpg"
    return _read(name, folder, subjects, n_subjects=n_subjects, layout=layout, labels=labels, notes=notes)


def _read(
    name: str,
    folder: Path,
    subjects: Iterable[Path],
    *,
    n_subjects: int,
    layout: str,
    labels: Mapping[str, Label],
    notes: list[str],
) -> SampleSet:
    samples = [
        sample
        for subject in subjects
        for sample in samples_of("face", folder, subject.name, files(subject, JPEG), labels[subject.name])
    ]
    return counted(name, folder, samples, layout=layout, n_subjects=n_subjects, per_subject=N_IMAGES, notes=notes)
