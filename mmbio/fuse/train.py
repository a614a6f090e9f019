"""Training: a group of fold networks, straight on tensors, stopped early on the dev loss."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from mmbio.data.manifest import Partition
from mmbio.embed.conditioned import Embeddings
from mmbio.embed.global_rng import lent
from mmbio.errors import MmbioError
from mmbio.fuse.config import Config, Optimiser
from mmbio.fuse.network import Network, Output, Shapes
from mmbio.fuse.objectives import Data, Objective
from mmbio.protocols import PROTOCOLS

State = dict[str, Tensor]


def tensors(embeddings: Embeddings, labels: Mapping[str, np.ndarray], device: str) -> Data:
    """Embeddings with the labels (N,) of all items of the manifest, as tensors of the embeddings' rows."""
    return Data(
        {m: torch.from_numpy(v).to(device) for m, v in embeddings.vectors.items()},
        torch.from_numpy(embeddings.present).to(device),
        {t: torch.from_numpy(y[embeddings.rows]).to(device) for t, y in labels.items()},
    )


def new_network(config: Config, classes: Mapping[str, int], shapes: Shapes, fold: int) -> Network:
    """An untrained network whose initial values depend on the seed and fold alone, on whatever thread it is made."""
    with seeded(config.seed, fold):
        return Network(PROTOCOLS[config.protocol], config.fusion, classes, shapes)


def train_fold(network: Network, objective: Objective, how: Optimiser) -> tuple[State, int]:
    """Train a network and keep the epoch of the lowest held-out loss; returns its state and the number of epochs run.

    A network without parameters is as it is.
    """
    if not any(True for _ in network.parameters()):
        return network.state_dict(), 0
    objective.fit_inputs(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=how.rate, weight_decay=how.weight_decay, fused=True)
    state = network.state_dict()  # the tensors that training changes
    best, best_loss, best_epoch, epoch = copy.deepcopy(state), float("inf"), 0, 0
    for epoch in range(1, how.epochs + 1):
        network.train()
        for loss_of in objective.epoch():
            loss = loss_of(network)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        loss_now = _held_out(network, objective)
        if loss_now < best_loss - how.least_gain:
            best_loss, best_epoch = loss_now, epoch
            for name, tensor in best.items():
                tensor.copy_(state[name])
        if epoch - best_epoch >= how.patience:
            break
    if best_epoch == 0:
        raise MmbioError(
            "training: the loss is no number from the first epoch on; look at the vectors and at a fusion of your own,"
            " or train with another --seed or other --noise"
        )
    return best, epoch


@torch.inference_mode()
def predict(
    network: Network, data: Data, batch: int = Optimiser.batch
) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """Posteriors, task -> (n, classes), and fusion weights (n, M) or None, of all rows of `data`, as float32."""
    network.eval().double()
    posteriors: dict[str, list[Tensor]] = {}
    weights = []
    for index in torch.arange(len(data.present), device=data.present.device).split(batch):  # type: ignore[no-untyped-call]
        out = _in_double(network, data, index)
        for task, logits in out.logits.items():
            posteriors.setdefault(task, []).append(logits.softmax(1).float())
        if out.weights is not None:
            weights.append(out.weights.float())
    joined = {task: torch.cat(parts).cpu().numpy() for task, parts in posteriors.items()}
    return joined, torch.cat(weights).cpu().numpy() if weights else None


@torch.inference_mode()
def fused(network: Network, data: Data, batch: int = 1024) -> tuple[np.ndarray, np.ndarray | None]:
    """Fused vectors (n, F) and fusion weights (n, M) or None of all rows of `data`, as float32."""
    network.eval().double()
    n = len(data.present)
    vectors, weights = torch.empty(0), None
    parts = torch.arange(n, device=data.present.device).split(batch)  # type: ignore[no-untyped-call]
    for number, index in enumerate(parts):
        out = _in_double(network, data, index)
        if number == 0:  # into one array: parts to be joined would be held twice
            vectors = torch.empty(n, *out.fused.shape[1:])
            weights = None if out.weights is None else torch.empty(n, *out.weights.shape[1:])
        vectors[index] = out.fused.float().cpu()
        if weights is not None and out.weights is not None:
            weights[index] = out.weights.float().cpu()
    return vectors.numpy(), None if weights is None else weights.numpy()


def rows_needed(parts: list[Partition]) -> np.ndarray:
    """The rows that training reads: those that train and those that tune."""
    return np.unique(np.concatenate([rows for p in parts for rows in (p.train, p.dev)]))


@contextmanager
def seeded(seed: int, fold: int) -> Iterator[None]:
    """torch's global generator seeded for a fold, and as it was afterwards."""
    with lent(seed_of(seed, fold)):
        yield


def _in_double(network: Network, data: Data, index: Tensor) -> Output:
    """A batch through a network of float64: what is tested depends neither on threads nor on faster products."""
    vectors, present, _ = data.batch(index)
    made: Output = network({m: v.double() for m, v in vectors.items()}, present)
    return made


@torch.inference_mode()
def _held_out(network: Network, objective: Objective) -> float:
    network.eval()
    return objective.held_out(network)


def seed_of(seed: int, fold: int) -> int:
    return int(np.random.SeedSequence([seed, fold]).generate_state(1, np.uint64)[0] >> 1)
