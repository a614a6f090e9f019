"""Sample: one file of one subject, as a reader finds it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """One record or image of one subject of a public set.

    `subject` and `sample` are unique inside the set; `order` counts a subject's samples in
    capture order from 0; `path` is relative to the set's folder (a WFDB record: its .hea file).
    """

    modality: str  # "ecg", "face" or "finger"
    subject: str  # the set's own name, "Person_01"; for fingerprints a finger
    sample: str  # "Person_01/rec_1"
    order: int
    path: str
    gender: str | None = None  # "F", "M" or not known
    age: int | None = None  # years or not known


@dataclass(frozen=True)
class SampleSet:
    """What a reader returns: a public set's samples, and remarks for the user (counts that differ)."""

    name: str  # "ecg-id"
    folder: Path
    samples: tuple[Sample, ...]
    notes: tuple[str, ...] = ()
    altered: bool = False  # a subject's samples are altered copies of one
