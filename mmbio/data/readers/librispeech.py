"""LibriSpeech: {train,dev,test}-*/SPEAKER/CHAPTER/SPEAKER-CHAPTER-NNNN.flac, genders in SPEAKERS.TXT."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from mmbio.data.readers.counts import counted
from mmbio.data.readers.labels import Label
from mmbio.data.readers.listing import files, natural, samples_of, subfolders
from mmbio.data.samples import Sample, SampleSet
from mmbio.errors import MmbioError
from mmbio.words import plural

NAME: Final = re.compile(r"([0-9]+)-([0-9]+)-([0-9]+)")
SPEAKERS: Final = "SPEAKERS.TXT"
CURE: Final = "take it from the set's archive again"
PARTS: Final[Mapping[str, str]] = MappingProxyType({"train": "dev", "dev": "dev", "test": "test"})
# Each published subset's speakers and clips.
PUBLISHED: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "train-clean-100": (251, 28_539),
        "train-clean-360": (921, 104_014),
        "train-other-500": (1_166, 148_688),
        "dev-clean": (40, 2_703),
        "dev-other": (33, 2_864),
        "test-clean": (40, 2_620),
        "test-other": (33, 2_939),
    }
)


def read(folder: Path) -> SampleSet:
    """Read all subsets: train-* and dev-* are for development, test-* for the test; a session is a chapter.

    Raises MmbioError for a missing or broken SPEAKERS.TXT, a speaker it does not name, and one who
    lies in a dev and in a test subset.
    """
    subsets = [entry for entry in subfolders(folder) if entry.name.partition("-")[0] in PARTS and "-" in entry.name]
    clips: dict[str, list[Path]] = {}
    unnamed = 0
    for subset in subsets:
        for speaker in subfolders(subset):
            for chapter in subfolders(speaker):
                for path in files(chapter, [".flac"]):
                    if _fits(path):
                        clips.setdefault(speaker.name, []).append(path)
                    else:
                        unnamed += 1
    _check_parts(folder, clips)
    labels = _read_speakers(folder, clips) if clips else {}
    samples = [
        _placed(sample)
        for speaker in sorted(clips, key=natural)
        for sample in samples_of("voice", folder, speaker, clips[speaker], labels[speaker])
    ]
    notes = [f"librispeech: {plural(unnamed, 'file')} not named SPEAKER-CHAPTER-NNNN.flac left out"] if unnamed else []
    n_speakers, n_clips = _published(subset.name for subset in subsets)
    return counted(
        "librispeech",
        folder,
        samples,
        layout="test-clean/SPEAKER/CHAPTER/SPEAKER-CHAPTER-NNNN.flac",
        n_subjects=n_speakers,
        n_samples=n_clips,
        nouns=("speaker", "clip"),
        notes=notes,
    )


def _fits(path: Path) -> bool:
    """True where a file bears the names of the folders it lies in."""
    match = NAME.fullmatch(path.stem)
    return match is not None and (match[1], match[2]) == (path.parents[1].name, path.parents[0].name)


def _placed(sample: Sample) -> Sample:
    subset, speaker, chapter, _ = sample.path.split("/")
    return replace(sample, session=f"{speaker}-{chapter}", part=PARTS[subset.partition("-")[0]])


def _published(subsets: Iterable[str]) -> tuple[int | None, int | None]:
    """The speakers and clips that these subsets have; None where one of them is not a published one."""
    known = [PUBLISHED.get(subset) for subset in subsets]
    found = [counts for counts in known if counts is not None]
    if len(found) < len(known):
        return None, None
    return sum(speakers for speakers, _ in found), sum(clips for _, clips in found)


def _check_parts(folder: Path, clips: Mapping[str, list[Path]]) -> None:
    for speaker, paths in clips.items():
        subsets = {path.parents[2].name for path in paths}
        if len({PARTS[subset.partition("-")[0]] for subset in subsets}) > 1:
            raise MmbioError(
                f"{folder}: speaker '{speaker}' lies in {' and '.join(sorted(subsets))}, where dev and test"
                " may not share a subject; take one of the speaker's folders away"
            )


def _read_speakers(folder: Path, wanted: Iterable[str]) -> dict[str, Label]:
    """Each speaker's gender from SPEAKERS.TXT, all of the `wanted` among them."""
    path = folder / SPEAKERS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no UTF-8 text"
        raise MmbioError(f"{path}: cannot be read ({reason}), and it says the speakers' genders; {CURE}") from error
    labels = {}
    for number, line in enumerate(lines, start=1):
        if line.startswith(";") or not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("|", maxsplit=4)]
        if len(cells) < 2 or cells[1] not in ("F", "M"):
            raise MmbioError(f"{path}: row {number} is '{line.strip()}', not 'ID | F or M | ...'; {CURE}")
        labels[cells[0]] = Label(cells[1])
    missing = sorted(set(wanted) - set(labels), key=natural)
    if missing:
        named = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise MmbioError(f"{path}: no row for {plural(len(missing), 'speaker')} ({named}); {CURE}")
    return labels
