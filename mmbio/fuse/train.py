"""Training: a group of fold networks, straight on tensors, stopped early on the dev loss."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import numpy as np
import torch
from torch import Tensor

from mmbio.data.manifest import Partition
from mmbio.embed.conditioned import Embeddings
from mmbio.fuse.config import Config, Optimiser
from mmbio.fuse.losses import joint
from mmbio.fuse.network import Network
from mmbio.protocols import PROTOCOLS

State = dict[str, Tensor]
_GLOBAL_RNG = Lock()  # torch's layers draw their initial values from the one global generator


@dataclass(frozen=True)
class Data:
    """Embeddings and labels as tensors on one device, row by row."""

    vectors: dict[str, Tensor]  # modality -> (n, ...)
    present: Tensor  # (n, M) bool
    labels: dict[str, Tensor]  # task -> (n,) int64

    def batch(self, index: Tensor) -> tuple[dict[str, Tensor], Tensor, dict[str, Tensor]]:
        """The rows `index` (B,) of vectors, present and labels."""
        vectors = {m: v[index] for m, v in self.vectors.items()}
        return vectors, self.present[index], {t: y[index] for t, y in self.labels.items()}


def tensors(embeddings: Embeddings, labels: Mapping[str, np.ndarray], device: str) -> Data:
    """Embeddings with the labels (N,) of all triplets of the manifest, as tensors of the embeddings' rows."""
    return Data(
        {m: torch.from_numpy(v).to(device) for m, v in embeddings.vectors.items()},
        torch.from_numpy(embeddings.present).to(device),
        {t: torch.from_numpy(y[embeddings.rows]).to(device) for t, y in labels.items()},
    )


def new_network(config: Config, classes: Mapping[str, int], fold: int) -> Network:
    """An untrained network whose initial values depend on the seed and fold alone, on whatever thread it is made."""
    with _GLOBAL_RNG, seeded(config.seed, fold):
        return Network(PROTOCOLS[config.protocol], config.fusion, classes)


def train_fold(
    config: Config,
    classes: Mapping[str, int],
    fold: int,
    data: Data,
    train: Tensor,
    dev: Tensor,
) -> tuple[State, int]:
    """Train one network on rows `train` and keep the epoch of the lowest loss on rows `dev`.

    Returns its state and the number of epochs run.
    """
    network = new_network(config, classes, fold).to(data.present.device)
    vectors, present, _ = data.batch(train)
    network.fit_inputs(vectors, present)
    how = config.optimiser
    weights = dict(config.task_weights)
    optimiser = torch.optim.AdamW(network.parameters(), lr=how.rate, weight_decay=how.weight_decay, fused=True)
    generator = torch.Generator().manual_seed(_seed(config.seed, fold))
    held_out = data.batch(dev)
    best, best_loss, best_epoch, epoch = copy.deepcopy(network.state_dict()), float("inf"), 0, 0
    for epoch in range(1, how.epochs + 1):
        network.train()
        for index in train[torch.randperm(len(train), generator=generator)].split(how.batch):  # type: ignore[no-untyped-call]
            vectors, present, labels = data.batch(index)
            loss = joint(network(vectors, present).logits, labels, weights)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        loss_now = _dev_loss(network, held_out, weights)
        if loss_now < best_loss - how.least_gain:
            best, best_loss, best_epoch = copy.deepcopy(network.state_dict()), loss_now, epoch
        if epoch - best_epoch >= how.patience:
            break
    return best, epoch


@torch.inference_mode()
def predict(
    network: Network, data: Data, batch: int = Optimiser.batch
) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """Posteriors, task -> (n, classes), and fusion weights (n, M) or None, of all rows of `data`."""
    network.eval()
    posteriors: dict[str, list[Tensor]] = {}
    weights = []
    for index in torch.arange(len(data.present), device=data.present.device).split(batch):  # type: ignore[no-untyped-call]
        vectors, present, _ = data.batch(index)
        out = network(vectors, present)
        for task, logits in out.logits.items():
            posteriors.setdefault(task, []).append(logits.softmax(1))
        if out.weights is not None:
            weights.append(out.weights)
    joined = {task: torch.cat(parts).cpu().numpy() for task, parts in posteriors.items()}
    return joined, torch.cat(weights).cpu().numpy() if weights else None


def rows_needed(parts: list[Partition]) -> np.ndarray:
    """The rows that training reads: those that train and those that tune."""
    return np.unique(np.concatenate([rows for p in parts for rows in (p.train, p.dev)]))


@contextmanager
def seeded(seed: int, fold: int) -> Iterator[None]:
    """torch's global generator seeded for a fold, and as it was afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_seed(seed, fold))
        yield


@torch.inference_mode()
def _dev_loss(
    network: Network, held_out: tuple[dict[str, Tensor], Tensor, dict[str, Tensor]], weights: Mapping[str, float]
) -> float:
    network.eval()
    vectors, present, labels = held_out
    return float(joint(network(vectors, present).logits, labels, weights))


def _seed(seed: int, fold: int) -> int:
    return int(np.random.SeedSequence([seed, fold]).generate_state(1, np.uint64)[0] >> 1)
