"""The tables of the multitask paper: what their specs ask for, and that each cell has its reported value."""

from pathlib import Path

import pytest

from mmbio.protocols import MULTITASK
from mmbio.tables.reported import read_reported
from mmbio.tables.spec import TableSpec, cells, load, spec_folder, spec_paths

REPOSITORY = Path(__file__).parents[2] / "tables"


def paper_spec(table: int) -> TableSpec:
    return load(REPOSITORY / f"multitask-table{table}.toml")


def reported_of(table: int) -> dict[tuple[str, str], str]:
    return read_reported(REPOSITORY / "reported" / f"multitask-table{table}.csv", paper_spec(table))


def test_the_four_tables_are_found() -> None:
    assert spec_folder() == REPOSITORY
    names = {path.stem for path in spec_paths(REPOSITORY)}
    assert names >= {f"multitask-table{k}" for k in (1, 2, 3, 4)}


@pytest.mark.parametrize(("table", "n_cells"), [(1, 14), (2, 4), (3, 16), (4, 26)])
def test_each_cell_of_the_paper_has_its_reported_value(table: int, n_cells: int) -> None:
    existing = [(cell.row, cell.column) for cell in cells(paper_spec(table))]
    assert len(existing) == n_cells
    assert set(existing) == set(reported_of(table))


@pytest.mark.parametrize(
    ("table", "place", "text"),
    [
        (1, ("ecg=0,face=0,finger=1", "identification"), "83.91"),
        (2, ("trained_on_identification=0,trained_on_gender=1", "gender"), "97.70"),
        (3, ("ecg=1,face=1,finger=0,noise=0", "identification"), "100.0"),
        (4, ("fusion=score,rule=sum,weight_ecg=0.50,weight_face=0.25,weight_finger=0.25", "gender"), "99.42"),
    ],
)
def test_reported_text_is_kept(table: int, place: tuple[str, str], text: str) -> None:
    assert reported_of(table)[place] == text


def test_table_1_trains_one_task_each() -> None:
    face = cells(paper_spec(1))[2:4]
    assert [cell.settings.tasks for cell in face] == [("identification",), ("gender",)]
    assert {cell.settings.modalities for cell in face} == {("face",)}
    assert {(str(cell.settings.train), str(cell.settings.test)) for cell in face} == {("face=0.97", "face=0.97")}


def test_table_1_ends_where_table_2_begins() -> None:
    assert {cell.settings for cell in cells(paper_spec(1))[-2:]} == {cell.settings for cell in cells(paper_spec(2))[:2]}


def test_table_3_has_the_same_rows_with_and_without_noise() -> None:
    noisy, clean = cells(paper_spec(3))[:8], cells(paper_spec(3))[8:]
    assert [cell.settings.modalities for cell in noisy] == [cell.settings.modalities for cell in clean]
    assert {(str(cell.settings.train), str(cell.settings.test)) for cell in clean} == {("clean", "clean")}
    assert {cell.settings.tasks for cell in (*noisy, *clean)} == {MULTITASK.tasks}


def test_table_4_weights_are_those_of_the_key() -> None:
    for cell in cells(paper_spec(4))[2:]:
        parts = dict(part.split("=") for part in cell.row.split(","))
        assert cell.settings.fusion == f"score-{parts['rule']}"
        assert cell.settings.weights == tuple((m, float(parts[f"weight_{m}"])) for m in MULTITASK.modalities)
