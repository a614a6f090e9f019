"""Hashes: lists as sha256sum and md5sum write them, read as what a stranger sent."""

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from mmbio.data.fetch.parts import NOTE, SUFFIX
from mmbio.errors import MmbioError
from mmbio.files import OWNER

DIGITS: Final = {"md5": 32, "sha256": 64}
LARGEST: Final = 32 * 2**20  # bytes of a list
MOST: Final = 500_000  # files in a list
LONGEST_NAME: Final = 255  # bytes of a name, which is what disks hold
LONGEST_PATH: Final = 2_000  # bytes of a path below the set's folder
DEEPEST: Final = 32  # folders above a file
CURE: Final = "fetch it again, or give another address with --mirror"

_LINE: Final = re.compile(r"([0-9A-Fa-f]+)(?: [ *]?|\t)(\S.*)")


def parse(data: bytes, source: str, algorithm: str = "sha256") -> dict[str, str]:
    """Path below the set's folder -> `sha256:...` or `md5:...`, in the list's order.

    Takes one or two blanks, or a blank and a star, between hash and path; `source` names the list in errors.
    Raises MmbioError for a list that is too long or empty, a line of another form or length, a path that leaves the
    folder or that no disk holds, a path with two hashes, and a file that is also a folder.
    """
    if len(data) > LARGEST:
        raise MmbioError(
            f"{source}: {len(data)} bytes where at most {LARGEST} of a list of hashes were expected; {CURE}"
        )
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise MmbioError(f"{source}: not a list of hashes in UTF-8; {CURE}") from error
    found: dict[str, str] = {}
    for number, line in enumerate((text.removesuffix("\r") for text in lines), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        path, digest = _entry(line, f"{source} line {number}", algorithm)
        if found.setdefault(path, digest) != digest:
            raise MmbioError(f"{source} line {number}: a second hash for '{path}'; {CURE}")
        if len(found) > MOST:
            raise MmbioError(f"{source}: more than {MOST} files; {CURE}")
    if not found:
        raise MmbioError(f"{source}: no hashes where lines of HASH PATH were expected; {CURE}")
    _check_folders(found, source)
    return found


def safe_path(path: str) -> bool:
    """Whether a path of a list stays below the folder that it is meant for, and can be a file there.

    The names that mmbio has for its own files are not for others.
    """
    parts = path.split("/")
    return (
        path.isprintable()
        and "\\" not in path
        and not re.match(r"[A-Za-z]:", path)
        and len(parts) <= DEEPEST + 1
        and not any(part.casefold() in ("", ".", "..", OWNER) or part.casefold().startswith(".mmbio") for part in parts)
        and not any(len(part.encode()) > LONGEST_NAME for part in parts)
        and len(path.encode()) <= LONGEST_PATH
        and not path.endswith((SUFFIX, NOTE))
    )


def _entry(line: str, where: str, algorithm: str) -> tuple[str, str]:
    matched = _LINE.fullmatch(line) if len(line) <= 2 * LONGEST_PATH else None
    if matched is None or len(matched[1]) != DIGITS[algorithm]:
        shown = line if len(line) <= 80 and line.isprintable() else f"{ascii(line[:60])[1:-1]}..."
        raise MmbioError(f"{where}: '{shown}' where {DIGITS[algorithm]} hex digits and a path were expected; {CURE}")
    path = matched[2].removeprefix("./")
    if not safe_path(path):
        raise MmbioError(f"{where}: the path {path[:80]!a} is not one below the set's folder; {CURE}")
    return path, f"{algorithm}:{matched[1].lower()}"


def _check_folders(paths: Iterable[str], source: str) -> None:
    # With the lowest character between names, a folder's files come right behind a file of its name.
    ordered = sorted(path.replace("/", "\0") for path in paths)
    both = next((path for path, behind in pairwise(ordered) if behind.startswith(f"{path}\0")), None)
    if both is not None:
        shown = both.replace("\0", "/")
        raise MmbioError(f"{source}: '{shown}' is listed as a file and as a folder; {CURE}")
