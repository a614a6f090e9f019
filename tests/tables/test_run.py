"""Running a spec on the tiny manifest: each cell once, its mark and where it comes from."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmbio.conditions import Condition, parse
from mmbio.data.manifest import Manifest
from mmbio.embed.settings import Settings as Extraction
from mmbio.fuse import run as fuse
from mmbio.fuse.config import Config, Optimiser
from mmbio.measure.evaluate import Evaluator
from mmbio.protocols import MULTITASK
from mmbio.tables.measured import INTERVALS, measured
from mmbio.tables.measured import mark as marked
from mmbio.tables.notes import notes
from mmbio.tables.run import Finished, Runner, specs_work
from mmbio.tables.settings import Settings
from mmbio.tables.spec import TableSpec, cells, load

OWN = """
protocol = "multitask"
name = "own"
title = "My own"
keys = ["what"]
[base]
modalities = ["ecg"]
tasks = ["identification"]
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
key = { what = "noisy" }
set = { train = "paper", test = "paper" }
[[rows]]
key = { what = "clean" }
set = { tasks = ["identification", "gender"] }
[[rows]]
key = { what = "clean again" }
"""


class Quick(Runner):
    """Two epochs are enough to see what is done."""

    def config(self, settings: Settings) -> Config:
        return replace(super().config(settings), optimiser=Optimiser(epochs=2))


def never(*_: object) -> Any:
    raise AssertionError("computed again")


def own(folder: Path, text: str = OWN) -> TableSpec:
    path = folder / "own.toml"
    path.write_text(text)
    return load(path)


@pytest.fixture(scope="module")
def finished(tiny_manifest: Manifest, tiny_settings: Extraction, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    spec = own(tmp_path_factory.mktemp("spec"))
    runner = Quick(tiny_manifest, replace(tiny_settings, home=tmp_path_factory.mktemp("home")), folds=2)
    runner.compute(specs_work([spec]))
    return Finished(spec, runner)


def settings(**change: Any) -> Settings:
    noise = parse("ecg=0.1")
    return replace(Settings("concat", ("ecg",), ("identification",), noise, noise), **change)


def test_work_is_listed_once(finished: Finished) -> None:
    work = specs_work([finished.spec, finished.spec])
    assert [(s.tasks, str(s.train)) for s in work] == [
        (("identification",), "ecg=0.1"),
        (MULTITASK.tasks, "clean"),
        (("identification",), "clean"),
    ]


def test_config_is_the_cells(finished: Finished) -> None:
    config = replace(finished.runner, seed=5).config(
        settings(fusion="score-sum", modalities=("ecg", "face"), weights=(("ecg", 2.0), ("face", 1.0)))
    )
    assert (config.fusion, config.modalities, config.seed, config.folds) == ("score-sum", ("ecg", "face"), 5, 2)
    assert config.weights_of_rule() == {"ecg": 2.0, "face": 1.0}
    assert finished.runner.config(settings()).rule_weights is None


def test_computed_once(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    work = specs_work([finished.spec])
    assert all(finished.runner.finished(s) for s in work)
    monkeypatch.setattr(fuse, "train", never)
    monkeypatch.setattr(Evaluator, "run", never)
    finished.runner.compute(work)
    with pytest.raises(AssertionError, match="computed again"):
        finished.runner.compute([settings(test=Condition())])
    assert not finished.runner.finished(settings(test=Condition()))


def test_what_was_lost_is_computed_again_from_its_checkpoint(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = finished.runner.evaluator(settings()).folder / "rows.csv"
    before = lost.read_bytes()
    lost.unlink()
    monkeypatch.setattr("mmbio.fuse.run.train_fold", never)
    seen: list[tuple[str, int, int]] = []
    finished.runner.compute(specs_work([finished.spec]), lambda *what: seen.append(what))
    assert lost.read_bytes() == before
    assert seen[-1] == ("training networks", 2, 2)


def test_progress_counts_all_networks(tiny_manifest: Manifest, tiny_settings: Extraction, tmp_path: Path) -> None:
    runner = Quick(tiny_manifest, replace(tiny_settings, home=tmp_path), folds=1)
    seen: list[tuple[str, int, int]] = []
    runner.compute([settings(), settings(train=Condition()), settings()], lambda *what: seen.append(what))
    told = [(n, of) for what, n, of in seen if what == "training networks"]  # two groups are trained at once
    assert (len(told), told[-1], {of for _, of in told}) == (4, (2, 2), {2})


def test_figures(finished: Finished) -> None:
    figures = measured(finished)
    assert set(figures) == {
        ("what=noisy", "id"),
        ("what=clean", "id"),
        ("what=clean", "gender"),
        ("what=clean again", "id"),
    }
    for place, figure in figures.items():
        row = finished.rows[place]
        assert (row.fold, row.metric, row.task) == (
            "mean",
            "accuracy",
            {"id": "identification"}.get(place[1], "gender"),
        )
        assert (figure.value, figure.low, figure.high, figure.n) == (row.value, row.low, row.high, 18)
        assert figure.interval == INTERVALS[row.interval]
        assert figure.best is None  # the spec compares no rows
        assert "synthetic samples, not people's" in figure.why
    assert {place: m.mark for place, m in figures.items() if m.mark} == {("what=noisy", "id"): "c"}


@pytest.mark.parametrize(
    ("change", "mark"),
    [
        ({}, "c"),
        ({"modalities": ("face",), "train": parse("face=0.97"), "test": parse("face=0.97")}, "c"),
        ({"modalities": ("finger",), "train": parse("finger=0.05"), "test": parse("finger=0.05")}, "c"),
        ({"tasks": ("gender",)}, ""),
        ({"tasks": MULTITASK.tasks}, ""),
        ({"modalities": ("ecg", "face")}, ""),
        ({"train": Condition()}, ""),
        ({"test": Condition()}, ""),
        ({"train": Condition(), "test": Condition()}, ""),
        ({"train": parse("ecg=0.2"), "test": parse("ecg=0.2")}, ""),
    ],
)
def test_the_calibrated_mark_stands_only_where_it_is_due(
    finished: Finished, tiny_manifest: Manifest, change: dict[str, Any], mark: str
) -> None:
    cell = replace(cells(finished.spec)[0], settings=settings(**change))
    assert marked(finished, cell) == mark
    sources = tiny_manifest.info["sources"] | {"ecg": {"synthetic": False}}
    real = replace(tiny_manifest, info=tiny_manifest.info | {"sources": sources})
    synthetic_beside_real = "s" if set(cell.settings.modalities) - {"ecg"} else ""
    assert marked(Finished(finished.spec, replace(finished.runner, manifest=real)), cell) == synthetic_beside_real


def test_provenance(finished: Finished) -> None:
    found = notes(finished, measured(finished).values())
    assert found[0] == (
        f"Data: synthetic; 6 subjects (3 F, 3 M), triplet split, quick scale,"
        f" manifest {finished.runner.manifest.hash[:8]}."
    )
    assert found[1].startswith("ResNet-50 weights: none, fp32; 2 fold models; n = 18 distinct test decisions; seed 0;")
    assert found[2:] == [
        "Always answering the majority gender: 50.0 %.",
        "c: calibrated; the synthetic data were made as difficult as this figure of table 1; others emerge.",
    ]


def test_provenance_of_images_names_their_weights(finished: Finished, tmp_path: Path) -> None:
    clean = own(tmp_path, OWN.replace('{ train = "paper", test = "paper" }', "{}"))
    found = Finished(clean, finished.runner)
    found.__dict__["rows"] = {
        place: replace(row, weights="random-0", task="identification") for place, row in finished.rows.items()
    }
    (data, weights) = notes(found, measured(found).values())
    assert data.startswith("Data: synthetic")
    assert weights.startswith("ResNet-50 weights: random-0 (random: torchvision's initialisation with a fixed seed")


def test_costs_where_the_spec_asks(finished: Finished, tmp_path: Path) -> None:
    asking = own(tmp_path, OWN.replace('title = "My own"', 'title = "My own"\ncost = true'))
    asked = Finished(asking, finished.runner)
    found = notes(asked, measured(asked).values())
    costs = [note for note in found if note.startswith("Cost of ")]
    assert [c.split(":")[0] for c in costs] == [
        "Cost of identification",
        "Cost of identification + gender",
        "Cost of identification",
    ]
    assert all(" parameters a network, 4 epochs over all folds (processor time in own-cost.json)" in c for c in costs)
    assert {tasks: cost["epochs"] for tasks, cost in Finished(asking, finished.runner).costs().items()} == {
        "identification": [2, 2],
        "identification + gender": [2, 2],
    }
