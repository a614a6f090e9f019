"""A simulated vector set of face and voice embeddings: the audio-visual protocol's data where nothing is downloaded.

A vector is a sum, here in the coordinates of an orthonormal basis in which variances decay:

    mean + gender + subject + video + noise * exp(-QUALITY_SPREAD * quality) * frame

turned by that basis and stretched a little along each dimension. `noise` is one number for each modality and segment
length: the only figures that are calibrated. A sample of poor quality has more noise, so after L2 normalisation
less of it lies along the mean and along its subject: that is what an attention can read. Both lengths of speech
share everything but the frame; face and voice the gender and nothing else. PLANTED attributes shift a face's quality.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mmbio import __version__
from mmbio.data import vector_sets
from mmbio.errors import MmbioError
from mmbio.files import content_hash, locked, read_json

NAME: Final = "simulated"
NOTES: Final = (
    "simulated: no person stands behind these vectors",
    "calibrated: face alone and voice alone, at 0.115 s and 1.015 s, on the EERs of the paper's table 1",
    "not calibrated: minDCF, every figure of face and voice together, with null embeddings or by attribute",
)


@dataclass(frozen=True)
class Size:
    """How many subjects and clips each part has."""

    n_test: int
    n_test_clips: int
    n_dev: int
    n_dev_clips: int


# The paper tests 120 people on 36,693 clips. It trains on VoxCeleb2's dev part: 5,994 people and 1,092,009 clips, of
# which it takes a frame a second. Ours has fewer clips, so that it is made in seconds and fits into memory.
SIZES: Final[Mapping[str, Size]] = MappingProxyType(
    {"quick": Size(120, 4_800, 5_994, 48_000), "paper": Size(120, 36_693, 5_994, 120_000)}
)
FEW: Final = (2, 3, 4)  # clips of the smallest test subjects: "a few individuals who have less than five"
LEAST: Final = 5  # clips of any other subject
CLIPS_PER_VIDEO, LEAST_VIDEOS = 7.5, 3  # as in VoxCeleb2, but for subjects of few clips
CLIP_SPREAD: Final = 0.5  # of log clips a subject


@dataclass(frozen=True)
class Space:
    """Where an extractor's vectors lie; energies are in units of the subject factor's."""

    dim: int
    mean: float  # energy of the mean vector
    gender: float  # energy of half the way between women and men
    video: float  # energy of the video factor
    reach: tuple[float, float, float]  # dimensions in which a variance falls to 1/e: subject, video, frame
    white: float  # share of the frame's energy that is the same in all dimensions
    jitter: float  # scatter of log variances around their decay, of video and frame


# A face network is trained to be compared by cosine, so its noise follows its identities' variances closely; voice
# vectors are means of a hidden layer, and their noise follows less closely. In a first version large means and even
# quality left a contrastive loss nothing to learn; means and the spread of quality were changed after that, with an
# eye on unimodal EERs and on what dev subjects' fusions learn.
SPACES: Final[Mapping[str, Space]] = MappingProxyType(
    {
        "face": Space(512, mean=0.15, gender=0.06, video=0.4, reach=(60, 60, 100), white=0.3, jitter=0.25),
        "voice": Space(600, mean=0.25, gender=0.10, video=0.5, reach=(50, 50, 80), white=0.3, jitter=0.5),
    }
)
Noise = Mapping[str, Mapping[str, float]]  # modality -> segment length, or "" -> standard deviation of the frame factor
# python benchmarks/calibrate_embeddings.py fit
NOISE: Final[Noise] = MappingProxyType({"face": {"": 0.794}, "voice": {"0.115": 6.514, "1.015": 1.385}})
STRETCH: Final = 0.2  # of log scales of the dimensions
QUALITY_SPREAD: Final = 0.7  # of log noise for one unit of quality: 6 dB
VIDEO_SHARE: Final = 0.5  # of the variance of quality that a video's samples share


@dataclass(frozen=True)
class Attribute:
    """A facial attribute: how often women and men have it, and what it does to the quality of the face."""

    women: float
    men: float
    of: str = "subject"  # "subject", but for REDRAWN, "video" or "clip"
    effect: int = 0


# Those of the paper's table 3b, with an effect, and five others without, which depend on nothing else, gender included.
ATTRIBUTES: Final[Mapping[str, Attribute]] = MappingProxyType(
    {
        "Bald": Attribute(0.0, 0.12, effect=-1),
        "Blond Hair": Attribute(0.25, 0.10, effect=1),
        "Goatee": Attribute(0.0, 0.20, effect=-1),
        "Mustache": Attribute(0.0, 0.15, effect=-1),
        "Sideburns": Attribute(0.0, 0.15, effect=-1),
        "Straight Hair": Attribute(0.25, 0.20, effect=1),
        "Wearing Hat": Attribute(0.08, 0.08, of="video", effect=-1),
        "Big Nose": Attribute(0.25, 0.25),
        "Eyeglasses": Attribute(0.15, 0.15, of="video"),
        "Oval Face": Attribute(0.30, 0.30),
        "Smiling": Attribute(0.40, 0.40, of="clip"),
        "Young": Attribute(0.60, 0.60),
    }
)
PLANTED: Final[Mapping[str, int]] = MappingProxyType({n: a.effect for n, a in ATTRIBUTES.items() if a.effect})
EFFECT: Final = 0.8  # units of quality, the standard deviation of what attributes leave
REDRAWN: Final = 0.05  # share of videos in which a trait of the subject is drawn anew: shaved, dyed, misread
ANGLES: Final[Mapping[str, float]] = MappingProxyType({"yaw": 20.0, "pitch": 14.0, "roll": 14.0})  # mean size, degrees

_KEY: Final = 0xA5  # keeps these streams apart from other synthetic sets' of the same seed
_SPACE, _COUNTS, _PARTS = 1, 2, MappingProxyType({"test": 3, "dev": 4})

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


class Simulation(NamedTuple):
    """A simulated set: samples as `vector_sets.write` takes them, vectors, and what only a simulation knows."""

    samples: pd.DataFrame
    vectors: dict[str, dict[str, Floats]]  # modality -> segment length, or "" -> (n, d), not normalised
    quality: dict[str, Doubles]  # modality -> (n,), higher is better


class _Axes(NamedTuple):
    """An extractor, each field (d,): vectors and scales in its basis, then how it is turned and stretched."""

    mean: Floats
    gender: Floats  # half the way from men to women
    subject: Floats
    video: Floats
    frame: Floats
    order: Ints
    stretch: Floats


def simulate(scale: str, seed: int, *, size: Size | None = None, noise: Noise = NOISE) -> Simulation:
    """Simulate a set of a scale, `quick` or `paper`; the same arguments give identical bytes.

    A seed draws people, videos and clips; the extractors are the same for every seed. `size` and `noise` replace
    the scale's and the calibrated ones; vectors are linear in `noise`, everything else is the same for any.
    Raises ValueError for an unknown scale and a size with too few clips.
    """
    if scale not in SIZES:
        raise ValueError(f"unknown scale '{scale}': expected one of {', '.join(SIZES)}")
    counts = _counts(size or SIZES[scale], seed)
    bounds = np.cumsum([0, *(n for _, _, n in counts)])
    vectors = {m: {s: np.empty((bounds[-1], SPACES[m].dim), np.float32) for s in noise[m]} for m in SPACES}
    quality = {m: np.empty(bounds[-1]) for m in SPACES}
    tables = []
    for index, (part, number, n) in enumerate(counts):
        rng = np.random.default_rng([seed, _KEY, _PARTS[part], number])
        rows, gender = slice(*bounds[index : index + 2]), "M" if index % 2 else "F"
        videos, table, of_clips = _subject(f"s{index + 1:04d}", part, n, gender, rng)
        for modality, files in vectors.items():
            quality[modality][rows] = of_clips[modality]
            for segment, values in _draw(modality, videos, gender, of_clips[modality], noise[modality], rng).items():
                files[segment][rows] = values
        tables.append(table)
    samples = pd.DataFrame({name: list(chain(*(table[name] for table in tables))) for name in tables[0]})
    return Simulation(samples.assign(**dict.fromkeys(vectors, np.arange(bounds[-1]))), vectors, quality)


def ensure(folder: Path, scale: str, seed: int = 0) -> bool:
    """Write the simulated set unless one of this version, scale, seed and parameters stands there; True where made.

    Raises MmbioError where other files stand in `folder`.
    """
    with locked(folder.parent / f".{folder.name}.lock"):
        made = _description(scale, seed)
        found = read_json(folder / vector_sets.MARKER, "vector set") if vector_sets.is_set(folder) else {}
        if found.get("made") == made and all((folder / name).is_file() for name in found.get("files", ())):
            return False
        others = folder.is_file() or (folder.is_dir() and any(folder.iterdir()))
        if found.get("name") != NAME and others:
            raise MmbioError(f"{folder}: holds other files, which would be replaced; name a new or empty folder")
        samples, vectors, _ = simulate(scale, seed)
        vector_sets.write(folder, NAME, samples, vectors, synthetic=True, notes=NOTES, made=made)
        return True


def _description(scale: str, seed: int) -> dict[str, Any]:
    """What a set is made from, as JSON gives it back."""
    parameters: dict[str, Any] = {
        "size": asdict(SIZES[scale]),
        "clips": [*FEW, LEAST, CLIPS_PER_VIDEO, LEAST_VIDEOS, CLIP_SPREAD],
        "spaces": {m: asdict(s) for m, s in SPACES.items()},
        "attributes": {n: asdict(a) for n, a in ATTRIBUTES.items()},
        "others": [STRETCH, QUALITY_SPREAD, VIDEO_SHARE, EFFECT, REDRAWN, *ANGLES.values()],
    }
    noise = {m: dict(of) for m, of in NOISE.items()}
    return {"version": __version__, "scale": scale, "seed": seed, "noise": noise, "others": content_hash(parameters)}


def _counts(size: Size, seed: int) -> list[tuple[str, int, int]]:
    """Of each subject the part, the number in it from 1, and how many clips; test subjects first."""
    rng = np.random.default_rng([seed, _KEY, _COUNTS])
    test, dev = _uneven(size.n_test, size.n_test_clips, FEW, rng), _uneven(size.n_dev, size.n_dev_clips, (), rng)
    return [(part, i, int(n)) for part, of in (("test", test), ("dev", dev)) for i, n in enumerate(of, start=1)]


def _uneven(n: int, total: int, few: tuple[int, ...], rng: np.random.Generator) -> Ints:
    """`total` clips dealt to `n` subjects: LEAST or more each, but for `few`, who get what these say."""
    few = few if n > len(few) else ()
    spare = total - sum(few) - LEAST * (n - len(few))
    if spare < 0:
        raise ValueError(f"{total} clips are too few for {n} subjects with at least {LEAST} each")
    weights = np.exp(CLIP_SPREAD * rng.standard_normal(n - len(few)))
    more = np.floor(spare * weights / weights.sum()).astype(np.int64)
    more[: spare - int(more.sum())] += 1
    return rng.permutation(np.concatenate([LEAST + more, np.array(few, dtype=np.int64)]))


def _subject(
    name: str, part: str, n: int, gender: str, rng: np.random.Generator
) -> tuple[Ints, dict[str, list[str]], dict[str, Doubles]]:
    """The video of each of a subject's clips (n,) from 0, its columns of the table, and the clips' quality."""
    n_videos = min(n, max(LEAST_VIDEOS, round(n / CLIPS_PER_VIDEO)))
    of_rest = rng.choice(n_videos, n - n_videos, p=rng.dirichlet(np.full(n_videos, 3.0)))
    videos = np.sort(np.concatenate([np.arange(n_videos), of_rest]))
    place = np.arange(n) - np.searchsorted(videos, videos)  # of a clip in its video
    video_names = [f"{name}/v{v + 1:02d}" for v in videos]
    ids = [f"{v}/c{c + 1:03d}" for v, c in zip(video_names, place, strict=True)]
    values = {a: _values(kind, gender, videos, rng) for a, kind in ATTRIBUTES.items()}
    quality = {m: _clips_and_videos(videos, rng) for m in SPACES}
    quality["face"] += EFFECT * sum(effect * values[a] for a, effect in PLANTED.items())
    columns = {"id": ids, "subject": [name] * n, "gender": [gender] * n, "video": video_names, "clip": ids}
    columns |= {"part": [part] * n} | {a: np.where(v, "1", "0").tolist() for a, v in values.items()}
    for angle, degrees in ANGLES.items():
        columns[angle] = [f"{d:.1f}" for d in rng.laplace(0.0, degrees, n).clip(-90, 90)]
    return videos, columns, quality


def _values(kind: Attribute, gender: str, videos: Ints, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Whether a subject has an attribute in each clip (n,)."""
    n_videos = int(videos[-1]) + 1
    share = kind.women if gender == "F" else kind.men
    of_subject, of_videos, of_clips = rng.random(1), rng.random(n_videos)[videos], rng.random(len(videos))
    of_subject = np.where((rng.random(n_videos) < REDRAWN)[videos], of_videos, of_subject)
    return np.asarray({"subject": of_subject, "video": of_videos, "clip": of_clips}[kind.of] < share)


def _clips_and_videos(videos: Ints, rng: np.random.Generator) -> Doubles:
    """Standard normal values (n,) whose variance the clips of a video share in part."""
    of_videos = rng.standard_normal(int(videos[-1]) + 1)[videos]
    return np.asarray(VIDEO_SHARE**0.5 * of_videos + (1 - VIDEO_SHARE) ** 0.5 * rng.standard_normal(len(videos)))


def _draw(
    modality: str, videos: Ints, gender: str, quality: Doubles, noise: Mapping[str, float], rng: np.random.Generator
) -> dict[str, Floats]:
    """A subject's vectors (n, d) for each segment length."""
    from scipy.fft import idct

    axes, dim = _axes(modality), SPACES[modality].dim
    person = axes.mean + (1 if gender == "F" else -1) * axes.gender
    person = person + axes.subject * rng.standard_normal(dim, np.float32)
    fixed = (person + axes.video * rng.standard_normal((int(videos[-1]) + 1, dim), np.float32))[videos]
    found = {}
    for segment, size in noise.items():
        loud = (size * np.exp(-QUALITY_SPREAD * quality)).astype(np.float32)
        rows = rng.standard_normal((len(videos), dim), np.float32)
        rows *= loud[:, None] * axes.frame
        rows += fixed
        found[segment] = axes.stretch * idct(rows[:, axes.order], norm="ortho", axis=1)
    return found


@lru_cache(maxsize=2)
def _axes(modality: str) -> _Axes:
    """An extractor, the same whatever the seed; its basis is the cosine transform's in a random order."""
    space = SPACES[modality]
    rng = np.random.default_rng([_KEY, _SPACE, list(SPACES).index(modality) + 1])
    subject, video, frame = (np.exp(-np.arange(space.dim) / reach) for reach in space.reach)
    frame = (1 - space.white) * frame / frame.sum() + space.white / space.dim
    video, frame = (v * np.exp(space.jitter * rng.standard_normal(space.dim)) for v in (video, frame))
    return _Axes(
        mean=_of_energy(rng.standard_normal(space.dim), space.mean),
        gender=_of_energy(np.sqrt(subject) * rng.standard_normal(space.dim), space.gender),
        subject=_of_energy(np.sqrt(subject), 1.0),
        video=_of_energy(np.sqrt(video), space.video),
        frame=_of_energy(np.sqrt(frame), 1.0),
        order=rng.permutation(space.dim),
        stretch=np.exp(STRETCH * rng.standard_normal(space.dim)).astype(np.float32),
    )


def _of_energy(values: Doubles, energy: float) -> Floats:
    return np.asarray(values * np.sqrt(energy / np.square(values).sum()), dtype=np.float32)
