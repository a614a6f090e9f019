"""How fast are the cosines of a list of 10^7 trials of 512-d vectors, and how much memory do they take?

    python -m benchmarks.cosine [--rounds 5]

Two lists, each in shuffled order: 100,000 clips of 1,250 subjects (as many as VoxCeleb1-E has) and 10,000 clips of 125,
80 a subject; half of a subject's trials are genuine, the probes of the others are anybody's. The peers are written as
their users have them: a call a trial, as the recipes of WeSpeaker (scikit-learn) and SpeechBrain (torch) do, on some
thousands, and numpy in one gather on as many as go into 4 GiB; they are compared by rate.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import numpy as np
import torch
from sklearn.metrics.pairwise import cosine_similarity

from benchmarks.harness import Limit, Measurement, Side, main
from benchmarks.peak import used
from mmbio.embed.cosine import pair_scores
from mmbio.embed.settings import threads

TRIALS, DIM, CLIPS = 10_000_000, 512, 80
FEW, SOME, MANY = 2_000, 5_000, 1_000_000  # trials of the peers
FETCHED = 1_000_000  # rows, to find the limit
AT_ONCE = 128


def drawn(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors (n, 512) float32, and the rows of enrolment and probe of the trials, (10^7,) int64 each."""
    rng = np.random.default_rng([0, n])
    vectors = rng.standard_normal((n, DIM), dtype=np.float32)
    enrolment = rng.permutation(np.repeat(np.arange(n), TRIALS // n))
    same = enrolment // CLIPS * CLIPS + rng.integers(0, CLIPS, TRIALS)
    return vectors, enrolment, np.where(rng.random(TRIALS) < 0.5, same, rng.integers(0, n, TRIALS))


def of_wespeaker(vectors: np.ndarray, enrolment: np.ndarray, probe: np.ndarray) -> list[float]:
    """scikit-learn, a call a trial."""
    pairs = zip(enrolment[:FEW], probe[:FEW], strict=True)
    return [cosine_similarity(vectors[a].reshape(1, -1), vectors[b].reshape(1, -1))[0][0] for a, b in pairs]


def of_speechbrain(vectors: np.ndarray, enrolment: np.ndarray, probe: np.ndarray) -> list[float]:
    """torch, a call a trial."""
    similarity = torch.nn.CosineSimilarity(dim=-1, eps=1e-6)
    tensors = torch.from_numpy(vectors)
    pairs = zip(enrolment[:SOME].tolist(), probe[:SOME].tolist(), strict=True)
    return [float(similarity(tensors[a], tensors[b])) for a, b in pairs]


def in_one_gather(vectors: np.ndarray, enrolment: np.ndarray, probe: np.ndarray) -> np.ndarray:
    """numpy: all normalised, both sides gathered, multiplied in float32."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.einsum("ij,ij->i", units[enrolment[:MANY]], units[probe[:MANY]]))


def fetches(vectors: np.ndarray, probe: np.ndarray) -> float:
    """Rows a second, one a trial, that all threads bring to their caches: no score is faster than its row."""

    def fetch(rows: np.ndarray) -> None:
        held = np.empty((AT_ONCE, DIM), np.float32)
        for start in range(0, len(rows) - AT_ONCE + 1, AT_ONCE):
            np.take(vectors, rows[start : start + AT_ONCE], axis=0, out=held, mode="clip")

    began = perf_counter()
    with ThreadPoolExecutor(threads()) as pool:
        list(pool.map(fetch, np.array_split(probe[:FETCHED], threads())))
    return FETCHED / (perf_counter() - began)


def measured(n: int) -> Measurement:
    """One list, with the memory that its scores take above vectors and list."""
    vectors, enrolment, probe = drawn(n)
    given = vectors, enrolment, probe
    memory = used(lambda: pair_scores(vectors, vectors, enrolment, probe)).mib
    return Measurement(
        what=f"cosines of {TRIALS:,} trials of {n:,} vectors, {DIM}-d",
        unit="trials",
        ours=Side("mmbio", lambda: pair_scores(vectors, vectors, enrolment, probe), TRIALS),
        peers=(
            Side("scikit-learn, a call a trial", lambda: of_wespeaker(*given), FEW),
            Side("torch, a call a trial", lambda: of_speechbrain(*given), SOME),
            Side("numpy in one gather, float32", lambda: in_one_gather(*given), MANY),
        ),
        aims=(500, 50, 5),
        limit=Limit("one row a trial fetched by numpy.take", lambda: fetches(vectors, probe)),
        note=f"{memory:,.0f} MiB above the vectors and the list, {vectors.nbytes / 2**20:,.0f} MiB of vectors",
    )


def measurements() -> Iterator[Measurement]:
    """Both lists, one after the other, so that one alone is in memory."""
    for n in (100_000, 10_000):
        yield measured(n)


if __name__ == "__main__":
    main(measurements)
