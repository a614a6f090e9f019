"""Three workers on loopback, one killed in the middle of extraction and one in the middle of tables: the same bytes."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbio.data.manifest import Manifest
from mmbio.embed.backbones import resnet50
from mmbio.embed.extract import Job, fill
from mmbio.embed.settings import Settings
from mmbio.errors import MmbioError
from mmbio.tables.publish import publish
from mmbio.tables.run import Runner
from mmbio.tables.spec import TableSpec, load
from mmbio.workers import worker
from mmbio.workers.cluster import Task, active, using

LOST = r"worker tcp://127\.0\.0\.1:\d+ lost(; \d (shard|cell)s? given to others)?"
EVERYTHING = np.arange(90)  # three shards of a modality
SPEC = """
protocol = "multitask"
name = "own"
title = "My own"
keys = ["what"]
[base]
modalities = ["ecg", "face"]
tasks = ["gender"]
[[columns]]
key = "gender"
header = "Gender (%)"
task = "gender"
metric = "accuracy"
[[rows]]
key = { what = "concat" }
[[rows]]
key = { what = "noisy" }
set = { test = "face=0.97" }
[[rows]]
key = { what = "sum" }
set = { fusion = "sum" }
[[rows]]
key = { what = "attention" }
set = { fusion = "attention" }
[[rows]]
key = { what = "rule" }
set = { fusion = "score-sum" }
"""


class OnFirst:
    """A report that acts once, when some kind of work has begun and is not done."""

    def __init__(self, what: str, act: Callable[[], None]) -> None:
        self.what, self.act, self.seen = what, act, list[tuple[str, int, int]]()

    def __call__(self, what: str, done: int, total: int) -> None:
        if what == self.what and done < total and not any(w == what for w, *_ in self.seen):
            self.act()
        self.seen.append((what, done, total))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The images that the workers' preload makes small are small here too."""
    monkeypatch.setattr(resnet50, "SIZE", 64)
    monkeypatch.setenv("MMBIO_THREADS", "1")


@pytest.fixture
def spec(tmp_path: Path) -> TableSpec:
    (tmp_path / "own.toml").write_text(SPEC)
    return load(tmp_path / "own.toml")


def written(home: Path, *suffixes: str) -> dict[str, bytes]:
    """The files below a home that are compared, by name."""
    paths = [path for path in home.rglob("*") if path.suffix in suffixes]
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in paths}


def compute(manifest: Manifest, home: Path, spec: TableSpec, *reports: Any) -> None:
    """Extract noisy fingers, which nothing else needs, then publish the table."""
    settings = Settings(home, weights="random", device="cpu")
    fill(Job(manifest, "finger", ("black", 0.05), settings), EVERYTHING, *reports[:1])
    publish(Runner(manifest, settings, folds=1), "label", [spec], None, *reports[1:])


@pytest.mark.usefixtures("small")
def test_two_of_three_workers_killed(loopback: Any, tiny_manifest: Manifest, tmp_path: Path, spec: TableSpec) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    compute(tiny_manifest, here, spec)
    told: list[str] = []
    extracting, training = (OnFirst(w, loopback.kill) for w in ("extracting finger", "training networks"))
    with using(None, loopback.address, told.append):
        compute(tiny_manifest, there, spec, extracting, training)
    expected = written(here, ".csv", ".npy", ".safetensors", ".txt", ".tex", ".md")
    assert {"results.csv", "tables/label/own.csv"} <= expected.keys()
    found = written(there, ".csv", ".npy", ".safetensors", ".txt", ".tex", ".md")
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []
    lost = [line for line in told if " lost" in line]
    assert (len(lost), [line for line in lost if not re.fullmatch(LOST, line)]) == (2, [])
    shares = "".join(line for line in told if line not in lost)
    shards, cells = (sum(map(int, re.findall(rf"(\d+) {unit}", shares))) for unit in ("shard", "cell"))
    assert (shards, cells) == (3 + 3 + 1, 5 + 2)  # fingers, faces, noisy faces of the test; two members of the rule
    assert extracting.seen[-1] == ("extracting finger", 90, 90)
    assert [what for what in training.seen if what[0] == "training networks"][-1][1:] == (5, 5)


def test_what_a_worker_refuses(loopback: Any, tiny_manifest: Manifest, tmp_path: Path, monkeypatch: Any) -> None:
    settings = Settings(tmp_path, weights="random", device="cpu")
    elsewhere = replace(tiny_manifest, folder=tmp_path / "elsewhere")
    with using(None, loopback.address, print), pytest.raises(MmbioError, match=r"worker tcp://\S+: .*not there on the"):
        fill(Job(elsewhere, "finger", None, settings), EVERYTHING)
    other = dict(worker.software()) | {"torch": "1.0"}
    monkeypatch.setattr(worker, "software", lambda: other)
    with using(None, loopback.address, print), pytest.raises(MmbioError, match=r"torch is \S+ \(here 1\.0\), so its"):
        fill(Job(tiny_manifest, "finger", None, settings), EVERYTHING)


def test_results_come_in_the_order_of_the_tasks(loopback: Any) -> None:
    numbers, ended = list(range(20)), list[int]()
    with using(None, loopback.address, print):
        workers = active()
        assert workers is not None
        found = list(workers.each("shard", pow, [Task((n, 2)) for n in numbers], ended.append))
    assert found == [n**2 for n in numbers]
    assert sorted(ended) == numbers
    assert active() is None
