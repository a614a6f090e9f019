"""The papers' numbers, each with the section it comes from.

A value marked "the paper does not say" is ours; one marked "our reading" is how we read
an ambiguous sentence. Both stand in the README too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

MODALITIES: Final = ("ecg", "face", "finger", "voice")
TASKS: Final = ("identification", "gender")  # of classification; the other is verification
SPLITS: Final = ("triplet", "source", "record")


@dataclass(frozen=True)
class Protocol:
    """One paper's experiment: its modalities, tasks, sizes and noise levels."""

    name: str
    modalities: tuple[str, ...]
    tasks: tuple[str, ...]
    n_subjects: int  # that are tested
    noise: Mapping[str, float]
    fusion: str
    branch_dim: int | None  # None: vectors go into the fusion as they are
    fusion_dims: tuple[int, ...]
    norm: str  # before fusion: batch or l2
    splits: tuple[str, ...]
    backbones: Mapping[str, str]
    synthetic: str  # what stands in where no data are named

    @property
    def verifies(self) -> bool:
        """True where pairs are compared, False where items are classified."""
        return self.tasks == ("verification",)


MULTITASK: Final = Protocol(
    name="multitask",
    modalities=("ecg", "face", "finger"),  # "Dataset"
    tasks=TASKS,
    n_subjects=58,  # "Virtual Dataset"
    noise=MappingProxyType({"ecg": 0.1, "face": 0.97, "finger": 0.05}),  # "Unimodal and Multimodal Model"
    fusion="concat",
    branch_dim=300,  # "Feature extraction": images are matched to the dimensions of the ECG
    fusion_dims=(300,),  # the paper does not say
    norm="batch",  # "Feature fusion"
    splits=SPLITS,
    backbones=MappingProxyType({"ecg": "beats", "face": "resnet50", "finger": "resnet50"}),
    synthetic="synthetic",
)

AUDIOVISUAL: Final = Protocol(
    name="audiovisual",
    modalities=("face", "voice"),
    tasks=("verification",),
    n_subjects=120,  # 4.1
    noise=MappingProxyType({}),  # nulls only
    fusion="attention",
    branch_dim=None,
    fusion_dims=(1200, 600),  # 3.1: system A has both layers, B and C project to the last
    norm="l2",  # 4.1
    splits=("subject",),
    backbones=MappingProxyType({"face": "dlib", "voice": "resemblyzer"}),  # the paper's are not to be had
    synthetic="simulated",
)

PROTOCOLS: Final[Mapping[str, Protocol]] = MappingProxyType({p.name: p for p in (MULTITASK, AUDIOVISUAL)})

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

# --- audiovisual: segments, trials and training (3.2, 4.1) -------------------------------
SEGMENTS: Final = (0.115, 1.015)  # seconds of speech, "10 and 100 successive voice embeddings"
N_GENUINE: Final = 300  # trials a subject, of different clips; our reading: of different videos
N_IMPOSTOR: Final = 300
GENUINE: Final = ("video", "clip", "segment")  # what the two sides of a genuine trial differ in
PAIRS: Final = 60  # positive pairs a batch, and as many negative ones
DEV_SECONDS: Final = 1.0  # between frames of a dev clip; a test clip gives one random frame
P_TARGET: Final = 0.01  # of minDCF; both costs are 1 in our reading
