"""Excluded people: whom `mmbio purge` took out of a home folder, so that no later manifest takes them in again.

`excluded.json` holds a salt and salted hashes of SET and subject, others where mmbio made the person: it names nobody,
but whoever has the file can test whether a certain name is in it.
"""

import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from mmbio.data.listed import is_synthetic
from mmbio.data.samples import SampleSet
from mmbio.errors import MmbioError
from mmbio.files import read_json, write_json

FILE: Final = "excluded.json"


def add(home: Path, people: Iterable[tuple[str, str]], synthetic: bool = False) -> None:
    """Exclude people, each as (set, subject), or those whom mmbio made and who bear these names."""
    found = _read(home) or {"salt": os.urandom(16).hex(), "people": []}
    hashes = {_hash(found["salt"], *person, synthetic) for person in people}
    if not hashes <= set(found["people"]):
        write_json(home / FILE, {"salt": found["salt"], "people": sorted(hashes | set(found["people"]))})


def without(sets: Mapping[str, Sequence[SampleSet]], home: Path) -> dict[str, tuple[SampleSet, ...]]:
    """The sets of each modality without the samples of excluded people; a note says how many there were."""
    found = _read(home)
    return {m: tuple(_less(one, found) if found else one for one in of) for m, of in sets.items()}


def holds(home: Path, set_name: str, subject: str, kinds: Sequence[bool] = (False, True)) -> bool:
    """True where a person is excluded, be they real or not; of one of the `kinds` where mmbio made the person."""
    found = _read(home)
    return found is not None and any(_hash(found["salt"], set_name, subject, made) in found["people"] for made in kinds)


def returned(home: Path, sets: Iterable[SampleSet]) -> int:
    """How many excluded people sets name, whose files are here though nothing of them is wanted."""
    found = _read(home)
    people = {(one.name, s.subject, is_synthetic(one)) for one in sets for s in one.samples} if found else set()
    return sum(_hash(found["salt"], *who) in set(found["people"]) for who in people) if found else 0


def _less(one: SampleSet, found: Mapping[str, Any]) -> SampleSet:
    excluded = set(found["people"])
    made = is_synthetic(one)
    gone = {s for s in {s.subject for s in one.samples} if _hash(found["salt"], one.name, s, made) in excluded}
    if not gone:
        return one
    note = f"{one.name}: {len(gone)} left out, whom mmbio purge excluded"
    return replace(one, samples=tuple(s for s in one.samples if s.subject not in gone), notes=(*one.notes, note))


def _hash(salt: str, set_name: str, subject: str, synthetic: bool) -> str:
    name = "\0".join((*(("synthetic",) if synthetic else ()), set_name, subject)).encode(errors="surrogateescape")
    return hmac.new(bytes.fromhex(salt), name, hashlib.sha256).hexdigest()


def _read(home: Path) -> dict[str, Any] | None:
    path = home / FILE
    if not path.exists():
        return None
    found = read_json(path, "list of excluded people")
    try:
        bytes.fromhex(found["salt"]), set(found["people"])
    except (KeyError, TypeError, ValueError) as error:
        raise MmbioError(f"{path}: not as mmbio purge wrote it; put it back, or purge the people again") from error
    return found
