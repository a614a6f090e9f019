"""Sample: one file of one subject, as a reader finds it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Sample:
    """One record or image of one subject of a public set.

    `subject` and `sample` are unique inside the set; `order` counts a subject's samples in
    capture order from 0; `path` is relative to the set's folder (a WFDB record: its .hea file).
    """

    modality: str  # "ecg", "face", "finger" or "voice"
    subject: str  # the set's own name, "Person_01"; for fingerprints a finger
    sample: str  # "Person_01/rec_1"
    order: int
    path: str
    gender: str | None = None  # "F", "M" or not known
    age: int | None = None  # years or not known
    session: str = ""  # the video or chapter that it was taken from
    part: str = ""  # "dev" or "test" where the set itself says so
    clip: str = ""  # that it was taken from, where that is not the sample itself
    row: int | None = None  # of its vector in a vector set


@dataclass(frozen=True)
class SampleSet:
    """What a reader returns: a public set's samples, and remarks for the user (counts that differ)."""

    name: str  # "ecg-id"
    folder: Path
    samples: tuple[Sample, ...]
    notes: tuple[str, ...] = ()
    altered: bool = False  # a subject's samples are altered copies of one
    vectors: Mapping[str, Any] = field(default_factory=dict)  # of a vector set: its dimensions and files
    attributes: "pd.DataFrame | None" = None  # id, and what is known of the samples beside
