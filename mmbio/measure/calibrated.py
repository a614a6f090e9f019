"""What test scores are worth as LLRs, by maps fitted on the dev scores of the same system.

Dev scores are those under the condition of training, so the figures show what corruption of the test does to
calibration. Only dev trials of people whom nothing was trained on count: a network parts those it was trained
on better than others, and maps fitted on these promise too much.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mmbio.data.manifest import Manifest
from mmbio.measure import calibration
from mmbio.measure.calibration import Affine, Pav
from mmbio.measure.calibration_bootstrap import interval, mean_draws, min_cllr_draws
from mmbio.measure.dcf import Cost, act_dcf
from mmbio.measure.intervals import Interval
from mmbio.measure.trials import Trials, of_manifest

LOGISTIC, PAV = "logistic", "pav"  # the conventions
Maps = Mapping[str, Callable[[np.ndarray], np.ndarray]]  # convention -> scores (N,) to LLRs (N,)


class Found(NamedTuple):
    """One figure of some trials."""

    metric: str
    convention: str
    value: float
    interval: Interval
    draws: np.ndarray | None = None  # behind the interval


@dataclass(frozen=True, eq=False)
class Measurable:
    """Scored trials of both kinds with the LLRs of the maps, all (T,), and the subjects of both sides."""

    genuine: np.ndarray
    scores: np.ndarray
    llrs: Mapping[str, np.ndarray]
    pair: tuple[np.ndarray, np.ndarray]

    def take(self, rows: np.ndarray) -> "Measurable":
        """Some of the trials."""
        llrs = {name: llr[rows] for name, llr in self.llrs.items()}
        return Measurable(self.genuine[rows], self.scores[rows], llrs, (self.pair[0][rows], self.pair[1][rows]))


def dev_trials(manifest: Manifest) -> Trials:
    """The dev trials between people whom nothing was trained on; none where the manifest has none."""
    trials = of_manifest(manifest, "dev")
    return trials.take(held_out(manifest, trials))


def held_out(manifest: Manifest, trials: Trials) -> np.ndarray:
    """(T,) bool: both sides are of people who tune and do not train."""
    tunes = (manifest.items["split"] == "dev").to_numpy()
    return np.asarray(tunes[trials.enrolment] & tunes[trials.probe])


def maps(genuine: np.ndarray, scores: np.ndarray) -> Maps:
    """The maps fitted on dev scores (T,) with genuine (T,) bool; none where there is one kind only."""
    if genuine.all() or not genuine.any():
        return {}
    of_both = scores[genuine], scores[~genuine]
    return {LOGISTIC: Affine.fit(*of_both), PAV: Pav.fit(*of_both)}


def measure(trials: Measurable, costs: Sequence[Cost], cost_text: str, seed: int, draws: int) -> list[Found]:
    """actDCF, Cllr and min Cllr of the trials with intervals by subject; none where there are no LLRs."""
    if not trials.llrs:
        return []
    kinds, logistic = trials.genuine, trials.llrs[LOGISTIC]
    n_subjects = len(np.union1d(*trials.pair))
    costs_of = {name: calibration.penalties(llr, kinds) / calibration.BITS for name, llr in trials.llrs.items()}
    costs_of["act_dcf"] = spent(logistic, kinds, costs)
    drawn = mean_draws(costs_of, kinds, *trials.pair, seed, draws)
    drawn["min_cllr"] = min_cllr_draws(trials.scores, kinds, *trials.pair, seed, draws)

    actual = [act_dcf(logistic[kinds], logistic[~kinds], c.p_target, c.c_miss, c.c_fa) for c in costs]
    found = [("act_dcf", f"{cost_text}, {LOGISTIC}", float(np.mean(actual)), "act_dcf")]
    for name, llr in trials.llrs.items():
        found.append(("cllr", name, calibration.cllr(llr[kinds], llr[~kinds]), name))
    least = calibration.min_cllr(trials.scores[kinds], trials.scores[~kinds])
    found.append(("min_cllr", "", least, "min_cllr"))
    return [
        Found(metric, words, value, interval(value, drawn[name], n_subjects), drawn[name])
        for metric, words, value, name in found
    ]


def spent(llrs: np.ndarray, genuine: np.ndarray, costs: Sequence[Cost]) -> np.ndarray:
    """What each trial (T,) adds to actDCF, which is the mean over genuine plus that over impostor trials."""
    of_each = [
        np.where(genuine, c.of_misses * (llrs < c.threshold), c.of_false_matches * (llrs >= c.threshold)) for c in costs
    ]
    return np.asarray(np.mean(of_each, axis=0))
