"""Sums over runs of trials, for many draws of subjects at once.

A trial's weight is that of its member: a subject, or a pair of subjects. A sparse matrix of how often each member
stands in each run then turns the members' weights in all draws into the sums of all runs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Runs:
    """Trials of one kind (N,) by ascending score, in those K of all R runs that have any."""

    before: np.ndarray  # (R + 1,) how many of the K come before each point
    bounds: np.ndarray  # (K + 1,) trials before each of the K, and all
    members: Any  # scipy.sparse.csr_array (K, M): how often each member stands in each run, as summands of 1

    @classmethod
    def of(cls, member: np.ndarray, n_members: int, n_trials: np.ndarray) -> "Runs":
        """Runs of trials whose members (N,) are indices below n_members; n_trials (R + 1,) come before each point."""
        from scipy.sparse import csr_array

        bounds, before = np.unique(n_trials, return_inverse=True)
        ones = np.ones(member.size, np.int32)
        return cls(before, bounds, csr_array((ones, member, bounds), shape=(len(bounds) - 1, n_members)))

    def cumulated(self, weights: np.ndarray) -> np.ndarray:
        """Sums (D, K + 1) over the first 0 .. K runs, members weighing weights (M, D) int."""
        of_runs = self.members @ weights
        sums = np.zeros((weights.shape[1], len(self.bounds)), weights.dtype)
        np.cumsum(of_runs.T, axis=1, out=sums[:, 1:])
        return sums

    def by_run(self, sums: np.ndarray) -> np.ndarray:
        """`cumulated` of sums (D, N + 1) over the first 0 .. N trials, for who draws trials; of itself itself."""
        return sums if sums.shape[1] == len(self.bounds) else sums.take(self.bounds, 1)


def runs_of(scores: np.ndarray, genuine: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where runs of trials (T,) by ascending score end (R + 1,), beginning with 0, and which (R,) have which kind.

    A run is a tie group of both kinds, or as many neighbours of one kind as there are.
    """
    starts = np.flatnonzero(np.concatenate([[True], scores[1:] != scores[:-1]]))
    has_genuine = np.logical_or.reduceat(genuine, starts)
    has_impostor = np.logical_or.reduceat(~genuine, starts)
    same = (has_genuine[1:] == has_genuine[:-1]) & (has_impostor[1:] == has_impostor[:-1])
    mixed = has_genuine[1:] & has_impostor[1:]
    first = np.flatnonzero(np.concatenate([[True], ~same | mixed]))
    return np.append(starts[first], scores.size), has_genuine[first], has_impostor[first]
