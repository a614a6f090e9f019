"""Training: a toy problem is learnt, seeds decide, the best epoch is kept."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from mmbio.data.manifest import Partition
from mmbio.embed.conditioned import Embeddings
from mmbio.fuse.config import Config, Optimiser
from mmbio.fuse.network import Network
from mmbio.fuse.objectives import Classification, Data
from mmbio.fuse.train import State, fused, new_network, predict, rows_needed, seed_of, tensors, train_fold
from mmbio.protocols import AUDIOVISUAL, MULTITASK, TASK_WEIGHTS

CLASSES = {"identification": 3, "gender": 2}
SHAPES = {"ecg": (3, 300), "face": (2048,), "finger": (2048,)}
CONFIG = Config("multitask", "concat", ("ecg",), MULTITASK.tasks, optimiser=Optimiser(epochs=3))
TRAIN, DEV = torch.arange(0, 24), torch.arange(24, 36)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """So small a network is trained fastest on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def toy() -> Data:
    """Three subjects with a beat of their own each, and a little noise."""
    labels = torch.arange(36) % 3
    generator = torch.Generator().manual_seed(0)
    beats = torch.randn(3, 1, 300, generator=generator)[labels] + 0.1 * torch.randn(36, 3, 300, generator=generator)
    present = torch.tensor([[True, False, False]]).repeat(36, 1)
    return Data({"ecg": beats}, present, {"identification": labels, "gender": (labels == 1).long()})


def same(a: State, b: State) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def trained(config: Config, fold: int, toy: Data) -> tuple[State, int]:
    objective = Classification(toy, TRAIN, DEV, TASK_WEIGHTS, config.how.batch, seed_of(config.seed, fold))
    return train_fold(new_network(config, CLASSES, SHAPES, fold), objective, config.how)


def test_tensors_take_the_labels_of_their_rows() -> None:
    rows = np.array([1, 3])
    embeddings = Embeddings(rows, ("ecg",), {"ecg": np.ones((2, 3, 300), np.float32)}, np.ones((2, 1), bool))
    data = tensors(embeddings, {"gender": np.array([0, 1, 0, 1, 0])}, "cpu")
    assert data.labels["gender"].tolist() == [1, 1]
    vectors, present, labels = data.batch(torch.tensor([1]))
    assert vectors["ecg"].shape == (1, 3, 300)
    assert present.shape == (1, 1)
    assert labels["gender"].tolist() == [1]


@pytest.mark.parametrize("fusion", ["concat", "sum", "attention"])
def test_a_separable_problem_is_learnt(toy: Data, fusion: str) -> None:
    config = replace(CONFIG, fusion=fusion, optimiser=Optimiser(epochs=12, batch=8))
    state, _ = trained(config, 0, toy)
    network = new_network(config, CLASSES, SHAPES, 0)
    network.load_state_dict(state)
    posteriors, weights = predict(network, toy, batch=10)
    for task, p in posteriors.items():
        assert (p.argmax(1)[24:] == toy.labels[task].numpy()[24:]).all(), task
        np.testing.assert_allclose(p.sum(1), 1.0, rtol=1e-5)
    assert (weights is not None) is (fusion == "attention")
    if weights is not None:
        np.testing.assert_array_equal(weights, toy.present.numpy())


def test_the_same_seed_gives_the_same_numbers(toy: Data) -> None:
    first, n = trained(CONFIG, 1, toy)
    torch.rand(7)  # the global generator has no part in it
    again, n_again = trained(CONFIG, 1, toy)
    assert same(first, again)
    assert n == n_again == 3


def test_products_in_bf16_train_as_well_as_those_in_float32(toy: Data) -> None:
    """Within what another seed changes; on a processor without bfloat16 they are the same."""
    config = replace(CONFIG, optimiser=Optimiser(epochs=12, batch=8))
    losses = {}
    for products, seed in (("highest", 0), ("highest", 1), ("highest", 2), ("medium", 0)):
        torch.set_float32_matmul_precision(products)
        objective = Classification(toy, TRAIN, DEV, TASK_WEIGHTS, 8, seed_of(seed, 0))
        network = new_network(replace(config, seed=seed), CLASSES, SHAPES, 0)
        state, _ = train_fold(network, objective, config.how)
        torch.set_float32_matmul_precision("highest")
        network.load_state_dict(state)
        with torch.inference_mode():
            losses[products, seed] = objective.held_out(network.eval())
    plain = [loss for (products, _), loss in losses.items() if products == "highest"]
    spread = max(plain) - min(plain)
    assert min(plain) - spread <= losses["medium", 0] <= max(plain) + spread


@pytest.mark.parametrize(("seed", "fold"), [(1, 1), (0, 0)])
def test_another_seed_or_fold_gives_others(toy: Data, seed: int, fold: int) -> None:
    first, _ = trained(CONFIG, 1, toy)
    other, _ = trained(replace(CONFIG, seed=seed), fold, toy)
    assert not same(first, other)


def test_a_new_network_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    first, again = (new_network(CONFIG, CLASSES, SHAPES, 0).state_dict() for _ in range(2))
    assert same(first, again)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("losses", "n_epochs", "best"),
    [
        ([3.0, 2.0, 2.5, 2.5, 2.5, 1.0], 4, 2),  # two epochs without a lower loss: the sixth is never reached
        ([3.0, 2.9995, 2.999, 1.0], 3, 1),  # a gain below 0.001 is none
        ([3.0, 2.5, 2.0, 1.5, 1.0, 0.5], 6, 6),
        ([3.0, 3.5, 1.0, 1.5, 0.5, 0.6], 6, 5),
    ],
)
def test_early_stopping_keeps_the_best_epoch(
    toy: Data, monkeypatch: pytest.MonkeyPatch, losses: list[float], n_epochs: int, best: int
) -> None:
    seen: list[State] = []
    told: Iterator[float] = iter(losses)

    def held_out(_: Classification, network: Network) -> float:
        seen.append({name: t.clone() for name, t in network.state_dict().items()})
        return next(told)

    monkeypatch.setattr(Classification, "held_out", held_out)
    state, epochs = trained(replace(CONFIG, optimiser=Optimiser(epochs=6, patience=2)), 0, toy)
    assert epochs == n_epochs == len(seen)
    assert [same(state, s) for s in seen].index(True) == best - 1


def test_rows_needed_are_those_that_train_and_tune() -> None:
    parts = [
        Partition(np.array([4, 5]), np.array([6]), np.array([0])),
        Partition(np.array([5, 6]), np.array([4]), np.array([0])),
    ]
    assert rows_needed(parts).tolist() == [4, 5, 6]


def faces(n: int) -> Data:
    generator = torch.Generator().manual_seed(2)
    vectors = {"face": torch.rand(n, 5, generator=generator), "voice": torch.rand(n, 4, generator=generator)}
    return Data(vectors, torch.rand(n, 2, generator=generator) > 0.2, {})


@pytest.mark.parametrize("fusion", ["concat", "sum", "attention", "cosine"])
def test_fused_vectors_come_row_by_row_whatever_the_batch(fusion: str) -> None:
    config = Config("audiovisual", fusion, ("face", "voice"), AUDIOVISUAL.tasks)
    network, data = new_network(config, {}, {"face": (5,), "voice": (4,)}, 0), faces(30)
    whole, weights = fused(network, data)
    parts, weights_of_parts = fused(network, data, batch=7)
    assert whole.shape == (30, 9 if fusion == "cosine" else 600)
    np.testing.assert_allclose(parts, whole, atol=1e-6)
    assert (weights is not None) is (weights_of_parts is not None) is (fusion == "attention")
    if weights is not None:
        assert not weights[~data.present.numpy()].any()
        np.testing.assert_allclose(weights.sum(1), data.present.any(1), rtol=1e-6)


def test_a_network_without_parameters_is_as_it_is(toy: Data) -> None:
    config = Config("audiovisual", "cosine", ("face",), AUDIOVISUAL.tasks)
    objective = Classification(toy, TRAIN, DEV, TASK_WEIGHTS, 8, 0)
    assert train_fold(new_network(config, {}, {"face": (5,)}, 0), objective, config.how) == ({}, 0)
