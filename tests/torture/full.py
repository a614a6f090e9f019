"""Full: a disk that takes no more, by a limit on the size of a file, and really, on a small disk in memory."""

import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.torture.chain import ended, start
from tests.torture.steps import Place, Step

TRIES: Final = 50
PAGE: Final = 4  # KiB


def limited(place: Place, step: Step, n_bytes: int) -> tuple[int, str]:
    """Run a step that can make no file longer than n_bytes; its exit code and what it said."""
    return ended(start(step, place, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))), place)


@contextmanager
def small_disk(folder: Path, kib: int) -> Iterator[bool]:
    """Mount a disk in memory of this size at `folder`; yields whether this user may."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = _mount("-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder))
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


def resize(folder: Path, kib: int) -> None:
    """Give a small disk another size."""
    assert _mount("-o", f"remount,size={kib}k", str(folder))


def leave(folder: Path, spare: int) -> None:
    """Leave so many KiB on a small disk; again where somebody still wrote while it was looked at.

    A page at least: a size of 0 stands for no limit, and none can be set after it.
    """
    for _ in range(TRIES):
        if _mount("-o", f"remount,size={max(PAGE, used(folder) + spare)}k", str(folder)):
            return
        time.sleep(0.2)
    raise AssertionError(f"{folder} takes no other size")


def used(folder: Path) -> int:
    """KiB used on a small disk."""
    told = subprocess.run(["df", "--output=used", str(folder)], check=True, capture_output=True, text=True).stdout
    return int(told.split()[-1])


def _mount(*words: str) -> bool:
    try:
        return subprocess.run(["mount", *words], check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False
