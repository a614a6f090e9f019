"""All targets by name: each reader of mmbio that takes a file or text from outside."""

import importlib
from collections.abc import Mapping
from typing import Final

from tests.fuzz.target import Target

# Modules with a table TARGETS, what imports slowly last.
ROOMS: Final = ("texts", "arrays", "media", "stored", "fetched", "networks")


def find(name: str) -> Target:
    """The target of this name; no more is imported than it takes."""
    for room in ROOMS:
        found = _room(room).get(name)
        if found is not None:
            return found
    raise KeyError(name)


def names() -> list[str]:
    """The names of all targets."""
    return [name for room in ROOMS for name in _room(room)]


def _room(room: str) -> Mapping[str, Target]:
    table: Mapping[str, Target] = importlib.import_module(f"tests.fuzz.{room}").TARGETS
    return table
