"""run: a spec's cells -> trained, evaluated and measured, each once for what determines it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any, Final

from mmbio.conditions import Condition, combine
from mmbio.data.manifest import Manifest
from mmbio.embed.extractors import weights_of
from mmbio.embed.settings import Settings as Extraction
from mmbio.embed.settings import threads
from mmbio.fuse import run as fuse
from mmbio.fuse.config import OF_CLASSES, OF_PAIRS, Config
from mmbio.measure import results
from mmbio.measure.accuracy import majority
from mmbio.measure.evaluate import Evaluator
from mmbio.measure.results import ResultRow
from mmbio.measure.verify import DEFAULT, Options
from mmbio.report import Report, silent
from mmbio.tables.render import Measured
from mmbio.tables.settings import Settings
from mmbio.tables.spec import Cell, TableSpec, cells

INTERVALS: Final = {
    "subject-bootstrap": "95 % subject bootstrap",
    "clustered by subject": "95 %, clustered by subject",
}
CLEAN: Final = Condition()
PLANTED: Final = (
    "p: planted; the simulation gives these faces a quality of their own, so the figure tells nothing of people."
)
MARKS: Final = {
    "c": "c: calibrated; the synthetic data were made as difficult as this figure of table 1; all others emerge.",
    "p": PLANTED,
    "s": "s: with synthetic samples of a modality, calibrated on the paper's table 1: no reproduction of its figure.",
}


@dataclass(frozen=True)
class Runner:
    """Computes cells on one manifest; equal settings are one piece of work, whatever tables they stand in."""

    manifest: Manifest
    extraction: Extraction
    seed: int = 0
    folds: int | None = None
    under: Condition = CLEAN  # on every cell's training and test, where these say nothing of a modality
    options: Options = DEFAULT  # how trials are measured
    _evaluators: dict[Settings, Evaluator] = field(default_factory=dict, init=False, compare=False, repr=False)

    def evaluator(self, settings: Settings) -> Evaluator:
        """The evaluation behind a cell; its checkpoint may not be trained yet."""
        if settings not in self._evaluators:
            planned = fuse.plan(self.manifest, self.config(settings), self.extraction)
            condition = settings.under(self.under).test
            kept = combine(e for e in condition.effects if e.modality in settings.modalities)
            self._evaluators[settings] = Evaluator(self.manifest, planned, kept, self.extraction, None, self.options)
        return self._evaluators[settings]

    def config(self, settings: Settings) -> Config:
        """What a cell trains."""
        return Config(
            protocol=str(self.manifest.info["protocol"]),
            fusion=settings.fusion,
            modalities=settings.modalities,
            tasks=settings.tasks,
            condition=settings.under(self.under).train,
            seed=self.seed,
            folds=self.folds,
            rule_weights=dict(settings.weights) or None,
            segment_s=settings.segment_s or self._longest(),
        )

    def _longest(self) -> float | None:
        """The longest segments that the data have, for cells that name no length."""
        return max((float(s) for s in self.manifest.info.get("segments", ())), default=None)

    def compute(self, wanted: Iterable[Settings], report: Report = silent) -> None:
        """Train and evaluate what is not finished; an interrupted run goes on where it stopped.

        Groups of one network each are trained several at once, as the folds of a larger group are.
        """
        open_work = [s for s in dict.fromkeys(wanted) if not self.finished(s)]
        n_networks = {
            s: sum(len(fuse.partitions_of(self.manifest, m)) for m in self.config(s).members()) for s in open_work
        }
        total, lock, done = sum(n_networks.values()), Lock(), Counter[str]()

        def work(settings: Settings) -> None:
            config = self.config(settings)

            def tell(what: str, n: int, of: int) -> None:
                with lock:
                    report(what, *((done["networks"] + n, total) if what == "training networks" else (n, of)))

            fuse.train(self.manifest, config, self.extraction, tell)
            evaluator = self.evaluator(settings)
            evaluator.save(evaluator.run(report))
            with lock:
                done["networks"] += n_networks[settings]
                report("training networks", done["networks"], total)

        small = [s for s in open_work if n_networks[s] <= len(s.modalities) and s.fusion in (*OF_PAIRS, *OF_CLASSES)]
        with ThreadPoolExecutor(threads(), initializer=fuse.one_thread) as pool:
            for _ in pool.map(work, small):
                pass
        for settings in open_work:
            if settings not in small:
                work(settings)

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
    """A spec's figures on one manifest."""

    spec: TableSpec
    runner: Runner

    @cached_property
    def rows(self) -> dict[tuple[str, str], ResultRow]:
        """(row, column) -> the result row of its cell."""
        return {(c.row, c.column): self._row(c) for c in cells(self.spec)}

    def measured(self) -> dict[tuple[str, str], Measured]:
        """(row, column) -> the figure to print; one of synthetic samples alone is not compared with the paper's."""
        sources = self.runner.manifest.info["sources"]
        figures = {}
        for cell in cells(self.spec):
            real = any(not sources[m]["synthetic"] for m in cell.settings.modalities) and not self._differs()
            place = cell.row, cell.column
            figures[place] = _measured(self.rows[place], self._mark(cell), real)
        return figures

    def _differs(self) -> bool:
        """True for data that the paper's figures cannot be compared with: chimeric, degraded, or somebody's vectors."""
        info = self.runner.manifest.info
        vectors = any("vectors" in source for source in info["sources"].values())
        return bool(info.get("chimeric") or vectors or self.runner.under.effects)

    def provenance(self) -> list[str]:
        """Notes that name the data, the weights, n, the baseline and the seed."""
        info, some = self.runner.manifest.info, next(iter(self.rows.values()))
        if self.spec.protocol.verifies:
            return self._of_trials(info, some)
        n = info["n_subjects"]
        genders = ", ".join(f"{n[g]} {g}" for g in ("F", "M") if g in n)
        config = self.runner.config(cells(self.spec)[0].settings)
        n_folds = len(fuse.partitions_of(self.runner.manifest, config))
        weights = {r.weights for r in self.rows.values() if r.weights}
        precision = ", ".join(sorted({r.precision for r in self.rows.values() if r.weights})) or "fp32"
        counts = " or ".join(str(n) for n in sorted({r.n for r in self.rows.values()}))
        models = f"{n_folds} fold model{'s' if n_folds > 1 else ''}"
        notes = [
            f"Data: {info['data']}; {n['all']} subjects ({genders}), {info['split']} split, {info['scale']} scale,"
            f" manifest {self.runner.manifest.hash[:8]}.",
            f"ResNet-50 weights: {', '.join(sorted(weights)) or 'none'}{_about(weights)}, {precision}; {models};"
            f" n = {counts} distinct test decisions; seed {some.seed}; mmbio {some.version}.",
        ]
        if any(r.task == "gender" for r in self.rows.values()):
            notes.append(f"Always answering the majority gender: {100 * self._majority():.1f} %.")
        figures = self.measured().values()
        notes += [text for mark, text in MARKS.items() if any(m.mark == mark for m in figures)]
        if any(m.low == m.high for m in figures):
            notes.append("An interval without width: no drawn subject ever differed; it does not mean certainty.")
        return notes + self._costs()

    def _row(self, cell: Cell) -> ResultRow:
        found = self.runner.rows(cell.settings)
        return next(
            r
            for r in found
            if (r.task, r.metric, r.fold, r.given) == (cell.task, cell.metric, "mean", cell.given)
            and (r.metric != "eer" or r.convention == "linear")
        )

    def _of_trials(self, info: dict[str, Any], some: ResultRow) -> list[str]:
        """Notes of a table of verification: data, trials, what was trained under, and marks."""
        n = info["n_subjects"]
        genders = ", ".join(f"{n[g]} {g}" for g in ("F", "M") if g in n)
        rows = self.rows.values()
        behind = (
            ", ".join(sorted({f"{r.backbone}, weights {r.weights}" for r in rows if r.weights})) or "vectors as given"
        )
        chimeric = (
            f", chimeric subjects ({'matched by gender' if info['match'] == 'gender' else 'of any gender'})"
            if info["chimeric"]
            else ""
        )
        left = "; ".join(f"{count} x {why}" for why, count in info["dropped"].items() if count)
        counts = next((r for r in rows if r.n_genuine is not None), None)
        trials = f", {counts.n_genuine} genuine and {counts.n_impostor} impostor" if counts else ""
        fewer = f", of whom {info['n_in_trials']} are in trials" if info["n_in_trials"] != n["all"] else ""
        notes = [
            f"Data: {info['data']}; {n['all']} subjects test ({genders or 'gender not known'}){fewer}, {n['dev']} train"
            f" and tune{chimeric}; {info['scale']} scale, manifest {self.runner.manifest.hash[:8]}.",
            f"Trials: genuine {info['trials']}{trials}; fewer than 300 genuine a subject where its samples allow no"
            f" more. Left out: {left or 'nothing'}.",
            f"Embeddings: {behind}; seed {some.seed}; mmbio {some.version}.",
        ]
        if info["chimeric"]:
            notes.append(
                "No reproduction: other people, other extractors, a face and a voice of different persons (the faces of"
                " one sitting), so no difference from the paper's figures is printed."
            )
        if self.runner.under.effects:
            notes.append(f"All cells are trained and tested under {self.runner.under}, but where a null replaces it.")
        missing = {r.n_missing for r in rows} - {0}
        if missing:
            notes.append(f"Trials that could not be scored: {', '.join(map(str, sorted(missing)))}.")
        figures = self.measured().values()
        return notes + [text for mark, text in MARKS.items() if any(m.mark == mark for m in figures)]

    def _majority(self) -> float:
        return majority(self.runner.manifest.labels["gender"][self.runner.manifest.partitions()[0].test])

    def _mark(self, cell: Cell) -> str:
        """`c` where a figure was calibrated, `s` where synthetic samples stand among real ones."""
        s, noise = cell.settings, self.spec.protocol.noise
        if not self.runner.manifest.is_synthetic:
            sources = self.runner.manifest.info["sources"]
            return "s" if any(sources[m]["synthetic"] for m in s.modalities) else ""
        if self.spec.protocol.verifies:
            return self._mark_of_trials(cell)
        unimodal = len(s.modalities) == 1 and s.tasks == ("identification",) and s.train == s.test
        manifest, extraction = self.runner.manifest, self.runner.extraction
        weights = weights_of(manifest, extraction)
        as_calibrated = manifest.info["split"] == "triplet" and s.fusion == "concat" and weights == "random"
        noisy = s.train.noise(s.modalities[0]) == noise.get(s.modalities[0])
        return "c" if unimodal and as_calibrated and noisy else ""

    def _mark_of_trials(self, cell: Cell) -> str:
        """`c` for the EERs that the simulation was calibrated on, `p` for attributes with a planted effect."""
        s = cell.settings
        if cell.given:
            return "p" if cell.given in planted() and self.runner.manifest.info["data"] == "simulated" else ""
        clean = not s.test.effects and not self.runner.under.effects
        return "c" if cell.metric == "eer" and s.fusion == "cosine" and len(s.modalities) == 1 and clean else ""

    def _costs(self) -> list[str]:
        """Parameters and training time of what the table trains, where the spec asks for them."""
        if not self.spec.cost:
            return []
        lines = []
        for settings in dict.fromkeys(c.settings for c in cells(self.spec)):
            cost: dict[str, Any] = self.runner.evaluator(settings).checkpoint.cost()
            epochs = f", {sum(cost['epochs'])} epochs over all folds" if "epochs" in cost else ""
            lines.append(
                f"Cost of {' + '.join(settings.tasks)}: {cost['n_parameters']:,} parameters a network{epochs}"
                f" (processor time in {self.spec.name}-cost.json)."
            )
        return lines

    def costs(self) -> dict[str, Any]:
        """Tasks -> parameters, processor seconds and epochs of the training; they differ from run to run."""
        if not self.spec.cost:
            return {}
        chosen = dict.fromkeys(c.settings for c in cells(self.spec))
        return {" + ".join(s.tasks): self.runner.evaluator(s).checkpoint.cost() for s in chosen}


def planted() -> frozenset[str]:
    """The attributes of the simulation that have an effect."""
    from mmbio.data.synthetic.embeddings import PLANTED as EFFECTS

    return frozenset(EFFECTS)


def specs_work(specs: Sequence[TableSpec]) -> list[Settings]:
    """The settings of all cells of some specs, each once, in order."""
    return list(dict.fromkeys(cell.settings for spec in specs for cell in cells(spec)))


def _measured(row: ResultRow, mark: str, comparable: bool) -> Measured:
    low, high = (float("nan") if x is None else x for x in (row.low, row.high))
    return Measured(row.value, low, high, row.n, INTERVALS.get(row.interval, ""), mark, comparable)


def _about(weights: set[str]) -> str:
    if any(w.startswith("random") for w in weights):
        return " (random: torchvision's initialisation with a fixed seed, untouched)"
    return ""
