"""One stored table as HTML: figures with interval bars, sortable, more about each figure on demand."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

from mmbio.tables.report_html.markup import NOTHING, Html, element, hidden, joined, text
from mmbio.tables.report_html.stored_table import Cell, Column, StoredTable
from mmbio.tables.report_html.whisker import Scale, bar, scale_of

ABSENT: Final = "\N{EN DASH}"
MARK: Final = "O"  # in a column of keys: given
WIDE: Final = 7  # columns: more go across the printed page; figures with a bar beside them count twice
SHORT: Final = 14  # rows: a table of no more is not split between printed pages
TRIALS: Final = ("n_genuine", "n_impostor")  # told though there are none
COUNTS: Final = {
    "n_genuine": "Genuine trials",
    "n_impostor": "Impostor trials",
    "n_imputed": "Imputed",
    "n_missing": "Missing",
}
CSV_HEADER: Final = (
    *("value", "low", "high", "interval", "n", "step", "mark", "best"),
    *("reported", "reported_low", "reported_high", "difference", "why", "result"),
)


def table_html(table: StoredTable) -> Html:
    """The table in a container that scrolls sideways, below its tools and above its notes."""
    scales = [scale_of(column, _cells_of(table, column)) for column in table.columns]
    marks = [_is_mark(table, i) for i in range(len(table.keys))]
    rows = joined(*(_row(table, row, key, scales, marks) for row, key in table.rows))
    kinds = {
        "figures": True,
        "merged": len(table.keys) > 1,
        "beside": len(table.keys) + 2 * len(table.columns) <= WIDE,
        "reported": any(cell.reported is not None for cell in table.cells.values()),
        "short": len(table.rows) <= SHORT,
    }
    whole = element(
        "table",
        {"class": _classes(kinds)},
        element("caption", {"class": "unseen"}, text(f"{table.name}: {table.title}")),
        element("thead", {}, element("tr", {}, joined(*_heads(table, scales, marks)))),
        element("tbody", {}, rows),
    )
    region = {"class": "scroll", "role": "region", "tabindex": "0", "aria-label": f"Table {table.name}"}
    notes = [element("li", {}, text(note)) for note in table.notes]
    return element(
        "div",
        {"class": "whole"},
        joined(
            element("div", {"class": "tools"}, _download(table)),
            element("div", region, whole),
            element("ul", {"class": "notes"}, joined(*notes)) if notes else NOTHING,
        ),
    )


def is_wide(table: StoredTable) -> bool:
    """True for a table that goes across the printed page."""
    return len(table.keys) + len(table.columns) > WIDE


def shown(value: float, column: Column, sign: bool = False) -> str:
    """A number as its column prints it; never a negative zero."""
    rounded = round(value, column.decimals) + 0.0
    return f"{rounded:{'+' if sign and rounded else ''}.{column.decimals}f}".replace("-", "\N{MINUS SIGN}")


def to_csv(table: StoredTable) -> str:
    """One line a figure: the row's keys, the column, and all that is known of it."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*(" ".join(key.split()) for key in table.keys), "column", *CSV_HEADER])
    for row, key in table.rows:
        for column in table.columns:
            cell = table.cells.get((row, column.key))
            if cell is not None:
                values = (getattr(cell, name) for name in CSV_HEADER)
                writer.writerow([*key, column.key, *("" if value is None else value for value in values)])
    return stream.getvalue()


def _classes(kinds: Mapping[str, bool]) -> str:
    return " ".join(kind for kind, given in kinds.items() if given)


def _cells_of(table: StoredTable, column: Column) -> list[Cell]:
    found = (table.cells.get((row, column.key)) for row, _ in table.rows)
    return [cell for cell in found if cell is not None]


def _is_mark(table: StoredTable, place: int) -> bool:
    texts = {key[place] for _, key in table.rows}
    return MARK in texts and texts <= {MARK, ""}


def _download(table: StoredTable) -> Html:
    address = "data:text/csv;charset=utf-8," + quote(to_csv(table).encode("utf-8", "replace"))
    return element("a", {"download": f"{table.name}.csv", "href": address, "class": "tool"}, text("Download CSV"))


def _heads(table: StoredTable, scales: Sequence[Scale | None], marks: Sequence[bool]) -> list[Html]:
    heads = []
    if len(table.keys) > 1:  # where the page is narrow it stands for all columns of keys
        heads.append(_head("merged", NOTHING, "text", None, "Row"))
    for key, mark in zip(table.keys, marks, strict=True):
        heads.append(_head("key mark" if mark else "key", NOTHING, "text", None, key))
    for column, scale in zip(table.columns, scales, strict=True):
        heads.append(_head("figure", _about(table, column, scale), "number", column.better, _name(column)))
    return heads


def _head(kind: str, about: Html, sort: str, better: str | None, name: str) -> Html:
    attributes = {"scope": "col", "class": kind, "data-sort": sort, "data-better": better}
    return element("th", attributes, element("span", {"class": "name"}, text(" ".join(name.split()))), about)


def _name(column: Column) -> str:
    return f"{column.header} ({column.unit})" if column.unit and column.unit not in column.header else column.header


def _about(table: StoredTable, column: Column, scale: Scale | None) -> Html:
    """Which way is better, what all figures of the column have in common, and the scale of its bars."""
    cells = _cells_of(table, column)
    facts = [f"{column.better} is better"] if column.better else []
    counts = {cell.n for cell in cells}
    steps = {cell.step for cell in cells}
    facts += [f"n {n:,}" for n in counts if n is not None and len(counts) == 1]
    facts += [f"step {step:.2g}" for step in steps if step is not None and len(steps) == 1]
    lines = element("span", {"class": "facts"}, text(" \N{MIDDLE DOT} ".join(facts))) if facts else NOTHING
    if scale is None:
        return lines
    low, high = (element("span", {}, text(end)) for end in scale.ends)
    return joined(lines, element("span", {"class": "axis", "aria-hidden": "true"}, low, high))


def _row(
    table: StoredTable, row: str, key: tuple[str, ...], scales: Sequence[Scale | None], marks: Sequence[bool]
) -> Html:
    heads = []
    if len(key) > 1:
        heads.append(element("th", {"scope": "row", "class": "merged"}, text(_merged(table, key, marks))))
    heads += [_key(value, mark) for value, mark in zip(key, marks, strict=True)]
    cells = [
        _figure(table.cells.get((row, column.key)), column, scale)
        for column, scale in zip(table.columns, scales, strict=True)
    ]
    return element("tr", {}, joined(*heads, *cells))


def _key(value: str, mark: bool) -> Html:
    if mark:
        dot = element("span", {"class": "given", "aria-hidden": "true"}, text("\N{BLACK CIRCLE}"))
        inner = joined(dot, hidden("yes")) if value else hidden("no")
        return element("th", {"scope": "row", "class": "key mark", "data-value": "1" if value else "0"}, inner)
    return element("th", {"scope": "row", "class": "key", "data-value": value}, text(value or ABSENT))


def _merged(table: StoredTable, key: tuple[str, ...], marks: Sequence[bool]) -> str:
    given = [table.keys[i] for i, mark in enumerate(marks) if mark and key[i]]
    others = [value for value, mark in zip(key, marks, strict=True) if not mark and value not in ("", "-")]
    return " \N{MIDDLE DOT} ".join([" + ".join(given), *others] if given else others) or ABSENT


def _figure(cell: Cell | None, column: Column, scale: Scale | None) -> Html:
    if cell is None:
        return element("td", {"class": "figure absent"}, text(ABSENT), hidden("there is no such figure"))
    value = text(ABSENT) if cell.value is None else text(shown(cell.value, column))
    mark = element("span", {"class": "letter"}, text(cell.mark)) if cell.mark else NOTHING
    best = element("span", {"class": "best"}, text("best")) if cell.best else NOTHING
    interval = NOTHING
    if cell.low is not None and cell.high is not None:
        words = f"[{shown(cell.low, column)}, {shown(cell.high, column)}]"
        interval = element("span", {"class": "interval"}, text(words))
    parts = [
        element("span", {"class": "first"}, element("span", {"class": "value"}, value, mark), best),
        interval,
        bar(cell, scale, cell.reported is not None) if scale else NOTHING,
        _paper(cell, column),
        _why(cell) if cell.reported else NOTHING,
    ]
    summary = element("summary", {}, joined(*parts))
    attributes = {"class": "figure", "data-value": None if cell.value is None else repr(cell.value)}
    return element("td", attributes, element("details", {}, summary, _more(cell, column)))


def _why(cell: Cell) -> Html:
    return element("span", {"class": "why"}, text(f"Not reproduced: {cell.why}")) if cell.why else NOTHING


def _paper(cell: Cell, column: Column) -> Html:
    if cell.reported is None:
        return NOTHING
    words = [text(f"paper {cell.reported}")]
    if cell.difference is not None:
        words.append(element("span", {"class": "difference"}, text(shown(cell.difference, column, sign=True))))
    return element("span", {"class": "paper"}, joined(*words))


def _more(cell: Cell, column: Column) -> Html:
    """All that is known of a figure, in words."""
    unit = f" {column.unit}" if column.unit else ""
    facts: list[tuple[str, str]] = []
    if cell.interval and cell.low is not None:
        facts.append(("Interval", cell.interval))
    if cell.n is not None:
        facts.append(("n", f"{cell.n:,}"))
    if cell.step is not None:
        facts.append(("Smallest step", f"{cell.step:.2g}{unit}"))
    if cell.reported is not None:
        facts.append(("Paper", f"{cell.reported}{unit}"))
    if cell.reported_low is not None and cell.reported_high is not None:
        low, high = (shown(value, column) for value in (cell.reported_low, cell.reported_high))
        facts.append(("Its interval at its n", f"[{low}, {high}]"))
    if cell.difference is not None:
        facts.append(("Measured minus paper", shown(cell.difference, column, sign=True)))
    if cell.best is not None:
        facts.append(("Against the best", "best, or not to be told from it" if cell.best else "worse than the best"))
    facts += [("Not reproduced", cell.why)] if cell.why and not cell.reported else []
    facts += [(COUNTS[name], f"{n:,}") for name, n in cell.counts.items() if n or name in TRIALS]
    facts += [("Result", cell.result)] if cell.result else []
    pairs = [joined(element("dt", {}, text(name)), element("dd", {}, text(value))) for name, value in facts]
    return element("dl", {"class": "more"}, joined(*pairs))
