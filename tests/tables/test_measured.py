"""Measured: what is best, worse or not compared, and why a figure is no reproduction; of results written by hand."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbio.conditions import parse
from mmbio.data.manifest import Manifest
from mmbio.embed.settings import Settings as Extraction
from mmbio.tables.beside import Measured
from mmbio.tables.best import best_or_level
from mmbio.tables.measured import measured
from mmbio.tables.run import Finished, Runner
from mmbio.tables.spec import cells, load

OWN = """
protocol = "multitask"
name = "own"
title = "My own"
keys = ["noise", "fusion"]
COMPARE
[base]
modalities = ["ecg", "face"]
tasks = ["identification"]
[[columns]]
key = "id"
header = "ID (%)"
task = "identification"
metric = "accuracy"
"""
# noise, fusion -> of how many of N subjects the first of both items is taken for another's
WRONG = {("0", "concat"): 0, ("0", "sum"): 1, ("0", "attention"): 20, ("1", "concat"): 9}
N = 30

Write = Callable[..., Path]
Figures = dict[str, Measured]
Make = Callable[..., tuple[Finished, Figures]]


def arrays(wrong: int, **change: Any) -> dict[str, Any]:
    right = np.ones(2 * N)
    right[: 2 * wrong : 2] = 0
    found = {
        "posterior_identification": np.stack([1 - right, right], 1)[None],
        "label_identification": np.ones(2 * N, np.int64),
        "id": np.arange(2 * N).astype(str),
        "subject": np.arange(2 * N) // 2,
    }
    return found | change


@pytest.fixture
def make(tiny_manifest: Manifest, tiny_settings: Extraction, write_result: Write, tmp_path: Path) -> Make:
    """The figures of a spec by noise and fusion, which compares what it is told to; `change` is of the runner."""

    def make(compare: str, other: tuple[str, ...] = (), **change: Any) -> tuple[Finished, Figures]:
        rows = [
            f'[[rows]]\nkey = {{ noise = "{noise}", fusion = "{fusion}" }}\n'
            f'set = {{ fusion = "{fusion}", test = "ecg=0.{noise}" }}\n'
            for noise, fusion in WRONG
        ]
        (tmp_path / "own.toml").write_text(OWN.replace("COMPARE", compare) + "".join(rows))
        runner = Runner(tiny_manifest, replace(tiny_settings, home=tmp_path), folds=2)
        finished = Finished(load(tmp_path / "own.toml"), replace(runner, **change))
        for cell, (noise, fusion) in zip(cells(finished.spec), WRONG, strict=True):
            wrong = WRONG[noise, fusion]
            subject = {"subject": np.arange(2 * N) // 3} if fusion in other else {}
            name = finished.result_of(cell).name
            write_result(name, arrays(wrong, **subject), value=1 - wrong / (2 * N), n=2 * N, weights="random-0")
        found = measured(finished, best_or_level(finished))
        return finished, {row.replace("noise=", "").replace("fusion=", ""): one for (row, _), one in found.items()}

    return make


def bests(figures: Figures) -> dict[str, bool | None]:
    return {row: one.best for row, one in figures.items()}


def test_best_level_worse_and_alone(make: Make) -> None:
    _, found = make('compare = ["noise"]')
    assert bests(found) == {"0,concat": True, "0,sum": True, "0,attention": False, "1,concat": None}


def test_rows_that_no_one_compares(make: Make) -> None:
    assert set(bests(make("")[1]).values()) == {None}


def test_all_rows_with_each_other(make: Make) -> None:
    _, found = make("compare = []")
    assert bests(found) == {"0,concat": True, "0,sum": True, "0,attention": False, "1,concat": False}


def test_rows_on_other_decisions_are_neither_best_nor_worse(make: Make) -> None:
    _, found = make('compare = ["noise"]', other=("sum",))
    assert set(bests(found).values()) == {None}


def test_a_figure_is_what_is_stored(make: Make) -> None:
    finished, found = make("")
    for cell in cells(finished.spec):
        one = found[cell.row.replace("noise=", "").replace("fusion=", "")]
        assert one.result == finished.result_of(cell).name
        assert np.isnan(one.low)
        assert (one.n, one.n_imputed, one.comparable) == (2 * N, 0, False)  # all is synthetic
    assert found["0,attention"].value == pytest.approx(1 - 20 / 60)


def test_why_of_synthetic_samples(make: Make) -> None:
    _, found = make("")
    assert {one.why for one in found.values()} == {("synthetic samples, not people's",)}
    assert {one.mark for one in found.values()} == {""}


def test_why_of_real_people_beside_synthetic_ones(make: Make, tiny_manifest: Manifest) -> None:
    sources = tiny_manifest.info["sources"] | {"ecg": {"sets": ["ecg-id"], "synthetic": False}}
    manifest = replace(tiny_manifest, info=tiny_manifest.info | {"sources": sources, "data": "ecg-id"})
    _, found = make("", manifest=manifest)
    (why,) = {one.why for one in found.values()}
    assert why[0] == "synthetic faces, not people's"
    assert "ECGs of ecg-id, not of ECG-ID and PTB" in why
    assert "random ResNet-50 weights instead of ImageNet's" in why
    assert "6 subjects, not 58" in why
    assert {(one.mark, one.comparable) for one in found.values()} == {("s", True)}


def test_why_under_a_further_condition(make: Make) -> None:
    _, found = make("", under=parse("face=0.3,finger=0.2"))
    assert {one.why[-1] for one in found.values()} == {"degraded by face=0.3 on top"}
