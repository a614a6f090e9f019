"""How long does it take to train the networks of the multitask paper's table 1?

    python -m benchmarks.training [--rounds 5]

The table has 7 subsets of modalities x 2 tasks x 8 folds = 112 networks; one call trains the first fold of each, 14
networks, for 12 epochs on 609 random rows of the quick scale's shapes. The peer is what one writes otherwise: the same
layers in plain torch, one network at a time on torch's own number of threads, batches from a DataLoader.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, product
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.harness import Measurement, Side, main
from mmbio.embed.cores import NETWORK_THREADS, one_core
from mmbio.embed.settings import precision_of, threads
from mmbio.fuse.config import Config, Optimiser
from mmbio.fuse.objectives import Classification, Data
from mmbio.fuse.train import new_network, seed_of, train_fold

SHAPES: Final = {"ecg": (3, 300), "face": (2048,), "finger": (2048,)}
CLASSES: Final = {"identification": 58, "gender": 2}
SUBSETS: Final = [subset for n in (1, 2, 3) for subset in combinations(SHAPES, n)]
N_TRAIN, N_DEV, EPOCHS, BATCH = 609, 87, 12, 128
HOW: Final = Optimiser(epochs=EPOCHS, patience=EPOCHS, batch=BATCH)  # both sides run all epochs

Batch = tuple[dict[str, Tensor], Tensor]


def rows() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Vectors and labels of random people."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES["identification"], N_TRAIN + N_DEV)
    vectors = {}
    for modality, shape in SHAPES.items():
        centres = rng.standard_normal((CLASSES["identification"], *shape))
        vectors[modality] = (centres[labels] + rng.standard_normal((len(labels), *shape))).astype(np.float32)
    return vectors, {"identification": labels, "gender": labels % 2}


def ours() -> None:
    """As mmbio trains: straight on tensors, one thread a network, as many networks at once as there are threads."""
    vectors, labels = rows()
    present = torch.ones(N_TRAIN + N_DEV, len(SHAPES), dtype=torch.bool)
    data = Data(
        {m: torch.from_numpy(v) for m, v in vectors.items()},
        present,
        {t: torch.from_numpy(y) for t, y in labels.items()},
    )

    def one(of: tuple[tuple[str, ...], str]) -> int:
        subset, task = of
        config = Config("multitask", "concat", subset, (task,), optimiser=HOW)
        kept = Data({m: data.vectors[m] for m in subset}, data.present, {task: data.labels[task]})
        train, dev = torch.arange(N_TRAIN), torch.arange(N_TRAIN, N_TRAIN + N_DEV)
        objective = Classification(kept, train, dev, {task: 1.0}, BATCH, seed_of(0, 0))
        return train_fold(new_network(config, {task: CLASSES[task]}, SHAPES, 0), objective, HOW)[1]

    with (
        one_core(precision_of("auto", "cpu")),
        ThreadPoolExecutor(threads(), initializer=torch.set_num_threads, initargs=(NETWORK_THREADS,)) as pool,
    ):
        assert list(pool.map(one, product(SUBSETS, CLASSES))) == [EPOCHS] * len(SUBSETS) * len(CLASSES)


class Triplets(Dataset[tuple[dict[str, Tensor], int]]):
    """The rows, one by one."""

    def __init__(self, vectors: dict[str, np.ndarray], labels: np.ndarray) -> None:
        self.vectors, self.labels = {m: torch.from_numpy(v) for m, v in vectors.items()}, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[dict[str, Tensor], int]:
        return {m: v[index] for m, v in self.vectors.items()}, int(self.labels[index])


class Plain(nn.Module):
    """The same network in plain torch."""

    def __init__(self, modalities: tuple[str, ...], n_classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(300, 300, 3, padding=1) if "ecg" in modalities else None
        self.images = nn.ModuleDict({m: nn.Linear(2048, 300) for m in modalities if m != "ecg"})
        self.norms = nn.ModuleDict({m: nn.BatchNorm1d(300) for m in modalities})
        self.fuse = nn.Sequential(nn.Linear(300 * len(modalities), 300), nn.ReLU(), nn.Linear(300, n_classes))

    def forward(self, vectors: dict[str, Tensor]) -> Tensor:
        parts = []
        for name, norm in self.norms.items():
            if name == "ecg" and self.conv is not None:
                parts.append(norm(self.conv(vectors[name].transpose(1, 2)).amax(2)))
            else:
                parts.append(norm(self.images[name](vectors[name])))
        out: Tensor = self.fuse(torch.cat(parts, 1))
        return out


def plain() -> None:
    """One network after the other, with a DataLoader."""
    torch.set_num_threads(THREADS)
    torch.set_float32_matmul_precision("highest")
    vectors, labels = rows()
    for subset, task in product(SUBSETS, CLASSES):
        torch.manual_seed(0)
        chosen = {m: vectors[m] for m in subset}
        train = Triplets({m: v[:N_TRAIN] for m, v in chosen.items()}, labels[task][:N_TRAIN])
        dev = Triplets({m: v[N_TRAIN:] for m, v in chosen.items()}, labels[task][N_TRAIN:])
        _fit(Plain(subset, CLASSES[task]), DataLoader(train, BATCH, shuffle=True), DataLoader(dev, BATCH))


def _fit(
    network: Plain, train: DataLoader[tuple[dict[str, Tensor], int]], dev: DataLoader[tuple[dict[str, Tensor], int]]
) -> None:
    optimiser = torch.optim.AdamW(network.parameters(), lr=HOW.rate, weight_decay=HOW.weight_decay)
    loss_of = nn.CrossEntropyLoss()
    best = float("inf")
    for _ in range(EPOCHS):
        network.train()
        for vectors, labels in train:
            optimiser.zero_grad()
            loss = loss_of(network(vectors), labels)
            loss.backward()
            optimiser.step()
        network.eval()
        with torch.no_grad():
            held_out = sum(float(loss_of(network(vectors), labels)) for vectors, labels in dev)
        if held_out < best:
            best = held_out
            _ = {name: tensor.clone() for name, tensor in network.state_dict().items()}


THREADS: Final = torch.get_num_threads()


def measurements() -> Iterator[Measurement]:
    """Table 1's networks, one fold of the eight."""
    n = len(SUBSETS) * len(CLASSES)
    yield Measurement(
        f"training table 1: {n} of its 112 networks, {EPOCHS} epochs",
        "networks",
        Side("mmbio", ours, n),
        [Side("one at a time with a DataLoader", plain, n)],
        aims=[5],
    )


if __name__ == "__main__":
    main(measurements)
