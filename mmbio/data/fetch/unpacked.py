"""Unpacked: which files an archive brought, so that the archive itself need not be kept."""

import json
from collections.abc import Iterable
from pathlib import Path

from mmbio.files import write_json


def note_of(archive: Path) -> Path:
    """Where it is noted what an archive brought."""
    return archive.with_name(f".{archive.name}.unpacked.json")


def remember(archive: Path, sha256: str, files: Iterable[Path]) -> None:
    """Note the files that an archive brought; they lie below its folder."""
    sizes = {path.relative_to(archive.parent).as_posix(): path.stat().st_size for path in files}
    write_json(note_of(archive), {"sha256": sha256, "files": dict(sorted(sizes.items()))})


def n_files(archive: Path, sha256: str) -> int | None:
    """How many files an archive of this content brought, None where one of them is missing or of another size."""
    try:
        note = json.loads(note_of(archive).read_text(encoding="utf-8"))
        whole = note["sha256"] == sha256 and all(_is(archive.parent / k, size) for k, size in note["files"].items())
        return len(note["files"]) if whole else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _is(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
