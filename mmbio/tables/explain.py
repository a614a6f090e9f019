"""explain: why a cell would be computed again, by what differs from when it was last."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmbio.errors import MmbioError
from mmbio.files import locked, read_json, write_json
from mmbio.tables.spec import TableSpec, cells

if TYPE_CHECKING:
    from mmbio.tables.run import Runner
    from mmbio.tables.settings import Settings


def notebook(runner: "Runner") -> Path:
    """Where the keys of the cells that were computed last are noted."""
    return runner.extraction.home / "tables" / "cells.json"


def note(runner: "Runner", label: str, specs: list[TableSpec]) -> None:
    """Note what determined each finished cell of these tables under this label."""
    path = notebook(runner)
    with locked(path.with_name(f".{path.name}.lock")):
        known: dict[str, Any] = read_json(path, "notebook of cells") if path.is_file() else {}
        now = known | dict(_keys(runner, label, specs))
        if now != known:
            write_json(path, now)


def places(label: str, specs: Iterable[TableSpec]) -> list[str]:
    """The names of the cells of these tables under this label."""
    return [f"{label}/{spec.name} {cell.row} {cell.column}" for spec in specs for cell in cells(spec)]


def explain(runner: "Runner", label: str, specs: list[TableSpec]) -> list[tuple[str, str]]:
    """(cell, reason) for every cell: `finished`, `never computed`, or what has changed since."""
    path = notebook(runner)
    known = read_json(path, "notebook of cells") if path.is_file() else {}
    states = {settings: _state(runner, settings) for settings in {c.settings for spec in specs for c in cells(spec)}}
    settings = [c.settings for spec in specs for c in cells(spec)]
    reasons = []
    for (place, key), s in zip(_keys(runner, label, specs), settings, strict=True):
        reasons.append((place, states[s] or _reason(known.get(place), key)))
    return reasons


def _state(runner: "Runner", settings: "Settings") -> str:
    """`finished`, what is wrong with the result that stands, or nothing where there is none."""
    from mmbio.measure import sidecar

    if not runner.finished(settings):
        return ""
    try:
        sidecar.read(runner.evaluator(settings).folder)
    except MmbioError as error:
        return f"damaged: {error}"
    return "finished"


def _reason(before: Any, now: dict[str, Any]) -> str:
    if not isinstance(before, Mapping):
        return "never computed"
    old, new = dict(_leaves(before)), dict(_leaves(now))
    changed = [k for k in {**old, **new} if old.get(k) != new.get(k)]
    if not changed:
        return "its result is gone"
    return "changed: " + ", ".join(f"{k} ({old.get(k, 'not there')} -> {new.get(k, 'gone')})" for k in sorted(changed))


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(inner, Mapping) for inner in value):
        for number, inner in enumerate(value, start=1):
            yield from _leaves(inner, f"{path}.{number}")
    else:
        yield path, str(value)


def _keys(runner: "Runner", label: str, specs: list[TableSpec]) -> Iterator[tuple[str, dict[str, Any]]]:
    settings = (cell.settings for spec in specs for cell in cells(spec))
    for place, one in zip(places(label, specs), settings, strict=True):
        yield place, runner.evaluator(one).key
