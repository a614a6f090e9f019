"""Target: a reader that takes hostile bytes, and what counts as a finding."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmbio.errors import MmbioError

LONGEST = 600  # characters of a sentence
NO_MEMORY = (
    "can't allocate",
    "unable to allocate",
    "not enough memory",
    "cannot allocate",
    "bad_alloc",
    "out of memory",
)


class Finding(AssertionError):
    """A reader that did anything but return or say one sentence."""


def _nothing(scratch: Path) -> None:
    pass


@dataclass(frozen=True)
class Target:
    """A reader on bytes: `run` writes them into a scratch folder and reads them; `prepare` puts there what stays."""

    run: Callable[[bytes, Path], object]
    seeds: Callable[[], Sequence[bytes]]
    prepare: Callable[[Path], object] = _nothing


def tried(target: Target, data: bytes, scratch: Path) -> str:
    """The sentence that a reader says of these bytes, empty where it takes them.

    Raises Finding where a sentence is none or memory ran out, and whatever else the reader raises.
    """
    try:
        target.run(data, scratch)
    except MmbioError as error:
        _check_memory(error)
        sentence = str(error)
        if not sentence or not sentence.isprintable():
            raise Finding(f"not one printable line: {sentence[:LONGEST]!r}") from error
        if len(sentence) > LONGEST:
            raise Finding(f"a sentence of {len(sentence)} characters: {sentence[:LONGEST]}") from error
        return sentence
    return ""


def _check_memory(error: BaseException | None) -> None:
    """Raise Finding where an error stands for one of memory, however it was told."""
    while error is not None:
        if isinstance(error, MemoryError) or any(words in str(error).lower() for words in NO_MEMORY):
            raise Finding(f"memory ran out: {error}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def written(scratch: Path, name: str, data: bytes) -> Path:
    """A file of these bytes in the scratch folder."""
    path = scratch / name
    path.write_bytes(data)
    return path
