"""System A: concatenation, then fully connected layers with ReLU between them."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmbio.fuse.normalise import normalisation


class Concat(nn.Module):
    """Normalised vectors side by side -> layers of `sizes`; the last has no ReLU."""

    def __init__(self, dims: Sequence[int], sizes: Sequence[int], norm: str) -> None:
        super().__init__()
        self.norms = nn.ModuleList(normalisation(norm, dim) for dim in dims)
        steps: list[nn.Module] = []
        for n_in, n_out in zip((sum(dims), *sizes), sizes, strict=False):
            steps += [nn.Linear(n_in, n_out), nn.ReLU()]
        self.layers = nn.Sequential(*steps[:-1])

    def forward(self, vectors: Sequence[Tensor], present: Tensor) -> tuple[Tensor, None]:
        """vectors M x (B, d), present (B, M) -> fused (B, sizes[-1]), no weights."""
        parts = [norm(v, present[:, m]) for m, (norm, v) in enumerate(zip(self.norms, vectors, strict=True))]
        return self.layers(torch.cat(parts, 1)), None
