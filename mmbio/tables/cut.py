"""cut: a spec without the rows that the data at hand have nothing for."""

from collections.abc import Container
from dataclasses import replace

from mmbio.tables.spec import Row, TableSpec, cells


def for_lengths(spec: TableSpec, lengths: tuple[float, ...]) -> TableSpec:
    """The spec on data of these segment lengths: cells of others are left out, or, of data without lengths, merged.

    Data without lengths have one kind of speech: rows that differ in nothing else stand once.
    """
    kept: dict[object, Row] = {}
    for row in spec.rows:
        asked = {spec.base.get("segment_s"), row.set.get("segment_s")} - {None}
        if lengths and asked and not asked <= set(lengths):
            continue
        without = {k: v for k, v in row.set.items() if lengths or k != "segment_s"}
        key = tuple(
            "-" if k.name == "segment_s" and not lengths else text for k, text in zip(spec.keys, row.key, strict=True)
        )
        kept.setdefault((key, repr(sorted(without.items()))), replace(row, key=key, set=without))
    base = {k: v for k, v in spec.base.items() if lengths or k != "segment_s"}
    return replace(spec, base=base, rows=tuple(kept.values()))


def for_attributes(spec: TableSpec, known: Container[str]) -> TableSpec:
    """The spec without the rows whose figures are restricted to attributes other than the known ones."""
    unknown = {cell.row for cell in cells(spec) if cell.given and cell.given not in known}
    return replace(spec, rows=tuple(row for row in spec.rows if row.id not in unknown))
