"""Arrival: how files come into a set's folder, all of them or none."""

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from mmbio.errors import MmbioError
from mmbio.files import MANY, locked, private_folder, replacing, sync_entry


def alone(root: Path, folder: str) -> AbstractContextManager[None]:
    """Hold a set's folder below a data root; sets that share it, or lie in one another's, wait for each other."""
    return locked(root / f".{folder.split('/')[0]}.lock")


@contextmanager
def arriving(target: Path) -> Iterator[Path]:
    """A folder beside `target` to be made and filled, whose files come into `target` when the block ends well.

    A target that is not there, or is empty, appears in one step. Into one that is there the files move one by one,
    each replacing its namesake; a run that is killed then is mended by running it again. After an exception nothing
    has changed. A link stays one, and the files come to the disk that it leads to. Beside the folder that is given
    there is room for other files, which go when the block ends. The caller holds the folder, by `alone`.
    Raises MmbioError where a file stands where a folder is wanted, or the reverse.
    """
    target = target.resolve()
    own_disk = target.is_dir() and target.is_mount()
    if own_disk or (target.is_dir() and any(target.iterdir())):
        staging = (target if own_disk else target.parent) / f".{target.name}.arriving"
        with replacing(staging) as scratch:
            yield scratch
        _merge(staging, target)
    else:
        with replacing(target) as scratch:
            yield scratch


def _merge(staging: Path, target: Path) -> None:
    if not staging.is_dir():
        raise MmbioError(f"{target}: another run took away what was to come here; run the command again")
    try:
        files = [path.relative_to(staging) for path in sorted(staging.rglob("*")) if not path.is_dir()]
        for file in files:
            above = next(target / p for p in file.parents if (target / p).exists())
            if not above.is_dir() or (target / file).is_dir():
                raise MmbioError(
                    f"{target / file}: a file stands where a folder is wanted, or the reverse; move it away"
                )
        for file in files:
            private_folder((target / file).parent)
            (staging / file).replace(target / file)
        _sync_folders({folder for file in files for folder in (target / file).parents if folder.is_relative_to(target)})
    except OSError as error:
        raise MmbioError(f"{target}: could not be written ({error.strerror}); give a writable folder") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _sync_folders(folders: Collection[Path]) -> None:
    if len(folders) > MANY:
        os.sync()
        return
    for folder in folders:
        sync_entry(folder)
