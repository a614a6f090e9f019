"""Figures into tables: the paper's alone, ours alone, or both side by side.

Conventions: reported values keep the paper's own text; measured ones are fractions until they
are printed here; a difference is measured minus reported, in the unit of its column.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mmbio import files
from mmbio.tables.formats import FORMATS, Table
from mmbio.tables.metrics import METRICS, Metric
from mmbio.tables.reported import read_reported
from mmbio.tables.spec import Cell, Column, Row, TableSpec, cells, load, spec_paths

NOTHING: Final = "-"  # where a cell does not exist, or the paper has no value
COMMITTED_FORMATS: Final = ("txt", "md", "tex")


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

    def __post_init__(self) -> None:
        if self.n < 1 or not math.isfinite(self.value):
            raise ValueError("a measured figure is a finite number from at least one decision")


def reported_table(spec: TableSpec, reported: Mapping[tuple[str, str], str]) -> Table:
    """The paper's figures alone, as `read_reported` gives them."""
    rows = [_key_cells(spec, row) + [reported.get(place, NOTHING) for place in _places(spec, row)] for row in spec.rows]
    return Table(
        title=f"{spec.title} (reported)",
        header=(*(key.header for key in spec.keys), *(column.header for column in spec.columns)),
        rows=tuple(map(tuple, rows)),
        notes=("Reported: as the paper prints it; nothing here was measured.", *spec.reported_notes, *spec.notes),
        name=spec.name,
        n_keys=len(spec.keys),
    )


def measured_table(
    spec: TableSpec,
    measured: Mapping[tuple[str, str], Measured],
    provenance: Sequence[str],
    reported: Mapping[tuple[str, str], str] | None = None,
) -> Table:
    """Our figures with their intervals; with `reported`, the paper's before and the difference after each.

    `provenance` names the data, the weights, n and the seed, one note a line. Raises ValueError
    where `measured` and the spec's cells differ, or where a rate is no fraction.
    """
    existing = {(cell.row, cell.column): cell for cell in cells(spec)}
    _check(existing, measured)
    rows = []
    for row in spec.rows:
        line = _key_cells(spec, row)
        for place, column in zip(_places(spec, row), spec.columns, strict=True):
            metric, found = METRICS[column.metric], measured.get(place)
            if reported is None:
                line += [_figure(found, metric)]
            else:
                line += _side_by_side(found, metric, reported.get(place))
        rows.append(tuple(line))
    return Table(
        title=f"{spec.title} ({'measured' if reported is None else 'reported and measured'})",
        header=(*(key.header for key in spec.keys), *_headers(spec.columns, reported is not None)),
        rows=tuple(rows),
        notes=_notes(spec, existing, measured, provenance, reported is not None),
        name=spec.name,
        n_keys=len(spec.keys),
        group=1 if reported is None else 3,
    )


def render_reported(folder: Path, out: Path, names: Collection[str] | None = None) -> tuple[Path, ...]:
    """Write the reported figures of the specs in `folder` that have them, or of those in `names`, as `out`/NAME.FORMAT.

    The figures are in `folder`/reported/NAME.csv; returns the files written. All specs are read
    before the first file is written.
    """
    tables = []
    for path in spec_paths(folder):
        figures = folder / "reported" / f"{path.stem}.csv"
        if figures.is_file() and (names is None or path.stem in names):
            spec = load(path)
            tables.append(reported_table(spec, read_reported(figures, spec)))
    written = []
    for table in tables:
        for name in COMMITTED_FORMATS:
            written.append(out / f"{table.name}.{name}")
            files.write_text(written[-1], FORMATS[name](table))
    return tuple(written)


def _key_cells(spec: TableSpec, row: Row) -> list[str]:
    marks = {"1": "O", "0": ""}
    return [marks[text] if key.mark else text or NOTHING for key, text in zip(spec.keys, row.key, strict=True)]


def _places(spec: TableSpec, row: Row) -> list[tuple[str, str]]:
    return [(row.id, column.key) for column in spec.columns]


def _headers(columns: Sequence[Column], beside_reported: bool) -> list[str]:
    if not beside_reported:
        return [column.header for column in columns]
    return [f"{column.header}\n{part}" for column in columns for part in ("reported", "measured", "diff.")]


def _number(value: float, metric: Metric) -> str:
    return f"{metric.scale * value:.{metric.decimals}f}"


def _figure(found: Measured | None, metric: Metric) -> str:
    if found is None:
        return NOTHING
    value = _number(found.value, metric) + found.mark
    if math.isnan(found.low) or math.isnan(found.high):
        return value
    return f"{value} [{_number(found.low, metric)}, {_number(found.high, metric)}]"


def _side_by_side(found: Measured | None, metric: Metric, reported: str | None) -> list[str]:
    if found is None or reported is None or not found.comparable:
        return [reported or NOTHING, _figure(found, metric), NOTHING]
    difference = round(metric.scale * found.value - float(reported), metric.decimals) + 0.0
    sign = "+" if difference else ""
    return [reported, _figure(found, metric), f"{difference:{sign}.{metric.decimals}f}"]


def _check(existing: Mapping[tuple[str, str], Cell], measured: Mapping[tuple[str, str], Measured]) -> None:
    if measured.keys() != existing.keys():
        raise ValueError(f"measured figures and cells differ in {sorted(measured.keys() ^ existing.keys())}")
    for place, found in measured.items():
        if METRICS[existing[place].metric].scale == 100.0 and not 0.0 <= found.value <= 1.0:
            raise ValueError(f"{place}: expected a fraction, not {found.value}")


def _notes(
    spec: TableSpec,
    existing: Mapping[tuple[str, str], Cell],
    measured: Mapping[tuple[str, str], Measured],
    provenance: Sequence[str],
    beside_reported: bool,
) -> tuple[str, ...]:
    counted = {found.n for place, found in measured.items() if METRICS[existing[place].metric].counted}
    steps = [f"1/{n} = {100 / n:.2f} %" for n in sorted(counted)]
    step = [f"The smallest step that the test set can show: {', '.join(steps)}."] if steps else []
    intervals = dict.fromkeys(found.interval for found in measured.values() if not math.isnan(found.low))
    brackets = [f"In brackets: {', '.join(intervals)}."] if intervals else []
    paper = ["diff.: measured minus reported.", *spec.reported_notes] if beside_reported else []
    return (*provenance, *step, *brackets, *paper, *spec.notes)
