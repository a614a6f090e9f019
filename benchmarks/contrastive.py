"""What the open choices of the audio-visual training do, on dev subjects alone.

    python benchmarks/contrastive.py [HOME]

The paper says "contrastive loss, 60 + 60 pairs" and neither distance, margin, initial values nor optimiser. Trains
system B (`sum`) at 1.015 s on the simulated embeddings of HOME and prints the EER on the dev subjects, who tune and do
not train: both modalities there, and with either replaced by a random null. No test subject is looked at.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, relu

from mmbio.data import trials
from mmbio.data.manifest import Manifest
from mmbio.data.plan import Plan
from mmbio.data.sources import resolve
from mmbio.data.virtual import build
from mmbio.embed.conditioned import embeddings_under
from mmbio.embed.cosine import pair_scores
from mmbio.embed.settings import Settings
from mmbio.fuse import objectives, run
from mmbio.fuse.config import Config
from mmbio.fuse.objectives import Data
from mmbio.fuse.train import fused, new_network, rows_needed, seed_of, tensors, train_fold
from mmbio.measure import rates
from mmbio.protocols import AUDIOVISUAL

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


def of_cosine(margin: float) -> Loss:
    """d = 1 - cosine: d^2, max(0, margin - d)^2 (mmbio's, margin 1)."""

    def loss(first: Tensor, second: Tensor, genuine: Tensor) -> Tensor:
        distance = 1 - cosine_similarity(first, second)
        return torch.where(genuine, distance, relu(margin - distance)).square().mean()

    return loss


def of_chord(margin: float) -> Loss:
    """d = the Euclidean distance of vectors of length 1."""

    def loss(first: Tensor, second: Tensor, genuine: Tensor) -> Tensor:
        squared = 2 - 2 * cosine_similarity(first, second)
        return torch.where(genuine, squared, relu(margin - squared.clamp_min(1e-12).sqrt()).square()).mean()

    return loss


def of_euclid(margin: float) -> Loss:
    """d = the Euclidean distance of the vectors as they are."""

    def loss(first: Tensor, second: Tensor, genuine: Tensor) -> Tensor:
        squared = (first - second).square().sum(1)
        return torch.where(genuine, squared, relu(margin - squared.clamp_min(1e-12).sqrt()).square()).mean()

    return loss


CHOICES: list[tuple[str, Loss | None, float, bool]] = [
    ("not trained: the cosine of both side by side", None, 0.0, True),
    ("1 - cosine, margin 1.0, rate 3e-4, rotations (mmbio's)", of_cosine(1.0), 3e-4, True),
    ("1 - cosine, margin 0.7", of_cosine(0.7), 3e-4, True),
    ("1 - cosine, margin 1.6", of_cosine(1.6), 3e-4, True),
    ("1 - cosine, margin 1.0, torch's own initial values", of_cosine(1.0), 3e-4, False),
    ("1 - cosine, margin 1.0, rate 1e-3", of_cosine(1.0), 1e-3, True),
    ("1 - cosine, margin 1.0, rate 1e-4", of_cosine(1.0), 1e-4, True),
    ("chord, margin 1.0", of_chord(1.0), 3e-4, True),
    ("chord, margin 1.4", of_chord(1.4), 3e-4, True),
    ("Euclidean, margin 1.0", of_euclid(1.0), 3e-4, True),
]


def main() -> None:
    home = Path(sys.argv[1] if len(sys.argv) > 1 else "runs")
    manifest = build(resolve(AUDIOVISUAL, None, {}, home), Plan(AUDIOVISUAL), home)
    settings = Settings(home, segment_s=1.015)
    print(f"{'choice':58} {'both':>7} {'voice null':>11} {'face null':>10}  dev EER, %")
    for name, loss, rate, rotated in CHOICES:
        figures = dev_eers(manifest, settings, loss, rate, rotated)
        print(f"{name:58} {figures[0]:7.2f} {figures[1]:11.2f} {figures[2]:10.2f}", flush=True)


def dev_eers(manifest: Manifest, settings: Settings, loss: Loss | None, rate: float, rotated: bool) -> list[float]:
    """EERs in percent on dev subjects: both there, voice null, face null."""
    fusion = "cosine" if loss is None else "sum"
    config = Config("audiovisual", fusion, ("face", "voice"), ("verification",), segment_s=1.015)
    (part,) = run.partitions_of(manifest, config)
    rows = rows_needed([part])
    found = embeddings_under(manifest, config.condition, config.modalities, rows, settings)
    data = tensors(found, {}, "cpu")
    torch.set_num_threads(1)
    network = new_network(config, {}, {m: v.shape[1:] for m, v in found.vectors.items()}, 0)
    if loss is not None:
        if not rotated:
            torch.manual_seed(seed_of(0, 0))
            for layer in network.modules():
                if isinstance(layer, nn.Linear):
                    layer.reset_parameters()
        objectives.contrastive = loss  # type: ignore[assignment, attr-defined]
        objective = run._objective(manifest, config, data, rows, part, 0)
        state, _ = train_fold(network, objective, replace(config.how, rate=rate))
        network.load_state_dict(state)
    return [eer(manifest, network, data, rows, part.dev, null) for null in ("", "voice", "face")]


def eer(manifest: Manifest, network: nn.Module, data: Data, rows: np.ndarray, dev: np.ndarray, null: str) -> float:
    """The EER in percent on trials of dev rows, with a modality replaced by standard-normal noise."""
    at, items = np.searchsorted(rows, dev), manifest.items.iloc[dev]
    subjects = items["subject"].to_numpy(np.int64)
    genders = manifest.subjects["gender"].to_numpy(str)[subjects]
    videos, clips = (items[c].to_numpy(str) for c in ("video", "clip"))
    drawn = trials.draw(subjects, videos, clips, genders, 100, 100)
    vectors = {m: v[at] for m, v in data.vectors.items()}
    if null:
        noise = np.random.default_rng(0).standard_normal(vectors[null].shape, dtype=np.float32)
        vectors[null] = torch.from_numpy(noise)
    out, _ = fused(network, Data(vectors, data.present[at], {}))  # type: ignore[arg-type]
    scores = pair_scores(out, out, drawn.enrolment, drawn.probe)
    return 100 * rates.eer(rates.points(scores[drawn.genuine], scores[~drawn.genuine]))


if __name__ == "__main__":
    main()
