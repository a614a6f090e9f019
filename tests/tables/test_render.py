"""Figures into tables: cells, differences and notes by hand; the committed renderings byte for byte."""

from dataclasses import replace
from math import nan
from pathlib import Path

import pytest

from mmbio.protocols import MULTITASK
from mmbio.tables.formats import FORMATS, to_text
from mmbio.tables.render import Measured, measured_table, render_reported, reported_table
from mmbio.tables.reported import read_reported
from mmbio.tables.spec import Column, Key, Row, TableSpec, cells, load

REPOSITORY = Path(__file__).parents[2] / "tables"
FIGURES = {
    ("task=both", "id"): Measured(0.764, 0.701, 0.82, n=174),
    ("task=both", "gender"): Measured(1.0, 1.0, 1.0, n=174),
    ("task=id", "id"): Measured(0.98966, nan, nan, n=174),
}
REPORTED = {("task=both", "id"): "77.49", ("task=both", "gender"): "100.0"}


def small(metric: str = "accuracy") -> TableSpec:
    return TableSpec(
        protocol=replace(MULTITASK, tasks=("identification", "gender")),
        name="own",
        title="My own",
        notes=("a reading",),
        reported_notes=("a slip",),
        cost=False,
        keys=(Key("task", "Task", mark=False),),
        base={},
        columns=(
            Column("id", "ID (%)", "identification", metric, {}),
            Column("gender", "Gender (%)", "gender", metric, {}),
        ),
        rows=(Row("task=both", ("both",), {}), Row("task=id", ("",), {"tasks": ["identification"]})),
    )


def test_measured_cells() -> None:
    table = measured_table(small(), FIGURES, ["Data: synthetic", "Seed 7"])
    assert table.title == "My own (measured)"
    assert table.header == ("Task", "ID (%)", "Gender (%)")
    assert table.rows == (("both", "76.4 [70.1, 82.0]", "100.0 [100.0, 100.0]"), ("-", "99.0", "-"))
    assert table.notes == (
        "Data: synthetic",
        "Seed 7",
        "The smallest step that the test set can show: 1/174 = 0.57 %.",
        "In brackets: 95 % interval.",
        "a reading",
    )


def test_measured_beside_reported() -> None:
    table = measured_table(small(), FIGURES, ["Data: ECG-ID"], REPORTED)
    assert table.header[1:4] == ("ID (%)\nreported", "ID (%)\nmeasured", "ID (%)\ndiff.")
    assert table.rows == (
        ("both", "77.49", "76.4 [70.1, 82.0]", "-1.1", "100.0", "100.0 [100.0, 100.0]", "0.0"),
        ("-", "-", "99.0", "-", "-", "-", "-"),
    )
    assert table.title == "My own (reported and measured)"
    assert {"a slip", "diff.: measured minus reported."} < set(table.notes)


@pytest.mark.parametrize(
    ("value", "difference"), [(0.7749, "0.0"), (0.7746, "0.0"), (0.7752, "0.0"), (0.8, "+2.5"), (0.0, "-77.5")]
)
def test_difference(value: float, difference: str) -> None:
    figures = FIGURES | {("task=both", "id"): Measured(value, nan, nan, n=174)}
    assert measured_table(small(), figures, [], REPORTED).rows[0][3] == difference


def test_metric_that_is_no_percentage() -> None:
    figures = {place: Measured(0.6314, 0.6, 0.7, n=99) for place in FIGURES}
    table = measured_table(small("min_dcf"), figures, [], {("task=both", "id"): "0.712"})
    assert table.rows[0][1:4] == ("0.712", "0.631 [0.600, 0.700]", "-0.081")
    assert not any("smallest step" in note for note in table.notes)


def test_each_n_has_its_step() -> None:
    figures = FIGURES | {("task=both", "gender"): Measured(0.5, 0.4, 0.6, n=200)}
    notes = measured_table(small(), figures, []).notes
    assert "The smallest step that the test set can show: 1/174 = 0.57 %, 1/200 = 0.50 %." in notes


@pytest.mark.parametrize(
    "figures",
    [
        {},
        FIGURES | {("task=id", "gender"): Measured(0.5, 0.4, 0.6, n=174)},
        FIGURES | {("task=both", "id"): Measured(76.4, 70.1, 82.0, n=174)},
    ],
    ids=["none", "where no cell is", "percent"],
)
def test_wrong_figures(figures: dict[tuple[str, str], Measured]) -> None:
    with pytest.raises(ValueError, match=r"differ in|expected a fraction"):
        measured_table(small(), figures, [])


@pytest.mark.parametrize(("value", "n"), [(nan, 1), (0.5, 0)])
def test_no_figure(value: float, n: int) -> None:
    with pytest.raises(ValueError, match="finite number"):
        Measured(value, 0.0, 1.0, n)


def test_reported_alone() -> None:
    table = reported_table(small(), REPORTED)
    assert table.rows == (("both", "77.49", "100.0"), ("-", "-", "-"))
    assert table.title == "My own (reported)"


def test_marks_print_as_in_the_paper() -> None:
    spec = load(REPOSITORY / "multitask-table3.toml")
    table = reported_table(spec, read_reported(REPOSITORY / "reported" / "multitask-table3.csv", spec))
    assert table.header == ("ECG", "Face", "Finger", "Noise", "ID (%)", "Gender (%)")
    assert table.rows[1] == ("O", "", "O", "O", "93.68", "95.21")
    assert table.rows[4] == ("O", "O", "", "", "100.0", "100.0")


def test_committed_renderings_are_byte_for_byte(tmp_path: Path) -> None:
    written = render_reported(REPOSITORY, tmp_path)
    committed = REPOSITORY / "rendered" / "reported"
    assert {path.name for path in written} == {path.name for path in committed.iterdir()}
    for path in written:
        assert path.read_bytes() == (committed / path.name).read_bytes(), path.name


@pytest.mark.parametrize("table", [1, 2, 3, 4])
@pytest.mark.parametrize("beside", [False, True])
def test_papers_tables_fit_a_terminal_at_their_widest(table: int, beside: bool) -> None:
    spec = load(REPOSITORY / f"multitask-table{table}.toml")
    figures = {(cell.row, cell.column): Measured(1.0, 1.0, 1.0, n=174) for cell in cells(spec)}
    reported = read_reported(REPOSITORY / "reported" / f"multitask-table{table}.csv", spec) if beside else None
    text = to_text(measured_table(spec, figures, ["Data: " + "long " * 40], reported))
    assert max(map(len, text.splitlines())) <= 100
    assert text.count("100.0 [100.0, 100.0]") == len(figures)


@pytest.mark.parametrize("name", FORMATS)
def test_measured_values_are_the_same_in_each_format(name: str) -> None:
    text = FORMATS[name](measured_table(small(), FIGURES, ["Data: synthetic"], REPORTED))
    for piece in ("77.49", "76.4 [70.1, 82.0]", "1.1", "Data: synthetic", "My own"):
        assert piece in text
