"""Parts: what has come of a file, beside its place, and which remote file it is a part of."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Final

SUFFIX: Final = ".part"
NOTE: Final = ".part.json"


@dataclass(frozen=True)
class Origin:
    """The remote file that a part was begun from; None where the server does not say."""

    url: str
    etag: str | None = None
    modified: str | None = None
    size: int | None = None

    @property
    def validator(self) -> str | None:
        """What If-Range can hold: a strong ETag, else the time of the last change."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified


@dataclass(frozen=True)
class Part:
    """The part of `target` that is here, in `target`.part, with a note of its origin beside it."""

    target: Path

    @property
    def path(self) -> Path:
        """Where the bytes are."""
        return self.target.with_name(self.target.name + SUFFIX)

    @property
    def note(self) -> Path:
        """Where the origin is noted."""
        return self.target.with_name(self.target.name + NOTE)

    @property
    def size(self) -> int:
        """Bytes that are here."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def origin(self) -> Origin | None:
        """The origin as noted, None where there is none or the note is damaged."""
        try:
            value = json.loads(self.note.read_text(encoding="utf-8"))
            found = Origin(**value)
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        texts = (found.url, found.etag or "", found.modified or "")
        whole = found.size is None or (isinstance(found.size, int) and found.size >= 0)
        fits = all(isinstance(text, str) and text.isprintable() for text in texts)
        return found if fits and whole else None

    def begin(self, origin: Origin) -> BinaryIO:
        """Empty the part, note whence it comes, and open it; each write reaches the system at once."""
        handle = self.path.open("wb", buffering=0)
        self.note.write_text(json.dumps(asdict(origin)), encoding="utf-8")
        return handle

    def go_on(self) -> BinaryIO:
        """Open the part at its end."""
        return self.path.open("ab", buffering=0)

    def remove(self) -> None:
        """Remove part and note."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)
