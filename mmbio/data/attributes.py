"""Attributes: what is known of samples besides who is on them, as columns of 1, 0 and nan (not known).

A column of a table is read by its values; an empty one, or nan, is not known:

    yaw, pitch, roll    degrees, binned by their absolute value as in the audiovisual paper's table 3a:
                        yaw:0-30, yaw:30-60, yaw:60- (our reading: 30 belongs to 30-60, 60 to 60-)
    0/1, true/false, yes/no, or -1/1 as in CelebA's files: one attribute of the column's name
    other numbers       the quartiles of the column's known values, age:Q1 to age:Q4; a value on an edge
                        belongs to the upper one, and the edges stand in the notes
    texts               one attribute a value, hair=blond, of at most 20
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from mmbio.errors import MmbioError
from mmbio.words import plural

ID: Final = "id"
ANGLES: Final = ("yaw", "pitch", "roll")
ANGLE_EDGES: Final = (30.0, 60.0)  # degrees
ANGLE_BINS: Final = ("0-30", "30-60", "60-")
TEXTS: Final[Mapping[str, float]] = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
MOST_VALUES: Final = 20


@dataclass(frozen=True)
class Attributes:
    """Attributes (N,) of 1, 0 or nan for not known, by name in the order of their columns."""

    ids: np.ndarray  # (N,) text
    flags: Mapping[str, np.ndarray]  # name -> (N,) float64
    columns: Mapping[str, str]  # name -> the column it comes from: "yaw:0-30" -> "yaw"
    notes: tuple[str, ...] = ()  # how numbers were binned, and what was left out

    def at(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The attributes of rows (K,) int, nan where a row is -1, as `matched` gives them."""
        return {name: np.where(rows < 0, np.nan, flags[rows]) for name, flags in self.flags.items()}


@dataclass(frozen=True)
class Matched:
    """Where samples stand in a table of attributes."""

    rows: np.ndarray  # (K,) int64, -1 where the table does not have the sample
    n_unknown: int  # samples that the table does not have
    n_unused: int  # rows of the table that no sample asked for


def read(path: Path) -> Attributes:
    """Read a CSV file with the column `id` and a column for each attribute.

    Raises MmbioError naming the file, the row (1 is the head line) or column, and the cure.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        numbered = enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), start=1)
        rows = {number: row for number, row in numbered if any(map(str.strip, row))}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MmbioError(f"{path}: not a readable CSV file ({error}); save it as UTF-8 text with commas") from error
    if len(rows) < 2:
        raise MmbioError(f"{path}: has no rows; write a head line, such as id,Bald,yaw, and a row for each sample")
    (_, head), *body = rows.items()
    for number, row in body:
        if len(row) != len(head):
            raise MmbioError(
                f"{path}: row {number} has {plural(len(row), 'value')} where {len(head)} were expected; mend it"
            )
    columns = pd.Index([name.strip() for name in head])
    return of_table(pd.DataFrame([row for _, row in body], columns=columns, dtype=str), str(path))


def of_table(table: pd.DataFrame, what: str = "attributes") -> Attributes:
    """The attributes of a table of text columns, one of them `id`; `what` names it in errors, as `read` does."""
    table = table.apply(lambda column: column.str.strip())
    for name in table.columns[table.columns.duplicated()]:
        raise MmbioError(f"{what}: two columns are named '{name}'; rename or remove one of them")
    if ID not in table or len(table.columns) < 2 or "" in table.columns:
        named = ",".join(map(str, table.columns))
        raise MmbioError(f"{what}: its columns are '{named[:60]}'; expected id and a named column for each attribute")
    if (table[ID] == "").any():
        raise MmbioError(f"{what}: the id of sample {int((table[ID] == '').argmax()) + 1} is empty; fill it in")
    unique = table.drop_duplicates()
    for twice in unique[ID][unique[ID].duplicated()]:
        raise MmbioError(f"{what}: id '{twice}' is given twice with different values; keep one row of each sample")
    notes = [f"{what}: {len(table) - len(unique)} repeated rows left out"] if len(unique) < len(table) else []
    values: dict[str, np.ndarray] = {}
    columns: dict[str, str] = {}
    for column in (str(name) for name in unique.columns if name != ID):
        for name, found in _of_column(column, unique[column].str.lower(), unique[column], what, notes):
            if name in values:
                raise MmbioError(f"{what}: columns '{columns[name]}' and '{column}' both give '{name}'; rename one")
            values[name], columns[name] = found, column
    return Attributes(unique[ID].to_numpy(str), values, columns, tuple(notes))


def matched(ids: Sequence[str] | np.ndarray, attributes: Attributes) -> Matched:
    """Where each of the ids (K,) stands among the attributes' rows.

    Raises MmbioError with three ids from each side where none is there.
    """
    place = {name: row for row, name in enumerate(attributes.ids.tolist())}
    rows = np.array([place.get(str(name), -1) for name in ids], dtype=np.int64)
    if (rows < 0).all():
        ours, theirs = (", ".join(f"'{name}'" for name in side[:3]) for side in (ids, attributes.ids))
        raise MmbioError(
            f"attributes: no id is one of the {len(rows)} test samples';"
            f" the samples have {ours}, the attributes {theirs}; write the samples' ids"
        )
    return Matched(rows, int((rows < 0).sum()), len(place) - len(np.unique(rows[rows >= 0])))


def _numbers(lower: pd.Series) -> np.ndarray:
    """The texts as numbers, NaN where they are none; infinite beyond an exponent of 999.

    pandas 2.3 ends with a segmentation fault on exponents of ten digits.
    """
    beyond = lower.str.fullmatch(r"[+-]?[0-9.]+e[+-]?[0-9]{4,}").to_numpy(bool)
    numbers: np.ndarray = pd.to_numeric(lower.mask(beyond), errors="coerce").to_numpy(np.float64)
    numbers[beyond] = np.inf
    return numbers


def _of_column(
    column: str, lower: pd.Series, texts: pd.Series, what: str, notes: list[str]
) -> Iterator[tuple[str, np.ndarray]]:
    """The attributes of one column; what was decided on the way is added to `notes`."""
    unknown = lower.isin(["", "nan"]).to_numpy(bool)
    numbers = _numbers(lower)
    where = f"{what}: column '{column}'"
    for value in texts[np.isinf(numbers)]:
        raise MmbioError(f"{where}: '{value}' is not finite; write a number, or nothing where it is not known")
    if unknown.all():
        notes.append(f"{where}: is empty and left out")
    elif column.lower() in ANGLES:
        yield from _angle(column, numbers, texts[np.isnan(numbers) & ~unknown], where, notes)
    elif (flags := _booleans(lower, numbers, unknown)) is not None:
        yield column, flags
    elif not (np.isnan(numbers) & ~unknown).any():
        yield from _quartiles(column, numbers, where, notes)
    else:
        found = sorted(set(texts[~unknown]))
        if len(found) > MOST_VALUES:
            raise MmbioError(
                f"{where}: has {len(found)} different texts, such as '{found[0]}', where at most {MOST_VALUES} can be"
                " told apart; write numbers or fewer values, or remove the column"
            )
        for value in found:
            yield f"{column}={value}", _told(texts.to_numpy(str) == value, unknown)


def _booleans(lower: pd.Series, numbers: np.ndarray, unknown: np.ndarray) -> np.ndarray | None:
    """A boolean column (N,) as 1, 0 and nan, or None where it is none."""
    values = np.where(np.isnan(numbers), lower.map(TEXTS).to_numpy(np.float64), numbers)
    known = values[~unknown]
    if np.isin(known, (0, 1)).all() or (np.isin(known, (-1, 1)).all() and not lower.isin(list(TEXTS)).any()):
        return _told(values == 1, unknown)
    return None


def _angle(
    column: str, degrees: np.ndarray, wrong: pd.Series, where: str, notes: list[str]
) -> Iterator[tuple[str, np.ndarray]]:
    size = np.abs(degrees)
    largest = float(np.nanmax(size, initial=0.0))
    for value in (*wrong, *([f"{largest:g}"] if largest > 180 else [])):
        raise MmbioError(f"{where}: '{value}' is no angle; write degrees from -180 to 180, or nothing")
    if 0 < largest < np.pi:
        notes.append(f"{where}: the largest angle is {largest:g} degrees; turn radians into degrees if it holds them")
    bins = np.digitize(size, ANGLE_EDGES)
    for k, name in enumerate(ANGLE_BINS):
        yield f"{column}:{name}", _told(bins == k, np.isnan(degrees))


def _quartiles(column: str, numbers: np.ndarray, where: str, notes: list[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Up to four attributes; a quartile that ties leave empty is none."""
    unknown = np.isnan(numbers)
    edges = np.quantile(numbers[~unknown], [0.25, 0.5, 0.75])
    bins = np.digitize(numbers, edges)
    notes.append(f"{where}: cut at its own quartiles {', '.join(f'{edge:g}' for edge in edges)}")
    for k in np.unique(bins[~unknown]):
        yield f"{column}:Q{k + 1}", _told(bins == k, unknown)


def _told(true: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    return np.where(unknown, np.nan, true.astype(np.float64))
