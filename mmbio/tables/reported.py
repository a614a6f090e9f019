"""The papers' own figures: CSV files whose keys and columns are those of a spec, values as the paper prints them.

A figure gets the interval that its number of decisions allows: Wilson's, where it is a rate of decisions.
minDCF gets none, for it needs the scores, nor does a share of attention, whose Wald half width the paper gives.
"""

import csv
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import Final

from mmbio.errors import MmbioError
from mmbio.measure.intervals import wilson
from mmbio.tables import fields
from mmbio.tables.differences import Span, minus
from mmbio.tables.metrics import METRICS
from mmbio.tables.spec import Column, TableSpec, cells
from mmbio.words import plural

# Metrics that are a rate of decisions, and of which; an EER is taken for the share of misses at a fixed threshold.
RATE_OF: Final[Mapping[str, str]] = MappingProxyType({"accuracy": "decisions", "eer": "genuine trials"})
WALD: Final = "wald_half_width_"


def span(spec: TableSpec, reported: Mapping[tuple[str, str], str], row: str, column: Column) -> Span | None:
    """A paper's figure as a fraction with its interval, None where the paper has no figure.

    Wilson's of `reported_n` / `reported_design` decisions, or the paper's own Wald interval where the row has its
    half width.
    """
    text = reported.get((row, column.key))
    if text is None:
        return None
    scale = METRICS[column.metric].scale
    value = float(text) / scale
    if spec.reported_n and column.metric in RATE_OF:
        return Span(value, *wilson(value * spec.reported_n, spec.reported_n, spec.reported_design))
    halves = [c.key for c in spec.columns if c.metric.startswith(WALD) and (row, c.key) in reported]
    if halves and column.metric.startswith("above_mean_"):
        half = float(reported[row, halves[0]]) / scale
        return Span(value, max(0.0, value - half), min(1.0, value + half))
    return Span(value)


def within_chance(spec: TableSpec, reported: Mapping[tuple[str, str], str]) -> dict[str, tuple[int, int]]:
    """Header of a rate's column -> (pairs of rows whose difference's interval holds 0, all pairs of rows).

    Rows are taken as tested apart. Of a spec that names `compare`, only rows that share those keys are paired.
    """
    counts = {}
    shared = [i for i, key in enumerate(spec.keys) if key.name in (spec.compare or ())]
    for column in (c for c in spec.columns if spec.reported_n and c.metric in RATE_OF):
        found = [(tuple(row.key[i] for i in shared), span(spec, reported, row.id, column)) for row in spec.rows]
        there = [(group, one) for group, one in found if one is not None]
        pairs = [minus(a, b) for (group, a), (other, b) in combinations(there, 2) if group == other]
        if pairs:
            counts[column.header] = sum(pair.holds_zero for pair in pairs), len(pairs)
    return counts


def read_reported(path: Path, spec: TableSpec, whole: bool = True) -> dict[tuple[str, str], str]:
    """The paper's values as it prints them, by row id and column key; blanks are left out.

    The spec may have rows and columns that the file has not; each row of the file must be one
    of the spec's, unless the spec is not `whole`. Raises MmbioError otherwise, and for values that
    are no numbers, or no percentages where the column has some.
    """
    rows = {tuple(map(fields.canonical, row.key)): row.id for row in spec.rows}
    existing = {(cell.row, cell.column) for cell in cells(spec)}
    reported: dict[tuple[str, str], str] = {}
    for line in _csv_lines(path, spec):
        key = tuple(fields.canonical(line[key.name]) for key in spec.keys)
        if key not in rows and not whole:
            continue
        if key not in rows:
            raise MmbioError(f"{path}: the row {', '.join(line.values())} is not in {spec.name}; add it there")
        for column in spec.columns:
            text = line.get(column.key, "").strip()
            if not text:
                continue
            place = (rows[key], column.key)
            _check(text, column, path)
            if place not in existing or place in reported:
                problem = "twice" if place in reported else "where the spec has no cell"
                raise MmbioError(f"{path}: '{column.key}' of {rows[key]} is given {problem}; keep one or none")
            reported[place] = text
    return reported


def _check(text: str, column: Column, path: Path) -> None:
    if not (text.isascii() and text.replace(".", "", 1).isdecimal()):
        raise MmbioError(f"{path}: '{column.key}' is '{text}' in a row; give a number such as 77.49")
    if METRICS[column.metric].unit == "%" and float(text) > 100:
        raise MmbioError(f"{path}: '{column.key}' is '{text}' in a row; give a percentage of at most 100")


def _csv_lines(path: Path, spec: TableSpec) -> list[dict[str, str]]:
    try:
        lines = fields.read_bytes(path, "CSV of reported values").decode("utf-8-sig").splitlines()
        header, *body = [line for line in csv.reader(lines) if line] or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise MmbioError(f"{path}: not a readable CSV of reported values ({error}); save it as UTF-8") from error
    for key in spec.keys:
        if key.name not in header:
            raise MmbioError(f"{path}: the column '{key.name}' is missing; add it, as {spec.name} has it as a key")
    if not any(column.key in header for column in spec.columns):
        raise MmbioError(f"{path}: none of the columns of {spec.name} is in it; add '{spec.columns[0].key}'")
    for line in body:
        if len(line) != len(header):
            raise MmbioError(
                f"{path}: '{','.join(line)}' has {plural(len(line), 'value')}; give {len(header)} as in the header"
            )
    return [dict(zip(header, line, strict=True)) for line in body]
