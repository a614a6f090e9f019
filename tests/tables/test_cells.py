"""Cells for machines: every number in the printed unit, read back, and refused where they cannot be understood."""

import csv
import json
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Any

import pytest

from mmbio.errors import MmbioError
from mmbio.protocols import MULTITASK
from mmbio.tables.beside import Measured
from mmbio.tables.cells import FIELDS, KEYS, Figures, document, read, to_csv, to_json
from mmbio.tables.formats import Table
from mmbio.tables.render import measured_table
from mmbio.tables.spec import Column, Difference, Key, Row, TableSpec

SPEC = TableSpec(
    protocol=MULTITASK,
    name="own",
    title="My own",
    notes=("a reading",),
    reported_notes=(),
    cost=False,
    keys=(Key("ecg", "ECG", mark=True), Key("rule", "Rule, used", mark=False)),
    base={},
    columns=(
        Column("id", "ID (%)", "identification", "accuracy", {}),
        Column("gender", "Gender (%)", "gender", "accuracy", {}),
    ),
    rows=(Row("ecg=1,rule=sum", ("1", "sum"), {}), Row("ecg=0,rule=", ("0", ""), {"tasks": ["identification"]})),
    differences=(Difference("gap", "ID - Gender", ("id", "gender")),),
    reported_n=174,
)
MEASURED = {
    ("ecg=1,rule=sum", "id"): Measured(
        value=0.764,
        low=0.701,
        high=0.82,
        n=174,
        interval="95 % bootstrap",
        mark="s",
        best=True,
        why=("one", "two"),
        result="c5e5",
        n_imputed=3,
        n_missing=1,
    ),
    ("ecg=1,rule=sum", "gender"): Measured(1 / 3, nan, nan, n=160, why=("two",)),
    ("ecg=0,rule=", "id"): Measured(0.98966, 0.95, 1.0, n=174, comparable=False, best=False),
}
REPORTED = {("ecg=1,rule=sum", "id"): "77.49", ("ecg=0,rule=", "id"): "98.28"}


def figures(reported: dict[tuple[str, str], str] | None = None) -> Figures:
    return Figures(SPEC, MEASURED, reported, "ecg-id + faces95 (synthetic)", synthetic=False)


def rendered(reported: dict[tuple[str, str], str] | None = None) -> Table:
    return measured_table(SPEC, MEASURED, ["Data: x"], reported)


@pytest.fixture
def found(tmp_path: Path) -> dict[str, Any]:
    """The document of figures beside reported ones, written and read back."""
    path = tmp_path / "own.json"
    path.write_text(to_json(figures(REPORTED), rendered(REPORTED)))
    return read(path)


def test_what_the_cells_stand_in(found: dict[str, Any]) -> None:
    assert tuple(found) == ("schema", *KEYS)
    assert {key: found[key] for key in ("schema", "name", "title", "protocol", "data", "synthetic")} == {
        **{"schema": 1, "name": "own", "title": "My own (reported and measured)", "protocol": "multitask"},
        **{"data": "ecg-id + faces95 (synthetic)", "synthetic": False},
    }
    assert found["keys"] == [{"name": "ecg", "header": "ECG"}, {"name": "rule", "header": "Rule, used"}]
    assert found["rows"] == [{"id": "ecg=1,rule=sum", "key": ["O", "sum"]}, {"id": "ecg=0,rule=", "key": ["", "-"]}]
    assert found["notes"] == list(rendered(REPORTED).notes)
    assert found["columns"][1:] == [
        {"key": "gender", "header": "Gender (%)", "task": "gender", "metric": "accuracy", "unit": "%", "decimals": 1,
         "better": "higher"},
        {"key": "gap", "header": "ID - Gender", "task": "", "metric": "accuracy", "unit": "%", "decimals": 1,
         "better": None},
    ]  # fmt: skip


def test_a_whole_cell(found: dict[str, Any]) -> None:
    assert found["cells"][0] == {
        **{"row": "ecg=1,rule=sum", "column": "id", "value": 76.4, "low": 70.1, "high": 82.0},
        **{"interval": "95 % bootstrap", "n": 174, "step": 0.574713, "mark": "s", "best": True},
        **{"reported": "77.49", "reported_low": 70.729333, "reported_high": 83.063073},
        **{"difference": -1.09, "difference_low": pytest.approx(-9.501, abs=1e-3)},
        "difference_high": pytest.approx(7.689, abs=1e-3),
        **{"why": "one; two", "result": "c5e5"},
        **{"n_genuine": None, "n_impostor": None, "n_imputed": 3, "n_missing": 1},
    }


def test_cells_that_are_not_whole(found: dict[str, Any]) -> None:
    _, gender, gap, other = found["cells"]
    assert (gender["value"], gender["low"], gender["interval"], gender["best"]) == (
        33.333333,
        None,
        "95 % interval",
        None,
    )
    assert (gap["column"], gap["value"], gap["low"], gap["n"], gap["step"]) == ("gap", 43.066667, None, None, None)
    assert (gap["why"], gap["mark"], gap["interval"]) == ("one; two", "s", "")
    assert (other["reported"], other["difference"], other["best"]) == ("98.28", None, False)


def test_alone() -> None:
    cells = document(figures(), rendered())["cells"]
    assert {cell["reported"] for cell in cells} == {None}


def test_csv_holds_the_same(found: dict[str, Any]) -> None:
    lines = list(csv.DictReader(to_csv(figures(REPORTED)).splitlines()))
    assert list(lines[0]) == ["ecg", "rule", "header", "column", *FIELDS]
    assert [(line["ecg"], line["rule"], line["header"]) for line in lines] == [
        *(("1", "sum", header) for header in ("ID (%)", "Gender (%)", "ID - Gender")),
        ("0", "", "ID (%)"),
    ]
    for line, cell in zip(lines, found["cells"], strict=True):
        assert {name: line[name] for name in FIELDS} == {
            name: "" if cell[name] is None else str(cell[name]) for name in FIELDS
        }


def test_a_metric_that_is_no_rate() -> None:
    column = replace(SPEC.columns[0], metric="min_dcf")
    spec = replace(SPEC, columns=(column,), differences=(), rows=SPEC.rows[:1], reported_n=35895)
    place = ("ecg=1,rule=sum", "id")
    one = Figures(spec, {place: Measured(0.6314, 0.6, 0.7, n=99)}, {place: "0.712"}, "x", synthetic=False)
    made = document(one, rendered())
    cell, described = made["cells"][0], made["columns"][0]
    assert (cell["value"], cell["step"], cell["difference"], cell["difference_low"]) == (0.6314, None, -0.0806, None)
    assert (described["unit"], described["better"]) == ("", "lower")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"schema": 2}, "schema 2 is newer than this mmbio's 1; update mmbio"),
        ({"schema": 1}, "no table of cells"),
        ({"schema": "1"}, "no table of cells"),
        ({}, "no table of cells"),
        ([], "expected a table of cells"),
        ("{", "not a readable table of cells"),
    ],
)
def test_not_to_be_read(content: Any, words: str, tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(MmbioError, match=r"own\.json") as caught:
        read(path)
    assert words in str(caught.value)
