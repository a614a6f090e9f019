"""Aside: how a thing goes in one step, wherever its bytes are, so that a kill leaves nothing that is half there."""

import errno
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from mmbio.files import private_folder

ASIDE: Final = ".purging"  # below the home: what was moved there is gone, and its bytes are being removed
_THING: Final = "gone"
_LINK: Final = "elsewhere"  # to what had to stay on another disk


def gone(path: Path, home: Path) -> None:
    """Move a thing aside in one step, then remove it; of a link, what it leads to and then the link.

    What a kill leaves aside, `empty` removes: below the home, or on the thing's own disk, to which a link then leads.
    """
    private_folder(home / ASIDE)
    target = path.resolve()
    note = Path(tempfile.mkdtemp(dir=home / ASIDE))
    with suppress(FileNotFoundError):  # another run took it away meanwhile
        try:
            target.rename(note / _THING)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            other = target.parent / f"{ASIDE}.{note.name}"
            (note / _LINK).symlink_to(other)
            target.rename(other)
    if path.is_symlink():
        path.unlink()
    empty(home)


def empty(home: Path) -> None:
    """Remove what lies aside of a home."""
    for link in (home / ASIDE).glob(f"*/{_LINK}"):
        other = link.readlink()
        if other.name == f"{ASIDE}.{link.parent.name}":  # no link of another's making
            _removed(other)
    _removed(home / ASIDE)


def _removed(path: Path) -> None:
    with suppress(FileNotFoundError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
