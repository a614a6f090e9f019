"""Verification: fused vectors of both sides of each trial -> scores -> EER and minDCF with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmbio.embed.conditioned import Embeddings, embeddings_under
from mmbio.embed.cosine import pair_scores
from mmbio.embed.settings import device_of
from mmbio.errors import MmbioError
from mmbio.fuse.run import NETWORK_THREADS, extraction_of
from mmbio.measure import attended, dcf, rates
from mmbio.measure.dcf import Cost
from mmbio.measure.logistic import Logistic, fit
from mmbio.measure.results import Figure
from mmbio.measure.trial_bootstrap import trial_bootstrap
from mmbio.measure.trials import Trials, missing, of_manifest
from mmbio.report import Report

if TYPE_CHECKING:
    from mmbio.measure.evaluate import Evaluator

DRAWS = 1000  # of the subject bootstrap


@dataclass(frozen=True)
class Options:
    """How trials are measured."""

    convention: str = "linear"  # of the EER
    preset: str = ""  # of minDCF, in place of `cost`
    cost: Cost = dcf.DEFAULT
    by_gender: bool = False
    skip_missing: bool = False

    @property
    def costs(self) -> tuple[Cost, ...]:
        return dcf.PRESETS[self.preset] if self.preset else (self.cost,)

    @property
    def cost_text(self) -> str:
        return dcf.preset_text(self.preset) if self.preset else self.cost.text


DEFAULT = Options()


@dataclass(frozen=True)
class Verified:
    """What one evaluation found."""

    hash: str
    rows: np.ndarray  # (N,) items compared
    present: np.ndarray  # (N, M) as probes
    weights: np.ndarray | None  # (1, N, M) of an attention fusion, as probes
    trials: Trials  # that were scored
    scores: np.ndarray  # (T,) higher: more alike
    figures: list[Figure]
    arrays: dict[str, np.ndarray]
    rule: dict[str, float]


@dataclass(frozen=True)
class _Side:
    """The items of one side, and what was made of them."""

    embeddings: Embeddings
    fused: np.ndarray  # (n, F); at score level empty
    weights: np.ndarray | None


def run(evaluator: "Evaluator", report: Report) -> Verified:
    """Score and measure the trials; raises MmbioError for data that cannot be used."""
    asked = evaluator.trials or of_manifest(evaluator.manifest)
    known = np.flatnonzero((asked.enrolment >= 0) & (asked.probe >= 0))
    trials = asked.take(known)
    sides = _sides(evaluator, trials, report)
    there = [_there(evaluator, side, rows) for side, rows in zip(sides, (trials.enrolment, trials.probe), strict=True)]
    both = there[0] & there[1]
    # A fused vector can be compared across modalities, a cosine cannot.
    usable = np.asarray(both.any(1) if evaluator.config.is_score_level else there[0].any(1) & there[1].any(1))
    n_missing = len(asked.genuine) - int(usable.sum())
    if n_missing and not evaluator.options.skip_missing:
        raise missing(asked, known, usable)
    trials, both = trials.take(usable), both[usable]
    scores, rule = _scores(evaluator, sides, trials, both, report)
    probe = sides[1]
    figures = _figures(evaluator, trials, scores, n_missing, np.asarray((~both).any(1)))
    if probe.weights is not None:
        figures += attended.figures(
            evaluator.manifest, evaluator.config.modalities, probe.embeddings, probe.weights, evaluator.config.seed
        )
    items = evaluator.manifest.items["item"].to_numpy(np.int64)
    numbers = {"enrolment": items[trials.enrolment], "probe": items[trials.probe]}
    return Verified(
        hash=evaluator.hash,
        rows=probe.embeddings.rows,
        present=probe.embeddings.present,
        weights=None if probe.weights is None else probe.weights[None],
        trials=trials,
        scores=scores,
        figures=figures,
        arrays={"scores": scores, "genuine": trials.genuine} | numbers,
        rule=rule,
    )


def _there(evaluator: "Evaluator", side: _Side, rows: np.ndarray) -> np.ndarray:
    """Which modalities in use (T, M) the items `rows` (T,) of a side have."""
    used = [evaluator.manifest.modalities.index(m) for m in evaluator.config.modalities]
    return np.asarray(side.embeddings.present[_at(side, rows)][:, used])


def _scores(
    evaluator: "Evaluator", sides: tuple[_Side, _Side], trials: Trials, both: np.ndarray, report: Report
) -> tuple[np.ndarray, dict[str, float]]:
    """The trials' scores (T,), and at score level the weights of the fit for all modalities."""
    if not evaluator.config.is_score_level:
        at = _at(sides[0], trials.enrolment), _at(sides[1], trials.probe)
        return pair_scores(sides[0].fused, sides[1].fused, *at), {}
    fitted = _logistic(evaluator, report)
    weights, bias = fitted.fits[(True,) * both.shape[1]]
    rule = dict(zip(evaluator.config.modalities, weights.tolist(), strict=True)) | {"bias": bias}
    return fitted.scores(_cosines(evaluator, sides, trials), both), rule


def _sides(evaluator: "Evaluator", trials: Trials, report: Report) -> tuple[_Side, _Side]:
    """Both sides embedded and fused; one and the same where nothing happens to one side alone."""
    rows = [np.unique(trials.enrolment), np.unique(trials.probe)]
    if all(effect.side == "both" for effect in evaluator.condition.effects):
        side = _side(evaluator, np.union1d(*rows), "probe", report)
        return side, side
    return _side(evaluator, rows[0], "enrolment", report), _side(evaluator, rows[1], "probe", report)


def _side(evaluator: "Evaluator", rows: np.ndarray, side: str, report: Report) -> _Side:
    import torch

    from mmbio.fuse.train import fused, tensors

    config = evaluator.config
    settings = extraction_of(config, evaluator.settings)
    embeddings = embeddings_under(
        evaluator.manifest, evaluator.condition, config.modalities, rows, settings, report, side
    )
    if config.is_score_level:
        return _Side(embeddings, np.zeros((len(rows), 0)), None)
    torch.set_num_threads(NETWORK_THREADS)
    device = device_of(settings.device)
    vectors, weights = fused(evaluator.checkpoint.network(0).to(device), tensors(embeddings, {}, device))
    if not np.isfinite(vectors).all():
        raise MmbioError(
            f"{evaluator.checkpoint.path}: its network gives vectors that are no numbers, so its training diverged;"
            " train with another --seed or other --noise"
        )
    return _Side(embeddings, vectors, weights)


def _at(side: _Side, rows: np.ndarray) -> np.ndarray:
    return np.searchsorted(side.embeddings.rows, rows)


def _cosines(evaluator: "Evaluator", sides: tuple[_Side, _Side], trials: Trials) -> np.ndarray:
    """The cosine (T, M) of each modality in use, 0 where a side misses it."""
    columns = []
    for modality in evaluator.config.modalities:
        vectors = [side.embeddings.vectors.get(modality) for side in sides]
        if vectors[0] is None or vectors[1] is None:
            columns.append(np.zeros(len(trials.genuine)))
            continue
        columns.append(
            pair_scores(vectors[0], vectors[1], _at(sides[0], trials.enrolment), _at(sides[1], trials.probe))
        )
    return np.stack(columns, 1)


def _logistic(evaluator: "Evaluator", report: Report) -> Logistic:
    """Score-level fusion fitted on the dev trials, under the condition of training."""
    trials = of_manifest(evaluator.manifest, "dev")
    config = evaluator.config
    rows = np.union1d(trials.enrolment, trials.probe)
    found = embeddings_under(
        evaluator.manifest,
        config.condition,
        config.modalities,
        rows,
        extraction_of(config, evaluator.settings),
        report,
    )
    side = _Side(found, np.zeros((len(rows), 0)), None)
    used = [evaluator.manifest.modalities.index(m) for m in config.modalities]
    complete = np.asarray(found.present[:, used].all(1))
    kept = trials.take(complete[_at(side, trials.enrolment)] & complete[_at(side, trials.probe)])
    return fit(_cosines(evaluator, (side, side), kept), kept.genuine, config.modalities)


def _figures(
    evaluator: "Evaluator", trials: Trials, scores: np.ndarray, n_missing: int, imputed: np.ndarray
) -> list[Figure]:
    """EER and minDCF of all trials, and of each gender's where asked for; imputed (T,) bool lack a modality."""
    subjects = evaluator.manifest.items["subject"].to_numpy(np.int64)
    pair = [subjects[trials.enrolment], subjects[trials.probe]]
    figures = _measured(evaluator, trials.genuine, scores, pair, "", n_missing, int(imputed.sum()))
    if evaluator.options.by_gender:
        genders = evaluator.manifest.subjects["gender"].to_numpy(str)
        for gender in sorted({*genders} - {""}):
            of = (genders[pair[0]] == gender) & (genders[pair[1]] == gender)
            kinds = trials.genuine[of]
            if kinds.any() and not kinds.all():
                sides = [s[of] for s in pair]
                figures += _measured(evaluator, kinds, scores[of], sides, f"gender={gender}", 0, int(imputed[of].sum()))
    return figures


def _measured(
    evaluator: "Evaluator",
    genuine: np.ndarray,
    scores: np.ndarray,
    pair: Sequence[np.ndarray],
    given: str,
    n_missing: int,
    n_imputed: int,
) -> list[Figure]:
    options = evaluator.options
    points = rates.points(scores[genuine], scores[~genuine])
    drawn = trial_bootstrap(
        scores, genuine, pair[0], pair[1], evaluator.config.seed, costs=options.costs, draws=DRAWS
    ).intervals
    least = float(np.mean([dcf.min_dcf(points, c.p_target, c.c_miss, c.c_fa) for c in options.costs]))
    conventions = dict.fromkeys((options.convention, "linear", "rocch"))
    found = [("eer", c, rates.eer(points, c), "eer" if c == "linear" else "") for c in conventions]
    found.append(("min_dcf", options.cost_text, least, "min_dcf"))
    shown = {name: found for name, found in drawn.items() if not np.isnan(found).any()}
    return [
        Figure(
            "verification",
            metric,
            value,
            len(genuine),
            low=shown[name][0] if name in shown else None,
            high=shown[name][1] if name in shown else None,
            interval="subject-bootstrap" if name in shown else "",
            convention=convention,
            given=given,
            n_genuine=points.n_genuine,
            n_impostor=points.n_impostor,
            n_imputed=n_imputed,
            n_missing=n_missing,
        )
        for metric, convention, value, name in found
    ]
