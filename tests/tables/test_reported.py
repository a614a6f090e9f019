"""The intervals of the papers' figures, by hand and on the committed tables."""

from dataclasses import replace
from math import isnan
from pathlib import Path
from typing import Any

import pytest

from mmbio.errors import MmbioError
from mmbio.tables.reported import read_reported, span, within_chance
from mmbio.tables.spec import Column, TableSpec, load, spec_paths

REPOSITORY = Path(__file__).parents[2] / "tables"
PAPERS = [path.stem for path in spec_paths(REPOSITORY) if (REPOSITORY / "reported" / f"{path.stem}.csv").is_file()]


def paper(name: str) -> tuple[TableSpec, dict[tuple[str, str], str]]:
    spec = load(REPOSITORY / f"{name}.toml")
    return spec, read_reported(REPOSITORY / "reported" / f"{name}.csv", spec)


def column(spec: TableSpec, key: str) -> Column:
    return next(c for c in spec.columns if c.key == key)


def ends(name: str, row: str, key: str, change: dict[str, Any]) -> tuple[float, float]:
    spec, reported = paper(name)
    found = span(replace(spec, **change), reported, row, column(spec, key))
    assert found is not None
    return 100 * found.low, 100 * found.high


@pytest.mark.parametrize(
    ("name", "row", "key", "change", "expected"),
    [
        ("multitask-table1", "ecg=1,face=1,finger=1", "identification", {}, (95.1, 99.4)),  # 171/174
        ("multitask-table3", "ecg=1,face=1,finger=1,noise=0", "identification", {}, (97.8, 100.0)),
        ("multitask-table1", "ecg=1,face=1,finger=1", "identification", {"reported_design": 3.0}, (90.9, 99.7)),
        ("audiovisual-table1", "system=C,segment_s=1.015", "eer", {"reported_design": 1.0}, (5.1, 5.5)),
        ("audiovisual-table1", "system=C,segment_s=1.015", "eer", {"reported_design": 28.0}, (4.2, 6.7)),
        ("audiovisual-table3b", "attribute=Bald", "voice", {}, (70.9, 78.9)),  # the paper's 4.02 on both sides
    ],
)
def test_interval(name: str, row: str, key: str, change: dict[str, Any], expected: tuple[float, float]) -> None:
    assert ends(name, row, key, change) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(
    ("name", "row", "key", "change"),
    [
        ("audiovisual-table1", "system=C,segment_s=1.015", "min_dcf", {}),
        ("audiovisual-table3a", "axis=yaw,bin_deg=0-30", "voice", {}),
        ("audiovisual-table3b", "attribute=Bald", "ci95_half_width", {}),
        ("multitask-table1", "ecg=1,face=1,finger=1", "identification", {"reported_n": None}),
    ],
)
def test_no_interval(name: str, row: str, key: str, change: dict[str, Any]) -> None:
    assert all(map(isnan, ends(name, row, key, change)))


@pytest.mark.parametrize("name", PAPERS)
def test_each_figure_lies_in_its_interval(name: str) -> None:
    spec, reported = paper(name)
    for row, key in reported:
        found = span(spec, reported, row, column(spec, key))
        assert found is not None
        assert isnan(found.low) or 0 <= found.low <= found.value <= found.high <= 1


def test_no_figure() -> None:
    spec, reported = paper("multitask-table2")
    assert span(spec, reported, "trained_on_identification=1,trained_on_gender=0", column(spec, "gender")) is None


def test_within_chance() -> None:
    assert within_chance(*paper("multitask-table2")) == {"ID (%)": (1, 1), "Gender (%)": (1, 1)}
    assert within_chance(*paper("multitask-table1")) == {"ID (%)": (9, 21), "Gender (%)": (16, 21)}
    assert within_chance(*paper("audiovisual-table3a")) == {}


@pytest.mark.parametrize(("compare", "pairs"), [(None, 66), ((), 66), (("segment_s",), 30), (("system",), 6)])
def test_pairs_are_of_the_rows_that_are_compared(compare: tuple[str, ...] | None, pairs: int) -> None:
    spec, reported = paper("audiovisual-table1")
    assert within_chance(replace(spec, compare=compare), reported)["EER (%)"][1] == pairs


@pytest.mark.parametrize("text", ["107.2", "1e2", "٩٨", "-1"])
def test_no_percentage(text: str, tmp_path: Path) -> None:
    path = tmp_path / "reported.csv"
    path.write_text(f"ecg,face,finger,identification\n1,1,1,{text}\n")
    with pytest.raises(MmbioError, match=r"'identification' is '.*' in a row; give a"):
        read_reported(path, load(REPOSITORY / "multitask-table1.toml"))
