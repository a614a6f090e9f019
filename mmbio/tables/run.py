"""run: a spec's cells -> trained, evaluated and measured, each once for what determines it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from mmbio.conditions import Condition, combine
from mmbio.data.manifest import Manifest
from mmbio.embed.settings import Settings as Extraction
from mmbio.fuse import run as fuse
from mmbio.fuse.config import Config
from mmbio.measure import results
from mmbio.measure.evaluate import Evaluator
from mmbio.measure.results import ResultRow
from mmbio.measure.verify import DEFAULT, Fitted, Options
from mmbio.report import Report, silent
from mmbio.tables.collected import Collected
from mmbio.tables.metrics import METRICS
from mmbio.tables.piece import Piece
from mmbio.tables.settings import Settings
from mmbio.tables.spec import Cell, TableSpec, cells
from mmbio.tables.work import here, on_workers
from mmbio.workers import cluster

CLEAN: Final = Condition()


@dataclass(frozen=True)
class Runner:
    """Computes cells on one manifest; equal settings are one piece of work, whatever tables they stand in."""

    manifest: Manifest
    extraction: Extraction
    seed: int = 0
    folds: int | None = None
    under: Condition = CLEAN  # on every cell's training and test, where these say nothing of a modality
    options: Options = DEFAULT  # how trials are measured
    build: Callable[[str, int], Manifest] | None = None  # (split, pairing seed) -> the manifest of cells that ask
    _manifests: dict[tuple[str, int], Manifest] = field(default_factory=dict, init=False, compare=False, repr=False)
    _fitted: dict[Path, dict[str, Fitted]] = field(default_factory=dict, init=False, compare=False, repr=False)
    _evaluators: dict[Settings, Evaluator] = field(default_factory=dict, init=False, compare=False, repr=False)

    def manifest_of(self, settings: Settings) -> Manifest:
        """The manifest that a cell is computed on; raises MmbioError where the data do not allow its split."""
        own = str(self.manifest.info["split"]), int(self.manifest.info["seed"])
        place = settings.split or own[0], own[1] if settings.pairing is None else settings.pairing
        if place == own:
            return self.manifest
        if place not in self._manifests:
            if self.build is None:
                raise ValueError(f"this runner has no manifest of the split {place[0]} and the pairing {place[1]}")
            self._manifests[place] = self.build(*place)
        return self._manifests[place]

    def plain(self, settings: Settings) -> Settings:
        """Settings without what is the runner's own, so that equal work has equal settings."""
        info = self.manifest.info
        return replace(
            settings,
            split="" if settings.split == info["split"] else settings.split,
            pairing=None if settings.pairing == info["seed"] else settings.pairing,
            seed=None if settings.seed == self.seed else settings.seed,
        )

    def evaluator(self, settings: Settings) -> Evaluator:
        """The evaluation behind a cell; its checkpoint may not be trained yet."""
        settings = self.plain(settings)
        if settings not in self._evaluators:
            manifest = self.manifest_of(settings)
            planned = fuse.plan(manifest, self.config(settings), self.extraction)
            condition = settings.under(self.under).test
            kept = combine(e for e in condition.effects if e.modality in settings.modalities)
            fitted = self._fitted.setdefault(planned.path, {})
            self._evaluators[settings] = Evaluator(manifest, planned, kept, self.extraction, None, self.options, fitted)
        return self._evaluators[settings]

    def config(self, settings: Settings) -> Config:
        """What a cell trains."""
        return Config(
            protocol=str(self.manifest.info["protocol"]),
            fusion=settings.fusion,
            modalities=settings.modalities,
            tasks=settings.tasks,
            condition=settings.under(self.under).train,
            seed=self.seed if settings.seed is None else settings.seed,
            folds=self.folds,
            unseen=settings.unseen,
            rule_weights=dict(settings.weights) or None,
            segment_s=settings.segment_s or self._longest(),
        )

    def _longest(self) -> float | None:
        """The longest segments that the data have, for cells that name no length."""
        return max((float(s) for s in self.manifest.info.get("segments", ())), default=None)

    def compute(self, wanted: Iterable[Settings], report: Report = silent) -> None:
        """Train and evaluate what is not finished; an interrupted run goes on where it stopped.

        Cells of one checkpoint are one piece of work, done here or on workers where there are some. Rows are added to
        results.csv in the order of the cells.
        """
        order = list(dict.fromkeys(map(self.plain, wanted)))
        unfinished = [settings for settings in order if not self.finished(settings)]
        evaluators = {settings: self.evaluator(settings) for settings in order}
        collected = Collected(
            self.extraction.home, list(evaluators.values()), [evaluators[settings] for settings in unfinished]
        )
        collected.add()
        pieces: dict[Path, list[Settings]] = {}
        for settings in unfinished:
            pieces.setdefault(evaluators[settings].checkpoint.path, []).append(settings)
        made = [self._piece(piece) for piece in pieces.values()]
        workers = cluster.active()
        if workers is not None:
            on_workers(workers, made, collected, report)
        else:
            here(made, collected, report)

    def _piece(self, settings: Sequence[Settings]) -> Piece:
        """The settings of one checkpoint as a piece of work."""
        manifest, config = self.manifest_of(settings[0]), self.config(settings[0])
        return Piece(manifest, config, self.extraction, self.options, tuple(map(self.evaluator, settings)))

    def finished(self, settings: Settings) -> bool:
        """True where the cell's figures are on disk under everything that determines them."""
        return (self.evaluator(settings).folder / "rows.csv").is_file()

    def attributes(self, spec: TableSpec) -> frozenset[str]:
        """The attributes that a spec's finished cells have figures of."""
        asked = dict.fromkeys(cell.settings for cell in cells(spec) if cell.given)
        return frozenset(row.given for settings in asked for row in self.rows(settings))

    def rows(self, settings: Settings) -> list[ResultRow]:
        """The finished result rows of a cell."""
        return results.read(self.evaluator(settings).folder / "rows.csv")


@dataclass(frozen=True)
class Finished:
    """A spec's figures on one runner's data."""

    spec: TableSpec
    runner: Runner

    @cached_property
    def rows(self) -> dict[tuple[str, str], ResultRow]:
        """(row, column) -> the result row of its cell."""
        return {(c.row, c.column): self.row(c) for c in cells(self.spec)}

    @cached_property
    def manifests(self) -> tuple[Manifest, ...]:
        """The manifests that the cells were computed on, each once, in order."""
        found = {m.hash: m for m in (self.runner.manifest_of(c.settings) for c in cells(self.spec))}
        return tuple(found.values())

    def result_of(self, cell: Cell) -> Path:
        """The folder of the stored result behind a cell."""
        return self.runner.evaluator(cell.settings).folder

    def costs(self) -> dict[str, Any]:
        """Tasks -> parameters, processor seconds and epochs of the training; they differ from run to run."""
        if not self.spec.cost:
            return {}
        chosen = dict.fromkeys(c.settings for c in cells(self.spec))
        return {" + ".join(s.tasks): self.runner.evaluator(s).checkpoint.cost() for s in chosen}

    def row(self, cell: Cell) -> ResultRow:
        """The result row that a cell shows."""
        metric = METRICS[cell.metric]
        return next(
            r
            for r in self.runner.rows(cell.settings)
            if (r.task, r.fold, r.given) == (cell.task, "mean", cell.given) and metric.is_of(r, cell.metric)
        )


def specs_work(specs: Sequence[TableSpec]) -> list[Settings]:
    """The settings of all cells of some specs, each once, in order."""
    return list(dict.fromkeys(cell.settings for spec in specs for cell in cells(spec)))
