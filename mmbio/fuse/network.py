"""The network: branches -> fusion -> task heads (multitask paper, figure 1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from mmbio.fuse.branches import Branch, ImageBranch, branch
from mmbio.fuse.fusions import fusion
from mmbio.protocols import Protocol


@dataclass(frozen=True)
class Output:
    """logits: task -> (B, classes); fused (B, F); weights (B, M) or None."""

    logits: dict[str, Tensor]
    fused: Tensor
    weights: Tensor | None


SMALL = 8  # layers with fewer inputs or outputs, such as attention's scores, begin as torch has them
Shapes = Mapping[str, tuple[int, ...]]  # modality -> the shape of its raw form


class Network(nn.Module):
    """One network for all modalities of an experiment; a mask says who is there.

    `shapes` are in the order of the mask's columns. Without `classes` there are no heads: the fused vector is compared.
    """

    def __init__(self, protocol: Protocol, fusion_name: str, classes: Mapping[str, int], shapes: Shapes) -> None:
        super().__init__()
        self.modalities = tuple(shapes)
        self.dims = [protocol.branch_dim or prod(shape) for shape in shapes.values()]
        self.branches = nn.ModuleDict({m: branch(shape, protocol.branch_dim) for m, shape in shapes.items()})
        self.fusion = fusion(fusion_name, self.dims, protocol.fusion_dims, protocol.norm)
        # The paper does not say what stands between the fusion layer and the classifiers.
        self.heads = nn.ModuleDict(
            {task: nn.Sequential(nn.ReLU(), nn.Linear(protocol.fusion_dims[-1], n)) for task, n in classes.items()}
        )
        if not classes:
            _keep_angles(self.fusion)

    def fit_inputs(self, vectors: Mapping[str, Tensor], present: Tensor) -> None:
        """Let the branches that standardise their input take its statistics from training rows that are there."""
        for m, name in enumerate(self.modalities):
            module = self._branch(name)
            there = present[:, m]
            if isinstance(module, ImageBranch) and name in vectors and int(there.sum()) > 1:
                module.fit(vectors[name] if bool(there.all()) else vectors[name][there])

    def prepare(self, vectors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """modality -> raw form (B, ...) as its branch takes it; training changes nothing of it."""
        return {m: self._branch(m).prepare(v) for m, v in vectors.items()}

    def forward(self, vectors: Mapping[str, Tensor], present: Tensor) -> Output:
        """vectors: modality -> raw form (B, ...), left out where nobody has it; present (B, M) bool."""
        return self.of_prepared(self.prepare(vectors), present)

    def of_prepared(self, prepared: Mapping[str, Tensor], present: Tensor) -> Output:
        """What `forward` gives, of forms that are prepared."""
        dtype = next((t.dtype for t in (*prepared.values(), *self.parameters())), torch.get_default_dtype())
        parts = [
            self.branches[m](prepared[m])
            if m in prepared
            else torch.zeros(len(present), dim, dtype=dtype, device=present.device)
            for m, dim in zip(self.modalities, self.dims, strict=True)
        ]
        fused, weights = self.fusion(parts, present)
        return Output({task: head(fused) for task, head in self.heads.items()}, fused, weights)

    def _branch(self, modality: str) -> Branch:
        made: Any = self.branches[modality]
        return made  # type: ignore[no-any-return]


def _keep_angles(fusion_module: nn.Module) -> None:
    """Let layers that are compared by cosine begin as rotations, biases at 0: the paper does not say.

    Training then sets out from the cosines of the vectors as they are, instead of from random ones.
    """
    for layer in fusion_module.modules():
        if isinstance(layer, nn.Linear) and min(layer.weight.shape) > SMALL:
            nn.init.orthogonal_(layer.weight)
            nn.init.zeros_(layer.bias)


def n_parameters(network: nn.Module, idle: tuple[str, ...] = ()) -> int:
    """Trainable numbers of a network, without those whose names begin with one of `idle`."""
    named = network.named_parameters()
    return sum(p.numel() for name, p in named if not (idle and name.startswith(idle)))
