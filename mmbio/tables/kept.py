"""kept: what files were made from, noted so that nothing is made again that stands there whole.

A note stands for one thing that was made (a figure, a table, a run, a page): the hash of everything that determines
it, its files by their content, files that it rests on by size and time, and what was told of it. A note that was
edited, and one of a file that is gone or changed, counts for nothing: the thing is made again.
"""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mmbio.files import Json, bytes_hash, content_hash, locked, write_text

FILE: Final = ".made.json"


@dataclass(frozen=True)
class Made:
    """What was made: its files, what is to be told of it as JSON gives it back, and files that it rests on."""

    files: tuple[Path, ...] = ()
    told: Any = None
    seen: tuple[Path, ...] = ()  # noted by size and time alone; of a folder, its entries


@dataclass(frozen=True)
class Notes:
    """The notes of a folder; what is made is noted when `save` is called."""

    folder: Path
    _found: dict[str, dict[str, Any]] = field(default_factory=dict, init=False, repr=False)
    _new: dict[str, dict[str, Any]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self._found.update(_read(self.folder / FILE))

    @property
    def is_new(self) -> bool:
        """True once anything was noted anew."""
        return bool(self._new)

    def told(self, name: str) -> Any:
        """What was told of a thing when it was made last, of whatever; None where it never was."""
        return self._found.get(name, {}).get("told")

    def find(self, name: str, of: Json) -> Made | None:
        """The thing as it stands, where it was made of just this and is whole."""
        note = self._found.get(name)
        if note is None or note["of"] != content_hash(of):
            return None
        seen = {self.folder / path: stamp for path, stamp in note["seen"].items()}
        files = {self.folder / path: sha for path, sha in note["files"].items()}
        with suppress(OSError):
            if all(_stamp(path) == stamp for path, stamp in seen.items()) and all(
                bytes_hash(path.read_bytes()) == sha for path, sha in files.items()
            ):
                return Made(tuple(files), note["told"], tuple(seen))
        return None

    def add(self, name: str, of: Json, made: Made) -> None:
        """Note a thing that was just made."""
        note = {
            "of": content_hash(of),
            "files": {self._relative(path): bytes_hash(path.read_bytes()) for path in made.files},
            "seen": {self._relative(path): _stamp(path) for path in made.seen},
            "told": made.told,
        }
        self._new[name] = note | {"hash": content_hash(note)}

    def keep(self, name: str, of: Json, make: Callable[[], Made]) -> Made:
        """The thing as it stands, or made now and noted."""
        found = self.find(name, of)
        if found is None:
            found = make()
            self.add(name, of, found)
        return found

    def save(self) -> None:
        """Write what was noted, beside what others have noted since."""
        if not self._new:
            return
        path = self.folder / FILE
        with locked(path.with_name(f"{FILE}.lock")):
            now = dict(sorted((_read(path) | self._new).items()))
            write_text(path, json.dumps(now, allow_nan=False) + "\n")

    def _relative(self, path: Path) -> str:
        return Path(os.path.relpath(path, self.folder)).as_posix()


def write_changed(path: Path, text: str) -> None:
    """Write a text file unless it holds just this text, so that it keeps its time."""
    with suppress(OSError):
        if path.read_bytes() == text.encode():
            return
    write_text(path, text)


def _stamp(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """The notes that are as they were written; of a file that is not there, or damaged, none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {name: note for name, note in found.items() if _is_whole(note)} if isinstance(found, dict) else {}


def _is_whole(note: object) -> bool:
    if not isinstance(note, dict):
        return False
    rest: dict[str, Any] = {key: value for key, value in note.items() if key != "hash"}
    with suppress(ValueError):
        return note.get("hash") == content_hash(rest)
    return False
