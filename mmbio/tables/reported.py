"""The papers' own figures: CSV files whose keys and columns are those of a spec, values as the paper prints them."""

import csv
from pathlib import Path

from mmbio.errors import MmbioError
from mmbio.tables import fields
from mmbio.tables.spec import TableSpec, cells


def read_reported(path: Path, spec: TableSpec, whole: bool = True) -> dict[tuple[str, str], str]:
    """The paper's values as it prints them, by row id and column key; blanks are left out.

    The spec may have rows and columns that the file has not; each row of the file must be one
    of the spec's, unless the spec is not `whole`. Raises MmbioError otherwise, and for values that
    are no numbers.
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
            if not text.replace(".", "", 1).isdecimal():
                raise MmbioError(f"{path}: '{column.key}' is '{text}' in a row; give a number such as 77.49")
            if place not in existing or place in reported:
                problem = "twice" if place in reported else "where the spec has no cell"
                raise MmbioError(f"{path}: '{column.key}' of {rows[key]} is given {problem}; keep one or none")
            reported[place] = text
    return reported


def _csv_lines(path: Path, spec: TableSpec) -> list[dict[str, str]]:
    try:
        lines = fields.read_bytes(path, "CSV of reported values").decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise MmbioError(f"{path}: not a readable CSV of reported values ({error}); save it as UTF-8") from error
    header, *body = [line for line in csv.reader(lines) if line] or [[]]
    for key in spec.keys:
        if key.name not in header:
            raise MmbioError(f"{path}: the column '{key.name}' is missing; add it, as {spec.name} has it as a key")
    if not any(column.key in header for column in spec.columns):
        raise MmbioError(f"{path}: none of the columns of {spec.name} is in it; add '{spec.columns[0].key}'")
    for line in body:
        if len(line) != len(header):
            raise MmbioError(f"{path}: '{','.join(line)}' has {len(line)} values; give {len(header)} as in the header")
    return [dict(zip(header, line, strict=True)) for line in body]
