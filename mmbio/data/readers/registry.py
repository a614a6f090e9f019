"""Registry: which sets there are, and which of them lie at a data root."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from mmbio.data.readers import ecg_id, faces, folders, fvc, librispeech, ptb, socofing, voxceleb
from mmbio.data.readers.listing import child
from mmbio.data.samples import SampleSet
from mmbio.errors import MmbioError


@dataclass(frozen=True)
class Reader:
    """A public set: its modality, its folder's names, and how it is read."""

    name: str
    modality: str
    folders: tuple[str, ...]  # as the set's own archives unpack; upper and lower case are the same
    read: Callable[[Path], SampleSet]
    about: str


VOXCELEB: Final = ("voxceleb", "voxceleb1", "voxceleb2", "vox1", "vox2")

# In each modality the first that is present is taken; of ECG sets, all.
READERS: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        "ecg-id": Reader(
            "ecg-id", "ecg", ("ecg-id-database-1.0.0", "ecgiddb"), ecg_id.read, "ECG-ID: 90 subjects, 310 records"
        ),
        "ptb": Reader(
            "ptb",
            "ecg",
            ("ptb-diagnostic-ecg-database-1.0.0", "ptbdb"),
            ptb.read,
            "PTB Diagnostic: 290 subjects, 549 records",
        ),
        "ecg-folders": Reader(
            "ecg-folders", "ecg", ("ecg",), folders.reader("ecg"), "your own: ecg/SUBJECT/*.hea and genders.csv"
        ),
        "faces95": Reader(
            "faces95", "face", ("faces95",), faces.read_faces95, "Faces95: 72 subjects, needs genders.csv"
        ),
        "faces94": Reader("faces94", "face", ("faces94",), faces.read_faces94, "Faces94: 153 subjects"),
        "faces96": Reader(
            "faces96", "face", ("faces96",), faces.read_faces96, "Faces96: 152 subjects, needs genders.csv"
        ),
        "face-folders": Reader(
            "face-folders", "face", ("face",), folders.reader("face"), "your own: face/SUBJECT/*.jpg and genders.csv"
        ),
        "voxceleb-face": Reader(
            "voxceleb-face", "face", VOXCELEB, voxceleb.read_face, "VoxCeleb1 and 2: the faces of 7,365 speakers"
        ),
        "fvc2006": Reader(
            "fvc2006", "finger", ("fvc2006",), fvc.read_fvc2006, "FVC2006: 140 fingers, 12 impressions each"
        ),
        "fvc2004": Reader(
            "fvc2004", "finger", ("fvc2004",), fvc.read_fvc2004, "FVC2004: 100 fingers, 8 impressions each"
        ),
        "fvc2002": Reader(
            "fvc2002", "finger", ("fvc2002",), fvc.read_fvc2002, "FVC2002: 100 fingers, 8 impressions each"
        ),
        "fvc2000": Reader(
            "fvc2000", "finger", ("fvc2000",), fvc.read_fvc2000, "FVC2000: 100 fingers, 8 impressions each"
        ),
        "socofing": Reader(
            "socofing", "finger", ("socofing",), socofing.read, "SOCOFing: 600 subjects, real and altered impressions"
        ),
        "librispeech": Reader(
            "librispeech", "voice", ("LibriSpeech",), librispeech.read, "LibriSpeech: chapters read by 2,484 speakers"
        ),
        "voxceleb": Reader(
            "voxceleb", "voice", VOXCELEB, voxceleb.read_voice, "VoxCeleb1 and 2: the voices of 7,365 speakers"
        ),
        "finger-folders": Reader(
            "finger-folders", "finger", ("finger",), folders.reader("finger"), "your own: finger/FINGER/*.png"
        ),
    }
)


def read_modality(where: Path, modality: str, name: str | None = None) -> tuple[SampleSet, ...]:
    """Read what a data root, or a set's folder itself, holds of one modality: all ECG sets, else the first set present.

    `name` picks one set of READERS. Raises MmbioError naming the root, the folders looked for and the cure.
    """
    if name is not None and (name not in READERS or READERS[name].modality != modality):
        known = ", ".join(reader.name for reader in READERS.values() if reader.modality == modality)
        raise MmbioError(f"set '{name}': no {modality} set of this name; choose from {known}")
    wanted = [reader for reader in READERS.values() if reader.modality == modality and name in (None, reader.name)]
    if not wanted:
        raise ValueError(f"no reader for modality {modality!r}")
    cure = f"give another root with --data, or --source {modality}=synthetic, or run `mmbio download synthetic`"
    if not where.is_dir():
        raise MmbioError(f"{where}: no such folder; {cure}")
    found = [(reader, folder) for reader in wanted if (folder := _folder(where, reader)) is not None]
    if not found:
        looked_for = ", ".join(folder for reader in wanted for folder in reader.folders)
        raise MmbioError(f"{where}: no {modality} set there (looked for the folders {looked_for}); {cure}")
    taken = found if modality == "ecg" else found[:1]
    return tuple(reader.read(folder) for reader, folder in taken)


def _folder(where: Path, reader: Reader) -> Path | None:
    itself = where.resolve().name.lower() in {name.lower() for name in reader.folders}
    return where if itself else child(where, reader.folders)
