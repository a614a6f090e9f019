"""Explaining: why a cell is computed, or why not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mmbio.data.manifest import Manifest
from mmbio.embed.settings import Settings as Extraction
from mmbio.errors import MmbioError
from mmbio.fuse.config import Config, Optimiser
from mmbio.tables.explain import explain, note, notebook
from mmbio.tables.run import Runner, specs_work
from mmbio.tables.settings import Settings
from mmbio.tables.spec import TableSpec, load

OWN = """
protocol = "multitask"
name = "own"
title = "My own"
keys = ["what"]
[base]
tasks = ["gender"]
[[columns]]
key = "gender"
header = "Gender (%)"
task = "gender"
metric = "accuracy"
[[rows]]
key = { what = "beats" }
set = { modalities = ["ecg"] }
"""
RULE = """
[[rows]]
key = { what = "rule" }
set = { modalities = ["ecg", "face"], fusion = "score-max" }
"""
PLACE = "tiny/own what=beats gender"


class Quick(Runner):
    """Two epochs are enough to see what is done."""

    def config(self, settings: Settings) -> Config:
        return replace(super().config(settings), optimiser=Optimiser(epochs=2))


@pytest.fixture
def runner(tiny_manifest: Manifest, tiny_settings: Extraction, tmp_path: Path) -> Runner:
    return Quick(tiny_manifest, replace(tiny_settings, home=tmp_path), folds=1)


@pytest.fixture
def spec(tmp_path: Path) -> TableSpec:
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    return load(path)


def test_never_computed_then_finished_then_gone(runner: Runner, spec: TableSpec) -> None:
    assert explain(runner, "tiny", [spec]) == [(PLACE, "never computed")]
    runner.compute(specs_work([spec]))
    assert explain(runner, "tiny", [spec]) == [(PLACE, "finished")]  # whether it was noted or not
    note(runner, "tiny", [spec])
    (runner.evaluator(specs_work([spec])[0]).folder / "rows.csv").unlink()
    assert explain(runner, "tiny", [spec]) == [(PLACE, "its result is gone")]


def test_a_damaged_result_is_not_finished(runner: Runner, spec: TableSpec) -> None:
    runner.compute(specs_work([spec]))
    (runner.evaluator(specs_work([spec])[0]).folder / "posterior_gender.npy").unlink()
    ((place, state),) = explain(runner, "tiny", [spec])
    assert place == PLACE
    assert state.startswith("damaged: ")
    assert "posterior_gender.npy: of this result, and gone" in state


def test_what_has_changed(runner: Runner, spec: TableSpec) -> None:
    note(runner, "tiny", [spec])
    assert explain(replace(runner, seed=1), "tiny", [spec]) == [
        (PLACE, "changed: checkpoint.config.seed (0 -> 1)"),
    ]
    assert explain(replace(runner, folds=None), "tiny", [spec]) == [
        (PLACE, "changed: checkpoint.config.folds (1 -> None)"),
    ]


def test_what_has_changed_at_score_level_is_told_key_by_key(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN + RULE)
    spec = load(tmp_path / "own.toml")
    note(runner, "tiny", [spec])
    (_, reason) = dict(explain(replace(runner, seed=1), "tiny", [spec])).values()
    assert reason == (
        "changed: checkpoint.config.seed (0 -> 1), checkpoint.members.1.config.seed (0 -> 1),"
        " checkpoint.members.2.config.seed (0 -> 1)"
    )


def test_code_that_has_changed(runner: Runner, spec: TableSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    note(runner, "tiny", [spec])
    monkeypatch.setattr("mmbio.measure.evaluate.code_hashes", lambda rooms: dict.fromkeys(rooms, "new"))
    ((_, reason),) = explain(replace(runner), "tiny", [spec])
    assert reason.startswith("changed: code.measure (")
    assert reason.endswith(" -> new)")


def test_labels_are_apart(runner: Runner, spec: TableSpec) -> None:
    note(runner, "tiny", [spec])
    note(replace(runner, seed=1), "other", [spec])
    assert set(json.loads(notebook(runner).read_text())) == {PLACE, PLACE.replace("tiny", "other")}
    assert explain(runner, "third", [spec])[0][1] == "never computed"
    assert explain(runner, "tiny", [spec])[0][1] == "its result is gone"


def test_a_broken_notebook(runner: Runner, spec: TableSpec) -> None:
    note(runner, "tiny", [spec])
    notebook(runner).write_text("{")
    with pytest.raises(MmbioError, match="not a readable notebook of cells"):
        explain(runner, "tiny", [spec])
