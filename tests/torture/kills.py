"""Kills: many chains with a step of each verb killed, beside one that nobody disturbed."""

import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Final

import numpy as np

from tests.torture.chain import files, finish, holding, scraps, shared
from tests.torture.kill import Kill, Length, Moment, killed, lost, undisturbed
from tests.torture.steps import STEPS, Place, Step

GOLDEN: Final = (sqrt(5) - 1) / 2  # steps of this share spread moments evenly, however many there are


@dataclass(frozen=True)
class Reference:
    """What an undisturbed chain took and wrote."""

    shared: Path
    mirror: str
    steps: Sequence[Step]
    lengths: dict[str, Length] = field(default_factory=dict)
    states: dict[str, dict[str, bytes]] = field(default_factory=dict)  # step -> the home's files after it

    @property
    def most(self) -> dict[str, bytes]:
        """The files of the home when it held most."""
        return max(self.states.values(), key=len)

    @property
    def kept(self) -> Path:
        """Where copies of the home before each step are, and of what is shared."""
        return self.shared.parent / "kept"


@dataclass
class Outcome:
    """One chain of killed steps beside the undisturbed one, compared after every step."""

    kills: list[Kill] = field(default_factory=list)
    n_compared: int = 0  # files, each as often as it was compared
    n_lost: int = 0  # bytes of the undisturbed chain's files that are not there, or not the same
    unlike: dict[str, str] = field(default_factory=dict)  # file that differs, or that one of the two has -> since when
    scraps: dict[str, str] = field(default_factory=dict)  # what should not be there -> since when
    failed: str = ""  # what a rerun said that did not end well, and the chain with it

    @property
    def well(self) -> bool:
        return not (self.unlike or self.scraps or self.failed)


def prepared(folder: Path) -> Path:
    """A folder with what chains read."""
    folder.mkdir(parents=True, exist_ok=True)
    return shared(folder / "shared")


def reference(folder: Path, mirror: str, steps: Sequence[Step] = STEPS) -> Reference:
    """Run the chain undisturbed below a prepared folder."""
    place = Place(folder / "home", folder / "shared", mirror)
    made = Reference(place.shared, mirror, steps)
    shutil.copytree(place.shared, made.kept / "shared")
    place.home.mkdir()
    for step in steps:
        shutil.copytree(place.home, made.kept / step.name)
        made.lengths[step.name] = undisturbed(place, step)
        made.states[step.name] = files(place)
    shutil.rmtree(place.home)
    return made


def victims(steps: Sequence[Step], n: int) -> list[str]:
    """The steps that the n-th chain kills: of each verb one, by turns."""
    verbs = dict.fromkeys(step.verb for step in steps)
    of_verb = ([step.name for step in steps if step.verb == verb] for verb in verbs)
    return [names[n % len(names)] for names in of_verb]


def moments(steps: Sequence[Step], n: int, seed: int) -> list[Moment]:
    """When the n-th chain kills each step: spread over all of its time, and by turns over all that it changes."""
    found = []
    for index in range(len(steps)):
        rng = np.random.default_rng([seed, index])
        share = (rng.random() + n * GOLDEN) % 1
        found.append(Moment(share, (n // 2 + index) % 2 == 0, bool((n + rng.integers(2)) % 2)))
    return found


def outcome(of: Reference, n: int, seed: int = 0, only: Collection[str] | None = None) -> Outcome:
    """Run the n-th chain of killed steps, at the same path as the undisturbed one; `only` these are killed."""
    place = Place(of.shared.parent / "home", of.shared, of.mirror)
    wanted = victims(of.steps, n) if only is None else only
    made = Outcome()
    place.home.mkdir()
    try:
        for step, moment in zip(of.steps, moments(of.steps, n, seed), strict=True):
            if step.name in wanted:
                made.kills.append(killed(place, step, of.lengths[step.name], moment))
            else:
                finish(step, place)
            compare(made, step, of.states[step.name], place)
    except AssertionError as error:
        made.failed = str(error)
    shutil.rmtree(place.home)
    return made


def compare(made: Outcome, step: Step, wanted: dict[str, bytes], place: Place) -> None:
    """Note what is not as after the undisturbed step, and was before."""
    found = files(place)
    unlike = {name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)} - set(made.unlike)
    made.unlike |= dict.fromkeys(sorted(unlike), step.name)
    made.n_compared += len(wanted)
    made.n_lost += lost({n: wanted[n] for n in unlike & set(wanted)}, found)
    names = holding(place, step.purged) if step.purged else []
    made.scraps |= {name: step.name for name in [*scraps(place), *names] if name not in made.scraps}


def outcomes(of: Reference, n_kills: int, seed: int) -> Iterator[Outcome]:
    """Chains of killed steps until so many kills have been survived, or two chains did not end."""
    survived = n = n_failed = 0
    while survived < n_kills and n_failed < 2:
        one = outcome(of, n, seed)
        survived += sum(kill.killed for kill in one.kills)
        n, n_failed = n + 1, n_failed + bool(one.failed)
        yield one
