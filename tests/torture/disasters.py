"""Disasters: full disks, folders that vanish, two runs at once; one sentence, and a rerun that makes what was meant."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tests.torture.chain import files, finish, together
from tests.torture.full import leave, limited, resize, small_disk
from tests.torture.kills import Reference
from tests.torture.steps import Place, Step, named
from tests.torture.vanish import told_well, vanished

LIMITS = (2_000, 200_000, 2_000_000)  # bytes a file may have
SPARE = (0, 40, 400, 4_000)  # KiB left on the small disk
VANISHING = ("root", "store", "home")
LARGE = 2**18  # KiB, enough for a whole chain
STEPS: Final = named("download", "download-archives", "extract", "train", "eval", "tables")


@dataclass(frozen=True)
class Trial:
    """One disaster in one step: whether it was told well, and whether the rerun made what was wanted."""

    disaster: str
    step: str
    well: bool
    said: str


class States:
    """A home as it stood before each step, to begin from again and again."""

    def __init__(self, of: Reference) -> None:
        self.of = of
        self.place = Place(of.shared.parent / "home", of.shared, of.mirror)
        self._kept, self._after = of.kept, of.states

    def before(self, step: Step) -> Place:
        """The place with all as it was before a step."""
        for target, source in ((self.place.home, step.name), (self.place.shared, "shared")):
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(self._kept / source, target)
        return self.place

    def rerun(self, disaster: str, step: Step, code: int, said: str, apart: tuple[str, ...] = ()) -> Trial:
        """The trial: told well, and the step run again writes what the undisturbed one wrote, `apart` from some."""
        shutil.rmtree(self.place.shared, ignore_errors=True)
        shutil.copytree(self._kept / "shared", self.place.shared)
        if not told_well(code, said):
            return Trial(disaster, step.name, False, said)
        finish(step, self.place)
        found = files(self.place)
        wanted = self._after[step.name]
        names = [name for name in wanted.keys() | found.keys() if not any(part in name for part in apart)]
        unlike = sorted(name for name in names if wanted.get(name) != found.get(name))
        return Trial(disaster, step.name, not unlike, f"{said}{unlike}" if unlike else said)


def full_disks(states: States, steps: Sequence[Step] = STEPS, limits: Sequence[int] = LIMITS) -> Iterator[Trial]:
    """Each step with files that may not grow beyond some length."""
    for step in steps:
        for n_bytes in limits:
            code, said = limited(states.before(step), step, n_bytes)
            yield states.rerun(f"no file beyond {n_bytes} bytes", step, code, said)


def small_disks(states: States) -> Iterator[Trial]:
    """Each step on a disk in memory with little left, where this user may mount one, and on one that is read-only."""
    home = states.place.home
    for step in STEPS:
        states.before(step)
        with small_disk(home.parent / "disk", LARGE) as mounted:
            if not mounted:
                return
            shutil.copytree(home, home.parent / "disk" / "home")
            place = Place(home.parent / "disk" / "home", states.place.shared, states.of.mirror)
            for spare in SPARE:
                leave(place.home.parent, spare)
                code, said = together(step, place)[0]
                yield Trial(f"{spare} KiB left", step.name, told_well(code, said), said)
            resize(place.home.parent, LARGE)
            code, said = together(step, place)[0]
            yield Trial("room again", step.name, code == 0, said)


def vanishing(
    states: States, rng: np.random.Generator, steps: Sequence[Step] = STEPS, whats: Sequence[str] = VANISHING
) -> Iterator[Trial]:
    """Each step while the data root, the stores or the whole home go."""
    for step in steps:
        for what in whats:
            place = states.before(step)
            target = {"root": place.shared / "root", "store": place.home / "store", "home": place.home}[what]
            code, said = vanished(place, step, target, rng.uniform(0.2, 1.0) * states.of.lengths[step.name].seconds)
            if what == "home":
                yield Trial("home removed", step.name, told_well(code, said), said)
            else:
                # What stands is not made again only because the vectors behind it went; the audit looks at them.
                apart = ("store/", "/audit.") if what == "store" else ()
                yield states.rerun(f"{what} removed", step, code, said, apart)


def at_once(states: States, steps: Sequence[Step] = STEPS) -> Iterator[Trial]:
    """Each step twice at once in one home."""
    for step in steps:
        place = states.before(step)
        ended = together(step, place, place)
        said = "\n".join(said for _, said in ended)
        yield states.rerun("two at once", step, max(code for code, _ in ended), said)


KINDS: Final = ("full", "small", "vanishing", "at-once")


def trials(of: Reference, seed: int, kinds: Sequence[str] = KINDS) -> Iterator[Trial]:
    """All disasters of these kinds in all steps."""
    states, rng = States(of), np.random.default_rng([seed])
    if "full" in kinds:
        yield from full_disks(states)
    if "small" in kinds:
        yield from small_disks(states)
    if "vanishing" in kinds:
        yield from vanishing(states, rng)
    if "at-once" in kinds:
        yield from at_once(states)
