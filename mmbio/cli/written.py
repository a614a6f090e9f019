"""written: what of a home folder is new or changed since a run began, whoever of its processes wrote it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from mmbio.cli.run_log import FOLDER

MOST: Final = 200  # lines of a log
TICK_S: Final = 0.02  # by which a disk's clock may lag


def told(home: Path, since: float) -> list[str]:
    """A heading, then the files and folders of a home, and of its folders, by name; `since` is a time.time()."""
    found = [f"{path.relative_to(home)}{os.sep if path.is_dir() else ''}" for path in _new(home, since - TICK_S)]
    more = [f"and {len(found) - MOST:,} more"] if len(found) > MOST else []
    return [f"written below {home}: {len(found) or 'nothing'}", *found[:MOST], *more]


def _new(home: Path, since: float) -> Iterator[Path]:
    for entry in _entries(home):
        if entry.is_dir() and entry.name != FOLDER:
            yield from (path for path in _entries(entry) if _is_new(path, since))
        elif entry.is_file() and _time(entry) >= since:
            yield entry


def _is_new(path: Path, since: float) -> bool:
    """Of a folder, whether anything in it was put there: a file that is written anew is, too."""
    if not path.is_dir():
        return _time(path) >= since
    return any(_time(Path(folder)) >= since for folder, _, _ in os.walk(path))


def _entries(folder: Path) -> list[Path]:
    """The entries of a folder by name, without locks, notes and what is being written."""
    with suppress(OSError):
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    return []


def _time(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0
