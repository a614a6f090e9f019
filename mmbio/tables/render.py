"""Figures into tables: the paper's alone, ours alone, or both side by side.

Conventions: reported values keep the paper's own text; measured ones are fractions until they
are printed here; a difference is measured minus reported, in the unit of its column.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from mmbio import files
from mmbio.tables import footnotes
from mmbio.tables.beside import Compared, Measured, Place, columns, compare, metric_of
from mmbio.tables.differences import Span
from mmbio.tables.formats import FORMATS, Table
from mmbio.tables.metrics import METRICS, Metric
from mmbio.tables.reported import read_reported, span
from mmbio.tables.spec import Column, Difference, Row, TableSpec, load, spec_paths

NOTHING: Final = "-"  # where a cell does not exist, or the paper has no value
BEST: Final = "*"
PARTS: Final = ("reported", "measured", "diff.")
COMMITTED_FORMATS: Final = ("txt", "md", "tex")


def reported_table(spec: TableSpec, reported: Mapping[Place, str]) -> Table:
    """The paper's figures alone, as `read_reported` gives them, with the intervals that their n allows."""

    def text(row: Row, column: Column) -> str:
        paper = span(spec, reported, row.id, column)
        return _reported(reported.get((row.id, column.key)), paper, spec, METRICS[column.metric])

    rows = [(*key_texts(spec, row), *(text(row, column) for column in spec.columns)) for row in spec.rows]
    return Table(
        title=f"{spec.title} (reported)",
        header=(*(key.header for key in spec.keys), *(column.header for column in spec.columns)),
        rows=tuple(rows),
        notes=(
            "Reported: as the paper prints it; nothing here was measured.",
            *footnotes.of_reported(spec, reported, "In brackets"),
            *spec.reported_notes,
            *spec.notes,
        ),
        name=spec.name,
        n_keys=len(spec.keys),
    )


def measured_table(
    spec: TableSpec,
    measured: Mapping[Place, Measured],
    provenance: Sequence[str],
    reported: Mapping[Place, str] | None = None,
) -> Table:
    """Our figures with their intervals; with `reported`, the paper's before and the difference after each.

    `provenance` names the data, the weights, n and the seed, one note a line. Raises ValueError
    where `measured` and the spec's cells differ, or where a rate is no fraction.
    """
    found = compare(spec, measured, reported)
    parts = {column.key: _parts(column, found) for column in columns(spec)}
    rows = []
    for row in spec.rows:
        line = key_texts(spec, row)
        for column in columns(spec):
            texts = _texts(spec, column, found.get((row.id, column.key)))
            line += [texts[part] for part in parts[column.key]]
        rows.append(tuple(line))
    headers = [f"{c.header}\n{part}".rstrip() for c in columns(spec) for part in parts[c.key]]
    return Table(
        title=f"{spec.title} ({'measured' if reported is None else 'reported and measured'})",
        header=(*(key.header for key in spec.keys), *headers),
        rows=tuple(rows),
        notes=_notes(spec, measured, found, provenance, reported),
        name=spec.name,
        n_keys=len(spec.keys),
        groups=tuple(map(len, parts.values())),
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


def key_texts(spec: TableSpec, row: Row) -> list[str]:
    """What names a row, as it is printed."""
    marks = {"1": "O", "0": ""}
    return [marks[text] if key.mark else text or NOTHING for key, text in zip(spec.keys, row.key, strict=True)]


def _parts(column: Column | Difference, found: Mapping[Place, Compared]) -> tuple[str, ...]:
    """What a column shows: ours alone, the paper's before it where it has one, and a difference where there is."""
    ours = [one for (_, key), one in found.items() if key == column.key]
    if all(one.text is None for one in ours):
        return ("",)
    return PARTS if any(one.difference is not None for one in ours) else PARTS[:2]


def _texts(spec: TableSpec, column: Column | Difference, one: Compared | None) -> dict[str, str]:
    metric = metric_of(spec, column)
    if one is None:
        return dict.fromkeys(("", *PARTS), NOTHING)
    number = _signed if isinstance(column, Difference) else _plain
    best = BEST if one.measured is not None and one.measured.best else ""
    figure = f"{number(one.figure.value, metric)}{one.mark}{best}{_interval(one.figure, metric)}"
    paper = _reported(one.text, one.paper, spec, metric)
    difference = one.difference and f"{_signed(one.difference.value, metric)}{_interval(one.difference, metric)}"
    return {"": figure, **dict(zip(PARTS, (paper, figure, difference or NOTHING), strict=True))}


def _plain(value: float, metric: Metric) -> str:
    return f"{round(metric.scale * value, metric.decimals) + 0.0:.{metric.decimals}f}"


def _signed(value: float, metric: Metric) -> str:
    number = _plain(value, metric)
    return f"+{number}" if float(number) > 0 else number


def _interval(of: Span, metric: Metric) -> str:
    if math.isnan(of.low) or math.isnan(of.high):
        return ""
    return f" [{_plain(of.low, metric)}, {_plain(of.high, metric)}]"


def _reported(text: str | None, paper: Span | None, spec: TableSpec, metric: Metric) -> str:
    """The paper's figure with the interval that its n allows; its own Wald half width has a column of its own."""
    if text is None or paper is None:
        return NOTHING
    return f"{text}{_interval(paper, metric)}" if spec.reported_n else text


def _notes(
    spec: TableSpec,
    measured: Mapping[Place, Measured],
    found: Mapping[Place, Compared],
    provenance: Sequence[str],
    reported: Mapping[Place, str] | None,
) -> tuple[str, ...]:
    if reported is None:
        paper, brackets = [], "In brackets"
    else:
        paper = [*footnotes.of_reported(spec, reported, "Behind reported figures"), *spec.reported_notes]
        brackets = "In brackets behind measured figures"
    figures = footnotes.of_figures(spec, measured, found, brackets)
    return (*provenance, *footnotes.of_obstacles(measured), *figures, *paper, *spec.notes)
