"""How long does a subject bootstrap of EER and minDCF take, beside roc_curve with weights on every draw?

    python -m benchmarks.bootstrap

71,790 trials of 120 subjects, each subject with an offset of its own; 1,000 draws. The peer draws the same way, weighs
trials w_i or w_i w_j, and computes both figures from `roc_curve`; it does fewer draws and is compared by their rate.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from sklearn.metrics import roc_curve

from benchmarks.harness import Measurement, Side, main
from mmbio.measure.trial_bootstrap import trial_bootstrap

N_TRIALS: Final = 71_790  # of the audio-visual paper
N_SUBJECTS: Final = 120
DRAWS: Final = 1000
PEER_DRAWS: Final = 10
Trials = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # scores, genuine, subjects of both sides


def measurements() -> Iterator[Measurement]:
    """One: the intervals of EER and minDCF."""
    trials = drawn()
    yield Measurement(
        what=f"subject bootstrap of EER + minDCF, {DRAWS:,} draws, {N_TRIALS:,} trials",
        unit="draws",
        ours=Side("mmbio", lambda: trial_bootstrap(*trials, seed=0, draws=DRAWS), DRAWS),
        peers=[Side("scikit-learn roc_curve with weights", lambda: scikit_learn(*trials, PEER_DRAWS), PEER_DRAWS)],
        aims=[20],
    )


def drawn() -> Trials:
    """Trials, half of them genuine, at an EER of 6 %."""
    rng = np.random.default_rng(0)
    enrolment = np.arange(N_TRIALS) % N_SUBJECTS
    genuine = rng.random(N_TRIALS) < 0.5
    other = (enrolment + rng.integers(1, N_SUBJECTS, N_TRIALS)) % N_SUBJECTS
    scores = rng.normal(3.5 * genuine + rng.normal(0, 0.5, N_SUBJECTS)[enrolment], 1.0)
    return scores, genuine, enrolment, np.where(genuine, enrolment, other)


def scikit_learn(
    scores: np.ndarray, genuine: np.ndarray, enrolment: np.ndarray, probe: np.ndarray, draws: int
) -> np.ndarray:
    """EERs and minDCFs of draws of subjects (draws, 2)."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(draws):
        times = rng.multinomial(N_SUBJECTS, np.full(N_SUBJECTS, 1 / N_SUBJECTS))
        weights = np.where(genuine, times[enrolment], times[enrolment] * times[probe])
        fmr, tmr, _ = roc_curve(genuine, scores, sample_weight=weights)
        fnmr = 1 - tmr
        k = np.nanargmin(np.abs(fnmr - fmr))
        found.append(((fnmr[k] + fmr[k]) / 2, np.min(0.01 * fnmr + 0.99 * fmr) / 0.01))
    return np.array(found)


if __name__ == "__main__":
    main(measurements)
