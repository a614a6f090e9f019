"""Pairs to train on: genuine ones of one subject, impostor ones of two (the audio-visual paper, 3.1).

A frame and its speech stay together where they were taken together. Chimeric subjects were never one person, so
there every pair gets a face of any one with a voice of any one: modalities are drawn apart, each from its own people.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mmbio.errors import MmbioError
from mmbio.words import plural

TRIES = 8  # to find a second sample of another video


@dataclass(frozen=True)
class Pool:
    """Samples grouped by subject: rows (n,) subject after subject, where each begins, how many it has, their videos."""

    rows: np.ndarray
    starts: np.ndarray
    counts: np.ndarray
    videos: np.ndarray  # (n,) numbers; -1 where a subject has a single one

    @classmethod
    def of(cls, rows: np.ndarray, subjects: np.ndarray, videos: np.ndarray) -> "Pool":
        """A pool of samples (n,) with their subjects and videos; subjects of one sample make no genuine pair."""
        order = np.argsort(subjects, kind="stable")
        _, starts, counts = np.unique(subjects[order], return_index=True, return_counts=True)
        _, numbers = np.unique(videos[order], return_inverse=True)
        least, most = np.minimum.reduceat(numbers, starts), np.maximum.reduceat(numbers, starts)
        single = np.repeat(least == most, counts)
        return cls(rows[order], starts, counts, np.where(single, -1, numbers))

    def check(self, what: str) -> None:
        """Refuse a pool without two subjects, or without a genuine pair."""
        if len(self.starts) < 2 or not (self.counts > 1).any():
            raise MmbioError(
                f"{plural(len(self.starts), 'subject')}, {int((self.counts > 1).sum())} with two samples, to {what} on"
                " where at least 2 and 1 are needed; add data of subjects that do not test"
            )

    def genuine(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """n pairs of different samples of one subject, nearly all of different videos where it has several."""
        usable = np.flatnonzero(self.counts > 1)
        chosen = usable[rng.integers(len(usable), size=n)]
        first = self.starts[chosen] + _below(self.counts[chosen], rng)
        second = self._other(first, chosen, rng)
        for _ in range(TRIES):
            same = np.flatnonzero((self.videos[first] >= 0) & (self.videos[first] == self.videos[second]))
            if not len(same):
                break
            second[same] = self._other(first[same], chosen[same], rng)
        return self.rows[first], self.rows[second]

    def impostor(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """n pairs of samples of two different subjects."""
        first = rng.integers(len(self.starts), size=n)
        second = (first + 1 + rng.integers(len(self.starts) - 1, size=n)) % len(self.starts)
        rows = [self.rows[self.starts[s] + _below(self.counts[s], rng)] for s in (first, second)]
        return rows[0], rows[1]

    def _other(self, first: np.ndarray, chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Another sample of each subject."""
        start, count = self.starts[chosen], self.counts[chosen]
        step = 1 + _below(count - 1, rng)
        return np.asarray(start + (first - start + step) % count)


Pools = Mapping[str, Pool]  # modality -> its samples; one pool for all where they stay together


def draw(
    pools: Pools, together: bool, n: int, rng: np.random.Generator
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
    """n genuine and n impostor pairs: modality -> first rows (2n,), second rows (2n,), and which are genuine (2n,)."""
    first: dict[str, np.ndarray] = {}
    second: dict[str, np.ndarray] = {}
    for modality, pool in pools.items():
        if together and first:
            known = next(iter(first))
            first[modality], second[modality] = first[known], second[known]
            continue
        pairs = zip(pool.genuine(n, rng), pool.impostor(n, rng), strict=True)
        first[modality], second[modality] = (np.concatenate(sides) for sides in pairs)
    return first, second, np.arange(2 * n) < n


def _below(limits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A number from 0 to below each limit."""
    return np.asarray((rng.random(len(limits)) * limits).astype(np.int64))
