"""Verification: the trials' scores under a condition -> EER, minDCF and calibration figures with intervals."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmbio.data.manifest import Manifest
from mmbio.embed.cores import one_core
from mmbio.measure import attended, calibrated, dcf, rates
from mmbio.measure.calibrated import LOGISTIC, PAV, Found, Maps, Measurable
from mmbio.measure.dcf import Cost
from mmbio.measure.intervals import Interval
from mmbio.measure.results import Figure
from mmbio.measure.score_norm import NONE, TOP
from mmbio.measure.scoring import Compared, Rule, check_norm, cohort_of, compare, rule_of
from mmbio.measure.trial_bootstrap import trial_bootstrap
from mmbio.measure.trials import Trials, missing, of_manifest
from mmbio.report import Report

if TYPE_CHECKING:
    from mmbio.measure.evaluate import Evaluator

DRAWS = 1000  # of the subject bootstrap
Fitted = tuple[Rule, dict[str, float], Maps]  # on training and dev, the same for every condition of the test


@dataclass(frozen=True)
class Options:
    """How trials are measured."""

    convention: str = "linear"  # of the EER
    preset: str = ""  # of minDCF, in place of `cost`
    cost: Cost = dcf.DEFAULT
    by_gender: bool = False
    skip_missing: bool = False
    score_norm: str = NONE  # of cosines, by the training subjects
    top: int = TOP  # of them, a side, where it is adaptive

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


def run(evaluator: "Evaluator", report: Report) -> Verified:
    """Score and measure the trials; raises MmbioError for data that cannot be used."""
    check_norm(evaluator)
    asked = evaluator.trials or of_manifest(evaluator.manifest)
    found = compare(evaluator, asked, evaluator.condition, report)
    n_missing = len(asked.genuine) - len(found.trials.genuine)
    if n_missing and not evaluator.options.skip_missing:
        raise missing(asked, found.known, found.usable)
    system = f"{evaluator.checkpoint.hash} {evaluator.options.score_norm} {evaluator.options.top}"
    if system not in evaluator.fitted:
        evaluator.fitted[system] = _on_dev(evaluator, report)
    rule, weighed, maps = evaluator.fitted[system]
    trials, probe, scores = found.trials, found.probe, rule(found)
    subjects = evaluator.manifest.items["subject"].to_numpy(np.int64)
    llrs = {name: to_llr(scores) for name, to_llr in maps.items()}
    pair = subjects[trials.enrolment], subjects[trials.probe]
    measurable = Measurable(trials.genuine, scores, llrs, pair)
    figures, draws = _figures(evaluator, measurable, n_missing, np.asarray((~found.both).any(1)))
    if probe.weights is not None:
        figures += attended.figures(
            evaluator.manifest, evaluator.config.modalities, probe.embeddings, probe.weights, evaluator.config.seed
        )
    arrays = {"scores": scores, "genuine": trials.genuine} | _named(evaluator.manifest, trials) | draws
    if LOGISTIC in llrs:
        arrays["llr"] = llrs[LOGISTIC].astype(np.float32)
    return Verified(
        hash=evaluator.hash,
        rows=probe.embeddings.rows,
        present=probe.embeddings.present,
        weights=None if probe.weights is None else probe.weights[None],
        trials=trials,
        scores=scores,
        figures=figures,
        arrays=arrays,
        rule=weighed,
    )


def _on_dev(evaluator: "Evaluator", report: Report) -> Fitted:
    """What is fitted under the condition of training: the score rule with its weights or cohort, and dev's LLR maps."""
    manifest, config = evaluator.manifest, evaluator.config
    trials = of_manifest(manifest, "dev") if config.is_score_level else calibrated.dev_trials(manifest)
    dev: Compared = compare(evaluator, trials, config.condition, report)
    kept = calibrated.held_out(manifest, dev.trials)
    cohort = cohort_of(evaluator, report)
    with one_core():  # the fits set the threads of the whole process
        rule, weighed = rule_of(evaluator, dev, cohort)
        return rule, weighed, calibrated.maps(dev.trials.genuine[kept], rule(dev)[kept])


def _named(manifest: Manifest, trials: Trials) -> dict[str, np.ndarray]:
    """The trials by item numbers, and the items that take part, ascending, with their ids and subjects."""
    rows = np.union1d(trials.enrolment, trials.probe)
    numbers = manifest.items["item"].to_numpy(np.int64)
    rows = rows[np.argsort(numbers[rows])]
    return {
        "enrolment": numbers[trials.enrolment],
        "probe": numbers[trials.probe],
        "item": numbers[rows],
        "id": manifest.items["id"].to_numpy(str)[rows],
        "subject": manifest.items["subject"].to_numpy(np.int64)[rows],
    }


def _figures(
    evaluator: "Evaluator", trials: Measurable, n_missing: int, imputed: np.ndarray
) -> tuple[list[Figure], dict[str, np.ndarray]]:
    """The figures of all trials, and of each gender's where asked for; imputed (T,) bool lack a modality.

    With them the draws behind the intervals of all trials, by which results are compared.
    """
    found = _found(evaluator, trials)
    draws = {f"draws_{_column(one)}": one.draws for one in found if one.draws is not None}
    figures = _measured(found, trials, "", n_missing, int(imputed.sum()))
    if evaluator.options.by_gender:
        genders = evaluator.manifest.subjects["gender"].to_numpy(str)
        for gender in sorted({*genders} - {""}):
            of = (genders[trials.pair[0]] == gender) & (genders[trials.pair[1]] == gender)
            kinds = trials.genuine[of]
            if kinds.any() and not kinds.all():
                some, without = trials.take(of), int(imputed[of].sum())
                figures += _measured(_found(evaluator, some), some, f"gender={gender}", 0, without)
    return figures, draws


def _found(evaluator: "Evaluator", trials: Measurable) -> list[Found]:
    options, seed = evaluator.options, evaluator.config.seed
    found = _of_errors(options, trials, seed)
    return found + calibrated.measure(trials, options.costs, options.cost_text, seed, DRAWS)


def _column(found: Found) -> str:
    """A figure as columns of tables call it."""
    return "cllr_pav" if (found.metric, found.convention) == ("cllr", PAV) else found.metric


def _measured(found: list[Found], trials: Measurable, given: str, n_missing: int, n_imputed: int) -> list[Figure]:
    n_genuine = int(trials.genuine.sum())
    return [
        Figure(
            "verification",
            metric,
            value,
            len(trials.genuine),
            low=None if np.isnan(low) else low,
            high=None if np.isnan(high) else high,
            interval=method,
            convention=convention,
            given=given,
            n_genuine=n_genuine,
            n_impostor=len(trials.genuine) - n_genuine,
            n_imputed=n_imputed,
            n_missing=n_missing,
        )
        for metric, convention, value, (low, high, method), _ in found
    ]


def _of_errors(options: Options, trials: Measurable, seed: int) -> list[Found]:
    """EER in the convention asked for, linear and rocch, and minDCF."""
    scores, genuine = trials.scores, trials.genuine
    points = rates.points(scores[genuine], scores[~genuine])
    drawn = trial_bootstrap(scores, genuine, *trials.pair, seed, costs=options.costs, draws=DRAWS)
    intervals = {name: Interval(*ends, drawn.methods[name]) for name, ends in drawn.intervals.items()}
    none = Interval(np.nan, np.nan, "")
    conventions = dict.fromkeys((options.convention, "linear", "rocch"))
    drawn_of = {"linear": (intervals["eer"], drawn.draws["eer"])}  # the other conventions have none
    found = [Found("eer", c, rates.eer(points, c), *drawn_of.get(c, (none, None))) for c in conventions]

    least = float(np.mean([dcf.min_dcf(points, c.p_target, c.c_miss, c.c_fa) for c in options.costs]))
    return [*found, Found("min_dcf", options.cost_text, least, intervals["min_dcf"], drawn.draws["min_dcf"])]
