"""Objectives: which rows a batch holds, what it costs, and what chimeric people do to pairs."""

from math import log

import numpy as np
import pytest
import torch
from torch import Tensor

from mmbio.errors import MmbioError
from mmbio.fuse.losses import MARGIN
from mmbio.fuse.network import Network, Output
from mmbio.fuse.objectives import HELD_OUT, Classification, Data, Pairs, Verification
from mmbio.fuse.pairs import Pool
from mmbio.protocols import TASK_WEIGHTS

MODALITIES = ("face", "voice")
N_SUBJECTS, EACH = 6, 4
SUBJECTS = np.repeat(np.arange(N_SUBJECTS), EACH)
VIDEOS = np.tile(["a", "a", "b", "b"], N_SUBJECTS)


class Recorder(Network):
    """In place of a network: keeps what it is asked, and answers with the first vectors and even odds."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)
        self.seen: list[tuple[dict[str, Tensor], Tensor]] = []
        self.fitted: list[Tensor] = []

    def fit_inputs(self, vectors: object, present: Tensor) -> None:
        self.fitted.append(present)

    def prepare(self, vectors: dict[str, Tensor]) -> dict[str, Tensor]:  # type: ignore[override]
        return vectors

    def of_prepared(self, vectors: dict[str, Tensor], present: Tensor) -> Output:  # type: ignore[override]
        self.seen.append((vectors, present))
        fused = next(iter(vectors.values()))
        return Output({"gender": torch.zeros(len(present), 2)}, fused, None)


def people(present: Tensor | None = None) -> Data:
    """Vectors that say whose they are: a one for the subject, and the row behind it."""
    subjects = torch.from_numpy(SUBJECTS)
    named = torch.cat([torch.eye(N_SUBJECTS)[subjects], torch.arange(len(subjects)).unsqueeze(1) * 1e-6], 1)
    there = torch.ones(len(subjects), 2, dtype=torch.bool) if present is None else present
    return Data({"face": named, "voice": named.clone()}, there, {"gender": subjects % 2})


def pool(rows: np.ndarray) -> Pool:
    return Pool.of(rows, SUBJECTS[rows], VIDEOS[rows])


def verification(together: bool = True, data: Data | None = None, seed: int = 0) -> Verification:
    blocks = (pool(np.flatnonzero(block)) for block in (SUBJECTS < 4, SUBJECTS >= 4))
    train, dev = (dict.fromkeys(MODALITIES, block) for block in blocks)
    return Verification(data or people(), MODALITIES, train, dev, together, steps=5, batch=20, seed=seed)


def whose(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """The subjects of the first and of the second sides."""
    first, second = vectors[:, :-1].argmax(1).chunk(2)
    return first, second


def epoch(objective: Verification) -> Recorder:
    network = Recorder()
    for loss_of in objective.epoch():
        loss_of(network)
    return network


def test_rows_are_each_seen_once_an_epoch() -> None:
    objective = Classification(people(), torch.arange(10), torch.arange(10, 24), {"gender": 1.0}, 4, 0)
    network = Recorder()
    losses = [float(loss_of(network)) for loss_of in objective.epoch()]
    assert [len(present) for _, present in network.seen] == [4, 4, 2]
    rows = torch.cat([vectors["face"][:, -1] for vectors, _ in network.seen]) * 1e6
    assert sorted(rows.round().tolist()) == list(range(10))
    assert losses == pytest.approx([log(2)] * 3)
    assert objective.held_out(network) == pytest.approx(log(2))
    assert len(network.seen[-1][1]) == 14
    objective.fit_inputs(network)
    assert [len(present) for present in network.fitted] == [10]


def test_order_depends_on_the_seed() -> None:
    def order(seed: int) -> list[float]:
        network = Recorder()
        objective = Classification(people(), torch.arange(10), torch.arange(10, 24), TASK_WEIGHTS, 10, seed)
        for loss_of in objective.epoch():
            loss_of(network)
        return [float(row) for row in network.seen[0][0]["face"][:, -1]]

    assert order(0) == order(0) != order(1)


def test_batches_of_pairs() -> None:
    network = epoch(verification())
    assert len(network.seen) == 5
    for vectors, present in network.seen:
        assert torch.equal(vectors["face"], vectors["voice"])  # a frame keeps its speech
        assert present.shape == (40, 2)
        assert present.all()
        first, second = whose(vectors["face"])
        assert (first == second).tolist() == [True] * 10 + [False] * 10
        assert int(torch.maximum(first, second).max()) < 4  # those who tune do not train


def test_tuning_is_on_the_same_pairs_of_others_each_time() -> None:
    objective, network = verification(), Recorder()
    first = objective.held_out(network)
    epoch(objective)
    assert objective.held_out(network) == first
    (vectors, present), (again, _) = network.seen
    assert len(present) == (SUBJECTS >= 4).sum()  # each side is fused once, however many pairs have it
    assert torch.equal(vectors["face"], again["face"])
    assert int(torch.cat(whose(vectors["face"])).min()) >= 4
    assert objective.dev.genuine.shape == (2 * HELD_OUT,)


@pytest.mark.parametrize("together", [True, False])
def test_sides_that_pairs_have_in_common_change_nothing(together: bool) -> None:
    objective = verification(together)
    kept = objective.dev.places
    assert kept is not None
    apart = Pairs(
        {m: v[kept] for m, v in objective.dev.vectors.items()}, objective.dev.present[kept], None, objective.dev.genuine
    )
    first, second = whose(apart.vectors["face"])
    assert torch.equal(first == second, objective.dev.genuine)
    once = objective.held_out(Recorder())
    objective.dev = apart
    assert objective.held_out(Recorder()) == pytest.approx(once, rel=1e-12)


def test_what_pairs_cost() -> None:
    # Genuine pairs of these vectors have a distance of 0 and impostor ones of 1.
    expected = max(0.0, MARGIN - 1) ** 2 / 2
    assert float(next(verification().epoch())(Recorder())) == pytest.approx(expected, abs=1e-6)


def test_chimeric_people_are_paired_anew() -> None:
    mixed = []
    for vectors, _ in epoch(verification(together=False)).seen:
        for modality in MODALITIES:
            first, second = whose(vectors[modality])
            assert (first == second).tolist() == [True] * 10 + [False] * 10
        mixed.append(whose(vectors["face"])[0] != whose(vectors["voice"])[0])
    assert torch.cat(mixed).float().mean() > 0.5


def test_masks_follow_their_rows() -> None:
    present = torch.ones(len(SUBJECTS), 2, dtype=torch.bool)
    present[::2, 1] = False
    network = epoch(verification(data=people(present)))
    for vectors, mask in network.seen:
        rows = (vectors["voice"][:, -1] * 1e6).round().long()
        assert torch.equal(mask, present[rows])


def test_a_modality_without_a_pool_is_masked() -> None:
    train, dev = ({"voice": pool(np.flatnonzero(block))} for block in (SUBJECTS < 4, SUBJECTS >= 4))
    objective = Verification(people(), MODALITIES, train, dev, True, steps=1, batch=4, seed=0)
    ((vectors, present),) = epoch(objective).seen
    assert set(vectors) == {"voice"}
    assert present.tolist() == [[False, True]] * 8


def test_seeds_decide() -> None:
    def rows(seed: int) -> list[float]:
        return [float(x) for vectors, _ in epoch(verification(seed=seed)).seen for x in vectors["face"][:, -1]]

    assert rows(3) == rows(3) != rows(4)


@pytest.mark.parametrize(("train", "dev", "what"), [(1, 2, "train"), (4, 5, "tune")])
def test_too_few_people(train: int, dev: int, what: str) -> None:
    to_train, to_tune = ({"face": pool(np.arange(EACH * a, EACH * b))} for a, b in ((0, train), (train, dev)))
    with pytest.raises(MmbioError, match=f"1 subject, 1 with two samples, to {what} on"):
        Verification(people(), MODALITIES, to_train, to_tune, True, steps=1, batch=4, seed=0)


@pytest.mark.parametrize(("steps", "batch"), [(0, 20), (5, 1)])
def test_epochs_without_a_pair(steps: int, batch: int) -> None:
    pools = {"face": pool(np.arange(8))}
    with pytest.raises(ValueError, match="at least 1 step an epoch"):
        Verification(people(), MODALITIES, pools, pools, True, steps=steps, batch=batch, seed=0)
