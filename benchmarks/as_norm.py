"""How fast is the adaptive symmetric normalisation of 71,790 scores against a cohort of 5,000?

    python -m benchmarks.as_norm [--rounds 5]

4,800 clips of 512 dimensions (120 subjects of 40), the 300 nearest of the cohort a side. The peers: a loop over trials,
as SpeechBrain's recipe has it, in numpy, on some hundreds and compared by rate; and WeSpeaker's way, statistics of each
clip once, by one product and a full sort. Both have their vectors normalised beforehand and compute in float32.
"""

from collections.abc import Iterator
from time import perf_counter

import numpy as np

from benchmarks.harness import Limit, Measurement, Side, main
from mmbio.embed.cosine import pair_scores
from mmbio.measure.score_norm import ADAPTIVE, TOP, normalised

TRIALS, CLIPS, COHORT, DIM = 71_790, 4_800, 5_000, 512
FEW = 500  # trials of the loop


def units(rng: np.random.Generator, n: int) -> np.ndarray:
    """Vectors (n, 512) float32 of length 1."""
    vectors = rng.standard_normal((n, DIM), dtype=np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def in_a_loop(
    vectors: np.ndarray, cohort: np.ndarray, enrolment: np.ndarray, probe: np.ndarray, scores: np.ndarray
) -> list[float]:
    """Both sides of each trial against the cohort."""
    found = []
    for a, b, score in zip(enrolment[:FEW], probe[:FEW], scores[:FEW], strict=True):
        terms = []
        for vector in (vectors[a], vectors[b]):
            nearest = np.sort(cohort @ vector)[-TOP:]
            terms.append((score - nearest.mean()) / nearest.std())
        found.append(0.5 * (terms[0] + terms[1]))
    return found


def of_wespeaker(
    vectors: np.ndarray, cohort: np.ndarray, enrolment: np.ndarray, probe: np.ndarray, scores: np.ndarray
) -> np.ndarray:
    """Mean and deviation of each clip, then all trials."""
    nearest = -np.sort(-np.matmul(vectors, cohort.T), axis=1)[:, :TOP]
    mean, deviation = nearest.mean(axis=1), nearest.std(axis=1)
    of_a, of_b = ((scores - mean[rows]) / deviation[rows] for rows in (enrolment, probe))
    return np.asarray(0.5 * (of_a + of_b))


def products(vectors: np.ndarray, cohort: np.ndarray) -> float:
    """Trials a second, were there nothing to do but the product of all clips with the cohort in float64."""
    a, b = vectors.astype(np.float64), cohort.astype(np.float64)
    began = perf_counter()
    a @ b.T
    return TRIALS / (perf_counter() - began)


def measurements() -> Iterator[Measurement]:
    """The one measurement."""
    rng = np.random.default_rng(0)
    vectors, cohort = units(rng, CLIPS), units(rng, COHORT)
    enrolment, probe = rng.integers(0, CLIPS, (2, TRIALS))
    scores = pair_scores(vectors, vectors, enrolment, probe)
    given = vectors, cohort, enrolment, probe, scores
    yield Measurement(
        what=f"AS-norm of {TRIALS:,} trials, cohort of {COHORT:,}, top {TOP}",
        unit="trials",
        ours=Side(
            "mmbio", lambda: normalised(scores, vectors, vectors, enrolment, probe, cohort, ADAPTIVE, TOP), TRIALS
        ),
        peers=(
            Side("numpy, a loop over trials", lambda: in_a_loop(*given), FEW),
            Side("WeSpeaker's way, float32", lambda: of_wespeaker(*given), TRIALS),
        ),
        aims=(50,),
        limit=Limit("the product with the cohort alone, float64", lambda: products(vectors, cohort)),
    )


if __name__ == "__main__":
    main(measurements)
