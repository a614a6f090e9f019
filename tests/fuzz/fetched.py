"""Targets that come with a download: lists of hashes, records of what was fetched, archives."""

import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mmbio.data.fetch import archives, contents, hashes, lock
from mmbio.data.fetch.limits import Limits
from mmbio.data.fetch.parts import Part
from tests.fuzz.target import Target, written

LIMITS: Final = Limits(members=100, total=1 << 20, file=1 << 20, slack=1 << 16)
FILES: Final = {"set/a.txt": b"abc" * 20, "set/deep/b.bin": bytes(range(50)), "set/\u00e9": b""}
ENTRY: Final = {"url": "https://x.org/a", "sha256": "0" * 64, "size": 1, "date": "2026-01-01", "verified": "first use"}


def zipped(method: int) -> bytes:
    """A zip archive of FILES."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in FILES.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def tarred(mode: str, form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar archive of FILES."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=form) as archive:  # type: ignore[call-overload]
        for name, data in FILES.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def headed(data: bytes) -> bytes:
    """A tar whose headers have the checksums of what they hold, as far as there are headers."""
    blocks = [data[i : i + 512] for i in range(0, len(data), 512)]
    for i, block in enumerate(blocks):
        if block[257:262] == b"ustar" and len(block) == 512:
            total = sum(block[:148]) + sum(block[156:]) + 8 * 32
            blocks[i] = block[:148] + b"%06o\0 " % total + block[156:]
    return b"".join(blocks)


def archive(name: str, mend: Callable[[bytes], bytes] = bytes) -> Callable[[bytes, Path], None]:
    """Unpack an archive of this name; nothing may lie beside its target."""

    def run(data: bytes, scratch: Path) -> None:
        path = written(scratch, name, mend(data))
        try:
            files = archives.unpack(path, scratch / "target", LIMITS)
            assert all(file.is_file() and file.is_relative_to(scratch / "target") for file in files), files
        finally:
            shutil.rmtree(scratch / "target", ignore_errors=True)
            left = {entry.name for entry in scratch.iterdir()} - {name}
            assert not left, left

    return run


def sums(data: bytes, scratch: Path) -> None:
    """A list of hashes, all of whose paths lie below the folder."""
    root = scratch.resolve()
    for path in hashes.parse(data, "SHA256SUMS.txt"):
        assert (root / path).resolve().is_relative_to(root), path


def fetched(data: bytes, scratch: Path) -> None:
    """The record of downloads."""
    written(scratch, lock.NAME, data)
    lock.read(scratch)


def placed(data: bytes, scratch: Path) -> None:
    """The list of what a set holds."""
    path = contents.path_of(scratch, "set")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    contents.read(scratch, "set")


def part(data: bytes, scratch: Path) -> None:
    """The note beside a part of a file."""
    found = Part(scratch / "a")
    found.note.write_bytes(data)
    origin = found.origin()
    str(origin and origin.validator)


def note(data: bytes, scratch: Path) -> None:
    """The note of what an archive brought."""
    archives.note_of(scratch / "a.zip").write_bytes(data)
    archives.brought(scratch / "a.zip")


TARGETS = {
    "hashes": Target(
        sums, lambda: [b"%s  a/b.txt\n%s *c.hea\n" % (b"0" * 64, b"aB" * 32), b"# none\n" + b"1" * 64 + b" ./d\r\n"]
    ),
    "lock": Target(fetched, lambda: [json.dumps({"version": lock.VERSION, "files": {"a/b": ENTRY}}).encode()]),
    "contents": Target(placed, lambda: [b"path,size,sha256\na/b,12," + b"0" * 64 + b"\n"]),
    "part-note": Target(part, lambda: [b'{"url": "https://x.org/a", "etag": "\\"e\\"", "modified": null, "size": 12}']),
    "unpacked-note": Target(note, lambda: [b'{"sha256": "0", "files": {"a": 1, "../b": 2}}']),
    "archive-zip": Target(archive("x.zip"), lambda: [zipped(zipfile.ZIP_STORED), zipped(zipfile.ZIP_DEFLATED)]),
    "archive-tar": Target(
        archive("x.tar", headed),
        lambda: [tarred("w"), tarred("w", tarfile.GNU_FORMAT), tarred("w", tarfile.USTAR_FORMAT)],
    ),
    "archive-tar-compressed": Target(archive("x.tar.gz"), lambda: [tarred("w:gz"), tarred("w:xz"), tarred("w:bz2")]),
}
