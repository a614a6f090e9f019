"""The code as part of a result's identity: a change of a room's source makes its results new ones."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from mmbio.files import bytes_hash


@cache
def _hash(room: str) -> str:
    package = Path(__file__).parent
    shared = [package / "protocols.py", package / "conditions.py"]
    sources = [*shared, *sorted((package / room).rglob("*.py"))]
    return bytes_hash(*(path.read_bytes() for path in sources))


def code_hashes(rooms: Iterable[str]) -> dict[str, str]:
    """room -> 16 hex digits of its source files, with the shared files that it reads."""
    return {room: _hash(room) for room in rooms}
