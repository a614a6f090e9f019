"""Result rows: tidy CSV with everything that a figure needs to be understood, and no time stamps."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from mmbio.errors import MmbioError
from mmbio.files import locked, write_text

CURE: Final = "move it away and run the mmbio tables or mmbio eval that wrote it again"


@dataclass(frozen=True)
class ResultRow:
    """One figure. Rates are fractions; fields that do not apply are empty."""

    result: str  # content hash of the evaluation
    protocol: str
    data: str
    manifest: str
    n_subjects: int
    split: str
    scale: str
    segment_s: str
    fusion: str
    rule_weights: str
    modalities: str
    trained_tasks: str
    backbone: str
    weights: str
    precision: str
    train_condition: str
    test_condition: str
    task: str
    fold: str  # a number, or "mean"
    metric: str
    convention: str
    value: float
    low: float | None
    high: float | None
    interval: str
    given: str  # what the figure is restricted to, such as gender=F or Bald
    trials: str  # which trials were compared
    n: int  # distinct test decisions
    n_genuine: int | None
    n_impostor: int | None
    n_imputed: int  # decisions without one of the modalities in use
    n_missing: int  # decisions that were asked for and could not be made
    seed: int
    version: str


@dataclass(frozen=True)
class Figure:
    """One figure of an evaluation, before it is told what it stands on."""

    task: str
    metric: str
    value: float
    n: int
    low: float | None = None
    high: float | None = None
    interval: str = ""
    fold: str = "mean"
    convention: str = ""
    given: str = ""
    n_genuine: int | None = None
    n_impostor: int | None = None
    n_imputed: int = 0
    n_missing: int = 0


COLUMNS = tuple(f.name for f in fields(ResultRow))


def to_csv(rows: Sequence[ResultRow]) -> str:
    """Rows as CSV text with a header."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: "" if v is None else v for k, v in asdict(row).items()})
    return out.getvalue()


def read(path: Path) -> list[ResultRow]:
    """The rows of a CSV file of results; raises MmbioError where it is not one of this version."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise _of_another_version(path, reader.fieldnames or ())
            return [_row(fields) for fields in reader]
    except (OSError, ValueError, csv.Error) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> MmbioError:
    return MmbioError(f"{path}: not readable as results ({error}); {CURE}")


def _of_another_version(path: Path, header: Sequence[str]) -> MmbioError:
    """What to say of a header that is not ours, naming columns that we do not know and those that we miss."""
    differ = {"unknown": [c for c in header if c not in COLUMNS], "missing": [c for c in COLUMNS if c not in header]}
    named = [f"{what} {', '.join(c[:3])}{', ...' if len(c) > 3 else ''}" for what, c in differ.items() if c]
    told = f" (columns {'; '.join(named)})" if named else ""
    return MmbioError(f"{path}: its columns are those of another mmbio version; {CURE}{told}")


def _row(texts: dict[str, str]) -> ResultRow:
    numbers: dict[str, Callable[[str], float | int]] = {"value": float, "low": float, "high": float}
    numbers |= dict.fromkeys(("n_subjects", "n", "n_genuine", "n_impostor", "n_imputed", "n_missing", "seed"), int)
    optional = ("low", "high", "n_genuine", "n_impostor")
    if len(texts) != len(COLUMNS) or None in texts.values():
        raise ValueError("a row is longer or shorter than the header")
    values: dict[str, Any] = dict(texts)
    for name, number in numbers.items():
        values[name] = None if texts[name] == "" and name in optional else number(texts[name])
    return ResultRow(**values)


def check(path: Path) -> None:
    """Raise MmbioError where rows cannot be added to a file: it cannot be read, or has other columns."""
    _text_of(path)


def differing(path: Path, parts: Iterable[Path]) -> Path | None:
    """The first of the files of single evaluations whose rows are not all in a file of results as they are there.

    Raises MmbioError where a file cannot be read.
    """
    text = _text_of(path)
    others = [part for part in parts if not _stands(_text_of(part), text)]
    rows = read(path) if others else []  # numbers may be written otherwise
    for part in others:
        theirs = read(part)
        names = {row.result for row in theirs}
        if to_csv([row for row in rows if row.result in names]) != to_csv(theirs):
            return part
    return None


def _stands(part: str, text: str) -> bool:
    """Whether the rows of one evaluation stand together in a text of results, and no other row of it does."""
    rows = part.partition("\n")[2]
    result = rows.partition(",")[0]
    return f"\n{rows}" in text and text.count(f"\n{result},") == rows.count("\n")


def append(path: Path, rows: Sequence[ResultRow]) -> None:
    """Add rows to a CSV file of results; rows of the same evaluation are replaced.

    Raises MmbioError where the file there cannot be read, such as one of another version.
    """
    with locked(path.with_name(f".{path.name}.lock")):
        new = {row.result for row in rows}
        text = _text_of(path) if path.exists() else ""
        if text.endswith("\n") and not any(f"\n{result}," in text for result in new):
            write_text(path, text + to_csv(rows).partition("\n")[2])
        else:
            kept = [row for row in read(path) if row.result not in new] if text else []
            write_text(path, to_csv([*kept, *rows]))


def _text_of(path: Path) -> str:
    """A file of results as it stands, when its header is ours."""
    try:
        text = path.read_text(encoding="utf-8")
        header = next(csv.reader(io.StringIO(text)), [])
    except (OSError, ValueError, csv.Error) as error:
        raise _unreadable(path, error) from error
    if tuple(header) != COLUMNS:
        raise _of_another_version(path, header)
    return text
