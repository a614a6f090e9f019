"""A folder per subject: <root>/<modality>/<subject>/ with images, or with WFDB records for ecg."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from mmbio.data.readers.counts import counted
from mmbio.data.readers.headers import read_header
from mmbio.data.readers.labels import find_labels, read_labels, require_labels
from mmbio.data.readers.listing import HEADERS, IMAGES, files, samples_of, subfolders
from mmbio.data.samples import SampleSet
from mmbio.words import plural


def read(folder: Path, modality: str) -> SampleSet:
    """Read a modality's folder; gender and age come from a genders.csv, which fingerprints may lack."""
    name = f"{modality}-folders"
    suffixes = HEADERS if modality == "ecg" else IMAGES
    subjects = {entry.name: files(entry, suffixes) for entry in subfolders(folder)}
    filled = {subject: paths for subject, paths in subjects.items() if paths}
    notes = []
    if len(filled) < len(subjects):
        empty = sorted(set(subjects) - set(filled))
        notes.append(f"{name}: {plural(len(empty), 'folder')} without a usable file left out ({', '.join(empty[:5])})")
    path = find_labels(folder)
    labels = read_labels(path) if path else {}
    if filled and modality != "finger":
        labels, path = require_labels(folder, filled)
    if path:
        notes.append(f"{name}: genders from {path}")
    samples = []
    for subject, paths in filled.items():
        for header in paths if modality == "ecg" else []:
            read_header(header)
        samples += samples_of(modality, folder, subject, paths, labels.get(subject), suffix=modality != "ecg")
    layout = "<subject>/ folder with " + (".hea records" if modality == "ecg" else "images")
    return counted(name, folder, samples, layout=layout, notes=notes)


def reader(modality: str) -> Callable[[Path], SampleSet]:
    """The `read` of one modality."""
    return partial(read, modality=modality)
