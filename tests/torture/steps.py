"""Steps: the commands of a chain through both protocols, from a download to people who are purged."""

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
    shared: Path  # the root, a user's own embeddings and the spec
    mirror: str  # address of a server with sets to download
    said_as: str = ""  # tells several runs in one place apart

    @property
    def said(self) -> Path:
        return self.shared.with_name(f"{self.home.name}.said{self.said_as}")  # never on a disk that is full

    @property
    def sets(self) -> Path:
        return self.home / "sets"


@dataclass(frozen=True)
class Step:
    """One command of the chain; {home}, {root}, {own}, {spec}, {sets}, {mirror} and {result} stand for places."""

    name: str
    words: tuple[str, ...]
    purged: str = ""  # a name that nothing of the home holds afterwards

    @property
    def verb(self) -> str:
        return self.words[0]

    def command(self, place: Place) -> list[str]:
        """The command line in a place."""
        known: dict[str, str | Path] = {
            "home": place.home,
            "root": place.shared / "root",
            "spec": place.shared / "own.toml",
        }
        known |= {"sets": place.sets, "own": place.shared / "own", "mirror": place.mirror}
        known |= {"result": _latest(place)} if "{result}" in self.words else {}
        return [sys.executable, "-m", "mmbio", *(word.format(**known) for word in self.words)]


def _latest(place: Place) -> str:
    """The result that the last row of results.csv is of."""
    with (place.home / "results.csv").open(newline="", encoding="utf-8") as file:
        return [row["result"] for row in csv.DictReader(file)][-1]


_OUT: Final = ("--out", "{home}")
_FROM: Final = (*_OUT, "--to", "{sets}", "--jobs", "2", "--mirror")
_OWN: Final = ("--modality", "face={own}/face.npz", "--modality", "voice={own}/voice.npz")
_PAIRS: Final = ("--protocol", "audiovisual", *_OUT)
STEPS: Final[Sequence[Step]] = (
    Step("download", ("download", "ecg-id", *_FROM, "{mirror}ecg-id/")),
    Step("download-archives", ("download", "fvc2000", *_FROM, "{mirror}fvc2000/")),
    Step("build-virtual", ("build-virtual", "--data", "{root}", "--subjects", "4", *_OUT)),
    Step("extract", ("extract", *_OUT)),
    Step("train", ("train", "--noise", "paper", "--folds", "2", *_OUT)),
    Step("eval", ("eval", "--noise", "face=0.97", *_OUT)),
    Step("audit", ("audit", *_OUT)),
    Step("import", ("import", *_OWN, "--subjects", "{own}/who.csv", "--out", "{home}/mine")),
    Step("build-virtual-pairs", ("build-virtual", "--data", "{home}/mine", *_PAIRS)),
    Step("train-pairs", ("train", "--fusion", "attention", *_PAIRS)),
    Step("eval-pairs", ("eval", "--noise", "voice=random", *_PAIRS)),
    Step("attention", ("attention", "--permutations", "200", *_OUT)),
    Step("reproduce", ("reproduce", "{result}", "--keep", *_OUT)),
    Step("tables", ("tables", "{spec}", "--data", "{root}", "--subjects", "4", "--folds", "2", *_OUT)),
    Step("report", ("report", *_OUT)),
    Step("purge", ("purge", "ecg-id:Person_03", "--data", "{sets}", "--yes", *_OUT), "Person_03"),
    Step("purge-imported", ("purge", "mine:test03", "--yes", *_OUT), "test03"),
)


def named(*names: str) -> tuple[Step, ...]:
    """The steps of these names, in the order of the chain."""
    found = tuple(step for step in STEPS if step.name in names)
    assert len(found) == len(names), names
    return found
