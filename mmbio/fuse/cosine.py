"""Cosine: nothing to learn; the normalised vectors side by side, whose cosine is the mean of the modalities'."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmbio.fuse.normalise import normalisation


class Cosine(nn.Module):
    """Normalised vectors side by side; of one modality, that modality alone."""

    def __init__(self, dims: Sequence[int], sizes: Sequence[int], norm: str) -> None:  # noqa: ARG002
        super().__init__()
        self.norms = nn.ModuleList(normalisation(norm, dim) for dim in dims)

    def forward(self, vectors: Sequence[Tensor], present: Tensor) -> tuple[Tensor, None]:
        """vectors M x (B, d), present (B, M) -> fused (B, sum of d), no weights."""
        parts = [norm(v, present[:, m]) for m, (norm, v) in enumerate(zip(self.norms, vectors, strict=True))]
        return torch.cat(parts, 1), None
