"""Writing: reported values beside measured ones on real data, apart on synthetic; every format, cells and rows."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmbio.data.manifest import Manifest
from mmbio.embed.settings import Settings as Extraction
from mmbio.measure import results
from mmbio.tables.cells import read
from mmbio.tables.formats import FORMATS
from mmbio.tables.run import Finished, Runner
from mmbio.tables.spec import cells, load
from mmbio.tables.write import make, write

REPOSITORY = Path(__file__).parents[2] / "tables"
NAME = "multitask-table1"
TIDY = ("-cells.csv", "-rows.csv")
N = 18  # items, two a subject
HALF = {"value": 0.5, "low": 0.25, "high": 0.75, "n": N, "interval": "subject-bootstrap"}

Write = Callable[..., Path]
Give = Callable[[Manifest], Finished]


def cells_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def give(tiny_settings: Extraction, write_result: Write, tmp_path: Path) -> Give:
    """Table 1 of results that nobody had to compute: each is right on every other item."""
    posteriors = np.tile([[[0.0, 1.0], [1.0, 0.0]]], (1, N // 2, 1))
    of_items = {"id": np.arange(N).astype(str), "subject": np.arange(N) // 2}

    def give(manifest: Manifest) -> Finished:
        extraction = replace(tiny_settings, home=tmp_path)
        finished = Finished(load(REPOSITORY / f"{NAME}.toml"), Runner(manifest, extraction, folds=2))
        for cell in cells(finished.spec):
            arrays = {f"posterior_{cell.task}": posteriors, f"label_{cell.task}": np.ones(N, np.int64)}
            write_result(finished.result_of(cell).name, of_items | arrays, (cell.task,), **HALF)
        return finished

    return give


@pytest.fixture
def synthetic(give: Give, tiny_manifest: Manifest) -> Finished:
    return give(tiny_manifest)


@pytest.fixture
def real(give: Give, tiny_manifest: Manifest) -> Finished:
    sources = tiny_manifest.info["sources"] | {"ecg": {"sets": ["ecg-id"], "synthetic": False}}
    info = tiny_manifest.info | {"sources": sources, "data": "ecg-id + faces95 (synthetic)"}
    return give(replace(tiny_manifest, info=info))


def test_synthetic_stands_alone(synthetic: Finished) -> None:
    made = make(synthetic, REPOSITORY).table
    assert made.title.endswith("(measured)")
    assert not any("reported" in part.lower() for part in (*made.header, made.title))
    assert any(note.startswith("Data: synthetic; 6 subjects") for note in made.notes)
    assert {text for line in made.rows for text in line[made.n_keys :]} == {
        "50.0* [25.0, 75.0]",
        "50.0c* [25.0, 75.0]",
    }
    assert any(note.startswith("*: the best of all rows") for note in made.notes)


def test_real_stands_beside_the_reported(real: Finished) -> None:
    made = make(real, REPOSITORY).table
    assert made.title.endswith("(reported and measured)")
    assert any("83.91 [77.7, 88.6]" in line for line in made.rows)
    assert not any("50.0c" in text for line in made.rows for text in line)
    assert any(note.startswith("Data: ecg-id + faces95 (synthetic)") for note in made.notes)


def test_real_without_reported_values_stands_alone(real: Finished, tmp_path: Path) -> None:
    assert make(real, tmp_path / "none").table.title.endswith("(measured)")


def test_every_format_and_the_rows(synthetic: Finished, tmp_path: Path) -> None:
    made = make(synthetic, REPOSITORY)
    written = write([made], tmp_path / "out")
    names = [*(f"{NAME}.{suffix}" for suffix in FORMATS), *(f"{NAME}{end}" for end in (".json", *TIDY))]
    assert [path.name for path in written] == names
    assert all(path.read_text() == FORMATS[path.suffix[1:]](made.table) for path in written[: len(FORMATS)])
    assert results.read(written[-1]) == list(synthetic.rows.values())
    assert len(cells_of(written[-2])) == len(synthetic.rows) == len(read(written[-3])["cells"])


def test_no_reported_figure_stands_beside_a_synthetic_one(synthetic: Finished, tmp_path: Path) -> None:
    found = read(write([make(synthetic, REPOSITORY)], tmp_path)[-3])
    assert found["synthetic"] is True
    assert found["data"] == "synthetic"
    assert {cell["reported"] for cell in found["cells"]} == {None}


def test_reported_figures_stand_in_the_cells_of_real_data(real: Finished, tmp_path: Path) -> None:
    found = read(write([make(real, REPOSITORY)], tmp_path)[-3])
    assert found["synthetic"] is False
    assert "synthetic" in found["data"]
    assert [cell["reported"] for cell in found["cells"]][-2:] == ["98.28", "97.70"]


def test_a_table_written_twice_is_the_same(synthetic: Finished, tmp_path: Path) -> None:
    made = make(synthetic, REPOSITORY)
    written = write([made, made], tmp_path)
    assert results.read(written[-1]) == list(synthetic.rows.values())


def test_each_metric_of_an_evaluation_keeps_its_row(synthetic: Finished, tmp_path: Path) -> None:
    made = make(synthetic, REPOSITORY)
    rows = {place: replace(row, metric=f"metric {i}") for i, (place, row) in enumerate(synthetic.rows.items())}
    synthetic.__dict__["rows"] = rows
    assert results.read(write([made], tmp_path)[-1]) == list(rows.values())


def test_the_same_figures_give_the_same_bytes(synthetic: Finished, tmp_path: Path) -> None:
    first, second = (write([make(synthetic, REPOSITORY)], tmp_path / name) for name in "ab")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
