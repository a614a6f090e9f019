"""Interval bars: a scale of round ends that reaches all figures."""

from dataclasses import replace

import pytest

from mmbio.tables.report_html.stored_table import Cell, Column
from mmbio.tables.report_html.whisker import scale_of

CELL = Cell(None, None, None, "", 9, None, "", None, None, None, None, None, "", "", {})


@pytest.mark.parametrize(
    ("numbers", "unit", "ends"),
    [((86.3, 82.0, 90.5), "%", ("82", "92")), ((99.0, 97.0, 100.0), "%", ("97", "100")), ((0.5,), "", ("0.4", "0.6")),
     ((0.0, 0.0), "%", ("0", "0.2")), ((-2.0, 3.0), "", ("-2", "3")), ((), "", None)],
)  # fmt: skip
def test_a_scale_is_round_and_reaches_all(numbers: tuple[float, ...], unit: str, ends: tuple[str, str] | None) -> None:
    found = [replace(CELL, value=number) for number in numbers]
    scale = scale_of(Column("", "", "", unit, 1, None), found)
    assert (scale and scale.ends) == ends
    assert scale is None or all(4.0 <= scale.place(number) <= 156.0 for number in numbers)
