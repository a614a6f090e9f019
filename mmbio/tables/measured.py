"""measured: a finished table's result rows -> the figures to print, each with its interval and its mark."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mmbio.data.manifest import Manifest
from mmbio.embed.extractors import weights_of
from mmbio.tables import obstacles
from mmbio.tables.beside import Measured, Place
from mmbio.tables.best import Best
from mmbio.tables.run import Finished
from mmbio.tables.spec import Cell, cells

INTERVALS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "subject-bootstrap": "95 % subject bootstrap",
        "wilson": "95 % Wilson interval of independent decisions",
        "wilson-by-subject": "95 % Wilson interval with one decision a subject, where too few are wrong, or right",
        "clustered by subject": "95 %, clustered by subject",
    }
)
MARKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "c": "c: calibrated; the synthetic data were made as difficult as this figure of table 1; others emerge.",
        "p": "p: planted; the simulation gives these faces a quality of their own, so the figure is not of people.",
        "s": "s: with synthetic samples of a modality, calibrated on the paper's table 1: no reproduction.",
    }
)
NO_BEST: Final = Best(frozenset())


def measured(finished: Finished, best: Best = NO_BEST) -> dict[Place, Measured]:
    """(row, column) -> the figure to print; one of synthetic samples alone is not compared with the paper's."""
    found = {}
    for cell in cells(finished.spec):
        sources = finished.runner.manifest_of(cell.settings).info["sources"]
        real = any(not sources[m]["synthetic"] for m in cell.settings.modalities) and not _differs(finished, cell)
        place = cell.row, cell.column
        found[place] = _measured(finished, cell, real, place in best.places if place in best.compared else None)
    return found


def mark(finished: Finished, cell: Cell) -> str:
    """`c` where a figure was calibrated, `s` where synthetic samples stand among real ones, `p` where it is planted."""
    s, noise, manifest = cell.settings, finished.spec.protocol.noise, finished.runner.manifest_of(cell.settings)
    if not manifest.is_synthetic:
        return "s" if any(manifest.info["sources"][m]["synthetic"] for m in s.modalities) else ""
    if finished.spec.protocol.verifies:
        return _mark_of_trials(finished, cell, manifest)
    unimodal = len(s.modalities) == 1 and s.tasks == ("identification",) and s.train == s.test
    weights = weights_of(manifest, finished.runner.extraction)
    as_calibrated = manifest.info["split"] == "triplet" and s.fusion == "concat" and weights == "random"
    noisy = s.train.noise(s.modalities[0]) == noise.get(s.modalities[0])
    return "c" if unimodal and as_calibrated and noisy else ""


def planted() -> frozenset[str]:
    """The attributes of the simulation that have an effect."""
    from mmbio.data.synthetic.embeddings import PLANTED as EFFECTS

    return frozenset(EFFECTS)


def _mark_of_trials(finished: Finished, cell: Cell, manifest: Manifest) -> str:
    s = cell.settings
    if cell.given:
        return "p" if cell.given in planted() and manifest.info["data"] == "simulated" else ""
    clean = not s.test.effects and not finished.runner.under.effects
    return "c" if cell.metric == "eer" and s.fusion == "cosine" and len(s.modalities) == 1 and clean else ""


def _differs(finished: Finished, cell: Cell) -> bool:
    """True for data that the paper's figures cannot be compared with: chimeric, degraded, or somebody's vectors."""
    info = finished.runner.manifest_of(cell.settings).info
    vectors = any("vectors" in source for source in info["sources"].values())
    return bool(info.get("chimeric") or vectors or finished.runner.under.effects)


def _measured(finished: Finished, cell: Cell, comparable: bool, best: bool | None) -> Measured:
    row, letter, runner = finished.rows[cell.row, cell.column], mark(finished, cell), finished.runner
    info = runner.manifest_of(cell.settings).info
    return Measured(
        row.value,
        low=float("nan") if row.low is None else row.low,
        high=float("nan") if row.high is None else row.high,
        n=row.n,
        interval=INTERVALS.get(row.interval, row.interval),
        mark=letter,
        comparable=comparable,
        best=best,
        why=obstacles.why(finished.spec.protocol, info, cell, row.weights, letter, runner.under),
        result=row.result,
        n_genuine=row.n_genuine,
        n_impostor=row.n_impostor,
        n_imputed=row.n_imputed,
        n_missing=row.n_missing,
    )
