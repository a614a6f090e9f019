"""VoxCeleb1 and 2: {wav,aac,mp4}/id10270/VIDEO/00001.wav, .m4a or .mp4; unzippedFaces/NAME/1.6/VIDEO/0001375.jpg.

A sample is named SUBJECT/VIDEO/FILE as the trial lists name it, so a clip's face and voice have
one name but for the suffix: `id00017/01dfn2spqyE/00001.mp4` and `.m4a`. VoxCeleb1's faces are
single frames, one a second of video, which only share a session with the voice's clips.
"""

import csv
import io
import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from mmbio.data.readers.counts import counted
from mmbio.data.readers.labels import GENDERS
from mmbio.data.samples import Sample, SampleSet
from mmbio.errors import MmbioError
from mmbio.words import plural

NAME: Final = "voxceleb"
SUBJECT: Final = re.compile(r"id[0-9]{5}")
PART: Final = re.compile(r"(?:vox(?:celeb)?[12]?_?)?(dev|test)(?:_(?:wav|aac|mp4|txt))?", re.IGNORECASE)
FACES: Final = "unzippedFaces"
SCALE: Final = "1.6"  # the folder between a name and its videos: by how much faces were cropped wider
DEPTH: Final = 5  # folders from the given one down to a subject's at most
META: Final[Mapping[str, str]] = MappingProxyType({"vox1_meta.csv": "VoxCeleb1 ID", "vox2_meta.csv": "VoxCeleb2 ID"})
FACE_NAME: Final = "VGGFace1 ID"
# Of a clip's files the first kind is taken.
VOICE_FILES: Final = (".wav", ".m4a", ".mp4")
CLIP_FILES: Final = (".mp4",)
FRAME_FILES: Final = (".jpg",)


@dataclass(frozen=True)
class _Row:
    """What a metadata file says of a subject."""

    gender: str
    part: str
    face_name: str


@dataclass(frozen=True)
class _Found:
    """What lies in a folder: (subject, its folder, the part that folders above say), and metadata files."""

    subjects: list[tuple[str, str, str]] = field(default_factory=list)
    named: list[tuple[str, str, str]] = field(default_factory=list)  # by name where a subject is by number
    meta: list[Path] = field(default_factory=list)


def read_voice(folder: Path) -> SampleSet:
    """Read the voices: of each clip its wav, else its m4a, else its mp4's own sound.

    Subjects, sessions (videos) and parts are told by folders and by the metadata files in the
    folder, below it down to the subjects, or beside it. Raises MmbioError for a subject in both
    parts or in neither, a clip that is there twice, and metadata that cannot be read.
    """
    return _read(folder, "voice", "{wav,aac,mp4}/id10270/VIDEO/00001.wav, .m4a or .mp4")


def read_face(folder: Path) -> SampleSet:
    """Read the faces: mp4 clips, and unzippedFaces by the names in vox1_meta.csv; all else as `read_voice`."""
    return _read(folder, "face", f"mp4/id00017/VIDEO/00001.mp4 and no {FACES}/NAME/{SCALE}/VIDEO/0001375.jpg")


def _read(folder: Path, modality: str, layout: str) -> SampleSet:
    found = _Found()
    beside = folder.absolute().parent
    found.meta.extend(beside / name for name in META if (beside / name).is_file())
    _walk(folder, "", "", found)
    rows: dict[str, _Row] = {}
    for path in found.meta:
        _read_meta(path, rows)
    suffixes = VOICE_FILES if modality == "voice" else CLIP_FILES
    trees = [(subject, below, suffixes) for subject, below, _ in found.subjects]
    if modality == "face":
        numbers = {row.face_name: subject for subject, row in rows.items() if row.face_name}
        trees += [(_number(folder, name, numbers), below, FRAME_FILES) for name, below, _ in found.named]
    files = _chosen(folder, trees)
    subjects = list(dict.fromkeys(clip.partition("/")[0] for clip in files))
    parts = _parts(folder, subjects, rows, found)
    samples = list(_samples(modality, files, rows, parts))
    return counted(NAME, folder, samples, layout=layout, notes=_notes(modality, samples, subjects, rows))


def _walk(folder: Path, below: str, part: str, found: _Found) -> None:
    """Collect the subjects' folders and the metadata files of a folder."""
    for entry in _entries(folder / below):
        path = f"{below}/{entry.name}" if below else entry.name
        if not entry.is_dir():
            if entry.name in META:
                found.meta.append(folder / path)
        elif SUBJECT.fullmatch(entry.name):
            found.subjects.append((entry.name, path, part))
        elif entry.name == FACES:
            found.named.extend((person.name, f"{path}/{person.name}/{SCALE}", part) for person in _folders(entry))
        elif path.count("/") < DEPTH - 1:
            told = PART.fullmatch(entry.name)
            _walk(folder, path, told[1].lower() if told else part, found)


def _chosen(folder: Path, trees: Collection[tuple[str, str, tuple[str, ...]]]) -> dict[str, str]:
    """The file of each clip, below the folder, by the clip's name SUBJECT/VIDEO/CLIP, sorted by it."""
    ranked: dict[str, tuple[int, str]] = {}
    for subject, below, suffixes in trees:
        for video in _folders(folder / below):
            for entry in _entries(video):
                stem, dot, ending = entry.name.rpartition(".")
                suffix = dot + ending.lower()
                if suffix not in suffixes or not entry.is_file():
                    continue
                clip = f"{subject}/{video.name}/{stem}"
                new = (suffixes.index(suffix), f"{below}/{video.name}/{entry.name}")
                old = ranked.get(clip, new)
                if old[0] == new[0] and old != new:
                    raise MmbioError(f"{folder}: the same clip lies at {old[1]} and at {new[1]}; keep one of them")
                ranked[clip] = min(old, new)
    return {clip: path for clip, (_, path) in sorted(ranked.items())}


def _parts(folder: Path, subjects: Collection[str], rows: Mapping[str, _Row], found: _Found) -> dict[str, str]:
    """The part of each subject: what its Set column and the folders above it say together."""
    told: dict[str, set[str]] = defaultdict(set)
    numbers = {row.face_name: subject for subject, row in rows.items()}
    for subject, _, part in (*found.subjects, *((numbers.get(name, ""), *rest) for name, *rest in found.named)):
        told[subject] |= {part} - {""}
    own = PART.fullmatch(folder.absolute().name)
    for subject in subjects:
        told[subject] |= {rows[subject].part} if subject in rows else set()
        if not told[subject] and own:
            told[subject] = {own[1].lower()}
        if len(told[subject]) > 1:
            raise MmbioError(
                f"{folder}: subject '{subject}' is in both dev and test, by the folders above it and the Set column "
                "of its metadata; keep it in one of them"
            )
    untold = [subject for subject in subjects if not told[subject]]
    if untold:
        raise MmbioError(
            f"{folder}: no {' or '.join(META)} and no folder such as vox1_dev_wav says whether {_some(untold)} "
            "are dev or test; put the set's metadata file into the folder"
        )
    return {subject: told[subject].pop() for subject in subjects}


def _samples(
    modality: str, files: Mapping[str, str], rows: Mapping[str, _Row], parts: Mapping[str, str]
) -> Iterator[Sample]:
    orders: dict[str, int] = defaultdict(int)
    for clip, path in files.items():
        session, _, _ = clip.rpartition("/")
        subject, _, _ = clip.partition("/")
        name = f"{session}/{path.rpartition('/')[2]}"
        gender = rows[subject].gender if subject in rows else None
        yield Sample(modality, subject, name, orders[subject], path, gender, session=session, part=parts[subject])
        orders[subject] += 1


def _notes(
    modality: str, samples: Collection[Sample], subjects: Collection[str], rows: Mapping[str, _Row]
) -> list[str]:
    notes = []
    n_mp4 = sum(sample.path.lower().endswith(".mp4") for sample in samples) if modality == "voice" else 0
    if n_mp4:
        notes.append(f"{NAME}: voice from the mp4's own sound for {plural(n_mp4, 'clip')} without a wav or m4a")
    unlisted = [subject for subject in subjects if subject not in rows]
    if unlisted:
        notes.append(f"{NAME}: no gender for {_some(unlisted)}, which no metadata file lists")
    return notes


def _read_meta(path: Path, rows: dict[str, _Row]) -> None:
    """Add the rows of a metadata file, tabs or commas between columns and blanks around them.

    Raises MmbioError naming the file, the row (1 is the head line) and the value.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        tab = "\t" if "\t" in text.partition("\n")[0] else ","
        table = [[cell.strip() for cell in cells] for cells in csv.reader(io.StringIO(text, newline=""), delimiter=tab)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MmbioError(f"{path}: not a readable CSV file ({error}); take it from the set's page again") from error
    columns = table[0] if table else []
    number = META[path.name]
    if not {number, "Gender", "Set"} <= set(columns):
        raise MmbioError(
            f"{path}: row 1 is '{','.join(columns)}', without one of {number}, Gender and Set; "
            "take it from the set's page again"
        )
    for line, cells in enumerate(table[1:], start=2):
        if not any(cells):
            continue
        row = dict(zip(columns, cells, strict=False))
        subject, gender, part = row.get(number, ""), row.get("Gender", "").lower(), row.get("Set", "").lower()
        if not SUBJECT.fullmatch(subject) or gender not in GENDERS or part not in ("dev", "test"):
            raise MmbioError(
                f"{path}: row {line} is '{','.join(cells)}' where an id such as id10001, a gender m or f and "
                "a set dev or test were expected; mend it"
            )
        new = _Row(GENDERS[gender], part, row.get(FACE_NAME, ""))
        if rows.setdefault(subject, new) != new:
            raise MmbioError(f"{path}: row {line}: '{subject}' has another row that says otherwise; keep one of them")


def _number(folder: Path, name: str, numbers: Mapping[str, str]) -> str:
    if name not in numbers:
        raise MmbioError(
            f"{folder}: no {FACE_NAME} '{name}', as a folder of {FACES} is called, in a vox1_meta.csv; "
            "put that file into the folder"
        )
    return numbers[name]


def _some(subjects: Collection[str]) -> str:
    """A number of subjects and the first of them: `2 subjects (id10001, id10002)`."""
    named = ", ".join(sorted(subjects)[:5]) + (", ..." if len(subjects) > 5 else "")
    return f"{plural(len(subjects), 'subject')} ({named})"


def _folders(folder: Path | os.DirEntry[str]) -> list[os.DirEntry[str]]:
    return [entry for entry in _entries(folder) if entry.is_dir()]


def _entries(folder: Path | os.DirEntry[str]) -> list[os.DirEntry[str]]:
    """What lies in a folder, by name, hidden entries left out; a folder takes one call whatever is in it."""
    try:
        with os.scandir(folder) as entries:
            visible = [entry for entry in entries if not entry.name.startswith((".", "__MACOSX"))]
    except OSError as error:
        raise MmbioError(f"{Path(folder)}: cannot be listed ({error.strerror}); give a readable folder") from error
    return sorted(visible, key=lambda entry: entry.name)
