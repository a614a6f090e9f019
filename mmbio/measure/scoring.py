"""Scoring: trials under a condition -> which of them can be scored, the cosines of their sides, and their scores."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from mmbio.conditions import Condition
from mmbio.embed.conditioned import Embeddings, embeddings_under
from mmbio.embed.cosine import pair_scores
from mmbio.embed.settings import device_of
from mmbio.errors import MmbioError
from mmbio.fuse.run import extraction_of
from mmbio.measure.logistic import fit
from mmbio.measure.score_norm import ADAPTIVE, NONE, check, normalised
from mmbio.measure.trials import Trials
from mmbio.report import Report

if TYPE_CHECKING:
    from mmbio.measure.evaluate import Evaluator


@dataclass(frozen=True)
class Side:
    """The items of one side, and what was made of them."""

    embeddings: Embeddings
    fused: np.ndarray  # (n, F); at score level empty
    weights: np.ndarray | None


@dataclass(frozen=True)
class Compared:
    """What the two sides of trials have in common."""

    known: np.ndarray  # which of the trials asked for name items that are there, (K,) numbers
    usable: np.ndarray  # (K,) bool: and have something to compare
    trials: Trials  # those: T of them
    both: np.ndarray  # (T, M) bool: the modalities in use that both sides have
    cosines: np.ndarray  # (T, 1) of fused vectors; at score level (T, M), 0 where a side misses the modality
    enrolment: Side
    probe: Side


BLOCK: Final = 2**16  # items embedded at once; whole batches of `fused`, so that blocks change no vector
OF_TRAINING: Final = "the training subjects"  # what the cohort is
Rule = Callable[[Compared], np.ndarray]  # the scores (T,), higher: more alike


def compare(evaluator: "Evaluator", asked: Trials, condition: Condition, report: Report) -> Compared:
    """Embed, fuse and compare the sides of trials under a condition; raises MmbioError for data that cannot be used."""
    known = np.flatnonzero((asked.enrolment >= 0) & (asked.probe >= 0))
    trials = asked.take(known)
    sides = _sides(evaluator, trials, condition, report)
    there = [_there(evaluator, side, rows) for side, rows in zip(sides, (trials.enrolment, trials.probe), strict=True)]
    both = there[0] & there[1]
    # A fused vector can be compared across modalities, a cosine cannot.
    usable = np.asarray(both.any(1) if evaluator.config.is_score_level else there[0].any(1) & there[1].any(1))
    trials = trials.take(usable)
    return Compared(known, usable, trials, both[usable], _cosines(evaluator, sides, trials), *sides)


def rule_of(evaluator: "Evaluator", dev: Compared, cohort: np.ndarray | None) -> tuple[Rule, dict[str, float]]:
    """How a system's cosines become scores, and what is told of it: weights of all modalities, or the normalisation.

    Score-level fusion is fitted on the dev trials that have all modalities; cosines of fused vectors are the scores,
    or are normalised by a cohort (C, F).
    """
    if cohort is not None:
        name, top = evaluator.options.score_norm, evaluator.options.top
        told = {name: float(top if name == ADAPTIVE else len(cohort)), "cohort": float(len(cohort))}
        return (lambda compared: _normalised(compared, cohort, name, top)), told
    if not evaluator.config.is_score_level:
        return (lambda compared: compared.cosines[:, 0]), {}
    modalities = evaluator.config.modalities
    whole = dev.both.all(1)
    fitted = fit(dev.cosines[whole], dev.trials.genuine[whole], modalities)
    weights, bias = fitted.fits[(True,) * len(modalities)]
    weighed = dict(zip(modalities, weights.tolist(), strict=True)) | {"bias": bias}
    return (lambda compared: fitted.scores(compared.cosines, compared.both)), weighed


def check_norm(evaluator: "Evaluator") -> None:
    """Refuse a score normalisation of what is no cosine of fused vectors, or by too few training subjects."""
    name = evaluator.options.score_norm
    if name == NONE:
        return
    if evaluator.config.is_score_level:
        raise MmbioError(
            f"--score-norm {name}: normalises the cosine of fused vectors, and {evaluator.config.fusion} weighs one"
            " cosine a modality; train a feature-level fusion or cosine, or leave it out"
        )
    subjects = evaluator.manifest.items["subject"].to_numpy(np.int64)[_training(evaluator)]
    check(name, evaluator.options.top, len(np.unique(subjects)), OF_TRAINING)


def cohort_of(evaluator: "Evaluator", report: Report) -> np.ndarray | None:
    """The mean fused vector (C, F) of each training subject under the condition of training; None: not asked for."""
    if evaluator.options.score_norm == NONE:
        return None
    rows = _training(evaluator)
    side = _side(evaluator, rows, evaluator.config.condition, "probe", report)
    there = np.flatnonzero(_there(evaluator, side, rows).any(1))
    subjects = evaluator.manifest.items["subject"].to_numpy(np.int64)[rows[there]]
    order = np.argsort(subjects, kind="stable")
    firsts = np.flatnonzero(np.diff(subjects[order])) + 1
    means = [side.fused[there[of]].mean(0, dtype=np.float64) for of in np.split(order, firsts) if len(of)]
    check(evaluator.options.score_norm, evaluator.options.top, len(means), OF_TRAINING)
    return np.stack(means)


def _training(evaluator: "Evaluator") -> np.ndarray:
    return np.unique(evaluator.manifest.partitions(evaluator.config.unseen)[0].train)


def _normalised(compared: Compared, cohort: np.ndarray, name: str, top: int) -> np.ndarray:
    trials, cosines = compared.trials, compared.cosines[:, 0]
    if not len(cosines):
        return cosines
    at = _at(compared.enrolment, trials.enrolment), _at(compared.probe, trials.probe)
    return normalised(cosines, compared.enrolment.fused, compared.probe.fused, *at, cohort, name, top)


def _sides(evaluator: "Evaluator", trials: Trials, condition: Condition, report: Report) -> tuple[Side, Side]:
    """Both sides embedded and fused; one and the same where nothing happens to one side alone."""
    rows = [np.unique(trials.enrolment), np.unique(trials.probe)]
    if all(effect.side == "both" for effect in condition.effects):
        side = _side(evaluator, np.union1d(*rows), condition, "probe", report)
        return side, side
    enrolment, probe = (
        _side(evaluator, of_side, condition, name, report)
        for of_side, name in zip(rows, ("enrolment", "probe"), strict=True)
    )
    return enrolment, probe


def _side(evaluator: "Evaluator", rows: np.ndarray, condition: Condition, side: str, report: Report) -> Side:
    from mmbio.embed.cores import one_core
    from mmbio.fuse.train import fused, tensors

    manifest, config = evaluator.manifest, evaluator.config
    settings = extraction_of(config, evaluator.settings)
    if not len(rows):
        nobody = np.zeros((0, len(manifest.modalities)), bool)
        return Side(Embeddings(rows, manifest.modalities, {}, nobody), np.zeros((0, 0)), None)
    if config.is_score_level:
        embeddings = embeddings_under(manifest, condition, config.modalities, rows, settings, report, side)
        return Side(embeddings, np.zeros((len(rows), 0)), None)
    device = device_of(settings.device)
    network = evaluator.checkpoint.network(0).to(device)
    present = np.zeros((len(rows), len(manifest.modalities)), bool)
    vectors = weights = None
    for start in range(0, len(rows), BLOCK):  # the vectors that are fused are never held all at once
        block = slice(start, start + BLOCK)
        embeddings = embeddings_under(manifest, condition, config.modalities, rows[block], settings, report, side)
        with one_core():
            part, alpha = fused(network, tensors(embeddings, {}, device))
        if not np.isfinite(part).all():
            raise MmbioError(
                f"{evaluator.checkpoint.path}: its network gives vectors that are no numbers, so its training diverged;"
                " train with another --seed or other --noise"
            )
        present[block] = embeddings.present
        vectors = _placed(vectors, part, block, len(rows))
        weights = None if alpha is None else _placed(weights, alpha, block, len(rows))
    assert vectors is not None
    return Side(Embeddings(rows, manifest.modalities, {}, present), vectors, weights)


def _placed(whole: np.ndarray | None, part: np.ndarray, rows: slice, n: int) -> np.ndarray:
    """A part (k, d) put to its rows of an array (n, d), which the first part makes."""
    if whole is None:
        whole = np.empty((n, *part.shape[1:]), part.dtype)
    whole[rows] = part
    return whole


def _there(evaluator: "Evaluator", side: Side, rows: np.ndarray) -> np.ndarray:
    """Which modalities in use (T, M) the items `rows` (T,) of a side have."""
    used = [evaluator.manifest.modalities.index(m) for m in evaluator.config.modalities]
    return np.asarray(side.embeddings.present[_at(side, rows)][:, used])


def _at(side: Side, rows: np.ndarray) -> np.ndarray:
    return np.searchsorted(side.embeddings.rows, rows)


def _cosines(evaluator: "Evaluator", sides: tuple[Side, Side], trials: Trials) -> np.ndarray:
    """The cosine (T, 1) of fused vectors, or (T, M) of each modality in use, 0 where a side misses it."""
    at = _at(sides[0], trials.enrolment), _at(sides[1], trials.probe)
    if not evaluator.config.is_score_level:
        return pair_scores(sides[0].fused, sides[1].fused, *at)[:, None]
    columns = []
    for modality in evaluator.config.modalities:
        a, b = (side.embeddings.vectors.get(modality) for side in sides)
        columns.append(np.zeros(len(trials.genuine)) if a is None or b is None else pair_scores(a, b, *at))
    return np.stack(columns, 1)
