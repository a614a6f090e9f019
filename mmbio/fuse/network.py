"""The network: branches -> fusion -> task heads (multitask paper, figure 1)."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmbio.fuse.branches import ImageBranch, branch
from mmbio.fuse.fusions import fusion
from mmbio.protocols import Protocol


@dataclass(frozen=True)
class Output:
    """logits: task -> (B, classes); fused (B, F); weights (B, M) or None."""

    logits: dict[str, Tensor]
    fused: Tensor
    weights: Tensor | None


class Network(nn.Module):
    """One network for all modalities of a protocol; a mask says who is there."""

    def __init__(self, protocol: Protocol, fusion_name: str, classes: Mapping[str, int]) -> None:
        super().__init__()
        dim = protocol.branch_dim
        self.modalities = protocol.modalities
        self.dim = dim
        self.branches = nn.ModuleDict({m: branch(m, dim) for m in protocol.modalities})
        self.fusion = fusion(fusion_name, [dim] * len(protocol.modalities), protocol.fusion_dims, "batch")
        # The paper does not say what stands between the fusion layer and the classifiers.
        self.heads = nn.ModuleDict(
            {task: nn.Sequential(nn.ReLU(), nn.Linear(protocol.fusion_dims[-1], n)) for task, n in classes.items()}
        )

    def fit_inputs(self, vectors: Mapping[str, Tensor], present: Tensor) -> None:
        """Let the branches that standardise their input take its statistics from training rows that are there."""
        for m, name in enumerate(self.modalities):
            module = self.branches[name]
            if isinstance(module, ImageBranch) and name in vectors and int(present[:, m].sum()) > 1:
                module.fit(vectors[name][present[:, m]])

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Output:
        """vectors: modality -> raw form (B, ...), left out where nobody has it; present (B, M) bool."""
        zeros = torch.zeros(len(present), self.dim, device=present.device)
        parts = [self.branches[m](vectors[m]) if m in vectors else zeros for m in self.modalities]
        fused, weights = self.fusion(parts, present)
        return Output({task: head(fused) for task, head in self.heads.items()}, fused, weights)


def n_parameters(network: nn.Module, idle: tuple[str, ...] = ()) -> int:
    """Trainable numbers of a network, without those whose names begin with one of `idle`."""
    named = network.named_parameters()
    return sum(p.numel() for name, p in named if not (idle and name.startswith(idle)))
