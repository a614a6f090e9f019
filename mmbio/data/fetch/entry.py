"""Entry: what an archive says it holds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO


@dataclass(frozen=True)
class Entry:
    """A file or folder of an archive, in the archive's own words, none of them checked."""

    name: str
    folder: bool
    size: int  # bytes
    open: Callable[[], IO[bytes]]
