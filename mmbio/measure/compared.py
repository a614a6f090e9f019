"""Two stored results on the same decisions: what they rest on, matched by ids, and their figures compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from mmbio.conditions import Condition, combine, parse
from mmbio.errors import MmbioError
from mmbio.measure import rates
from mmbio.measure.calibration import cllr, min_cllr
from mmbio.measure.dcf import act_dcf, min_dcf
from mmbio.measure.decisions import VERIFICATION, Decisions, matched
from mmbio.measure.paired import (
    DRAWS,
    Difference,
    McNemar,
    accuracy_draws,
    difference,
    mcnemar,
    right_by_most,
    score_draws,
)
from mmbio.measure.stored import Stored
from mmbio.protocols import MODALITIES

RESPECTS: Final[Mapping[str, str]] = MappingProxyType(  # a row's field -> what it is called
    {
        "manifest": "data",
        "split": "split",
        "segment_s": "length of speech",
        "fusion": "fusion",
        "rule_weights": "weights of the rule",
        "modalities": "modalities",
        "trained_tasks": "trained tasks",
        "backbone": "backbone",
        "weights": "weights of the backbone",
        "precision": "precision",
        "train_condition": "training condition",
        "test_condition": "test condition",
        "seed": "seed",
        "version": "version of mmbio",
    }
)
CONDITIONS: Final = ("train_condition", "test_condition")
FOLLOWING: Final[Mapping[str, str]] = MappingProxyType(  # what differs because something else does
    {"rule_weights": "fusion", "backbone": "modalities", "weights": "modalities", "precision": "modalities"}
)


@dataclass(frozen=True)
class Compared:
    """One figure of A and B on the same decisions."""

    task: str
    metric: str
    parameters: str  # such as "linear" of an EER
    n: int  # decisions
    n_subjects: int
    found: Difference
    mcnemar: McNemar | None = None  # of accuracies
    n_models: tuple[int, int] = (1, 1)  # fold models behind each decision of A and of B


def compare(a: Stored, b: Stored, seed: int = 0, draws: int = DRAWS) -> list[Compared]:
    """Every figure that A and B both have, minDCF and actDCF with A's costs.

    Raises MmbioError where they do not rest on the same decisions, naming what differs, and for too few subjects.
    """
    protocols = a.rows[0].protocol, b.rows[0].protocol
    if protocols[0] != protocols[1]:
        raise MmbioError(f"A is of the protocol {protocols[0]} and B of {protocols[1]}; compare two results of one")
    tasks = [task for task in a.tasks if task in b.tasks]
    if not tasks:
        raise MmbioError(
            f"A was tested on {' and '.join(a.tasks)} and B on {' and '.join(b.tasks)}; compare two results of one task"
        )
    if tasks == [VERIFICATION]:
        return _of_trials(a, b, seed, draws)
    manifests = a.rows[0].manifest, b.rows[0].manifest
    if manifests[0] != manifests[1]:
        raise MmbioError(
            f"A rests on the manifest {manifests[0][:8]} and B on {manifests[1][:8]}, whose triplets are others;"
            " evaluate both on one manifest"
        )
    return [_of_items(a, b, task, seed, draws) for task in tasks]


def differences(a: Stored, b: Stored) -> dict[str, tuple[str, str]]:
    """In what two results differ beside their figures: what it is called -> A's and B's."""
    pairs = {field: (str(getattr(a.rows[0], field)), str(getattr(b.rows[0], field))) for field in RESPECTS}
    apart = {field for field, (one, other) in pairs.items() if one != other}
    common = set(pairs["modalities"][0].split("+")) & set(pairs["modalities"][1].split("+"))
    # What happens to a modality that one of them does not use is no difference of its own.
    apart -= {field for field in CONDITIONS if len({_restricted(text, common) for text in pairs[field]}) == 1}
    kept = [field for field in RESPECTS if field in apart and FOLLOWING.get(field) not in apart]
    return {RESPECTS[field]: pairs[field] for field in kept}


def _restricted(text: str, modalities: set[str]) -> Condition:
    return combine(effect for effect in parse(text, MODALITIES).effects if effect.modality in modalities)


def _of_items(a: Stored, b: Stored, task: str, seed: int, draws: int) -> Compared:
    decisions = [Decisions.of(s, task) for s in (a, b)]
    rows = matched(*decisions)
    correct = [stored.correct(task)[:, kept] for stored, kept in zip((a, b), rows, strict=True)]
    tested = [~np.isnan(c).all(0) for c in correct]
    if (tested[0] != tested[1]).any():
        counts = [int(t.sum()) for t in tested]
        raise MmbioError(
            f"A tests {counts[0]} and B {counts[1]} items, not the same; evaluate both with the same folds"
        )
    subjects = decisions[0].subjects[rows[0]][tested[0]]
    shares = [np.nanmean(c[:, tested[0]], axis=0) for c in correct]
    drawn = [accuracy_draws(share, subjects, seed, draws) for share in shares]
    return Compared(
        task,
        "accuracy",
        "",
        int(tested[0].sum()),
        len(np.unique(subjects)),
        difference(float(shares[0].mean()), float(shares[1].mean()), *drawn),
        mcnemar(*(right_by_most(c[:, tested[0]]) for c in correct)),
        (_n_models(correct[0]), _n_models(correct[1])),
    )


def _n_models(correct: np.ndarray) -> int:
    """How many fold models test an item, at most; correct (K, N)."""
    return int((~np.isnan(correct)).sum(0).max())


def _of_trials(a: Stored, b: Stored, seed: int, draws: int) -> list[Compared]:
    decisions = [Decisions.of(s, VERIFICATION) for s in (a, b)]
    rows = matched(*decisions)
    one, other = (side[rows[0]] for side in decisions[0].sides)
    genuine = decisions[0].labels[rows[0]]
    with_llr = a.has("llr") and b.has("llr")
    figures, drawn = [], []
    for stored, kept in zip((a, b), rows, strict=True):
        found = stored.arrays("genuine", "scores", *(["llr"] if with_llr else []))
        scores, llr = found[1][kept], found[2][kept] if with_llr else None
        figures.append(values(a, scores, genuine, llr))
        drawn.append(score_draws(scores, genuine, (one, other), seed, a.costs, draws, llr))
    parameters = {"eer": "linear", "min_dcf": a.cost_text, "act_dcf": a.cost_text}
    return [
        Compared(
            VERIFICATION,
            metric,
            parameters.get(metric, ""),
            len(genuine),
            decisions[0].n_subjects,
            difference(figures[0][metric], figures[1][metric], drawn[0][metric], drawn[1][metric]),
        )
        for metric in figures[0]
    ]


def values(of: Stored, scores: np.ndarray, genuine: np.ndarray, llr: np.ndarray | None) -> dict[str, float]:
    """The figures of scores (T,), and of LLRs (T,) where there are any, with the costs of a result."""
    points = rates.points(scores[genuine], scores[~genuine])
    costs = [(c.p_target, c.c_miss, c.c_fa) for c in of.costs]
    found = {"eer": rates.eer(points), "min_dcf": float(np.mean([min_dcf(points, *cost) for cost in costs]))}
    if llr is None:
        return found
    kinds = llr[genuine], llr[~genuine]
    return found | {
        "cllr": cllr(*kinds),
        "min_cllr": min_cllr(scores[genuine], scores[~genuine]),
        "act_dcf": float(np.mean([act_dcf(*kinds, *cost) for cost in costs])),
    }
