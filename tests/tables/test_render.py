"""Figures into tables: cells, differences and notes by hand; the committed renderings byte for byte."""

from dataclasses import replace
from math import nan
from pathlib import Path

import pytest

from mmbio.protocols import MULTITASK
from mmbio.tables.beside import Measured
from mmbio.tables.formats import FORMATS, to_text
from mmbio.tables.render import measured_table, render_reported, reported_table
from mmbio.tables.reported import read_reported
from mmbio.tables.spec import Column, Difference, Key, Row, TableSpec, cells, load

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
    assert table.groups == (3, 3)
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


def test_intervals_beside_the_papers() -> None:
    spec = replace(small(), reported_n=174)
    table = measured_table(spec, FIGURES, [], REPORTED)
    assert table.rows[0][1:4] == ("77.49 [70.7, 83.1]", "76.4 [70.1, 82.0]", "-1.1 [-9.5, 7.7]")
    assert "A difference's interval is made of both figures' as if they were independent (MOVER)." in table.notes
    assert any(note.startswith("Behind reported figures: Wilson's 95 % interval of 174") for note in table.notes)
    assert "In brackets behind measured figures: 95 % interval." in table.notes


def test_a_column_without_reported_values_stands_alone() -> None:
    table = measured_table(small(), FIGURES, [], {("task=both", "id"): "77.49"})
    assert table.header == ("Task", "ID (%)\nreported", "ID (%)\nmeasured", "ID (%)\ndiff.", "Gender (%)")
    assert table.groups == (3, 1)


def test_no_difference_where_figures_are_not_comparable() -> None:
    figures = {place: replace(found, comparable=False) for place, found in FIGURES.items()}
    table = measured_table(small(), figures, [], REPORTED)
    assert table.header == (
        "Task",
        *(f"{h} (%)\n{part}" for h in ("ID", "Gender") for part in ("reported", "measured")),
    )
    assert table.groups == (2, 2)
    assert not any(note.startswith("diff.") for note in table.notes)


@pytest.mark.parametrize(("best", "mark", "text"), [(True, "", "99.0*"), (True, "s", "99.0s*"), (False, "c", "99.0c")])
def test_best_is_marked(best: bool, mark: str, text: str) -> None:
    figures = FIGURES | {("task=id", "id"): Measured(0.98966, nan, nan, n=174, best=best, mark=mark)}
    assert measured_table(small(), figures, []).rows[1][1] == text


@pytest.mark.parametrize("reported", [None, REPORTED])
def test_differences_stand_behind_the_columns(reported: dict[tuple[str, str], str] | None) -> None:
    spec = replace(small(), differences=(Difference("gap", "ID - Gender", ("id", "gender")),))
    figures = FIGURES | {("task=both", "gender"): Measured(0.964, 0.9, 0.98, n=174, mark="s")}
    table = measured_table(spec, figures, [], reported)
    assert table.header[-1] == "ID - Gender"
    assert [line[-1] for line in table.rows] == ["-20.0s [-26.5, -11.5]", "-"]
    assert "ID - Gender is ID (%) minus Gender (%)." in table.notes


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
    assert table.rows[1] == ("O", "", "O", "O", "93.68 [89.0, 96.4]", "95.21 [90.9, 97.5]")
    assert table.rows[4] == ("O", "O", "", "", *("100.0 [97.8, 100.0]",) * 2)


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
    figures = {place: replace(found, best=True, mark="s") for place, found in figures.items()}
    text = to_text(measured_table(spec, figures, ["Data: " + "long " * 40], reported))
    assert max(map(len, text.splitlines())) <= 100
    assert text.count("100.0s* [100.0, 100.0]") == len(figures)


@pytest.mark.parametrize("name", FORMATS)
def test_measured_values_are_the_same_in_each_format(name: str) -> None:
    text = FORMATS[name](measured_table(small(), FIGURES, ["Data: synthetic"], REPORTED))
    for piece in ("77.49", "76.4 [70.1, 82.0]", "1.1", "Data: synthetic", "My own"):
        assert piece in text
