"""Is it faster to train fold networks together, as one stack of matrices, or one after another?

    python benchmarks/together.py [THREADS]

Times one training step (forward, backward, AdamW) of the multitask network on tensors, at 8 networks in a stack and at
one, and prints milliseconds for each network. A stack also has to run until the last of its folds stops early.
"""

import sys
import time

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

STEPS, CLASSES = 20, 60


def parameters(n: int) -> dict[str, Tensor]:
    """The weight matrices of `n` networks, stacked."""
    shapes = {
        "conv": (900, 300),
        "face": (2048, 300),
        "finger": (2048, 300),
        "fusion": (900, 300),
        "heads": (300, CLASSES),
    }
    return {name: (0.02 * torch.randn(n, *shape)).requires_grad_() for name, shape in shapes.items()}


def loss(p: dict[str, Tensor], beats: Tensor, face: Tensor, finger: Tensor, labels: Tensor) -> Tensor:
    """The stack's summed loss; beats (n, B, 3, 900) are unfolded for the convolution."""
    n, b = face.shape[:2]
    ecg = (beats.reshape(n, b * 3, 900) @ p["conv"]).view(n, b, 3, 300).amax(2)
    branches = [ecg, face @ p["face"], finger @ p["finger"]]
    normed = [
        (x - x.mean(1, keepdim=True)) / torch.sqrt(x.var(1, keepdim=True, unbiased=False) + 1e-5) for x in branches
    ]
    out = torch.relu(torch.cat(normed, 2) @ p["fusion"]) @ p["heads"]
    return cross_entropy(out.reshape(n * b, CLASSES), labels.reshape(-1)) * n


def milliseconds(n: int, batch: int) -> float:
    """Milliseconds a step and network, in a stack of `n`."""
    p = parameters(n)
    optimiser = torch.optim.AdamW(list(p.values()), lr=1e-3, fused=True)
    data = (torch.randn(n, batch, 3, 900), torch.randn(n, batch, 2048), torch.randn(n, batch, 2048))
    labels = torch.randint(0, CLASSES, (n, batch))
    start = 0.0
    for step in range(STEPS + 3):
        if step == 3:
            start = time.perf_counter()
        optimiser.zero_grad(set_to_none=True)
        loss(p, *data, labels).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return 1000 * (time.perf_counter() - start) / STEPS / n


def main(threads: str = "2") -> None:
    """Print the table."""
    torch.set_num_threads(int(threads))
    print(f"{threads} threads; ms a step and network")
    print(f"{'batch':>6}{'alone':>9}{'stack of 8':>12}")
    for batch in (64, 128):
        print(f"{batch:>6}{milliseconds(1, batch):>9.2f}{milliseconds(8, batch):>12.2f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
