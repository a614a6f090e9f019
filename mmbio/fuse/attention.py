"""System C: projections weighted by an attention over modalities (audiovisual paper, eq. 1 and 2)."""

from collections.abc import Sequence
from functools import reduce

import torch
from torch import Tensor, nn

from mmbio.fuse.sum import Projections


class Attention(nn.Module):
    """alpha = softmax(W [e_1 .. e_M] + b) over the modalities that are there; fused = sum of alpha_m projected_m.

    The scores read the normalised vectors before projection. A modality that is told to be missing
    gets the weight 0; where all are missing, all weights and the fused vector are 0.
    """

    def __init__(self, dims: Sequence[int], sizes: Sequence[int], norm: str) -> None:
        super().__init__()
        self.projections = Projections(dims, sizes[-1], norm)
        self.scores = nn.Linear(sum(dims), len(dims))

    def forward(self, vectors: Sequence[Tensor], present: Tensor) -> tuple[Tensor, Tensor]:
        """vectors M x (B, d), present (B, M) -> fused (B, sizes[-1]), weights (B, M)."""
        normalised, projected = self.projections(vectors, present)
        scores = self.scores(torch.cat(normalised, 1))  # (B, M)
        weights = torch.softmax(scores.masked_fill(~present, torch.finfo(scores.dtype).min), 1) * present
        weighted = [weight.unsqueeze(1) * v for weight, v in zip(weights.unbind(1), projected, strict=True)]
        return reduce(torch.add, weighted), weights
