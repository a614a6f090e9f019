"""Stored results: the folders that `mmbio eval` and `mmbio tables` write below HOME/results, found and read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np

from mmbio.data.numpy_files import BROKEN, loaded
from mmbio.errors import MmbioError
from mmbio.files import read_json
from mmbio.measure import results, sidecar
from mmbio.measure.accuracy import correctness
from mmbio.measure.dcf import DEFAULT, PRESETS, Cost
from mmbio.measure.results import COLUMNS, ResultRow
from mmbio.measure.sidecar import cure

LEAST_DIGITS: Final = 4
CURE: Final = "evaluate again with mmbio eval or mmbio tables"


@dataclass(frozen=True)
class Stored:
    """A result folder: what determined it, its rows, and its arrays, which are read when they are asked for."""

    folder: Path
    key: dict[str, Any]
    rows: tuple[ResultRow, ...]
    costs: tuple[Cost, ...]  # of minDCF, whose mean it is; of classification the default

    @property
    def hash(self) -> str:
        return self.rows[0].result

    @property
    def verifies(self) -> bool:
        """True for scores of trials, False for posteriors of items."""
        return self.tasks == ("verification",)

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.task for row in self.rows))

    @property
    def cost_text(self) -> str:
        """The parameters of minDCF, as they stand beside it."""
        texts = [cost.text for cost in self.costs]
        return texts[0] if len(texts) == 1 else f"mean of {' and '.join(texts)}"

    def has(self, name: str) -> bool:
        """True where there is such an array."""
        return (self.folder / f"{name}.npy").is_file()

    def array(self, name: str) -> np.ndarray:
        """One of the arrays; raises MmbioError where it is broken or, as in a result of an older mmbio, not there."""
        path = self.folder / f"{name}.npy"
        if not path.is_file():
            raise MmbioError(f"{path}: not there, an older mmbio did not keep it; {CURE}")
        try:
            return loaded(path)
        except BROKEN as error:
            raise MmbioError(f"{path}: not a readable array ({error}); {cure(self.folder)}") from error

    def arrays(self, *names: str) -> list[np.ndarray]:
        """Several arrays that tell of the same things; raises as `array`, and where their lengths differ."""
        found = [self.array(name) for name in names]
        if len({len(array) for array in found if array.ndim}) != 1 or not all(array.ndim for array in found):
            told = ", ".join(names)
            raise MmbioError(f"{self.folder}: {told} are of different lengths, a file was edited; {cure(self.folder)}")
        return found

    def correct(self, task: str) -> np.ndarray:
        """Correctness (K, N) of K fold models on a task's items, NaN where a fold does not test an item."""
        posteriors, labels = self.array(f"posterior_{task}"), self.array(f"label_{task}")
        if posteriors.ndim != 3 or posteriors.shape[1:2] != labels.shape or not posteriors.size:
            path = self.folder / f"posterior_{task}.npy"
            raise MmbioError(f"{path}: not of {labels.size} items; {cure(self.folder)}")
        if posteriors.dtype.kind != "f" or labels.dtype.kind not in "biu":
            kinds = f"posteriors of type {posteriors.dtype}, labels of {labels.dtype}"
            raise MmbioError(f"{self.folder}: {kinds}; {cure(self.folder)}")
        return correctness(posteriors, labels)


def read(given: str | Path, home: Path) -> Stored:
    """The result that a hash, its first digits or a folder stand for.

    Raises MmbioError for one that is not there, is broken, or was written by another version of mmbio.
    """
    folder = find(home, str(given))
    path = folder / "rows.csv"
    try:
        with path.open(encoding="utf-8") as file:
            header = tuple(file.readline().rstrip("\n").split(","))
    except (OSError, ValueError) as error:
        raise MmbioError(f"{path}: not readable as results ({error}); {cure(folder)}") from error
    if header != COLUMNS:
        raise MmbioError(f"{path}: {_differs(header)}, so another version of mmbio wrote it; use that one, or {CURE}")
    rows = tuple(results.read(path))
    if not rows:
        raise MmbioError(f"{path}: no row in it; {cure(folder)}")
    if (folder / sidecar.FILE).is_file():
        sidecar.read(folder)
    key = read_json(folder / "key.json", "key of a result", cure(folder))
    return Stored(folder, key, rows, _costs(key, folder / "key.json"))


def find(home: Path, given: str) -> Path:
    """The folder of the result that a hash, its first digits or a folder stand for.

    Raises MmbioError where there is none or several, showing three.
    """
    known = sorted(path for path in (home / "results").glob("[0-9a-f]*") if path.is_dir())
    found = [path for path in known if path.name.startswith(given)] if re.fullmatch("[0-9a-f]{1,16}", given) else []
    if len(given) >= LEAST_DIGITS and len(found) == 1:
        return found[0]
    if given and (Path(given) / "rows.csv").is_file():
        return Path(given)
    if given and Path(given).is_dir():
        raise MmbioError(f"RESULT {given}: a folder without rows.csv; give a result's folder, or its hash")
    if found:
        why = f"{len(found)} results begin so" if len(given) >= LEAST_DIGITS else f"fewer than {LEAST_DIGITS} digits"
        raise MmbioError(f"RESULT {given}: {why}, such as {_some(found)}; give more digits")
    if not known:
        raise MmbioError(f"RESULT {given}: {home / 'results'} holds no result; run mmbio eval first, or give --out")
    raise MmbioError(
        f"RESULT {given}: no such result in {home / 'results'}, where there is {_some(known)}; give the first digits of"
        " one, or a folder"
    )


def _costs(key: dict[str, Any], path: Path) -> tuple[Cost, ...]:
    options = key.get("options")
    try:
        if not options:
            return (DEFAULT,)
        return PRESETS[options["preset"]] if options["preset"] else (Cost(**options["cost"]),)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MmbioError(f"{path}: its options are no options of this mmbio ({error}); {cure(path.parent)}") from error


def _some(folders: Sequence[Path]) -> str:
    return ", ".join(folder.name for folder in folders[:3]) + (", ..." if len(folders) > 3 else "")


def _differs(header: Sequence[str]) -> str:
    """What another version's columns differ in."""
    more, fewer = [c for c in header if c not in COLUMNS], [c for c in COLUMNS if c not in header]
    parts = [f"it has {', '.join(more[:3])}"] if more else []
    parts += [f"it lacks {', '.join(fewer[:3])}"] if fewer else []
    return " and ".join(parts) or "its columns stand in another order"
