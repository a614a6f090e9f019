"""pickled: what is looked at in a .pth file before torch's restricted loader reads it. Nothing is unpickled here.

torch 2.15 searches the message of a refused name with patterns whose time grows with the square of its length: a name
of a megabyte would take hours. And it unpacks compressed entries of any size.
"""

import io
import pickletools
import zipfile
from typing import Final

LONGEST: Final = 4096  # characters of a text; names of tensors have some tens
LEGACY: Final = 5  # pickles at the head of a file of torch before 1.6


def check(content: bytes) -> None:
    """Raise ValueError, BadZipFile or LookupError for a file that is not as torch.save writes it."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        if not content.startswith(b"\x80"):
            raise ValueError("neither a zip archive nor a pickle")
        _check_texts(io.BytesIO(content), LEGACY)
        return
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise ValueError("compressed entries")
        for entry in entries:
            if entry.filename.endswith(".pkl"):
                _check_texts(io.BytesIO(archive.read(entry)), 1)


def _check_texts(pickles: io.BytesIO, n: int) -> None:
    for _ in range(n):
        for _, argument, _ in pickletools.genops(pickles):
            if isinstance(argument, str | bytes) and len(argument) > LONGEST:
                raise ValueError(f"a text of {len(argument)} characters")
