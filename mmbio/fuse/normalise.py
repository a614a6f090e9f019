"""Normalisation before fusion: masked batch norm (multitask), L2 (audiovisual)."""

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm


class MaskedBatchNorm(nn.Module):
    """Batch norm that a missing modality neither passes nor moves ("Feature fusion").

    Rows whose mask is 0 give 0 and are left out of the batch's and the running statistics.
    """

    mean: Tensor
    var: Tensor

    def __init__(self, dim: int, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("var", torch.ones(dim))

    def forward(self, x: Tensor, present: Tensor) -> Tensor:
        """x (B, D), present (B,) bool -> (B, D)."""
        n = int(present.sum())
        if n == 0:
            return torch.zeros_like(x)
        if n == len(x):
            fits = self.training and n > 1
            return batch_norm(x, self.mean, self.var, self.weight, self.bias, fits, self.momentum, self.eps)
        return self._of_some(x, present, n)

    def _of_some(self, x: Tensor, present: Tensor, n: int) -> Tensor:
        """What `forward` gives, whoever is there: for those who are all there torch has it in one step."""
        x = x.masked_fill(~present.unsqueeze(1), 0)  # whatever was there, NaN too
        mask = present.unsqueeze(1).to(x.dtype)  # (B, 1)
        mean, var = self.mean, self.var
        if self.training and n > 1:
            mean = x.sum(0) / n
            var = ((x - mean).square() * mask).sum(0) / n
            with torch.no_grad():
                self.mean.lerp_(mean, self.momentum)
                self.var.lerp_(var * n / (n - 1), self.momentum)
        return ((x - mean) * torch.rsqrt(var + self.eps) * self.weight + self.bias) * mask


class MaskedL2(nn.Module):
    """Vectors scaled to length 1; a zero vector stays zero, and a missing modality is zero."""

    def forward(self, x: Tensor, present: Tensor) -> Tensor:
        """x (B, D), present (B,) bool -> (B, D)."""
        there = x if bool(present.all()) else x.masked_fill(~present.unsqueeze(1), 0)
        return nn.functional.normalize(there, dim=1)


def normalisation(kind: str, dim: int) -> nn.Module:
    """The module for `batch` or `l2`."""
    return MaskedBatchNorm(dim) if kind == "batch" else MaskedL2()
