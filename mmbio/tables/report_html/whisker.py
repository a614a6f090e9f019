"""Interval bars: measured and reported figures of a column on one scale."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mmbio.tables.report_html.markup import Html
from mmbio.tables.report_html.stored_table import Cell, Column

WIDTH: Final = 160.0
_EDGE: Final = 4.0  # left of the least and right of the greatest figure, for half a dot


@dataclass(frozen=True)
class Scale:
    """From `low` to `high`, round numbers in the unit of the column."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Where a figure stands on the bar."""
        share = (value - self.low) / (self.high - self.low)
        return _EDGE + (WIDTH - 2 * _EDGE) * min(max(share, 0.0), 1.0)

    @property
    def ends(self) -> tuple[str, str]:
        """Both ends as short texts."""
        return f"{self.low:g}", f"{self.high:g}"


def scale_of(column: Column, cells: Iterable[Cell]) -> Scale | None:
    """The least round scale that reaches all figures of a column, None where it has none."""
    numbers = [number for cell in cells for number in cell.numbers]
    if not numbers:
        return None
    least, most = min(numbers), max(numbers)
    step = _round_step((most - least) or abs(most) or 1.0)
    low, high = step * math.floor(least / step), step * math.ceil(most / step)
    low, high = (low, high) if high > low else (low - step, high + step)
    if column.unit == "%" and least >= 0.0 and most <= 100.0:
        low, high = max(low, 0.0), min(high, 100.0)
    return Scale(round(low, 12), round(high, 12))


def bar(cell: Cell, scale: Scale, with_reported: bool) -> Html:
    """An interval with its figure, and below it the reported one; decoration, for the texts say the same."""
    height = 24 if with_reported else 14
    marks = [f'<path class="track" d="M{_EDGE:g} 7H{WIDTH - _EDGE:g}"/>']
    if cell.low is not None and cell.high is not None:
        low, high = scale.place(cell.low), scale.place(cell.high)
        marks.append(f'<path class="whisker" d="M{low:.1f} 7H{high:.1f}M{low:.1f} 3v8M{high:.1f} 3v8"/>')
    if cell.value is not None:
        marks.append(f'<circle class="dot" cx="{scale.place(cell.value):.1f}" cy="7" r="3.5"/>')
    if with_reported:
        marks += _reported(cell, scale)
    size = f'width="{WIDTH:g}" height="{height}" viewBox="0 0 {WIDTH:g} {height}"'
    return Html(f'<svg class="bar" {size} aria-hidden="true" focusable="false">{"".join(marks)}</svg>')


def _reported(cell: Cell, scale: Scale) -> list[str]:
    marks = []
    if cell.reported_low is not None and cell.reported_high is not None:
        low, high = scale.place(cell.reported_low), scale.place(cell.reported_high)
        marks.append(f'<path class="paper-whisker" d="M{low:.1f} 18H{high:.1f}M{low:.1f} 15v6M{high:.1f} 15v6"/>')
    if cell.reported_value is not None:
        x = scale.place(cell.reported_value)
        marks.append(f'<path class="paper-mark" d="M{x:.1f} 13.5l4 4.5l-4 4.5l-4 -4.5z"/>')
    return marks


def _round_step(span: float) -> float:
    """1, 2 or 5 times a power of ten, such that about five steps make the span."""
    power = 10.0 ** math.floor(math.log10(span / 5))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= span / 5 * 0.999)
