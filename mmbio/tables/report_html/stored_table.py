"""TABLE.json, as `mmbio tables` writes it, read back: all numbers in the unit that is printed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mmbio.errors import MmbioError
from mmbio.files import read_json

SCHEMA: Final = 1  # the newest form of TABLE.json that is understood
BETTER: Final = ("higher", "lower", None)


@dataclass(frozen=True)
class Column:
    """One metric; `better` is higher, lower, or None where neither is."""

    key: str
    header: str
    metric: str
    unit: str
    decimals: int
    better: str | None


@dataclass(frozen=True)
class Cell:
    """A figure with all that is known about it; None: not known, or not said."""

    value: float | None
    low: float | None
    high: float | None
    interval: str
    n: int | None
    step: float | None
    mark: str
    best: bool | None  # None: compared with nothing
    reported: str | None
    reported_low: float | None
    reported_high: float | None
    difference: float | None
    why: str
    result: str
    counts: Mapping[str, int]  # n_genuine, n_impostor, n_imputed, n_missing

    @property
    def numbers(self) -> list[float]:
        """All that an axis has to reach."""
        found = (self.value, self.low, self.high, self.reported_low, self.reported_high, self.reported_value)
        return [number for number in found if number is not None]

    @property
    def reported_value(self) -> float | None:
        """The reported text as a number, None where it is none."""
        try:
            value = float(self.reported or "")
        except ValueError:
            return None
        return value if math.isfinite(value) else None


@dataclass(frozen=True)
class StoredTable:
    """A table that was written: `rows` are (id, texts of the keys), `cells` by (row id, column key)."""

    name: str
    title: str
    protocol: str
    data: str
    synthetic: bool
    keys: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    cells: Mapping[tuple[str, str], Cell]
    notes: tuple[str, ...]


def is_table(content: Mapping[str, Any]) -> bool:
    """True for a table, however old, new or incomplete, and not for what else lies beside it."""
    return bool({"cells", "columns"} & content.keys())


def of_content(content: Mapping[str, Any], path: Path) -> StoredTable:
    """The table in a JSON object read from `path`; keys that are not known are passed over.

    Raises MmbioError for a newer schema, and for content that is no whole table.
    """
    schema = content.get("schema", SCHEMA)
    if isinstance(schema, int) and schema > SCHEMA:
        raise MmbioError(
            f"{path}: written by a newer mmbio (schema {schema}, known up to {SCHEMA}); update mmbio, or run mmbio"
            " tables again with this one"
        )
    try:
        return _table(content)
    except ValueError as error:
        raise MmbioError(f"{path}: not a whole table ({error}); run mmbio tables again") from error


def read(path: Path) -> StoredTable | None:
    """The table at `path`, None where the file holds something else."""
    content = read_json(path, "table")
    return of_content(content, path) if is_table(content) else None


def _table(content: Mapping[str, Any]) -> StoredTable:
    keys = tuple(_text(key, "header") for key in _objects(content, "keys"))
    columns = tuple(_column(fields) for fields in _objects(content, "columns"))
    rows = tuple((_text(row, "id"), _texts(row, "key")) for row in _objects(content, "rows"))
    if any(len(key) != len(keys) for _, key in rows):
        raise ValueError("a row has more or fewer keys than the table")
    cells = {(_text(c, "row"), _text(c, "column")): _cell(c) for c in _objects(content, "cells")}
    places = {(row, column.key) for row, _ in rows for column in columns}
    if cells.keys() - places:
        raise ValueError("a cell belongs to no row or column")
    return StoredTable(
        name=_text(content, "name"),
        title=_text(content, "title"),
        protocol=_text(content, "protocol", ""),
        data=_text(content, "data", ""),
        synthetic=_flag(content, "synthetic"),
        keys=keys,
        columns=columns,
        rows=rows,
        cells=cells,
        notes=_texts(content, "notes", ()),
    )


def _column(fields: Mapping[str, Any]) -> Column:
    decimals, better = _count(fields, "decimals"), fields.get("better")
    if better not in BETTER:
        raise ValueError(f"better is {better!r}")
    if decimals is not None and decimals > 20:
        raise ValueError(f"decimals is {decimals}")
    unit, metric = _text(fields, "unit", ""), _text(fields, "metric", "")
    return Column(_text(fields, "key"), _text(fields, "header"), metric, unit, 1 if decimals is None else decimals,
                  better)  # fmt: skip


def _cell(fields: Mapping[str, Any]) -> Cell:
    best = fields.get("best")
    names = ("n_genuine", "n_impostor", "n_imputed", "n_missing")
    counts = {name: _count(fields, name) for name in names}
    return Cell(
        value=_number(fields, "value"),
        low=_number(fields, "low"),
        high=_number(fields, "high"),
        interval=_text(fields, "interval", ""),
        n=_count(fields, "n"),
        step=_number(fields, "step"),
        mark=_text(fields, "mark", ""),
        best=None if best is None else _flag(fields, "best"),
        reported=_text(fields, "reported", "") or None,
        reported_low=_number(fields, "reported_low"),
        reported_high=_number(fields, "reported_high"),
        difference=_number(fields, "difference"),
        why=_text(fields, "why", ""),
        result=_text(fields, "result", ""),
        counts={name: n for name, n in counts.items() if n is not None},
    )


def _objects(fields: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = fields.get(key)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise ValueError(f"{key} is no list of objects")
    return found


def _text(fields: Mapping[str, Any], key: str, default: str | None = None) -> str:
    found = fields.get(key)
    if found is None and default is not None:
        return default
    if not isinstance(found, str):
        raise ValueError(f"{key} is no text")
    return found


def _texts(fields: Mapping[str, Any], key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
    found = fields.get(key)
    if found is None and default is not None:
        return default
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise ValueError(f"{key} is no list of texts")
    return tuple(found)


def _flag(fields: Mapping[str, Any], key: str) -> bool:
    found = fields.get(key)
    if not isinstance(found, bool):
        raise ValueError(f"{key} is neither true nor false")
    return found


def _number(fields: Mapping[str, Any], key: str) -> float | None:
    found = fields.get(key)
    if found is None:
        return None
    if not isinstance(found, int | float) or isinstance(found, bool) or not -1e15 < found < 1e15:
        raise ValueError(f"{key} is no number")
    return float(found)


def _count(fields: Mapping[str, Any], key: str) -> int | None:
    found = _number(fields, key)
    if found is not None and (found < 0 or found != int(found)):
        raise ValueError(f"{key} is no count")
    return None if found is None else int(found)
