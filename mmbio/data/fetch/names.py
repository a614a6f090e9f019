"""Names: which path an archive's entry may take, whoever wrote the archive."""

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Final

from mmbio.data.fetch.limits import Limits
from mmbio.errors import MmbioError

DRIVE: Final = re.compile(r"[A-Za-z]:")
UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control, format, surrogate, line and paragraph separator
LONGEST: Final = 255  # bytes of one name, as file systems have it
CURE: Final = "download it again from the set's page, or unpack it with care and give the folder"


class Names:
    """The paths that an archive's entries have taken so far."""

    def __init__(self, archive: str, limits: Limits) -> None:
        self._archive = archive
        self._limits = limits
        self._n = 0
        self._files: set[str] = set()  # folded
        self._folders: set[str] = set()

    def take(self, name: str, folder: bool) -> PurePosixPath | None:
        """The relative path of an entry, None for the top folder itself.

        Bytes that are no UTF-8 are read as Latin-1. Raises MmbioError for a name that leads out of the folder,
        that file systems read differently, or that is taken, in upper or lower case and however it is composed.
        """
        self._n += 1
        if self._n > self._limits.members:
            raise MmbioError(f"{self._archive}: has more than {self._limits.members:,} entries; {CURE}")
        text = _decoded(name)
        wrong = self._wrong(text)
        if wrong:
            raise MmbioError(f"{self._archive}: the entry {_shown(name)} {wrong}; {CURE}")
        parts = [part for part in text.split("/") if part not in ("", ".")]
        if not parts:
            if folder:
                return None
            raise MmbioError(f"{self._archive}: the entry {_shown(name)} is a file without a name; {CURE}")
        self._reserve(name, parts, folder)
        return PurePosixPath(*parts)

    def _wrong(self, text: str) -> str | None:
        """What is wrong with a name, as the rest of a sentence."""
        parts = [part for part in text.split("/") if part not in ("", ".")]
        limits = self._limits
        faults = (
            (text.startswith("/"), "has an absolute path"),
            (".." in parts, "leads out of the folder with '..'"),
            ("\\" in text, "has a backslash, which some systems take for a folder"),
            (DRIVE.match(text), "begins with a drive letter"),
            (any(unicodedata.category(c) in UNSEEN for c in text), "has a control character"),
            (any(part[-1] in ". " for part in parts), "ends with a dot or a blank, which some systems drop"),
            (_bytes(text) > limits.path or any(_bytes(p) > LONGEST for p in parts), "has a name that is too long"),
            (len(parts) - 1 > limits.depth, f"lies below more than {limits.depth} folders"),
        )
        return next((words for wrong, words in faults if wrong), None)

    def _reserve(self, name: str, parts: list[str], folder: bool) -> None:
        folded = [_folded(part) for part in parts]
        own = "/".join(folded)
        above = {"/".join(folded[:i]) for i in range(1, len(folded))}
        taken = own in self._files if folder else own in self._files or own in self._folders
        if taken or not above.isdisjoint(self._files):
            raise MmbioError(
                f"{self._archive}: the entry {_shown(name)} takes the place of another, in upper or lower case; {CURE}"
            )
        self._folders |= above
        (self._folders if folder else self._files).add(own)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _folded(part: str) -> str:
    """What two names have in common that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKD", part).casefold())


def _decoded(name: str) -> str:
    """The name as text: bytes that were kept as surrogates because they are no UTF-8 become Latin-1."""
    try:
        return name if name.isascii() else name.encode("utf-8").decode("utf-8")
    except UnicodeEncodeError:
        try:
            return name.encode("utf-8", "surrogateescape").decode("latin-1")
        except UnicodeEncodeError:  # surrogates that stand for no byte
            return name


def _shown(name: str) -> str:
    """A name fit for a terminal, in quotes."""
    text = ascii(name)
    return text if len(text) <= 80 else f"{text[:60]}...{text[-1]}"
