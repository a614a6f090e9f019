"""Records: the ECG records of subject folders, as samples."""

from collections.abc import Iterable
from pathlib import Path

from mmbio.data.readers.headers import read_header
from mmbio.data.readers.listing import HEADERS, files
from mmbio.data.samples import Sample
from mmbio.errors import MmbioError


def record_samples(root: Path, folders: Iterable[Path]) -> list[Sample]:
    """One sample a WFDB record, its subject the folder's name, gender and age from its header or None.

    Raises MmbioError for a header that cannot be read and a subject whose records differ in sex.
    """
    samples = []
    for folder in folders:
        said = set()
        for order, path in enumerate(files(folder, HEADERS)):
            header = read_header(path)
            if header.gender:
                said.add(header.gender)
            if len(said) > 1:
                raise MmbioError(
                    f"{path}: sex {header.gender} where other records of the same subject have another; "
                    "take the subject's folder from the set's archive again"
                )
            relative = path.relative_to(root)
            name = relative.with_suffix("").as_posix()
            samples.append(Sample("ecg", folder.name, name, order, relative.as_posix(), header.gender, header.age))
    return samples
