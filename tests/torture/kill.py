"""Kill: a step of the chain killed with -9 at some moment, and run again."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tests.torture.chain import finish, start
from tests.torture.steps import Place, Step

GLANCE: Final = 0.002  # seconds between two looks at the home
EARLIER: Final = 0.7  # of a moment that came after the step's end, in the next attempt
ATTEMPTS: Final = 6


@dataclass(frozen=True)
class Length:
    """How long an undisturbed step takes, and how many entries of the home it makes, changes or removes."""

    seconds: float
    first: float  # seconds until it changes anything
    changes: int


@dataclass(frozen=True)
class Moment:
    """When a step is killed: at this share of its changes, or of its time from the first of them on."""

    share: float
    by_change: bool
    alone: bool  # the process, and not its whole group

    def of(self, length: Length, attempt: int = 0) -> float:
        """The number of a change, or seconds; each attempt comes earlier."""
        earlier = EARLIER**attempt
        if self.by_change:
            return max(1, round(self.share * length.changes * earlier))
        return (length.first + self.share * (length.seconds - length.first)) * earlier


@dataclass(frozen=True)
class Kill:
    """What happened to one step."""

    step: Step
    moment: str
    killed: bool  # False: the step had always ended before its moment came


class Watch:
    """Counts the entries of a folder that appear, change or go, scratch folders among them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.seen, self.changes = folder, _entries(folder), 0

    def look(self) -> int:
        """The number of changes so far."""
        now = _entries(self.folder)
        self.changes += len(now.items() - self.seen.items()) + len(self.seen.keys() - now.keys())
        self.seen = now
        return self.changes


def _entries(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)  # noqa: PTH118 - a look should be quick
            try:
                stat = os.stat(path)  # noqa: PTH116
            except OSError:
                continue  # it went between the two
            found[path] = (stat.st_size, stat.st_mtime_ns)
    return found


def undisturbed(place: Place, step: Step) -> Length:
    """Run a step, watched; returns how long it was."""
    watch, began = Watch(place.home), time.monotonic()
    process, first = start(step, place), None
    while process.poll() is None:
        if watch.look() and first is None:
            first = time.monotonic() - began
        time.sleep(GLANCE)
    assert process.returncode == 0, place.said.read_text(errors="replace")[-2000:]
    return Length(time.monotonic() - began, first or 0.0, watch.look())


def killed(place: Place, step: Step, length: Length, moment: Moment) -> Kill:
    """Run a step, kill it at a moment, then run it to its end.

    A step that ended before its moment is run again on the home of before, with an earlier moment.
    """
    before = place.home.with_name(f"{place.home.name}.before")
    _replace(before, place.home)
    for attempt in range(ATTEMPTS):
        at = moment.of(length, attempt)
        process = _struck(place, step, at, moment)
        if struck := process.returncode == -signal.SIGKILL:
            break
        _replace(place.home, before)
    finish(step, place)
    _end_children(process)
    shutil.rmtree(before, ignore_errors=True)
    told = f"change {at}" if moment.by_change else f"{at:.2f} s"
    return Kill(step, f"{told}{', process alone' if moment.alone else ''}", struck)


def _struck(place: Place, step: Step, at: float, moment: Moment) -> "subprocess.Popen[bytes]":
    """Run a step and kill it at its n-th change or after so many seconds, where it is still at work then."""
    watch, began = Watch(place.home), time.monotonic()
    process = start(step, place)
    while process.poll() is None:
        if (watch.look() if moment.by_change else time.monotonic() - began) >= at:
            break
        time.sleep(GLANCE)
    if process.poll() is None:
        process.kill() if moment.alone else os.killpg(process.pid, signal.SIGKILL)
    process.wait(60)
    return process


def _end_children(process: "subprocess.Popen[bytes]") -> None:
    """Children that outlive a killed process end too, or are ended: a chain leaves no process behind."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _replace(folder: Path, by: Path) -> None:
    """Make a folder a copy of another, or nothing where that one is not there."""
    shutil.rmtree(folder, ignore_errors=True)
    if by.exists():
        shutil.copytree(by, folder)


def lost(expected: dict[str, bytes], found: dict[str, bytes]) -> int:
    """How many bytes of the undisturbed run's files are not there, or not the same."""
    return sum(_differing(content, found.get(name, b"")) for name, content in expected.items())


def _differing(one: bytes, other: bytes) -> int:
    n = min(len(one), len(other))
    unequal = np.frombuffer(one[:n], np.uint8) != np.frombuffer(other[:n], np.uint8)
    return int(unequal.sum()) + max(len(one), len(other)) - n
