"""What an untrained ResNet-50 sees of blackened faces, by how its batch norms are set.

    python benchmarks/random_weights.py [ROOT]

Takes the face set at ROOT (the synthetic root where none is given), 58 subjects and 15 augmented images each, 97 % of
the pixels black, and a linear classifier on the 2,048 pooled numbers: 12 images of a subject train, 3 test. Prints a
row for each choice: batch norms untouched (torchvision's initialisation: mean 0, variance 1), or set to the statistics
of clean, or of noisy, images. docs/random-weights.md has the output and what mmbio chose.
"""

import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torchvision.models import resnet50

from mmbio.data import noise
from mmbio.data.images import augment, load_image
from mmbio.data.samples import Sample
from mmbio.data.sources import resolve
from mmbio.embed.backbones.resnet50 import MEAN, RANDOM_SEED, STD, stack
from mmbio.files import home
from mmbio.measure.intervals import subject_bootstrap
from mmbio.protocols import MULTITASK

N_SUBJECTS, N_IMAGES, N_TEST, BATCH = 58, 15, 3, 32


def pixels(samples: list[list[Sample]], folder: Path, level: float) -> np.ndarray:
    """Augmented images (58 * 15, 224, 224, 3) uint8 with this share of pixels black."""
    images = []
    for subject, found in enumerate(samples):
        rng = np.random.default_rng([0, subject])
        for i, sample in enumerate(rng.choice(len(found), N_IMAGES)):
            image = augment(load_image(folder / found[sample].path), [subject, i])
            images.append(noise.blacken(image, level, rng))
    return stack(images)


def network(statistics: np.ndarray | None, dtype: torch.dtype) -> nn.Module:
    """A random ResNet-50, its batch norms untouched or set to the statistics of these images."""
    torch.manual_seed(RANDOM_SEED)
    net: nn.Module = resnet50(weights=None)
    net.register_module("fc", nn.Identity())
    if statistics is not None:
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None  # the plain mean over batches
        net.train()
        with torch.no_grad():
            for start in range(0, 4 * BATCH, BATCH):
                net(scaled(statistics[start : start + BATCH], torch.float32))
    net.eval().to(dtype).to(memory_format=torch.channels_last)
    return net


def scaled(images: np.ndarray, dtype: torch.dtype) -> Tensor:
    """Images as the network's input (n, 3, 224, 224)."""
    mean, std = (torch.tensor(x).view(1, 3, 1, 1) * 255 for x in (MEAN, STD))
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    return ((x - mean) / std).to(dtype, memory_format=torch.channels_last)


@torch.inference_mode()
def vectors(net: nn.Module, images: np.ndarray, dtype: torch.dtype) -> np.ndarray:
    """Pooled vectors (n, 2048)."""
    parts = [net(scaled(images[i : i + BATCH], dtype)).float().numpy() for i in range(0, len(images), BATCH)]
    return np.concatenate(parts)


def accuracy(x: np.ndarray) -> tuple[float, float, float]:
    """Accuracy of a linear classifier and its subject-bootstrap interval, percent."""
    subject = np.repeat(np.arange(len(x) // N_IMAGES), N_IMAGES)
    test = np.tile(np.arange(N_IMAGES) >= N_IMAGES - N_TEST, len(x) // N_IMAGES)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 300 iterations are enough to rank the choices
        model.fit(x[~test], subject[~test])
    correct = model.predict(x[test]) == subject[test]
    low, high = subject_bootstrap(correct.astype(float), subject[test], seed=0)
    return 100 * float(correct.mean()), 100 * low, 100 * high


def main(root: str | None = None) -> None:
    """Print the table."""
    (found,) = resolve(replace(MULTITASK, modalities=("face",)), root, {}, home())["face"]
    by_subject: dict[str, list[Sample]] = {}
    for sample in found.samples:
        by_subject.setdefault(sample.subject, []).append(sample)
    samples = list(by_subject.values())[:N_SUBJECTS]
    clean, noisy = (pixels(samples, found.folder, x) for x in (0.0, MULTITASK.noise["face"]))
    order = np.random.default_rng(0).permutation(len(clean))
    print(f"{found.name}, {len(samples)} subjects, {len(samples) * N_TEST} test images, 97 % black")
    print(f"{'batch norms':<22}{'precision':<11}accuracy [95 % subject bootstrap]")
    for name, statistics in (("untouched", None), ("set on clean images", clean), ("set on noisy images", noisy)):
        for precision, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
            net = network(None if statistics is None else statistics[order], dtype)
            value, low, high = accuracy(vectors(net, noisy, dtype))
            print(f"{name:<22}{precision:<11}{value:.1f} [{low:.1f}, {high:.1f}]", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
