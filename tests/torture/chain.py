"""Chain: an experiment on a small synthetic root as a user types it, each step a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from mmbio.data.synthetic.root import generate
from tests.torture import remote

N_SUBJECTS: Final = 12
PATIENCE: Final = 300.0  # seconds before a step counts as hung
COMPARED: Final = (".csv", ".npy", ".safetensors", ".txt", ".tex", ".md")  # time stamps stand in others
SPEC: Final = """
protocol = "multitask"
name = "own"
title = "What a kill must not change"
keys = ["what"]
[base]
fusion = "concat"
train = "paper"
[[columns]]
key = "id"
header = "ID (%)"
task = "identification"
metric = "accuracy"
[[columns]]
key = "gender"
header = "Gender (%)"
task = "gender"
metric = "accuracy"
[[rows]]
key = { what = "clean" }
[[rows]]
key = { what = "noisy" }
set = { test = "paper" }
[[rows]]
key = { what = "rule" }
set = { fusion = "score-sum", modalities = ["ecg", "face"] }
"""


@dataclass(frozen=True)
class Place:
    """Where a chain runs: its own home, and what all chains read."""

    home: Path
    shared: Path  # the root and the spec
    mirror: str  # address of a server with a set to download
    said_as: str = ""  # tells several runs in one place apart

    @property
    def said(self) -> Path:
        return self.shared.with_name(f"{self.home.name}.said{self.said_as}")  # never on a disk that is full

    @property
    def sets(self) -> Path:
        return self.home / "sets"


@dataclass(frozen=True)
class Step:
    """One command of the chain; {home}, {root}, {spec}, {sets} and {mirror} stand for the places."""

    name: str
    words: tuple[str, ...]

    def command(self, place: Place) -> list[str]:
        """The command line in a place."""
        known = {"home": place.home, "root": place.shared / "root", "spec": place.shared / "own.toml"}
        known |= {"sets": place.sets}
        told = [word.format(**known, mirror=place.mirror) for word in self.words]
        return [sys.executable, "-m", "mmbio", *told]


_FROM: Final = ("--out", "{home}", "--to", "{sets}", "--jobs", "2", "--mirror")
BUILD: Final = Step("build-virtual", ("build-virtual", "--data", "{root}", "--out", "{home}"))
STEPS: Final[Sequence[Step]] = (
    Step("download", ("download", "ecg-id", *_FROM, "{mirror}ecg-id/")),
    Step("download-archives", ("download", "fvc2000", *_FROM, "{mirror}fvc2000/")),
    Step("extract", ("extract", "--out", "{home}")),
    Step("train", ("train", "--noise", "paper", "--folds", "3", "--out", "{home}")),
    Step("eval", ("eval", "--noise", "face=0.97", "--out", "{home}")),
    Step("tables", ("tables", "{spec}", "--data", "{root}", "--folds", "2", "--out", "{home}")),
)


def shared(folder: Path) -> Path:
    """Write what all chains read: a small synthetic root, sets to download, and the spec of a table."""
    generate(folder / "root", n_subjects=N_SUBJECTS)
    remote.write(folder / "root", folder / "remote")
    (folder / "own.toml").write_text(SPEC, encoding="utf-8")
    return folder


def start(step: Step, place: Place, before: Callable[[], None] | None = None) -> subprocess.Popen[bytes]:
    """Start a step in a process group of its own, after `before` there; what it says goes to the place's `said`."""
    with place.said.open("wb") as said:
        return subprocess.Popen(
            step.command(place),
            preexec_fn=before,
            stdout=said,
            stderr=said,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {"MMBIO_THREADS": "2"},
        )


def ended(process: subprocess.Popen[bytes], place: Place) -> tuple[int, str]:
    """Exit code of a step and what it said; a step that hangs is killed."""
    try:
        code = process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        code = -1
    return code, place.said.read_text(encoding="utf-8", errors="replace")


def together(step: Step, *places: Place) -> list[tuple[int, str]]:
    """Run a step in several places, or several times in one, at once; exit codes and what was said."""
    said = [replace(place, said_as=f"{n}") for n, place in enumerate(places)]
    return [ended(process, place) for process, place in [(start(step, place), place) for place in said]]


def finish(step: Step, place: Place) -> None:
    """Run a step to its end; raises AssertionError with its output where it fails."""
    code, said = ended(start(step, place), place)
    assert code == 0, f"{step.name} ended with {code}:\n{said[-2000:]}"
    assert "Traceback" not in said, said[-2000:]


def files(place: Place) -> dict[str, bytes]:
    """The files below a home that two runs of one chain share byte for byte, by name."""
    found = [path for path in place.home.rglob("*") if path.is_file() and path.suffix in COMPARED]
    kept = [p for p in found if "logs" not in p.relative_to(place.home).parts and not p.name.startswith(".")]
    downloaded = [p for p in place.sets.rglob("*") if p.is_file() and p.name != "mmbio-lock.json"]
    return {p.relative_to(place.home).as_posix(): p.read_bytes() for p in {*kept, *downloaded}}


def scraps(place: Place) -> list[str]:
    """What a chain should not leave behind: scratch folders and parts of downloads."""
    patterns = (".*.????????/.owner", "*.part")
    return sorted(p.relative_to(place.home).as_posix() for pattern in patterns for p in place.home.rglob(pattern))
