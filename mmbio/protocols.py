"""The papers' numbers, each with the section it comes from.

A value marked "the paper does not say" is ours; one marked "our reading" is how we read
an ambiguous sentence. Both stand in the README too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

MODALITIES: Final = ("ecg", "face", "finger", "voice")
TASKS: Final = ("identification", "gender")
SPLITS: Final = ("triplet", "source", "record")


@dataclass(frozen=True)
class Protocol:
    """One paper's experiment: its modalities, tasks, sizes and noise levels."""

    name: str
    modalities: tuple[str, ...]
    tasks: tuple[str, ...]
    n_subjects: int
    noise: Mapping[str, float]
    fusion: str
    branch_dim: int
    fusion_dims: tuple[int, ...]


MULTITASK: Final = Protocol(
    name="multitask",
    modalities=("ecg", "face", "finger"),  # "Dataset"
    tasks=TASKS,
    n_subjects=58,  # "Virtual Dataset"
    noise=MappingProxyType({"ecg": 0.1, "face": 0.97, "finger": 0.05}),  # "Unimodal and Multimodal Model"
    fusion="concat",
    branch_dim=300,  # "Feature extraction": images are matched to the dimensions of the ECG
    fusion_dims=(300,),  # the paper does not say
)

PROTOCOLS: Final[Mapping[str, Protocol]] = MappingProxyType({"multitask": MULTITASK})

# --- multitask: the ECG ("ECG preprocessing") -------------------------------------------
SAMPLING_RATE: Final = 500  # Hz; PTB is resampled from 1 kHz
BEAT_SAMPLES: Final = 300  # in all around each R peak; our reading: 150 on each side
MIN_BEATS: Final = 15  # "at least 15 QRS complexes from each record"
BEATS_PER_INPUT: Final = 3  # "three timesteps", all from one record

# --- multitask: virtual subjects and triplets ("Virtual Dataset") -----------------------
AGES: Final = (13, 39)  # "between teens to thirties"; our reading in years, ends included
TRIPLETS: Final[Mapping[str, int]] = MappingProxyType(
    {"quick": 15, "paper": 400}  # per subject; quick gives the 174 test decisions the figures imply
)
TEST_SHARE: Final = 0.2  # "tests with the remaining data"
FOLDS: Final = 8  # "k is set to 8": 70 % train, 10 % dev, 20 % test
TASK_WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {"identification": 0.5, "gender": 0.5}  # "Joint loss"
)

# --- multitask: augmentation of images (the paper names the three, and gives no range) ---
ROTATION_DEGREES: Final = 10.0  # the paper does not say
TRANSLATION: Final = 0.05  # of each side; the paper does not say
CROP: Final = 0.10  # at most this share of each side is cut; the paper does not say
