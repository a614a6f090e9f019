"""Branches: a modality's raw form -> one vector ("Feature extraction").

What needs no trained number is done by `prepare`, once for all epochs; `forward` does the rest.
"""

from typing import Final

import torch
from torch import Tensor, nn

from mmbio.protocols import BEAT_SAMPLES

KERNEL: Final = 3  # of the convolution over the three time steps; the paper does not say


class BeatsBranch(nn.Module):
    """Conv1D over the time steps, 300 -> 300 channels, then the maximum over time."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(BEAT_SAMPLES, dim, KERNEL, padding=KERNEL // 2)

    def prepare(self, beats: Tensor) -> Tensor:
        """beats (B, 3, 300) -> (B, 3, 900): the values of each time step with those of its neighbours."""
        half = KERNEL // 2
        return nn.functional.pad(beats, (0, 0, half, half)).unfold(1, KERNEL, 1).flatten(2)

    def forward(self, prepared: Tensor) -> Tensor:
        """prepared (B, 3, 900) -> (B, dim): the convolution as one product of matrices, several times faster."""
        maps = nn.functional.linear(prepared, self.conv.weight.flatten(1), self.conv.bias)  # (B, 3, dim)
        return maps.amax(1)


class ImageBranch(nn.Module):
    """A fully connected layer that matches an image's vector to the dimensions of the ECG.

    The vector is standardised first, with the training rows' mean and deviation: those of an untrained
    ResNet-50 have a common part that is far larger than what tells images apart, and a batch norm behind
    the layer would chase it (the paper does not say).
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, raw_dim: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(raw_dim))
        self.register_buffer("spread", torch.ones(raw_dim))
        self.fc = nn.Linear(raw_dim, dim)

    def fit(self, vectors: Tensor) -> None:
        """Take the mean and deviation of training vectors (n, raw_dim); a number that never varies gives 0."""
        off = vectors - vectors[0]  # exactly 0 of a number that never varies
        mean = off.mean(0)
        spread = off.sub_(mean).square_().sum(0).div_(len(vectors) - 1).sqrt_()
        self.centre.copy_(vectors[0] + mean)
        self.spread.copy_(torch.where(spread > 0, spread, torch.inf))

    def prepare(self, vectors: Tensor) -> Tensor:
        """vectors (B, raw_dim), standardised."""
        return (vectors - self.centre).div_(self.spread)

    def forward(self, prepared: Tensor) -> Tensor:
        """prepared (B, raw_dim) -> (B, dim)."""
        out: Tensor = self.fc(prepared)
        return out


class VectorBranch(nn.Module):
    """A vector as it is."""

    def prepare(self, vectors: Tensor) -> Tensor:
        """The same."""
        return vectors

    def forward(self, prepared: Tensor) -> Tensor:
        """The same."""
        return prepared


Branch = BeatsBranch | ImageBranch | VectorBranch


def branch(shape: tuple[int, ...], dim: int | None) -> Branch:
    """The branch of a modality with a raw form of this shape, to vectors of `dim` numbers; None: as they are."""
    if len(shape) == 2:
        return BeatsBranch(dim or BEAT_SAMPLES)
    return VectorBranch() if dim is None else ImageBranch(shape[0], dim)
