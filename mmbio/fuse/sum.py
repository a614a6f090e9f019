"""System B: each modality projected without ReLU into one space, and summed."""

from collections.abc import Sequence
from functools import reduce

import torch
from torch import Tensor, nn

from mmbio.fuse.normalise import normalisation


class Projections(nn.Module):
    """Each modality normalised, then projected without ReLU into one space; zero where the mask is 0."""

    def __init__(self, dims: Sequence[int], size: int, norm: str) -> None:
        super().__init__()
        self.norms = nn.ModuleList(normalisation(norm, dim) for dim in dims)
        self.layers = nn.ModuleList(nn.Linear(dim, size) for dim in dims)

    def forward(self, vectors: Sequence[Tensor], present: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """vectors M x (B, d), present (B, M) -> normalised M x (B, d), projected M x (B, size)."""
        columns = present.unbind(1)
        normalised = [norm(v, there) for norm, v, there in zip(self.norms, vectors, columns, strict=True)]
        projected = [layer(v) for layer, v in zip(self.layers, normalised, strict=True)]
        if not bool(present.all()):
            projected = [v * there.unsqueeze(1) for v, there in zip(projected, columns, strict=True)]
        return normalised, projected


class Sum(nn.Module):
    """The sum of the projections of the modalities that are there."""

    def __init__(self, dims: Sequence[int], sizes: Sequence[int], norm: str) -> None:
        super().__init__()
        self.projections = Projections(dims, sizes[-1], norm)

    def forward(self, vectors: Sequence[Tensor], present: Tensor) -> tuple[Tensor, None]:
        """vectors M x (B, d), present (B, M) -> fused (B, sizes[-1]), no weights."""
        _, projected = self.projections(vectors, present)
        return reduce(torch.add, projected), None
