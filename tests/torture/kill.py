"""Kill: a step of the chain killed with -9 at a random moment, and run again."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tests.torture.chain import BUILD, STEPS, Place, Step, finish, start

GLANCE: Final = 0.002  # seconds between two looks at the home


@dataclass(frozen=True)
class Length:
    """How long an undisturbed step takes, and how many entries of the home it makes or changes."""

    seconds: float
    changes: int


@dataclass(frozen=True)
class Kill:
    """What happened to one step."""

    step: str
    moment: str
    killed: bool  # False: the step had ended before its moment came


class Watch:
    """Counts the entries of a folder that appear or change, scratch folders among them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.seen, self.changes = folder, set[tuple[str, int, int]](), 0
        self.look()
        self.changes = 0

    def look(self) -> int:
        """The number of changes so far."""
        now = set(_entries(self.folder))
        self.changes += len(now - self.seen)
        self.seen |= now
        return self.changes


def _entries(folder: Path) -> list[tuple[str, int, int]]:
    found = []
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)  # noqa: PTH118 - a look should be quick
            try:
                stat = os.stat(path)  # noqa: PTH116
            except OSError:
                continue  # it went between the two
            found.append((path, stat.st_size, stat.st_mtime_ns))
    return found


def undisturbed(place: Place, between: Callable[[str], None]) -> dict[str, Length]:
    """Run the whole chain; returns how long each step was. `between` is told each step's name before it."""
    finish(BUILD, place)
    lengths = {}
    for step in STEPS:
        between(step.name)
        watch, began = Watch(place.home), time.monotonic()
        process = start(step, place)
        while process.poll() is None:
            watch.look()
            time.sleep(GLANCE)
        assert process.returncode == 0, place.said.read_text(errors="replace")[-2000:]
        lengths[step.name] = Length(time.monotonic() - began, watch.look())
    return lengths


def killed(place: Place, step: Step, length: Length, rng: np.random.Generator) -> Kill:
    """Run a step, kill it at a random moment of its time or of its writing, then run it to its end.

    The whole process group is killed, or every other time the process alone, which leaves its children behind.
    """
    watch, began = Watch(place.home), time.monotonic()
    at_change = int(rng.integers(1, max(2, length.changes))) if rng.random() < 0.5 else None
    at_second = rng.uniform(0, length.seconds)
    alone = bool(rng.random() < 0.5)
    process = start(step, place)
    while process.poll() is None:
        if at_change is not None and watch.look() >= at_change:
            break
        if at_change is None and time.monotonic() - began >= at_second:
            break
        time.sleep(GLANCE)
    moment = f"change {at_change}" if at_change is not None else f"{at_second:.2f} s"
    living = process.poll() is None
    if living:
        process.kill() if alone else os.killpg(process.pid, signal.SIGKILL)
    code = process.wait(60)
    finish(step, place)
    _end_children(process)
    return Kill(step.name, f"{moment}{', process alone' if alone else ''}", living and code == -signal.SIGKILL)


def _end_children(process: subprocess.Popen[bytes]) -> None:
    """Children that outlive a killed process end too, or are ended: a chain leaves no process behind."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def chain(place: Place, lengths: dict[str, Length], rng: np.random.Generator) -> list[Kill]:
    """The whole chain, each step killed once and run again."""
    finish(BUILD, place)
    return [killed(place, step, lengths[step.name], rng) for step in STEPS]


def lost(expected: dict[str, bytes], found: dict[str, bytes]) -> int:
    """How many bytes of the undisturbed run's files are not there, or not the same."""
    return sum(_differing(content, found.get(name, b"")) for name, content in expected.items())


def _differing(one: bytes, other: bytes) -> int:
    n = min(len(one), len(other))
    unequal = np.frombuffer(one[:n], np.uint8) != np.frombuffer(other[:n], np.uint8)
    return int(unequal.sum()) + max(len(one), len(other)) - n
