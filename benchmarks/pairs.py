"""How long does it take to train the audio-visual paper's systems A, B and C on 2,000 subjects?

    python -m benchmarks.pairs [--rounds 5]

20,000 random clips of 2,000 subjects, a face of 512 and a voice of 600 numbers each; one call trains the three systems
for 200 batches of 60 genuine and 60 impostor pairs. The peer is what one writes otherwise: the same networks and loss,
one at a time on torch's own number of threads, with each pair drawn in Python and the batch stacked from its rows.
"""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
import torch
from torch import Tensor

from benchmarks.harness import Measurement, Side, main
from mmbio.embed.cores import NETWORK_THREADS, one_core
from mmbio.embed.settings import precision_of, threads
from mmbio.fuse.config import Config, Optimiser
from mmbio.fuse.losses import contrastive
from mmbio.fuse.objectives import Data, Verification
from mmbio.fuse.pairs import Pool
from mmbio.fuse.train import new_network, seed_of, train_fold
from mmbio.protocols import PAIRS

SHAPES: Final = {"face": (512,), "voice": (600,)}
SYSTEMS: Final = ("concat", "sum", "attention")  # A, B, C
N_SUBJECTS, CLIPS, EPOCHS, STEPS = 2000, 10, 4, 50
HOW: Final = Optimiser(rate=3e-4, epochs=EPOCHS, patience=EPOCHS, steps=STEPS, batch=2 * PAIRS)
THREADS: Final = torch.get_num_threads()


def clips() -> tuple[dict[str, Tensor], np.ndarray]:
    """Vectors of random people, and whose they are."""
    rng = np.random.default_rng(0)
    subjects = np.repeat(np.arange(N_SUBJECTS), CLIPS)
    vectors = {}
    for modality, (dim,) in SHAPES.items():
        centres = rng.standard_normal((N_SUBJECTS, dim), dtype=np.float32)
        noise = rng.standard_normal((len(subjects), dim), dtype=np.float32)
        vectors[modality] = torch.from_numpy(centres[subjects] + noise)
    return vectors, subjects


VECTORS, SUBJECTS = clips()


def ours() -> None:
    """As mmbio trains: pairs drawn in whole arrays, one thread a network."""
    rows = np.arange(len(SUBJECTS))
    half = SUBJECTS < N_SUBJECTS // 2
    videos = rows.astype(str)
    data = Data(VECTORS, torch.ones(len(rows), 2, dtype=torch.bool), {})
    train, dev = ({m: Pool.of(rows[b], SUBJECTS[b], videos[b]) for m in SHAPES} for b in (half, ~half))

    def one(fusion: str) -> None:
        config = Config("audiovisual", fusion, tuple(SHAPES), ("verification",), optimiser=HOW)
        objective = Verification(
            data, tuple(SHAPES), train, dev, True, steps=STEPS, batch=HOW.batch, seed=seed_of(0, 0)
        )
        train_fold(new_network(config, {}, SHAPES, 0), objective, HOW)

    with (
        one_core(precision_of("auto", "cpu")),
        ThreadPoolExecutor(threads(), initializer=torch.set_num_threads, initargs=(NETWORK_THREADS,)) as pool,
    ):
        list(pool.map(one, SYSTEMS))


def plain() -> None:
    """One system after the other, each pair drawn by itself."""
    torch.set_num_threads(THREADS)
    torch.set_float32_matmul_precision("highest")
    random.seed(0)
    of: dict[int, list[int]] = {}
    for row, subject in enumerate(SUBJECTS.tolist()):
        of.setdefault(subject, []).append(row)
    people = sorted(of)
    train = {s: of[s] for s in people[: N_SUBJECTS // 2]}
    dev = {s: of[s] for s in people[N_SUBJECTS // 2 :]}
    for fusion in SYSTEMS:
        config = Config("audiovisual", fusion, tuple(SHAPES), ("verification",), optimiser=HOW)
        network = new_network(config, {}, SHAPES, 0)
        optimiser = torch.optim.AdamW(network.parameters(), lr=HOW.rate, weight_decay=HOW.weight_decay)
        held_out = _batch(dev, 2000)
        for _ in range(EPOCHS):
            network.train()
            for _ in range(STEPS):
                vectors, genuine = _batch(train, PAIRS)
                optimiser.zero_grad()
                loss = _loss(network, vectors, genuine)
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
            network.eval()
            with torch.no_grad():
                float(_loss(network, *held_out))


def _batch(of: dict[int, list[int]], n: int) -> tuple[dict[str, Tensor], Tensor]:
    """n genuine and n impostor pairs, drawn one after the other."""
    people = list(of)
    pairs = [(*random.sample(of[random.choice(people)], 2), True) for _ in range(n)]  # noqa: S311
    for _ in range(n):
        a, b = random.sample(people, 2)
        pairs.append((random.choice(of[a]), random.choice(of[b]), False))  # noqa: S311
    vectors = {m: torch.stack([v[a] for a, _, _ in pairs] + [v[b] for _, b, _ in pairs]) for m, v in VECTORS.items()}
    return vectors, torch.tensor([g for _, _, g in pairs])


def _loss(network: torch.nn.Module, vectors: dict[str, Tensor], genuine: Tensor) -> Tensor:
    present = torch.ones(2 * len(genuine), 2, dtype=torch.bool)
    first, second = network(vectors, present).fused.chunk(2)
    return contrastive(first, second, genuine)


def measurements() -> Iterator[Measurement]:
    """The three systems."""
    yield Measurement(
        f"training systems A, B, C on {N_SUBJECTS:,} subjects, {EPOCHS * STEPS} batches",
        "networks",
        Side("mmbio", ours, len(SYSTEMS)),
        [Side("each pair drawn in Python", plain, len(SYSTEMS))],
        aims=[5],
    )


if __name__ == "__main__":
    main(measurements)
