"""A table of the page: numbers as they are printed, scales that are round, its CSV."""

from pathlib import Path
from typing import Any

import pytest

from mmbio.tables.report_html.stored_table import Column, of_content
from mmbio.tables.report_html.table import shown, to_csv


@pytest.mark.parametrize(
    ("value", "decimals", "sign", "told"),
    [(86.25, 1, False, "86.2"), (-0.04, 1, True, "0.0"), (8.8, 1, True, "+8.8"), (-7.7, 1, True, "\N{MINUS SIGN}7.7"),
     (0.2975, 3, False, "0.297"), (100.0, 0, False, "100")],
)  # fmt: skip
def test_numbers_as_they_are_printed(value: float, decimals: int, sign: bool, told: str) -> None:
    assert shown(value, Column("", "", "", "", decimals, None), sign) == told


def test_csv_has_a_line_for_each_figure(multitask_table: dict[str, Any]) -> None:
    lines = to_csv(of_content(multitask_table, Path("t"))).splitlines()
    assert lines[0].startswith("ECG,Face,column,value,low,high,")
    assert (
        lines[1]
        == "O,,identification,86.3,82.05,87.8,95 % subject bootstrap,159,0.63,,False,77.49,70.75,83.11,8.8,,0123abcd"
    )
    assert len(lines) == 6
