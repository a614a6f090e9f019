"""cells: a finished table for machines, as JSON and as tidy CSV, one line a cell.

Conventions: all numbers are in the unit that is printed (percent for rates), to six digits behind the point;
the paper's figures stay its own texts; what does not apply is null, or an empty text.
"""

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mmbio.errors import MmbioError
from mmbio.files import Json, read_json
from mmbio.tables.beside import Compared, Measured, Place, columns, compare, metric_of
from mmbio.tables.differences import Span
from mmbio.tables.formats import Table
from mmbio.tables.metrics import Metric
from mmbio.tables.render import key_texts
from mmbio.tables.spec import Column, Difference, TableSpec

SCHEMA: Final = 1
FIELDS: Final = (
    *("value", "low", "high", "interval", "n", "step", "mark", "best"),
    *("reported", "reported_low", "reported_high", "difference", "difference_low", "difference_high"),
    *("why", "result", "n_genuine", "n_impostor", "n_imputed", "n_missing"),
)
OF_TWO: Final = "of two figures' intervals as if independent"
KEYS: Final = ("name", "title", "protocol", "data", "synthetic", "keys", "columns", "rows", "cells", "notes")


@dataclass(frozen=True)
class Figures:
    """The figures behind a rendered table, and what the paper reports beside them."""

    spec: TableSpec
    measured: Mapping[Place, Measured]
    reported: Mapping[Place, str] | None
    data: str
    synthetic: bool


def to_json(figures: Figures, table: Table) -> str:
    """The cells as JSON, with the title and the notes of the rendered table."""
    return json.dumps(document(figures, table), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def document(figures: Figures, table: Table) -> dict[str, Any]:
    """The cells and what they stand in, row by row; a cell that does not exist is not there."""
    spec = figures.spec
    return {
        "schema": SCHEMA,
        "name": spec.name,
        "title": table.title,
        "protocol": spec.protocol.name,
        "data": figures.data,
        "synthetic": figures.synthetic,
        "keys": [{"name": key.name, "header": key.header} for key in spec.keys],
        "columns": [_column(spec, column) for column in columns(spec)],
        "rows": [{"id": row.id, "key": key_texts(spec, row)} for row in spec.rows],
        "cells": [{"row": row, "column": key} | fields for (row, key), fields in _cells(figures).items()],
        "notes": list(table.notes),
    }


def to_csv(figures: Figures) -> str:
    """The cells as tidy CSV: a row's keys as its spec has them, the column's header and key, and the fields."""
    spec = figures.spec
    headers = {column.key: column.header for column in columns(spec)}
    keys = {row.id: row.key for row in spec.rows}
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*(key.name for key in spec.keys), "header", "column", *FIELDS])
    for (row, column), fields in _cells(figures).items():
        texts = ("" if fields[name] is None else fields[name] for name in FIELDS)
        writer.writerow([*keys[row], headers[column], column, *texts])
    return stream.getvalue()


def read(path: Path) -> dict[str, Any]:
    """The JSON of a table; raises MmbioError where it is none, or newer than this mmbio knows."""
    found = read_json(path, "table of cells")
    schema = found.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise MmbioError(
            f"{path}: schema {schema} is newer than this mmbio's {SCHEMA}; update mmbio, or run mmbio tables again"
        )
    missing = [key for key in KEYS if key not in found]
    if schema != SCHEMA or missing:
        raise MmbioError(f"{path}: no table of cells (schema {schema!r}); run mmbio tables again")
    return found


def _column(spec: TableSpec, column: Column | Difference) -> dict[str, Json]:
    metric = metric_of(spec, column)
    parents = [c for c in spec.columns if c.key in (column.of if isinstance(column, Difference) else (column.key,))]
    tasks = {parent.task for parent in parents}
    better = None if isinstance(column, Difference) else metric.better or None
    return {
        "key": column.key,
        "header": column.header,
        "task": tasks.pop() if len(tasks) == 1 else "",
        "metric": parents[0].metric,
        "unit": metric.unit,
        "decimals": metric.decimals,
        "better": better,
    }


def _cells(figures: Figures) -> dict[Place, dict[str, Json]]:
    spec = figures.spec
    metrics = {column.key: metric_of(spec, column) for column in columns(spec)}
    found = compare(spec, figures.measured, figures.reported)
    return {place: _fields(one, metrics[place[1]]) for place, one in found.items()}


def _fields(one: Compared, metric: Metric) -> dict[str, Json]:
    def number(value: float) -> float | None:
        return None if math.isnan(value) else round(metric.scale * value, 6) + 0.0

    def ends(name: str, found: Span | None) -> dict[str, Json]:
        low, high = (found.low, found.high) if found else (math.nan, math.nan)
        return {f"{name}low": number(low), f"{name}high": number(high)}

    m, difference = one.measured, one.difference
    return {
        "value": number(one.figure.value),
        **ends("", one.figure),
        "interval": m.interval if m else ("" if math.isnan(one.figure.low) else OF_TWO),
        "n": m.n if m else None,
        "step": number(1 / m.n) if m and metric.counted else None,
        "mark": one.mark,
        "best": m.best if m else None,
        "reported": one.text,
        **ends("reported_", one.paper),
        "difference": number(difference.value) if difference else None,
        **ends("difference_", difference),
        "why": "; ".join(one.why),
        "result": m.result if m else "",
        **{name: getattr(m, name) if m else None for name in ("n_genuine", "n_impostor", "n_imputed", "n_missing")},
    }
