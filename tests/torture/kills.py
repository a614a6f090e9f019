"""Kills: many chains, each step killed once, beside one that nobody disturbed."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.torture.chain import Place, files, scraps, shared
from tests.torture.kill import Kill, Length, chain, lost, undisturbed


@dataclass(frozen=True)
class Reference:
    """What an undisturbed chain took and wrote."""

    shared: Path
    mirror: str
    lengths: dict[str, Length]
    states: dict[str, dict[str, bytes]]  # step -> the home's files before it; "" -> at the end

    @property
    def files(self) -> dict[str, bytes]:
        """The files of the whole chain."""
        return self.states[""]

    @property
    def kept(self) -> Path:
        """Where copies of the home before each step are, and of what is shared."""
        return self.shared.parent / "kept"


@dataclass(frozen=True)
class Outcome:
    """One chain of killed steps beside the undisturbed one."""

    kills: list[Kill]
    n_files: int
    n_bytes: int
    n_lost: int  # bytes of the undisturbed chain's files that are not there, or not the same
    unlike: list[str]  # files that differ, or that one of the two has
    scraps: list[str]


def prepared(folder: Path) -> Path:
    """A folder with what chains read."""
    folder.mkdir(parents=True, exist_ok=True)
    return shared(folder / "shared")


def reference(folder: Path, mirror: str) -> Reference:
    """Run the chain undisturbed below a prepared folder."""
    place = Place(folder / "home", folder / "shared", mirror)
    made = Reference(place.shared, mirror, {}, {})
    shutil.copytree(place.shared, made.kept / "shared")

    def keep(step: str) -> None:
        made.states[step] = files(place)
        shutil.copytree(place.home, made.kept / step)

    made.lengths.update(undisturbed(place, keep))
    made.states[""] = files(place)
    shutil.rmtree(place.home)
    return made


def outcome(of: Reference, seed: int) -> Outcome:
    """Run a chain of killed steps, at the same path as the undisturbed one."""
    place = Place(of.shared.parent / "home", of.shared, of.mirror)
    kills = chain(place, of.lengths, np.random.default_rng([seed]))
    found = files(place)
    unlike = sorted(name for name in of.files.keys() | found.keys() if of.files.get(name) != found.get(name))
    n_bytes = sum(map(len, of.files.values()))
    made = Outcome(kills, len(of.files), n_bytes, lost(of.files, found), unlike, scraps(place))
    shutil.rmtree(place.home)
    return made


def outcomes(of: Reference, n_kills: int, seed: int) -> Iterator[Outcome]:
    """Chains of killed steps until so many kills have been survived."""
    survived = 0
    while survived < n_kills:
        one = outcome(of, seed)
        survived += sum(kill.killed for kill in one.kills)
        seed += 1
        yield one
