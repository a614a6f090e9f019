"""Records: what mmbio download notes of each file at a data root, without people who went."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

from mmbio.data.fetch import contents, lock
from mmbio.files import locked, write_json, write_text
from mmbio.purge.marks import is_distinctive


def forget(root: Path, names: Iterable[str]) -> None:
    """Drop the entries of files whose path leads through one of some names; a name such as 84 is no path."""
    wanted = {name for name in names if is_distinctive(name)}
    if not wanted or not (root / lock.NAME).is_file():
        return
    with locked(root / f".{lock.NAME}.lock"):
        before = lock.read(root)
        after = {path: entry for path, entry in before.items() if wanted.isdisjoint(path.split("/"))}
        for path in sorted((root / contents.FOLDER).glob("*.csv")):
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if wanted.isdisjoint(line.rsplit(",", 2)[0].strip('"').split("/"))]
            if len(kept) < len(lines):
                text = "".join(kept)
                write_text(path, text)
                name, data = path.relative_to(root).as_posix(), text.encode()
                if name in after:
                    after[name] = replace(after[name], sha256=hashlib.sha256(data).hexdigest(), size=len(data))
        if after != before:
            files = {path: asdict(entry) for path, entry in sorted(after.items())}
            write_json(root / lock.NAME, {"version": lock.VERSION, "files": files})
