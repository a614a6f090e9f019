"""spread: how much a table's figures vary with chance, taken apart by where the chance comes in.

Conventions: a training seed moves initial values and batches on the same manifest; a pairing seed builds the
virtual subjects and their items anew and leaves the training seed alone, so that what training adds is in it too.
Standard deviations have n - 1 below; of so few seeds they are themselves uncertain.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from mmbio.measure.intervals import Z
from mmbio.measure.results import ResultRow
from mmbio.tables.formats import Table
from mmbio.tables.metrics import METRICS, Metric
from mmbio.tables.run import Finished, Runner
from mmbio.tables.settings import Settings
from mmbio.tables.spec import Cell, TableSpec, cells

HEADER = ("cell", "seed 0", "mean", "95 % interval", "SD test subjects", "SD folds", "SD training", "SD pairing")


@dataclass(frozen=True)
class Spread:
    """One cell's figure over seeds, all fractions; nan where there is nothing to compute it from."""

    value: float  # of the run's own seeds
    mean: float  # over pairing seeds
    low: float  # of the mean, by Student's t over pairing seeds
    high: float
    subjects: float  # SD over draws of test subjects, from the width of the figure's interval
    folds: float  # SD between fold models
    training: float  # SD between training seeds, of the mean over folds
    pairing: float  # SD between pairing seeds that training seeds do not account for


def work(specs: Sequence[TableSpec], runner: Runner, n_seeds: int) -> list[Settings]:
    """The settings of all cells under further seeds: of the pairing, and of training."""
    own = dict.fromkeys(cell.settings for spec in specs for cell in cells(spec))
    return [s for settings in own for kind in _kinds(settings, runner, n_seeds) for s in kind[1:]]


def spread(finished: Finished, cell: Cell, n_seeds: int) -> Spread:
    """One cell's components of variance; its further seeds must be computed."""
    pairings, trainings = (
        [finished.row(replace(cell, settings=s)) for s in kind]
        for kind in _kinds(cell.settings, finished.runner, n_seeds)
    )
    metric = METRICS[cell.metric]
    folds = [
        r.value
        for r in finished.runner.rows(cell.settings)
        if r.fold != "mean" and (r.task, r.given) == (cell.task, cell.given) and metric.is_of(r, cell.metric)
    ]
    values = np.array([r.value for r in pairings])
    low, high = _student(values)
    training, whole = _sd([r.value for r in trainings]), _sd(values)
    return Spread(
        value=pairings[0].value,
        mean=float(values.mean()),
        low=low,
        high=high,
        subjects=_of_interval(pairings[0]),
        folds=_sd(folds),
        training=training,
        pairing=sqrt(max(0.0, whole**2 - training**2)),
    )


def table(finished: Finished, n_seeds: int) -> Table:
    """The variance table of a finished spec, a line a cell."""
    columns = {column.key: column.header for column in finished.spec.columns}
    lines = []
    for cell in cells(finished.spec):
        found, metric = spread(finished, cell, n_seeds), METRICS[cell.metric]
        lines.append((f"{cell.row} {columns[cell.column]}", *_texts(found, metric)))
    return Table(
        title=f"{finished.spec.title}: spread over {n_seeds} seeds",
        header=HEADER,
        rows=tuple(lines),
        notes=_notes(finished, n_seeds),
        name=f"{finished.spec.name}-variance",
        n_keys=1,
    )


def _kinds(settings: Settings, runner: Runner, n_seeds: int) -> tuple[list[Settings], list[Settings]]:
    """The settings under seeds of the pairing, and under seeds of training; the first of each is as it was."""
    pairing, training = int(runner.manifest.info["seed"]), runner.seed
    return (
        [replace(settings, pairing=pairing + k) for k in range(n_seeds)],
        [replace(settings, seed=training + k) for k in range(n_seeds)],
    )


def _student(values: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the mean of values that scatter normally, inside what a rate can be."""
    from scipy.stats import t

    half = float(t.ppf(0.975, len(values) - 1)) * _sd(values) / sqrt(len(values))
    mean = float(values.mean())
    return max(0.0, mean - half), mean + half


def _sd(values: Sequence[float] | np.ndarray) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def _of_interval(row: ResultRow) -> float:
    return float("nan") if row.low is None or row.high is None else (row.high - row.low) / (2 * Z)


def _texts(found: Spread, metric: Metric) -> Iterator[str]:
    def text(value: float) -> str:
        return "-" if np.isnan(value) else f"{metric.scale * value:.{metric.decimals}f}"

    high = min(found.high, 1.0) if metric.scale == 100.0 else found.high
    interval = f"[{text(found.low)}, {text(high)}]" if found.high > found.low else "-"  # no spread seen is no certainty
    yield from (text(found.value), text(found.mean), interval)
    yield from map(text, (found.subjects, found.folds, found.training, found.pairing))


def _notes(finished: Finished, n_seeds: int) -> tuple[str, ...]:
    info = finished.runner.manifest.info
    drawn = (
        "draws the simulated people anew"
        if info["data"] == "simulated"
        else "pairs the same public subjects anew and draws their items anew"
    )
    return (
        f"Data: {info['data']}, {info['split']} split; {n_seeds} pairing seeds at training seed {finished.runner.seed},"
        f" and {n_seeds} training seeds at pairing seed {info['seed']}; a pairing seed {drawn}.",
        "mean and its interval: over pairing seeds, by Student's t, cut off where a rate ends. SD test subjects: the"
        " width of the first seed's interval by 3.92. SD folds: between its fold models. SD training: between training"
        " seeds. SD pairing: between pairing seeds, less what training accounts for (0 where that is more).",
        f"A standard deviation of {n_seeds} seeds is itself uncertain by about {100 / sqrt(2 * (n_seeds - 1)):.0f} %.",
    )
