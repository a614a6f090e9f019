"""Same: two result folders of one evaluation, row by row and array by array, and what lies between their runs."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from mmbio.data.numpy_files import BROKEN, loaded
from mmbio.errors import MmbioError
from mmbio.measure.sidecar import cure

Rows = list[dict[str, str]]

NAMES: Final = ("result", "version")  # that name the code, and are no figures
OF_ROW: Final = ("task", "fold", "metric", "convention", "given")  # what makes a row another one of its evaluation
PASSING: Final = ("began", "seconds", "command")  # of an environment: always others


@dataclass(frozen=True)
class Comparison:
    """How a rerun's rows and arrays compare with those recorded."""

    n_rows: int  # recorded
    n_arrays: int
    same_file: bool  # rows.csv, byte for byte
    columns: dict[str, tuple[int, float | None]]  # that differ: in how many rows, by at most; None: no numbers
    gone: tuple[str, ...]  # rows that the rerun does not have
    new: tuple[str, ...]  # rows that were not there
    arrays: dict[str, float | None]  # that differ: by at most; None: of another shape or kind, or not there
    left_out: dict[str, str]  # columns that were not compared, and why

    @property
    def verdict(self) -> str:
        """`same bytes`, `same figures` or `different`."""
        if self.columns or self.gone:
            return "different"
        return "same bytes" if self.same_file and not self.arrays else "same figures"

    @property
    def sentence(self) -> str:
        """The verdict in one plain sentence."""
        if self.verdict == "same bytes":
            return f"Same bytes: {_n(self.n_rows, 'row')} and {_n(self.n_arrays, 'array')} agree to the last bit."
        if self.verdict == "same figures":
            arrays = self._arrays() or f"; the bytes of {_n(self.n_arrays, 'array')} agree"
            return f"Same figures in {_n(self.n_rows, 'row')}{arrays}."
        parts = [
            f"{name} in {n} of {_n(self.n_rows, 'row')}" + ("" if most is None else f" (by at most {most:.3g})")
            for name, (n, most) in self.columns.items()
        ]
        parts += [f"{_n(len(self.gone), 'row')} not there any more ({self.gone[0]})"] if self.gone else []
        return f"Different: {', '.join(parts)}{self._arrays()}."

    def _arrays(self) -> str:
        sizes = {name: most for name, most in self.arrays.items() if most is not None}
        others = [name for name in self.arrays if name not in sizes]
        text = ""
        if sizes:
            name = max(sizes, key=lambda n: sizes[n])
            text = f", but arrays differ by at most {sizes[name]:.3g} ({name})"
        return text + (f", but {' and '.join(others)} cannot be compared" if others else "")


def compare(then: Path, now: Path) -> Comparison:
    """Compare two result folders; raises MmbioError where one cannot be read."""
    before, after = _rows(then / "rows.csv"), _rows(now / "rows.csv")
    left_out = _left_out(before, after)
    paired = [(row, after[where]) for where, row in before.items() if where in after]
    arrays, n_arrays = _arrays(then, now)
    return Comparison(
        n_rows=len(before),
        n_arrays=n_arrays,
        same_file=(then / "rows.csv").read_bytes() == (now / "rows.csv").read_bytes(),
        columns=_columns(paired, left_out),
        gone=tuple(" ".join(filter(None, where)) for where in before if where not in after),
        new=tuple(" ".join(filter(None, where)) for where in after if where not in before),
        arrays=arrays,
        left_out=left_out,
    )


def changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """What differs between two keys or environments, by a short name: how it was, and how it is.

    Code and libraries are named once, however many parts of a key they stand in.
    """
    before, after = (dict(_leaves({k: v for k, v in side.items() if k not in PASSING})) for side in (then, now))
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    found: dict[str, tuple[str, str]] = {}
    for name in names:
        found.setdefault(_short(name), (before.get(name, "not there"), after.get(name, "not there")))
    return found


def _n(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _rows(path: Path) -> dict[tuple[str, ...], dict[str, str]]:
    """The rows as text, by what names them among those of one evaluation; columns may be another version's."""
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    except (OSError, ValueError, csv.Error) as error:
        raise MmbioError(f"{path}: not readable as results ({error}); {cure(path.parent)}") from error
    if not rows or any(None in row or None in row.values() for row in rows):
        raise MmbioError(f"{path}: cut short or edited; {cure(path.parent)}")
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for row in rows:
        where = tuple(row.get(name) or "" for name in OF_ROW)
        number = sum(other[: len(where)] == where for other in found)
        found[(*where, f"({number + 1})") if number else where] = row
    return found


def _left_out(before: Mapping[Any, dict[str, str]], after: Mapping[Any, dict[str, str]]) -> dict[str, str]:
    first, again = next(iter(before.values())), next(iter(after.values()))
    found = {name: "names the code, not a figure" for name in NAMES if first.get(name) != again.get(name)}
    found |= {name: "not among the columns of now" for name in first if name not in again}
    return found | {name: "not among the columns of then" for name in again if name not in first}


def _columns(
    paired: Sequence[tuple[dict[str, str], dict[str, str]]], left_out: Mapping[str, str]
) -> dict[str, tuple[int, float | None]]:
    names = [name for name in (paired[0][0] if paired else ()) if name not in left_out]
    found = {}
    for name in names:
        pairs = [(before[name], after[name]) for before, after in paired if before[name] != after[name]]
        if pairs:
            found[name] = len(pairs), _largest(pairs)
    return found


def _largest(pairs: Sequence[tuple[str, str]]) -> float | None:
    try:
        return max(abs(float(after) - float(before)) for before, after in pairs)
    except ValueError:
        return None


def _arrays(then: Path, now: Path) -> tuple[dict[str, float | None], int]:
    """The arrays that differ, and how many there are; those of now alone are not counted."""
    names = sorted(path.stem for path in then.glob("*.npy"))
    found: dict[str, float | None] = {}
    for name in names:
        if not (now / f"{name}.npy").is_file():
            found[name] = None
            continue
        before, after = (_load(folder / f"{name}.npy") for folder in (then, now))
        same_kind = (before.shape, before.dtype) == (after.shape, after.dtype)
        if not same_kind or before.tobytes() != after.tobytes():
            found[name] = _distance(before, after) if same_kind else None
    return found, len(names)


def _load(path: Path) -> np.ndarray:
    try:
        return loaded(path)
    except BROKEN as error:
        raise MmbioError(f"{path}: not readable as an array ({error}); {cure(path.parent)}") from error


def _distance(before: np.ndarray, after: np.ndarray) -> float | None:
    """The largest difference of two arrays of one shape; None where one has no value and the other has."""
    if before.dtype.kind not in "biuf":
        return None
    pair = before.astype(np.float64), after.astype(np.float64)
    empty = [np.isnan(side) for side in pair]
    if not np.array_equal(empty[0], empty[1]):
        return None
    return float(np.abs(pair[1] - pair[0])[~empty[0]].max(initial=0.0))


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The plain values of nested dicts and lists of dicts, each by its path."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path} {name}".strip())
    elif isinstance(value, list) and any(isinstance(inner, Mapping) for inner in value):
        for number, inner in enumerate(value, start=1):
            yield from _leaves(inner, f"{path} {number}")
    else:
        yield path, str(value)


def _short(path: str) -> str:
    words = path.split(" ")
    at = max((words.index(kind) for kind in ("code", "libraries") if kind in words), default=0)
    return " ".join(words[at:])
