"""gathered: what a figure shows of a finished table, read from the stored results behind its cells."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from mmbio.data.manifest import Manifest
from mmbio.data.numpy_files import BROKEN, loaded
from mmbio.errors import MmbioError
from mmbio.measure import rates
from mmbio.measure.intervals import subject_bootstrap
from mmbio.measure.results import ResultRow
from mmbio.measure.sidecar import cure
from mmbio.tables import fields
from mmbio.tables.run import Finished
from mmbio.tables.spec import Cell, Key, Row, cells
from mmbio.tables.spec_figures import FigureSpec


@dataclass(frozen=True)
class Picked:
    """One row of a table in a figure: its line or panel, its text of the key on the axis, and what was measured."""

    label: str
    at: str
    cell: Cell
    row: ResultRow
    folder: Path  # of the stored result
    manifest: Manifest
    seed: int

    @property
    def level(self) -> float | str:
        """Where it stands on the axis, a number if it can be."""
        try:
            return float(self.at)
        except ValueError:
            return self.at

    def has(self, name: str) -> bool:
        """True where the result has such an array."""
        return (self.folder / f"{name}.npy").is_file()

    def array(self, name: str) -> np.ndarray:
        """One of the result's arrays; raises MmbioError where it is gone or broken."""
        path = self.folder / f"{name}.npy"
        try:
            return loaded(path)
        except BROKEN as error:
            raise MmbioError(f"{path}: not a readable array ({error}); {cure(path.parent)}") from error

    @cached_property
    def subjects(self) -> np.ndarray:
        """The subjects (N,) of the items that were tested."""
        return np.asarray(self.manifest.items["subject"].to_numpy(np.int64)[self.array("rows")])

    @cached_property
    def pairs(self) -> np.ndarray:
        """The subjects (T, 2) of both sides of the trials."""
        items = self.manifest.items
        numbers, subjects = items["item"].to_numpy(np.int64), items["subject"].to_numpy(np.int64)
        order = np.argsort(numbers)
        sides = [self.array(side) for side in ("enrolment", "probe")]
        return np.stack([subjects[order[np.searchsorted(numbers, side, sorter=order)]] for side in sides], axis=1)

    @cached_property
    def points(self) -> rates.Points:
        """The operating points of the trials."""
        scores, genuine = self.array("scores"), self.array("genuine")
        return rates.points(scores[genuine], scores[~genuine])

    def threshold(self) -> float:
        """The highest score at which FNMR has not yet passed FMR: the EER lies there."""
        k = int(np.argmax(self.points.fnmr >= self.points.fmr))
        return float(self.points.thresholds[min(k, len(self.points.thresholds) - 2)])

    def decisions(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Confidence (D,), whether right (D,), and subjects (D, 2): of each fold's decisions, or of trials.

        The confidence of a trial is its posterior at the share of genuine trials, from its calibrated LLR.
        """
        if self.row.task == "verification":
            from scipy.special import expit, logit

            genuine = self.array("genuine")
            return expit(self.array("llr") + logit(genuine.mean())), genuine, self.pairs
        posteriors = self.array(f"posterior_{self.row.task}")  # (K, N, C)
        fold, item = np.nonzero(~np.isnan(posteriors).all(2))
        tested = posteriors[fold, item]  # (D, C), in float32, so that one may pass 1 by a rounding
        right = tested.argmax(1) == self.array(f"label_{self.row.task}")[item]
        return tested.max(1).clip(0, 1), right, np.stack([self.subjects[item]] * 2, axis=1)

    def weights(self) -> dict[str, tuple[float, float, float]]:
        """Each modality's mean attention weight over the fold networks and items, with its interval.

        Of items that have all modalities, or, where none does, of those that have any.
        """
        used = self.cell.settings.modalities
        columns = [self.manifest.modalities.index(m) for m in used]
        weights = np.nanmean(self.array("weights"), axis=0)[:, columns]
        present = self.array("present")[:, columns]
        complete = present.all(1)
        kept = complete if complete.any() else present.any(1)
        weights, subjects = weights[kept].astype(np.float64), self.subjects[kept]
        return {
            m: (float(w.mean()), *subject_bootstrap(w, subjects, self.seed))
            for m, w in zip(used, weights.T, strict=True)
        }


def pick(finished: Finished, figure: FigureSpec) -> list[Picked]:
    """The rows of a table that a figure shows; none where the table was cut to data that have none of them.

    Raises MmbioError where two of them would be one line, panel or point.
    """
    spec = finished.spec
    rows = [row for row in spec.rows if _wanted(row, spec.keys, figure)]
    differing = [k for i, k in enumerate(spec.keys) if k.name != figure.x and len({row.key[i] for row in rows}) > 1]
    by_row = {cell.row: cell for cell in cells(spec) if cell.column == figure.column}
    found: dict[tuple[str, str], Picked] = {}
    for row in rows:
        if row.id not in by_row:
            continue
        texts = {key.name: text for key, text in zip(spec.keys, row.key, strict=True)}
        label = texts[figure.lines] if figure.lines else _label(differing, texts)
        place = label, texts.get(figure.x, "")
        if place in found:
            raise MmbioError(
                f"{spec.name}, figure '{figure.name}': the rows {found[place].cell.row} and {row.id} cannot be told"
                " apart; name fewer rows in 'only', or leave 'lines' out"
            )
        found[place] = _picked(finished, by_row[row.id], *place)
    return list(found.values())


def _picked(finished: Finished, cell: Cell, label: str, at: str) -> Picked:
    runner = finished.runner
    row = finished.rows[cell.row, cell.column]
    return Picked(label, at, cell, row, finished.result_of(cell), runner.manifest_of(cell.settings), runner.seed)


def _wanted(row: Row, keys: tuple[Key, ...], figure: FigureSpec) -> bool:
    texts = {key.name: fields.canonical(text) for key, text in zip(keys, row.key, strict=True)}
    return all(texts[key] in wanted for key, wanted in figure.only)


def _label(keys: list[Key], texts: dict[str, str]) -> str:
    """A row's texts of some keys; of marks the headers that are marked."""
    marked = " + ".join(key.header for key in keys if key.mark and texts[key.name] == "1")
    return ", ".join(text for text in (*(texts[key.name] for key in keys if not key.mark), marked) if text)
