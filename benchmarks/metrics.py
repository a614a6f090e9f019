"""How long do EER and minDCF of ten million scores take, beside scikit-learn, bob.measure and sorting the scores?

    python -m benchmarks.metrics

Normal scores in float64, half of them genuine, then one in a hundred. The peers are what one writes with `roc_curve`,
and bob's two functions. Sorting is the limit because every threshold is a score; aimed at is 1.5 times its cost.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from types import ModuleType
from typing import Final

import numpy as np
from sklearn.metrics import roc_curve

from benchmarks.harness import Limit, Measurement, Side, main
from mmbio.measure.dcf import min_dcf
from mmbio.measure.rates import eer, points

N: Final = 10_000_000
Scores = tuple[np.ndarray, np.ndarray]  # genuine, impostor
Figures = tuple[float, float]  # EER, minDCF at P=0.01


def measurements() -> Iterator[Measurement]:
    """Half of the scores genuine, then one in a hundred."""
    for share in (2, 100):
        rng = np.random.default_rng([0, share])
        scores = rng.normal(2.0, 1.0, N // share), rng.normal(0.0, 1.0, N - N // share)
        yield _measurement(scores, f"EER + minDCF of {N:,} scores, {1 / share:.0%} genuine")


def _measurement(scores: Scores, what: str) -> Measurement:
    labels, joined = np.repeat([1, 0], [len(kind) for kind in scores]), np.concatenate(scores)
    peers = [Side("scikit-learn roc_curve", lambda: scikit_learn(labels, joined), N)]
    measure = _bob()
    if measure:
        peers.append(Side("bob.measure", lambda: bob(measure, *scores), N))
    return Measurement(
        what=what,
        unit="scores",
        ours=Side("mmbio", lambda: mmbio(*scores), N),
        peers=peers,
        aims=[20],
        limit=Limit("sorting both kinds at once (np.sort)", _sorting(scores)),
        aim_share=1 / 1.5,
        note="" if measure else "bob.measure is not installed: pip install -e '.[bench]'",
    )


def mmbio(genuine: np.ndarray, impostor: np.ndarray) -> Figures:
    """Ours."""
    found = points(genuine, impostor)
    return eer(found), min_dcf(found)


def scikit_learn(labels: np.ndarray, scores: np.ndarray) -> Figures:
    """The usual lines around roc_curve."""
    fmr, tmr, _ = roc_curve(labels, scores)
    fnmr = 1 - tmr
    k = np.nanargmin(np.abs(fnmr - fmr))
    return float((fnmr[k] + fmr[k]) / 2), float(np.min(0.01 * fnmr + 0.99 * fmr) / 0.01)


def bob(measure: ModuleType, genuine: np.ndarray, impostor: np.ndarray) -> Figures:
    """bob's EER, and the rates at its cheapest threshold."""
    threshold = measure.min_weighted_error_rate_threshold(impostor, genuine, 0.99)
    fmr, fnmr = measure.farfrr(impostor, genuine, threshold)
    return float(measure.eer(impostor, genuine)), float((0.01 * fnmr + 0.99 * fmr) / 0.01)


def _bob() -> ModuleType | None:
    try:
        return import_module("bob.measure")
    except ModuleNotFoundError:
        return None


def _sorting(scores: Scores) -> Callable[[], float]:
    """Scores a second, both kinds sorted into new arrays by two threads."""

    def rate() -> float:
        began = time.perf_counter()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(np.sort, scores))
        return N / (time.perf_counter() - began)

    return rate


if __name__ == "__main__":
    main(measurements)
