"""Report: folders of tables -> one HTML file that needs nothing beside it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mmbio import __version__
from mmbio.code import code_hashes
from mmbio.errors import MmbioError
from mmbio.files import bytes_hash, read_json, write_text
from mmbio.tables.kept import Made, Notes
from mmbio.tables.report_html import stored_table
from mmbio.tables.report_html.stored_table import StoredTable

AUDIT: Final = "audit.json"
ENVIRONMENT: Final = "environment.json"
FIGURES: Final = "figures/figures.json"
TITLE: Final = "Multimodal biometrics, measured"
PARTS: Final = ("tables/report_html/report.css", "tables/report_html/report.js")  # of a page, beside its code
AGAIN: Final = "run mmbio tables again"


@dataclass(frozen=True)
class Figure:
    """A drawing of one table's: `svg` is the file's text, `png` its bytes where there is no SVG."""

    table: str
    title: str
    caption: str
    svg: str | None
    png: bytes | None
    path: Path


@dataclass(frozen=True)
class Label:
    """All that `mmbio tables` wrote into one folder."""

    name: str
    folder: Path
    tables: tuple[StoredTable, ...]
    figures: tuple[Figure, ...] = ()
    audit: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """What there is of it in a page."""
        return {
            "folder": str(self.folder),
            "tables": [table.name for table in self.tables],
            "n_figures": len(self.figures),
            "audit": bool(self.audit),
            "environment": bool(self.environment),
        }


def folders(home: Path, names: Sequence[str] = ()) -> list[Path]:
    """The folders of `names`, which are labels below `home`/tables or paths; of none, all there, the newest first.

    Raises MmbioError where one has no tables.
    """
    known = {folder.name: folder for folder in sorted((home / "tables").glob("*")) if _has_tables(folder)}
    if not names:
        if not known:
            raise MmbioError(f"{home / 'tables'}: no tables there; run mmbio tables first, or name a folder of theirs")
        return sorted(known.values(), key=_newest, reverse=True)
    found = []
    for name in dict.fromkeys(names):
        folder = known.get(name, Path(name))
        if not _has_tables(folder):
            there = f"choose from {', '.join(known)}" if known else "run mmbio tables first"
            raise MmbioError(f"LABEL {name}: no tables of this label or folder; {there}")
        found.append(folder)
    return found


def read(folder: Path) -> Label:
    """The tables of a folder, the papers' first, with their figures, audit and environment."""
    papers_first = sorted(_table_files(folder), key=lambda path: ("-table" not in path.stem, path.stem))
    tables = (stored_table.read(path) for path in papers_first)
    found = tuple(table for table in tables if table is not None)
    if not found:
        raise MmbioError(f"{folder}: no tables there; {AGAIN}")
    return Label(
        folder.resolve().name,
        folder,
        found,
        _figures(folder),
        _optional(folder / AUDIT, "audit"),
        _optional(folder / ENVIRONMENT, "note of the environment"),
    )


def write(labels: Sequence[Label], path: Path, title: str = TITLE) -> None:
    """Write the page, or nothing; the same labels give the same bytes."""
    from mmbio.tables.report_html.page import page

    write_text(path, page(labels, title))


def keep(places: Sequence[Path], path: Path, title: str = TITLE) -> dict[str, Any]:
    """Write the page of some folders unless it stands, made of the same; returns what is in it, by label."""

    def make() -> Made:
        labels = [read(place) for place in places]
        write(labels, path, title)
        return Made((path,), {label.name: label.told() for label in labels})

    folders = [[str(place), place.resolve().name, *map(_hashed, _page_files(place))] for place in places]
    of: dict[str, Any] = {"title": title, "folders": folders, "code": code_hashes(("tables", *PARTS))}
    of["version"] = __version__
    notes = Notes(path.parent)
    found: dict[str, Any] = notes.keep(f"page {path.name}", of, make).told
    notes.save()
    return found


def _page_files(folder: Path) -> list[Path]:
    """All that a page may hold of a folder."""
    return sorted(path for pattern in ("*.json", "figures/*") for path in folder.glob(pattern) if path.is_file())


def _hashed(path: Path) -> list[str]:
    try:
        return [path.name, bytes_hash(path.read_bytes())]
    except OSError:
        return [path.name, ""]  # reading it says what is wrong


def _table_files(folder: Path) -> list[Path]:
    apart = (AUDIT, ENVIRONMENT)
    return sorted(path for path in folder.glob("*.json") if path.name not in apart and not path.name.startswith("."))


def _has_tables(folder: Path) -> bool:
    """True where a file looks like a table, damaged ones included."""
    return folder.is_dir() and any(_looks_like_a_table(path) for path in _table_files(folder))


def _looks_like_a_table(path: Path) -> bool:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True  # reading it says what is wrong
    return isinstance(content, dict) and stored_table.is_table(content)


def _newest(folder: Path) -> int:
    return max(path.stat().st_mtime_ns for path in _table_files(folder))


def _optional(path: Path, what: str) -> dict[str, Any]:
    if not path.exists():
        return {}
    content = read_json(path, what)
    schema = content.get("schema", 1)
    if isinstance(schema, int) and schema > stored_table.SCHEMA:
        raise MmbioError(f"{path}: written by a newer mmbio (schema {schema}, known up to 1); update mmbio, or {AGAIN}")
    return content


def _figures(folder: Path) -> tuple[Figure, ...]:
    listed = folder / FIGURES
    if not listed.exists():
        return ()
    try:
        content = json.loads(listed.read_text(encoding="utf-8"))
        if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
            raise ValueError("expected a list of objects")
        return tuple(_figure(entry, listed.parent) for entry in content)
    except (OSError, ValueError) as error:
        raise MmbioError(f"{listed}: not a readable list of figures ({error}); {AGAIN}") from error


def _figure(entry: Mapping[str, Any], folder: Path) -> Figure:
    named = [entry.get(key) for key in ("svg", "png")]
    if not any(named) or any(name and (not isinstance(name, str) or Path(name).name != name) for name in named):
        raise ValueError("a figure names no file beside the list")
    svg, png = (None if name is None else folder / name for name in named)
    path = svg or png
    assert path is not None
    try:
        drawn, picture = (svg.read_text(encoding="utf-8"), None) if svg else (None, path.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise MmbioError(f"{path}: a figure that is listed cannot be read ({error}); {AGAIN}") from error
    table, title, caption = (str(entry.get(key) or "") for key in ("table", "title", "caption"))
    return Figure(table, title, caption, drawn, picture, path)
