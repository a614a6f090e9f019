"""beside: each cell's measured figure beside the paper's, and columns of differences beside their parents.

Conventions: fractions throughout; the paper's texts stay as they are printed. Texts for people (render) and
tables for machines (cells) are made of what stands here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from mmbio.tables.differences import Span, minus
from mmbio.tables.metrics import METRICS, Metric
from mmbio.tables.reported import span
from mmbio.tables.spec import Cell, Column, Difference, TableSpec, cells

Place = tuple[str, str]  # a row's id and a column's key


@dataclass(frozen=True)
class Measured:
    """A figure with its interval, all fractions, over `n` distinct test decisions.

    No interval: `low` and `high` are nan.
    """

    value: float
    low: float
    high: float
    n: int
    interval: str = "95 % interval"
    mark: str = ""  # a letter behind the figure that a note explains
    comparable: bool = True  # False: no difference from the paper's figure is printed
    best: bool | None = None  # True: cannot be told from the best; None: not compared
    why: tuple[str, ...] = ()  # what keeps the figure from being a reproduction of the paper's
    result: str = ""  # content hash of the evaluation
    n_genuine: int | None = None
    n_impostor: int | None = None
    n_imputed: int = 0
    n_missing: int = 0

    def __post_init__(self) -> None:
        if self.n < 1 or not math.isfinite(self.value):
            raise ValueError("a measured figure is a finite number from at least one decision")


@dataclass(frozen=True)
class Compared:
    """A cell as it is printed: our figure, the paper's, and ours minus the paper's where they may be compared.

    `measured` is None in a column of differences, whose `figure` is the difference of two others.
    """

    figure: Span
    mark: str
    why: tuple[str, ...]
    measured: Measured | None = None
    text: str | None = None  # the paper's, as it prints it
    paper: Span | None = None
    difference: Span | None = None


def compare(
    spec: TableSpec, measured: Mapping[Place, Measured], reported: Mapping[Place, str] | None = None
) -> dict[Place, Compared]:
    """(row, column) -> the cell, row by row, columns of differences behind the others.

    Raises ValueError where `measured` and the spec's cells differ, or where a rate is no fraction.
    """
    _check({(cell.row, cell.column): cell for cell in cells(spec)}, measured)
    found: dict[Place, Compared] = {}
    for row in spec.rows:
        for column in spec.columns:
            place = (row.id, column.key)
            if place in measured:
                found[place] = _compared(
                    measured[place], (reported or {}).get(place), span(spec, reported or {}, row.id, column)
                )
        for difference in spec.differences:
            parents = [measured.get((row.id, key)) for key in difference.of]
            first, second = parents
            if first is not None and second is not None:
                found[row.id, difference.key] = _difference(first, second)
    return found


def columns(spec: TableSpec) -> tuple[Column | Difference, ...]:
    """A table's columns, those of differences behind the others."""
    return (*spec.columns, *spec.differences)


def metric_of(spec: TableSpec, column: Column | Difference) -> Metric:
    """How a column's figures are printed; a column of differences takes after its parents."""
    key = column.of[0] if isinstance(column, Difference) else column.key
    return METRICS[next(c.metric for c in spec.columns if c.key == key)]


def _compared(found: Measured, text: str | None, paper: Span | None) -> Compared:
    difference = minus(found, paper) if paper is not None and found.comparable else None
    figure = Span(found.value, found.low, found.high)
    return Compared(figure, found.mark, found.why, found, text, paper, difference)


def _difference(first: Measured, second: Measured) -> Compared:
    marks = "".join(dict.fromkeys(first.mark + second.mark))
    return Compared(minus(first, second), marks, tuple(dict.fromkeys(first.why + second.why)))


def _check(existing: Mapping[Place, Cell], measured: Mapping[Place, Measured]) -> None:
    if measured.keys() != existing.keys():
        raise ValueError(f"measured figures and cells differ in {sorted(measured.keys() ^ existing.keys())}")
    for place, found in measured.items():
        if METRICS[existing[place].metric].unit == "%" and not 0.0 <= found.value <= 1.0:
            raise ValueError(f"{place}: expected a fraction, not {found.value}")
