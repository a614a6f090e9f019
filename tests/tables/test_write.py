"""Writing: reported values beside measured ones on real data, apart on synthetic; every format, cells and rows."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmbio.data.manifest import Manifest
from mmbio.embed.settings import Settings as Extraction
from mmbio.measure import results
from mmbio.measure.results import COLUMNS, ResultRow
from mmbio.tables.cells import read
from mmbio.tables.formats import FORMATS
from mmbio.tables.run import Finished, Runner
from mmbio.tables.spec import cells, load
from mmbio.tables.write import make, write

REPOSITORY = Path(__file__).parents[2] / "tables"
NAME = "multitask-table1"
TIDY = ("-cells.csv", "-rows.csv")


def row(result: str, task: str) -> ResultRow:
    values: dict[str, Any] = dict.fromkeys(COLUMNS, "")
    values |= {"result": result, "task": task, "metric": "accuracy", "fold": "mean", "interval": "subject-bootstrap"}
    values |= dict.fromkeys(("n_subjects", "n", "n_imputed", "n_missing", "seed"), 18)
    values |= {"value": 0.5, "low": 0.25, "high": 0.75, "n_genuine": None, "n_impostor": None}
    return ResultRow(**values)


def cells_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def given(manifest: Manifest, extraction: Extraction) -> Finished:
    """Table 1 with figures that nobody had to compute: all are one half."""
    finished = Finished(load(REPOSITORY / f"{NAME}.toml"), Runner(manifest, extraction, folds=2))
    finished.__dict__["rows"] = {(c.row, c.column): row(c.row, c.task) for c in cells(finished.spec)}
    return finished


@pytest.fixture
def synthetic(tiny_manifest: Manifest, tiny_settings: Extraction) -> Finished:
    return given(tiny_manifest, tiny_settings)


@pytest.fixture
def real(tiny_manifest: Manifest, tiny_settings: Extraction) -> Finished:
    sources = tiny_manifest.info["sources"] | {"ecg": {"sets": ["ecg-id"], "synthetic": False}}
    info = tiny_manifest.info | {"sources": sources, "data": "ecg-id + faces95 (synthetic)"}
    return given(replace(tiny_manifest, info=info), tiny_settings)


def test_synthetic_stands_alone(synthetic: Finished) -> None:
    made = make(synthetic, REPOSITORY).table
    assert made.title.endswith("(measured)")
    assert not any("reported" in part.lower() for part in (*made.header, made.title))
    assert any(note.startswith("Data: synthetic; 6 subjects") for note in made.notes)
    assert {text for line in made.rows for text in line[made.n_keys :]} == {
        "50.0 [25.0, 75.0]",
        "50.0c [25.0, 75.0]",
    }


def test_real_stands_beside_the_reported(real: Finished) -> None:
    made = make(real, REPOSITORY).table
    assert made.title.endswith("(reported and measured)")
    assert any("83.91 [77.7, 88.6]" in line for line in made.rows)
    assert not any("c [" in text for line in made.rows for text in line)
    assert any(note.startswith("Data: ecg-id + faces95 (synthetic)") for note in made.notes)


def test_real_without_reported_values_stands_alone(real: Finished, tmp_path: Path) -> None:
    assert make(real, tmp_path).table.title.endswith("(measured)")


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
    places = enumerate(synthetic.rows)
    rows = {place: replace(row("one", "verification"), metric=f"metric {i}") for i, place in places}
    synthetic.__dict__["rows"] = rows
    assert results.read(write([made], tmp_path)[-1]) == list(rows.values())


def test_the_same_figures_give_the_same_bytes(synthetic: Finished, tmp_path: Path) -> None:
    first, second = (write([make(synthetic, REPOSITORY)], tmp_path / name) for name in "ab")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
