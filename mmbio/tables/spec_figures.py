"""The figures that a spec asks for in its [[figures]]: what each is of, checked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mmbio.errors import MmbioError
from mmbio.protocols import MODALITIES
from mmbio.tables import fields
from mmbio.tables.fields import Fields

_ALWAYS: Final = ("kind", "name", "title")
_OF_ROWS: Final = ("column", "lines", "only")
# kind -> the keys that it takes beside those of _ALWAYS
KINDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "det": _OF_ROWS,
        "scores": _OF_ROWS,
        "curve": (*_OF_ROWS, "x"),
        "attention": (*_OF_ROWS, "x"),
        "reliability": _OF_ROWS,
        "samples": ("modality",),
    }
)
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", re.ASCII)  # of a file


@dataclass(frozen=True)
class FigureSpec:
    """One figure: of a column, over the rows whose keys have the texts of `only`."""

    kind: str
    name: str
    title: str
    column: str = ""
    lines: str = ""  # the key that tells lines or panels apart; empty: all keys in which the rows differ
    x: str = ""  # the key of the axis
    only: tuple[tuple[str, tuple[str, ...]], ...] = ()  # key, and its canonical texts
    modality: str = ""


def parse(
    content: Fields, keys: Sequence[str], columns: Sequence[str], where: str, rows: Sequence[Sequence[str]] = ()
) -> tuple[FigureSpec, ...]:
    """The figures of a spec with these keys and columns; `rows`, the texts of its rows' keys, check those of `only`.

    Raises MmbioError naming the place, what was expected and the cure.
    """
    if "figures" not in content:
        return ()
    texts = {key: {fields.canonical(row[i]) for row in rows} for i, key in enumerate(keys)} if rows else {}
    found: list[FigureSpec] = []
    for i, table in enumerate(fields.tables(content, "figures", where), start=1):
        place = f"{where}, figure {i}"
        figure = _figure(table, tuple(keys), tuple(columns), place)
        if figure.name in [earlier.name for earlier in found]:
            raise MmbioError(f"{place}: the name '{figure.name}' is an earlier figure's; choose another")
        for key, wanted in figure.only:
            fields.choices(wanted, sorted(texts.get(key, wanted)), f"{place}, only", f"text of {key}")
        found.append(figure)
    return tuple(found)


def _figure(table: Fields, keys: tuple[str, ...], columns: tuple[str, ...], place: str) -> FigureSpec:
    kind = fields.choices((fields.text(table, "kind", place),), KINDS, place, "kind of figure")[0]
    fields.known(table, (*_ALWAYS, *KINDS[kind]), f"{place} ({kind})")
    name = fields.text(table, "name", place)
    if not _NAME.fullmatch(name):
        raise MmbioError(f"{place}: the name '{name}' names files; use small letters, digits and hyphens")
    title = fields.text(table, "title", place)
    if kind == "samples":
        asked = fields.text(table, "modality", place)
        return FigureSpec(kind, name, title, modality=fields.choices((asked,), MODALITIES, place, "modality")[0])
    return FigureSpec(
        kind,
        name,
        title,
        column=_key(table, "column", columns, place) or columns[0],
        lines=_key(table, "lines", keys, place),
        x=_x(table, keys, place) if "x" in KINDS[kind] else "",
        only=_only(fields.table(table, "only", place, {}), keys, f"{place}, only"),
    )


def _key(table: Fields, name: str, allowed: tuple[str, ...], place: str) -> str:
    return fields.choices((fields.text(table, name, place),), allowed, place, name)[0] if name in table else ""


def _x(table: Fields, keys: tuple[str, ...], place: str) -> str:
    fields.value(table, "x", place)
    x = _key(table, "x", keys, place)
    if x == table.get("lines"):
        raise MmbioError(f"{place}: 'x' and 'lines' are both {x}; name another key in one of them")
    return x


def _only(table: Fields, keys: tuple[str, ...], place: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    fields.known(table, keys, place)
    return tuple((key, _texts(table[key], key, place)) for key in keys if key in table)


def _texts(found: object, key: str, place: str) -> tuple[str, ...]:
    values = found if isinstance(found, list) else [found]
    if not values or not all(isinstance(v, str) or fields.number(v) is not None for v in values):
        raise MmbioError(f"{place}: '{key}' is {found!r}; give a text or number of that key, or a list of them")
    return tuple(fields.canonical(str(v)) for v in values)
