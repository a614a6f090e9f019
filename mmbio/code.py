"""The code and libraries as part of a result's identity: a change of either makes results new ones."""

from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path

from mmbio.files import bytes_hash

PACKAGE = Path(__file__).parent
SHARED = ("protocols.py", "conditions.py")
# What these make is hashed by content, in the manifest, or moves no figure.
APART = ("data/fetch", "data/readers", "data/synthetic", "measure/leaks")


@cache
def _hash(place: str) -> str:
    found = sorted((PACKAGE / place).rglob("*.py")) if (PACKAGE / place).is_dir() else [PACKAGE / place]
    sources = [p for p in found if place in APART or not p.relative_to(PACKAGE).as_posix().startswith(APART)]
    chunks = [
        [str(p.relative_to(PACKAGE)).encode(), p.read_bytes()] for p in [*(PACKAGE / s for s in SHARED), *sources]
    ]
    return bytes_hash(*(chunk for pair in chunks for chunk in pair))


def code_hashes(places: Iterable[str]) -> dict[str, str]:
    """Room, or file of the package -> 16 hex digits of its source, with the shared files that it reads."""
    return {place: _hash(place) for place in places}


def library_versions(names: Iterable[str]) -> dict[str, str]:
    """Library -> its version, without a build tag."""
    return {name: version(name).partition("+")[0] for name in names}
