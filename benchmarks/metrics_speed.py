"""How long do the verification metrics take, and how much memory?

    OMP_NUM_THREADS=1 python benchmarks/metrics_speed.py [N_SCORES]

Draws N_SCORES (10,000,000) normal scores in float64, half of them genuine, and prints the seconds of each step and the
peak memory of the whole process; then the seconds of a subject bootstrap of 72,000 trials, 120 subjects, 1,000 draws.
"""

import resource
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from mmbio.measure.dcf import DEFAULT, min_dcf
from mmbio.measure.rates import CONVENTIONS, det, eer, points
from mmbio.measure.trial_bootstrap import trial_bootstrap

T = TypeVar("T")


def timed(name: str, call: Callable[[], T], show: Callable[[T], object]) -> T:
    """Call, and print the name, the seconds, what came out, and the peak memory so far."""
    start = time.perf_counter()
    value = call()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:<22}{seconds:>8.2f} s{peak:>8.0f} MiB  {show(value)}", flush=True)
    return value


def metrics(n: int) -> None:
    """Points, the four EERs, minDCF and DET points of n scores."""
    rng = np.random.default_rng(0)
    genuine, impostor = rng.normal(2.0, 1.0, n // 2), rng.normal(0.0, 1.0, n // 2)
    start = time.perf_counter()
    found = timed("points", lambda: points(genuine, impostor), lambda p: f"{len(p.thresholds)} thresholds")
    for convention in CONVENTIONS:
        timed(f"EER {convention}", lambda c=convention: eer(found, c), lambda value: f"{value:.6f}")  # type: ignore[misc]
    timed(f"minDCF {DEFAULT.text}", lambda: min_dcf(found), lambda value: f"{value:.6f}")
    timed("DET", lambda: det(found), lambda value: f"{len(value[0])} points")
    print(f"{'in all':<22}{time.perf_counter() - start:>8.2f} s")


def bootstrap(n_subjects: int = 120, each: int = 300) -> None:
    """A subject bootstrap of `each` genuine and `each` impostor trials a subject."""
    rng = np.random.default_rng(0)
    enrolment = np.repeat(np.arange(n_subjects), 2 * each)
    genuine = np.tile(np.arange(2 * each) < each, n_subjects)
    other = (enrolment + rng.integers(1, n_subjects, enrolment.size)) % n_subjects
    scores = rng.normal(2.0 * genuine + rng.normal(0, 0.5, n_subjects)[enrolment], 1.0)
    probe = np.where(genuine, enrolment, other)
    timed(
        "subject bootstrap",
        lambda: trial_bootstrap(scores, genuine, enrolment, probe, seed=0, draws=1000),
        lambda found: found.intervals,
    )


def main(n: str = "10_000_000") -> None:
    """Print the table."""
    metrics(int(n))
    bootstrap()


if __name__ == "__main__":
    main(*sys.argv[1:])
