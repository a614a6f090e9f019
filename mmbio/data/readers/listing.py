"""Listing: the folders and files of a set, in natural order, as samples."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from mmbio.data.readers.labels import Label
from mmbio.data.samples import Sample
from mmbio.errors import MmbioError

IMAGES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".pgm"})
HEADERS: Final = frozenset({".hea"})


def natural(name: str) -> tuple[list[str | int], str]:
    """A sort key that puts `rec_2` before `rec_10`."""
    parts = re.split(r"([0-9]+)", name.lower())
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], name


def subfolders(folder: Path) -> list[Path]:
    """The folders inside a folder, hidden ones left out."""
    return [entry for entry in _entries(folder) if entry.is_dir()]


def files(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """The files inside a folder with one of these suffixes, in any case, hidden ones left out.

    Raises MmbioError for a file of zero bytes.
    """
    wanted = frozenset(suffixes)
    found = [entry for entry in _entries(folder) if entry.suffix.lower() in wanted and entry.is_file()]
    for path in found:
        if path.stat().st_size == 0:
            raise MmbioError(
                f"{path}: zero bytes where {what(path)} was expected; take it from the archive again, or delete it"
            )
    return found


def what(path: Path) -> str:
    """What a file of this suffix holds, in words for an error."""
    return "a WFDB header" if path.suffix.lower() in HEADERS else "an image"


def child(folder: Path, names: Iterable[str]) -> Path | None:
    """The first folder inside a folder that bears one of these names in any case, names in order of preference."""
    present = {entry.name.lower(): entry for entry in subfolders(folder)}
    return next((present[name.lower()] for name in names if name.lower() in present), None)


def samples_of(
    modality: str, root: Path, subject: str, paths: Iterable[Path], label: Label | None = None, *, suffix: bool = False
) -> list[Sample]:
    """One subject's files as samples, in the order given; `suffix` keeps the file's suffix in the sample's name."""
    found = []
    for order, path in enumerate(paths):
        relative = path.relative_to(root)
        name = relative if suffix else relative.with_suffix("")
        gender, age = (label.gender, label.age) if label else (None, None)
        found.append(Sample(modality, subject, name.as_posix(), order, relative.as_posix(), gender, age))
    return found


def _entries(folder: Path) -> list[Path]:
    try:
        visible = [entry for entry in folder.iterdir() if not entry.name.startswith((".", "__MACOSX"))]
    except OSError as error:
        raise MmbioError(
            f"{folder}: cannot be listed ({error.strerror}); give a readable folder with --data"
        ) from error
    return sorted(visible, key=lambda entry: natural(entry.name))
