"""The spread over seeds, on the tiny manifest and on figures made up for it."""

from dataclasses import replace
from math import isnan, sqrt
from pathlib import Path
from typing import Any

import pytest

from mmbio.data.manifest import Manifest
from mmbio.embed.settings import Settings as Extraction
from mmbio.fuse.config import Config, Optimiser
from mmbio.measure.results import ResultRow
from mmbio.tables import spread
from mmbio.tables.run import Finished, Runner
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
[[rows]]
key = { what = "noisy" }
set = { train = "paper", test = "paper" }
"""


class Quick(Runner):
    """Two epochs are enough to see what is done."""

    def config(self, settings: Settings) -> Config:
        return replace(super().config(settings), optimiser=Optimiser(epochs=2))


@pytest.fixture
def spec(tmp_path: Path) -> TableSpec:
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    return load(path)


def made_up(spec: TableSpec, values: dict[tuple[int, int], float], **fields: Any) -> Finished:
    """A finished spec whose figure is looked up by its (pairing, training) seed."""

    class Fake:
        manifest = type("M", (), {"info": {"seed": 0, "data": "synthetic", "split": "triplet"}})
        seed = 0

        def rows(self, settings: Settings) -> list[ResultRow]:
            value = values[settings.pairing or 0, settings.seed or 0]
            names = dict.fromkeys(ResultRow.__dataclass_fields__, "")
            row = ResultRow(**names | {"task": "identification", "metric": "accuracy", "fold": "mean"} | fields)
            folds = [replace(row, fold=str(k), value=value + k / 100) for k in range(2)]
            return [*folds, replace(row, value=value)]

    return Finished(spec, Fake())  # type: ignore[arg-type]


def test_components_by_hand(spec: TableSpec) -> None:
    values = {(0, 0): 0.5, (1, 0): 0.6, (2, 0): 0.7, (0, 1): 0.52, (0, 2): 0.48}
    found = spread.spread(made_up(spec, values, low=0.4, high=0.6), cells(spec)[0], 3)
    assert [found.value, found.mean] == pytest.approx([0.5, 0.6])
    assert found.training == pytest.approx(0.02)
    assert found.pairing == pytest.approx(sqrt(0.01 - 0.0004))
    assert found.folds == pytest.approx(0.01 / sqrt(2))
    assert found.subjects == pytest.approx(0.2 / (2 * 1.959964))
    half = 4.302653 * 0.1 / sqrt(3)  # Student's t with two degrees of freedom
    assert [found.low, found.high] == pytest.approx([0.6 - half, 0.6 + half])


def test_training_that_scatters_more_leaves_nothing_to_the_pairing(spec: TableSpec) -> None:
    values = {(0, 0): 0.5, (1, 0): 0.51, (0, 1): 0.6}
    found = spread.spread(made_up(spec, values, low=None, high=None), cells(spec)[0], 2)
    assert found.pairing == 0
    assert isnan(found.subjects)


def test_table_of_made_up_figures(spec: TableSpec) -> None:
    values = {(0, 0): 0.5, (1, 0): 0.6, (0, 1): 0.52}
    table = spread.table(made_up(spec, values, low=0.4, high=0.6), 2)
    assert table.rows[0][:3] == ("what=noisy ID (%)", "50.0", "55.0")
    assert table.rows[0][3] == "[0.0, 100.0]"  # Student's t of two values reaches beyond what a rate can be
    assert "2 pairing seeds at training seed 0" in table.notes[0]


def test_work_is_every_cell_under_further_seeds_of_either_kind(
    spec: TableSpec, tiny_manifest: Manifest, tiny_settings: Extraction
) -> None:
    found = spread.work([spec], Quick(tiny_manifest, tiny_settings), 3)
    assert [(s.pairing, s.seed) for s in found] == [(1, None), (2, None), (None, 1), (None, 2)]


def test_a_runner_computes_other_pairings_and_seeds(
    spec: TableSpec, tiny_manifest: Manifest, tiny_settings: Extraction, tmp_path: Path
) -> None:
    asked: list[tuple[str, int]] = []

    def build(split: str, seed: int) -> Manifest:
        asked.append((split, seed))
        return replace(tiny_manifest, info=tiny_manifest.info | {"seed": seed, "hash": f"{seed:016d}"})

    runner = Quick(tiny_manifest, replace(tiny_settings, home=tmp_path), folds=2, build=build)
    runner.compute([*(c.settings for c in cells(spec)), *spread.work([spec], runner, 2)])
    table = spread.table(Finished(spec, runner), 2)
    assert asked == [("triplet", 1)]
    assert len(table.rows) == 1
