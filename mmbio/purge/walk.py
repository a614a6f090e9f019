"""Walk: all that lies below a folder, through links too, which lead to stores on other disks."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path


def below(
    folder: Path,
    failed: Callable[[Path, str], None] = lambda _path, _why: None,
    stays: Callable[[Path], bool] = lambda _path: False,
) -> Iterator[Path]:
    """The entries below a folder, each folder once, in order; `failed` is told what could not be listed, and why.

    A link to a folder that holds `folder` is not followed, and told. Nothing in a folder that `stays` is listed.
    """
    if not folder.is_dir():
        return
    above = {_identity(parent) for parent in folder.resolve().parents}
    seen = {_identity(folder)}

    def broken(error: OSError) -> None:
        failed(Path(os.fsdecode(error.filename)), error.strerror or str(error))

    for here, folders, files in os.walk(folder, onerror=broken, followlinks=True):
        kept = []
        for name in sorted(folders):
            path = Path(here, name)
            yield path
            try:
                identity = _identity(path)
            except OSError as error:
                failed(path, error.strerror or str(error))
                continue
            if identity in above:
                failed(path, "a link to a folder above")
            elif identity not in seen and not stays(path):
                seen.add(identity)
                kept.append(name)
        folders[:] = kept
        yield from (Path(here, name) for name in sorted(files))


def _identity(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_dev, stat.st_ino
