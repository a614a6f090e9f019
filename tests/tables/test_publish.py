"""Publishing: the folder of a run holds all that its docstring lists, and the same again from what is stored."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mmbio.data.manifest import Manifest
from mmbio.embed.settings import Settings as Extraction
from mmbio.errors import MmbioError
from mmbio.fuse.config import Config, Optimiser
from mmbio.tables.formats import FORMATS
from mmbio.tables.publish import Published, publish
from mmbio.tables.run import Runner
from mmbio.tables.settings import Settings
from mmbio.tables.spec import TableSpec, cells, load

OWN = """
protocol = "multitask"
name = "own"
title = "My own"
keys = ["noise", "fusion"]
compare = ["noise"]
cost = true
[base]
modalities = ["ecg"]
tasks = ["identification"]
[[columns]]
key = "id"
header = "ID (%)"
task = "identification"
metric = "accuracy"
[[rows]]
key = { noise = 0, fusion = "concat" }
[[rows]]
key = { noise = 0, fusion = "sum" }
set = { fusion = "sum" }
[[figures]]
kind = "reliability"
name = "reliability"
title = "Reliability"
column = "id"
[[figures]]
kind = "samples"
name = "beats"
title = "Beats"
modality = "ecg"
"""
TABLE = {*(f".{suffix}" for suffix in FORMATS), ".json", "-cells.csv", "-rows.csv", "-cost.json"}
ABOUT = {"audit.json", "audit.txt", "environment.json"}
DRAWN = {f"own-{name}.{suffix}" for name in ("beats", "reliability") for suffix in ("png", "svg")}

Publish = Callable[..., Published]


class Quick(Runner):
    """Two epochs are enough to see what is done."""

    def config(self, settings: Settings) -> Config:
        return replace(super().config(settings), optimiser=Optimiser(epochs=2))


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> TableSpec:
    path = tmp_path_factory.mktemp("spec") / "own.toml"
    path.write_text(OWN)
    return load(path)


@pytest.fixture(scope="module")
def runner(tiny_manifest: Manifest, tiny_settings: Extraction, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    def build(split: str, seed: int) -> Manifest:
        assert split == "triplet"
        return replace(tiny_manifest, info=tiny_manifest.info | {"seed": seed, "hash": f"{seed:016d}"})

    home = tmp_path_factory.mktemp("home")
    return Quick(tiny_manifest, replace(tiny_settings, home=home), folds=2, build=build)


@pytest.fixture(scope="module")
def published(runner: Runner, spec: TableSpec) -> Published:
    return publish(runner, "mine", [spec], 2)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes and time of every file."""
    found = (folder / name for name in files(folder))
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def test_the_folder_holds_what_is_listed(runner: Runner, published: Published) -> None:
    assert published.folder == runner.extraction.home / "tables" / "mine"
    spread = {f"own-variance.{suffix}" for suffix in FORMATS}
    figures = {f"figures/{name}" for name in DRAWN}
    expected = {f"own{end}" for end in TABLE} | spread | figures | ABOUT
    assert {path.relative_to(published.folder).as_posix() for path in published.files} == expected
    assert len(published.files) == len(expected)
    assert files(published.folder) == expected | {"figures/figures.json"}


def test_what_a_person_sees(published: Published) -> None:
    assert published.texts[0] == (published.folder / "own.txt").read_text()
    assert published.texts[1] == (published.folder / "own-variance.txt").read_text()
    assert published.texts[1].startswith("own-variance: My own: spread over 2 seeds")
    assert published.told == ()


def test_what_stands_behind(runner: Runner, published: Published) -> None:
    listed = json.loads((published.folder / "figures" / "figures.json").read_text())
    assert {entry[kind] for entry in listed for kind in ("png", "svg")} == DRAWN
    audit, environment = (json.loads((published.folder / name).read_text()) for name in sorted(ABOUT)[::2])
    assert audit["manifest"] == environment["manifest"] == runner.manifest.hash
    assert (published.folder / "audit.txt").read_text().startswith(f"audit of {runner.manifest.hash}: multitask, ")
    costs = json.loads((published.folder / "own-cost.json").read_text())
    assert costs["identification"]["epochs"] == [2, 2]


def test_the_same_again_without_computing(
    runner: Runner, spec: TableSpec, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr("mmbio.fuse.run.train", never)
    monkeypatch.setattr("mmbio.tables.plots.style.save", never)
    monkeypatch.setattr("mmbio.tables.publish.audit", never)
    before = contents(published.folder)
    seen: list[tuple[str, int, int]] = []
    again = publish(runner, "mine", [spec], 2, lambda *what: seen.append(what))
    assert again == published
    assert contents(published.folder) == before
    assert seen == [("drawing figures", 0, 1), ("drawing figures", 1, 1)]


@pytest.mark.parametrize(
    "name",
    ["own.txt", "own-cells.csv", "own-variance.md", "audit.json", "figures/own-beats.svg", "figures/figures.json"],
)
def test_what_was_edited_is_made_again(runner: Runner, spec: TableSpec, published: Published, name: str) -> None:
    path = published.folder / name
    before = path.read_bytes()
    path.write_bytes(b"edited")
    assert publish(runner, "mine", [spec], 2) == published
    assert path.read_bytes() == before


def test_a_damaged_result_is_refused(runner: Runner, spec: TableSpec, published: Published) -> None:
    assert published.files
    path = runner.evaluator(cells(spec)[0].settings).folder / "posterior_identification.npy"
    before = path.read_bytes()
    path.write_bytes(before[:-1] + b"?")
    with pytest.raises(MmbioError, match=r"posterior_identification\.npy: not as mmbio wrote it"):
        publish(runner, "mine", [spec], 2)
    path.write_bytes(before)


def test_other_processes_draw_the_same_bytes(
    runner: Runner, spec: TableSpec, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmbio.tables.publish.FEW", 0)
    found = publish(runner, "beside", [spec], 2)
    of = "figures/own-reliability.svg", "figures/own-beats.png", "figures/figures.json"
    assert [(found.folder / name).read_bytes() for name in of] == [
        (published.folder / name).read_bytes() for name in of
    ]


def test_one_seed_has_no_spread(runner: Runner, spec: TableSpec, published: Published) -> None:
    again = publish(runner, "plain", [replace(spec, figures=(), cost=False)])
    names = {path.name for path in again.files}
    assert names == {f"own{end}" for end in TABLE - {"-cost.json"}} | ABOUT
    assert len(again.texts) == len(published.texts) - 1
