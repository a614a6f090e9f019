"""A table's spec: a TOML file that names its rows and columns, and thereby its cells.

Conventions: a cell's settings are those of [base], then of its row, then of its column, the
later winning. A cell exists where its column's task is among its tasks. Reported values stay
the texts that the paper prints.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mmbio.errors import MmbioError
from mmbio.protocols import PROTOCOLS, Protocol
from mmbio.tables import fields, settings, spec_figures
from mmbio.tables.fields import Fields
from mmbio.tables.metrics import METRICS
from mmbio.tables.settings import Settings
from mmbio.tables.spec_figures import FigureSpec

KEYS: Final = (
    *("protocol", "name", "title", "notes", "reported_notes", "reported_n", "reported_design", "cost"),
    *("keys", "key_headers", "compare", "base", "columns", "differences", "rows", "figures"),
)


@dataclass(frozen=True)
class Key:
    """A column that names rows; a mark is 1 or 0 everywhere and prints as the papers' O or blank."""

    name: str
    header: str
    mark: bool


@dataclass(frozen=True)
class Column:
    """One metric of one task; `key` is its column in the reported CSV."""

    key: str
    header: str
    task: str
    metric: str
    set: Fields


@dataclass(frozen=True)
class Difference:
    """A column of differences between two columns of the same metric, the first minus the second."""

    key: str
    header: str
    of: tuple[str, str]


@dataclass(frozen=True)
class Row:
    """One line of the table: its key's texts in the order of the spec's keys."""

    id: str  # such as ecg=1,face=0,finger=0
    key: tuple[str, ...]
    set: Fields


@dataclass(frozen=True)
class Cell:
    """One figure to compute, found in a table by its row's id and its column's key."""

    row: str
    column: str
    task: str
    metric: str
    settings: Settings
    given: str = ""  # the attribute that the figure is restricted to


@dataclass(frozen=True)
class TableSpec:
    """A whole table, checked; `notes` are our readings, `reported_notes` are on the paper's figures.

    `reported_n` decisions stand behind each reported figure, whose mean varies `reported_design` times as much
    as that of independent ones. Rows that share their texts of the keys in `compare` are compared; None: none are.
    """

    protocol: Protocol
    name: str
    title: str
    notes: tuple[str, ...]
    reported_notes: tuple[str, ...]
    cost: bool  # print parameters and training times
    keys: tuple[Key, ...]
    base: Fields
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    differences: tuple[Difference, ...] = ()
    compare: tuple[str, ...] | None = None
    reported_n: int | None = None
    reported_design: float = 1.0
    reported: str = ""  # the CSV of reported figures; empty: of the spec's own name
    figures: tuple[FigureSpec, ...] = ()


def spec_folder() -> Path:
    """The folder of the specs that come with mmbio, in the wheel or in the repository."""
    here = Path(__file__).resolve()
    for folder in (here.parent / "specs", here.parents[2] / "tables"):
        if folder.is_dir():
            return folder
    raise MmbioError(f"{here.parent / 'specs'}: the tables' specs are not there; install mmbio again")


def spec_paths(folder: Path) -> tuple[Path, ...]:
    """The specs in a folder, by name."""
    paths = tuple(sorted(folder.glob("*.toml")))
    if not paths:
        raise MmbioError(f"{folder}: there are no specs (*.toml) in it; name a folder that has some")
    return paths


def load(path: Path) -> TableSpec:
    """Read and check a spec.

    Raises MmbioError naming the file, the place in it, what was expected and the cure.
    """
    try:
        content = tomllib.loads(fields.read_bytes(path, "table spec").decode())
    except (ValueError, RecursionError) as error:
        raise MmbioError(f"{path}: not a readable TOML file ({error}); mend it there") from error
    where = str(path)
    fields.known(content, KEYS, where)
    protocol = PROTOCOLS[_one_of(fields.text(content, "protocol", where), PROTOCOLS, where, "protocol")]
    name = fields.text(content, "name", where)
    if name != path.stem:
        raise MmbioError(f"{where}: the name '{name}' is not the file's; rename one of them")
    rows, keys = _rows_and_keys(content, protocol, where)
    columns = _columns(content, protocol, where)
    spec = TableSpec(
        protocol=protocol,
        name=name,
        title=fields.text(content, "title", where),
        notes=fields.texts(content, "notes", where, ()),
        reported_notes=fields.texts(content, "reported_notes", where, ()),
        reported_n=_whole(content, "reported_n", where),
        reported_design=_at_least_one(content, "reported_design", where),
        cost=fields.flag(content, "cost", where),
        keys=keys,
        compare=_compare(content, keys, where),
        base=settings.check(fields.table(content, "base", where, {}), protocol, f"{where}, base"),
        columns=columns,
        differences=_differences(content, columns, where),
        rows=rows,
        figures=spec_figures.parse(
            content, [k.name for k in keys], [c.key for c in columns], where, [row.key for row in rows]
        ),
    )
    _check_figures(spec, where)
    if not _cells(spec, where):
        raise MmbioError(f"{where}: no column's task is among its rows' tasks; add the task to a row's 'tasks'")
    return spec


def _check_figures(spec: TableSpec, where: str) -> None:
    """Refuse figures of what the protocol does not have: trials, or a modality."""
    for i, figure in enumerate(spec.figures, start=1):
        if figure.kind in ("det", "scores") and not spec.protocol.verifies:
            raise MmbioError(f"{where}, figure {i}: '{figure.kind}' draws trials, which the protocol has none of;"
                             " choose another kind")  # fmt: skip
        if figure.modality and figure.modality not in spec.protocol.modalities:
            known = ", ".join(spec.protocol.modalities)
            raise MmbioError(f"{where}, figure {i}: {spec.protocol.name} has no {figure.modality}; choose from {known}")


def cells(spec: TableSpec) -> tuple[Cell, ...]:
    """The cells that exist, row by row."""
    return _cells(spec, spec.name)


def _one_of(name: str, allowed: Mapping[str, object] | tuple[str, ...], where: str, what: str) -> str:
    return fields.choices((name,), allowed, where, what)[0]


def _columns(content: Fields, protocol: Protocol, where: str) -> tuple[Column, ...]:
    columns = []
    for i, table in enumerate(fields.tables(content, "columns", where), start=1):
        place = f"{where}, column {i}"
        fields.known(table, ("key", "header", "task", "metric", "set"), place)
        task = _one_of(fields.text(table, "task", place), protocol.tasks, place, "task")
        metrics = tuple(name for name, metric in METRICS.items() if task in metric.tasks)
        columns.append(
            Column(
                key=fields.text(table, "key", place),
                header=fields.text(table, "header", place),
                task=task,
                metric=_one_of(fields.text(table, "metric", place), metrics, place, f"metric of {task}"),
                set=settings.check(fields.table(table, "set", place, {}), protocol, place),
            )
        )
        if columns[-1].key in [column.key for column in columns[:-1]]:
            raise MmbioError(f"{place}: the key '{columns[-1].key}' is an earlier column's; choose another")
    return tuple(columns)


def _differences(content: Fields, columns: tuple[Column, ...], where: str) -> tuple[Difference, ...]:
    metrics = {column.key: column.metric for column in columns}
    found: list[Difference] = []
    for i, table in enumerate(fields.tables(content, "differences", where) if "differences" in content else (), 1):
        place = f"{where}, difference {i}"
        fields.known(table, ("key", "header", "of"), place)
        key, of = fields.text(table, "key", place), fields.texts(table, "of", place)
        for name in of:
            fields.choices((name,), metrics, place, "column")
        if len(of) != 2 or of[0] == of[1] or metrics[of[0]] != metrics[of[1]]:
            raise MmbioError(f"{place}: 'of' is {list(of)}; give two columns of one metric")
        if key in (*metrics, *(difference.key for difference in found)):
            raise MmbioError(f"{place}: the key '{key}' is another column's; choose another")
        found.append(Difference(key, fields.text(table, "header", place), (of[0], of[1])))
    return tuple(found)


def _compare(content: Fields, keys: tuple[Key, ...], where: str) -> tuple[str, ...] | None:
    if "compare" not in content:
        return None
    given = fields.texts(content, "compare", where)
    return fields.choices(given, [key.name for key in keys], where, "key") if given else ()


def _whole(content: Fields, key: str, where: str) -> int | None:
    found = content.get(key)
    if found is not None and (not isinstance(found, int) or isinstance(found, bool) or found < 1):
        raise MmbioError(f"{where}: '{key}' is {found!r}; give a whole number above 0")
    return found


def _at_least_one(content: Fields, key: str, where: str) -> float:
    found = fields.number(content.get(key, 1))
    if found is None or not 1 <= found < float("inf"):
        raise MmbioError(f"{where}: '{key}' is {content[key]!r}; give a number of at least 1")
    return found


def _rows_and_keys(content: Fields, protocol: Protocol, where: str) -> tuple[tuple[Row, ...], tuple[Key, ...]]:
    names = fields.texts(content, "keys", where)
    fields.choices(names, names, where, "key")
    headers = fields.table(content, "key_headers", where, {})
    fields.known(headers, names, f"{where}, key_headers")
    tables = fields.tables(content, "rows", where)
    rows: dict[tuple[str, ...], Row] = {}
    for i, table in enumerate(tables, start=1):
        row = _row(table, names, protocol, f"{where}, row {i}")
        number = tuple(map(fields.canonical, row.key))
        if number in rows:
            raise MmbioError(f"{where}, row {i}: the key {row.id} is an earlier row's; choose another")
        rows[number] = row
    keys = []
    for name in names:
        values = [fields.table(table, "key", where)[name] for table in tables]
        header = fields.text(headers, name, where) if name in headers else name.replace("_", " ")
        keys.append(Key(name, header, mark=all(isinstance(v, int) and v in (0, 1) for v in values)))
    return tuple(rows.values()), tuple(keys)


def _row(table: Fields, names: tuple[str, ...], protocol: Protocol, where: str) -> Row:
    fields.known(table, ("key", "set"), where)
    given = fields.table(table, "key", where)
    fields.known(given, names, f"{where}, key")
    key = tuple(_key_text(given, name, f"{where}, key") for name in names)
    row_id = ",".join(f"{name}={text}" for name, text in zip(names, key, strict=True))
    return Row(row_id, key, settings.check(fields.table(table, "set", where, {}), protocol, where))


def _key_text(given: Fields, name: str, where: str) -> str:
    found = fields.value(given, name, where)
    if isinstance(found, str) and found.isprintable():
        return found.strip()
    number = fields.number(found)
    if number is None:
        raise MmbioError(f"{where}: '{name}' is {found!r}; give a number or one line of text")
    return str(found)


def _cells(spec: TableSpec, where: str) -> tuple[Cell, ...]:
    found = []
    for i, row in enumerate(spec.rows, start=1):
        for column in spec.columns:
            pieces = {**spec.base, **row.set, **column.set}
            place = f"{where}, row {i}, column '{column.key}'"
            found_settings = settings.resolve(pieces, spec.protocol, place)
            given = str(pieces.get("given", ""))
            cell = Cell(row.id, column.key, column.task, column.metric, found_settings, given)
            if cell.task in cell.settings.tasks:
                found.append(cell)
    return tuple(found)
