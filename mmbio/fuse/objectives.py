"""Objectives: what a network is trained for, as batches of losses and a loss on held-out data."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from mmbio.fuse import pairs
from mmbio.fuse.losses import contrastive, joint
from mmbio.fuse.network import Network
from mmbio.fuse.pairs import Pools

HELD_OUT = 2000  # genuine pairs to tune on, and as many impostor ones
Loss = Callable[[Network], Tensor]


@dataclass(frozen=True)
class Data:
    """Embeddings and labels as tensors on one device, row by row."""

    vectors: dict[str, Tensor]  # modality -> (n, ...)
    present: Tensor  # (n, M) bool
    labels: dict[str, Tensor]  # task -> (n,) int64

    def batch(self, index: Tensor) -> tuple[dict[str, Tensor], Tensor, dict[str, Tensor]]:
        """The rows `index` (B,) of vectors, present and labels."""
        vectors = {m: v.index_select(0, index) for m, v in self.vectors.items()}
        labels = {t: y.index_select(0, index) for t, y in self.labels.items()}
        return vectors, self.present.index_select(0, index), labels


class Objective(Protocol):
    """What training asks of its data."""

    def fit_inputs(self, network: Network) -> None:
        """Let branches that standardise their input see the training rows, and prepare all rows for them."""

    def epoch(self) -> Iterator[Loss]:
        """The losses of one epoch's batches."""

    def held_out(self, network: Network) -> float:
        """The loss on rows that tune."""


class Classification:
    """The joint loss of tasks over rows `train`, tuned on rows `dev`."""

    def __init__(
        self, data: Data, train: Tensor, dev: Tensor, weights: Mapping[str, float], batch: int, seed: int
    ) -> None:
        self.data, self.train, self.dev, self.weights, self.batch = data, train, dev, weights, batch
        self.generator = torch.Generator().manual_seed(seed)
        self.tuned_on = data.batch(dev)

    def fit_inputs(self, network: Network) -> None:
        vectors, present, _ = self.data.batch(self.train)
        network.fit_inputs(vectors, present)
        self.data = replace(self.data, vectors=network.prepare(self.data.vectors))
        self.tuned_on = self.data.batch(self.dev)

    def epoch(self) -> Iterator[Loss]:
        order = self.train[torch.randperm(len(self.train), generator=self.generator)]
        for index in order.split(self.batch):  # type: ignore[no-untyped-call]
            yield partial(self._loss, self.data.batch(index))

    def held_out(self, network: Network) -> float:
        return float(self._loss(self.tuned_on, network))

    def _loss(self, batch: tuple[dict[str, Tensor], Tensor, dict[str, Tensor]], network: Network) -> Tensor:
        vectors, present, labels = batch
        return joint(network.of_prepared(vectors, present).logits, labels, self.weights)


@dataclass(frozen=True)
class Pairs:
    """Sides of pairs as vectors modality -> (n, d) and present (n, M), and genuine (P,) of the pairs.

    The first sides of all pairs stand before the second, at `places` (2P,), or in their order where that is None.
    """

    vectors: dict[str, Tensor]
    present: Tensor
    places: Tensor | None
    genuine: Tensor


class Verification:
    """The contrastive loss of pairs drawn from the pools `train`, tuned on pairs of the pools `dev`."""

    def __init__(
        self,
        data: Data,
        modalities: tuple[str, ...],
        train: Pools,
        dev: Pools,
        together: bool,
        *,
        steps: int,
        batch: int,
        seed: int,
    ) -> None:
        if steps < 1 or batch < 2:
            raise ValueError(f"expected at least 1 step an epoch and 2 pairs a batch, got {steps} and {batch}")
        self.data, self.modalities, self.pools, self.together = data, modalities, train, together
        self.steps, self.batch = steps, batch
        for pools, what in ((train, "train"), (dev, "tune")):
            for pool in pools.values():
                pool.check(what)
        self.rng = np.random.default_rng([seed, 0])
        self.dev = self._pairs(dev, HELD_OUT, np.random.default_rng([seed, 1]), once=True)

    def fit_inputs(self, network: Network) -> None:
        """Nothing: vectors are scaled to length 1 and not standardised."""

    def epoch(self) -> Iterator[Loss]:
        for _ in range(self.steps):
            yield partial(_contrast, self._pairs(self.pools, self.batch // 2, self.rng))

    def held_out(self, network: Network) -> float:
        return float(_contrast(self.dev, network))

    def _pairs(self, pools: Pools, n: int, rng: np.random.Generator, once: bool = False) -> Pairs:
        """n genuine and n impostor pairs; `once`: sides that several of them have in common are fused once."""
        first, second, genuine = pairs.draw(pools, self.together, n, rng)
        sides = np.stack([np.concatenate([first[m], second[m]]) for m in pools])  # (modalities, 4n)
        places = None
        if once:
            sides, at = np.unique(sides, axis=1, return_inverse=True)
            places = torch.from_numpy(at.ravel())
        rows = {m: torch.from_numpy(of) for m, of in zip(pools, sides, strict=True)}
        vectors = {m: self.data.vectors[m].index_select(0, index) for m, index in rows.items()}
        present = torch.zeros(sides.shape[1], len(self.modalities), dtype=torch.bool, device=self.data.present.device)
        for column, modality in enumerate(self.modalities):
            if modality in rows:
                present[:, column] = self.data.present[rows[modality], column]
        return Pairs(vectors, present, places, torch.from_numpy(genuine).to(present.device))


def _contrast(pairs_of: Pairs, network: Network) -> Tensor:
    fused = network(pairs_of.vectors, pairs_of.present).fused
    first, second = (fused if pairs_of.places is None else fused[pairs_of.places]).chunk(2)
    return contrastive(first, second, pairs_of.genuine)
